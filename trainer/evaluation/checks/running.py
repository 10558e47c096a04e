"""Runs one check of any kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from trainer.evaluation.checks import numbers, patterns, similarity, words
from trainer.evaluation.checks.compared import Compared, Unusable
from trainer.evaluation.checks.defaults import threshold_of
from trainer.evaluation.checks.scoring import reaches
from trainer.evaluation.results import CheckResult
from trainer.ports import ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trainer.evaluation.cases import Case, Check, CheckKind
    from trainer.evaluation.checks.compared import CheckTools

_BY_TEXT: Final[Mapping[CheckKind, Callable[[Check, str], Compared]]] = {
    "exact": words.exact,
    "contains": words.contains,
    "contains_any": words.contains,
    "contains_all": words.contains_all,
    "starts_with": words.starts_with,
    "regex": patterns.regex,
    "fuzzy": similarity.fuzzy,
    "chrf": similarity.chrf,
    "numeric": numbers.numeric,
}


def run_check(check: Check, case: Case, answer: str, knows: bool, tools: CheckTools) -> CheckResult:
    """What a check says of an answer.

    An answer that was not given passes nothing but `abstain` and what it must not be like. A check that cannot be
    made (an expression that is none, nothing expected) never passes, negated or not, and says why.

    Args:
        check: what the answer must be like.
        case: the case that it belongs to.
        answer: what people read; empty where the bot said that it does not know.
        knows: whether it said anything else.
        tools: what some kinds need.
    """
    try:
        compared = _compared(check, case, answer, knows, tools)
    except Unusable as error:
        return CheckResult(check.kind, passed=False, score=0.0, reason=str(error))
    except ModelUnavailable:
        compared = Compared(0.0, error="model")
    if compared.error is not None:
        return CheckResult(check.kind, passed=False, score=0.0, reason=compared.reason, error=compared.error)
    given = knows or check.kind == "abstain"
    passed = given and reaches(compared.score, threshold_of(check))
    if check.negate:
        return CheckResult(check.kind, passed=not passed, score=1 - compared.score, reason=compared.reason)
    return CheckResult(check.kind, passed=passed, score=compared.score, reason=compared.reason)


def _compared(check: Check, case: Case, answer: str, knows: bool, tools: CheckTools) -> Compared:
    if check.kind == "abstain":
        return Compared(float(not knows))
    if not any(value.strip() for value in check.values):
        raise Unusable("nothing is expected")
    if not knows:
        by_text = _BY_TEXT.get(check.kind)
        if by_text is not None:
            by_text(check, "")  # raises what is wrong with the check itself
        return Compared(0.0)
    if check.kind == "semantic":
        return similarity.semantic(check, answer, tools.embed)
    if check.kind == "judge":
        return _judged(check, case, answer, tools)
    return _BY_TEXT[check.kind](check, answer)


def _judged(check: Check, case: Case, answer: str, tools: CheckTools) -> Compared:
    if tools.judge is None:
        return Compared(0.0, error="judge_missing")
    judged = tools.judge.judge(case.question, answer, check.values, former=case.former)
    if judged.score is None:
        return Compared(0.0, error="judge_unparsed")
    return Compared(judged.score, judged.reason)
