"""What a command's handler is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, NamedTuple, Protocol, TypeVar, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from interactions.outbound import Button
    from interactions.payloads import Attachment, Interaction
    from trainer.i18n import Translator
    from trainer.instructions import Version
    from trainer.scope import Actor, Scope
    from trainer.services import Services
    from trainer.tree_search import Found

O = TypeVar("O")  # noqa: E741 - options, fields or nothing, as the handler takes them


class Quick(Protocol):
    """What may be looked up while Discord waits: answered in well under a second, or given up."""

    def dataset_names(self, scope: Scope) -> list[str]:
        """The names of a scope's datasets, in order; empty when the store does not answer."""
        ...

    def trainer_role(self, scope: Scope) -> str | None:
        """The role whose members may teach, empty if there is none; None when the store does not answer."""
        ...


@runtime_checkable
class QuickInstruction(Protocol):
    """What look-ups tell besides where they have a store: what a form to change the instruction begins with."""

    def instruction(self, scope: Scope) -> Version | None:
        """The instruction in force, None where it is the default text. Raises `StoreUnavailable`."""
        ...


@runtime_checkable
class QuickFiles(Protocol):
    """What look-ups tell besides where they have a store: the files that somebody may mean who is typing."""

    def find_files(self, scope: Scope, typed: str, *, files: bool, most: int) -> list[Found]:
        """Folders and, if wanted, files of a scope, the likeliest first; empty when the store does not answer."""
        ...


class AckCall(NamedTuple, Generic[O]):
    """A use of a command, as the acknowledging half sees it: nothing slow."""

    interaction: Interaction
    actor: Actor
    t: Translator
    """Says things in the person's language."""
    given: O
    """A slash command's options, a message command's message, a button's or a modal's data."""
    quick: Quick
    subject: str = ""
    """What a button or modal is about: the part of its custom id after the handler's name."""


class Tools(Protocol):
    """What the worker lends to a handler's slow half."""

    def progress(self, text: str, buttons: Sequence[Button] = ()) -> None:
        """Show how far it is, in place of "thinking…", with buttons below; at most once a second reaches Discord.

        They go when the reply comes. After the token's 15 minutes nothing is shown any more.
        """
        ...

    def check(self) -> None:
        """Raise what ends the work if the job is another worker's by now. Costs nothing: to be called often."""
        ...

    def must_stop(self) -> bool:
        """Whether this worker wants to end what takes long: then store what there is and raise `failures.HandOn`.

        The job is done again from its beginning, by whoever takes it.
        """
        ...

    def fetch(
        self, attachment: Attachment, *, keep: bool = True, most_mib: int | None = None
    ) -> AbstractContextManager[Path]:
        """The attachment as a temporary file, from our own copy if there is one already; else we `keep` one.

        `most_mib` is how large it may be, where that is not what is taken for teaching.
        """
        ...

    def voice_channel(self, user_id: str = "") -> str | None:
        """The voice channel of this server where a member is, or the bot itself if none is named.

        Empty: they are in none. None: it cannot be told, as Discord does not answer or does not let the bot see.
        """
        ...

    def afterwards(self, act: Callable[[], object]) -> None:
        """Do this once the reply is out, in nobody's way. It may be lost with the worker, and is not repeated."""
        ...


class WorkCall(NamedTuple, Generic[O]):
    """A use of a command, as the working half sees it."""

    interaction: Interaction
    actor: Actor
    t: Translator
    given: O
    subject: str
    services: Services
    tools: Tools
