"""The labels that tell questions from answers in plain text: `Q:`, `**Ответ:**`, `### Human:` and so on. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind = Literal["question", "answer"]

_FAMILIES: Final[Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "en": (("q", "question"), ("a", "ans", "answer")),
    "ru": (("в", "вопрос"), ("о", "ответ")),
    "chat": (
        ("user", "human", "customer", "client", "пользователь", "клиент", "человек"),
        ("bot", "assistant", "ai", "agent", "support", "бот", "ассистент", "помощник", "оператор", "поддержка"),
    ),
    "task": (("prompt", "instruction", "запрос"), ("response", "completion")),
}
"""Labels that go together. Within a pair only those of its family are looked for: a line `Support: by mail` in an
answer to `Q:` is text."""
_QUESTIONS_AND_ANSWERS: Final = frozenset(("en", "ru"))
"""Families that may be mixed, but not inside of one line."""

_KIND_AND_FAMILY: Final[Mapping[str, tuple[Kind, str]]] = {
    word: ("question" if word in questions else "answer", family)
    for family, (questions, answers) in _FAMILIES.items()
    for word in (*questions, *answers)
}
_WORDS = "|".join(sorted(map(re.escape, _KIND_AND_FAMILY), key=len, reverse=True))
# A label with its marks of emphasis, perhaps numbered (`Q1:`, `Вопрос № 2:`); no drive letter, no address.
_LABEL = rf"(?P<open>[*_]{{1,3}})?(?P<word>{_WORDS})(?:[ \t]?[#№]?[ \t]?\d{{1,4}})?[*_]{{0,3}}[ \t]?[:：](?![\\/])"
_AT_START = re.compile(
    rf"[ \t]*(?:>[ \t]*)*(?:[-•*+][ \t]+|\d{{1,4}}[.)][ \t]+)?(?:#{{1,6}}[ \t]+)?{_LABEL}", re.IGNORECASE
)
_INSIDE = re.compile(rf"(?:(?<=\s)|(?P<hashes>#{{2,6}}[ \t]?)){_LABEL}(?P<space>[*_]{{0,3}}(?=\s))?", re.IGNORECASE)
_AFTER_SENTENCE = ".?!…»”\"'):;。？！"


class Part(NamedTuple):
    """A stretch of a line."""

    kind: Kind | None
    """What its label says; None where it goes on with what was there before."""
    text: str
    """Without the label."""
    family: str


class _Label(NamedTuple):
    kind: Kind
    family: str
    start: int
    end: int
    after_sentence: bool
    opened: str
    """The mark of emphasis before the label."""


def parts_of(line: str, state: Kind | None, family: str) -> list[Part]:
    """Cut a line at its labels.

    Args:
        line: the line, without its end.
        state: what the line before belonged to.
        family: the labels in use there; empty if none were.
    """
    first = _at_start(line) if _has_colon(line) else None
    if (
        first
        and family
        and not (first.kind == "question" and state is None)
        and not _go_together(first.family, family)
    ):
        first = None
    if not _has_colon(line) or (first is None and state is None):
        return [Part(None, line, family)]
    current = first.kind if first else state
    family = first.family if first else family
    start = first.end if first else 0
    opened = first.opened if first else ""
    kind = first.kind if first else None
    parts: list[Part] = []
    inside = [label for label in _inside(line, start) if label.family == family]
    ahead = _look_ahead(inside)
    place = -1
    while (place := _next_label(ahead, place + 1, current)) < len(inside):
        label = inside[place]
        parts.append(Part(kind, _without(opened, line[start : label.start]), family))
        kind, current, start, opened = label.kind, label.kind, label.end, label.opened
    parts.append(Part(kind, _without(opened, line[start:]), family))
    return parts


def _go_together(one: str, other: str) -> bool:
    return one == other or {one, other} == _QUESTIONS_AND_ANSWERS


def kind_at_start(line: str) -> Kind | None:
    """Which kind of label the line begins with."""
    label = _at_start(line)
    return label.kind if label else None


def last_question(line: str) -> int:
    """Where the last question's label inside of the line begins; 0 if there is none."""
    return max((label.start for label in _inside(line, 0) if label.kind == "question"), default=0)


def _has_colon(line: str) -> bool:
    """Whether there can be a label; most lines have none."""
    return ":" in line or "：" in line


def _at_start(line: str) -> _Label | None:
    found = _AT_START.match(line)
    return _label(found, after_sentence=True) if found else None


def _inside(line: str, start: int) -> list[_Label]:
    labels = []
    for found in _INSIDE.finditer(line, start):
        before = line[max(start, found.start() - 8) : found.start()].rstrip()[-1:]
        after_sentence = before in _AFTER_SENTENCE or found["hashes"] is not None
        # `is A:b` is running text, `is it? A:b` is not.
        label = _label(found, after_sentence=after_sentence) if after_sentence or found["space"] is not None else None
        if label:
            labels.append(label)
    return labels


def _label(found: re.Match[str], *, after_sentence: bool) -> _Label | None:
    # Matching without regard to case takes some letters for others, as a dotless i for an i.
    known = _KIND_AND_FAMILY.get(found["word"].casefold())
    if known is None:
        return None
    return _Label(*known, found.start(), found.end(), after_sentence, found["open"] or "")


class _Ahead(NamedTuple):
    """Of each kind of label, the place of the next one from somewhere on, or the number of all if there is none."""

    question: int
    question_after_sentence: int
    answer: int
    answer_after_sentence: int


def _look_ahead(labels: list[_Label]) -> list[_Ahead]:
    """What comes next from each place on, and from the end; found once, as a line may have thousands of labels."""
    ahead = [_Ahead(*[len(labels)] * 4)]
    for place in range(len(labels) - 1, -1, -1):
        kind, spoken = labels[place].kind, labels[place].after_sentence
        found: dict[str, int] = {kind: place}
        if spoken:
            found[f"{kind}_after_sentence"] = place
        ahead.append(ahead[-1]._replace(**found))
    ahead.reverse()
    return ahead


def _next_label(ahead: list[_Ahead], place: int, current: Kind | None) -> int:
    """The place of the label at which what is current ends, from `place` on; beyond the last one if none does.

    A question ends at an answer; both end at a question that follows a sentence or has an answer itself. Labels after
    the end of a sentence are preferred: in `Q: Is vitamin A: good? A: Yes` the second one counts.
    """
    coming, none = ahead[place], len(ahead) - 1
    if current == "question" and coming.answer < coming.question:
        spoken = coming.answer_after_sentence
        return spoken if spoken < coming.question else coming.answer
    answered = ahead[coming.question].answer
    if coming.question_after_sentence < answered:
        return coming.question_after_sentence
    return coming.question if answered < none else none


def _without(opened: str, text: str) -> str:
    """The text without marks of emphasis that belong to the label: `**Q:** x`, `**Q**: x`, `**Q: x**`."""
    text = text.strip()
    if opened:
        if text.startswith(opened):
            return text[len(opened) :].strip()
        if text.endswith(opened) and text.count(opened) == 1:
            return text[: -len(opened)].strip()
    return text
