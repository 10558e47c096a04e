"""The runs of a dataset as a table in the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from trainer.evaluation.console.text_report import columns
from trainer.evaluation.history import run_ids
from trainer.evaluation.report.head_part import SOURCES, UNKNOWN
from trainer.evaluation.report.safe_text import visible
from trainer.evaluation.report.words import moment, percent, percents
from trainer.evaluation.store import Runs
from trainer.evaluation.summary import Summary
from trainer.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainer.evaluation.results import Run
    from trainer.i18n import Translator
    from trainer.ports import ObjectStore
    from trainer.scope import Scope

LISTED_MOST: Final = 30
MODEL_MOST: Final = 40


def run_lines(store: ObjectStore, scope: Scope, dataset: str, t: Translator) -> Iterator[str]:
    """A line for each of the last runs, the latest first."""
    runs = Runs(store)
    rows = []
    for run_id in run_ids(store, scope, dataset, most=LISTED_MOST):
        run = runs.load(scope, run_id)
        if run is not None:
            rows.append(_row(t, run, runs.summary(scope, run_id, Summary)))
    if not rows:
        yield t(N_("“{dataset}” was not tested yet."), dataset=dataset)
        return
    header = (
        t(N_("Run")),
        t(N_("When")),
        t(N_("Passed")),
        t(N_("Interval")),
        t(N_("Language model")),
        t(N_("Cases")),
    )
    yield from columns([header, *rows])


def _row(t: Translator, run: Run, summary: Summary | None) -> tuple[str, ...]:
    passed, interval = t(N_("not over")), ""
    if summary is not None:
        numbers = summary.numbers
        passed = UNKNOWN
        if numbers.rate is not None and numbers.interval is not None:
            passed = f"{percent(t, numbers.rate)} ({numbers.passed}/{numbers.judged})"
            interval = percents(t, numbers.interval)
    source = t(SOURCES[run.source], name=run.file_name)
    return (
        run.id,
        moment(run.created_at),
        passed,
        interval,
        visible(run.subject.model)[:MODEL_MOST] or UNKNOWN,
        f"{run.cases}, {visible(source)}",
    )
