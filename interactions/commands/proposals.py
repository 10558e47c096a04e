"""/proposals: the corrections that wait for a decision, one by one or all together."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from interactions.commands.correction_review import decide
from interactions.definitions import MANAGERS, Handler, Options, SlashCommand
from interactions.failures import HandOn, Sorry
from interactions.gate_wording import forced_line, passed_line
from interactions.gating import Held, in_force, is_gated, judge_first
from interactions.message_links import is_id
from interactions.outbound import Defer, DeferUpdate, Reply, Say
from interactions.permission import refusal_to_teach
from interactions.proposal_wording import carried_reply, confirm_reply, list_reply, taken_back_reply
from trainer.datasets import BadName, dataset_name
from trainer.i18n import N_
from trainer.settings import may_teach, scope_settings

if TYPE_CHECKING:
    from interactions.call import AckCall, WorkCall
    from interactions.payloads import ComponentData
    from trainer.corrections import Standing
    from trainer.evaluation.gate_store import Decision, Judgement
    from trainer.proposals import Bulk, Proposals

ELSEWHERE_MOST: Final = 5
"""Other datasets that are mentioned."""
LESSONS_MOST: Final = 20
"""Lessons that a chat model words after many corrections were approved together; the others stay as they are."""
APPROVE: Final = "a"

_DECIDERS_ONLY: Final = N_("Only managers (“Manage Server”) and trainers decide about corrections.")
_GONE: Final = N_("I know nothing of that any more, so nothing was changed. `/proposals` shows what waits.")


def acknowledge(call: AckCall[Options]) -> Defer | Say:
    """For those who may teach, and only for their own eyes."""
    return refusal_to_teach(call, _DECIDERS_ONLY) or Defer(ephemeral=True)


def acknowledge_press(call: AckCall[ComponentData]) -> DeferUpdate | Say:
    """For those who may teach; what comes of it replaces the message."""
    return refusal_to_teach(call, _DECIDERS_ONLY) or DeferUpdate()


def work(call: WorkCall[Options]) -> Reply:
    """Show the oldest of the selected dataset."""
    _check(call)
    return _list(call, scope_settings(call.services.store, call.actor.scope).dataset)


def work_page(call: WorkCall[ComponentData]) -> Reply:
    """Show another page; the subject is where it begins, and the dataset."""
    _check(call)
    anchor, _, dataset = call.subject.partition(":")
    return _list(call, _dataset(call, dataset), _id(call, anchor))


def work_one(call: WorkCall[ComponentData]) -> Reply:
    """Decide about one, and show the page again; the subject says how, where that begins, which, and the dataset."""
    _check(call)
    how, anchor, correction_id, dataset = _parts(call, 4)
    standing = decide(call, _dataset(call, dataset), _id(call, correction_id), approve=how == APPROVE)
    return _list(call, dataset, _id(call, anchor), standing=standing)


def work_ask(call: WorkCall[ComponentData]) -> Reply:
    """Ask once more before all are rejected, which cannot be taken back; the subject is as that of `work_all`."""
    _check(call)
    newest, shown_at, dataset = _parts(call, 3)
    count = sum(1 for one in _proposals(call).marked(call.actor.scope, _dataset(call, dataset)) if _upto(one, newest))
    return confirm_reply(call.t, dataset, count, newest=_id(call, newest), shown_at=_id(call, shown_at))


def work_approve_all(call: WorkCall[ComponentData]) -> Reply:
    """Approve all that were there when the list was shown, if their test does not hold them back."""
    _check(call)
    bulk = _gathered(call, approve=True)
    if not bulk.ids:
        return _list(call, bulk.dataset)
    try:
        judgement = _judged(call, bulk)
    except Held as held:
        return held.reply
    return _carried(call, bulk, note=passed_line(call.t, judgement) if judgement is not None else "")


def work_reject_all(call: WorkCall[ComponentData]) -> Reply:
    """Reject all that were there when the list was shown."""
    _check(call)
    bulk = _gathered(call, approve=False)
    return _carried(call, bulk) if bulk.ids else _list(call, bulk.dataset)


def work_undo_all(call: WorkCall[ComponentData]) -> Reply:
    """Take back what was approved together; the subject is the press that approved it."""
    _check(call)
    proposals = _proposals(call)
    bulk = proposals.bulk(call.actor.scope, call.subject)
    if bulk is None or not bulk.approve:
        raise Sorry(call.t(_GONE))
    return taken_back_reply(call.t, bulk.dataset, proposals.take_back(call.actor, bulk))


def approve_all_the_same(call: WorkCall[Any], judgement: Judgement, decision: Decision) -> Reply:
    """Approve the proposals of a judgement that did not pass, for a reason. Who may do so was checked."""
    bulk = _proposals(call).bulk(call.actor.scope, judgement.change.bulk)
    if bulk is None:
        raise Sorry(call.t(_GONE))
    return _carried(call, bulk, reason=decision.reason, note=forced_line(call.t, judgement, decision))


def _gathered(call: WorkCall[ComponentData], *, approve: bool) -> Bulk:
    """What the press is about; the subject is the newest that was listed, when that was, and the dataset."""
    newest, shown_at, dataset = _parts(call, 3)
    return _proposals(call).gather(
        call.actor,
        call.interaction.id,
        _dataset(call, dataset),
        newest=_id(call, newest),
        shown_at=int(_id(call, shown_at)) / 1000,
        approve=approve,
    )


def _judged(call: WorkCall[ComponentData], bulk: Bulk) -> Judgement | None:
    """How the proposals passed their test, where one is wanted. Raises `Held`."""
    if not is_gated(call):
        return None
    # Testing needs what acknowledging does not.
    from trainer.evaluation.gate_store import Change  # noqa: PLC0415

    corrections = _proposals(call).corrections_of(call.actor.scope, bulk)
    now = in_force(call)._replace(dataset=bulk.dataset)
    change = Change(kind="approval", dataset=bulk.dataset, bulk=bulk.id)
    return judge_first(call, change, lambda: (now, now._replace(corrections=tuple(corrections))))


def _carried(call: WorkCall[Any], bulk: Bulk, *, reason: str = "", note: str = "") -> Reply:
    """Decide about all of a bulk, and tell what became of it, with a note."""
    from trainer.proposals import Stopped  # noqa: PLC0415 - acknowledging does without

    t = call.t

    def tell(done: int, total: int) -> None:
        call.tools.progress(t(N_("⏳ {done} of {total}…"), done=done, total=total))

    try:
        carried = _proposals(call).carry_out(
            call.actor, bulk, reason=reason, progress=tell, must_stop=call.tools.must_stop
        )
    except Stopped:
        raise HandOn(progressed=True) from None
    book = call.services.lessons
    if bulk.approve and book is not None:
        for correction_id in carried.done[:LESSONS_MOST]:
            paid_as = f"{call.interaction.id}-{correction_id}"
            call.tools.afterwards(partial(book.write, call.actor.scope, bulk.dataset, correction_id, paid_as))
    return carried_reply(t, bulk, len(carried.done), carried.otherwise, note)


def _list(call: WorkCall[Any], dataset: str, anchor: str = "0", standing: Standing | None = None) -> Reply:
    """A page of a dataset's proposals, below what has just become of one."""
    from trainer.proposals import waiting_elsewhere  # noqa: PLC0415 - as above
    from trainer.selection import dataset_names, folders  # noqa: PLC0415 - as above

    t, store, scope = call.t, call.services.store, call.actor.scope
    proposals = _proposals(call)

    def datasets() -> list[str]:
        names = dataset_names(store, scope)
        return names if names is not None else list(folders(store, scope))

    proposals.search(scope, datasets)
    # Before looking: what is stored from now on may be listed, but nobody decides about it together with the rest.
    shown_at = int(time.time() * 1000)
    page = proposals.page(scope, dataset, anchor)
    elsewhere = waiting_elsewhere(store, scope, dataset, most=ELSEWHERE_MOST)
    return list_reply(t, dataset, page, elsewhere, shown_at=shown_at, standing=standing)


def _proposals(call: WorkCall[Any]) -> Proposals:
    from trainer.proposals import Proposals  # noqa: PLC0415 - acknowledging does without

    return Proposals(call.services.store, call.services.corrections)


def _check(call: WorkCall[Any]) -> None:
    """Who may decide is checked again: it can have changed since the acknowledgement."""
    if not may_teach(call.services.store, call.actor):
        raise Sorry(call.t(_DECIDERS_ONLY))


def _parts(call: WorkCall[ComponentData], count: int) -> list[str]:
    """The parts of a subject, which may be forged."""
    parts = call.subject.split(":")
    if len(parts) != count:
        raise Sorry(call.t(_GONE))
    return parts


def _id(call: WorkCall[Any], text: str) -> str:
    if not is_id(text):
        raise Sorry(call.t(_GONE))
    return text


def _dataset(call: WorkCall[Any], name: str) -> str:
    try:
        if dataset_name(name) != name:
            raise BadName
    except BadName:
        raise Sorry(call.t(_GONE)) from None
    return name


def _upto(one: str, newest: str) -> bool:
    return is_id(newest) and int(one) <= int(newest)


COMMANDS = (
    SlashCommand(
        name="proposals",
        description=N_("Decide about the corrections that members proposed"),
        permissions=MANAGERS,
        handler=Handler(acknowledge, work),
    ),
)
BUTTONS = {
    "proposals": Handler(acknowledge_press, work_page),
    "prop": Handler(acknowledge_press, work_one),
    "approve-all": Handler(acknowledge_press, work_approve_all),
    "reject-all": Handler(acknowledge_press, work_ask),
    "rejected-all": Handler(acknowledge_press, work_reject_all),
    "undo-all": Handler(acknowledge_press, work_undo_all),
}
