"""The chat model port on the `openai` package: OpenAI itself, or any server that speaks its Chat Completions.

Compatible servers differ in what they take. What is sent depends on the address at first; a server that refuses a
parameter by name is asked again at once without it, and that is remembered.

Prompts, answers and the key get into no log and no exception: what the package raises carries the server's words,
which may quote all three, so it is mapped to `ModelUnavailable` and never chained.
"""

from __future__ import annotations

import threading
import time
from contextlib import closing, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec

from trainer.adapters.openai_client import OpenAiClient, failure, hang_up, pause_s, timeout
from trainer.adapters.openai_wire import (
    Chunk,
    Failed,
    Models,
    Reader,
    Wire,
    pick_model,
    shown_name,
)
from trainer.ports import Cancelled, ModelUnavailable, current_cancellation

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    import httpx2
    from openai.types.chat import ChatCompletionMessageParam

    from trainer.ports import ChatMessage, ChatReply, OnText

DEFAULT_MODEL: Final = "gpt-6-luna"
"""The smallest of OpenAI's current family, and the replacement it names for the small models that end in 2026 and
2027; no shutdown is announced (`openai.types.shared.chat_model` lists the dates)."""
DEFAULT_EFFORT: Final = "none"
"""For `DEFAULT_MODEL` only. By itself it reasons at length before the first word, at the expense of `max_tokens`;
here the facts come with the prompt."""


class OpenAiChat:
    """A chat model behind OpenAI's Chat Completions, streamed.

    Args:
        api_key: needed for OpenAI; other servers get any word if it is None.
        base_url: where the API is, up to and with `/v1`; None is OpenAI.
        model: None takes the first model that the server lists, or `DEFAULT_MODEL` at OpenAI.
        timeout_s: how long a whole reply may take, retries and all.
        temperature: sent only if given; newer models refuse it.
        reasoning_effort: sent only if given, or with `DEFAULT_MODEL`.
        max_retries: how often a reply is tried again of which nothing has come yet.

    Raises:
        ValueError: an address or a key that no request can be made with.
    """

    def __init__(
        self,
        *,
        api_key: str | None,
        base_url: str | None,
        model: str | None,
        timeout_s: float = 30,
        temperature: float | None = None,
        reasoning_effort: str | None = None,
        max_retries: int = 1,
    ) -> None:
        model = model or None
        self._client = OpenAiClient(api_key, base_url)
        at_openai = self._client.at_openai
        if at_openai and model is None:
            model, reasoning_effort = DEFAULT_MODEL, reasoning_effort or DEFAULT_EFFORT
        self.name = shown_name(model) if model else "first of the server"
        self._model = model
        self._first: str | None = None
        self._timeout_s = timeout_s
        self._max_retries = max_retries
        self._values: dict[str, object] = {"stream_options": {"include_usage": True}}
        if at_openai:
            self._values["store"] = False  # what people write is not kept there
        if temperature is not None:
            self._values["temperature"] = temperature
        if reasoning_effort is not None:
            self._values["reasoning_effort"] = reasoning_effort
        self._wire = Wire("max_completion_tokens" if at_openai else "max_tokens", frozenset(self._values))

    def close(self) -> None:
        """Close the connections. A later reply opens new ones."""
        self._client.close()

    def reply(self, messages: Sequence[ChatMessage], *, max_tokens: int, on_text: OnText | None = None) -> ChatReply:
        """Answer, telling `on_text` as the text comes; what there is of it, if it is cancelled.

        Raises `ModelUnavailable` and `Cancelled`; what `on_text` raises passes.
        """
        import tenacity  # noqa: PLC0415 - as late as openai: importing this module must cost nothing

        deadline = time.monotonic() + self._timeout_s
        readers: list[Reader] = []

        def can_help(error: BaseException) -> bool:
            again = isinstance(error, Failed) and error.retryable and error.reason != "timeout"
            return again and not any(reader.started for reader in readers)

        attempts = tenacity.Retrying(
            retry=tenacity.retry_if_exception(can_help),
            stop=tenacity.stop_after_attempt(1 + self._max_retries) | tenacity.stop_before_delay(self._timeout_s),
            wait=pause_s,
            sleep=current_cancellation().sleep,
            reraise=True,
        )
        try:
            return attempts(self._answer, messages, max_tokens, on_text, deadline, readers)
        except ModelUnavailable:
            self._first = None  # the server may have been started anew with another model
            raise

    def _answer(
        self,
        messages: Sequence[ChatMessage],
        max_tokens: int,
        on_text: OnText | None,
        deadline: float,
        readers: list[Reader],
    ) -> ChatReply:
        """One attempt, asked again without what the server refuses by name."""
        model = self._model or self._first_model(deadline)
        wire, refused = self._wire, set[str]()
        while True:
            current_cancellation().check()
            reader = Reader()
            readers.append(reader)
            try:
                with closing(self._chunks(model, messages, max_tokens, wire, deadline)) as chunks:
                    _read(chunks, reader, on_text)
            except Cancelled:
                return reader.so_far(model, "\n".join(message.content for message in messages))
            except Failed as failed:
                if failed.parameter is None:
                    raise
                refused.add(failed.parameter)
                wire = wire.without(failed.parameter)
                if wire.limit in refused:
                    raise
                continue
            self._wire = wire
            return reader.reply(model)

    def _chunks(
        self, model: str, messages: Sequence[ChatMessage], max_tokens: int, wire: Wire, deadline: float
    ) -> Generator[Chunk]:
        """One request. Raises `Failed`, and `Cancelled` once the server has taken it, and only those."""
        import openai  # noqa: PLC0415 - takes most of a second to import: only where something is asked

        cancellation, taken = current_cancellation(), False
        values: dict[str, Any] = {name: self._values[name] for name in wire.optional} | {wire.limit: max_tokens}
        said = [{"role": role, "content": content.encode(errors="replace").decode()} for role, content in messages]
        failed: Failed | None = None
        try:
            with (
                self._client.connected().chat.completions.create(
                    model=model,
                    messages=cast("list[ChatCompletionMessageParam]", said),
                    stream=True,
                    timeout=timeout(deadline),
                    **values,
                ) as stream,
                _hung_up_at(deadline, stream.response),
            ):
                taken = True
                for chunk in stream:
                    yield msgspec.convert(chunk, Chunk, from_attributes=True)
                    if time.monotonic() >= deadline or cancellation.cancelled:
                        break
        except (openai.OpenAIError, ValueError, RecursionError) as error:
            failed = failure(error, wire.sent)
        if taken and cancellation.cancelled:
            raise Cancelled
        if time.monotonic() >= deadline:
            failed = Failed("timeout", retryable=True)
        if failed is not None:
            raise failed

    def _first_model(self, deadline: float) -> str:
        """The model to use where none is configured, asked once. Raises `Failed`."""
        if self._first is not None:
            return self._first
        import openai  # noqa: PLC0415 - as above

        found: str | None = None
        failed = Failed("protocol", retryable=False)
        try:
            page = self._client.connected().models.list(timeout=timeout(deadline))
            found = pick_model([model.id for model in msgspec.convert(page, Models, from_attributes=True).data])
        except (openai.OpenAIError, ValueError, RecursionError) as error:
            failed = failure(error, ())
        if not found:
            raise failed
        self._first, self.name = found, shown_name(found)
        return found


def _read(chunks: Iterator[Chunk], reader: Reader, on_text: OnText | None) -> None:
    """Read a stream to its end, telling `on_text`. Raises `Failed`."""
    try:
        for chunk in chunks:
            if reader.take(chunk) and on_text is not None:
                on_text(reader.text)
    except Failed:
        if reader.finish is None:
            raise  # otherwise the answer is whole, and only its usage is missing
    if reader.end() and on_text is not None:
        on_text(reader.text)


@contextmanager
def _hung_up_at(deadline: float, response: httpx2.Response) -> Iterator[None]:
    """Shut the connection at the deadline, or when it is cancelled, whatever is being waited for.

    The client's own limit is for one read; a server that sends a little now and then would never reach it.
    """
    timer = threading.Timer(max(0.0, deadline - time.monotonic()), hang_up, (response,))
    timer.daemon = True
    timer.start()
    try:
        with current_cancellation().hanging_up(partial(hang_up, response)):
            yield
    finally:
        timer.cancel()
