"""How an answer became another, word by word. Pure."""

from __future__ import annotations

import re
from typing import Final, Literal, NamedTuple

from rapidfuzz.distance import Indel

WORDS_MOST: Final = 4_000
"""Words of either text that are compared; beyond it, all of the old gives way to all of the new."""
ISLAND_MOST: Final = 3
"""Letters of what stayed between two changes, up to which it is read better as changed too."""
_MARKS: Final = r"!-/:-@\[-`{-~¡-¿‐-‧‰-⁞、-〿！-／：-＠"
_LETTERS: Final = r"぀-ヿ㐀-䶿一-鿿"
"""Of Chinese and Japanese, which have no spaces: each is taken for a word."""
_TOKEN: Final = re.compile(rf"[{_LETTERS}]|[^\s{_MARKS}{_LETTERS}]+(?:['’.,:-][^\s{_MARKS}{_LETTERS}]+)*|[{_MARKS}]")


class Piece(NamedTuple):
    """A stretch of words that stayed, went or came, with the spaces after them."""

    kind: Literal["same", "gone", "new"]
    text: str


def word_changes(before: str, after: str) -> list[Piece]:
    """What stayed, went and came, in order.

    Spaces alone make no difference; where words stayed, the spaces are those of `after`.
    """
    old, new = _tokens(before), _tokens(after)
    if max(len(old), len(new)) > WORDS_MOST and before != after:
        return [Piece("gone", before), Piece("new", after)]
    pieces: list[Piece] = []
    gone = come = ""
    steps = list(Indel.opcodes([token.strip() for token in old], [token.strip() for token in new]))
    for step in steps:
        went = "".join(old[step.src_start : step.src_end])
        came = "".join(new[step.dest_start : step.dest_end])
        between = (gone or come) and step is not steps[-1]
        if step.tag == "equal" and not (between and len(came.strip()) <= ISLAND_MOST):
            _add(pieces, gone, come, came)
            gone = come = ""
        else:
            gone, come = gone + went, come + came
    _add(pieces, gone, come, "")
    return pieces


def _add(pieces: list[Piece], gone: str, come: str, same: str) -> None:
    """Add a change and what stayed after it; spaces at the end of both halves of the change stayed too."""
    if gone[-1:].isspace() and come[-1:].isspace():
        bare = come.rstrip()
        gone, come, same = gone.rstrip(), bare, come[len(bare) :] + same
    found = [Piece("gone", gone), Piece("new", come), Piece("same", same)]
    pieces += [piece for piece in found if piece.text]


def _tokens(text: str) -> list[str]:
    """Words and marks, each with what follows it up to the next one; spaces in front belong to the first."""
    starts = [found.start() for found in _TOKEN.finditer(text)]
    if not starts:
        return [text] if text else []
    starts[0] = 0
    return [text[start:end] for start, end in zip(starts, [*starts[1:], len(text)], strict=True)]
