"""The document for programs."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import msgspec

from tests.unit.evaluation.results_made import hostile, made, run, view
from trainer.evaluation.comparison import Comparison
from trainer.evaluation.report.json_report import write_json
from trainer.evaluation.results import CaseResult
from trainer.evaluation.summary import Summary

if TYPE_CHECKING:
    from trainer.evaluation.report.view import ReportView


def document_of(given: ReportView) -> dict[str, Any]:
    stream = io.BytesIO()
    write_json(stream, given)
    found: dict[str, Any] = json.loads(stream.getvalue())
    return found


def test_everything_is_there_and_can_be_read_back() -> None:
    results = [made(0, "failed", 0.5), made(1, "error"), hostile(2)]
    given = view(results, [made(0), made(1)])._replace(earlier=run(2))
    found = document_of(given)
    assert list(found) == ["run", "summary", "earlier", "comparison", "baseline", "cases"]
    assert found["run"]["subject"]["dataset"] == "support"
    assert msgspec.convert(found["summary"], Summary) == given.summary
    assert msgspec.convert(found["comparison"], Comparison) == given.comparison
    assert found["baseline"] is None
    assert [case.pop("change") for case in found["cases"]] == ["regressed", "unjudged", ""]
    assert msgspec.convert(found["cases"], list[CaseResult]) == results


def test_a_run_without_cases_is_valid_too() -> None:
    found = document_of(view([]))
    assert found["cases"] == []
    assert found["comparison"] is None
