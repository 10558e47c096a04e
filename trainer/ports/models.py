"""The ports of models of language: those that answer, and those that compare meanings."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    from array import array
    from collections.abc import Sequence


class ChatMessage(NamedTuple):
    """One message of a conversation with a model."""

    role: Literal["system", "user", "assistant"]
    content: str


class ChatUsage(NamedTuple):
    """What an answer cost, in tokens; None where the server did not say."""

    input_tokens: int | None
    """All of them, those of the next two included."""
    output_tokens: int | None
    cached_tokens: int | None = None
    """Input that the server still had from an earlier request, which costs less."""
    cache_write_tokens: int | None = None
    """Input that it keeps for a later one, which may cost more."""


class ChatReply(NamedTuple):
    """A model's whole answer."""

    text: str
    model: str
    usage: ChatUsage
    truncated: bool
    """It stopped at the limit of `max_tokens`, or as nobody wanted more of it."""


OnText = Callable[[str], None]
"""Called with the whole text so far, each time that more of it has come."""


@runtime_checkable
class ChatModel(Protocol):
    """A model that answers a conversation. Safe to use from several threads."""

    name: str
    """The model in force, as `/healthz` shows it."""

    def reply(self, messages: Sequence[ChatMessage], *, max_tokens: int, on_text: OnText | None = None) -> ChatReply:
        """Answer, telling `on_text` as the text comes. Raises `ModelUnavailable`.

        If it is cancelled (see `trainer.ports.cancelling`) before it is whole, what there is of it is returned as
        truncated, possibly without any text, its usage guessed where the server did not say: it has to be paid.
        Raises `Cancelled` if nothing was asked by then. A model that cannot stop goes on to the end.
        """
        ...


Vector: TypeAlias = "array[float]"
"""What a text means, as a direction: an `array("f")` of 32-bit numbers whose squares add up to 1."""


@runtime_checkable
class Embedder(Protocol):
    """A model that tells which texts mean nearly the same. Safe to use from several threads."""

    name: str
    """The model in force, as `/healthz` shows it; vectors of models of other names cannot be compared."""
    size: int
    """How many numbers its vectors have; 0 as long as that is not known."""

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        """A vector for each text, in order: the product of two is near 1 if the texts mean the same.

        Takes any text, an empty one too; of a long one, the beginning counts. Raises `ModelUnavailable`.
        """
        ...
