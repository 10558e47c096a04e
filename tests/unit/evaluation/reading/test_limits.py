"""Many cases, long lines, and whatever else is meant to make a reader fall over."""

from __future__ import annotations

import csv
import io
import json
import tempfile
import tracemalloc
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.evaluation.reading.files import cases, read, rejections
from trainer.evaluation.cases import (
    CASES_MOST,
    CHECKS_MOST,
    EXPECTED_MOST,
    QUESTION_MOST,
    TAG_MOST,
    TAGS_MOST,
    VALUES_MOST,
    Case,
)
from trainer.evaluation.reading import CaseRejection, files, read_cases
from trainer.importers import FileRefusal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.evaluation.reading.files import Found

ROWS = 3_500
GOOD = '{"input": "q", "expected": "a"}\n'


def as_table(rows: list[dict[str, Any]]) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, ["input", "expected", "note"])
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def as_lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def as_yaml(rows: list[dict[str, Any]]) -> str:
    return "tests:\n" + "".join(
        f"- input: {row['input']}\n  expected: {row['expected']}\n  note: {row['note']}\n" for row in rows
    )


@pytest.mark.parametrize(
    ("write", "name", "most"),
    [
        (as_lines, "x.jsonl", 4 << 20),
        (json.dumps, "x.json", 6 << 20),
        (as_table, "x.csv", 4 << 20),
        (as_yaml, "x.yaml", 24 << 20),  # the text of the file, several times
    ],
)
def test_memory_does_not_grow_with_the_cases(
    tmp_path: Path, write: Callable[[list[dict[str, Any]]], str], name: str, most: int
) -> None:
    path = tmp_path / "cases"
    rows = [{"input": f"q {row}", "expected": f"a {row}", "note": "word " * 400} for row in range(ROWS)]
    read(tmp_path, write(rows[:2]), name)  # what is loaded once
    path.write_text(write(rows))
    assert path.stat().st_size > 7_000_000
    tracemalloc.start()
    try:
        count = sum(isinstance(found, Case) for found in read_cases(path, name))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert count == ROWS
    assert peak < most


def test_more_cases_than_a_file_may_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "CASES_MOST", 3)
    found = read(tmp_path, GOOD + "{}\n" + GOOD * 5, "x.jsonl")
    assert len(cases(found)) == 3
    assert rejections(found) == [("line", 2, "empty", ""), ("line", 5, "too_many", "")]
    assert CASES_MOST == 20_000


def test_more_rejections_than_a_report_may_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "ITEMS_MOST", 3)
    found = read(tmp_path, GOOD + "{}\n" * 5, "x.jsonl")
    assert [one[1:3] for one in rejections(found)] == [(2, "empty"), (3, "empty"), (4, "too_many")]


def swollen(count: int, values: int, checks: int = CHECKS_MOST) -> str:
    """Cases of a few characters each that expect a long text many times over."""
    asserted = [
        {"type": "contains", "value": [f"{{{{long}}}} {check} {value}" for value in range(values)]}
        for check in range(checks)
    ]
    tests = [{"vars": {"question": f"q {number}", "long": "x" * 3_900}} for number in range(count)]
    return json.dumps({"defaultTest": {"assert": asserted}, "tests": tests})


def test_what_a_case_expects_has_an_end(tmp_path: Path) -> None:
    assert rejections(read(tmp_path, swollen(1, VALUES_MOST), "x.json")) == [("record", 1, "too_long", "assert")]
    whole = {"input": "q", "expected": [f"{'x' * 3_990} {number}" for number in range(VALUES_MOST)]}
    assert len(cases(read(tmp_path, json.dumps(whole), "x.json"))) == 1


def test_what_all_cases_of_a_file_expect_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "CHARS_MOST", 500_000)
    found = read(tmp_path, swollen(10, VALUES_MOST, 1), "x.json")
    assert len(cases(found)) == 2
    assert rejections(found) == [("record", 3, "too_many", "")]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"input": "' + "x" * (10 << 20) + '", "expected": "a"}', "too_long"),
        ('{"input": ' + "[" * 100_000 + "]" * 100_000 + "}", "too_deep"),
        ('{"input": ' + '{"a":' * 100_000 + "1" + "}" * 100_000 + "}", "too_long"),
        ('{"input": "q", "expected": "a", "weight": ' + "9" * 100_000 + "}", "bad_number"),
        ('{"input": "q", "expected": "a", "weight": 1e999}', "bad_number"),
        ('{"input": "q", "expected": "a", "threshold": -1e-999999999999}', None),
        ('{"input": "q", "expected": NaN}', "missing_answer"),
        ('{"input": "q", "expected": -Infinity}', "missing_answer"),
        ('{"input": "\\ud83d", "expected": "a"}', "missing_question"),
        ('{"input": "q", "expected": "\\udc00"}', "missing_answer"),
        ('{"input": "q\\u0000", "expected": "\\u0000a", "id": "\\ud800"}', None),
        ('{"input": "q", "expected": ' + "9" * 5000 + "}", "too_long"),
        ('{"input": "q", "expected": "a", "match": "' + "(" * 100_000 + '"}', "unknown_match"),
        ('{"input": "q", "expected": "' + "(" * 900 + '", "match": "regex"}', "bad_regex"),
        ('{"input": "q", "expected": "\\ud800[", "match": "regex"}', "bad_regex"),
        ('{"input": "q", "vars": {"x": "' + "b" * 9_000 + '"}, "assert": "' + "{{x}}" * 20 + '"}', "too_long"),
        ('{"input": "q", "vars": {}, "assert": "' + "{{ " * 100_000 + '"}', "unsupported_assertion"),
        ('{"input": "q", "expected": "a", "tags": [' + '"a",' * 100_000 + '"b"]}', "too_many"),
        ('{"input": "q", "expected": "a", "checks": ["' + "not-" * 90_000 + '"]}', "too_long"),
    ],
    ids=range(19),
)
def test_hostile_lines_cost_themselves_only(tmp_path: Path, line: str, reason: str | None) -> None:
    found = read(tmp_path, f"{GOOD}{line}\n{GOOD}", "x.jsonl")
    assert [one[2] for one in rejections(found)] == ([reason] if reason else [])
    assert len(cases(found)) == (2 if reason else 3)


def test_a_long_row_costs_itself_only(tmp_path: Path) -> None:
    found = read(tmp_path, f"input,expected\n{'x' * (10 << 20)},a\nq,a\n", "x.csv")
    assert rejections(found) == [("row", 2, "too_long", "")]
    assert len(cases(found)) == 1


# --- whatever the content -------------------------------------------------------------------------------------------

TEXTS = st.one_of(
    st.text(st.sampled_from("ab 1,:;()[]{}\"'\n-!&*#%|<>é日😀\ud83d\x00я"), max_size=20),
    st.sampled_from(
        ["a word", "42", "0.5", "80%", "not-similar(0.8): x", "javascript: x", "{{input}}", "{{x}} {%", "B", "file://x",
         "regex", "numeric", "contains-all", "abstain", "a statement of very many words, indeed", "assert-set"]
    ),
)  # fmt: skip
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS)
MESSAGES = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "system", "tool", "x"]), "content": st.one_of(TEXTS, SCALARS)}
)
VALUES = st.recursive(
    st.one_of(SCALARS, st.lists(MESSAGES, max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.one_of(st.sampled_from(["type", "value", "text", "messages", "question", "answer", "tags"]), TEXTS),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=8,
)
NAMES = st.sampled_from(
    ["id", "input", "question", "expected", "ideal", "target", "match", "threshold", "tolerance", "relative", "tags",
     "weight", "abstain", "vars", "assert", "checks", "choices", "messages", "metadata", "item", "instruction",
     "options", "__expected", "__expected2", "__threshold", "__prefix", "__metadata:tags", "negate",
     "__config:__expected:threshold", "inputs", "outputs"]
)  # fmt: skip
RECORDS = st.one_of(VALUES, st.dictionaries(NAMES, VALUES, max_size=6))


def read_again(content: str, name: str) -> list[Found]:
    with tempfile.TemporaryDirectory() as folder:
        return read(Path(folder), content.encode("utf-8", "replace"), name)


def check_sound(found: list[Found]) -> None:
    ids = [one.id for one in found if isinstance(one, Case)]
    assert len(ids) == len(set(ids))
    for one in found:
        if isinstance(one, CaseRejection):
            assert one.field.isascii() or one.field in {"вопрос", "ответ"}
            continue
        assert 0 < len(one.question) <= QUESTION_MOST
        assert 0 < len(one.checks) <= CHECKS_MOST
        assert 0 < len(one.id) <= 100
        assert len(one.tags) <= TAGS_MOST
        assert all(len(tag) <= TAG_MOST for tag in one.tags)
        assert one.weight > 0
        for check in one.checks:
            assert len(check.values) <= VALUES_MOST
            assert all(0 < len(value) <= EXPECTED_MOST for value in check.values)
            assert bool(check.values) != (check.kind == "abstain")
            assert check.threshold is None or 0 <= check.threshold <= 1
            assert check.weight > 0
            assert check.tolerance >= 0


@given(st.lists(RECORDS, min_size=2, max_size=4))
@settings(deadline=None, max_examples=150)
def test_any_json_lines(records: list[object]) -> None:
    content = "".join(json.dumps(record) + "\n" for record in [{}, *records])
    check_sound(read_again(content, "x.jsonl"))


@given(st.lists(RECORDS, min_size=1, max_size=4), RECORDS)
@settings(deadline=None)
def test_any_json_document(records: list[object], default: object) -> None:
    found = read_again(json.dumps({"tests": records, "defaultTest": default}), "x.json")
    assert len(found) == len(records)
    check_sound(found)


@given(st.lists(RECORDS, min_size=1, max_size=4), RECORDS)
@settings(deadline=None)
def test_any_yaml(records: list[object], default: object) -> None:
    content = yaml.safe_dump({"defaultTest": default, "tests": records}, allow_unicode=True)
    check_sound(read_again(content, "x.yaml"))


@given(st.text(st.sampled_from("ab: -\n\t[]{},&*!|>'\"#%?~<\\é"), max_size=80))
@settings(deadline=None, max_examples=300)
def test_any_text_as_yaml(text: str) -> None:
    with suppress(FileRefusal):
        check_sound(read_again(f"- {{input: q, expected: a}}\n{text}", "x.yaml"))


@given(
    st.lists(st.lists(TEXTS, min_size=1, max_size=6), min_size=1, max_size=5), st.lists(NAMES, min_size=1, max_size=6)
)
@settings(deadline=None)
def test_any_table(rows: list[list[str]], header: list[str]) -> None:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([["input", "__expected", *header], *rows])
    with suppress(FileRefusal):
        check_sound(read_again(out.getvalue(), "x.csv"))
