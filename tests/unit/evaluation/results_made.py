"""Results and views of runs, made for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainer.evaluation.cases import Case, Check, Exchange
from trainer.evaluation.comparison import compare
from trainer.evaluation.report.view import ReportView
from trainer.evaluation.results import CaseResult, CheckResult, ErrorReason, Run, Subject, Verdict
from trainer.evaluation.summary import outcomes_of, summarise

if TYPE_CHECKING:
    from collections.abc import Sequence

HOSTILE = "</script><script>alert(1)</script> \"'&<img src=x onerror=alert(2)> {{ 7*7 }} \u202egnp.exe\u202c \0\x1b"


def made(
    number: int,
    verdict: Verdict = "passed",
    score: float | None = None,
    *,
    case: Case | None = None,
    tags: Sequence[str] = (),
    weight: float = 1.0,
    answer: str = "Read the rules first.",
    kind: str = "trained",
    error: ErrorReason | None = None,
    reason: str = "",
    seconds: float = 0.5,
    usd: float | None = 0.0,
    tokens: tuple[int, int] = (0, 0),
    leaked: bool = False,
) -> CaseResult:
    """What came of a case."""
    if case is None:
        checks = (Check("exact", ("Read the rules first.",)),)
        case = Case(id=f"c{number}", question=f"Question {number}?", checks=checks, tags=tuple(tags), weight=weight)
    if score is None:
        score = 1.0 if verdict == "passed" else 0.0
    if verdict == "error":
        error = error or "model"
    checked = tuple(CheckResult(check.kind, verdict == "passed", score, reason=reason) for check in case.checks)
    return CaseResult(
        number=number,
        case=case,
        verdict=verdict,
        score=score,
        answer="" if error == "model" else answer,
        kind="" if error == "model" else kind,
        checks=() if error == "model" else checked,
        error=error,
        seconds=seconds,
        input_tokens=tokens[0],
        output_tokens=tokens[1],
        usd=usd,
        leaked=leaked,
    )


def hostile(number: int) -> CaseResult:
    """A case of which every text is out to do harm."""
    case = Case(
        id=f"c{number}",
        question=HOSTILE,
        checks=(Check("exact", (HOSTILE, "=1+1")), Check("judge", (HOSTILE,), negate=True)),
        former=(Exchange(HOSTILE, HOSTILE),),
        tags=(HOSTILE,),
    )
    return made(number, "failed", 0.25, case=case, answer=HOSTILE, reason=HOSTILE)


def run(cases: int, *, dataset: str = "support") -> Run:
    """A run of so many cases."""
    subject = Subject(dataset=dataset, model="gpt-test", snapshot="s1", examples=12, judge="judge-test")
    return Run(
        id="1400000000000000000",
        author="42",
        created_at=1_790_000_000,
        subject=subject,
        cases=cases,
        source="file",
        file_name="cases.jsonl",
    )


def view(results: Sequence[CaseResult], before: Sequence[CaseResult] = (), *, dataset: str = "support") -> ReportView:
    """A run's results, to be told of; compared with earlier ones if there are any."""
    earlier = {result.case.id: result for result in before}
    compared = compare(outcomes_of(before), outcomes_of(results)) if before else None
    return ReportView(
        run=run(len(results), dataset=dataset),
        summary=summarise(results),
        comparison=compared,
        baseline=None,
        results=lambda: iter(results),
        before=earlier.get,
    )
