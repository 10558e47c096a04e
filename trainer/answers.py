"""Answers that were given, kept so that they can be corrected, and which message shows which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from trainer import records
from trainer.datasets import answer_key, message_key

if TYPE_CHECKING:
    from trainer.ports import ObjectStore
    from trainer.scope import Scope

AnswerKind = Literal["correction", "trained", "passage", "generated", "unknown"]


class Source(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an answer rests on, as it is shown to people."""

    kind: Literal["text", "file", "correction"]
    name: str = ""
    unit: str = ""
    number: int = 0
    author: str = ""
    at: float = 0
    """Seconds since the epoch."""


class Usage(msgspec.Struct, frozen=True):
    """What a chat model took for an answer."""

    model: str
    input_tokens: int
    """0 where the server did not say."""
    output_tokens: int
    usd: float | None
    """US dollars; None where the price or the tokens are not known."""


class Answer(msgspec.Struct, frozen=True):
    """What the bot says, and what it rests on."""

    kind: AnswerKind
    text: str
    """Empty when the bot does not know."""
    sources: list[Source] = []
    closest: str = ""
    """For an unknown: the question it knows that is nearest, if one is near at all."""
    closest_by: str = ""
    """Who taught that question."""
    model: str = ""
    """The chat model that wrote the text, if one did."""
    fell_back: bool = False
    """The chat model did not answer, so this is the nearest trained answer as it stands."""
    over_budget: bool = False
    """The chat model was not asked, because this month's budget is used up."""
    asked: str = ""
    """The whole question, where it leaned on a former one."""
    learned_by: list[int] = []
    """The interactions by which what the sources name was learned, in their order."""
    usage: Usage | None = None
    """What it cost, where a chat model was asked, whatever came of that; None where none was."""
    words_of: list[str] = []
    """Whoever taught what a chat model read for it, named as a source or not: the text may repeat their words."""


class AnswerRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One answer as it was given."""

    id: str
    """The interaction's."""
    dataset: str
    question: str
    text: str
    kind: AnswerKind
    author: str
    """Who asked."""
    created_at: float
    """Seconds since the epoch."""
    sources: list[Source] = []
    private: bool = False
    """Only the person who asked has seen it."""
    closest: str = ""
    closest_by: str = ""
    """Who taught the question that is named as the closest: it goes when they are forgotten."""
    fell_back: bool = False
    over_budget: bool = False
    words_of: list[str] = []
    """Whoever taught what a chat model read for it. Shown to nobody: the text goes when one of them is forgotten."""
    v: int = 1


class MessageRecord(msgspec.Struct, frozen=True):
    """Which answer a message shows."""

    answer_id: str
    v: int = 1


def whose_words(answer: Answer | AnswerRecord) -> set[str]:
    """Everybody whose teaching an answer's text repeats, or may repeat. Pure."""
    return {*answer.words_of, *(source.author for source in answer.sources)} - {""}


def load_answer(store: ObjectStore, scope: Scope, answer_id: str) -> AnswerRecord | None:
    """An answer of this scope, or None."""
    if not answer_id.isdecimal():
        return None
    return records.load(store, answer_key(scope, answer_id), AnswerRecord)


def save_answer(store: ObjectStore, scope: Scope, answer: AnswerRecord) -> AnswerRecord:
    """Keep an answer; the first of several deliveries stands."""
    return records.save_once(store, answer_key(scope, answer.id), answer)


def link_message(store: ObjectStore, scope: Scope, message_id: str, answer_id: str) -> None:
    """Remember which answer a message shows."""
    records.save(store, message_key(scope, message_id), MessageRecord(answer_id))


def answer_shown_in(store: ObjectStore, scope: Scope, message_id: str) -> str | None:
    """The id of the answer that a message shows, or None if it shows none of ours."""
    if not message_id.isdecimal():
        return None
    link = records.load(store, message_key(scope, message_id), MessageRecord)
    return None if link is None else link.answer_id
