"""The reply that tells of a run: the message, the files that go with it, and the buttons below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from interactions.evaluation_files import NOT_READ, Made, attached, first_lines, make_files, not_read_key
from interactions.evaluation_report_text import Told, report_text
from interactions.outbound import Button, Reply
from trainer.evaluation.detail import drop_detail
from trainer.evaluation.history import comparable_run
from trainer.evaluation.report.chart import Point
from trainer.evaluation.reviewing import baseline_of, line_of, reviewed
from trainer.evaluation.store import DetailGone, Runs
from trainer.i18n import N_

if TYPE_CHECKING:
    from interactions.call import WorkCall
    from trainer.evaluation.history import Past
    from trainer.evaluation.results import Run
    from trainer.evaluation.summary import Summary
    from trainer.i18n import Translator

WORST_SHOWN: Final = 3
REJECTIONS_SHOWN: Final = 3
"""Entries of a file that could not be read, told in the message itself; all of them are in an attached file."""

FORGOTTEN: Final = N_(
    "Somebody whose words are among these cases asked me to forget them, so I stopped, and deleted what came of it."
)


class Ended(NamedTuple):
    """How a run ended."""

    cancelled: bool = False
    changed: bool = False
    """What was taught changed meanwhile."""


def report(call: WorkCall[Any], run: Run, ended: Ended) -> Reply:
    """The report of a run that is over; what it comes to is kept."""
    store, scope = call.services.store, call.actor.scope
    runs = Runs(store)
    call.tools.progress(call.t(N_("⏳ Writing the report…")))
    while True:
        try:
            # Runs that ended early are compared with nothing: they tested whatever came first.
            earlier = None if ended.cancelled else comparable_run(store, scope, run)
            return _told(call, run, earlier, ended)
        except DetailGone:
            if not runs.has_detail(scope, run.id):
                return Reply(call.t(FORGOTTEN))
            # It was the earlier run that has gone: it is not found again.


def report_buttons(t: Translator, run_id: str, *, failed: bool) -> tuple[Button, ...]:
    """What can be done about a run, for as long as its cases are kept."""
    of_failures = (
        Button(f"test_rerun:{run_id}", t(N_("Rerun failures")), emoji="🔁"),
        Button(f"test_add:{run_id}", t(N_("Add failures to the tests")), emoji="➕"),
    )
    others = (
        Button(f"test_compare:{run_id}", t(N_("Compare with…")), emoji="⚖️"),
        Button(f"test_download:{run_id}", t(N_("Download")), emoji="📥"),
    )
    return (*of_failures, *others) if failed else others


def _told(call: WorkCall[Any], run: Run, earlier: Run | None, ended: Ended) -> Reply:
    t, store, scope = call.t, call.services.store, call.actor.scope
    runs = Runs(store)
    baseline = "" if ended.cancelled or not run.subject.examples else baseline_of(store, scope, run)
    with reviewed(store, scope, run, earlier=earlier, baseline=baseline, most=WORST_SHOWN) as review:
        view, numbers = review.view, review.view.summary.numbers
        stopper = runs.cancelled(scope, run.id) if ended.cancelled else None
        if not numbers.cases:
            text = N_("✋ <@{user}> cancelled the test of “{dataset}” before there was anything to tell.")
            return Reply(t(text, user=stopper.by if stopper else run.author, dataset=run.subject.dataset))
        if not ended.cancelled:
            line = line_of(store, scope, run, view.summary)
            view = view._replace(history=tuple(_point(t, past) for past in line))
        made = make_files(store, scope, view, t)
        if not runs.has_detail(scope, run.id):
            # Whoever deleted it may have looked for files before these were written.
            drop_detail(store, scope, run.id)
            raise DetailGone
        if earlier is not None and not runs.has_detail(scope, earlier.id):
            # The files quote it: they are written anew without it.
            raise DetailGone
    rejections = _rejections(call, run)
    if rejections:
        made.append(_not_read(call, run))
    files, notes = attached(call, run, made)
    told = Told(
        worst=review.worst,
        cancelled_by=stopper.by if stopper else "",
        changed=ended.changed,
        rejections=rejections,
        notes=notes,
    )
    buttons = report_buttons(t, run.id, failed=numbers.failed + numbers.errors > 0)
    return Reply(report_text(t, view, told), files=files, buttons=buttons)


def _point(t: Translator, past: Past[Summary]) -> Point:
    numbers = past.summary.numbers
    low, high = numbers.interval or (0.0, 1.0)
    label = t(N_("Test of “{dataset}”"), dataset=past.run.subject.dataset)
    return Point(past.run.created_at, numbers.passed, numbers.judged, low, high, label)


def _rejections(call: WorkCall[Any], run: Run) -> list[str]:
    if not run.rejected:
        return []
    lines = first_lines(call.services.store, not_read_key(call.actor.scope, run.id), REJECTIONS_SHOWN)
    more = run.rejected - len(lines)
    if lines and more > 0:
        lines.append(more_in_file(call.t, more))
    return lines


def more_in_file(t: Translator, more: int) -> str:
    """That the other lines are in the attached file."""
    return t.plural("…and {count} more, in the file.", "…and {count} more, in the file.", more)


def _not_read(call: WorkCall[Any], run: Run) -> Made:
    key = not_read_key(call.actor.scope, run.id)
    info = call.services.store.head(key)
    described = call.t(N_("What could not be read as a case, and why"))
    return Made(NOT_READ, key, info.size if info is not None else 0, "text/plain; charset=utf-8", described)
