"""What can be done about a change that did not pass its test: bring it into force all the same, or leave it.

A custom id's subject is `<kind of change>:<judgement>`. Nothing in it is believed but which judgement is meant.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from interactions.definitions import Handler
from interactions.failures import Sorry
from interactions.gate_wording import FORM, LEAVE, OVERRIDE
from interactions.outbound import Button, Defer, DeferUpdate, Modal, Reply, Say, TextInput
from interactions.permission import refusal_to_teach
from trainer.i18n import N_
from trainer.settings import may_teach
from trainer.snowflakes import moment_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from interactions.call import AckCall, WorkCall
    from interactions.payloads import ComponentData, ModalData
    from trainer.evaluation.gate_store import Decision, Judgement
    from trainer.i18n import Translator

REASON_MOST: Final = 300
"""Characters of a reason."""
OLD_S: Final = 90_000.0
"""A day, and an hour that the test may have taken: when it is so old, its judgement holds no more."""
PUBLIC: Final = "selection"
"""Everybody reads which dataset is selected; the rest is between the bot and one person."""

_MANAGERS_ONLY: Final = N_("Only managers (“Manage Server”) put into force what did not pass its test.")
_LEAVERS_ONLY: Final = N_("That is for managers (“Manage Server”) and trainers.")
_EXPIRED: Final = N_("That test is more than a day old, so it says little by now. Please try the change again.")
_EMPTY: Final = N_("Please say why. Nothing was changed.")
_GONE: Final = N_("I know nothing of that test any more, so nothing was changed.")


def open_form(call: AckCall[ComponentData]) -> Modal | Say:
    """Managers only: a form that asks why."""
    refusal = _refusal(call)
    if refusal is not None:
        return refusal
    judged_at = moment_of(call.subject.partition(":")[2])
    if judged_at is None or time.time() > judged_at + OLD_S:
        return Say(Reply(call.t(_EXPIRED)), ephemeral=True)
    field = TextInput(
        "reason",
        call.t(N_("Why all the same?")),
        description=call.t(N_("It is kept with the change, and everybody who may teach me can read it.")),
        max_length=REASON_MOST,
    )
    return Modal(f"{FORM}:{call.subject}", call.t(N_("Do it all the same")), (field,))


def acknowledge_form(call: AckCall[ModalData]) -> Defer | Say:
    """Managers only, and not without a reason."""
    refusal = _refusal(call)
    if refusal is not None:
        return refusal
    if not _reason(call.given):
        return Say(Reply(call.t(_EMPTY)), ephemeral=True)
    return Defer(ephemeral=call.subject.partition(":")[0] != PUBLIC)


def acknowledge_leave(call: AckCall[ComponentData]) -> DeferUpdate | Say:
    """For those who may teach; what comes of it replaces the message."""
    return refusal_to_teach(call, _LEAVERS_ONLY) or DeferUpdate()


def work_form(call: WorkCall[ModalData]) -> Reply:
    """Bring the very change into force that was judged."""
    if not call.actor.is_manager:
        return Reply(call.t(_MANAGERS_ONLY), whisper="instead")
    reason = _reason(call.given)
    if not reason:
        return Reply(call.t(_EMPTY), whisper="instead")
    judgement, decision = _decided(call, reason)
    return _ways()[judgement.change.kind](call, judgement, decision)


def work_leave(call: WorkCall[ComponentData]) -> Reply:
    """Leave everything as it is."""
    t = call.t
    if not may_teach(call.services.store, call.actor):
        return Reply(t(_LEAVERS_ONLY), whisper="instead")
    judgement, _ = _decided(call, None)
    return Reply(t(N_("Everything stays as it was.")), buttons=_left_buttons(t, judgement), private=True)


def _decided(call: WorkCall[Any], reason: str | None) -> tuple[Judgement, Decision]:
    """Decide about the judgement that a custom id names. Raises `Sorry` where that cannot be."""
    from trainer.evaluation.gate_store import DecidedBefore, Expired, Gates, NoSuchJudgement  # noqa: PLC0415

    t = call.t
    kind, _, gate_id = call.subject.partition(":")
    gates = Gates(call.services.store)
    try:
        found = gates.load(call.actor.scope, gate_id)
        # Who may read the reply was decided by the kind.
        if found is None or found.change.kind != kind:
            raise NoSuchJudgement
        return gates.decide(call.actor, call.interaction.id, gate_id, reason=reason)
    except NoSuchJudgement:
        raise Sorry(t(_GONE)) from None
    except Expired:
        raise Sorry(t(_EXPIRED)) from None
    except DecidedBefore as before:
        raise Sorry(_before(t, before.decision)) from None


def _before(t: Translator, decision: Decision) -> str:
    if decision.done:
        text = N_("<@{user}> has done that already, <t:{at}:R>.")
    else:
        text = N_("<@{user}> has decided to leave it, <t:{at}:R>. Please try the change again.")
    return t(text, user=decision.by, at=int(decision.at))


def _ways() -> Mapping[str, Callable[[WorkCall[Any], Judgement, Decision], Reply]]:
    """What brings a change of each kind into force."""
    # They know of this file's buttons, and this file of them.
    from interactions.commands.instruction import apply_all_the_same  # noqa: PLC0415
    from interactions.commands.proposals import approve_all_the_same  # noqa: PLC0415
    from interactions.commands.select_dataset import select_all_the_same  # noqa: PLC0415

    return {
        "selection": select_all_the_same,
        "instruction": apply_all_the_same,
        "approval": approve_all_the_same,
    }


def _left_buttons(t: Translator, judgement: Judgement) -> tuple[Button, ...]:
    if judgement.change.kind != "approval":
        return ()
    return (Button(f"proposals:0:{judgement.change.dataset}", t(N_("Show them"))),)


def _refusal(call: AckCall[Any]) -> Say | None:
    if call.actor.is_manager:
        return None
    return Say(Reply(call.t(_MANAGERS_ONLY)), ephemeral=True)


def _reason(given: ModalData) -> str:
    """What was typed, on one line."""
    return " ".join(given.text("reason").split())[:REASON_MOST]


BUTTONS = {OVERRIDE: Handler(open_form), LEAVE: Handler(acknowledge_leave, work_leave)}
MODALS = {FORM: Handler(acknowledge_form, work_form)}
