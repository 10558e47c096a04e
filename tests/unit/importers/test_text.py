from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.importers.files import pairs, passages, places, read, rejections
from trainer.importers import RejectionReason, read_text

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "text",
    [
        "Q: Where is it? A: On the left.",
        "Q: Where is it?\nA: On the left.",
        "q: Where is it?\r\n\r\na: On the left.\r\n",
        "Q:Where is it?\nA:On the left.",
        "Q: Where is it? A:On the left.",
        "**Q:** Where is it?\n**A:** On the left.",
        "**Q**: Where is it?\n**A**: On the left.",
        "**Q: Where is it?**\nA: On the left.",
        "**Q:** Where is it? **A:** On the left.",
        "__Question:__ Where is it?\n_Answer:_ On the left.",
        "Q1: Where is it?\nA1: On the left.",
        "Question 1: Where is it?\nAnswer 1: On the left.",
        "### Question: Where is it?\n### Answer: On the left.",
        "1. Q: Where is it?\n   A: On the left.",
        "- Q: Where is it?\n- A: On the left.",
        "> Q: Where is it?\n> A: On the left.",
        "В: Where is it?\nО: On the left.",
        "В: Where is it? О: On the left.",
        "Вопрос № 1: Where is it?\nОтвет: On the left.",
        "ВОПРОС: Where is it? ОТВЕТ: On the left.",
        "User: Where is it?\nBot: On the left.",
        "User: Where is it? Assistant: On the left.",
        "Пользователь: Where is it?\nАссистент: On the left.",
        "### Human: Where is it?### Assistant: On the left.",
        "Prompt: Where is it?\nResponse: On the left.",
        "### Instruction:\nWhere is it?\n\n### Response:\nOn the left.",
        "Q: Where is it?\nОтвет: On the left.",
        "Q：Where is it?\nA：On the left.",
    ],
)
def test_one_pair_in_many_hands(text: str) -> None:
    items = list(read_text(text))
    assert pairs(items) == [("Where is it?", "On the left.")]
    assert places(items) == [("block", 1)]


def test_several_pairs_on_one_line() -> None:
    items = list(read_text("Q: Who? A: You. Q: When? A: Now! Q: Why? A: So"))
    assert pairs(items) == [("Who?", "You."), ("When?", "Now!"), ("Why?", "So")]
    assert places(items) == [("block", 1), ("block", 2), ("block", 3)]


def test_several_pairs_on_one_line_with_few_full_stops() -> None:
    items = list(read_text("Q: one A: two Q: three A: four. Q: five A: six. Q: seven? Q: eight A: nine"))
    assert pairs(items) == [("one", "two"), ("three", "four."), ("five", "six."), ("eight", "nine")]
    assert rejections(items) == [(4, RejectionReason.MISSING_ANSWER, "answer")]


def test_answers_go_over_lines_and_paragraphs() -> None:
    items = list(read_text("Q: How?\nReally how?\nA: First this.\n\n  * indented\n\nThen that.\nQ: More?\nA: No."))
    assert pairs(items) == [
        ("How?\nReally how?", "First this.\n\n  * indented\n\nThen that."),
        ("More?", "No."),
    ]


def test_a_question_may_end_and_be_answered_on_a_later_line() -> None:
    assert pairs(read_text("Q: Where\nis it? A: There. Q: And\nthis? A: Here")) == [
        ("Where\nis it?", "There."),
        ("And\nthis?", "Here"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Q: Is vitamin A: good? A: Yes", ("Is vitamin A: good?", "Yes")),
        ("Q: Where? A: Open A:\\tools first", ("Where?", "Open A:\\tools first")),
        ("Q: Where? A: Ask User: Bob. Bot: knows", ("Where?", "Ask User: Bob. Bot: knows")),
        ("Q: Where? A: The key is Q: rare", ("Where?", "The key is Q: rare")),
        ("Q: Where? A: See\nA: Second thought", ("Where?", "See\nSecond thought")),
        ("Q: Is it a:b or c? A: c", ("Is it a:b or c?", "c")),
        ("Q: *Really*? A: **Yes** and **no**", ("*Really*?", "**Yes** and **no**")),
        ("Q: What is a quote?\nA: > quoted\n> text", ("What is a quote?", "> quoted\n> text")),
    ],
)
def test_what_looks_like_a_label_and_is_none(text: str, expected: tuple[str, str]) -> None:
    assert pairs(read_text(text)) == [expected]


def test_labels_of_another_family_are_text() -> None:
    text = "Q: How?\nA: Write:\nUser: your name\nSupport: by mail\nQ: Who?\nA: You.\n\n"
    text += "# Talk\nBot: hello\nUser: hi\nBot: Oh."
    items = list(read_text(text))
    assert pairs(items) == [("How?", "Write:\nUser: your name\nSupport: by mail"), ("Who?", "You."), ("hi", "Oh.")]
    assert passages(items) == [("Talk", "Bot: hello")]


def test_nothing_is_a_label_inside_of_code() -> None:
    text = "Q: How?\nA: Like so:\n```\nQ: text\n# comment\n---\nA: text\n```\nDone.\nQ: And?\nA: That."
    assert pairs(read_text(text)) == [
        ("How?", "Like so:\n```\nQ: text\n# comment\n---\nA: text\n```\nDone."),
        ("And?", "That."),
    ]


def test_code_that_is_not_closed_does_not_swallow_what_follows() -> None:
    text = "Q: How?\nA: Like so:\n```\n" + "code\n" * 5_000 + "Q: And?\nA: That."
    items = list(read_text(text))
    assert pairs(items) == [("And?", "That.")]
    assert rejections(items) == [(1, RejectionReason.TOO_LONG, "answer")]


def test_prose_around_pairs_is_kept() -> None:
    text = (
        "# Help\nWelcome to the help.\n\nQ: Who?\nA: You.\n\n## Hours\nOpen daily.\n\nQ: When?\nA: Now.\n\n---\nBye."
    )
    items = list(read_text(text))
    assert pairs(items) == [("Who?", "You."), ("When?", "Now.")]
    assert passages(items) == [("Help", "Welcome to the help."), ("Hours", "Open daily."), ("", "Bye.")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Q: Who?\nQ: Who else?\nA: You", [(1, RejectionReason.MISSING_ANSWER, "answer")]),
        ("Q: Who?\nA: You\nQ: Who else?", [(2, RejectionReason.MISSING_ANSWER, "answer")]),
        ("Q:\nA: You", [(1, RejectionReason.MISSING_QUESTION, "question")]),
        ("Q: Who?\nA:", [(1, RejectionReason.MISSING_ANSWER, "answer")]),
        ("Q:\nA:", [(1, RejectionReason.EMPTY, "")]),
        ("A: You\nQ: Who?\nA: You", [(1, RejectionReason.MISSING_QUESTION, "question")]),
        ("Q: Who?\n## Heading\nA: You\nQ: a\nA: b", [
            (1, RejectionReason.MISSING_ANSWER, "answer"), (2, RejectionReason.MISSING_QUESTION, "question")]),
        ("Q: " + "x" * 2_001 + "\nA: You", [(1, RejectionReason.TOO_LONG, "question")]),
        ("Q: Who?\nA: " + "x" * 4_001, [(1, RejectionReason.TOO_LONG, "answer")]),
        ("Q: Who? Q: And who? A: You.", [(1, RejectionReason.MISSING_ANSWER, "answer")]),
    ],
)  # fmt: skip
def test_incomplete_pairs_are_rejected(text: str, expected: list[tuple[int, RejectionReason, str]]) -> None:
    assert rejections(read_text(text)) == expected


@pytest.mark.parametrize(
    "text",
    [
        "User: only this, and nobody answers.",
        "The plan A: walk. The plan B: run.",
        "A: an answer alone",
        "Meet at 5.\nQ: is a letter",
        "```\nQ: in code\nA: in code\n```",
        "Qıestion: x\nAİ: y",
    ],
)
def test_text_without_a_clear_pair_is_prose(text: str) -> None:
    items = list(read_text(text))
    assert passages(items) == [("", text)]
    assert not pairs(items)


@pytest.mark.parametrize("text", ["", " \n\t\n", "\u200b", "---\n***", "# Only a heading"])
def test_nothing_to_learn(text: str) -> None:
    assert list(read_text(text)) == []


def test_a_file_counts_lines(tmp_path: Path) -> None:
    items = read(tmp_path, "\ufeffIntro.\r\n\r\nQ: Who?\r\nA: You.\r\nQ: Why?\r\n", "faq.txt")
    assert places(items) == [("line", 1), ("line", 3), ("line", 5)]
    assert pairs(items) == [("Who?", "You.")]


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_all_line_ends(tmp_path: Path, end: str) -> None:
    items = read(tmp_path, f"Q: Who?{end}A: You{end}and me.{end}Q: Why?{end}A: So", "faq.md")
    assert pairs(items) == [("Who?", "You\nand me."), ("Why?", "So")]


def test_broken_bytes_cost_their_pair_only(tmp_path: Path) -> None:
    content = "Q: Тот?\nA: Да.\n".encode() + b"Q: \xffsecond\n" + "A: Нет.\nQ: Кто?\nA: Ты.\n".encode()
    items = read(tmp_path, content, "faq.txt")
    assert pairs(items) == [("Тот?", "Да."), ("Кто?", "Ты.")]
    assert rejections(items) == [(3, RejectionReason.BAD_ENCODING, "")]


def test_broken_bytes_cost_their_line_of_prose_only(tmp_path: Path) -> None:
    content = "Первая строка.\n".encode() + b"\xff\xfe broken\n" + "Третья строка.\n".encode()
    items = read(tmp_path, content, "note.txt")
    assert passages(items) == [("", "Первая строка.\nТретья строка.")]
    assert rejections(items) == [(2, RejectionReason.BAD_ENCODING, "")]


def test_broken_bytes_in_prose_before_pairs(tmp_path: Path) -> None:
    content = "Начало.\n".encode() + b"\xff\xff\n" + "Q: Кто?\nA: Ты.\n".encode()
    items = read(tmp_path, content, "note.txt")
    assert rejections(items) == [(2, RejectionReason.BAD_ENCODING, "")]
    assert pairs(items) == [("Кто?", "Ты.")]


def test_one_endless_line_of_pairs(tmp_path: Path) -> None:
    expected = [(f"What is number {i}?", f"It is {i} and nothing else.") for i in range(3_000)]
    items = read(tmp_path, " ".join(f"Q: {question} A: {answer}" for question, answer in expected), "faq.txt")
    assert pairs(items) == expected
    assert set(places(items)) == {("line", 1)}


def test_one_endless_line_of_prose_keeps_its_words(tmp_path: Path) -> None:
    words = [f"word{i}" for i in range(20_000)]
    items = read(tmp_path, " ".join(words), "note.txt")
    assert " ".join(text for _, text in passages(items)).split() == words


def test_a_long_last_line_without_an_end(tmp_path: Path) -> None:
    text = "word " * 3_276 + "last"
    assert len(text) == 1 << 14
    assert " ".join(text for _, text in passages(read(tmp_path, text, "note.txt"))).split() == text.split()


def test_one_endless_word(tmp_path: Path) -> None:
    items = read(tmp_path, "x" * 100_000, "note.txt")
    assert sum(text.count("x") for _, text in passages(items)) == 100_000
    assert all(len(text) <= 2_000 for _, text in passages(items))


def test_many_labels_on_one_line_are_read_in_linear_time(tmp_path: Path) -> None:
    items = read(tmp_path, "Q: " * 50_000 + "x\n" + "A: " * 50_000, "faq.txt")
    assert items
