"""What servers of OpenAI's Chat Completions send, and what it means. Pure; does not import the `openai` package.

Chunks are decoded leniently: only what is used is there, all of it optional; a wrong type is a `ValueError`.
"""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

import msgspec

from trainer.ports import ChatReply, ChatUsage, ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

MAX_TEXT: Final = 400_000
"""Characters of an answer, hidden reasoning included: a server that never stops must not fill the memory."""

_LIMITS: Final = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
"""The two names of the same limit: OpenAI's newer models refuse the first, older servers do not know the second."""
_QUOTA_CODES: Final = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
_OTHER_KINDS: Final = re.compile(r"embed|rerank|whisper|tts|moderation", re.IGNORECASE)
_OPEN, _CLOSE = "<think>", "</think>"


class Delta(msgspec.Struct):
    """What a chunk adds to the answer. Reasoning comes in fields of its own, which are not read."""

    content: str | None = None
    refusal: str | None = None


class Choice(msgspec.Struct):
    """A part of the answer; there is one choice, unless more were asked for."""

    index: int | None = None
    delta: Delta | None = None
    finish_reason: str | None = None


class Usage(msgspec.Struct):
    """Numbers of tokens."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: Any = None
    """Of which some were cached: the servers' forms of it differ, and an answer must not fail for it."""

    def detail(self, name: str) -> int | None:
        """A part of the prompt's tokens, if the server tells it in a form that is understood."""
        details = self.prompt_tokens_details
        count = details.get(name) if isinstance(details, dict) else getattr(details, name, None)
        return count if isinstance(count, int) and not isinstance(count, bool) and count >= 0 else None


class Chunk(msgspec.Struct):
    """One event of a stream. The one with the usage has no choices."""

    choices: list[Choice] | None = None
    model: str | None = None
    usage: Usage | None = None


class Model(msgspec.Struct):
    """A model that a server lists."""

    id: str


class Models(msgspec.Struct):
    """The list of a server's models."""

    data: list[Model]


class Failed(ModelUnavailable):
    """What went wrong with one request.

    Attributes:
        retry_after_s: how long the server asks to wait, if it does.
        parameter: the name of the parameter of ours that the server refuses, if it names one.
    """

    def __init__(
        self, reason: str, *, retryable: bool, retry_after_s: float | None = None, parameter: str | None = None
    ) -> None:
        super().__init__(reason, retryable=retryable)
        self.retry_after_s = retry_after_s
        self.parameter = parameter


def classify(status: int, code: str | None) -> tuple[str, bool]:
    """The port's reason for an HTTP status and the server's own error code, and whether a retry can help."""
    if code in _QUOTA_CODES:
        return "rate_limited", False  # nothing comes back by waiting: somebody has to pay
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        return "credentials", False
    if status == HTTPStatus.REQUEST_TIMEOUT:
        return "timeout", True
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return "rate_limited", True
    if status in {HTTPStatus.CONFLICT, HTTPStatus.TOO_EARLY} or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return "server", True
    if status >= HTTPStatus.BAD_REQUEST:
        return "refused", False
    return "protocol", False


def refused_parameter(param: str | None, body: object, sent: Collection[str]) -> str | None:
    """Which of the parameters in `sent` an error names: in OpenAI's field for it, or anywhere in its text."""
    if param in sent:
        return param
    text = str(body)[:4000]
    return next((name for name in sent if re.search(rf"\b{name}\b", text)), None)


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """How many seconds the server asks to wait; None if it does not say so as a number."""
    for header, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        with suppress(KeyError, ValueError):
            return max(0.0, float(headers[header]) * unit)
    return None


def pick_model(ids: Sequence[str]) -> str | None:
    """The first model that is not evidently for something else than chat; None if there are no models."""
    return next((name for name in ids if not _OTHER_KINDS.search(name)), next(iter(ids), None))


def shown_name(model: str) -> str:
    """A model's name fit for people: llama.cpp uses the path of the file, which is nobody's business."""
    return re.split(r"[/\\]", model)[-1] if re.match(r"/|\\\\|[A-Za-z]:[/\\]", model) else model


def guessed_tokens(text: str) -> int:
    """About how many tokens a text has: one for four bytes, some more than it is in most languages."""
    return -(-len(text.encode(errors="replace")) // 4)


def spoken(raw: str, *, final: bool) -> str:
    """What a model says of what it has sent so far: without blocks of reasoning at its start, and well-formed.

    Unless `final`, what may still become a reasoning tag or a surrogate pair is held back, so that of two calls on
    a growing text the first result is always a prefix of the second.
    """
    text = raw.lstrip()
    while text.startswith(_OPEN):
        text = text.partition(_CLOSE)[2].lstrip()
    if not final and _OPEN.startswith(text):
        return ""
    try:
        text.encode()
    except UnicodeEncodeError:  # servers that cut between tokens send one character in two halves
        if not final and "\ud800" <= text[-1] <= "\udbff":
            text = text[:-1]
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.rstrip()


@dataclass(frozen=True, slots=True)
class Wire:
    """Which parameters the server takes, as far as is known."""

    limit: str
    optional: frozenset[str]

    @property
    def sent(self) -> tuple[str, ...]:
        """The names of all parameters that a request has beyond the necessary."""
        return (self.limit, *sorted(self.optional))

    def without(self, parameter: str) -> Wire:
        """The same without one of them; the limit of tokens is sent under its other name instead."""
        if parameter == self.limit:
            return replace(self, limit=_LIMITS[parameter])
        return replace(self, optional=self.optional - {parameter})


class Reader:
    """Puts the chunks of one answer together.

    Attributes:
        text: what the model has said so far.
        started: whether anything of it has come, reasoning included.
        finish: why the model stopped; None as long as it has not.
    """

    def __init__(self) -> None:
        self.text = ""
        self.started = False
        self.finish: str | None = None
        self._raw = ""
        self._any_choice = False
        self._refused = False
        self._model: str | None = None
        self._usage = Usage()

    def take(self, chunk: Chunk) -> bool:
        """Add a chunk; whether `text` has changed. Raises `Failed` if it is too long."""
        self._model = chunk.model or self._model
        self._usage = chunk.usage or self._usage
        for choice in chunk.choices or ():
            self._any_choice = True
            self.finish = choice.finish_reason or self.finish
            if choice.delta is not None and not choice.index:
                self._raw += choice.delta.content or ""
                self._refused |= bool(choice.delta.refusal)
        if len(self._raw) > MAX_TEXT:
            raise Failed("protocol", retryable=False)
        return self._show(final=False)

    def end(self) -> bool:
        """The stream has ended; whether `text` has changed. Raises `Failed` if this is no answer."""
        if not self._any_choice:
            raise Failed("protocol", retryable=False)
        if self.finish is None:
            raise Failed("connection", retryable=True)  # cut in the middle
        changed = self._show(final=True)
        if self.finish == "content_filter" or (self._refused and not self.text):
            raise Failed("refused", retryable=False)
        if not self.text:
            raise Failed("protocol", retryable=False)
        return changed

    def reply(self, asked: str) -> ChatReply:
        """The whole answer, after `end`, of the model `asked` if the server names no other."""
        used = self._usage
        cached, written = used.detail("cached_tokens"), used.detail("cache_write_tokens")
        usage = ChatUsage(used.prompt_tokens, used.completion_tokens, cached, written)
        return ChatReply(self.text, shown_name(self._model or asked), usage, truncated=self.finish == "length")

    def so_far(self, asked: str, prompt: str) -> ChatReply:
        """What there is of an answer that is stopped, and a guess at what the server does not tell any more."""
        self._show(final=True)
        told = self.reply(asked)
        usage = told.usage
        if usage.output_tokens is None:
            usage = ChatUsage(guessed_tokens(prompt), guessed_tokens(self._raw))
        return ChatReply(told.text, told.model, usage, truncated=self.finish != "stop")

    def _show(self, *, final: bool) -> bool:
        before, self.text = self.text, spoken(self._raw, final=final)
        self.started |= bool(self._raw)
        return self.text != before


def stream_error(code: str | None, kind: str | None) -> Failed:
    """What an error event in the middle of a stream means: it has no status but what some servers put in its code."""
    words = f"{code} {kind}"
    if code and re.fullmatch(r"[1-5]\d\d", code):
        status = int(code)
    elif "rate_limit" in words or "quota" in words:
        status = HTTPStatus.TOO_MANY_REQUESTS
    elif "invalid" in words or "context_length" in words:
        status = HTTPStatus.BAD_REQUEST
    else:
        status = HTTPStatus.INTERNAL_SERVER_ERROR
    reason, retryable = classify(status, code)
    return Failed(reason, retryable=retryable)
