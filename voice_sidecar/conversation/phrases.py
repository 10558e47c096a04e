"""Cuts an answer that is still being written into what can be said already. Pure.

What is given out is whole: sentences, lines, code blocks and tables as they are written in Markdown, in order,
nothing twice and nothing left out. A sentence is whole once the next one has begun, as "at 5 p.m." may go on and "3."
may be the beginning of "3.5"; and not in the middle of something bold, of a link or of code.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Final

from sentencex import segment

from trainer.speech.speakable import language_of
from trainer.speech.units import ENGLISH_SHORT, RUSSIAN_SHORT

_LOOKED_AT: Final = 1000
"""Characters of a line in which its first sentence has to end; else the line is said as a whole."""
_ENDS_MOST: Final = 40
"""Places that may be its end which are looked at."""
_FENCE: Final = re.compile(r"[ \t]*(?:>[ \t]?)?(`{3,}|~{3,})")
_MAYBE_FENCE: Final = re.compile(r"[ \t]*(?:>[ \t]?)?(?:`{1,2}|~{1,2})?")
_END: Final = re.compile(r"[.!?…]+['\"»”’)\]*_`|]*(?=\s+(\S))")
_SHORT: Final = tuple(
    f" {short}".casefold()
    for short in (
        *(key for key in (*ENGLISH_SHORT, *RUSSIAN_SHORT) if key.endswith(".")),
        *("prof.", "st.", "no.", "fig.", "inc.", "ltd.", "a.m.", "p.m.", "min.", "max.", "dept.", "est.", "vol."),
        *("г.", "гг.", "д.", "кв.", "им.", "рис.", "табл.", "гл.", "руб.", "коп.", "тыс.", "млн.", "млрд.", "шт."),
        *("сек.", "час.", "проф.", "обл.", "пер.", "пр.", "др.", "т.", "с.", "п.", "ч.", "н. э."),
    )
)
"""What ends with a full stop that need not end a sentence. Waiting for the next one costs little."""
_INITIAL: Final = re.compile(r"(?:^|[\s(.])[^\W\d_]\.$")
_NUMBERED: Final = re.compile(r"\s*(?:[-*+>]\s+)*(?:\d{1,4}|[a-zа-я])[.)]$", re.IGNORECASE)


class Phrases:
    """The phrases of one answer, as its text grows."""

    def __init__(self) -> None:
        self._given = ""

    @property
    def given(self) -> str:
        """What was given out of the text so far."""
        return self._given

    def feed(self, so_far: str) -> list[str]:
        """What has become whole, with the text as far as it is written. Text that changed waits for `finish`."""
        if not so_far.startswith(self._given):
            return []
        return self._take(so_far, last=False)

    def finish(self, whole: str) -> list[str]:
        """What is left of the whole text. One that begins differently is given out from its beginning.

        What nothing was given out of stays in one piece.
        """
        if self._given and whole.startswith(self._given):
            return self._take(whole, last=True)
        self._given = whole
        return [whole] if whole.strip() else []

    def _take(self, text: str, *, last: bool) -> list[str]:
        found = []
        at = len(self._given)
        while at < len(text):
            size = _whole(text[at:])
            if size is None:
                if not last:
                    break
                size = len(text) - at
            found.append(text[at : at + size])
            at += size
        self._given = text[:at]
        # An indented line by itself would be code.
        return [phrase.strip() for phrase in found if phrase.strip()]


def _whole(text: str) -> int | None:
    """The length of the first piece of a text that is whole; None if it may go on."""
    blank = len(text) - len(text.lstrip("\n"))
    line, newline, _ = text[blank:].partition("\n")
    fence = _FENCE.match(line)
    if fence is not None:
        return _fenced(text, blank, fence[1])
    if not newline and _MAYBE_FENCE.fullmatch(line):
        return None
    if "|" in line:
        return _table(text, blank)
    end = _sentence(line)
    if end is not None:
        return blank + end
    return blank + len(line) + 1 if newline else None


def _fenced(text: str, start: int, mark: str) -> int | None:
    """The length of a text up to the line that ends its block of code."""
    at = start
    for number, line in enumerate(text[start:].splitlines(keepends=True)):
        at += len(line)
        closing = line.strip(" \t>\n")
        if number and line.endswith("\n") and len(closing) >= len(mark) and set(closing) == {mark[0]}:
            return at
    return None


def _table(text: str, start: int) -> int | None:
    """The length of a text up to the first line that is no row of its table."""
    at = start
    for line in text[start:].splitlines(keepends=True):
        if "|" not in line and line.endswith("\n"):
            return at
        at += len(line)
    return None


def _sentence(line: str) -> int | None:
    """Where the first sentence of a line ends, with the space behind it."""
    ends: set[int] | None = None
    line = line[:_LOOKED_AT]
    for match in islice(_END.finditer(line), _ENDS_MOST):
        head = line[: match.end()]
        if match[1].islower() and not head.rstrip("'\"»”’)]*_`|").endswith(("!", "?")):
            continue
        if _short(head) or _NUMBERED.fullmatch(head) or not _closed(head):
            continue
        if ends is None:
            ends = _sentence_ends(line)
        space = len(line) - len(line[match.end() :].lstrip())
        if space in ends:
            return space
    return None


def _sentence_ends(line: str) -> set[int]:
    """Where sentences end, by the rules of the line's language."""
    at, ends = 0, set()
    for sentence in segment(language_of(line), line):
        at += len(sentence)
        # It may count the marks behind a full stop to the next sentence.
        ends.update({at, at + len(line[at:]) - len(line[at:].lstrip("'\"»”’)]*_`| "))})
    return ends


def _short(head: str) -> bool:
    head = f" {head}".casefold()
    return head.endswith(_SHORT) or _INITIAL.search(head) is not None


def _closed(head: str) -> bool:
    """Whether nothing is open that was marked: bold, a spoiler, code, a link's text."""
    pairs = all(head.count(mark) % 2 == 0 for mark in ("**", "||", "`", "~~"))
    return pairs and head.count("[") <= head.count("]")
