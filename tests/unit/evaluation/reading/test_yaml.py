"""YAML: lists, objects with lists, documents, and everything that YAML can do to its readers."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
import yaml

from tests.unit.evaluation.reading.files import asked, cases, read, rejections
from trainer.evaluation.cases import Check
from trainer.evaluation.reading import yaml_records
from trainer.importers import FileRefusal, RefusalReason

if TYPE_CHECKING:
    from pathlib import Path

BOTH = [("q1", "contains", ("a1",)), ("q2", "contains", ("a2",))]
GOOD = "- {input: q1, expected: a1}\n"
MANY = 200_000


@pytest.mark.parametrize(
    "text",
    [
        "- input: q1\n  expected: a1\n- input: q2\n  expected: a2\n",
        "# cases\n\n---\n- {input: q1, expected: a1}\n-\n  input: q2\n  expected: a2\n...\n",
        "tests:\n- {input: q1, expected: a1}\n- {input: q2, expected: a2}\nother: [x]\n",
        "name: x\ncases: [{input: q1, expected: a1}]\nexamples: [{input: q2, expected: a2}]\n",
        "input: q1\nexpected: a1\n---\ninput: q2\nexpected: a2\n",
        "---\n---\n- {input: q1, expected: a1}\n---\n# nothing\n---\ntests: [{input: q2, expected: a2}]\n",
        '[{"input": "q1", "expected": "a1"}, {"input": "q2", "expected": "a2"}]',
        "- &a {input: q1, expected: a1}\n- {<<: *a, input: q2, expected: a2}\n",
        "- &a {input: q1, expected: a1}\n- {input: q2, <<: [{input: no}, *a, 5], expected: a2}\n",
        "- {input: &q q1, expected: &a [a1]}\n- {? input : q2, ? [x, {y: z}] : w, ? *q : w, expected: !!str a2}\n",
        "%YAML 1.2\n---\n- {'input': q1, \"expected\": a1}\n- {input: q2, expected: a2, when: 2026-01-01}\n",
    ],
)
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_documents(tmp_path: Path, text: str, ending: str) -> None:
    found = read(tmp_path, text.replace("\n", ending), "cases.yaml")
    assert asked(found) == BOTH
    assert not rejections(found)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings(tmp_path: Path, encoding: str) -> None:
    text = "тесты:\n  - вопрос: Где сервер?\n    ответ: тут 😀\n    теги: [сеть]\n"
    (case,) = cases(read(tmp_path, text.encode(encoding), "cases.yml"))
    assert (case.question, case.checks, case.tags) == ("Где сервер?", (Check("contains", ("тут 😀",)),), ("сеть",))


@pytest.mark.parametrize("text", [GOOD, f"---\n{GOOD}", f"tests:\n{GOOD}", f"# a\ndescription: x\ncases:\n{GOOD}"])
@pytest.mark.parametrize("name", ["cases", "cases.txt", "cases.md", "cases.yaml"])
def test_known_by_content(tmp_path: Path, text: str, name: str) -> None:
    assert asked(read(tmp_path, text, name)) == BOTH[:1]


@pytest.mark.parametrize("text", ["Dear all: hello", "Q: what?\nA: this", "- an item\n- another", "just prose."])
def test_prose_is_not_yaml(tmp_path: Path, text: str) -> None:
    with pytest.raises(FileRefusal) as refused:
        read(tmp_path, text, "notes.txt")
    assert (refused.value.reason, refused.value.detail) == (RefusalReason.UNSUPPORTED, "text")


@pytest.mark.parametrize(
    ("scalar", "values"),
    [
        ("3.10", ("3.10",)), ("007", ("007",)), ("12:30", ("12:30",)), ("yes", ("yes",)), ("No", ("No",)),
        ("2026-01-01", ("2026-01-01",)), ("1_000", ("1_000",)), ("0x1F", ("0x1F",)), ("'~'", ("~",)),
        ("!!str null", ("null",)), ("! 5", ("5",)), ("!!int 5", ("5",)), ("|\n    a\n    b", ("a\nb",)),
        (">-\n    a\n    b", ("a b",)), ('"a\\tb\\u00e9"', ("a\tbé",)),
    ],
)  # fmt: skip
def test_scalars_stay_what_was_written(tmp_path: Path, scalar: str, values: tuple[str, ...]) -> None:
    found = read(tmp_path, f"- input: q\n  expected: {scalar}\n", "x.yaml")
    assert [case.checks[0].values for case in cases(found)] == [values]


@pytest.mark.parametrize("scalar", ["", "~", "null", "NULL", ".nan", "-.inf", "!!null x"])
def test_nulls(tmp_path: Path, scalar: str) -> None:
    found = read(
        tmp_path, f"- input: q\n  expected: {scalar}\n- input: q\n  expected: {scalar}\n  abstain: true", "x.yaml"
    )
    if scalar == "!!null x":
        assert asked(found) == [("q", "contains", ("x",)), ("q", "abstain", ())]
    else:
        assert rejections(found) == [("line", 1, "missing_answer", "expected")]
        assert asked(found) == [("q", "abstain", ())]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("true", "wrong_type"), ("FALSE", "wrong_type"), ("!!bool true", "wrong_type"),
        ('!!python/object/apply:os.system ["true"]', "wrong_type"), ("!!python/name:os.system x", "wrong_type"),
        ("!!set {a, b}", "wrong_type"), ("!!binary aGk=", "wrong_type"), ("!mine x", "wrong_type"),
        ("[" * 32 + "]" * 32, "too_deep"), ("x" * 600_000, "too_long"), ("*unknown", "not_yaml"),
    ],
)  # fmt: skip
def test_values_of_no_use_cost_their_record(tmp_path: Path, value: str, reason: str) -> None:
    found = read(tmp_path, f"{GOOD}- input: q\n  expected: {value}\n{GOOD}", "x.yaml")
    assert [one[:3] for one in rejections(found)] == [("line", 2, reason)]
    assert len(cases(found)) == 2


def test_many_empty_values_cost_their_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_records, "MAX_RECORD", 1000)
    found = read(tmp_path, f"- {{input: q, expected: [{'[], ' * 1000}]}}\n{GOOD}", "x.yaml")
    assert rejections(found) == [("line", 1, "too_long", "")]
    assert asked(found) == BOTH[:1]


def test_values_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_records, "_EVENTS_MOST", 1000)
    found = read(tmp_path, GOOD + "--- ~\n" * 1000 + GOOD, "x.yaml")
    assert asked(found) == BOTH[:1]
    assert [one[2] for one in rejections(found)] == ["too_many"]


def test_broken_bytes_cost_their_record(tmp_path: Path) -> None:
    text = GOOD + "- {input: 'где \udcd0', expected: b}\n- {input: где, expected: тут}\n"
    found = read(tmp_path, text.encode(errors="surrogateescape"), "x.yaml")
    assert rejections(found) == [("line", 2, "bad_encoding", "")]
    assert len(cases(found)) == 2


def test_control_characters_are_passed_over(tmp_path: Path) -> None:
    assert asked(read(tmp_path, "- {input: q\x07\x1b1\ufeff, expected: a\x7f1\uffff}", "x.yaml")) == BOTH[:1]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"{GOOD}- input: q\n  expected: 'never closed\n", 3),
        (f"{GOOD}- input: q\n\texpected: a\n", 3),
        (f"{GOOD}- input: q\n  expected: a: b\n{GOOD}", 3),
        (f"{GOOD}- @x\n", 2),
        (f"{GOOD}{{input: q}}\n", 2),
        ("tests:\n  - {input: q1, expected: a1}\n - {input: q2}\n", 3),
        ("- {input: q1, expected: a1}\n- [a, b\n- c: }\n", 3),
        ("- {input: q1, expected: a1}\n- {input: q, expected: !<tag:yaml.org", 2),
    ],
)
def test_broken_syntax_names_its_line(tmp_path: Path, text: str, line: int) -> None:
    found = read(tmp_path, text, "x.yaml")
    assert asked(found)[:1] == BOTH[:1]
    assert rejections(found)[-1] == ("line", line, "not_yaml", "")


def test_places_are_lines(tmp_path: Path) -> None:
    text = f"# one\n{GOOD}\n- input: q2\n  expected: a2\n-\n\n  input: q3\n  match: x\n"
    found = read(tmp_path, text, "x.yaml")
    assert [case.place.number for case in cases(found) if case.place] == [2, 4]
    assert rejections(found) == [("line", 8, "unknown_match", "match")]


def test_a_bomb_of_aliases_does_not_go_off(tmp_path: Path) -> None:
    letters = "abcdefghijklmnop"
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]" for a, b in pairwise(letters)]
    text = "\n".join([*lines, "tests:", "- {input: q1, expected: a1}", "- {input: q, expected: *p}"])
    found = read(tmp_path, text, "x.yaml")
    assert asked(found) == BOTH[:1]
    assert rejections(found) == [("line", 19, "too_long", "")]
    assert rejections(read(tmp_path, "\n".join(lines), "x.yaml")) == [("line", 6, "too_long", "")]


def test_aliases_of_a_file_have_a_limit_together(tmp_path: Path) -> None:
    text = f"- &a {{input: q, expected: a, note: {'x' * 400_000}}}\n" + "- *a\n" * 50
    found = read(tmp_path, text, "x.yaml")
    assert len(cases(found)) == 1 + (16 << 20) // 400_000
    assert {one[2] for one in rejections(found)} == {"too_long"}


def test_what_holds_itself_is_refused(tmp_path: Path) -> None:
    found = read(tmp_path, "- &a {input: q, expected: *a}\n- {input: q, expected: *a}\n" + GOOD, "x.yaml")
    assert [one[2] for one in rejections(found)] == ["not_yaml", "not_yaml"]
    assert asked(found) == BOTH[:1]


def test_an_anchor_given_twice_is_the_later_one(tmp_path: Path) -> None:
    text = "- {input: q1, expected: &a [&b a1, !bad x]}\n- {input: q1, expected: *b}\n- {input: q1, expected: *a}\n"
    text += "- {input: q2, expected: &a a2}\n- {input: q2, expected: *a}\n"
    found = read(tmp_path, text, "x.yaml")
    assert [one[1:3] for one in rejections(found)] == [(1, "wrong_type"), (3, "wrong_type")]
    assert asked(found) == [BOTH[0], BOTH[1], BOTH[1]]


@pytest.mark.parametrize("text", ["[" * MANY, "- " * MANY, "{a: " * MANY, "? " * MANY])
def test_nesting_without_end(tmp_path: Path, text: str) -> None:
    assert rejections(read(tmp_path, f"{text}\n{GOOD}", "x.yaml")) == [("line", 1, "too_deep", "")]


def test_a_file_that_is_too_large(tmp_path: Path) -> None:
    with pytest.raises(FileRefusal) as refused:
        read(tmp_path, GOOD + "#" * yaml_records.MAX_CHARS, "x.yaml")
    assert refused.value.reason is RefusalReason.TOO_LARGE


@pytest.mark.parametrize("text", ["---\n...\n", "# nothing\n", "[]", "tests: []\n", "~"])
def test_files_of_nothing(tmp_path: Path, text: str) -> None:
    with pytest.raises(FileRefusal) as refused:
        read(tmp_path, text, "x.yaml")
    assert refused.value.reason is RefusalReason.EMPTY


def test_the_slow_parser_reads_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_records, "_LOADER", yaml.SafeLoader)
    assert (
        asked(read(tmp_path, "tests:\n- {input: q1, expected: a1}\n- {input: q2, expected: &a a2}\n", "x.yml"))
        == BOTH
    )
    assert rejections(read(tmp_path, f"{GOOD}- 'x\n", "x.yml"))[-1][2] == "not_yaml"


def test_rows_at_the_top_that_are_no_objects(tmp_path: Path) -> None:
    found = read(tmp_path, "- file://tests.csv\n- 5\n--- text\n--- 7\n", "x.yaml")
    assert [one[2] for one in rejections(found)] == ["not_an_object"] * 4


def test_an_object_with_a_broken_part_beside_its_cases(tmp_path: Path) -> None:
    assert asked(read(tmp_path, f"env: !secret x\ntests:\n{GOOD}", "x.yaml")) == BOTH[:1]
    assert rejections(read(tmp_path, "env: !secret x\ninput: q\nexpected: a\n", "x.yaml")) == [
        ("line", 1, "wrong_type", "")
    ]
