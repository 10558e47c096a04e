"""A case as the page shows it. Pure."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, NamedTuple

from trainer.evaluation.report.word_diff import word_changes
from trainer.evaluation.report.words import CHANGES, ERRORS, KINDS, VERDICTS, check_text, decimal, dollars, seconds
from trainer.i18n import N_

if TYPE_CHECKING:
    from trainer.evaluation.cases import Check, Exchange
    from trainer.evaluation.report.view import Changed
    from trainer.evaluation.report.word_diff import Piece
    from trainer.evaluation.results import CaseResult, CheckResult
    from trainer.i18n import Translator


class CheckPart(NamedTuple):
    """A check, and what it says."""

    mark: str
    text: str
    check_values: tuple[str, ...]
    score: str
    reason: str


class BeforePart(NamedTuple):
    """What the answer was in the earlier run."""

    title: str
    pieces: list[Piece]


class CasePart(NamedTuple):
    """A case."""

    number: int
    verdict: str
    verdict_text: str
    change: str
    change_text: str
    open: bool
    question: str
    score: str
    facts: str
    error: str
    former: tuple[Exchange, ...]
    checks: list[CheckPart]
    answer: str
    before: BeforePart | None


def case_part(
    t: Translator, result: CaseResult, change: Changed, before: CaseResult | None, *, is_open: bool
) -> CasePart:
    """Put a case into words."""
    case = result.case
    marked = change if change in {"improved", "regressed"} else ""
    return CasePart(
        number=result.number + 1,
        verdict=result.verdict,
        verdict_text=t(VERDICTS[result.verdict]),
        change=marked,
        change_text=t(CHANGES[marked]) if marked else "",
        open=is_open,
        question=case.question,
        score="" if result.verdict == "error" else decimal(t, result.score, 2),
        facts=_facts(t, result),
        error=t(ERRORS[result.error or "internal"]) if result.verdict == "error" else "",
        former=case.former,
        checks=[
            _check(t, check, found) for check, found in zip_longest(case.checks, result.checks[: len(case.checks)])
        ],
        answer=_answer(t, result),
        before=None if before is None else _before(t, before, result),
    )


def _facts(t: Translator, result: CaseResult) -> str:
    """In small print: what tells the case from others, and how its answer came about."""
    case = result.case
    found = [f"#{result.number + 1}", case.id, ", ".join(case.tags)]
    if result.kind:
        found.append(t(KINDS[result.kind]) if result.kind in KINDS else result.kind)
    if result.seconds:
        found.append(seconds(t, result.seconds))
    if result.input_tokens or result.output_tokens:
        tokens = result.input_tokens + result.output_tokens
        found.append(t.plural("{count} token", "{count} tokens", tokens))
    if result.usd:
        found.append(dollars(t, result.usd))
    if case.weight != 1:
        found.append(t(N_("weight {weight}"), weight=decimal(t, case.weight, 2)))
    if result.leaked:
        found.append(t(N_("a training example too")))
    return " · ".join(fact for fact in found if fact)


def _check(t: Translator, check: Check, found: CheckResult | None) -> CheckPart:
    text = check_text(t, check)
    if found is None:
        return CheckPart("–", text, check.values, "", "")
    if found.error is not None:
        return CheckPart("–", f"{text} ({t(ERRORS[found.error])})", check.values, "", found.reason)
    score = decimal(t, found.score, 2) if 0 < found.score < 1 else ""
    return CheckPart("✓" if found.passed else "✗", text, check.values, score, found.reason)


def _answer(t: Translator, result: CaseResult) -> str:
    if result.answer:
        return result.answer
    return t(N_("(none)")) if result.verdict == "error" and not result.kind else t(KINDS["unknown"])


def _before(t: Translator, before: CaseResult, now: CaseResult) -> BeforePart:
    values = {
        "before": t(VERDICTS[before.verdict]), "score": decimal(t, before.score, 2),
        "now": t(VERDICTS[now.verdict]), "score_now": decimal(t, now.score, 2),
    }  # fmt: skip
    heading = t(N_("What changed in the answer: {before} ({score}) → {now} ({score_now})"), **values)
    return BeforePart(heading, word_changes(_answer(t, before), _answer(t, now)))
