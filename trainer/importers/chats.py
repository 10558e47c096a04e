"""Texts and turns out of the values that records hold: messages, parts of content, lists of answers. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from trainer.importers.examples import Item, is_blank, make_pair
from trainer.importers.rejections import Place, Rejection, RejectionReason

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_Speaker = Literal["user", "assistant", "other"]
_SPEAKERS: Final[Mapping[str, _Speaker]] = {
    "user": "user", "human": "user", "prompter": "user", "customer": "user",
    "assistant": "assistant", "gpt": "assistant", "chatgpt": "assistant", "bot": "assistant", "model": "assistant",
    "ai": "assistant",
    "system": "other", "developer": "other", "tool": "other", "function": "other", "function_call": "other",
    "observation": "other", "ipython": "other",
}  # fmt: skip
_TEXT_PARTS: Final = frozenset(("text", "input_text", "output_text"))


class WrongShape(Exception):
    """The record is of no use, for this reason and because of this field."""

    def __init__(self, reason: RejectionReason, field: str) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.field = field


class _Message(NamedTuple):
    speaker: _Speaker
    text: str
    learnt: bool
    """False where its weight is 0."""
    calls_tools: bool


def plain_text(value: object, field: str) -> str:
    """Text, a number as it was written, or parts of content that are all text. Raises `WrongShape`."""
    match value:
        case None:
            return ""
        case str():
            return value
        case list():
            return "".join(_part(part, field) for part in value)
        case _:
            raise WrongShape(RejectionReason.WRONG_TYPE, field)


def _part(part: object, field: str) -> str:
    match part:
        case str():
            return part
        case {"type": kind, "text": str() as text} if kind in _TEXT_PARTS:
            return text
        case _:
            raise WrongShape(RejectionReason.WRONG_TYPE, field)


def question_of(value: object, field: str) -> str:
    """The question: a text, or what the user said last in messages or in an object that holds `messages`."""
    if isinstance(value, dict) and "messages" in value:
        value, field = value["messages"], "messages"
    if not are_messages(value):
        return plain_text(value, field)
    asked = [turn.question for turn in turns_of(value, field) if turn.question]
    return asked[-1] if asked else ""


def answer_of(value: object, field: str) -> str:
    """The answer: a text, the first of several, a message, or what the assistant said last in messages."""
    if isinstance(value, dict) and ("content" in value or "value" in value):
        value = [value]
    if are_messages(value):
        said = [message.text for message in _messages(value, field) if message.speaker == "assistant"]
        return said[-1] if said else ""
    if isinstance(value, list) and value and all(isinstance(one, str) for one in value):
        return next((one for one in value if not is_blank(one)), "")
    return plain_text(value, field)


def pairs_of(value: object, field: str, place: Place) -> Iterator[Item]:
    """A pair for each turn of a conversation that the assistant answered. Raises `WrongShape`.

    The question is what the user said since the last answer. Answers of weight 0 are passed over, and so is a
    greeting that nobody asked for, or a question at the end that was not answered, if anything else is there.
    """
    turns = turns_of(value, field)
    found = False
    for turn in turns:
        if turn.answer and turn.question:
            yield make_pair(turn.question, turn.answer, place, question_field=field, answer_field=field)
            found = True
        elif turn.only_calls:
            yield Rejection(place, RejectionReason.WRONG_TYPE, "tool_calls")
            found = True
    if found or any(turn.unlearnt for turn in turns):
        return
    if any(turn.answer for turn in turns):
        raise WrongShape(RejectionReason.MISSING_QUESTION, field)
    asked = any(turn.question for turn in turns)
    raise WrongShape(RejectionReason.MISSING_ANSWER if asked else RejectionReason.EMPTY, field)


class Turn(NamedTuple):
    """What the user said up to an answer, and what the assistant said up to the next question."""

    question: str
    answer: str
    """Empty if it is not to be learnt."""
    said: str
    """The answer, learnt or not."""
    only_calls: bool
    """The assistant called tools and said nothing."""
    unlearnt: bool
    """An answer of weight 0 was passed over."""


def turns_of(value: object, field: str) -> list[Turn]:
    """The turns of a conversation. Raises `WrongShape`."""
    return list(_turns(_messages(value, field)))


def _turns(messages: list[_Message]) -> Iterator[Turn]:
    asked: list[_Message] = []
    replies: list[_Message] = []
    for message in messages:
        if message.speaker == "user":
            if replies:
                yield _turn(asked, replies)
                asked, replies = [], []
            asked.append(message)
        elif message.speaker == "assistant":
            replies.append(message)
    if asked or replies:
        yield _turn(asked, replies)


def _turn(asked: list[_Message], replies: list[_Message]) -> Turn:
    said = [reply for reply in replies if not is_blank(reply.text)]
    learnt = [reply for reply in said if reply.learnt]
    return Turn(
        question="\n".join(message.text for message in asked if not is_blank(message.text)),
        answer="\n".join(reply.text for reply in learnt),
        said="\n".join(reply.text for reply in said),
        only_calls=not said and any(reply.calls_tools and reply.learnt for reply in replies),
        unlearnt=any(not reply.learnt for reply in replies),
    )


def are_messages(value: object) -> bool:
    """Whether it looks like a conversation: a list of objects that say who speaks."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(one, dict) and ("role" in one or "from" in one) for one in value)
    )


def _messages(value: object, field: str) -> list[_Message]:
    if not isinstance(value, list):
        raise WrongShape(RejectionReason.WRONG_TYPE, field)
    return [_message(one, field) for one in value]


def _message(value: object, field: str) -> _Message:
    if not isinstance(value, dict):
        raise WrongShape(RejectionReason.WRONG_TYPE, field)
    role = value.get("role", value.get("from"))
    speaker = _SPEAKERS.get(role.strip().casefold()) if isinstance(role, str) else None
    if speaker is None:
        raise WrongShape(RejectionReason.UNKNOWN_ROLE, "role" if "role" in value else "from")
    name = "content" if "content" in value else "value"
    return _Message(
        speaker=speaker,
        # Others' content is not used, so it need not be text.
        text="" if speaker == "other" else plain_text(value.get(name), name),
        learnt=not is_off(value.get("weight")),
        calls_tools=bool(value.get("tool_calls") or value.get("function_call")),
    )


def is_off(value: object) -> bool:
    """Whether a flag or a weight says no: false or zero, as JSON or as text; absence says nothing."""
    if isinstance(value, bool | int | float):
        return not value
    if not isinstance(value, str):
        return False
    try:
        return float(value) == 0
    except ValueError:
        return value.strip().casefold() == "false"
