"""Tests of promptfoo: vars and assert, defaultTest, and the columns of its tables."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.unit.evaluation.reading.files import asked, cases, checks, one, read, reason, rejections
from trainer.evaluation.cases import Check

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = """\
# yaml-language-server: $schema=https://promptfoo.dev/config-schema.json
description: Support
prompts: ['Answer: {{question}}']
providers: [openai:gpt-4o-mini]
defaultTest:
  options: {provider: openai:gpt-4o}
  vars: {shop: ACME}
  metadata: {tags: all}
  threshold: 0.75
  assert:
    - type: not-icontains
      value: as an AI
    - {type: latency, threshold: 2000, weight: 0}
tests:
  - description: capitals
    vars:
      question: What is the capital of France?
      expected: Paris
    assert:
      - type: icontains
        value: '{{ expected }}'
      - type: similar
        value: The capital is {{expected}}.
        threshold: 0.8
        weight: 3
    metadata:
      tags: [geo, easy]
  - vars: {question: Кто вы?}
    threshold: 1
    options: {disableDefaultAsserts: true}
    assert:
      - type: llm-rubric
        value: Speaks for {{shop}}
  - vars: {question: How much?}
    assert:
      - type: javascript
        value: output.length < 10
  - vars: {question: Who is the king?}
"""
NOT_AN_AI = Check("contains", ("as an AI",), negate=True)


def assertion(folder: Path, **fields: object) -> Check:
    (check,) = checks(folder, {"vars": {"question": "q", "x": "the X", "n": 5}, "assert": [fields]})
    return check


def test_a_whole_configuration(tmp_path: Path) -> None:
    found = read(tmp_path, CONFIG, "promptfooconfig.yaml")
    first, second, last = cases(found)
    assert first.question == "What is the capital of France?"
    assert first.checks == (
        NOT_AN_AI,
        Check("contains", ("Paris",)),
        Check("semantic", ("The capital is Paris.",), threshold=0.8, weight=3.0),
    )
    assert (first.tags, first.threshold) == (("geo", "easy"), 0.75)
    assert second.checks == (Check("judge", ("Speaks for ACME",)),)
    assert second.threshold == 1.0
    assert last.checks == (NOT_AN_AI,)
    assert rejections(found) == [("line", 34, "unsupported_assertion", "assert.javascript")]
    assert [case.place.number for case in (first, second, last) if case.place] == [15, 28, 38]


@pytest.mark.parametrize("tests_first", [True, False])
@pytest.mark.parametrize("indent", [None, 2])
def test_the_same_in_json(tmp_path: Path, tests_first: bool, indent: int | None) -> None:
    default = {"assert": [{"type": "not-contains", "value": "as an AI"}]}
    tests = [{"vars": {"question": "q1"}}, {"vars": {"question": "q2"}, "assert": [{"type": "equals", "value": "a"}]}]
    parts: list[tuple[str, object]] = [("tests", tests), ("defaultTest", default)]
    document = {"description": "defaultTest", **dict(parts if tests_first else reversed(parts)), "prompts": ["p"]}
    first, second = cases(read(tmp_path, json.dumps(document, indent=indent), "config.json"))
    assert first.checks == (NOT_AN_AI,)
    assert second.checks == (NOT_AN_AI, Check("exact", ("a",)))


@pytest.mark.parametrize(
    ("default", "field"),
    [
        ("file://default.yaml", "defaultTest"),
        ({"assert": [{"type": "cost", "threshold": 1}]}, "defaultTest.cost"),
        ({"options": {"transform": "output.text"}}, "defaultTest.transform"),
        ({"assertScoringFunction": "file://x.js"}, "defaultTest.transform"),
    ],
)
@pytest.mark.parametrize("name", ["x.json", "x.yaml"])
def test_defaults_that_cannot_be_scored_spoil_each_case(
    tmp_path: Path, default: object, field: str, name: str
) -> None:
    document = {"defaultTest": default, "tests": [{"vars": {"q": "x"}, "assert": {"type": "equals", "value": "y"}}]}
    (found,) = rejections(read(tmp_path, json.dumps(document), name))
    assert found[2:] == ("unsupported_assertion", field)


@pytest.mark.parametrize("name", ["x.json", "x.yaml"])
def test_defaults_that_cannot_be_read_spoil_each_case(tmp_path: Path, name: str) -> None:
    deep = "[" * 40 + "]" * 40
    content = f'{{"defaultTest": {deep}, "tests": [{{"input": "q", "expected": "a"}}]}}'
    (found,) = rejections(read(tmp_path, content, name))
    assert found[2:] == ("unsupported_assertion", "defaultTest")


@pytest.mark.parametrize(
    ("type_", "check"),
    [
        ("equals", Check("exact", ("v",))),
        ("contains", Check("contains", ("v",))),
        ("not-icontains", Check("contains", ("v",), negate=True)),
        ("icontains-any", Check("contains_any", ("v",))),
        ("contains-all", Check("contains_all", ("v",))),
        ("starts-with", Check("starts_with", ("v",))),
        ("not-regex", Check("regex", ("v",), negate=True)),
        ("similar", Check("semantic", ("v",))),
        ("not-similar:cosine", Check("semantic", ("v",), negate=True)),
        ("llm-rubric", Check("judge", ("v",))),
        ("factuality", Check("judge", ("v",))),
        ("model-graded-closedqa", Check("judge", ("v",))),
        ("g-eval", Check("judge", ("v",))),
        ("is-refusal", Check("abstain")),
        ("not-is-refusal", Check("abstain", negate=True)),
    ],
)
def test_types(tmp_path: Path, type_: str, check: Check) -> None:
    assert assertion(tmp_path, type=type_, value="v", metric="m") == check


@pytest.mark.parametrize(
    "type_",
    ["javascript", "python", "latency", "cost", "is-json", "not-is-json", "levenshtein", "rouge-n", "webhook",
     "answer-relevance", "select-best", "similar:dot"],
)  # fmt: skip
def test_types_that_cannot_be_scored(tmp_path: Path, type_: str) -> None:
    row = {"vars": {"question": "q"}, "assert": [{"type": "equals", "value": "v"}, {"type": type_, "value": "v"}]}
    assert reason(tmp_path, row) == ("unsupported_assertion", f"assert.{type_.removeprefix('not-')}")


def test_what_cannot_fail_is_left_out(tmp_path: Path) -> None:
    row = {
        "vars": {"question": "q"},
        "assert": [
            {"type": "cost", "threshold": 0.1, "weight": 0},
            {"type": "javascript", "value": "x", "metricOnly": True},
            {"type": "equals", "value": "v"},
        ],
    }
    assert checks(tmp_path, row) == (Check("exact", ("v",)),)
    alone = [{"type": "cost", "threshold": 0.1, "weight": 0}]
    assert reason(tmp_path, {**row, "assert": alone}) == ("missing_answer", "assert")


def test_sets_of_assertions(tmp_path: Path) -> None:
    inner = [{"type": "equals", "value": "v"}, {"type": "contains", "value": "w"}]
    row = {"vars": {"question": "q"}, "assert": [{"type": "assert-set", "assert": inner}]}
    assert checks(tmp_path, row) == (Check("exact", ("v",)), Check("contains", ("w",)))
    for unsupported in (
        {"type": "assert-set", "assert": inner, "threshold": 0.5},
        {"type": "assert-set", "assert": [{"type": "assert-set", "assert": inner}]},
        {"type": "assert-set"},
    ):
        why = reason(tmp_path, {**row, "assert": [unsupported]})
        assert why == ("unsupported_assertion", "assert.assert-set")


def test_variables(tmp_path: Path) -> None:
    assert assertion(tmp_path, type="equals", value="{{x}} and {{ n }}").values == ("the X and 5",)
    assert assertion(tmp_path, type="contains-all", value=["{{x}}", "y"]).values == ("the X", "y")
    assert assertion(tmp_path, type="equals", value="a { b } {c}").values == ("a { b } {c}",)


@pytest.mark.parametrize("value", ["{{y}}", "{{ x | upper }}", "{% if x %}", "{{x", "{{x.y}}", "{{question}} {{"])
def test_templates_beyond_variables(tmp_path: Path, value: str) -> None:
    row = {"vars": {"question": "q", "x": "the X"}, "assert": [{"type": "equals", "value": value}]}
    assert reason(tmp_path, row) == ("unsupported_assertion", "assert.template")


def test_what_variables_hold_is_not_filled_again(tmp_path: Path) -> None:
    row = {"vars": {"question": "q", "x": "{{question}} {{"}, "assert": [{"type": "equals", "value": "{{x}}"}]}
    assert checks(tmp_path, row) == (Check("exact", ("{{question}} {{",)),)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"type": "contians", "value": "v"}, ("unknown_match", "assert")),
        ({"value": "v"}, ("unknown_match", "assert")),
        ({"type": 5, "value": "v", "kind": None}, ("unknown_match", "assert")),
        ({"type": "equals"}, ("missing_answer", "assert")),
        ({"type": "equals", "value": ""}, ("missing_answer", "assert")),
        ({"type": "equals", "value": {"a": 1}}, ("wrong_type", "assert")),
        ({"type": "equals", "value": True}, ("wrong_type", "assert")),
        ({"type": "contains-any", "value": ["v", {"a": 1}]}, ("wrong_type", "assert")),
        ({"type": "contains-any", "value": [str(number) for number in range(51)]}, ("too_many", "assert")),
        ({"type": "equals", "value": "x" * 4001}, ("too_long", "assert")),
        ({"type": "equals", "value": "file://expected.txt"}, ("unsupported_assertion", "assert.file")),
        ({"type": "equals", "value": "v", "transform": "output.x"}, ("unsupported_assertion", "assert.transform")),
        (
            {"type": "llm-rubric", "value": "v", "rubricPrompt": "p"},
            ("unsupported_assertion", "assert.rubric_prompt"),
        ),
        ({"type": "similar", "value": "v", "threshold": 2}, ("bad_threshold", "threshold")),
        ({"type": "equals", "value": "v", "weight": -1}, ("bad_number", "weight")),
        ({"type": "regex", "value": "(?<!a)b"}, ("bad_regex", "assert")),
    ],
)
def test_bad_assertions(tmp_path: Path, fields: dict[str, object], why: tuple[str, str]) -> None:
    assert reason(tmp_path, {"vars": {"question": "q"}, "assert": [fields]}) == why


@pytest.mark.parametrize("value", [[["equals"]], [None], True, [False]])
def test_assertions_of_the_wrong_type(tmp_path: Path, value: object) -> None:
    assert reason(tmp_path, {"vars": {"question": "q"}, "assert": value}) == ("wrong_type", "assert")


def test_a_number_is_expected_as_it_is(tmp_path: Path) -> None:
    assert checks(tmp_path, {"vars": {"question": "q"}, "assert": 5}) == (Check("exact", ("5",)),)


def test_options_of_a_test(tmp_path: Path) -> None:
    row = {"vars": {"question": "q"}, "assert": "equals: v", "options": {"transform": "output.x"}}
    assert reason(tmp_path, row) == ("unsupported_assertion", "options.transform")
    assert checks(tmp_path, {**row, "options": {"prefix": "x"}}) == (Check("exact", ("v",)),)


@pytest.mark.parametrize(
    "variables",
    [
        {"question": "q?"}, {"anything": "q?"}, {"input": "q?", "context": "c"}, {"anything": "q?", "other": ""},
        {"query": "q?", "expected": "x"}, {"messages": [{"role": "user", "content": "q?"}]},
    ],
)  # fmt: skip
def test_which_variable_asks(tmp_path: Path, variables: dict[str, object]) -> None:
    assert one(tmp_path, {"vars": variables, "assert": "equals: v"}).question == "q?"


@pytest.mark.parametrize("variables", [{"topic": "a", "language": "b"}, {}, "file://vars.yaml"])
def test_no_variable_asks(tmp_path: Path, variables: object) -> None:
    why = reason(tmp_path, {"vars": variables, "assert": "equals: v"})
    assert why[0] == "missing_question"


def test_without_assertions_the_expected_variable_counts(tmp_path: Path) -> None:
    assert checks(tmp_path, {"vars": {"question": "q", "expected": "Paris"}}) == (Check("contains", ("Paris",)),)


def test_assertions_beside_what_is_expected(tmp_path: Path) -> None:
    row = {"input": "q", "expected": "Paris", "assert": [{"type": "llm-rubric", "value": "is polite"}]}
    assert checks(tmp_path, row) == (Check("contains", ("Paris",)), Check("judge", ("is polite",)))


@pytest.mark.parametrize(
    ("cell", "check"),
    [
        ("Paris", Check("exact", ("Paris",))),
        ("equals: Paris", Check("exact", ("Paris",))),
        ("contains:Paris", Check("contains", ("Paris",))),
        ("not-icontains: Paris", Check("contains", ("Paris",), negate=True)),
        ("icontains-all: a, b ,c", Check("contains_all", ("a", "b", "c"))),
        ("similar(0.8): Hello there", Check("semantic", ("Hello there",), threshold=0.8)),
        ("similar: Hello: there", Check("semantic", ("Hello: there",))),
        ("llm-rubric: Is polite", Check("judge", ("Is polite",))),
        ("grade: Is polite", Check("judge", ("Is polite",))),
        ("regex: ^a.b$", Check("regex", ("^a.b$",))),
        ("starts-with: a", Check("starts_with", ("a",))),
        ("is-refusal", Check("abstain")),
        ("not-is-refusal", Check("abstain", negate=True)),
        ("human", Check("exact", ("human",))),
        ("human error", Check("exact", ("human error",))),
        ("Note: contains sugar", Check("exact", ("Note: contains sugar",))),
        ("number", Check("exact", ("number",))),
        ("{{answer}}", Check("exact", ("Lyon",))),
        ("два: три", Check("exact", ("два: три",))),
    ],
)
def test_cells(tmp_path: Path, cell: str, check: Check) -> None:
    found = read(tmp_path, f'input,answer,__expected\nq,Lyon,"{cell}"\n', "x.csv")
    assert [case.checks for case in cases(found)] == [(check,)]


@pytest.mark.parametrize(
    ("cell", "why"),
    [
        ("javascript: output > 1", "javascript"), ("python: x", "python"), ("fn: x", "fn"), ("is-json", "is-json"),
        ("cost(0.1)", "cost"), ("latency", "latency"), ("not-is-json", "is-json"), ("file://check.py", "file"),
        ("levenshtein(5): x", "levenshtein"), ("equals: {{nothing}}", "template"),
    ],
)  # fmt: skip
def test_cells_that_cannot_be_scored(tmp_path: Path, cell: str, why: str) -> None:
    found = read(tmp_path, f'input,__expected,__expected2\nq,equals: x,"{cell}"\n', "x.csv")
    assert rejections(found) == [("row", 2, "unsupported_assertion", f"__expected2.{why}")]


def test_all_special_columns(tmp_path: Path) -> None:
    content = (
        "language,question,__expected1,__expected2,__expected3,__threshold,__prefix,__suffix,__description,__metric,"
        "__metadata:tags[],__metadata:category,__config:__expected:threshold,__config:__expected2:threshold,"
        "expected\r\n"
        'fr,Bonjour?,contains: a,similar: b,similar(0.3): c,0.5,Say: , (short),words,m,"x,y",z,0.6,0.7,unused\r\n'
        "fr,Salut?,,similar: b,,,,,,,,,,,unused\r\n"
        "fr,Merci?,,,,,,,,,,,,,Paris\r\n"
        "fr,Rien?,,,,,,,,,,,,,\r\n"
    )
    found = read(tmp_path, content, "tests.csv")
    first, second, third = cases(found)
    assert first.question == "Say: Bonjour? (short)"
    assert first.checks == (
        Check("contains", ("a",)),
        Check("semantic", ("b",), threshold=0.7),
        Check("semantic", ("c",), threshold=0.3),
    )
    assert (first.threshold, first.tags) == (0.5, ("x", "y", "z"))
    assert (second.checks, second.threshold) == ((Check("semantic", ("b",)),), None)
    assert third.checks == (Check("contains", ("Paris",)),)
    assert rejections(found) == [("row", 5, "missing_answer", "assert")]


def test_the_only_column_beside_asks(tmp_path: Path) -> None:
    assert asked(read(tmp_path, "topic\t__expected\nAI\tyes\n", "x.tsv")) == [("AI", "exact", ("yes",))]
    found = read(tmp_path, "topic,style,__expected\nAI,short,yes\n", "x.csv")
    assert rejections(found) == [("row", 2, "missing_question", "vars")]


def test_bad_numbers_in_columns(tmp_path: Path) -> None:
    found = read(tmp_path, "q,__expected,__threshold\na,b,2\nc,d,1\n", "x.csv")
    assert rejections(found) == [("row", 2, "bad_threshold", "__threshold")]
    assert len(cases(found)) == 1
