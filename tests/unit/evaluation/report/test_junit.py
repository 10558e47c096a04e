"""JUnit XML, read as a CI system reads it."""

from __future__ import annotations

import io
import tempfile
import tracemalloc
from typing import TYPE_CHECKING, cast
from xml.etree import ElementTree as ET

from tests.unit.evaluation.results_made import hostile, made, view
from trainer.evaluation.cases import Case, Check
from trainer.evaluation.report.junit import NAME_MOST, write_junit
from trainer.evaluation.summary import summarise

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from trainer.evaluation.report.view import ReportView
    from trainer.evaluation.results import CaseResult


def suite_of(given: ReportView) -> ET.Element:
    stream = io.BytesIO()
    write_junit(stream, given)
    root = ET.fromstring(stream.getvalue())
    assert root.tag == "testsuites"
    (suite,) = root
    return suite


def test_failures_and_errors_are_told_apart() -> None:
    results = [
        made(0, seconds=0.5),
        made(1, "failed", 0.25, answer="No idea.", reason="Off the mark.", seconds=1.25),
        made(2, "error"),
        made(3, "error", error="judge_unparsed", answer="Perhaps."),
        made(4, "failed", answer="", kind="unknown"),
    ]
    suite = suite_of(view(results))
    counts = {name: suite.get(name) for name in ("name", "tests", "failures", "errors", "skipped", "timestamp")}
    assert counts == {
        "name": "support", "tests": "5", "failures": "2", "errors": "2", "skipped": "0",
        "timestamp": "2026-09-21T14:13:20",
    }  # fmt: skip
    tests = suite.findall("testcase")
    assert [test.get("name") for test in tests][:2] == ["Question 0? [c0]", "Question 1? [c1]"]
    assert [[entry.tag for entry in test] for test in tests] == [[], ["failure"], ["error"], ["error"], ["failure"]]
    assert tests[1].get("time") == "1.25"
    failure = tests[1][0]
    assert (failure.get("message"), failure.get("type")) == ("score 0.25", "exact")
    assert failure.text == (
        "question: Question 1?\nexpected, exact: Read the rules first.\nanswer: No idea.\nexact 0.25: Off the mark."
    )
    assert (tests[2][0].get("message"), tests[2][0].get("type")) == ("the model did not answer", "model")
    assert "answer: Perhaps." in (tests[3][0].text or "")
    assert "no answer (unknown)" in (tests[4][0].text or "")


def test_what_was_tested_stands_in_the_properties() -> None:
    suite = suite_of(view([made(0), made(1, "failed")]))
    facts = {one.get("name"): one.get("value") for one in suite.iter("property")}
    assert facts["model"] == "gpt-test"
    assert facts["pass_rate"] == "0.5000"
    assert facts["judged"] == "2"
    assert "instruction" not in facts
    assert "pass_rate" not in {one.get("name") for one in suite_of(view([made(0, "error")])).iter("property")}


def test_characters_that_xml_cannot_hold_are_replaced() -> None:
    (test,) = suite_of(view([hostile(0)], dataset="a\0b")).findall("testcase")
    assert test.get("classname") == "a\N{REPLACEMENT CHARACTER}b"
    assert (test.get("name") or "").startswith("</script><script>alert(1)</script> \"'&<img")
    assert "answer: </script>" in (test[0].text or "")
    assert "expected, not judge" in (test[0].text or "")


def test_long_questions_are_cut_and_still_told_apart() -> None:
    cases = [Case(id=f"c{number}", question="why " * 100, checks=(Check("abstain"),)) for number in range(2)]
    names = [test.get("name") or "" for test in suite_of(view([made(0, case=cases[0]), made(1, case=cases[1])]))
             if test.tag == "testcase"]  # fmt: skip
    assert len(set(names)) == 2
    assert names[0].endswith("… [c0]")
    assert len(names[0]) == NAME_MOST + len(" [c0]")


def test_a_case_below_its_threshold_fails_though_each_check_passed() -> None:
    found = made(0, "failed", 0.5)
    checks = tuple(type(check)(check.kind, passed=True, score=0.5) for check in found.checks)
    odd = type(found)(number=0, case=found.case, verdict="failed", score=0.5, answer="x", checks=checks)
    (test,) = suite_of(view([odd])).findall("testcase")
    assert test[0].get("type") == "score"


def test_a_run_without_cases_is_an_empty_suite() -> None:
    assert suite_of(view([])).get("tests") == "0"


def test_memory_does_not_grow_with_the_cases() -> None:
    def results() -> Iterator[CaseResult]:
        return (made(number, "failed", answer="no " * 2_500) for number in range(2_000))

    few = view([made(0, "failed")])
    write_junit(io.BytesIO(), few)  # what is loaded once
    many = few._replace(summary=summarise(results()), results=results)
    with tempfile.TemporaryFile() as stream:
        tracemalloc.start()
        try:
            write_junit(cast("BinaryIO", stream), many)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert stream.tell() > 15_000_000
        assert peak < 4 << 20
        stream.seek(0)
        (suite,) = ET.parse(stream).getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("time")) == ("2000", "2000", "1000.0")
    assert len(suite.findall("testcase")) == 2_000
