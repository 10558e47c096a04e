"""What stands above the cases on the page: the result, what it was compared with, and what was tested. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from trainer.evaluation.report.words import (
    COMPARED,
    ERRORS,
    KINDS,
    VERDICTS,
    decimal,
    dollars,
    moment,
    p_value,
    percent,
    percents,
    seconds,
    signed,
)
from trainer.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trainer.evaluation.comparison import Comparison
    from trainer.evaluation.report.view import ReportView
    from trainer.evaluation.results import Run
    from trainer.evaluation.summary import Numbers, Summary
    from trainer.i18n import Translator

SOURCES: Final[Mapping[str, str]] = {
    "file": N_("cases of the file {name}"),
    "regression": N_("the dataset's own cases"),
    "failures": N_("the failures of an earlier run"),
    "gate": N_("the dataset's own cases, before a change goes live"),
}
UNKNOWN: Final = "–"


class Fact(NamedTuple):
    """Something that has a name."""

    name: str
    value: str
    note: str = ""


class Share(NamedTuple):
    """A part of the bar, in per cent of its length."""

    name: str
    start: str
    width: str


class ResultPart(NamedTuple):
    """The pass rate, in figures, words and as a bar."""

    rate: str
    sentence: str
    notes: list[str]
    shares: list[Share]
    shares_text: str


class Compared(NamedTuple):
    """What a comparison says."""

    title: str
    verdict: str
    caption: str
    facts: list[Fact]


class Range(NamedTuple):
    """An interval as it is drawn, in per cent of the length."""

    start: str
    width: str
    mark: str


class TagPart(NamedTuple):
    """A row of the table of tags."""

    name: str
    cases: int
    passed: int
    errors: int
    rate: str
    interval: str
    range: Range | None
    score: str


def title(t: Translator, run: Run) -> str:
    """What the page is."""
    return t(N_("Test of “{dataset}”"), dataset=run.subject.dataset)


def subtitle(t: Translator, run: Run) -> str:
    """When, and with which cases."""
    return f"{moment(run.created_at)} · {t(SOURCES[run.source], name=run.file_name)}"


def result(t: Translator, run: Run, summary: Summary) -> ResultPart:
    """What the run comes to."""
    numbers = summary.numbers
    counts = {"passed": numbers.passed, "failed": numbers.failed, "error": numbers.errors}
    shares, start = [], 0.0
    for name, count in counts.items():
        width = 100 * count / numbers.cases if numbers.cases else 0.0
        if count:
            shares.append(Share(name, f"{start:.2f}", f"{width:.2f}"))
        start += width
    return ResultPart(
        rate=UNKNOWN if numbers.rate is None else percent(t, numbers.rate),
        sentence=passed_sentence(t, numbers),
        notes=list(_notes(t, run, summary)),
        shares=shares,
        shares_text=", ".join(f"{t(VERDICTS[name])}: {count}" for name, count in counts.items() if count),
    )


def passed_sentence(t: Translator, numbers: Numbers) -> str:
    """How many of those judged passed, and within which interval the rate is."""
    if numbers.rate is None or numbers.interval is None:
        return t(N_("No case could be judged."))
    said = t.plural(
        "{passed} of {count} judged case passed.", "{passed} of {count} judged cases passed.", numbers.judged,
        passed=numbers.passed,
    )  # fmt: skip
    interval = t(
        N_("95% interval: {low} to {high}."),
        low=percent(t, numbers.interval.low),
        high=percent(t, numbers.interval.high),
    )
    return f"{said} {interval}"


def _notes(t: Translator, run: Run, summary: Summary) -> Iterator[str]:
    """What has to be known to read the rate aright."""
    numbers, fresh = summary.numbers, summary.fresh
    if numbers.errors:
        reasons = ", ".join(f"{t(ERRORS[reason])} ({count})" for reason, count in summary.errors.items())
        said = t.plural(
            "{count} case could not be judged and counts neither as passed nor as failed: {reasons}.",
            "{count} cases could not be judged and count neither as passed nor as failed: {reasons}.",
            numbers.errors,
            reasons=reasons,
        )
        share = percent(t, numbers.passed / numbers.cases)
        of_all = t(N_("Of all {cases} cases, {share} passed."), cases=numbers.cases, share=share)
        yield f"{said} {of_all}"
    if fresh is not None:
        said = t.plural(
            "{count} case is a training example too: it tests memory, not learning.",
            "{count} cases are training examples too: they test memory, not learning.",
            summary.leaked,
        )
        if fresh.rate is not None:
            values = {"rate": percent(t, fresh.rate), "passed": fresh.passed, "judged": fresh.judged}
            said += " " + t(N_("Without those the pass rate is {rate} ({passed} of {judged})."), **values)
        yield said
    if numbers.cases < run.cases:
        yield t(N_("The run ended early: {done} of {cases} cases were tested."), done=numbers.cases, cases=run.cases)
    if run.rejected:
        yield t.plural(
            "{count} entry of the file could not be read as a case.",
            "{count} entries of the file could not be read as cases.",
            run.rejected,
        )


def tiles(t: Translator, summary: Summary) -> list[Fact]:
    """Score, speed and cost."""
    numbers = summary.numbers
    found = []
    if numbers.score is not None:
        note = ""
        if numbers.score_interval is not None:
            low, high = (decimal(t, end, 2) for end in numbers.score_interval)
            note = t(N_("95% interval: {low} to {high}."), low=low, high=high)
        found.append(Fact(t(N_("Mean score")), decimal(t, numbers.score, 2), note))
    if summary.latency_p50 is not None and summary.latency_p95 is not None:
        note = t(N_("95% of them within {seconds}"), seconds=seconds(t, summary.latency_p95))
        found.append(Fact(t(N_("Half of the answers within")), seconds(t, summary.latency_p50), note))
    if summary.input_tokens or summary.output_tokens:
        note = t(N_("{read} read, {written} written"), read=summary.input_tokens, written=summary.output_tokens)
        found.append(Fact(t(N_("Tokens")), str(summary.input_tokens + summary.output_tokens), note))
    if summary.usd is not None:
        if summary.usd:
            found.append(Fact(t(N_("Cost")), dollars(t, summary.usd)))
    else:
        note = t.plural("not known of {count} case", "not known of {count} cases", summary.usd_unknown)
        found.append(Fact(t(N_("Cost")), t(N_("at least {amount}"), amount=dollars(t, summary.usd_known)), note))
    return found


def facts(t: Translator, run: Run, summary: Summary) -> list[Fact]:
    """What was tested, and by what."""
    subject = run.subject
    examples = t.plural("{count} entry", "{count} entries", subject.examples)
    kinds = ", ".join(
        f"{t(KINDS[kind]) if kind in KINDS else kind}: {count}" for kind, count in summary.kinds.items()
    )
    found = [
        Fact(t(N_("Dataset")), subject.dataset),
        Fact(t(N_("What it held")), f"{examples} · {subject.snapshot}" if subject.snapshot else examples),
        Fact(t(N_("Language model")), subject.model or t(N_("none: taught answers are given as they stand"))),
        Fact(t(N_("Instruction")), subject.instruction or t(N_("the default one"))),
        Fact(t(N_("Judge")), subject.judge),
        Fact(t(N_("Compares meanings")), subject.embedder),
        Fact(t(N_("How answers came about")), kinds),
        Fact(t(N_("Number of the run")), run.id),
    ]
    return [fact for fact in found if fact.value]


def comparisons(t: Translator, view: ReportView) -> list[Compared]:
    """With the earlier run, and with nothing taught."""
    found = []
    if view.comparison is not None:
        found.append(_compared(t, view.comparison, _since(t, view.run, view.earlier)))
    if view.baseline is not None:
        found.append(_compared(t, view.baseline, t(N_("Compared with nothing taught"))))
    return found


def _since(t: Translator, run: Run, earlier: Run | None) -> str:
    """What a run is compared with: when that was, and what else was different about it."""
    if earlier is None:
        return t(N_("Since the last run"))
    other = []
    if earlier.subject.dataset != run.subject.dataset:
        other.append(t(N_("“{dataset}”"), dataset=earlier.subject.dataset))
    if earlier.subject.model != run.subject.model:
        other.append(earlier.subject.model or t(N_("no language model")))
    if other:
        which = ", ".join([moment(earlier.created_at), *other])
        return t(N_("Compared with the run of {which}"), which=which)
    return t(N_("Since the run of {moment}"), moment=moment(earlier.created_at))


def _compared(t: Translator, one: Comparison, heading: str) -> Compared:
    caption = t.plural("{count} case that both runs judged", "{count} cases that both runs judged", one.shared)
    unchanged = t(N_("{passed} pass, {failed} fail"), passed=one.still_passed, failed=one.still_failed)
    rows = [
        Fact(t(N_("Improved")), str(len(one.improved))),
        Fact(t(N_("Got worse")), str(len(one.regressed))),
        Fact(t(N_("Unchanged")), f"{one.unchanged} ({unchanged})" if one.unchanged else "0"),
    ]
    if one.unjudged:
        rows.append(Fact(t(N_("Not comparable, as one of the runs could not judge them")), str(len(one.unjudged))))
    if one.added:
        rows.append(Fact(t(N_("Only in this run")), str(one.added)))
    if one.removed:
        rows.append(Fact(t(N_("Only in the other run")), str(one.removed)))
    if one.before_rate is not None and one.after_rate is not None:
        rates = f"{percent(t, one.before_rate)} → {percent(t, one.after_rate)}"
        rows.append(Fact(t(N_("Pass rate")), rates))
    if one.p is not None:
        rows.append(
            Fact(t(N_("Probability of such a difference by chance (McNemar's exact test)")), p_value(t, one.p))
        )
    if one.before_score is not None and one.after_score is not None and one.interval is not None:
        low, high = signed(t, one.interval.low), signed(t, one.interval.high)
        scores = f"{decimal(t, one.before_score, 2)} → {decimal(t, one.after_score, 2)}"
        text = N_("{scores} ({difference}, 95% interval {low} to {high})")
        difference = signed(t, one.after_score - one.before_score)
        rows.append(Fact(t(N_("Mean score")), t(text, scores=scores, difference=difference, low=low, high=high)))
    return Compared(heading, t(COMPARED[one.verdict]), caption, rows)


def tags(t: Translator, summary: Summary) -> list[TagPart]:
    """A row for each tag."""
    return [_tag(t, one.tag, one.numbers) for one in summary.tags]


def _tag(t: Translator, name: str, numbers: Numbers) -> TagPart:
    rate, interval = numbers.rate, numbers.interval
    drawn = None
    if rate is not None and interval is not None:
        width = 100 * (interval.high - interval.low)
        drawn = Range(f"{100 * interval.low:.1f}", f"{width:.1f}", f"{min(98.0, 100 * rate):.1f}")
    return TagPart(
        name,
        numbers.cases,
        numbers.passed,
        numbers.errors,
        UNKNOWN if rate is None else percent(t, rate),
        "" if interval is None else percents(t, interval),
        drawn,
        UNKNOWN if numbers.score is None else decimal(t, numbers.score, 2),
    )


def more_tags(t: Translator, summary: Summary) -> str:
    """That there are more tags than are shown; empty if there are not."""
    if not summary.more_tags:
        return ""
    return t.plural(
        "and {count} more tag with fewer cases", "and {count} more tags with fewer cases", summary.more_tags
    )


def choices(t: Translator, view: ReportView) -> list[Fact]:
    """Which cases can be chosen to be shown; only what there is."""
    numbers, compared = view.summary.numbers, view.comparison
    offered = [
        ("all", t(N_("all")), numbers.cases),
        ("open", t(N_("not passed")), numbers.failed + numbers.errors if numbers.errors else 0),
        ("failed", t(N_("failed")), numbers.failed),
        ("error", t(N_("errors")), numbers.errors),
        ("regressed", t(N_("got worse")), len(compared.regressed) if compared is not None else 0),
        ("improved", t(N_("improved")), len(compared.improved) if compared is not None else 0),
    ]
    return [Fact(name, f"{text} ({count})") for name, text, count in offered if count or name == "all"]


def labels(t: Translator, order: str) -> dict[str, str]:
    """The words of the page that are always the same."""
    return {
        "skip": t(N_("Skip to the cases")),
        "result": t(N_("Result")),
        "history": t(N_("History")),
        "by_tag": t(N_("By tag")),
        "tags_caption": t(N_("Pass rates are of the cases that could be judged, with their 95% intervals.")),
        "tag": t(N_("Tag")),
        "cases": t(N_("Cases")),
        "passed": t(N_("Passed")),
        "errors": t(N_("Errors")),
        "rate": t(N_("Pass rate")),
        "interval": t(N_("Interval")),
        "score": t(N_("Mean score")),
        "all_cases": t(N_("Cases")),
        "filter": t(N_("Which cases are shown")),
        "show": t(N_("Show:")),
        "search": t(N_("Search:")),
        "order": t(N_("Order:")),
        "given": t(N_("worst first")) if order == "worst" else t(N_("as they were")),
        "in_file_order": t(N_("as they were")),
        "open_all": t(N_("Open or close all")),
        "shown": t(N_("Shown: %")),
        "former": t(N_("Before this question")),
        "expected": t(N_("Expected")),
        "answer": t(N_("Answer")),
        "nothing": t(N_("There are no cases.")),
    }
