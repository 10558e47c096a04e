"""Has a change tested before it counts, where a server's managers want that, and goes on where a test was left."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from interactions.failures import HandOn
from interactions.gate_wording import held_reply, progress_text, waiting_text
from trainer.settings import scope_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from interactions.call import WorkCall
    from interactions.outbound import Reply
    from trainer.evaluation.gate import Candidate
    from trainer.evaluation.gate_store import Change, Judgement


class Held(Exception):
    """A change does not count, as its test did not go well. It says so."""

    def __init__(self, reply: Reply) -> None:
        super().__init__("the change did not pass its test")
        self.reply = reply


def is_gated(call: WorkCall[Any]) -> bool:
    """Whether changes here are tested before they count."""
    services = call.services
    return services.evaluation is not None and scope_settings(services.store, call.actor.scope).gate


def in_force(call: WorkCall[Any]) -> Candidate:
    """What answers now."""
    # Testing needs what acknowledging does not; so it is below.
    from trainer.evaluation.gate import Candidate  # noqa: PLC0415
    from trainer.instructions import current_version, text_of  # noqa: PLC0415

    store, scope = call.services.store, call.actor.scope
    version = current_version(store, scope)
    named = version.id if version is not None and version.text else ""
    return Candidate(scope_settings(store, scope).dataset, named, text_of(version))


def judge_first(
    call: WorkCall[Any], change: Change, compare: Callable[[], tuple[Candidate, Candidate]], *, visible: bool = True
) -> Judgement:
    """Test a change, and return how it passed; a second delivery goes on, and in the end says the same.

    Args:
        call: the command that wants it.
        change: the change.
        compare: gives what is in force and what would be.
        visible: whether to show how far the test is; not where that would take the place of what others read.

    Raises `Held` if it does not count, and `HandOn`.
    """
    from trainer.evaluation.gate import Gate, Unfinished  # noqa: PLC0415 - as above
    from trainer.evaluation.gate_store import Gates, Judgement  # noqa: PLC0415 - as above

    store, runner, scope = call.services.store, call.services.evaluation, call.actor.scope
    assert runner is not None  # noqa: S101 - for mypy: `is_gated` has looked
    gate, gates = Gate(store, runner), Gates(store)
    judgement = gates.load(scope, call.interaction.id)

    def tell(done: int, total: int) -> None:
        if visible:
            call.tools.progress(progress_text(call.t, done, total))

    if judgement is None:
        current, candidate = compare()
        try:
            verdict = gate.judge(
                scope,
                call.interaction.id,
                call.actor.user_id,
                current,
                candidate,
                progress=tell,
                must_stop=call.tools.must_stop,
            )
        except Unfinished as left:
            if left.waiting and visible:
                call.tools.progress(waiting_text(call.t))
            raise HandOn(progressed=left.progressed, delay_s=left.delay_s) from None
        wanted = Judgement(
            id=call.interaction.id,
            author=call.actor.user_id,
            at=time.time(),
            change=change,
            outcome=verdict.outcome,
            reason=verdict.reason,
            cases=verdict.cases,
            comparison=verdict.comparison,
            errors=dict(verdict.errors),
            changed=verdict.changed,
            before_run=verdict.before_run,
            after_run=verdict.after_run,
        )
        judgement = gates.save(scope, wanted)
    if judgement.outcome == "passed":
        return judgement
    pairs = []
    if judgement.outcome == "worse" and judgement.comparison is not None:
        pairs = gate.worst(scope, judgement.comparison, judgement.before_run, judgement.after_run)
    raise Held(held_reply(call.t, judgement, pairs))
