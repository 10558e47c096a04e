"""How one text became another, in Discord's markdown: what went is struck out, what came is bold. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from interactions.wording import plain
from trainer.evaluation.report.safe_text import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from trainer.evaluation.report.word_diff import Piece

MARKS: Final[Mapping[str, str]] = {"same": "", "gone": "~~", "new": "**"}
AROUND: Final = 24
"""Characters of what stayed that are shown on each side of a change."""


def marked(pieces: Iterable[Piece], most: int) -> str:
    """A word diff on one line: what is near the changes, and at most about so many characters of it."""
    shown: list[str] = []
    left = most
    listed = list(pieces)
    for place, piece in enumerate(listed):
        text = " ".join(visible(piece.text).split())
        before, after = piece.text[:1].isspace(), piece.text[-1:].isspace()
        if piece.kind == "same":
            text = _near(text, first=place == 0, last=place == len(listed) - 1)
        if len(text) > left:
            text, left = text[:left].rstrip() + "…", 0
        left -= len(text)
        if text:
            mark = MARKS[piece.kind]
            shown.append(f"{' ' if before else ''}{mark}{plain(text)}{mark}{' ' if after else ''}")
        if left <= 0:
            break
        if piece.kind == "gone" and not after and listed[place + 1 : place + 2]:
            # Marks that touch are read as one.
            shown.append(" ")
    return " ".join("".join(shown).split())


def _near(text: str, *, first: bool, last: bool) -> str:
    """Of what stayed, the whole words that are near a change: before it, after it, or both."""
    head, tail = "" if first else text[:AROUND], "" if last else text[-AROUND:]
    # Where there are no spaces, between letters.
    head, tail = head.rpartition(" ")[0] or head, tail.partition(" ")[2] or tail
    if len(text) <= len(head) + len(tail) + AROUND:
        return text
    return " ".join(part for part in (head, "…", tail) if part)
