"""Prose cut into passages that a person would quote: whole paragraphs, whole sentences, code left together. Pure."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from trainer.importers.examples import MAX_PASSAGE, MAX_TITLE, clean

if TYPE_CHECKING:
    from collections.abc import Iterator

SHORT: Final = 200
"""Characters below which a passage is joined to its neighbour of the same section where the two fit together."""
TARGET: Final = 1_200
"""Characters up to which paragraphs are put together."""
_PARAGRAPH_BUFFER = 8_000
"""Characters of a paragraph after which what is there already is cut, so that no paragraph fills the memory."""

HEADING: Final = re.compile(r" {0,3}(#{1,6})[ \t]+(.*\S)")
RULE: Final = re.compile(r" {0,3}(?:(?:-[ \t]*){3,}|(?:\*[ \t]*){3,}|(?:_[ \t]*){3,})$")
FENCE: Final = re.compile(r"[ \t]*(`{3,}|~{3,})")
_UNDERLINE = re.compile(r" {0,3}(={3,}|-{3,})[ \t]*$")
_EMPHASIS = re.compile(r"\*\*|`")
_SENTENCE_END = re.compile(
    r"""(?<![.!?…])[.!?…]++["»”’')\]*_]*+(?=\s++["«“‘'(\[*_-]*+[^\W_a-zа-яё])"""  # before a capital or a digit
    r"|[。！？]++"
    r"|\n(?=\s*(?:[-*+•]|\d+[.)])\s)"  # before an item of a list
)
_WORD = re.compile(r"\w")


class Passage(NamedTuple):
    """A passage of at most `MAX_PASSAGE` characters."""

    title: str
    """The headings above it, the outermost first; empty if there is none."""
    text: str
    line: int
    """The line on which it begins."""


class PassageCutter:
    """Takes lines, gives passages as soon as they are complete."""

    def __init__(self, title: str = "") -> None:
        self._titles: dict[int, str] = {0: clean(title)[:MAX_TITLE]} if title else {}
        self._block: list[str] = []
        self._block_size = 0
        self._block_line = 0
        self._fence = ""
        self._text = ""
        self._text_line = 0
        self._held: Passage | None = None

    def feed(self, number: int, line: str) -> Iterator[Passage]:
        """Take the line of that number, without its end."""
        if self._fence:
            yield from self._in_fence(number, line)
            return
        if fence := FENCE.match(line):
            yield from self._end_block()
            self._fence = fence[1]
            self._append(number, line)
            return
        if not line.strip():
            yield from self._end_block()
            return
        underline = _UNDERLINE.match(line)
        if underline and len(self._block) == 1 and self._block_size <= MAX_TITLE:
            title = self._block[0]
            self._drop_block()
            yield from self._head(1 if underline[1][0] == "=" else 2, title)
        elif heading := HEADING.match(line):
            yield from self._end_block()
            yield from self._head(len(heading[1]), heading[2])
        elif RULE.match(line):
            yield from self._end_block()
        else:
            self._append(number, line)
            if self._block_size > _PARAGRAPH_BUFFER:
                yield from self._drain()

    def finish(self) -> Iterator[Passage]:
        """What is left after the last line; the next line begins a new section without a heading."""
        yield from self._end_section()
        self._titles.clear()

    def _append(self, number: int, line: str) -> None:
        if not self._block:
            self._block_line = number
        self._block.append(line.rstrip())
        self._block_size += len(line) + 1

    def _drop_block(self) -> None:
        self._block, self._block_size, self._fence = [], 0, ""

    def _in_fence(self, number: int, line: str) -> Iterator[Passage]:
        if self._block_size + len(line) > MAX_PASSAGE:
            # Longer than any passage may be: cut between lines.
            yield from self._add(clean("\n".join(self._block)), self._block_line)
            self._block, self._block_size = [], 0
        self._append(number, line)
        if line.strip().startswith(self._fence) and not line.strip().strip(self._fence[0]):
            yield from self._end_block()

    def _end_block(self) -> Iterator[Passage]:
        text, line = clean("\n".join(self._block)), self._block_line
        limit = MAX_PASSAGE if self._fence else TARGET
        self._drop_block()
        for piece in [text] if len(text) <= limit else split_sentences(text, TARGET):
            yield from self._add(piece, line)

    def _drain(self) -> Iterator[Passage]:
        """Give what can be given of a paragraph that does not end."""
        *complete, rest = split_sentences(clean("\n".join(self._block)), TARGET)
        for piece in complete:
            yield from self._add(piece, self._block_line)
        self._drop_block()
        self._append(self._block_line, rest)

    def _add(self, text: str, line: int) -> Iterator[Passage]:
        """Put a block to the passage at hand, or begin the next one with it."""
        if not _WORD.search(text):
            return
        joined = f"{self._text}\n\n{text}" if self._text else text
        fits = len(joined) <= TARGET or (len(self._text) < SHORT and len(joined) <= MAX_PASSAGE)
        if self._text and not fits:
            yield from self._end_passage()
            joined = text
        if not self._text:
            self._text_line = line
        self._text = joined

    def _end_passage(self) -> Iterator[Passage]:
        if self._text:
            if self._held:
                yield self._held
            title = " › ".join(self._titles[level] for level in sorted(self._titles))[-MAX_TITLE:]
            self._held = Passage(title, self._text, self._text_line)
            self._text = ""

    def _end_section(self) -> Iterator[Passage]:
        yield from self._end_block()
        held = self._held
        if held and len(self._text) < SHORT and len(held.text) + 2 + len(self._text) <= MAX_PASSAGE:
            self._held = held._replace(text=f"{held.text}\n\n{self._text}".strip())
            self._text = ""
        yield from self._end_passage()
        if self._held:
            yield self._held
            self._held = None

    def _head(self, level: int, title: str) -> Iterator[Passage]:
        yield from self._end_section()
        for deeper in [known for known in self._titles if known >= level]:
            del self._titles[deeper]
        title = _EMPHASIS.sub("", clean(title.rstrip("# \t")))[:MAX_TITLE].strip()
        if title:
            self._titles[level] = title


def passages(text: str, *, title: str = "") -> Iterator[Passage]:
    """The passages of a whole text."""
    cutter = PassageCutter(title)
    for number, line in enumerate(text.split("\n"), start=1):
        yield from cutter.feed(number, line)
    yield from cutter.finish()


def split_sentences(text: str, size: int) -> list[str]:
    """Pieces of about equal length around `size` characters, of whole sentences where these are shorter.

    No piece is longer than `MAX_PASSAGE`. Always at least one piece.
    """
    ends = [found.end() for found in _SENTENCE_END.finditer(text)]
    sentences = [text[start:end] for start, end in zip([0, *ends], [*ends, len(text)], strict=True)]
    even = math.ceil(len(text) / math.ceil(max(len(text), 1) / size))
    pieces = [""]
    for sentence in (part for whole in sentences for part in _split_words(whole)):
        # Closer to the even size with the sentence than without it: it still belongs here.
        fits = len(pieces[-1]) + len(sentence) / 2 <= even and len(pieces[-1]) + len(sentence) <= MAX_PASSAGE
        if pieces[-1] and not fits:
            pieces.append("")
        pieces[-1] += sentence
    return [piece.strip() for piece in pieces]


def _split_words(sentence: str) -> Iterator[str]:
    """The sentence, in pieces if it is longer than any passage may be: between words where there are any."""
    start = 0
    while len(sentence) - start > MAX_PASSAGE:
        space = max(sentence.rfind(mark, start + MAX_PASSAGE // 2, start + MAX_PASSAGE) for mark in (" ", "\n"))
        end = space + 1 if space >= 0 else start + MAX_PASSAGE
        yield sentence[start:end]
        start = end
    yield sentence[start:]
