"""What changed from one answer to another."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.evaluation.report.word_diff import WORDS_MOST, Piece, word_changes


def marked(before: str, after: str) -> str:
    signs = {"same": "", "gone": "-", "new": "+"}
    return "".join(
        f"[{signs[piece.kind]}{piece.text}]" if signs[piece.kind] else piece.text
        for piece in word_changes(before, after)
    )


@pytest.mark.parametrize(
    ("before", "after", "wanted"),
    [
        ("", "", ""),
        ("", "All of it.", "[+All of it.]"),
        ("All of it.", "", "[-All of it.]"),
        ("Ask the owner today.", "Ask the moderator today.", "Ask the [-owner][+moderator] today."),
        ("Read the rules", "Read the rules first", "Read the rules [+first]"),
        ("Costs 5.50 euros", "Costs 7.50 euros", "Costs [-5.50][+7.50] euros"),
        ("Yes, it is", "Yes; it is", "Yes[-,][+;] it is"),
        ("red one blue", "green one black", "[-red one blue][+green one black]"),
        ("спросите модератора", "спросите владельца", "спросите [-модератора][+владельца]"),
        ("我喜欢绿色茶叶", "我喜欢绿色咖啡", "我喜欢绿色[-茶叶][+咖啡]"),
        ("two  spaces", "two spaces", "two spaces"),
        ("हिन्दी में", "हिन्दी है", "हिन्दी [-में][+है]"),
    ],
)
def test_words_that_changed_are_marked(before: str, after: str, wanted: str) -> None:
    assert marked(before, after) == wanted


def test_endless_texts_are_not_compared_word_by_word() -> None:
    before, after = "a " * (WORDS_MOST + 1), "b " * 3
    assert word_changes(before, after) == [Piece("gone", before), Piece("new", after)]
    assert [piece.kind for piece in word_changes(before, before)] == ["same"]


texts = st.text(st.sampled_from("ab ,.\n茶é\u202e1"), max_size=30)


@given(texts, texts)
def test_both_texts_can_be_read_out_of_it(before: str, after: str) -> None:
    pieces = word_changes(before, after)
    assert "".join(piece.text for piece in pieces if piece.kind != "gone") == after
    was = "".join(piece.text for piece in pieces if piece.kind != "new")
    assert "".join(was.split()) == "".join(before.split())
    assert all(piece.text for piece in pieces)
