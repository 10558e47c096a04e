"""Questions and expected texts out of the values that records hold: texts, messages, parts, objects. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from trainer.evaluation.cases import EXPECTED_MOST, QUESTION_MOST, VALUES_MOST, Exchange
from trainer.evaluation.reading import names
from trainer.evaluation.reading.rejections import BadCase, CaseRejectionReason
from trainer.importers import chats
from trainer.importers.examples import clean, is_blank

if TYPE_CHECKING:
    from collections.abc import Sequence

FORMER_MOST: Final = 20
"""Exchanges of a conversation before the question that is asked."""
_RAW_FACTOR = 4
"""A raw text this many times over its limit is refused before any work is spent on cleaning it."""
_NESTED_MOST = 4
"""Objects within objects in which a text is looked for."""


class Asked(NamedTuple):
    """What is asked."""

    question: str
    former: tuple[Exchange, ...] = ()
    answered: str = ""
    """What the conversation itself answers; empty if it ends with the question."""


def tidy(text: str, field: str, most: int) -> str:
    """Clean text, empty if nothing in it can be seen. Raises `BadCase` where it is too long."""
    if len(text) > _RAW_FACTOR * most and len(text.strip()) > _RAW_FACTOR * most:
        raise BadCase(CaseRejectionReason.TOO_LONG, field)
    text = clean(text)
    if len(text) > most:
        raise BadCase(CaseRejectionReason.TOO_LONG, field)
    return "" if is_blank(text) else text


def asked_of(value: object, field: str, depth: int = 0) -> Asked:
    """What is asked, by a text, a conversation, or an object that holds one of them. Raises `BadCase`."""
    if isinstance(value, dict):
        name, inner = _inside(value, (*names.CONVERSATIONS, *names.QUESTIONS, *names.TEXTS), field, depth)
        return asked_of(inner, name, depth + 1)
    if chats.are_messages(value):
        return _conversation(value, field)
    return Asked(tidy(chats.plain_text(value, field), field, QUESTION_MOST))


def _conversation(value: object, field: str) -> Asked:
    turns = chats.turns_of(value, field)
    last = max((number for number, turn in enumerate(turns) if turn.question), default=-1)
    former = [turn for turn in turns[:last] if turn.question]
    if last < 0:
        raise BadCase(CaseRejectionReason.MISSING_QUESTION, field)
    if len(former) > FORMER_MOST:
        raise BadCase(CaseRejectionReason.TOO_MANY, field)
    if turns[last].only_calls:
        raise BadCase(CaseRejectionReason.WRONG_TYPE, "tool_calls")
    return Asked(
        question=tidy(turns[last].question, field, QUESTION_MOST),
        former=tuple(
            Exchange(tidy(turn.question, field, QUESTION_MOST), tidy(turn.said, field, EXPECTED_MOST))
            for turn in former
        ),
        answered=tidy(turns[last].said, field, EXPECTED_MOST),
    )


def texts_of(value: object, field: str, depth: int = 0) -> tuple[str, ...]:
    """The texts that are expected, each once, none blank. Raises `BadCase`.

    A list holds alternatives, unless it is a conversation, of which the assistant's last words count, or the parts of
    one text.
    """
    if isinstance(value, dict):
        if "role" in value or "from" in value:
            return texts_of([value], field, depth)
        name, inner = _inside(value, (*names.CONVERSATIONS, *names.EXPECTED, *names.TEXTS), field, depth)
        return texts_of(inner, name, depth + 1)
    if isinstance(value, list) and not chats.are_messages(value):
        if all(one is None or isinstance(one, str) for one in value):
            if len(value) > VALUES_MOST:
                raise BadCase(CaseRejectionReason.TOO_MANY, field)
            return _each([one for one in value if one is not None], field)
        return _each([chats.plain_text(value, field)], field)
    return _each([chats.answer_of(value, field)], field)


def _each(texts: Sequence[str], field: str) -> tuple[str, ...]:
    tidied = (tidy(text, field, EXPECTED_MOST) for text in texts)
    return tuple(dict.fromkeys(text for text in tidied if text))


def _inside(value: dict[str, object], wanted: Sequence[str], field: str, depth: int) -> tuple[str, object]:
    """The name and the value of the field that holds the text: a known one, or the only one."""
    fields = names.named(value)
    if depth < _NESTED_MOST:
        if name := names.first(fields, wanted):
            return name, fields[name]
        if len(fields) == 1:
            return field, next(iter(fields.values()))
    raise BadCase(CaseRejectionReason.WRONG_TYPE, field)
