"""Rows as this project suggests them: input, expected, match and what goes with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.evaluation.reading.files import asked, checks, one, read, read_rows, reason, rejections
from trainer.evaluation.cases import Case, Check
from trainer.evaluation.reading import case_id
from trainer.importers import Place

if TYPE_CHECKING:
    from pathlib import Path

    from trainer.evaluation.cases import CheckKind


def test_all_parts(tmp_path: Path) -> None:
    row = {
        "id": " geo-1 ",
        "input": "What is the  capital of France? ",
        "expected": ["Paris", "It is Paris", "Paris"],
        "match": "fuzzy",
        "threshold": 0.7,
        "tags": ["geo", " easy\nones "],
        "weight": 2,
        "system": "You are helpful.",
    }
    assert one(tmp_path, row) == Case(
        id="geo-1",
        question="What is the  capital of France?",
        checks=(Check("fuzzy", ("Paris", "It is Paris"), threshold=0.7),),
        tags=("geo", "easy ones"),
        weight=2.0,
        place=Place("line", 1),
    )


@pytest.mark.parametrize("question", ["input", "question", "Prompt", "query", "user_input", "userInput", "Вопрос"])
@pytest.mark.parametrize("expected", ["expected", "answer", "Expected Output", "expectedOutput", "ideal", "Ответ"])
def test_names(tmp_path: Path, question: str, expected: str) -> None:
    assert asked(read_rows(tmp_path, {question: "q?", expected: "Paris"})) == [("q?", "contains", ("Paris",))]


def test_what_a_model_said_is_not_what_is_expected(tmp_path: Path) -> None:
    row = {"user_input": "q?", "response": "a model's words", "output": "others", "reference": "Paris"}
    assert checks(tmp_path, row) == (Check("contains", ("Paris",)),)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("exact", "exact"), ("equals", "exact"), ("Exact Match", "exact"), ("точно", "exact"),
        ("contains", "contains"), ("icontains", "contains"), ("includes", "contains"), ("содержит", "contains"),
        ("contains_all", "contains_all"), ("icontains-any", "contains_any"),
        ("startswith", "starts_with"), ("starts_with", "starts_with"),
        ("regex", "regex"), ("pattern", "regex"),
        ("fuzzy_match", "fuzzy"), ("chrF", "chrf"), ("chrf++", "chrf"),
        ("similar", "semantic"), ("similar:cosine", "semantic"), ("semantic", "semantic"),
        ("llm-rubric", "judge"), ("model_graded_qa", "judge"), ("model-graded-closedqa", "judge"), ("judge", "judge"),
        ("number", "numeric"),
    ],
)  # fmt: skip
def test_ways_of_comparing(tmp_path: Path, name: str, kind: CheckKind) -> None:
    assert checks(tmp_path, {"input": "q", "expected": "42", "match": name}) == (Check(kind, ("42",)),)
    assert checks(tmp_path, {"input": "q", "expected": "42", "match": f"not-{name}"}) == (
        Check(kind, ("42",), negate=True),
    )


def test_several_ways_at_once(tmp_path: Path) -> None:
    row = {"input": "q", "expected": "Paris", "match": ["contains", "similar(0.8)", "!regex"], "threshold": 0.5}
    assert checks(tmp_path, row) == (
        Check("contains", ("Paris",)),
        Check("semantic", ("Paris",), threshold=0.8),
        Check("regex", ("Paris",), negate=True),
    )
    assert checks(tmp_path, {**row, "match": "judge", "negate": True}) == (
        Check("judge", ("Paris",), threshold=0.5, negate=True),
    )


@pytest.mark.parametrize("expected", ["a, b", "a\nb", ["a", "b"]])
def test_all_of_them(tmp_path: Path, expected: object) -> None:
    row = {"input": "q", "expected": expected, "match": "contains_all"}
    assert checks(tmp_path, row) == (Check("contains_all", ("a", "b")),)


@pytest.mark.parametrize(
    ("tolerance", "margin", "relative"), [(0.5, 0.5, False), ("5%", 0.05, True), ("0,5", 0.5, False)]
)
def test_numbers_with_a_tolerance(tmp_path: Path, tolerance: object, margin: float, relative: bool) -> None:
    row = {"input": "How far?", "expected": 3.10, "tolerance": tolerance}
    assert checks(tmp_path, row) == (Check("numeric", ("3.1",), tolerance=margin, relative=relative),)
    assert checks(tmp_path, {**row, "match": "numeric"}) == checks(tmp_path, row)
    assert checks(tmp_path, {**row, "tolerance": 0.1, "relative": True})[0].relative
    assert checks(tmp_path, {**row, "expected": "far"}) == (Check("contains", ("far",)),)


@pytest.mark.parametrize(
    "row",
    [
        {"match": "abstain"}, {"match": "abstain", "expected": "I don't know"}, {"abstain": True},
        {"abstain": "да", "expected": None}, {"abstain": 1, "expected": ""}, {"unanswerable": "TRUE"},
    ],
)  # fmt: skip
def test_abstention(tmp_path: Path, row: dict[str, object]) -> None:
    assert checks(tmp_path, {"input": "q"} | row) == (Check("abstain"),)


def test_it_must_not_abstain(tmp_path: Path) -> None:
    assert checks(tmp_path, {"input": "q", "match": "not-abstain"}) == (Check("abstain", negate=True),)


@pytest.mark.parametrize("abstain", [False, "no", 0, "", None, [True], "0"])
def test_nothing_expected_is_no_case(tmp_path: Path, abstain: object) -> None:
    row = {"input": "q", "expected": None, "abstain": abstain}
    assert reason(tmp_path, row) == ("missing_answer", "expected")


def test_own_checks(tmp_path: Path) -> None:
    row = {
        "question": "How far is {{it}}?",
        "threshold": 0.6,
        "checks": [
            {"kind": "numeric", "values": ["42"], "tolerance": "1", "relative": True, "weight": 2},
            {"match": "contains", "expected": "km", "negate": True},
            "llm-rubric: is {{polite}}",
        ],
    }
    assert one(tmp_path, row) == Case(
        id=case_id("How far is {{it}}?"),
        question="How far is {{it}}?",
        checks=(
            Check("numeric", ("42",), tolerance=1.0, relative=True, weight=2.0),
            Check("contains", ("km",), negate=True),
            Check("judge", ("is {{polite}}",)),
        ),
        threshold=0.6,
        place=Place("line", 1),
    )


def test_threshold_of_the_check(tmp_path: Path) -> None:
    text = "A statement of quite a few words in all"
    assert checks(tmp_path, {"input": "q", "expected": text, "threshold": "80%"}) == (
        Check("semantic", (text,), threshold=0.8),
    )
    found = one(tmp_path, {"input": "q", "expected": "Paris", "threshold": 0})
    assert (found.threshold, found.checks[0].threshold) == (None, None)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"match": "bogus"}, ("unknown_match", "match")),
        ({"match": 5}, ("unknown_match", "match")),
        ({"match": {"type": "contains"}}, ("unknown_match", "match")),
        ({"match": ["contains", 7.5, None]}, ("unknown_match", "match")),
        ({"match": "(((("}, ("unknown_match", "match")),
        ({"match": "is-json"}, ("unsupported_assertion", "match.is-json")),
        ({"match": "fuzzy", "threshold": 1.5}, ("bad_threshold", "threshold")),
        ({"match": "fuzzy", "threshold": -0.1}, ("bad_threshold", "threshold")),
        ({"match": "fuzzy", "threshold": "high"}, ("bad_threshold", "threshold")),
        ({"match": "fuzzy", "threshold": True}, ("bad_threshold", "threshold")),
        ({"match": "fuzzy(3)"}, ("bad_threshold", "match")),
        ({"tolerance": -1}, ("bad_number", "tolerance")),
        ({"tolerance": "x%"}, ("bad_number", "tolerance")),
        ({"weight": 0}, ("bad_number", "weight")),
        ({"weight": "inf"}, ("bad_number", "weight")),
        ({"weight": "9" * 100}, ("bad_number", "weight")),
        ({"match": "numeric", "expected": "far"}, ("bad_number", "expected")),
        ({"match": "regex", "expected": "(?=a)"}, ("bad_regex", "expected")),
        ({"match": "regex", "expected": "["}, ("bad_regex", "expected")),
        ({"match": "regex", "expected": "((a{999}){999}){999}"}, ("bad_regex", "expected")),
        ({"match": "regex", "expected": "a" * 1001}, ("bad_regex", "expected")),
        ({"match": "contains", "expected": " "}, ("missing_answer", "expected")),
        ({"expected": True}, ("wrong_type", "expected")),
        ({"expected": {"x": 1, "y": 2}}, ("wrong_type", "expected")),
        ({"expected": ["a", {"b": 1}]}, ("wrong_type", "expected")),
        ({"expected": "x" * 4001}, ("too_long", "expected")),
        ({"expected": "x" * 40_000}, ("too_long", "expected")),
        ({"expected": [str(number) for number in range(51)]}, ("too_many", "expected")),
        ({"input": "x" * 2001}, ("too_long", "input")),
        ({"input": {"x": 1, "y": 2}}, ("wrong_type", "input")),
        ({"input": True}, ("wrong_type", "input")),
        ({"input": "\u200b"}, ("missing_question", "input")),
        ({"input": ""}, ("missing_question", "question")),
        ({"tags": ["x" * 51]}, ("too_long", "tags")),
        ({"tags": [str(number) for number in range(11)]}, ("too_many", "tags")),
        ({"tags": [str(number) for number in range(100)]}, ("too_many", "tags")),
        ({"tags": {"a": 1}}, ("wrong_type", "tags")),
        ({"tags": "x" * 5000}, ("too_long", "tags")),
        ({"match": ["contains"] * 21}, ("unknown_match", "match")),
        ({"checks": ["contains: a"] * 20}, ("too_many", "assert")),
        ({"checks": ["contains: a"] * 21}, ("too_many", "checks")),
    ],
)  # fmt: skip
def test_rejections(tmp_path: Path, row: dict[str, object], why: tuple[str, str]) -> None:
    assert reason(tmp_path, {"input": "q", "expected": "Paris"} | row) == why


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (5, "not_an_object"), ([1], "not_an_object"), ({}, "empty"), ({"x": "b", "y": "d"}, "unknown_shape"),
    ],
)  # fmt: skip
def test_no_cases_at_all(tmp_path: Path, record: object, why: str) -> None:
    assert rejections(read_rows(tmp_path, {"input": "q", "expected": "a"}, record)) == [("line", 2, why, "")]


def test_text_is_cleaned(tmp_path: Path) -> None:
    row = {"input": "\ufeff Cafe\u0301?\r\n\x07 \ud83d", "expected": " 1\u2028 2\x00 ", "tags": "a, b; a,, в"}
    found = one(tmp_path, row)
    assert (found.question, found.checks[0].values) == ("Café?", ("1\n 2",))
    assert found.tags == ("a", "b", "в")


def test_tags_from_metadata(tmp_path: Path) -> None:
    row = {"input": "q", "expected": "a", "category": "x", "metadata": {"tags": ["y", 7], "Category": "z", "n": {}}}
    assert one(tmp_path, row).tags == ("x", "y", "7", "z")


@pytest.mark.parametrize(
    ("given", "expected"),
    [(7, "7"), ("a\n b", "a b"), ("", case_id("q")), (True, case_id("q")), (["x"], case_id("q"))],
)
def test_ids(tmp_path: Path, given: object, expected: str) -> None:
    assert one(tmp_path, {"id": given, "input": "q", "expected": "a"}).id == expected


def test_long_ids_stay_apart(tmp_path: Path) -> None:
    rows: list[Any] = [{"id": "x" * 150 + end, "input": "q", "expected": "a"} for end in "ab"]
    first, second = read_rows(tmp_path, *rows)
    assert isinstance(first, Case)
    assert isinstance(second, Case)
    assert len(first.id) == len(second.id) == 100
    assert first.id != second.id
    assert one(tmp_path, {"id": "x" * 5000, "input": "q", "expected": "a"}).id == case_id("q")


def test_equal_ids_are_numbered(tmp_path: Path) -> None:
    rows = [{"id": name, "input": "q", "expected": "a"} for name in ("a", "a", "a-2", "a", "b" * 100, "b" * 100)]
    rows += [{"input": "What?", "expected": "a"}, {"input": "what", "expected": "b"}]
    found = [case.id for case in read_rows(tmp_path, *rows) if isinstance(case, Case)]
    same = case_id("What?")
    assert found == ["a", "a-2", "a-2-2", "a-3", "b" * 100, "b" * 98 + "-2", same, f"{same}-2"]


def test_a_single_document(tmp_path: Path) -> None:
    assert asked(read(tmp_path, '{"input": "q",\n "expected": "a"}', "case.json")) == [("q", "contains", ("a",))]
