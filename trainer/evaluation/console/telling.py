"""Tells of a run that is over: on the screen, in files, and by whether it reached the bars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from trainer.evaluation.console.judging import judgements
from trainer.evaluation.console.making import FORGOTTEN
from trainer.evaluation.console.overriding import keep_override
from trainer.evaluation.console.refusals import Refused
from trainer.evaluation.console.setting_aside import SetAside
from trainer.evaluation.console.text_report import Page, report
from trainer.evaluation.console.written import obstacle, whole
from trainer.evaluation.history import comparable_run
from trainer.evaluation.reviewing import baseline_of, line_of, reviewed
from trainer.evaluation.store import DetailGone, Runs
from trainer.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import BinaryIO

    from trainer.evaluation.console.making import Made
    from trainer.evaluation.console.options import Options, OutputKind
    from trainer.evaluation.console.screen import Screen
    from trainer.evaluation.history import Past
    from trainer.evaluation.report.chart import Point
    from trainer.evaluation.report.view import ReportView
    from trainer.evaluation.results import Run
    from trainer.evaluation.summary import Summary
    from trainer.i18n import Translator
    from trainer.ports import ObjectStore
    from trainer.scope import Scope

WITH_HISTORY: Final[frozenset[OutputKind]] = frozenset(("html", "chart"))


class Place(NamedTuple):
    """Where a run lies, and where it is told of."""

    store: ObjectStore
    scope: Scope
    t: Translator
    screen: Screen


def check_outputs(outputs: Mapping[OutputKind, Path], t: Translator) -> None:
    """See that the files can be written, before hours go into a run. Raises `Refused`."""
    for path in outputs.values():
        reason = obstacle(path)
        if reason:
            raise Refused(t(N_("{path} cannot be written: {reason}"), path=path, reason=reason))


def tell(made: Made, options: Options, place: Place) -> bool:
    """Tell of a run; whether it reached the bars. Raises `Refused`, `OSError`."""
    runs = Runs(place.store)
    while True:
        cancelled = made.outcome.state == "cancelled"
        chosen = options.against is not None and options.against.kind != "last"
        earlier = made.earlier
        if not chosen and not cancelled:
            # Runs that ended early are compared with nothing: they tested whatever came first.
            earlier = comparable_run(place.store, place.scope, made.run)
        try:
            return _told(made, earlier, options, place)
        except DetailGone:
            if chosen or not runs.has_detail(place.scope, made.run.id):
                raise Refused(place.t(FORGOTTEN)) from None
            # It was the earlier run that has gone: it is not found again.


def _told(made: Made, earlier: Run | None, options: Options, place: Place) -> bool:
    store, scope, t, screen = place
    cancelled = made.outcome.state == "cancelled"
    baseline = "" if cancelled else baseline_of(store, scope, made.run)
    with reviewed(store, scope, made.run, earlier=earlier, baseline=baseline) as review:
        view = review.view
        screen.show(report(Page(t, screen.style, screen.width), view, review.worst))
        if WITH_HISTORY & options.outputs.keys():
            line = [] if cancelled else line_of(store, scope, made.run, view.summary)
            view = view._replace(history=[_point(t, past) for past in line])
        for kind, path in options.outputs.items():
            with whole(path) as stream:
                _write(kind, stream, view, t)
        screen.show(_last_words(made, options, place))
        to_baseline = options.against is not None and options.against.kind == "baseline"
        compared = view.baseline if to_baseline else view.comparison
        reached = True
        for judgement in judgements(t, options.bar, view.summary.numbers, compared):
            if judgement.reached:
                screen.show([judgement.sentence])
                continue
            screen.complain(judgement.sentence)
            if options.bar.despite and judgement.can_be_overridden and compared is not None:
                before = None if to_baseline else earlier
                key = keep_override(store, scope, made.run, before, compared, options.bar.despite)
                screen.show([t(N_("It is let through all the same. Why is kept in {file}."), file=key)])
            else:
                reached = False
        return reached


def _last_words(made: Made, options: Options, place: Place) -> Iterator[str]:
    t = place.t
    yield ""
    if made.outcome.changed:
        yield t(N_("What was taught changed while this ran, so not all cases were asked of the same knowledge."))
    if made.rejected:
        yield made.rejected
    if options.outputs:
        yield t(N_("Written: {files}"), files=", ".join(map(str, options.outputs.values())))
    if isinstance(place.store, SetAside):
        yield t(N_("The run is not kept."))
    elif not options.resume:
        yield t(N_("The run is kept as {run}."), run=made.run.id)


def _write(kind: OutputKind, stream: BinaryIO, view: ReportView, t: Translator) -> None:
    # Each needs libraries that the others do not.
    match kind:
        case "junit":
            from trainer.evaluation.report.junit import write_junit  # noqa: PLC0415

            write_junit(stream, view)
        case "json":
            from trainer.evaluation.report.json_report import write_json  # noqa: PLC0415

            write_json(stream, view)
        case "csv":
            from trainer.evaluation.report.table import write_csv  # noqa: PLC0415

            write_csv(stream, view)
        case "html":
            from trainer.evaluation.report.html import write_html  # noqa: PLC0415

            write_html(stream, view, t)
        case "chart":
            from trainer.evaluation.report.chart import chart  # noqa: PLC0415

            stream.write(chart(view.history, view.untrained))


def _point(t: Translator, past: Past[Summary]) -> Point:
    from trainer.evaluation.report.chart import Point  # noqa: PLC0415 - as above

    numbers = past.summary.numbers
    low, high = numbers.interval or (0.0, 1.0)
    label = t(N_("Test of “{dataset}”"), dataset=past.run.subject.dataset)
    return Point(past.run.created_at, numbers.passed, numbers.judged, low, high, label)
