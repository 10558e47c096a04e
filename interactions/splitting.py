"""Long replies, cut into what Discord takes as messages. Pure.

Discord refuses a message of more than 2000 characters. Its documentation does not say what a character is there, so
lengths here are UTF-16 code units, the largest of the plausible counts: a part that fits by this count fits by any.

Markdown of a code block as Discord reads it: three backticks anywhere open one, the next three close it, and a word
between the opening and the end of its line names the language.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

LIMIT: Final = 2000
"""Characters of a message's content."""

_SMALLEST_LIMIT: Final = 100
"""Below this a part could be all code fence and no text."""

_LONGEST_PREFIX: Final = 12
"""Characters of quote marks and indentation before a fence that are repeated when it is opened again."""

_TICKS: Final = "```"
_OPENING = re.compile(r"```(?:(?P<language>[A-Za-z0-9_+.#-]{1,20})?\n)?")
_BLANK = re.compile(r"\s*+")
_BLANK_QUOTE = re.compile(r"[\s>]*+")
_PARAGRAPH = re.compile(r"()\n[ \t]*\n")
_LINE = re.compile(r"()\n")
_SENTENCE = re.compile(r"((?:(?<![.!?…])[.!?…]++[\"'»”’)\]*_]*+(?=\s))|(?:[。！？]++[」』”]*+))")
_WORD = re.compile(r"()\s")


class _Kind(NamedTuple):
    """One kind of place to cut at: where group 1 of the pattern ends."""

    pattern: re.Pattern[str]
    in_code: bool
    least: float
    """How full the part must at least be, from 0 to 1, for such a place to be taken."""


_PREFERENCES: Final = (
    _Kind(_PARAGRAPH, in_code=False, least=0.5),
    _Kind(_LINE, in_code=False, least=0.3),
    _Kind(_PARAGRAPH, in_code=True, least=0.5),
    _Kind(_LINE, in_code=True, least=0.3),
    _Kind(_SENTENCE, in_code=False, least=0.5),
    _Kind(_WORD, in_code=False, least=0.3),
    _Kind(_WORD, in_code=True, least=0.3),
    _Kind(_LINE, in_code=False, least=0),
    _Kind(_LINE, in_code=True, least=0),
    _Kind(_WORD, in_code=False, least=0),
    _Kind(_WORD, in_code=True, least=0),
)


class Arranged(NamedTuple):
    """How a reply is sent."""

    messages: list[str]
    file: str | None
    """The whole text, when it is too long for messages; the one message is then its beginning."""


def units(text: str) -> int:
    """The length of the text in UTF-16 code units."""
    return len(text) + sum(map("\uffff".__lt__, text))


def split(text: str, *, limit: int = LIMIT) -> list[str]:
    """The text as messages of at most `limit` UTF-16 code units.

    Cut at paragraphs, else at lines, sentences, words, and within a word only where it is longer than a message. A
    code block that is cut is closed and opened again with its language; one that the text leaves open is closed.
    White space at a cut outside code is dropped (Discord trims messages); inside code only the line break at the
    cut is. No part is blank; a blank text has no parts.

    Raises:
        ValueError: `limit` is below 100.
    """
    return list(_parts(text, limit))


def arrange(text: str, *, limit: int = LIMIT, most: int = 3, head: int = 1500) -> Arranged:
    """The text as up to `most` messages; past that, its beginning as one message and the whole as a file.

    `head` limits that beginning, in UTF-16 code units; it ends with an ellipsis.
    """
    parts = list(islice(_parts(text, limit), most + 1))
    if len(parts) <= most:
        return Arranged(parts, None)
    beginning = next(_parts(text, min(head, limit) - 2))
    gap = "\n" if beginning.endswith(_TICKS) else " "
    return Arranged([f"{beginning}{gap}…"], text)


class _Fence(NamedTuple):
    """A code block: positions of its opening, its body and its closing in the text."""

    start: int
    body: int
    body_end: int
    end: int
    opening: str
    """What opens it again in the next part."""
    closing: str
    """What closes it at a cut, without the line break before."""


def _fences(text: str) -> list[_Fence]:
    found: list[_Fence] = []
    at = 0
    while (match := _OPENING.search(text, at)) and (close := text.find(_TICKS, match.end())) >= 0:
        prefix = _prefix(text, match.start()) or ""
        at = close + len(_TICKS)
        language = match["language"] or ""
        found.append(
            _Fence(match.start(), match.end(), close, at, f"{prefix}{_TICKS}{language}\n", f"{prefix}{_TICKS}")
        )
    return found


def _prefix(text: str, at: int) -> str | None:
    """The quote marks and indentation before a fence, or None if it is not the first thing on its line."""
    near = text[max(0, at - _LONGEST_PREFIX - 1) : at]
    lead = near.rpartition("\n")[2]
    if lead.strip("> \t") or len(lead) > _LONGEST_PREFIX:
        return None
    return lead


def closed(text: str) -> str:
    """The text with a code block that it leaves open closed, unless the backticks stand within a line."""
    fences = _fences(text)
    last = text.find(_TICKS, fences[-1].end if fences else 0)
    if last < 0 or (prefix := _prefix(text, last)) is None:
        return text
    return f"{text}\n{prefix}{_TICKS}"


def _parts(text: str, limit: int) -> Iterator[str]:
    if limit < _SMALLEST_LIMIT:
        raise ValueError(f"a message of less than {_SMALLEST_LIMIT} characters cannot be made: {limit}")
    text = closed(text.replace("\r\n", "\n").strip())
    cutter = _Cutter(text)
    at = 0
    reopened: _Fence | None = None
    while at < len(text):
        opening = reopened.opening if reopened else ""
        room = limit - len(opening)
        if len(text) - at <= room and units(text[at:]) <= room:
            yield opening + text[at:]
            return
        cut = cutter.cut(at, room)
        fence = cutter.block_at(cut)
        if fence is None:
            yield opening + text[at:cut].rstrip()
            at = _skip_blank(text, cut)
            reopened = None
            continue
        code = text[at:cut]
        gap = "" if code.endswith("\n") else "\n"
        yield f"{opening}{code}{gap}{fence.closing}"
        at = cut + (text[cut] == "\n")
        reopened = fence
        rest = _BLANK_QUOTE if ">" in fence.closing else _BLANK
        if rest.fullmatch(text, at, fence.body_end):
            # Nothing of the block is left: what closed this part was its end.
            at = _skip_blank(text, fence.end)
            reopened = None


def _skip_blank(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    return match.end() if match else at


class _Cutter:
    """Finds places to cut one text at."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._fences = _fences(text)
        self._starts = [fence.start for fence in self._fences]

    def fence_over(self, at: int) -> _Fence | None:
        """The code block that a cut at `at` goes through: its opening, body or closing."""
        index = bisect_left(self._starts, at) - 1
        if index >= 0 and at < self._fences[index].end:
            return self._fences[index]
        return None

    def block_at(self, at: int) -> _Fence | None:
        """The code block that has some of its body before `at` and is not over there."""
        fence = self.fence_over(at)
        return fence if fence and fence.body < at <= fence.body_end else None

    def cut(self, start: int, room: int) -> int:
        """The best place to end a part that begins at `start` and has `room` code units; greater than `start`."""
        end = self._reach(start, room)
        for kind in _PREFERENCES:
            place = self._before_block(start, end, room) if kind is _PREFERENCES[0] else None
            place = place or self._best(kind, start, end, room)
            if place is not None:
                return place
        return self._hard(start, end, room)

    def _reach(self, start: int, room: int) -> int:
        """How far `room` code units go."""
        chunk = self._text[start : start + room]
        while (over := units(chunk) - room) > 0:
            chunk = chunk[: -max(1, over // 2)]
        return start + len(chunk)

    def _before_block(self, start: int, end: int, room: int) -> int | None:
        """The line break before a code block that `end` cuts though it fits into the next part as a whole."""
        fence = self.fence_over(end)
        if fence is None or fence.start <= start or units(self._text[fence.start : fence.end]) > room:
            return None
        line = self._text.rfind("\n", start, fence.start)
        return line if line - start >= 0.2 * (end - start) and self.fence_over(line) is None else None

    def _best(self, kind: _Kind, start: int, end: int, room: int) -> int | None:
        least = start + max(1, int(kind.least * (end - start)))
        # Two characters past the end show whether a line or paragraph ends exactly there.
        found = [match.end(1) for match in kind.pattern.finditer(self._text, start, end + 2)]
        for place in reversed(found):
            if place < least:
                break
            if place <= end and self._fits(place, start, room, in_code=kind.in_code):
                return place
        return None

    def _fits(self, place: int, start: int, room: int, *, in_code: bool) -> bool:
        fence = self.fence_over(place)
        if fence is None:
            return not in_code
        if not in_code or not fence.body < place <= fence.body_end:
            return False
        return units(self._text[start:place]) + 1 + len(fence.closing) <= room

    def _hard(self, start: int, end: int, room: int) -> int:
        """A cut where nothing else serves: between characters as people see them, if there is such a place."""
        fence = self.fence_over(end)
        if fence is None:
            return self._between_characters(start, end)
        inside = min(self._reach(start, room - 1 - len(fence.closing)), fence.body_end)
        if inside > max(start, fence.body):
            return self._between_characters(max(start, fence.body), inside)
        return fence.start

    def _between_characters(self, start: int, end: int) -> int:
        for place in range(end, max(start, end - 64), -1):
            if not _joined(self._text, place, start):
                return place
        return end


def _joined(text: str, at: int, start: int) -> bool:
    """Whether the code points around `at` make one visible character (the common cases of Unicode's UAX #29).

    A visible character begins at `start`.
    """
    before, after = text[at - 1], text[at]
    if before == "\u200d" or after in "\u200c\u200d" or unicodedata.category(after) in ("Mn", "Mc", "Me"):
        return True
    if "\U0001f3fb" <= after <= "\U0001f3ff" or "\U000e0020" <= after <= "\U000e007f":  # skin tones, flag tags
        return True
    if "\u1160" <= after <= "\u11ff":  # Korean vowels and final consonants, when written apart
        return True
    if _is_regional(before) and _is_regional(after):  # a flag is two letters: cut only after a whole pair
        run = at
        while run > start and _is_regional(text[run - 1]):
            run -= 1
        return (at - run) % 2 == 1
    return False


def _is_regional(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"
