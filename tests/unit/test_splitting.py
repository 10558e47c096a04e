from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from interactions.splitting import Arranged, arrange, split, units

if TYPE_CHECKING:
    from collections.abc import Sequence

FAMILY = "👨\u200d👩\u200d👧"
FLAGS = "🇷🇺🇩🇪🇫🇷"

words = st.text(alphabet="abcdeёж。.!?é\u0301👍", min_size=1, max_size=40)
lines = st.lists(words, min_size=1, max_size=12).map(" ".join)
paragraphs = st.lists(lines, min_size=1, max_size=6).map("\n".join)
code = st.lists(st.text(alphabet="xyz =()\t", max_size=60), max_size=30).map("\n".join)
fences = st.builds(
    lambda quote, language, body: "\n".join(quote + line for line in [f"```{language}", *body.split("\n"), "```"]),
    st.sampled_from(["", "> ", "  "]),
    st.sampled_from(["", "py", "c++"]),
    code,
)
documents = st.lists(paragraphs | fences, max_size=8).map("\n\n".join)


def bare(text: str) -> str:
    """What people read: everything but white space, fences with their languages, and quote marks."""
    pieces = re.split(r"```", text)
    inside = [re.sub(r"\A[A-Za-z0-9_+.#-]{1,20}\n", "", piece) for piece in pieces[1::2]]
    pieces[1::2] = inside
    return re.sub(r"[\s>]", "", "".join(pieces))


def check(text: str, parts: Sequence[str], limit: int) -> None:
    assert all(units(part) <= limit for part in parts)
    assert all(part.strip() for part in parts)
    assert "".join(map(bare, parts)) == bare(text)
    for part in parts:
        assert part.count("```") % 2 == 0


@given(documents, st.integers(100, 400))
@example("```py\n" + "x" * 95 + "\n```", 100)
@example("```py\n" + "\n" * 300 + "```", 100)
@example("a" * 96 + "\n```py\n\n```", 100)
@example("> " * 20 + "```py\n" + "👍" * 90 + "```", 100)
def test_parts_fit_and_nothing_is_lost(text: str, limit: int) -> None:
    check(text, split(text, limit=limit), limit)


@given(st.text(alphabet=st.sampled_from("ab \n\r\t`>.\u0301👍🇷\u200d\ud83d"), max_size=1500), st.integers(100, 120))
@example("`" * 1000, 100)
@example(" " * 99 + "```" + "b" * 200, 100)
def test_any_text_at_all_fits(text: str, limit: int) -> None:
    parts = split(text, limit=limit)
    assert all(part.strip() and units(part) <= limit for part in parts)
    if "`" not in text:
        assert re.sub(r"\s", "", "".join(parts)) == re.sub(r"\s", "", text)


def test_lengths_are_utf_16_code_units() -> None:
    assert units("aя。") == 3
    assert units("👍") == 2
    assert [units(part) for part in split("👍" * 1500)] == [2000, 1000]


@pytest.mark.parametrize("text", ["", " ", "\n\n\t \r\n"])
def test_a_blank_text_has_no_parts(text: str) -> None:
    assert split(text) == []
    assert arrange(text) == Arranged([], None)


def test_a_text_that_fits_stays_as_it_is() -> None:
    text = "a\n\n- b\n  - c\n\n```py\nx\n```"
    assert split(text) == [text]
    assert split("x" * 2000) == ["x" * 2000]


def test_a_limit_without_room_is_refused() -> None:
    with pytest.raises(ValueError, match="99"):
        split("x", limit=99)


def test_prefers_paragraphs_then_lines_then_sentences_then_words() -> None:
    first, second = "One. " * 12 + "end\nof it", "b " * 30
    assert split(f"{first}\n\n{second}", limit=100)[0] == first
    assert split(f"{'a' * 60}\n{'b' * 30} c\n{'d' * 30}", limit=100)[0] == f"{'a' * 60}\n{'b' * 30} c"
    assert split(f"{'a' * 60} end. {'b' * 20} c {'d' * 30}", limit=100)[0] == f"{'a' * 60} end."
    assert split(f"{'я' * 60}。{'б' * 60}", limit=100)[0] == f"{'я' * 60}。"
    assert split(f"{'a' * 60} {'b' * 60}", limit=100) == ["a" * 60, "b" * 60]
    assert split(f"see https://example.com/{'a' * 79}", limit=100) == ["see", f"https://example.com/{'a' * 79}"]
    assert split("a" * 250, limit=100) == ["a" * 100, "a" * 100, "a" * 50]


def test_an_early_paragraph_does_not_leave_a_message_nearly_empty() -> None:
    text = f"Hi.\n\n{'word ' * 30}"
    assert len(split(text, limit=100)[0]) > 80


def test_lists_are_cut_between_items() -> None:
    items = [f"- item {number} {'x' * 20}" for number in range(10)]
    parts = split("\n".join(items), limit=100)
    assert "\n".join(parts).split("\n") == items


@pytest.mark.parametrize("character", [FAMILY, FLAGS[:2], "e\u0301\u0301", "👍🏽", "❤\ufe0f", "\u1112\u1161\u11ab"])
def test_a_word_too_long_is_cut_between_visible_characters(character: str) -> None:
    parts = split(f"a{character * 100}", limit=101)
    assert len(parts) > 1
    for part in parts:
        assert len(part.removeprefix("a")) % len(character) == 0


def test_a_character_longer_than_a_message_is_cut_all_the_same() -> None:
    parts = split("e" + "\u0301" * 300, limit=100)
    assert "".join(parts) == "e" + "\u0301" * 300


def test_a_cut_code_block_is_closed_and_opened_again_with_its_language() -> None:
    rows = [f"value_{number} = {number}" for number in range(30)]
    text = "\n".join(["Before:", "```c++", *rows, "```", "After."])
    parts = split(text, limit=200)
    assert len(parts) > 2
    assert all(part.startswith("```c++\n") for part in parts[1:])
    assert all(part.endswith("\n```") for part in parts[:-1])
    assert parts[-1].endswith("\n```\nAfter.")
    assert [line for part in parts for line in part.splitlines() if line.startswith("value")] == rows


def test_indentation_inside_a_cut_code_block_stays() -> None:
    rows = [f"    if deep:\n\n        call({number})" for number in range(20)]
    parts = split("\n".join(["```py", *rows, "```"]), limit=200)
    body = "\n".join(part.removeprefix("```py\n").removesuffix("\n```") for part in parts)
    assert body == "\n".join(rows)


def test_a_code_block_in_a_quote_stays_in_it() -> None:
    rows = [f"> row {number}" for number in range(30)]
    parts = split("\n".join(["> ```py", *rows, "> ```"]), limit=200)
    assert len(parts) > 1
    assert all(part.startswith("> ```py\n") and part.endswith("\n> ```") for part in parts)


def test_a_code_block_that_fits_into_one_message_is_not_cut() -> None:
    block = "```py\n" + "x = 1\n" * 12 + "```"
    assert split(f"{'Some words. ' * 4}\n{block}\nAfter.", limit=100)[1] == f"{block}\nAfter."


@pytest.mark.parametrize("quote", ["", "> "])
def test_no_part_has_an_empty_code_block(quote: str) -> None:
    for rows in range(10, 80):
        # Words right behind the closing backticks: there is no line to cut at after the block.
        text = f"\n{quote}".join([f"{quote}```py", *["ab"] * rows, "```" + " c" * 60])
        parts = split(text, limit=100)
        assert not any(re.search(r"```(py)?[\s>]*```", part) for part in parts)
        check(text, parts, 100)


def test_a_code_block_left_open_is_closed() -> None:
    assert split("Look:\n```py\nx = 1") == ["Look:\n```py\nx = 1\n```"]
    assert split("> ```\n> x") == ["> ```\n> x\n> ```"]
    assert split("three ``` open a block") == ["three ``` open a block"]
    assert split("```a``` and ``` alone") == ["```a``` and ``` alone"]


def test_backticks_in_a_line_are_a_block_too() -> None:
    text = f"{'a' * 50} ```{'b ' * 60}``` c"
    parts = split(text, limit=100)
    check(text, parts, 100)


def test_a_text_of_some_messages_is_sent_as_messages() -> None:
    text = "\n\n".join("word " * 300 for _ in range(3))
    arranged = arrange(text)
    assert arranged.file is None
    assert arranged.messages == split(text)
    assert len(arranged.messages) == 3


def test_a_longer_text_is_sent_as_its_beginning_and_a_file() -> None:
    paragraph = "word " * 130 + "end."
    text = "\n\n".join(paragraph for _ in range(20))
    arranged = arrange(text)
    assert arranged == Arranged([f"{paragraph}\n\n{paragraph} …"], text)
    assert arrange(text, most=20).file is None


def test_the_beginning_closes_its_code_block() -> None:
    text = "```py\n" + "x = 1\n" * 3000 + "```"
    (beginning,) = arrange(text, head=200).messages
    assert beginning.endswith("\n```\n…")
    assert units(beginning) <= 200


@given(documents, st.integers(1, 3), st.integers(102, 300))
def test_arranged_messages_fit(text: str, most: int, limit: int) -> None:
    arranged = arrange(text, limit=limit, most=most)
    assert len(arranged.messages) <= most
    assert all(units(message) <= limit for message in arranged.messages)
    assert (arranged.file is None) == (len(split(text, limit=limit)) <= most)
    assert arranged.file in (None, text)
