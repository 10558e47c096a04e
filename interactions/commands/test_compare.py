"""The button “Compare with…” below the report of a test, and the runs that it offers."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Final

from interactions.commands.test import TESTERS_ONLY, acknowledge_privately
from interactions.definitions import Handler
from interactions.delivery_of_files import with_file
from interactions.failures import Sorry
from interactions.message_links import is_id
from interactions.outbound import Button, Reply
from trainer.i18n import N_
from trainer.settings import may_teach

if TYPE_CHECKING:
    from interactions.call import WorkCall
    from interactions.payloads import ComponentData
    from trainer.evaluation.results import Run

OFFERED_MOST: Final = 20
LOOK_BACK: Final = 60
"""Runs among which those are that are offered."""
WORST_SHOWN: Final = 3

_GONE: Final = N_("The cases of that run are no longer kept, so I cannot compare it.")


def work_offer(call: WorkCall[ComponentData]) -> Reply:
    """The dataset's other runs, the newest first, with a button for each."""
    # The engine and its reports are slow to import, and acknowledging does without them.
    from interactions.evaluation_report_text import run_line  # noqa: PLC0415
    from trainer.evaluation.detail import has_detail  # noqa: PLC0415
    from trainer.evaluation.history import finished_runs  # noqa: PLC0415
    from trainer.evaluation.summary import Summary  # noqa: PLC0415

    t, store, scope = call.t, call.services.store, call.actor.scope
    run = _run(call, call.subject)
    past = finished_runs(store, scope, run.subject.dataset, Summary, most=LOOK_BACK)
    others = (one for one in past if one.run.id != run.id and has_detail(store, scope, one.run.id))
    offered = list(islice(others, OFFERED_MOST))
    if not offered:
        return Reply(t(N_("There is no other run of this dataset yet that this one can be compared with.")))
    lines = [t(N_("**Which run shall I compare it with?**"))]
    buttons = []
    for number, one in enumerate(offered, start=1):
        lines.append(f"{number}. {run_line(t, one.run, one.summary.numbers)}")
        buttons.append(Button(f"test_versus:{run.id}:{one.run.id}", str(number)))
    return Reply("\n".join(lines), buttons=tuple(buttons))


def work_versus(call: WorkCall[ComponentData]) -> Reply:
    """Two runs side by side: its subject are their numbers. The later one is compared with the earlier one."""
    from interactions.evaluation_files import make_versus  # noqa: PLC0415 - as above
    from interactions.evaluation_report_text import versus_text  # noqa: PLC0415 - as above
    from trainer.evaluation.reviewing import reviewed  # noqa: PLC0415 - as above
    from trainer.evaluation.store import DetailGone, Runs  # noqa: PLC0415 - as above

    t, store, scope = call.t, call.services.store, call.actor.scope
    one, _, other = call.subject.partition(":")
    earlier, later = sorted((_run(call, one), _run(call, other)), key=lambda run: int(run.id))
    if earlier.id == later.id:
        raise Sorry(t(_GONE))
    runs = Runs(store)
    try:
        with reviewed(store, scope, later, earlier=earlier, most=WORST_SHOWN) as review:
            text = versus_text(t, review.view, review.worst)
            page = make_versus(store, scope, review.view, t)
    except DetailGone:
        raise Sorry(t(_GONE)) from None
    if not (runs.has_detail(scope, later.id) and runs.has_detail(scope, earlier.id)):
        # Whoever deleted one of them may have looked for pages before this one was written.
        store.delete(page.key)
        raise Sorry(t(_GONE))
    return with_file(call, text, key=page.key, name=page.name, size=page.size)


def _run(call: WorkCall[ComponentData], run_id: str) -> Run:
    """A run of the person's own scope whose cases are still there: what a button says may be forged."""
    from trainer.evaluation.store import Runs  # noqa: PLC0415 - as above

    store, scope = call.services.store, call.actor.scope
    if not may_teach(store, call.actor):
        raise Sorry(call.t(TESTERS_ONLY))
    runs = Runs(store)
    run = runs.load(scope, run_id) if is_id(run_id) else None
    if run is None or not runs.has_detail(scope, run.id):
        raise Sorry(call.t(_GONE))
    return run


BUTTONS = {
    "test_compare": Handler(acknowledge_privately, work_offer),
    "test_versus": Handler(acknowledge_privately, work_versus),
}
