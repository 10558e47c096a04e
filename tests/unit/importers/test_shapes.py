from __future__ import annotations

from typing import Any

import pytest

from tests.unit.importers.files import pairs, passages, rejections
from trainer.importers import Item, Place, RejectionReason
from trainer.importers.json_value import Number
from trainer.importers.shapes import ANSWERS, QUESTIONS, canonical, examples_of

PLACE = Place("line", 7)


def of(record: object) -> list[Item]:
    items = list(examples_of(record, PLACE))
    assert all(item.place == PLACE for item in items)
    return items


def user(content: object) -> dict[str, object]:
    return {"role": "user", "content": content}


def assistant(content: object, **more: object) -> dict[str, object]:
    return {"role": "assistant", "content": content, **more}


@pytest.mark.parametrize("name", [name for name in QUESTIONS if name != "instruction"])
def test_each_name_of_a_question(name: str) -> None:
    assert pairs(of({name: "Where?", "answer": "There."})) == [("Where?", "There.")]


@pytest.mark.parametrize("name", ANSWERS)
def test_each_name_of_an_answer(name: str) -> None:
    assert pairs(of({"question": "Where?", name: "There."})) == [("Where?", "There.")]
    assert pairs(of({"instruction": "Where?", name: "There."})) == [("Where?", "There.")]


@pytest.mark.parametrize(
    "names",
    [
        ("Question", "ANSWER"), (" question ", "\tanswer"), ("\ufeffquestion", "answer"),
        ("User Input", "Expected-Output"), ("user__input", "expected output"), ("Вопрос", "ОТВЕТ "),
        ("_prompt_", "completion"),
    ],
)  # fmt: skip
def test_names_are_compared_loosely(names: tuple[str, str]) -> None:
    assert pairs(of({names[0]: "Where?", names[1]: "There."})) == [("Where?", "There.")]


def test_a_name_of_any_length_is_looked_up() -> None:
    assert canonical("question" * 1_000) == ""


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        # OpenAI, SFT
        ({"messages": [{"role": "system", "content": "Be kind"}, user("q"), assistant("a")]}, [("q", "a")]),
        ({"messages": [{"role": "tool", "content": None}, user("q"), assistant("a")], "tools": []}, [("q", "a")]),
        ({"messages": [user("q1"), assistant("a1"), user("q2"), assistant("a2")]}, [("q1", "a1"), ("q2", "a2")]),
        ({"messages": [user([{"type": "text", "text": "q"}, {"type": "text", "text": "?"}]), assistant("a")]},
         [("q?", "a")]),
        ({"messages": [user(["q", "?"]), assistant("a")]}, [("q?", "a")]),
        # OpenAI, DPO: the guide's names and the older schema's
        ({"input": {"messages": [user("q")]}, "preferred_output": [assistant("good")],
          "non_preferred_output": [assistant("bad")]}, [("q", "good")]),
        ({"input": {"messages": [user("x"), assistant("y"), user("q")]}, "preferred_completion": [assistant("good")],
          "non_preferred_completion": [assistant("bad")]}, [("q", "good")]),
        # openai/evals
        ({"input": [{"role": "system", "content": "s"}, user("q")], "ideal": ["", "a", "b"]}, [("q", "a")]),
        # TRL
        ({"prompt": "q", "completion": "a"}, [("q", "a")]),
        ({"prompt": [user("q")], "completion": [assistant("a")]}, [("q", "a")]),
        ({"prompt": "q", "chosen": "good", "rejected": "bad"}, [("q", "good")]),
        ({"prompt": [user("q")], "chosen": [assistant("good")], "rejected": [assistant("bad")]}, [("q", "good")]),
        ({"chosen": [user("q"), assistant("good")], "rejected": [user("q"), assistant("bad")]}, [("q", "good")]),
        ({"prompt": "q", "completion": "a", "label": True}, [("q", "a")]),
        ({"prompt": "q", "completion": "a", "label": Number("1")}, [("q", "a")]),
        # Alpaca
        ({"instruction": "q", "input": "", "output": "a"}, [("q", "a")]),
        ({"instruction": "Translate", "input": "dog", "output": "a"}, [("Translate\ndog", "a")]),
        ({"instruction": "q", "output": "a", "system": "s", "history": [["q0", "a0"]]}, [("q0", "a0"), ("q", "a")]),
        ({"instruction": "q", "input": "", "chosen": "good", "rejected": "bad"}, [("q", "good")]),
        ({"instruction": "q", "response": "a"}, [("q", "a")]),
        ({"instruction": "q", "chosen_response": "good", "rejected_response": "bad"}, [("q", "good")]),
        # ShareGPT
        ({"conversations": [{"from": "system", "value": "s"}, {"from": "human", "value": "q"},
                            {"from": "function_call", "value": "f"}, {"from": "observation", "value": "o"},
                            {"from": "gpt", "value": "a"}], "tools": ""}, [("q", "a")]),
        ({"conversations": [{"from": "human", "value": "q"}], "chosen": {"from": "gpt", "value": "good"},
          "rejected": {"from": "gpt", "value": "bad"}}, [("q", "good")]),
        # Axolotl
        ({"system_prompt": "s", "question": "q", "response": "a"}, [("q", "a")]),
        ({"article": "long", "question": "q", "answer": "a"}, [("q", "a")]),
        ({"system": "s", "question": "q", "chosen": "good", "rejected": "bad"}, [("q", "good")]),
        # Langfuse, Braintrust
        ({"input": "q", "expected_output": "a", "metadata": {"k": [1]}}, [("q", "a")]),
        # numbers stay what they were
        ({"question": Number("1.10"), "answer": Number("1e999")}, [("1.10", "1e999")]),
        # a known name that holds nothing gives way to the next
        ({"question": None, "prompt": "q", "answer": "", "response": "a"}, [("q", "a")]),
    ],
)  # fmt: skip
def test_shapes_of_pairs(record: dict[str, object], expected: list[tuple[str, str]]) -> None:
    items = of(record)
    assert pairs(items) == expected
    assert not rejections(items)


@pytest.mark.parametrize(
    ("record", "reason", "field"),
    [
        ("text", RejectionReason.NOT_AN_OBJECT, ""),
        (None, RejectionReason.NOT_AN_OBJECT, ""),
        (["q", "a"], RejectionReason.NOT_AN_OBJECT, ""),
        ({}, RejectionReason.EMPTY, ""),
        ({"question": " ", "answer": "\u200b"}, RejectionReason.EMPTY, ""),
        ({"question": "\u200b", "answer": "\u200b"}, RejectionReason.EMPTY, ""),
        ({"question": "", "answer": None}, RejectionReason.EMPTY, ""),
        ({"messages": []}, RejectionReason.EMPTY, ""),
        ({"foo": 1, "bar": 2}, RejectionReason.UNKNOWN_SHAPE, ""),
        ({"question": "q"}, RejectionReason.MISSING_ANSWER, "answer"),
        ({"prompt": "q", "rejected": "bad"}, RejectionReason.MISSING_ANSWER, "answer"),
        ({"instruction": "q", "output": ""}, RejectionReason.MISSING_ANSWER, "answer"),
        ({"output": "a"}, RejectionReason.MISSING_QUESTION, "question"),
        ({"prompt": "", "completion": "a"}, RejectionReason.MISSING_QUESTION, "question"),
        ({"question": True, "answer": "a"}, RejectionReason.WRONG_TYPE, "question"),
        ({"question": "q", "output": {"x": 1}}, RejectionReason.WRONG_TYPE, "output"),
        ({"question": "q", "output": [1, 2]}, RejectionReason.WRONG_TYPE, "output"),
        ({"instruction": "q", "input": {"a": 1}, "output": "a"}, RejectionReason.WRONG_TYPE, "input"),
        ({"text": ["a"]}, RejectionReason.WRONG_TYPE, "text"),
        ({"text": Number("5")}, RejectionReason.WRONG_TYPE, "text"),
        ({"messages": "hi"}, RejectionReason.WRONG_TYPE, "messages"),
        ({"messages": ["hi"]}, RejectionReason.WRONG_TYPE, "messages"),
        ({"messages": [user("q")]}, RejectionReason.MISSING_ANSWER, "messages"),
        ({"messages": [assistant("a")]}, RejectionReason.MISSING_QUESTION, "messages"),
        ({"messages": [{"role": "system", "content": "s"}]}, RejectionReason.EMPTY, "messages"),
        ({"messages": [user("q"), assistant(None, tool_calls=[{"id": "1"}])]}, RejectionReason.WRONG_TYPE,
         "tool_calls"),
        ({"messages": [user("q"), assistant(None, function_call={"name": "f"})]}, RejectionReason.WRONG_TYPE,
         "tool_calls"),
        ({"messages": [user([{"type": "image_url", "image_url": {}}]), assistant("a")]}, RejectionReason.WRONG_TYPE,
         "content"),
        ({"messages": [{"role": "narrator", "content": "x"}]}, RejectionReason.UNKNOWN_ROLE, "role"),
        ({"messages": [{"from": "narrator", "value": "x"}]}, RejectionReason.UNKNOWN_ROLE, "from"),
        ({"messages": [{"role": 5, "content": "x"}]}, RejectionReason.UNKNOWN_ROLE, "role"),
        ({"input": {"messages": []}, "preferred_output": [assistant("a")]}, RejectionReason.MISSING_QUESTION,
         "input"),
        ({"input": {"messages": [user("q")]}, "preferred_output": [user("a")]}, RejectionReason.MISSING_ANSWER,
         "preferred_output"),
        ({"prompt": "q", "completion": "a", "label": False}, RejectionReason.NEGATIVE_LABEL, "label"),
        ({"prompt": "q", "completion": "a", "label": "FALSE"}, RejectionReason.NEGATIVE_LABEL, "label"),
        ({"prompt": "q", "completion": "a", "label": Number("0")}, RejectionReason.NEGATIVE_LABEL, "label"),
        ({"messages": [user("q"), assistant("a")], "kto_tag": False}, RejectionReason.NEGATIVE_LABEL, "kto_tag"),
        ({"question": "q" * 2_001, "answer": "a"}, RejectionReason.TOO_LONG, "question"),
        ({"prompt": "q", "completion": "a" * 4_001}, RejectionReason.TOO_LONG, "completion"),
        ({"prompt": "q", "completion": "a" * 100_000}, RejectionReason.TOO_LONG, "completion"),
        ({"messages": [user("q"), assistant("a" * 4_001)]}, RejectionReason.TOO_LONG, "messages"),
    ],
)  # fmt: skip
def test_rejected_records(record: object, reason: RejectionReason, field: str) -> None:
    assert rejections(of(record)) == [(7, reason, field)]
    assert not pairs(of(record))


def test_a_label_of_another_kind_of_data_is_no_verdict() -> None:
    assert pairs(of({"question": "q", "answer": "a", "label": False})) == [("q", "a")]


@pytest.mark.parametrize("weight", [0, 0.0, False, "0", "false", Number("0"), Number("0.0")])
def test_answers_of_weight_zero_are_passed_over(weight: object) -> None:
    chat = {
        "messages": [user("q1"), assistant("no", weight=weight), user("q2"), assistant("yes", weight=Number("1"))]
    }
    items = of(chat)
    assert pairs(items) == [("q2", "yes")]
    assert not rejections(items)


def test_a_chat_of_weight_zero_alone_is_nothing_and_no_error() -> None:
    assert of({"messages": [user("q"), assistant("no", weight=Number("0"))]}) == []


def test_a_greeting_and_an_open_question_are_passed_over() -> None:
    chat = [assistant("Hello!"), user("q"), assistant("a"), user("and?")]
    items = of({"messages": chat})
    assert pairs(items) == [("q", "a")]
    assert not rejections(items)


def test_messages_in_a_row_are_one_turn() -> None:
    chat = [user("I have"), user("a question"), assistant("Yes"), assistant("please"), user(" "), assistant("?")]
    assert pairs(of({"messages": chat})) == [("I have\na question", "Yes\nplease")]


def test_an_answer_after_a_tool_call_is_the_answer() -> None:
    calls: list[dict[str, Any]] = [{"id": "1", "function": {"name": "f"}}]
    chat = [user("q"), assistant(None, tool_calls=calls), {"role": "tool", "content": {"x": 1}}, assistant("a")]
    items = of({"messages": chat})
    assert pairs(items) == [("q", "a")]
    assert not rejections(items)


def test_a_tool_call_without_text_costs_its_turn_only() -> None:
    chat = [user("q1"), assistant("a1"), user("q2"), assistant("", tool_calls=[{"id": "1"}])]
    items = of({"messages": chat})
    assert pairs(items) == [("q1", "a1")]
    assert rejections(items) == [(7, RejectionReason.WRONG_TYPE, "tool_calls")]


def test_a_broken_history_costs_itself_only() -> None:
    items = of({"instruction": "q", "output": "a", "history": [["x"], ["q0", "a0"]]})
    assert pairs(items) == [("q0", "a0"), ("q", "a")]
    assert rejections(items) == [(7, RejectionReason.WRONG_TYPE, "history")]


def test_text_becomes_passages() -> None:
    assert passages(of({"text": "A house has rooms.", "title": "Houses"})) == [("Houses", "A house has rooms.")]
    assert passages(of({"text": "A house has rooms.", "title": 5})) == [("", "A house has rooms.")]


def test_text_of_a_dialogue_becomes_pairs() -> None:
    text = "### Human: Where is it?### Assistant: There.\nReally.### Human: Thanks### Assistant: Welcome"
    assert pairs(of({"text": text})) == [("Where is it?", "There.\nReally."), ("Thanks", "Welcome")]


def test_values_are_cleaned() -> None:
    items = of({"question": " cafe\u0301\x00\x1b?\r\n", "answer": "a\r\nb\rc\td\ud800\x85e\ufeff"})
    assert pairs(items) == [("café?", "a\nb\nc\td\ne")]


def test_limits_count_cleaned_text() -> None:
    items = of({"question": "  " + "q" * 2_000 + "  ", "answer": "\n" * 20_000 + "a" * 4_000})
    assert pairs(items) == [("q" * 2_000, "a" * 4_000)]
