"""One check of any kind, negated or not, whether or not the bot knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import pytest

from trainer.evaluation.cases import Case, Check, CheckKind, Exchange
from trainer.evaluation.checks import CheckTools, first_error, run_check
from trainer.evaluation.judge import Judge
from trainer.evaluation.results import CheckResult
from trainer.ports import ChatMessage, ChatReply, ChatUsage, ModelUnavailable, OnText

if TYPE_CHECKING:
    from collections.abc import Sequence

KINDS = get_args(CheckKind)


class Chat:
    """A model that says one thing."""

    name = "grader"

    def __init__(self, text: str | None) -> None:
        self.text = text
        self.asked: list[Sequence[ChatMessage]] = []

    def reply(self, messages: Sequence[ChatMessage], *, max_tokens: int, on_text: OnText | None = None) -> ChatReply:
        self.asked.append(messages)
        if self.text is None:
            raise ModelUnavailable("timeout", retryable=True)
        return ChatReply(self.text, self.name, ChatUsage(1, 1), truncated=False)


def same(texts: Sequence[str]) -> list[tuple[float, float]]:
    return [(1.0, 0.0) if "42" in text else (0.0, 1.0) for text in texts]


def unavailable(texts: Sequence[str]) -> list[Sequence[float]]:
    raise ModelUnavailable("timeout", retryable=True)


CORRECT = '{"reason": "It says so.", "verdict": "correct"}'


def tools(text: str | None = CORRECT) -> CheckTools:
    return CheckTools(same, Judge(Chat(text)))


def case(check: Check) -> Case:
    return Case(id="1", question="Life?", checks=(check,))


def run(check: Check, answer: str, *, knows: bool = True, with_tools: CheckTools | None = None) -> CheckResult:
    return run_check(check, case(check), answer, knows, tools() if with_tools is None else with_tools)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "abstain"])
def test_each_kind_passes_what_is_as_expected(kind: CheckKind) -> None:
    found = run(Check(kind, ("42",)), "42")
    assert (found.kind, found.passed, found.error) == (kind, True, None)
    assert found.score == pytest.approx(1)
    assert found.reason == ("It says so." if kind == "judge" else "")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in {"abstain", "judge"}])
def test_each_kind_fails_what_is_not(kind: CheckKind) -> None:
    assert run(Check(kind, ("42",)), "seven") == CheckResult(kind, passed=False, score=0)
    assert run(Check(kind, ("42",), negate=True), "seven") == CheckResult(kind, passed=True, score=1)
    negated = run(Check(kind, ("42",), negate=True), "42")
    assert not negated.passed
    assert negated.score == pytest.approx(0)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "abstain"])
@pytest.mark.parametrize("threshold", [None, 0.0])
def test_an_answer_that_was_not_given_passes_only_what_it_must_not_be_like(
    kind: CheckKind, threshold: float | None
) -> None:
    chat = Chat(CORRECT)
    asked = CheckTools(unavailable, Judge(chat))
    assert run(Check(kind, ("42",), threshold), "", knows=False, with_tools=asked) == CheckResult(
        kind, passed=False, score=0
    )
    assert run(Check(kind, ("42",), threshold, negate=True), "", knows=False, with_tools=asked) == CheckResult(
        kind, passed=True, score=1
    )
    assert not chat.asked


def test_abstaining() -> None:
    assert run(Check("abstain"), "", knows=False) == CheckResult("abstain", passed=True, score=1)
    assert run(Check("abstain"), "42") == CheckResult("abstain", passed=False, score=0)
    assert run(Check("abstain", negate=True), "42").passed
    assert not run(Check("abstain", negate=True), "", knows=False).passed


def test_a_pattern_that_matches_nothing_at_all_does_not_match_an_abstention() -> None:
    assert not run(Check("regex", ("^$",)), "", knows=False).passed
    assert run(Check("regex", ("^$",)), "").passed


@pytest.mark.parametrize("negate", [False, True])
@pytest.mark.parametrize("knows", [False, True])
@pytest.mark.parametrize(
    "check",
    [
        *(Check(kind) for kind in KINDS if kind != "abstain"),
        *(Check(kind, (" ", "\n")) for kind in KINDS if kind != "abstain"),
        Check("regex", ("(",)),
        Check("numeric", ("none",)),
        Check("exact", ("\u200b",)),
    ],
)
def test_a_check_that_cannot_be_made_never_passes(check: Check, negate: bool, knows: bool) -> None:
    made = Check(check.kind, check.values, 0.0, negate=negate)
    found = run(made, "42" if knows else "", knows=knows)
    assert (found.passed, found.score, found.error) == (False, 0, None)
    assert found.reason


@pytest.mark.parametrize(
    ("check", "with_tools", "error"),
    [
        (Check("semantic", ("42",)), CheckTools(), "embedder_missing"),
        (Check("semantic", ("42",)), CheckTools(unavailable), "model"),
        (Check("judge", ("42",)), CheckTools(same), "judge_missing"),
        (Check("judge", ("42",)), tools(None), "model"),
        (Check("judge", ("42",)), tools("Correct!"), "judge_unparsed"),
    ],
)
@pytest.mark.parametrize("negate", [False, True])
def test_an_error_is_neither_right_nor_wrong(check: Check, with_tools: CheckTools, error: str, negate: bool) -> None:
    made = Check(check.kind, check.values, 0.0, negate=negate)
    found = run(made, "42", with_tools=with_tools)
    assert (found.passed, found.score, found.error) == (False, 0, error)
    assert first_error([found]) == error


@pytest.mark.parametrize(
    ("threshold", "passes"), [(None, False), (0.75, True), (0.7501, False), (0.0, True), (1.0, False)]
)
def test_a_score_passes_from_its_threshold_on(threshold: float | None, passes: bool) -> None:
    check = Check("contains_all", ("a", "b", "c", "d"), threshold)
    found = run(check, "a b c")
    assert (found.passed, found.score) == (passes, 0.75)
    negated = run(Check("contains_all", ("a", "b", "c", "d"), threshold, negate=True), "a b c")
    assert (negated.passed, negated.score) == (not passes, 0.25)


def test_mostly_is_enough_for_the_judge() -> None:
    for label, passes in (("correct", True), ("mostly", True), ("partly", False), ("wrong", False)):
        found = run(Check("judge", ("42",)), "41", with_tools=tools(f'{{"reason": "", "verdict": "{label}"}}'))
        assert found.passed is passes


def test_the_judge_knows_the_conversation() -> None:
    chat = Chat(CORRECT)
    check = Check("judge", ("42",))
    asked = Case(id="1", question="And why?", checks=(check,), former=(Exchange("Who was it?", "Deep Thought"),))
    run_check(check, asked, "Because.", True, CheckTools(None, Judge(chat)))
    assert "Deep Thought" in chat.asked[0][-1].content
