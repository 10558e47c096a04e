"""Words that reports share: numbers as the language writes them, verdicts, reasons and what a case asks for. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from trainer.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trainer.evaluation.cases import Check
    from trainer.evaluation.statistics import Interval
    from trainer.i18n import Translator

VERDICTS: Final[Mapping[str, str]] = {
    "passed": N_("passed"),
    "failed": N_("failed"),
    "error": N_("error"),
}
CHANGES: Final[Mapping[str, str]] = {
    "improved": N_("improved"),
    "regressed": N_("got worse"),
}
ERRORS: Final[Mapping[str, str]] = {
    "model": N_("the model did not answer"),
    "judge_unparsed": N_("the judge's verdict could not be read"),
    "judge_missing": N_("no judge is set up"),
    "embedder_missing": N_("nothing is set up that compares meanings"),
    "over_budget": N_("the budget was used up"),
    "internal": N_("something went wrong here"),
}
KINDS: Final[Mapping[str, str]] = {
    "correction": N_("from a correction"),
    "trained": N_("as taught"),
    "passage": N_("from a text"),
    "generated": N_("by the language model"),
    "unknown": N_("“I don't know”"),
}
CHECKS: Final[Mapping[str, str]] = {
    "exact": N_("is exactly"),
    "contains": N_("contains"),
    "contains_all": N_("contains all of"),
    "contains_any": N_("contains one of"),
    "starts_with": N_("begins with"),
    "regex": N_("matches the pattern"),
    "fuzzy": N_("is spelt much like"),
    "chrf": N_("is worded much like (chrF)"),
    "semantic": N_("means about the same as"),
    "judge": N_("a judge finds that it agrees with"),
    "numeric": N_("gives the number"),
    "abstain": N_("says that it does not know"),
}
UNWANTED: Final[Mapping[str, str]] = {
    "exact": N_("is not"),
    "contains": N_("does not contain"),
    "contains_all": N_("does not contain all of"),
    "contains_any": N_("contains none of"),
    "starts_with": N_("does not begin with"),
    "regex": N_("does not match the pattern"),
    "fuzzy": N_("is not spelt much like"),
    "chrf": N_("is not worded much like (chrF)"),
    "semantic": N_("does not mean about the same as"),
    "judge": N_("a judge does not find that it agrees with"),
    "numeric": N_("does not give the number"),
    "abstain": N_("does not say that it does not know"),
}
"""The same checks where the answer must not be like that."""
COMPARED: Final[Mapping[str, str]] = {
    "better": N_("Better: this is more than chance explains."),
    "worse": N_("Worse: this is more than chance explains."),
    "same": N_("About the same: no difference that chance would not explain."),
    "too_few": N_("Not enough cases to tell."),
}


def decimal(t: Translator, value: float, digits: int) -> str:
    """A number with so many digits behind the decimal mark of the language."""
    return f"{value:.{digits}f}".replace(".", t.context("decimal mark", "."))


def percent(t: Translator, share: float) -> str:
    """A share, 0 to 1, in whole per cent; with a digit more where rounding would say that it is all or nothing."""
    digits = 1 if 0 < share < 0.01 or 0.99 < share < 1 else 0  # noqa: PLR2004 - 0.4 % is not 0 %, 99.6 % is not 100 %
    shown = min(max(share * 100, 0.1), 99.9) if digits else share * 100
    return decimal(t, shown, digits) + t.context("after a number", "%")


def percents(t: Translator, interval: Interval) -> str:
    """An interval of shares, in per cent."""
    return t(N_("{low} to {high}"), low=percent(t, interval.low), high=percent(t, interval.high))


def signed(t: Translator, difference: float) -> str:
    """A difference of scores with its sign."""
    text = decimal(t, abs(difference), 3)
    if not text.strip("0.,"):
        return text
    return f"+{text}" if difference > 0 else f"−{text}"


def p_value(t: Translator, p: float) -> str:
    """A probability, as far as anybody wants to know it."""
    return f"< {decimal(t, 0.001, 3)}" if p < 0.001 else decimal(t, p, 3)  # noqa: PLR2004 - the usual custom


def seconds(t: Translator, value: float) -> str:
    """A length of time in seconds."""
    return t(N_("{count} s"), count=decimal(t, value, 2 if value < 10 else 1))  # noqa: PLR2004 - 0.31 s, but 12.4 s


def dollars(t: Translator, usd: float) -> str:
    """An amount of money: cents, and more digits for what is less than a dollar."""
    return "$" + decimal(t, usd, 2 if usd >= 1 or usd == 0 else 4)


def moment(at: float) -> str:
    """A moment, as it can be read everywhere."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"


def check_text(t: Translator, check: Check) -> str:
    """What a check wants, without its values."""
    text = t((UNWANTED if check.negate else CHECKS)[check.kind])
    if check.threshold is not None:
        text += " " + t(N_("(from {score} on)"), score=decimal(t, check.threshold, 2))
    if check.tolerance and check.relative:
        text += f" (±{percent(t, check.tolerance)})"
    elif check.tolerance:
        text += f" (±{check.tolerance:g})".replace(".", t.context("decimal mark", "."))
    return text
