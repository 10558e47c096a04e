from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.unit.importers.files import json_lines, pairs, places, read, rejections
from trainer.importers import FileRefusal, RefusalReason, RejectionReason, reading

if TYPE_CHECKING:
    from pathlib import Path

ONE = {"question": "q1", "answer": "a1"}
TWO = {"question": "q2", "answer": "a2"}
THREE = {"question": "q3", "answer": "a3"}
BOTH = [("q1", "a1"), ("q2", "a2")]
ALL = [*BOTH, ("q3", "a3")]
T1, T2, T3 = (json.dumps(record) for record in (ONE, TWO, THREE))


def test_json_lines(tmp_path: Path) -> None:
    items = read(tmp_path, json_lines(ONE, TWO), "x.jsonl")
    assert pairs(items) == BOTH
    assert places(items) == [("line", 1), ("line", 2)]


@pytest.mark.parametrize("text", [f"\ufeff{T1}\r\n\r\n  {T2}", f"{T1},\n{T2},\n", f"\n\n{T1}\n{T2}\n\n"])
def test_json_lines_by_careless_hands(tmp_path: Path, text: str) -> None:
    assert pairs(read(tmp_path, text, "x.txt")) == BOTH


def test_each_broken_line_is_named_and_costs_itself_only(tmp_path: Path) -> None:
    deep = '{"question": ' + "[" * 100_000 + "]" * 100_000 + "}"
    lines = [
        T1, "not json", '{"question": "q"', "[1]", "5", '"text"', "{}", '{"question": "q", "answer": "\\x"}', deep,
        '{"question": "q", "answer": "' + "x" * 600_000 + '"}', T2, '{"question": "q3", "ans',
    ]  # fmt: skip
    items = read(tmp_path, "\n".join(lines), "x.jsonl")
    assert pairs(items) == BOTH
    assert rejections(items) == [
        (2, RejectionReason.NOT_JSON, ""),
        (3, RejectionReason.NOT_JSON, ""),
        (4, RejectionReason.NOT_AN_OBJECT, ""),
        (5, RejectionReason.NOT_AN_OBJECT, ""),
        (6, RejectionReason.NOT_AN_OBJECT, ""),
        (7, RejectionReason.EMPTY, ""),
        (8, RejectionReason.NOT_JSON, ""),
        (9, RejectionReason.TOO_DEEP, ""),
        (10, RejectionReason.TOO_LONG, ""),
        (12, RejectionReason.TRUNCATED, ""),
    ]


def test_broken_bytes_cost_their_line_only(tmp_path: Path) -> None:
    content = json_lines({"question": "где", "answer": "тут"}).encode() + b'{"question": "\xff", "answer": "a"}\n'
    items = read(tmp_path, content + T2.encode(), "x.jsonl")
    assert pairs(items) == [("где", "тут"), ("q2", "a2")]
    assert rejections(items) == [(2, RejectionReason.BAD_ENCODING, "")]


def test_odd_values_are_safe(tmp_path: Path) -> None:
    lines = [
        '{"question": "a", "answer": "b", "score": NaN, "x": -Infinity, "y": 1e999999, "z": ' + "9" * 10_000 + "}",
        '{"question": "first", "question": "second", "answer": "b"}',
        '{"question": "tab\there", "answer": "half \\ud83d pair \\ud83d\\ude00"}',
        '{"question": "how many", "answer": 12345678901234567890.10}',
        '{"question": "NaN?", "answer": NaN}',
    ]
    items = read(tmp_path, "\n".join(lines), "x.jsonl")
    assert pairs(items) == [
        ("a", "b"),
        ("second", "b"),
        ("tab\there", "half  pair 😀"),
        ("how many", "12345678901234567890.10"),
    ]
    assert rejections(items) == [(5, RejectionReason.MISSING_ANSWER, "answer")]


@pytest.mark.parametrize("key", ["data", "examples", "train", "Rows", "items", "данные"])
@pytest.mark.parametrize("indent", [None, 2])
def test_documents_that_hold_records(tmp_path: Path, key: str, indent: int | None) -> None:
    document = {"version": "1", "meta": {"data": "[", "n": [1]}, key: [ONE, TWO], "after": {"x": [ONE]}}
    items = read(tmp_path, json.dumps(document, indent=indent, ensure_ascii=False), "x.json")
    assert pairs(items) == BOTH
    assert places(items) == [("record", 1), ("record", 2)]
    assert not rejections(items)


def test_what_is_to_be_tested_is_not_learnt(tmp_path: Path) -> None:
    items = read(tmp_path, json.dumps({"train": [ONE, TWO], "test": [THREE], "validation": [THREE]}), "x.json")
    assert pairs(items) == BOTH


@pytest.mark.parametrize(
    "text",
    [
        f"[{T1},{T2}]",
        f"\ufeff [ {T1} ,\n{T2}, ]\n",
        f"[\n{T1}\n{T2}\n]",
        json.dumps([ONE, TWO], indent=4),
        f'{{"data": [{T1}], "examples": [{T2}]}}',
        json.dumps(ONE, indent=1) + "\n" + json.dumps(TWO, indent=1),
        json.dumps(ONE, indent=1) + ",\n" + json.dumps(TWO, indent=1),
        f"[{T1}][{T2}]",
    ],
)
@pytest.mark.parametrize("name", ["x.json", "x", "x.csv", "x.jsonl", "x.pdf"])
def test_documents_under_any_name(tmp_path: Path, text: str, name: str) -> None:
    items = read(tmp_path, text, name)
    assert pairs(items) == BOTH
    assert not rejections(items)


@pytest.mark.parametrize("indent", [None, 2])
def test_one_object_is_one_record(tmp_path: Path, indent: int | None) -> None:
    record = {"messages": [{"role": "user", "content": "q1"}, {"role": "assistant", "content": "a1"}]}
    assert pairs(read(tmp_path, json.dumps(record, indent=indent), "x.json")) == [("q1", "a1")]


@pytest.mark.parametrize(
    ("text", "expected", "rejected"),
    [
        # cut: inside a record, between two, inside a string, after an escape
        (f'[{T1}, {T2}, {{"question": "q3", "ans', BOTH, [(3, RejectionReason.TRUNCATED)]),
        (f"[{T1}, {T2}", BOTH, [(3, RejectionReason.TRUNCATED)]),
        (f"[{T1}, {T2},", BOTH, [(3, RejectionReason.TRUNCATED)]),
        (f'{{"data": [{T1}, {T2}, {{"question": "q\\', BOTH, [(3, RejectionReason.TRUNCATED)]),
        (f'{{"data": [{T1}, {T2}], "more": [', BOTH, [(3, RejectionReason.TRUNCATED)]),
        ('{"question": "q", "answer": "a', [], [(1, RejectionReason.TRUNCATED)]),
        # broken in the middle: a quotation mark, a brace, a comma between fields
        (f'[{T1}, {{"question": "q, "answer": "a"}}, {T2}]', BOTH, [(2, RejectionReason.NOT_JSON)]),
        (f'[{T1}, {{"question": "q", "answer": "a}}, {T2}]', BOTH, [(2, RejectionReason.NOT_JSON)]),
        (f'[{T1}, {{"question": "q", "answer": "a", {T2}]', BOTH, [(2, RejectionReason.NOT_JSON)]),
        (f'[{T1}, {{"question": "q" "answer": "a"}}, {T2}]', BOTH, [(2, RejectionReason.NOT_JSON)]),
        (f"[{T1}, {{'question': 'q', 'answer': 'a'}}, {T2}]", BOTH, [(2, RejectionReason.NOT_JSON)]),
        (f"[{T1}, oops, 5, null, {T2}]", BOTH, [
            (2, RejectionReason.NOT_JSON), (3, RejectionReason.NOT_AN_OBJECT), (4, RejectionReason.NOT_AN_OBJECT)]),
        (f'[{T1}, "text, [", ["q", "a"], {T2}]', BOTH, [
            (2, RejectionReason.NOT_AN_OBJECT), (3, RejectionReason.NOT_AN_OBJECT)]),
        (f"[{T1}}}, {T2}]", BOTH, [(2, RejectionReason.NOT_JSON)]),
        (f"[{T1}, {T2}] and so on [{T3}]", ALL, [(3, RejectionReason.NOT_JSON)]),
        (f"[{T1}, {T2}] and so on", BOTH, [(3, RejectionReason.NOT_JSON)]),
        # hostile
        (f"[{T1}, " + '{"a":' * 5_000 + "1" + "}" * 5_000 + f", {T2}]", BOTH, [(2, RejectionReason.TOO_DEEP)]),
        (f"[{T1}, " + "[" * 1_000 + "]" * 1_000 + f", {T2}]", BOTH, [(2, RejectionReason.TOO_DEEP)]),
        (f'[{T1}, {{"question": "' + "x" * 2_000_000 + f'"}}, {T2}]', BOTH, [(2, RejectionReason.TOO_LONG)]),
        (f'[{T1}, {{"question": "' + '\\"' * 1_000_000 + f'"}}, {T2}]', BOTH, [(2, RejectionReason.TOO_LONG)]),
        (f'[{T1}, {{"question": "' + "\\\\" * 1_000_000 + f'"}}, {T2}]', BOTH, [(2, RejectionReason.TOO_LONG)]),
        (f'[{T1}, "' + "x" * 2_000_000 + f'", {T2}]', BOTH, [(2, RejectionReason.TOO_LONG)]),
        (f'[{T1}, ["' + "\\\\\\n" * 1_000_000 + f'"], {T2}]', BOTH, [(2, RejectionReason.TOO_LONG)]),
        ("[" * 3_000_000, [], [(1, RejectionReason.TOO_DEEP), (2, RejectionReason.TRUNCATED)]),
        ('{"data":' * 100_000, [], [(1, RejectionReason.TOO_DEEP)]),
        ('["' + "x" * 1_000_000, [], [(1, RejectionReason.TOO_LONG), (2, RejectionReason.TRUNCATED)]),
    ],
)  # fmt: skip
def test_damage_costs_itself_only(
    tmp_path: Path, text: str, expected: list[tuple[str, str]], rejected: list[tuple[int, RejectionReason]]
) -> None:
    items = read(tmp_path, text, "x.json")
    assert pairs(items) == expected
    assert [(number, reason) for number, reason, _ in rejections(items)] == rejected


def test_records_far_apart(tmp_path: Path) -> None:
    padding = " " * 300_000
    text = f'{{"about": "{padding}", "data": [{padding}{T1}{padding},{T2}{padding}]{padding}, "x": [{padding}]}}'
    items = read(tmp_path, text, "x.json")
    assert pairs(items) == BOTH
    assert not rejections(items)


def test_what_follows_the_records_may_be_long(tmp_path: Path) -> None:
    rest = f'"x": "{"y" * 2_000_000}", "n": [[{{}}]], "train": [{T3}]'
    items = read(tmp_path, f'{{"data": [{T1}, {T2}], {rest}}}', "x.json")
    assert pairs(items) == ALL
    assert not rejections(items)


@pytest.mark.parametrize("part", ['{"a": ', '{"a":"x', '{"a":"', '{"a":1 ', '{"a":"\\"'])
def test_broken_records_without_end_are_given_up(tmp_path: Path, part: str) -> None:
    # Each of them begins as a record does and seems to hold all that follow.
    items = read(tmp_path, "[" + part * 100_000, "x.json")
    assert items
    assert not pairs(items)


def test_a_broken_byte_costs_its_record_only(tmp_path: Path) -> None:
    content = f'[{T1}, {{"question": "где", "answer": "'.encode() + b'\xff"}, ' + T2.encode() + b"]"
    items = read(tmp_path, content, "x.json")
    assert pairs(items) == BOTH
    assert rejections(items) == [(2, RejectionReason.BAD_ENCODING, "")]


@pytest.mark.parametrize("text", ["[]", '{"data": []}', "[[], \n", '{"messages": [{"role": "user"}]}\n', "[1]"])
def test_documents_without_examples(tmp_path: Path, text: str) -> None:
    if text in {"[]", '{"data": []}'}:
        with pytest.raises(FileRefusal) as refusal:
            read(tmp_path, text, "x.json")
        assert refusal.value.reason is RefusalReason.EMPTY
    else:
        assert rejections(read(tmp_path, text, "x.json"))


def test_items_of_a_file_are_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_ITEMS", 100)
    items = read(tmp_path, "1\n" * 300, "x.jsonl")
    assert len(items) == 101
    assert rejections(items)[-1][1] is RejectionReason.TOO_MANY
