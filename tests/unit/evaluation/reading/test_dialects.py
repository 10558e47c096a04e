"""Rows as other tools write them: OpenAI, inspect-ai, Langfuse, Braintrust, DeepEval, LangSmith, chats, training."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.unit.evaluation.reading.files import asked, cases, checks, one, read, read_rows, reason
from trainer.evaluation.cases import Check, Exchange

if TYPE_CHECKING:
    from pathlib import Path

CHAT = [
    {"role": "system", "content": "You are a support bot."},
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Hello!"},
    {"role": "user", "content": [{"type": "text", "text": "Where is "}, {"type": "text", "text": "my order?"}]},
]
STATEMENT = "Look at your orders, there is a link to follow the parcel."
IMAGE = {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}}


def test_openai_evals(tmp_path: Path) -> None:
    found = read_rows(
        tmp_path,
        {"input": [{"role": "system", "content": "s"}, {"role": "user", "content": "2+2?"}], "ideal": ["4", "four"]},
        {"input": "Capital of France?", "ideal": "Paris"},
        {"item": {"question": "Is it open?", "ideal": "no"}, "sample": {"output_text": "yes"}},
        {"item": {"messages": CHAT, "expected": STATEMENT}, "tags": "shop"},
    )
    assert asked(found) == [
        ("2+2?", "contains", ("4", "four")),
        ("Capital of France?", "contains", ("Paris",)),
        ("Is it open?", "starts_with", ("no",)),
        ("Where is my order?", "semantic", (STATEMENT,)),
    ]
    assert cases(found)[3].former == (Exchange("Hi", "Hello!"),)
    assert cases(found)[3].tags == ("shop",)


def test_inspect_ai(tmp_path: Path) -> None:
    found = read_rows(
        tmp_path,
        {"id": 12, "input": "How to store passwords?", "target": "hashed", "metadata": {"category": "security"}},
        {"input": [{"role": "user", "content": "How?"}], "target": ["so", "thus"]},
    )
    assert asked(found) == [
        ("How to store passwords?", "contains", ("hashed",)),
        ("How?", "contains", ("so", "thus")),
    ]
    assert (cases(found)[0].id, cases(found)[0].tags) == ("12", ("security",))


def search(check: Check, answer: str) -> bool:
    from trainer.evaluation.checks import compiled

    assert check.kind == "regex"
    return compiled(check.values[0]).search(answer) is not None


@pytest.mark.parametrize("target", ["B", "b", "(B)", "B.", 1, "1", "Am (Main)"])
def test_choices(tmp_path: Path, target: object) -> None:
    row = {"input": "Where is Frankfurt?", "choices": ["an der Oder", "am  (Main)", "A"], "target": target}
    found = one(tmp_path, row)
    assert found.question == "Where is Frankfurt?\n\nA) an der Oder\nB) am  (Main)\nC) A"
    (check,) = found.checks
    for right in ("B", "b.", "(B)", "It is B) am (Main).", "AM (MAIN)", "Frankfurt is am (Main)", "B) I think"):
        assert search(check, right), right
    for wrong in ("A", "an der Oder", "B is not right", "am (Mainz)", "a b c", "AB)", "am Main"):
        assert not search(check, wrong), wrong


def test_several_choices_are_right(tmp_path: Path) -> None:
    row = {"input": "Which?", "choices": ["red", "blue", "green"], "target": ["A", "C"]}
    assert checks(tmp_path, row) == (Check("contains_all", ("red", "green")),)


def test_choices_compared_as_named(tmp_path: Path) -> None:
    row = {"question": "Which?", "choices": {"text": ["red", "blue"], "label": ["A", "B"]}, "answer": "A"}
    assert checks(tmp_path, {**row, "match": "exact"}) == (Check("exact", ("red",)),)
    assert checks(tmp_path, {**row, "answer": "neither of them"}) == (Check("contains", ("neither of them",)),)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"target": "D"}, ("bad_choice", "target")),
        ({"target": 3}, ("bad_choice", "target")),
        ({"choices": "red"}, ("wrong_type", "choices")),
        ({"choices": ["red", ["blue"]]}, ("wrong_type", "choices")),
        ({"choices": ["red", " "]}, ("empty", "choices")),
        ({"choices": [str(number) for number in range(27)]}, ("too_many", "choices")),
        ({"choices": ["x" * 1001, "y"]}, ("too_long", "choices")),
        ({"choices": [f"{number} {'x' * 990}" for number in range(3)]}, ("too_long", "choices")),
        ({"choices": ["(" * 990, "y"], "target": "A"}, ("bad_regex", "target")),
    ],
)
def test_bad_choices(tmp_path: Path, row: dict[str, object], why: tuple[str, str]) -> None:
    assert reason(tmp_path, {"input": "q", "choices": ["red", "blue"], "target": "A"} | row) == why


@pytest.mark.parametrize(
    "row",
    [
        {"input": "q?", "expected_output": "Paris", "metadata": {}},
        {"input": {"question": "q?"}, "expectedOutput": {"answer": "Paris"}, "id": ""},
        {"input": "q?", "expected": "Paris", "output": "London", "scores": {"x": 1}},
        {"input": {"text": "q?"}, "expected": {"value": "Paris"}},
        {"input": "q?", "actual_output": "London", "expected_output": "Paris", "context": ["c"]},
        {"inputs": {"question": "q?"}, "outputs": {"answer": "Paris"}},
        {"inputs": {"anything": "q?"}, "reference_outputs": {"something": "Paris"}},
        {"inputs": {"messages": [{"role": "user", "content": "q?"}]},
         "outputs": {"messages": [{"role": "assistant", "content": "Paris"}]}},
        {"inputs": "q?", "outputs": {"role": "assistant", "content": [{"type": "text", "text": "Paris"}]}},
        {"user_input": "q?", "reference": "Paris", "response": "London", "retrieved_contexts": ["c"]},
        {"question": "q?", "answers": {"text": ["Paris"], "answer_start": [1]}, "context": "c"},
        {"question": "q?", "answers": ["Paris", None, ""]},
        {"prompt": "q?", "completion": "Paris"},
        {"conversations": [{"from": "human", "value": "q?"}, {"from": "gpt", "value": "Paris"}]},
        {"input": {"messages": [{"role": "user", "content": "q?"}]},
         "preferred_output": [{"role": "assistant", "content": "Paris"}]},
        {"messages": [{"role": "user", "content": "q?"}, {"role": "assistant", "content": "Paris", "weight": 0}]},
    ],
)  # fmt: skip
def test_other_tools(tmp_path: Path, row: dict[str, object]) -> None:
    assert asked(read_rows(tmp_path, row)) == [("q?", "contains", ("Paris",))]


def test_alpaca(tmp_path: Path) -> None:
    row = {"instruction": "Translate.", "input": "Guten Tag", "output": "Good day"}
    assert asked(read_rows(tmp_path, row)) == [("Translate.\nGuten Tag", "contains", ("Good day",))]


def test_a_chat_with_its_answer(tmp_path: Path) -> None:
    found = one(tmp_path, {"messages": [*CHAT, {"role": "assistant", "content": STATEMENT}]})
    assert (found.question, found.former) == ("Where is my order?", (Exchange("Hi", "Hello!"),))
    assert found.checks == (Check("semantic", (STATEMENT,)),)


def test_what_is_expected_counts_before_what_was_answered(tmp_path: Path) -> None:
    row = {"messages": [*CHAT, {"role": "assistant", "content": "No idea"}], "expected": STATEMENT}
    assert checks(tmp_path, row) == (Check("semantic", (STATEMENT,)),)


def test_chats_of_the_same_question_are_cases_of_their_own(tmp_path: Path) -> None:
    other = [{"role": "user", "content": "Bye"}, {"role": "assistant", "content": "Oh"}, CHAT[3]]
    first, second, third = cases(
        read_rows(tmp_path, *({"input": chat, "ideal": "x"} for chat in (CHAT, other, other[2:])))
    )
    assert len({first.id, second.id, third.id}) == 3
    assert [case.former for case in (first, second, third)] == [
        (Exchange("Hi", "Hello!"),),
        (Exchange("Bye", "Oh"),),
        (),
    ]


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"messages": CHAT}, ("missing_answer", "expected")),
        ({"messages": [CHAT[0]], "expected": "x"}, ("missing_question", "messages")),
        ({"messages": "hello", "expected": 5, "question": ""}, None),
        ({"messages": {"x": 1, "y": 2}}, ("wrong_type", "messages")),
        ({"messages": [*CHAT[:3], {"role": "user", "content": [IMAGE]}], "ideal": "x"}, ("wrong_type", "content")),
        ({"messages": [{"role": "wizard", "content": "x"}], "ideal": "x"}, ("unknown_role", "role")),
        ({"messages": [CHAT[1], {"role": "assistant", "tool_calls": [{"id": "1"}]}]}, ("wrong_type", "tool_calls")),
        ({"messages": CHAT[1:3] * 22}, ("too_many", "messages")),
        ({"messages": [{"role": "user", "content": "x" * 2001}], "ideal": "x"}, ("too_long", "messages")),
        ({"input": {"text": {"text": {"text": {"text": {"text": {"text": "x"}}}}}}}, ("wrong_type", "text")),
    ],
)
def test_bad_chats(tmp_path: Path, row: dict[str, object], why: tuple[str, str] | None) -> None:
    if why is None:
        assert asked(read_rows(tmp_path, row)) == [("hello", "numeric", ("5",))]
    else:
        assert reason(tmp_path, row) == why


@pytest.mark.parametrize("name", ["data", "examples", "cases", "tests", "samples", "goldens", "тесты"])
@pytest.mark.parametrize("indent", [None, 1])
def test_documents_that_hold_cases(tmp_path: Path, name: str, indent: int | None) -> None:
    rows = [{"input": "q1", "expected": "a1"}, {"input": "q2", "expected": "a2"}]
    document = {"version": 1, "train": [{"input": "learnt", "expected": "x"}], name: rows, "after": [1]}
    found = read(tmp_path, json.dumps(document, indent=indent, ensure_ascii=False), "x.json")
    assert asked(found) == [("q1", "contains", ("a1",)), ("q2", "contains", ("a2",))]
    assert [(case.place.unit, case.place.number) for case in cases(found) if case.place] == [
        ("record", 1),
        ("record", 2),
    ]
