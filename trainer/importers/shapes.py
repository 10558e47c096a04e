"""From one decoded record to examples: the shapes that data sets come in. Pure.

Known shapes, by their fields: chats (`messages` with role and content, ShareGPT's `conversations` with from and
value), Alpaca (`instruction`, `input`, `output`, `history`), questions with answers under their many names, English
and Russian, preference pairs (`chosen`, `preferred_output`: the preferred answer is learnt), OpenAI's DPO, TRL's
unpaired preferences (`label`), and plain `text`.

Names are compared without regard to case, and to spaces, hyphens or underscores between words. Unknown fields are
ignored. What a system message says is not part of a pair.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from trainer.importers import chats, text
from trainer.importers.chats import WrongShape
from trainer.importers.examples import Item, is_blank, make_pair
from trainer.importers.json_value import Number
from trainer.importers.rejections import Place, Rejection, RejectionReason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

QUESTIONS: Final = (
    "question", "prompt", "query", "instruction", "input", "user", "request", "human", "user_input", "user_message",
    "questions", "q", "вопрос", "вопросы", "запрос", "промпт", "инструкция", "в",
)  # fmt: skip
"""Names of the question, the more telling first: where a record has several, the first one counts."""
ANSWERS: Final = (
    "answer", "response", "output", "completion", "assistant", "reply", "chosen", "chosen_response",
    "preferred_output", "preferred_completion", "preferred", "ideal", "expected", "expected_answer",
    "expected_output", "target", "bot", "gpt", "answers", "a", "ответ", "ответы", "о",
)  # fmt: skip
CONVERSATIONS: Final = ("messages", "conversations", "conversation", "dialogue")
TEXTS: Final = ("text", "passage", "content", "текст")
TITLES: Final = ("title", "heading", "заголовок")
_PREFERRED: Final = ("chosen", "chosen_response", "preferred_output", "preferred_completion")
KNOWN: Final = frozenset((*QUESTIONS, *ANSWERS, *CONVERSATIONS, *TEXTS))

_BETWEEN_WORDS = re.compile(r"[\s_-]+")
_LONGEST_NAME = 64
_NEGATIVE: Final = frozenset(("false", "0", "-1", "no"))


def canonical(name: str) -> str:
    """A field's name as it is looked up; empty for what can be no known name."""
    name = name.strip().strip("\ufeff")
    return _BETWEEN_WORDS.sub("_", name.casefold()).strip("_") if len(name) <= _LONGEST_NAME else ""


def examples_of(record: object, place: Place) -> Iterator[Item]:
    """The examples that a record holds, or why it holds none; nothing if all of it is marked as not to be learnt."""
    if not isinstance(record, dict):
        yield Rejection(place, RejectionReason.NOT_AN_OBJECT)
        return
    fields = {canonical(name): value for name, value in record.items()}
    if not record:
        yield Rejection(place, RejectionReason.EMPTY)
        return
    try:
        yield from _examples(fields, place)
    except WrongShape as error:
        yield Rejection(place, error.reason, error.field)


def _examples(fields: Mapping[str, object], place: Place) -> Iterator[Item]:
    _refuse_negative(fields)
    conversation = _first(fields, CONVERSATIONS)
    question, answer = _first(fields, QUESTIONS), _first(fields, ANSWERS)
    if conversation:
        yield from _conversation(fields, conversation, place)
    elif question == "instruction":
        yield from _alpaca(fields, answer or "answer", place)
    elif question and answer:
        yield make_pair(
            chats.question_of(fields[question], question),
            chats.answer_of(fields[answer], answer),
            place,
            question_field=question,
            answer_field=answer,
        )
    elif answer and isinstance(fields[answer], list) and answer in _PREFERRED:
        # TRL allows the prompt to be implied: the preferred conversation then begins with it.
        yield from chats.pairs_of(fields[answer], answer, place)
    elif name := _first(fields, TEXTS):
        yield from _text(fields, name, place)
    else:
        yield _nothing(fields, place)


def _first(fields: Mapping[str, object], names: tuple[str, ...]) -> str | None:
    """The first of the names whose field holds something."""
    return next((name for name in names if not _is_absent(fields.get(name))), None)


def _is_absent(value: object) -> bool:
    return value is None or value in ([], {}) or (isinstance(value, str) and is_blank(value))


def _nothing(fields: Mapping[str, object], place: Place) -> Rejection:
    """The rejection of a record that lacks a part, or all."""
    asks, answers = (bool(_first(fields, names)) for names in (QUESTIONS, ANSWERS))
    if asks:
        return Rejection(place, RejectionReason.MISSING_ANSWER, "answer")
    if answers:
        return Rejection(place, RejectionReason.MISSING_QUESTION, "question")
    known = any(name in KNOWN for name in fields)
    return Rejection(place, RejectionReason.EMPTY if known else RejectionReason.UNKNOWN_SHAPE)


def _refuse_negative(fields: Mapping[str, object]) -> None:
    """Raise `WrongShape` for an unpaired preference whose answer was disliked (TRL's and LLaMA-Factory's KTO)."""
    name = "kto_tag" if "kto_tag" in fields else "label"
    if name == "label" and not {"prompt", "completion", "label"} <= fields.keys():
        return  # of a table with a column of that name, say
    if chats.is_off(fields[name]) or str(fields[name]).strip().casefold() in _NEGATIVE:
        raise WrongShape(RejectionReason.NEGATIVE_LABEL, name)


def _conversation(fields: Mapping[str, object], name: str, place: Place) -> Iterator[Item]:
    preferred = _first(fields, _PREFERRED)
    if preferred is None:
        yield from chats.pairs_of(fields[name], name, place)
        return
    yield make_pair(
        chats.question_of(fields[name], name),
        chats.answer_of(fields[preferred], preferred),
        place,
        question_field=name,
        answer_field=preferred,
    )


def _alpaca(fields: Mapping[str, object], answer: str, place: Place) -> Iterator[Item]:
    """`history` holds earlier turns as pairs of texts; `input` is the material of the instruction."""
    history = fields.get("history")
    if isinstance(history, list):
        for turn in history:
            match turn:
                case [str() as asked, str() as answered]:
                    yield make_pair(asked, answered, place, question_field="history", answer_field="history")
                case _:
                    yield Rejection(place, RejectionReason.WRONG_TYPE, "history")
    instruction = chats.plain_text(fields["instruction"], "instruction")
    material = "" if _is_absent(fields.get("input")) else chats.plain_text(fields["input"], "input")
    yield make_pair(
        f"{instruction.strip()}\n{material.strip()}" if material else instruction,
        chats.answer_of(fields.get(answer), answer),
        place,
        question_field="instruction",
        answer_field=answer,
    )


def _text(fields: Mapping[str, object], name: str, place: Place) -> Iterator[Item]:
    value = fields[name]
    if not isinstance(value, str) or isinstance(value, Number):
        raise WrongShape(RejectionReason.WRONG_TYPE, name)
    heading = _first(fields, TITLES)
    title = fields[heading] if heading else ""
    yield from text.items_at(value, place, title=title if isinstance(title, str) else "")
