"""Tables and the other formats: encodings, line ends, delimiters, places, and files that hold no cases."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.unit.evaluation.reading.files import asked, cases, read, rejections
from trainer.evaluation.cases import Check, Exchange
from trainer.importers import FileRefusal, RefusalReason

if TYPE_CHECKING:
    from pathlib import Path

RUSSIAN = """\
id;Вопрос;Ответ;Проверка;Порог;Теги;Вес
1;Где сервер?;play.example.org;содержит;;сеть, игра;2
2;Ёж кто?;зверь;похоже;0,7;;
"""


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1251"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_russian_tables(tmp_path: Path, encoding: str, ending: str) -> None:
    first, second = cases(read(tmp_path, RUSSIAN.replace("\n", ending).encode(encoding), "тесты.csv"))
    assert (first.id, first.question, first.tags, first.weight) == ("1", "Где сервер?", ("сеть", "игра"), 2.0)
    assert first.checks == (Check("contains", ("play.example.org",)),)
    assert (second.question, second.checks) == ("Ёж кто?", (Check("fuzzy", ("зверь",), threshold=0.7),))


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("name", ["x.csv", "x.tsv", "x"])
def test_delimiters(tmp_path: Path, delimiter: str, name: str) -> None:
    text = delimiter.join(("input", "target")) + "\n" + delimiter.join(('"q, ""or"";\t|\nnot"', "a1")) + "\n"
    assert asked(read(tmp_path, text, name)) == [('q, "or";\t|\nnot', "contains", ("a1",))]


def test_a_table_without_header(tmp_path: Path) -> None:
    assert asked(read(tmp_path, "what?,this\nwho?,me\n", "x.csv")) == [
        ("what?", "contains", ("this",)),
        ("who?", "contains", ("me",)),
    ]


def test_rows_are_counted_as_a_spreadsheet_does(tmp_path: Path) -> None:
    text = 'input,expected,match,abstain\n"a\nb",c,,\n\nq,,,\nq,x,bogus,\nq,a,b,c,d\nq,,,да\nq,"open\n'
    found = read(tmp_path, text, "x.csv")
    assert [case.place.number for case in cases(found) if case.place] == [2, 7]
    assert cases(found)[1].checks == (Check("abstain"),)
    assert rejections(found) == [
        ("row", 4, "missing_answer", "expected"),
        ("row", 5, "unknown_match", "match"),
        ("row", 6, "row_width", ""),
        ("row", 8, "truncated", ""),
    ]


def test_structures_in_cells(tmp_path: Path) -> None:
    chat = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Oh"},
        {"role": "user", "content": "q?"},
    ]
    rows = [
        (json.dumps(chat), '["Paris", "the capital"]', '{"tags": ["geo"]}'),
        ('{"question": "q?"}', '{"answer": "Paris"}', ""),
        ("[not json]", "{neither}", "{}"),
        ('{"a": "never ends"', '["a"', ""),
        ('{"a": }', '["a" "b"]', ""),
    ]
    cells = ["\t".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    found = cases(read(tmp_path, "\n".join(["input\texpected_output\tmetadata", *cells]), "x.tsv"))
    assert (found[0].question, found[0].former, found[0].tags) == ("q?", (Exchange("Hi", "Oh"),), ("geo",))
    assert found[0].checks == (Check("contains", ("Paris", "the capital")),)
    assert [(case.question, case.checks[0].values) for case in found[1:]] == [
        ("q?", ("Paris",)),
        ("[not json]", ("{neither}",)),
        ('{"a": "never ends"', ('["a"',)),
        ('{"a": }', ('["a" "b"]',)),
    ]


def test_a_column_of_chats(tmp_path: Path) -> None:
    chat = [{"role": "user", "content": "q?"}, {"role": "assistant", "content": "Paris"}]
    cell = json.dumps(chat).replace('"', '""')
    assert asked(read(tmp_path, f'id,messages\n1,"{cell}"\n', "x.csv")) == [("q?", "contains", ("Paris",))]


@pytest.mark.parametrize(
    ("content", "name", "reason", "detail"),
    [
        (b"", "x.jsonl", RefusalReason.EMPTY, ""),
        (b" \n\n", "x.yaml", RefusalReason.EMPTY, ""),
        (b"[]", "x.json", RefusalReason.EMPTY, ""),
        (b'{"tests": []}', "x.json", RefusalReason.EMPTY, ""),
        (b"input,expected\n", "x.csv", RefusalReason.EMPTY, ""),
        (b"%PDF-1.7\n", "x.json", RefusalReason.UNSUPPORTED, "pdf"),
        (b"\x89PNG\r\n\x1a\n\0\0", "x.json", RefusalReason.UNSUPPORTED, "image"),
        (b"<html><body>", "x.json", RefusalReason.UNSUPPORTED, "html"),
        (b"\0\1\2\3" * 20, "x.csv", RefusalReason.BINARY, ""),
        (b"Q: what?\nA: this\n", "x.txt", RefusalReason.UNSUPPORTED, "text"),
        (b"input,other\na,b\n", "x.csv", RefusalReason.NOT_TABULAR, "answer"),
        (b"other,expected\na,b\n", "x.csv", RefusalReason.NOT_TABULAR, "question"),
        (b"x,y,z\n1,2,3\n4,5,6\n", "x.csv", RefusalReason.NOT_TABULAR, ""),
        (b"x" * (33 << 20), "x.jsonl", RefusalReason.TOO_LARGE, ""),
    ],
    ids=range(14),
)
def test_files_that_are_refused(
    tmp_path: Path, content: bytes, name: str, reason: RefusalReason, detail: str
) -> None:
    with pytest.raises(FileRefusal) as refused:
        read(tmp_path, content, name)
    assert (refused.value.reason, refused.value.detail) == (reason, detail)


def test_workbooks_are_refused(tmp_path: Path) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    with pytest.raises(FileRefusal) as refused:
        read(tmp_path, content.getvalue(), "tests.csv")
    assert (refused.value.reason, refused.value.detail) == (RefusalReason.UNSUPPORTED, "xlsx")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('[\n {"input": "q", "expected": "a"},\n {"input": "q",\n  "expected" "a"},\n 5\n]',
         [("line", 4, "not_json"), ("record", 3, "not_an_object")]),
        ('{"input": "q", "expected": }', [("line", 1, "not_json")]),
        ('[{"input": "q", "expected": "a"}, {"input": "q" "a"}]', [("record", 2, "not_json")]),
        ('{"version": 1,\n"tests": [\n{"input": "q", "expected": "a"},\n{"input": "q", ',
         [("line", 4, "truncated")]),
        ('{"tests": [\n{"input": "q", "expected": "a"},\n{"input": "q", "expected": "a"}\n',
         [("line", 4, "truncated")]),
        ('[{"input": "q", "expected": "a"}\n]\n\nnot json', [("line", 4, "not_json")]),
        ('[{"input": "q", "expected": "a"},\n"' + "a" * 200_000 + '", \n{"input": ]]',
         [("record", 2, "not_an_object"), ("line", 3, "not_json")]),
        ('{"tests": [{"input": "q", "expected": "a"}],\n"x": {', [("line", 2, "truncated")]),
    ],
)  # fmt: skip
def test_broken_json_names_its_line(tmp_path: Path, text: str, expected: list[tuple[str, int, str]]) -> None:
    found = [one[:3] for one in rejections(read(tmp_path, text, "x.json"))]
    assert found[: len(expected)] == expected


def test_broken_lines_of_json_are_named(tmp_path: Path) -> None:
    good = '{"input": "q", "expected": "a"}'
    lines = [good, "", '{"input": "q"', "5", '{"input": "q", "expected": "\udcff"}', good, '{"input": "q", "exp']
    content = "\r\n".join(["\ufeff" + lines[0], *lines[1:]]).encode("utf-8", "surrogateescape")
    found = read(tmp_path, content, "x.jsonl")
    assert len(cases(found)) == 2
    assert [one[:3] for one in rejections(found)] == [
        ("line", 3, "not_json"),
        ("line", 4, "not_an_object"),
        ("line", 5, "bad_encoding"),
        ("line", 7, "truncated"),
    ]
