"""The table for spreadsheets."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pytest

from tests.unit.evaluation.results_made import HOSTILE, hostile, made, view
from trainer.evaluation.cases import Case, Check, Exchange
from trainer.evaluation.report.table import COLUMNS, write_csv
from trainer.importers.rejections import Place

if TYPE_CHECKING:
    from trainer.evaluation.report.view import ReportView


def rows_of(given: ReportView) -> list[dict[str, str]]:
    stream = io.BytesIO()
    write_csv(stream, given)
    data = stream.getvalue()
    assert data.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


def test_every_case_is_a_row() -> None:
    case = Case(
        id="a1",
        question='How, "exactly"?\nPlease.',
        checks=(Check("contains_any", ("one", "two")), Check("abstain", negate=True)),
        former=(Exchange("Hello", "Hi"),),
        tags=("x", "y"),
        place=Place("line", 7),
    )
    results = [
        made(0, "failed", 0.25, case=case, reason="No.", usd=0.5, tokens=(3, 4), leaked=True),
        made(1, "error", usd=None),
    ]
    first, second = rows_of(view(results, [made(0, case=case), made(1)]))
    assert list(first) == list(COLUMNS)
    assert first["question"] == 'How, "exactly"?\nPlease.'
    assert (first["number"], first["id"], first["place"], first["tags"]) == ("1", "a1", "line 7", "x, y")
    assert first["former"] == "Q: Hello\nA: Hi"
    assert first["expected"] == "contains_any: one | two\nnot abstain"
    assert (first["verdict"], first["change"], first["score"]) == ("failed", "regressed", "0.2500")
    assert first["checks"] == "contains_any=0.2500; abstain=0.2500"
    assert (first["reasons"], first["leaked"], first["usd"]) == ("No.\nNo.", "yes", "0.500000")
    assert (second["verdict"], second["change"], second["error"], second["usd"]) == ("error", "unjudged", "model", "")


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", " =", "＝"])
def test_no_cell_is_a_formula(start: str) -> None:
    (row,) = rows_of(view([made(0, answer=f"{start}HYPERLINK(1)")]))
    assert row["answer"] == f"'{start}HYPERLINK(1)"


def test_hostile_words_stay_in_their_cells() -> None:
    rows = rows_of(view([hostile(0), hostile(1)]))
    assert [row["question"] for row in rows] == [HOSTILE, HOSTILE]


def test_half_a_character_does_not_end_the_table() -> None:
    (row,) = rows_of(view([made(0, answer="Half \ud800.")]))
    assert row["answer"] == "Half ?."


def test_a_run_without_cases_has_a_heading() -> None:
    stream = io.BytesIO()
    write_csv(stream, view([]))
    assert stream.getvalue().decode("utf-8-sig") == ",".join(COLUMNS) + "\r\n"
