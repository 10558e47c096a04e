"""The buttons below a correction: Approve and Reject for a proposal, Undo for one that counts, and its History."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from interactions.correction_lessons import word_lesson
from interactions.correction_wording import history_reply, standing_reply
from interactions.definitions import Handler
from interactions.failures import Sorry
from interactions.message_links import is_id
from interactions.outbound import EPHEMERAL, Defer, DeferUpdate, Reply, Say
from interactions.permission import refusal_to_teach
from trainer.corrections import NoSuchAnswer, NoSuchCorrection, NotAllowed
from trainer.datasets import BadName, dataset_name
from trainer.i18n import N_
from trainer.settings import may_teach

if TYPE_CHECKING:
    from interactions.call import AckCall, WorkCall
    from interactions.payloads import ComponentData
    from trainer.corrections import Standing

_DECIDERS_ONLY: Final = N_("Only managers (“Manage Server”) and trainers decide about corrections.")
_UNDOERS_ONLY: Final = N_("Only managers (“Manage Server”), trainers and its author take a correction back.")
_READERS_ONLY: Final = N_("Only managers (“Manage Server”) and trainers see the history of an answer.")
_GONE: Final = N_("This correction is no longer there.")


def acknowledge_verdict(call: AckCall[ComponentData]) -> DeferUpdate | Say:
    """For those who may teach."""
    return refusal_to_teach(call, _DECIDERS_ONLY) or DeferUpdate()


def acknowledge_undo(call: AckCall[ComponentData]) -> DeferUpdate | Say:
    """For those who may teach, and for the author, who stands in the subject."""
    if call.subject.split(":")[1:2] == [call.actor.user_id]:
        return DeferUpdate()
    return refusal_to_teach(call, _UNDOERS_ONLY) or DeferUpdate()


def acknowledge_history(_: AckCall[ComponentData]) -> Defer:
    """Only for the person's own eyes; whether they may see it, the work finds out."""
    return Defer(ephemeral=True)


def work_approval(call: WorkCall[ComponentData]) -> Reply:
    """Somebody approves a proposal."""
    return _decide(call, approve=True)


def work_rejection(call: WorkCall[ComponentData]) -> Reply:
    """Somebody rejects a proposal."""
    return _decide(call, approve=False)


def work_undo(call: WorkCall[ComponentData]) -> Reply:
    """Somebody takes a correction back; the reply takes the place of the message with the button."""
    correction_id, _, rest = call.subject.partition(":")
    standing = _standing(call, correction_id, rest.partition(":")[2])
    try:
        standing = call.services.corrections.undo(call.actor, standing.dataset, correction_id)
    except NotAllowed:
        return Reply(call.t(_UNDOERS_ONLY), whisper="instead")
    return _shown(call, standing)


def work_history(call: WorkCall[ComponentData]) -> Reply:
    """All corrections of an answer's question."""
    if not may_teach(call.services.store, call.actor):
        raise Sorry(call.t(_READERS_ONLY))
    try:
        if not is_id(call.subject):
            raise NoSuchAnswer
        return history_reply(call.t, call.services.corrections.history(call.actor.scope, call.subject))
    except NoSuchAnswer:
        raise Sorry(call.t(N_("I cannot find that answer here."))) from None


def decide(call: WorkCall[ComponentData], dataset: str, correction_id: str, *, approve: bool) -> Standing:
    """Decide about a proposal, and say how it stands. The caller has made sure that the person may."""
    standing = _standing(call, correction_id, dataset)
    if standing.correction.proposed:
        # Also when it is decided already: whoever decided may have died before the verdict took effect.
        call.services.corrections.decide(call.actor, dataset, correction_id, approve=approve)
        standing = _standing(call, correction_id, dataset)
        if standing.counts:
            word_lesson(call, dataset, correction_id)
    return standing


def _decide(call: WorkCall[ComponentData], *, approve: bool) -> Reply:
    correction_id, _, dataset = call.subject.partition(":")
    _standing(call, correction_id, dataset)
    if not may_teach(call.services.store, call.actor):
        return Reply(call.t(_DECIDERS_ONLY), whisper="instead")
    return _shown(call, decide(call, dataset, correction_id, approve=approve))


def _shown(call: WorkCall[ComponentData], standing: Standing) -> Reply:
    """What takes the place of the message with the button; in a history, which is private, it stays so."""
    message = call.interaction.message
    private = message is not None and bool(message.flags & EPHEMERAL)
    return msgspec.structs.replace(standing_reply(call.t, standing), private=private)


def _standing(call: WorkCall[ComponentData], correction_id: str, dataset: str) -> Standing:
    """The correction that a button is about, in the person's own scope: what the button says may be forged."""
    try:
        if not is_id(correction_id) or dataset_name(dataset) != dataset:
            raise NoSuchCorrection
        return call.services.corrections.standing(call.actor.scope, dataset, correction_id)
    except (BadName, NoSuchCorrection):
        raise Sorry(call.t(_GONE)) from None


BUTTONS = {
    "approve": Handler(acknowledge_verdict, work_approval),
    "reject": Handler(acknowledge_verdict, work_rejection),
    "undo": Handler(acknowledge_undo, work_undo),
    "history": Handler(acknowledge_history, work_history),
}
