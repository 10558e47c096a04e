"""Whether a run reaches what was asked of it. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from trainer.evaluation.gate import judged
from trainer.evaluation.report.words import decimal, percent
from trainer.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainer.evaluation.comparison import Comparison
    from trainer.evaluation.console.options import Bar, Limit
    from trainer.evaluation.summary import Numbers
    from trainer.i18n import Translator

_ROUNDING: Final = 1e-9
"""0.9 of 10 cases are 9, whatever binary fractions say."""


class Judgement(NamedTuple):
    """What is said of one bar."""

    reached: bool
    sentence: str
    can_be_overridden: bool = False
    """By somebody who says why: as at the gate, only that it is worse, or that this cannot be told."""


def judgements(t: Translator, bar: Bar, numbers: Numbers, comparison: Comparison | None) -> Iterator[Judgement]:
    """What is to be said of each bar that there is.

    Args:
        t: says it.
        bar: what is asked for.
        numbers: what the run comes to.
        comparison: with what it must not be worse than; None if there is nothing to compare with.
    """
    if not numbers.judged:
        yield Judgement(False, t(N_("No case could be judged.")))
    if bar.min_pass is not None:
        yield _passed(t, bar.min_pass, numbers)
    if bar.max_errors is not None:
        yield _errors(t, bar.max_errors, numbers)
    if bar.no_worse:
        yield _no_worse(t, comparison)


def _passed(t: Translator, least: float, numbers: Numbers) -> Judgement:
    rate = numbers.passed / numbers.cases if numbers.cases else 0.0
    reached = rate >= least - _ROUNDING
    values = {
        "passed": numbers.passed, "cases": numbers.cases, "rate": _exact(t, rate), "least": _exact(t, least),
    }  # fmt: skip
    if reached:
        text = N_("The bar is reached: {passed} of {cases} passed ({rate}), and {least} must.")
    else:
        text = N_("Below the bar: {passed} of {cases} passed ({rate}), and {least} must.")
    said = t(text, **values)
    if numbers.errors:
        said += " " + t.plural(
            "{count} case without a verdict counts as not passed here.",
            "{count} cases without a verdict count as not passed here.",
            numbers.errors,
        )
    return Judgement(reached, said)


def _errors(t: Translator, most: Limit, numbers: Numbers) -> Judgement:
    if most.share is None:
        reached, allowed = numbers.errors <= most.number, str(most.number)
    else:
        reached = numbers.errors <= most.share * numbers.cases + _ROUNDING
        allowed = _exact(t, most.share)
    if reached:
        text = N_("Cases without a verdict: {errors} of {cases}, which is within {allowed}.")
    else:
        text = N_("Too many cases without a verdict: {errors} of {cases}, and {allowed} may be.")
    return Judgement(reached, t(text, errors=numbers.errors, cases=numbers.cases, allowed=allowed))


def _no_worse(t: Translator, comparison: Comparison | None) -> Judgement:
    if comparison is None:
        return Judgement(True, t(N_("There is nothing to compare with yet, so nothing got worse.")))
    match judged(comparison):
        case "worse" if comparison.verdict == "worse":
            worse, better = len(comparison.regressed), len(comparison.improved)
            text = N_("Worse: {worse} got worse and {better} improved, which is more than chance explains.")
            return Judgement(False, t(text, worse=worse, better=better), can_be_overridden=True)
        case "worse":
            said = t(N_("Worse: the mean score fell by more than chance explains."))
            return Judgement(False, said, can_be_overridden=True)
        case "untestable":
            text = N_("It cannot be told whether it got worse: too few cases of both runs have a verdict.")
            return Judgement(False, t(text), can_be_overridden=True)
        case _:
            return Judgement(True, t(N_("Not significantly worse.")))


def _exact(t: Translator, share: float) -> str:
    """A share in per cent, with as many digits as tell it from what it is compared with."""
    text = percent(t, share)
    rounded = round(share * 100)
    if abs(share * 100 - rounded) < 0.005:  # noqa: PLR2004 - nobody sees it
        return text
    return decimal(t, share * 100, 2) + t.context("after a number", "%")
