"""What came of a run of cases, in one message, and what changed since another run. Pure.

Only the working half of commands imports this: some of what it needs is slow to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from interactions.evaluation_wording import bar, cut
from interactions.splitting import LIMIT, units
from interactions.word_marks import marked
from interactions.wording import plain
from trainer.evaluation.report.head_part import passed_sentence, result, tiles
from trainer.evaluation.report.word_diff import word_changes
from trainer.evaluation.report.words import COMPARED, KINDS, p_value, percent, signed
from trainer.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from trainer.evaluation.comparison import Comparison, Pair
    from trainer.evaluation.report.view import ReportView
    from trainer.evaluation.results import CaseResult, Run
    from trainer.evaluation.summary import Numbers, Summary
    from trainer.i18n import Translator

ROOM: Final = LIMIT - 60
"""UTF-16 units of a report: a mention may come before it."""
QUESTION_MOST: Final = 100
ANSWER_MOST: Final = 220
"""Characters of what people wrote, and of answers, that a report shows."""
TAGS_MOST: Final = 6
TAG_MOST: Final = 24
NAME_MOST: Final = 40
MARKS: Final[Mapping[str, str]] = {"better": "🟢", "worse": "🔴", "same": "⚪", "too_few": "⚪"}
OWN_TAGS: Final[Mapping[str, str]] = {"correction": N_("corrections"), "disliked": N_("👎 answers")}
"""Tags of a dataset's own cases."""


class Told(NamedTuple):
    """What a report tells beside the view."""

    worst: Sequence[Pair] = ()
    cancelled_by: str = ""
    """Who ended the run early; empty if nobody did."""
    changed: bool = False
    """What was taught changed while the run went on."""
    rejections: Sequence[str] = ()
    """The first lines about what could not be read as a case."""
    notes: Sequence[str] = ()
    """What else is to be said, such as where large files are."""


class _Block(NamedTuple):
    """A part of a report. The least important ones, those of the highest number, go first where there is no room."""

    rank: int
    text: str


def report_text(t: Translator, view: ReportView, told: Told) -> str:
    """What came of a run, in one message."""
    run, summary = view.run, view.summary
    blocks = [_Block(0, "\n".join(_head(t, run, summary.numbers)))]
    remarks = list(_remarks(t, run, summary, told))
    if remarks:
        blocks.append(_Block(0, "\n".join(remarks)))
    if view.comparison is not None:
        since = N_("**Since the last run**, <t:{at}:R>")
        at = int(view.earlier.created_at) if view.earlier is not None else 0
        blocks.append(_Block(1, "\n".join(_compared(t, view.comparison, t(since, at=at)))))
    if view.baseline is not None:
        blocks.append(_Block(2, "\n".join(_compared(t, view.baseline, t(N_("**Compared with nothing taught**"))))))
    blocks += _worst(t, told.worst)
    by_tag = _tags(t, run, summary)
    if by_tag:
        blocks.append(_Block(6, by_tag))
    blocks.append(_Block(3, _small_print(t, summary)))
    blocks += [_Block(1, note) for note in told.notes]
    return _fitted(blocks)


def versus_text(t: Translator, view: ReportView, worst: Sequence[Pair]) -> str:
    """A run beside another one that somebody chose."""
    run, earlier, comparison = view.run, view.earlier, view.comparison
    if earlier is None or comparison is None:
        raise ValueError("there is nothing to compare with")
    heading = N_("### “{dataset}”: <t:{before}:f> → <t:{after}:f>")
    values = {"dataset": plain(run.subject.dataset), "before": int(earlier.created_at), "after": int(run.created_at)}
    lines = [t(heading, **values)]
    if not comparison.shared:
        lines.append(t(N_("The two have no case in common that both could judge, so there is nothing to compare.")))
        return "\n".join(lines)
    shared = t.plural("{count} case that both judged", "{count} cases that both judged", comparison.shared)
    lines += _compared(t, comparison, f"**{shared}**")
    blocks = [_Block(0, "\n".join(lines)), *_worst(t, worst)]
    if comparison.improved or comparison.regressed:
        blocks.append(_Block(1, t(N_("-# The page shows every case, and what changed in its answer."))))
    return _fitted(blocks)


def run_line(t: Translator, run: Run, numbers: Numbers) -> str:
    """A run in a list: when, of what, and what came of it."""
    rate = "–" if numbers.rate is None else percent(t, numbers.rate)
    passed = t(N_("{rate} of {judged}"), rate=rate, judged=numbers.judged)
    return f"<t:{int(run.created_at)}:f> · {passed} · {_source(t, run)}"


def _head(t: Translator, run: Run, numbers: Numbers) -> Iterator[str]:
    yield "### " + t(N_("Test of “{dataset}”"), dataset=plain(run.subject.dataset))
    if numbers.rate is not None:
        rate = t(N_("**{rate} passed**"), rate=percent(t, numbers.rate))
        yield f"{bar(numbers.rate)} {rate}"
    if numbers.cases:
        yield passed_sentence(t, numbers)
    held = t.plural("{count} entry", "{count} entries", run.subject.examples)
    model = plain(run.subject.model) or t(N_("as they were taught"))
    yield t(
        N_("-# Cases: {source} · taught: {held} · answers: {model}"), source=_source(t, run), held=held, model=model
    )


def _source(t: Translator, run: Run) -> str:
    match run.source:
        case "file":
            return cut(run.file_name, NAME_MOST) if run.file_name else t(N_("a file"))
        case "failures":
            return t(N_("failures of an earlier run"))
        case "gate":
            return t(N_("the dataset's own cases, before a change"))
        case _:
            return t(N_("the dataset's own cases"))


def _remarks(t: Translator, run: Run, summary: Summary, told: Told) -> Iterator[str]:
    """What has to be known to read the numbers aright: how it ended, errors, leakage, what could not be read."""
    if told.cancelled_by:
        yield t(N_("✋ <@{user}> cancelled it."), user=told.cancelled_by)
    if told.changed:
        yield t(N_("⚠️ What I was taught changed while this ran, so not all cases were asked of the same knowledge."))
    for note in result(t, run, summary).notes:
        yield f"• {note}"
    yield from (f"-# {line}" for line in told.rejections)


def _compared(t: Translator, one: Comparison, heading: str) -> Iterator[str]:
    """A comparison in two or three lines."""
    yield f"{heading}: {MARKS[one.verdict]} {t(COMPARED[one.verdict])}"
    counts = [
        t(N_("▲ {count} improved"), count=len(one.improved)),
        t(N_("▼ {count} got worse"), count=len(one.regressed)),
        t(N_("{count} unchanged"), count=one.unchanged),
    ]
    if one.before_rate is not None and one.after_rate is not None:
        counts.append(f"{percent(t, one.before_rate)} → {percent(t, one.after_rate)}")
    yield " · ".join(counts)
    small = []
    if one.p is not None:
        p = p_value(t, one.p)
        small.append(f"p {p}" if p.startswith("<") else f"p = {p}")
    if one.before_score is not None and one.after_score is not None and one.interval is not None:
        text = N_("mean score {difference} (95% interval {low} to {high})")
        difference = signed(t, one.after_score - one.before_score)
        low, high = signed(t, one.interval.low), signed(t, one.interval.high)
        small.append(t(text, difference=difference, low=low, high=high))
    if one.unjudged:
        small.append(t.plural("{count} not comparable", "{count} not comparable", len(one.unjudged)))
    if one.added or one.removed:
        small.append(t(N_("{added} only now, {removed} only then"), added=one.added, removed=one.removed))
    if small:
        yield "-# " + " · ".join(small)


def _worst(t: Translator, worst: Sequence[Pair]) -> Iterator[_Block]:
    """The worst regressions, each with what changed in its answer."""
    for number, pair in enumerate(worst, start=1):
        entry = f"{number}. {cut(pair.after.case.question, QUESTION_MOST)}\n> {answer_changes(t, pair)}"
        title = t(N_("**Got worse**"))
        yield _Block(3 + number, f"{title}\n{entry}" if number == 1 else entry)


def answer_changes(t: Translator, pair: Pair) -> str:
    """How an answer became another: what went is struck out, what came is bold."""
    before, after = _answer(t, pair.before), _answer(t, pair.after)
    if before.split() == after.split():
        return t(N_("{answer} (the same answer, judged otherwise)"), answer=cut(after, ANSWER_MOST))
    return marked(word_changes(before, after), ANSWER_MOST)


def _answer(t: Translator, one: CaseResult) -> str:
    return one.answer or t(KINDS["unknown"])


def _tags(t: Translator, run: Run, summary: Summary) -> str:
    """The pass rates of the tags with the most cases; empty where they would say nothing."""
    told = [one for one in summary.tags if one.numbers.rate is not None]
    if len(told) < 2 and not (told and told[0].numbers.cases < summary.numbers.cases):  # noqa: PLR2004 - one of all
        return ""
    parts = []
    for one in told[:TAGS_MOST]:
        named = OWN_TAGS.get(one.tag) if run.source != "file" else None
        name = t(named) if named else cut(one.tag, TAG_MOST)
        numbers = one.numbers
        parts.append(f"{name} {percent(t, numbers.rate or 0.0)} ({numbers.passed}/{numbers.judged})")
    more = len(told) - TAGS_MOST + summary.more_tags
    if more > 0:
        parts.append(t.plural("{count} more", "{count} more", more))
    return t(N_("**By tag**")) + "\n" + " · ".join(parts)


def _small_print(t: Translator, summary: Summary) -> str:
    """Score, speed and cost."""
    facts = [
        f"{one.name}: {one.value}" + (f" ({one.note.rstrip('.')})" if one.note else "") for one in tiles(t, summary)
    ]
    return "-# " + " · ".join(facts) if facts else ""


def _spaced(block: _Block) -> str:
    """A block on lines of its own; one with a title is set apart."""
    return f"\n\n{block.text}" if block.text.startswith("**") else f"\n{block.text}"


def _fitted(blocks: Sequence[_Block]) -> str:
    kept = [block for block in blocks if block.text]
    while True:
        text = "".join(map(_spaced, kept)).strip()
        worst = max(block.rank for block in kept)
        if units(text) <= ROOM or worst == 0:
            return text
        last = max(place for place, block in enumerate(kept) if block.rank == worst)
        del kept[last]
