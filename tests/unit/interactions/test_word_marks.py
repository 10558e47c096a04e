"""A word diff in Discord's markdown."""

from __future__ import annotations

import pytest

from interactions.word_marks import AROUND, marked
from trainer.evaluation.report.word_diff import Piece, word_changes


@pytest.mark.parametrize(
    ("before", "after", "shown"),
    [
        ("Press M.", "Press N.", "Press ~~M~~ **N**."),
        ("Press M now.", "Press now.", "Press ~~M~~ now."),
        ("Press now.", "Press M now.", "Press **M** now."),
        ("a*b", "c_d~", "~~a\\*b~~ **c\\_d\\~**"),
        ("one", "<@1> @everyone", "~~one~~ **\\<\\@1\\> \\@everyone**"),
        ("two\nlines", "three\n\nlines", "~~two~~ **three** lines"),
        ("abc", "a\u202ebc", "~~abc~~ **a\\[U+202E\\]bc**"),
    ],
)
def test_what_went_is_struck_out_and_what_came_is_bold(before: str, after: str, shown: str) -> None:
    assert marked(word_changes(before, after), 200) == shown


def test_what_stayed_is_shown_near_changes_only() -> None:
    stayed = " ".join(f"word{n}" for n in range(40))
    shown = marked(word_changes(f"{stayed} old {stayed} old {stayed}", f"{stayed} new {stayed} new {stayed}"), 300)
    assert shown == (
        "… word37 word38 word39 ~~old~~ **new** word0 word1 word2 word3 … word37 word38 word39 ~~old~~ **new** "
        "word0 word1 word2 word3 …"
    )


def test_text_without_spaces_is_cut_between_letters() -> None:
    pieces = [Piece("same", "字" * 100), Piece("new", "新")]
    assert marked(pieces, 200) == f"… {'字' * AROUND}**新**"


def test_long_changes_are_cut() -> None:
    shown = marked([Piece("gone", "a" * 500), Piece("new", "b" * 500)], 100)
    assert shown == f"~~{'a' * 100}…~~"
    assert marked([], 100) == ""
    assert marked([Piece("new", "  ")], 100) == ""
