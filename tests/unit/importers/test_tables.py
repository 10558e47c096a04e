from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pytest

from tests.unit.importers.files import pairs, passages, places, read, rejections
from trainer.importers import FileRefusal, RefusalReason, RejectionReason

if TYPE_CHECKING:
    from pathlib import Path

BOTH = [("q1", "a1"), ("q2", "a2")]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("name", ["x.csv", "x.tsv", "x.txt", "x", "x.json"])
def test_delimiters_under_any_name(tmp_path: Path, delimiter: str, name: str) -> None:
    rows = [("id", "question", "answer"), ("1", "q1", "a1"), ("2", "q2", "a2")]
    text = "".join(delimiter.join(row) + "\r\n" for row in rows)
    items = read(tmp_path, text, name)
    assert pairs(items) == BOTH
    assert places(items) == [("row", 2), ("row", 3)]


@pytest.mark.parametrize(
    "header",
    ["Question,Answer", " PROMPT , Completion ", "\ufeffquestion,answer", '"question","answer"', "вопрос,ответ",
     "User Input,expected-output", "q,a", "input,ideal", "instruction,output"],
)  # fmt: skip
@pytest.mark.parametrize("end", ["\n", "\r", "\r\n"])
def test_headers(tmp_path: Path, header: str, end: str) -> None:
    items = read(tmp_path, end.join([header, "q1,a1", "q2,a2"]), "x.csv")
    assert pairs(items) == BOTH


def test_columns_in_any_order_and_more_of_them(tmp_path: Path) -> None:
    text = "id,Answer,notes,Question,label\n1,a1,,q1,0\n2,a2,n,q2\n,,,,\n\n3,a3,n\n4,,n,q4\n"
    items = read(tmp_path, text, "x.csv")
    assert pairs(items) == BOTH
    assert rejections(items) == [
        (6, RejectionReason.MISSING_QUESTION, "question"),
        (7, RejectionReason.MISSING_ANSWER, "answer"),
    ]


def test_rows_are_counted_as_a_spreadsheet_does(tmp_path: Path) -> None:
    text = 'question,answer\r\n"q\r\n1","a\r\n\r\n""1"""\r\n\r\nq2,a2\r\nq3\r\n'
    items = read(tmp_path, text, "x.csv")
    assert pairs(items) == [("q\n1", 'a\n\n"1"'), ("q2", "a2")]
    assert places(items) == [("row", 2), ("row", 4), ("row", 5)]


@pytest.mark.parametrize("text", ["q1,a1\nq2,a2\n", '"q1","a1"\n"q2","a2"', "q1;a1\nq2;a2", "q1\ta1\nq2\ta2\n"])
def test_two_columns_without_a_header(tmp_path: Path, text: str) -> None:
    items = read(tmp_path, text, "x.csv")
    assert pairs(items) == BOTH
    assert places(items) == [("row", 1), ("row", 2)]


def test_the_delimiter_that_gives_even_rows_wins(tmp_path: Path) -> None:
    text = "Is it, then?;Yes, it is, surely\nAnd now?;No\nWhy, why?;So\n"
    assert pairs(read(tmp_path, text, "x.csv"))[0] == ("Is it, then?", "Yes, it is, surely")


def test_excel_names_its_delimiter(tmp_path: Path) -> None:
    items = read(tmp_path, "\ufeffsep=;\r\nquestion;answer\r\nq1;a1\r\nq2;a2\r\n", "x.csv")
    assert pairs(items) == BOTH
    assert places(items) == [("row", 2), ("row", 3)]


def test_a_table_of_markdown(tmp_path: Path) -> None:
    text = "| Question | Answer |\n|:---|---:|\n| q1 | a1 |\n| q2 | a2 |\n"
    items = read(tmp_path, text, "x.md")
    assert pairs(items) == BOTH
    assert not rejections(items)


def test_other_shapes_in_tables(tmp_path: Path) -> None:
    items = read(tmp_path, "instruction,input,output\nadd,1 2,3\n", "x.csv")
    assert pairs(items) == [("add\n1 2", "3")]
    items = read(tmp_path, "prompt,chosen,rejected\nq1,a1,bad\n", "x.csv")
    assert pairs(items) == [("q1", "a1")]
    items = read(tmp_path, "prompt,completion,label\nq1,a1,True\nq2,a2,False\n", "x.csv")
    assert pairs(items) == [("q1", "a1")]
    assert rejections(items) == [(3, RejectionReason.NEGATIVE_LABEL, "label")]


def test_a_column_of_texts(tmp_path: Path) -> None:
    items = read(tmp_path, 'text\n"A house, it is said, has rooms."\nA tree has leaves.\n', "x.csv")
    assert passages(items) == [("", "A house, it is said, has rooms."), ("", "A tree has leaves.")]


def test_formulas_are_text(tmp_path: Path) -> None:
    items = read(tmp_path, "question,answer\n=1+1,@SUM(A1)\n+1,-1\n", "x.csv")
    assert pairs(items) == [("=1+1", "@SUM(A1)"), ("+1", "-1")]


def test_a_row_that_is_too_wide(tmp_path: Path) -> None:
    items = read(tmp_path, "question,answer\nq1,Yes, you can\nq2,a2,, \nq3,a3\n", "x.csv")
    assert pairs(items) == [("q2", "a2"), ("q3", "a3")]
    assert rejections(items) == [(2, RejectionReason.ROW_WIDTH, "")]


def test_an_unclosed_quotation_mark_costs_its_row_only(tmp_path: Path) -> None:
    rows = "".join(f"q{number},a{number}\n" for number in range(5_000))
    items = read(tmp_path, f'question,answer\nfirst,one\n"broken,row\n{rows}', "x.csv")
    assert pairs(items) == [("first", "one"), *((f"q{number}", f"a{number}") for number in range(5_000))]
    assert rejections(items) == [(3, RejectionReason.UNCLOSED_QUOTE, "")]


def test_a_file_that_ends_in_a_quoted_cell(tmp_path: Path) -> None:
    items = read(tmp_path, 'question,answer\nq1,a1\nq2,"a2\nand a long story\nthat is cut', "x.csv")
    assert pairs(items) == [("q1", "a1")]
    assert rejections(items) == [(3, RejectionReason.TRUNCATED, "")]


def test_an_endless_cell_is_skipped_to_its_end(tmp_path: Path) -> None:
    cell = "line of it\n" * 10_000
    items = read(tmp_path, f'question,answer\nq1,a1\nlong,"{cell}"\nq2,a2\n', "x.csv")
    assert pairs(items) == BOTH
    assert rejections(items) == [(3, RejectionReason.TOO_LONG, "")]


def test_an_endless_cell_to_the_end_of_the_file(tmp_path: Path) -> None:
    items = read(tmp_path, 'question,answer\nq1,a1\nlong,"' + "line of it\n" * 10_000, "x.csv")
    assert pairs(items) == [("q1", "a1")]
    assert rejections(items) == [(3, RejectionReason.TOO_LONG, "")]


@pytest.mark.parametrize("filling", ["," * 1_000_000, '"' * 1_000_001, "x" * 1_000_000, 'x,"' * 300_000])
def test_an_endless_line_costs_itself_only(tmp_path: Path, filling: str) -> None:
    items = read(tmp_path, f"question,answer\nq1,a1\n{filling}\nq2,a2\n", "x.csv")
    assert pairs(items) == BOTH
    assert rejections(items) == [(3, RejectionReason.TOO_LONG, "")]
    items = read(tmp_path, f"question,answer\nq1,a1\n{filling}", "x.csv")
    assert pairs(items) == [("q1", "a1")]
    assert rejections(items) == [(3, RejectionReason.TOO_LONG, "")]


@pytest.mark.parametrize("line", ['a","x', '"', '""', '"""', 'a,"', '"a"b"c', ","])
def test_quotation_marks_without_number(tmp_path: Path, line: str) -> None:
    text = f"question,answer\nq1,a1\n{(line + chr(10)) * 100_000}"
    items = read(tmp_path, text, "x.csv")
    assert pairs(items)[:1] == [("q1", "a1")]


def test_broken_bytes_cost_their_row_only(tmp_path: Path) -> None:
    content = "question,answer\nгде,тут\n".encode() + b"q\xff,a\n" + "кто,ты\n".encode()
    items = read(tmp_path, content, "x.csv")
    assert pairs(items) == [("где", "тут"), ("кто", "ты")]
    assert rejections(items) == [(3, RejectionReason.BAD_ENCODING, "")]


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("id,name,city\n1,Ann,Rome\n2,Bob,Oslo\n", ""),
        ("question,notes\nq1,n\nq2,n\n", "answer"),
        ("notes,reply\nn,a1\nn,a2\n", "question"),
        ("question\nq1\nq2\n", "answer"),
    ],
)
def test_tables_without_questions_and_answers_are_refused(tmp_path: Path, text: str, detail: str) -> None:
    with pytest.raises(FileRefusal) as refusal:
        read(tmp_path, text, "x.csv")
    assert refusal.value.reason is RefusalReason.NOT_TABULAR
    assert refusal.value.detail == detail


def test_a_header_alone_is_empty(tmp_path: Path) -> None:
    with pytest.raises(FileRefusal) as refusal:
        read(tmp_path, "question,answer\n", "x.csv")
    assert refusal.value.reason is RefusalReason.EMPTY


def test_a_table_in_name_only_is_text(tmp_path: Path) -> None:
    assert passages(read(tmp_path, "This is no table.\nIt only says so.", "x.csv"))
    assert pairs(read(tmp_path, "Q: Who, then?\nA: You.", "x.csv")) == [("Who, then?", "You.")]


def test_text_that_begins_with_a_comma_is_text(tmp_path: Path) -> None:
    assert passages(read(tmp_path, "One, two.\nThree, four.\n", "x.txt"))


def test_all_of_a_real_table(tmp_path: Path) -> None:
    rows = [(f"How, {n}?", f'She said "{n}",\nthen left; really\t| yes') for n in range(200)]
    for delimiter in ",;\t|":
        out = io.StringIO()
        writer = csv.writer(out, delimiter=delimiter)
        writer.writerows([("Вопрос", "Ответ"), *rows])
        assert pairs(read(tmp_path, out.getvalue(), "x.csv")) == rows
