"""The cases of a run as a CSV table for spreadsheets."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, BinaryIO, Final

from trainer.evaluation.report.view import Changes
from trainer.feedback_summary import harmless

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trainer.evaluation.cases import Case, Exchange
    from trainer.evaluation.report.view import Changed, ReportView
    from trainer.evaluation.results import CaseResult

COLUMNS: Final = (
    "number",
    "id",
    "place",
    "tags",
    "former",
    "question",
    "expected",
    "verdict",
    "change",
    "score",
    "answer",
    "kind",
    "checks",
    "reasons",
    "error",
    "leaked",
    "weight",
    "seconds",
    "input_tokens",
    "output_tokens",
    "usd",
)
"""Named alike in every language: scripts read them."""


def write_csv(stream: BinaryIO, view: ReportView) -> None:
    """Write a row for each case, in the order of the cases. No cell is a formula."""
    changes = Changes(view.comparison)
    stream.write(b"\xef\xbb\xbf")  # spreadsheets take the file for UTF-8 by this mark
    stream.write(_line(COLUMNS))
    stream.writelines(_line(_row(result, changes.of(result.case.id))) for result in view.results())


def _line(cells: Sequence[str]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer).writerow(harmless(cell) for cell in cells)
    return buffer.getvalue().encode("utf-8", "replace")


def _row(result: CaseResult, change: Changed) -> list[str]:
    case = result.case
    return [
        str(result.number + 1),
        case.id,
        f"{case.place.unit} {case.place.number}" if case.place is not None else "",
        ", ".join(case.tags),
        "\n".join(_turn(one) for one in case.former),
        case.question,
        _expected(case),
        result.verdict,
        change,
        f"{result.score:.4f}",
        result.answer,
        result.kind,
        "; ".join(f"{one.kind}={one.error or f'{one.score:.4f}'}" for one in result.checks),
        "\n".join(one.reason for one in result.checks if one.reason),
        result.error or "",
        "yes" if result.leaked else "no",
        f"{case.weight:g}",
        f"{result.seconds:.3f}",
        str(result.input_tokens),
        str(result.output_tokens),
        "" if result.usd is None else f"{result.usd:.6f}",
    ]


def _expected(case: Case) -> str:
    """Each check on a line of its own: what it compares, and with what."""
    lines = []
    for check in case.checks:
        kind = f"not {check.kind}" if check.negate else check.kind
        lines.append(f"{kind}: {' | '.join(check.values)}" if check.values else kind)
    return "\n".join(lines)


def _turn(one: Exchange) -> str:
    return f"Q: {one.question}\nA: {one.answer}"
