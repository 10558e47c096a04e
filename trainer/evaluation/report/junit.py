"""The cases of a run as JUnit XML, which CI systems show."""

from __future__ import annotations

import shutil
from collections import Counter
from datetime import UTC, datetime
from tempfile import TemporaryFile
from typing import TYPE_CHECKING, BinaryIO, Final

from junitparser import Error, Failure, JUnitXml, TestCase, TestSuite

from trainer.evaluation.report.safe_text import for_xml
from trainer.evaluation.report.words import ERRORS

if TYPE_CHECKING:
    from trainer.evaluation.report.view import ReportView
    from trainer.evaluation.results import CaseResult

NAME_MOST: Final = 120
"""Letters of a question that name its case."""


def write_junit(stream: BinaryIO, view: ReportView) -> None:
    """Write a suite with a test for each case: what did not pass is a failure, what could not be judged an error.

    A case is in memory at a time. How many there are stands before them, so they are written aside first.
    """
    run = view.run
    name = for_xml(run.subject.dataset)
    suite = TestSuite(name)
    suite.timestamp = f"{datetime.fromtimestamp(run.created_at, UTC):%Y-%m-%dT%H:%M:%S}"
    for key, value in _facts(view).items():
        suite.add_property(key, for_xml(value))
    counts: Counter[str] = Counter()
    seconds = 0.0
    with TemporaryFile() as tests:
        for result in view.results():
            test = _test(result, name)
            counts[result.verdict] += 1
            seconds += test.time
            tests.write(test.tostring())  # type: ignore[no-untyped-call]  # junitparser does not type all of it
        document = JUnitXml()
        document.add_testsuite(suite)
        for element in (suite, document):
            element.tests, element.failures = counts.total(), counts["failed"]
            element.errors, element.skipped, element.time = counts["error"], 0, round(seconds, 3)
        whole: bytes = document.tostring()  # type: ignore[no-untyped-call]
        head, end, rest = whole.rpartition(b"</testsuite>")
        stream.write(b"<?xml version='1.0' encoding='UTF-8'?>\n" + head)
        tests.seek(0)
        shutil.copyfileobj(tests, stream)
        stream.write(end + rest)


def _facts(view: ReportView) -> dict[str, str]:
    """What was tested and what came of it; what is not known is left out."""
    run, numbers = view.run, view.summary.numbers
    facts = {
        "run": run.id,
        "dataset": run.subject.dataset,
        "snapshot": run.subject.snapshot,
        "examples": str(run.subject.examples),
        "model": run.subject.model,
        "instruction": run.subject.instruction,
        "judge": run.subject.judge,
        "embedder": run.subject.embedder,
        "cases": str(run.cases),
        "judged": str(numbers.judged),
        "leaked": str(view.summary.leaked),
    }
    if numbers.rate is not None and numbers.interval is not None:
        facts["pass_rate"] = f"{numbers.rate:.4f}"
        facts["pass_rate_95"] = f"{numbers.interval.low:.4f} {numbers.interval.high:.4f}"
    return {key: value for key, value in facts.items() if value}


def _test(result: CaseResult, suite: str) -> TestCase:
    case = result.case
    question = " ".join(for_xml(case.question).split())
    short = question if len(question) <= NAME_MOST else question[: NAME_MOST - 1] + "…"
    # The id keeps the name apart from those of cases with the same question, and the same from run to run.
    test = TestCase(f"{short} [{for_xml(case.id)}]", suite, round(result.seconds, 3))
    if result.verdict == "failed":
        entry = Failure(f"score {result.score:.2f}", ", ".join(dict.fromkeys(_failed_kinds(result))))
        entry.text = for_xml(_told(result))
        test.result = [entry]
    elif result.verdict == "error":
        error = Error(ERRORS[result.error or "internal"], result.error or "internal")
        error.text = for_xml(_told(result))
        test.result = [error]
    return test


def _failed_kinds(result: CaseResult) -> list[str]:
    return [check.kind for check in result.checks if not check.passed] or ["score"]


def _told(result: CaseResult) -> str:
    """The whole case, for whoever looks into why it did not pass."""
    lines = [f"question: {result.case.question}"]
    for check in result.case.checks:
        wanted = f"not {check.kind}" if check.negate else check.kind
        lines.append(f"expected, {wanted}: {' | '.join(check.values)}" if check.values else f"expected, {wanted}")
    lines.append(f"answer: {result.answer}" if result.answer else f"no answer ({result.kind or 'none'})")
    lines += [f"{check.kind} {check.score:.2f}: {check.reason}" for check in result.checks if check.reason]
    return "\n".join(lines)
