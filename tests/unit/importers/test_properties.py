"""Whatever the content: what was written is read back, and nothing but a refusal stops a file."""

from __future__ import annotations

import csv
import io
import json
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.importers.files import pairs, read
from trainer.importers import Example, FileRefusal, Item, read_text
from trainer.importers.examples import MAX_ANSWER, MAX_PASSAGE, MAX_QUESTION, clean, is_blank

WORDS = st.text(
    alphabet=st.one_of(
        st.sampled_from("ab яЖ,;\t|\"'\n\r{}[]:\\=#\u00a0é日😀"), st.characters(exclude_categories=["Cs", "Cc"])
    ),
    min_size=1,
    max_size=60,
)
CLEAN = WORDS.map(clean).filter(lambda text: not is_blank(text) and clean(text) == text)
PAIRS = st.lists(st.tuples(CLEAN, CLEAN), min_size=1, max_size=20)
DELIMITERS = st.sampled_from(",;\t|")


def read_back(content: str | bytes, name: str) -> list[Item]:
    with tempfile.TemporaryDirectory() as folder:
        return read(Path(folder), content, name)


def table(rows: list[tuple[str, str]], delimiter: str, end: str, quoting: int) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator=end, quoting=quoting)  # type: ignore[arg-type]
    writer.writerows([("question", "answer"), *rows])
    return out.getvalue()


@given(PAIRS, st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]), st.booleans())
@settings(deadline=None)
def test_json_lines_round_trip(rows: list[tuple[str, str]], encoding: str, escaped: bool) -> None:
    text = "\n".join(json.dumps({"question": q, "answer": a}, ensure_ascii=escaped) for q, a in rows)
    assert pairs(read_back(text.encode(encoding), "x.jsonl")) == rows


@given(PAIRS, st.sampled_from([None, 0, 2]), st.booleans(), st.sampled_from(["", "data", "train"]))
@settings(deadline=None)
def test_json_round_trip(rows: list[tuple[str, str]], indent: int | None, escaped: bool, key: str) -> None:
    records: object = [{"prompt": q, "completion": a} for q, a in rows]
    text = json.dumps({"x": "}", key: records} if key else records, ensure_ascii=escaped, indent=indent)
    assert pairs(read_back(text, "x.json")) == rows


@given(PAIRS, DELIMITERS, st.sampled_from(["\n", "\r\n"]), st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
@settings(deadline=None)
def test_table_round_trip(rows: list[tuple[str, str]], delimiter: str, end: str, quoting: int) -> None:
    assert pairs(read_back(table(rows, delimiter, end, quoting), "x.csv")) == rows


SENTENCES = st.text(alphabet="abc яЖ,.?!", min_size=1, max_size=60).map(str.strip).filter(bool)


@given(
    st.lists(st.tuples(SENTENCES, SENTENCES), min_size=1),
    st.sampled_from([("Q", "A"), ("Вопрос", "Ответ")]),
    st.booleans(),
)
@settings(deadline=None)
def test_labelled_text_round_trip(rows: list[tuple[str, str]], labels: tuple[str, str], inline: bool) -> None:
    between = " " if inline else "\n"
    text = between.join(f"{labels[0]}: {q}{between}{labels[1]}: {a}" for q, a in rows)
    rows = [(q, a) for q, a in rows if not is_blank(q + a)]
    assert pairs(read_text(text)) == rows


@given(PAIRS, st.data())
@settings(deadline=None, max_examples=60)
def test_a_cut_loses_nothing_before_it(rows: list[tuple[str, str]], data: st.DataObject) -> None:
    lines = [json.dumps({"question": q, "answer": a}) for q, a in rows]
    for text, name in ((("\n".join(lines)), "x.jsonl"), ("[" + ",\n ".join(lines) + "]", "x.json")):
        end = data.draw(st.integers(1, len(text)))
        whole = sum(text.index(line) + len(line) <= end for line in dict.fromkeys(lines))
        try:
            found = pairs(read_back(text[:end], name))
        except FileRefusal:
            found = []
        assert found == rows[: len(found)]
        assert len(found) >= whole


@given(PAIRS, DELIMITERS, st.data())
@settings(deadline=None, max_examples=60)
def test_a_cut_table_loses_nothing_before_it(
    rows: list[tuple[str, str]], delimiter: str, data: st.DataObject
) -> None:
    ends = [len(table(rows[:count], delimiter, "\n", csv.QUOTE_ALL)) for count in range(len(rows) + 1)]
    text = table(rows, delimiter, "\n", csv.QUOTE_ALL)
    end = data.draw(st.integers(ends[0], len(text)))
    try:
        found = pairs(read_back(text[:end], "x.csv"))
    except FileRefusal:
        found = []
    whole = sum(place <= end for place in ends) - 1
    assert found[:whole] == rows[:whole]


@given(PAIRS, st.data())
@settings(deadline=None, max_examples=60)
def test_one_damaged_record_costs_itself_only(rows: list[tuple[str, str]], data: st.DataObject) -> None:
    records = [{"question": q, "answer": a} for q, a in rows]
    lines = [json.dumps(record) for record in records]
    victim = data.draw(st.integers(0, len(lines) - 1))
    place = data.draw(st.integers(1, len(lines[victim]) - 1))
    damaged = lines[victim][:place] + data.draw(st.sampled_from('"{}[],:x')) + lines[victim][place:]
    others = [row for index, row in enumerate(rows) if index != victim]
    text = "\n".join([*lines[:victim], damaged, *lines[victim + 1 :], ""])
    found = pairs(read_back(text, "x.jsonl")) if others else others
    assert [row for row in found if row in others][: len(others)] == others


def check(items: list[Item]) -> None:
    for item in items:
        assert item.place.number >= 1
        if isinstance(item, Example):
            assert 0 < len(item.answer) <= (MAX_ANSWER if item.kind == "pair" else MAX_PASSAGE)
            assert len(item.question) <= MAX_QUESTION
            assert clean(item.answer) == item.answer
            assert item.question or item.kind == "passage"
            item.answer.encode()
            item.question.encode()


MAGIC = st.sampled_from(
    [
        b"",
        b"{",
        b"[",
        b'{"',
        b'[{"a":',
        b"%PDF-1.4\n",
        b"PK\x03\x04",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"question,answer\n",
        b"Q: ",
        b'"',
    ]
)


@given(MAGIC, st.binary(max_size=2_000), st.sampled_from(["x.csv", "x.json", "x.jsonl", "x.txt", "x.pdf", "x", ""]))
@settings(deadline=None, max_examples=300)
def test_random_bytes_are_read_or_refused(magic: bytes, content: bytes, name: str) -> None:
    with suppress(FileRefusal):
        check(read_back(magic + content, name))


@given(
    st.text(alphabet=st.sampled_from('{}[]",:\\ \n0aQA#`|;\t\ud800'), max_size=500),
    st.sampled_from(["x.csv", "x.json", "x.jsonl", "x.txt"]),
)
@settings(deadline=None, max_examples=300)
def test_random_structure_is_read_or_refused(text: str, name: str) -> None:
    with suppress(FileRefusal):
        check(read_back(text.encode("utf-8", "surrogatepass"), name))


@given(st.text(max_size=500))
@settings(deadline=None)
def test_typed_text_is_always_read(text: str) -> None:
    check(list(read_text(text)))


NAMES = st.one_of(
    st.sampled_from(
        ["messages", "role", "content", "tool_calls", "weight", "conversations", "from", "value", "type"]
    ),
    st.sampled_from(
        ["question", "answer", "instruction", "input", "history", "text", "chosen", "prompt", "completion"]
    ),
    st.sampled_from(["label", "kto_tag", "data", "preferred_output", "ideal", "title"]),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=20) | st.sampled_from(["user", "gpt"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=15,
)


@given(st.lists(JSON, min_size=1, max_size=5))
@settings(deadline=None, max_examples=300)
def test_any_json_is_read_or_refused(values: list[object]) -> None:
    for text, name in ((json.dumps(values), "x.json"), ("\n".join(map(json.dumps, values)), "x.jsonl")):
        with suppress(FileRefusal):
            check(read_back(text, name))


def test_a_cell_is_read_as_it_was_written() -> None:
    rows = [("=cmd|' /C calc'!A0", '"quoted" and ""'), ("a\n\nb", " trimmed? ".strip())]
    for delimiter in ",;\t|":
        assert pairs(read_back(table(rows, delimiter, "\r\n", csv.QUOTE_MINIMAL), "x.csv")) == rows


@pytest.mark.parametrize("count", [1, 2, 3])
def test_a_truncated_utf16_file_keeps_what_is_whole(count: int) -> None:
    content = "question,answer\nкто,ты\nгде,тут\n".encode("utf-16")
    assert pairs(read_back(content[:-count], "x.csv"))[:1] == [("кто", "ты")]
