"""/correct: sets a wrong answer right, as a slash command, from a message's menu, or by the button below an answer.

A manager's correction applies at once; anybody else's is a proposal with buttons for the managers.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Final

from interactions.definitions import Handler, MessageCommand, Option, Options, SlashCommand
from interactions.failures import Sorry
from interactions.outbound import EPHEMERAL, Button, Defer, DeferUpdate, Modal, Reply, Say, TextInput
from interactions.wording import plain
from trainer.answers import answer_shown_in, load_answer
from trainer.corrections import NoSuchProposal
from trainer.datasets import BadName, dataset_name
from trainer.i18n import N_

if TYPE_CHECKING:
    from interactions.call import AckCall, WorkCall
    from interactions.payloads import ComponentData, Message, ModalData
    from trainer.corrections import Correction, Decided
    from trainer.i18n import Translator

RIGHT_MOST: Final = 3500
"""Characters of a correction."""
SHOWN_MOST: Final = 700
"""Characters of a text that a reply repeats."""
_LINK: Final = re.compile(r"(?:https://(?:\w+\.)?discord(?:app)?\.com/channels/\S+/|[0-9]{1,20}-)?([0-9]{1,20})")
"""A message's id, alone, as "Copy message link" gives it, or as shift-click on "Copy message ID" does."""
_NOT_MINE: Final = N_("That message is not an answer of mine. Right-click one of my answers, or use its button.")


class CorrectOptions(Options, frozen=True, kw_only=True):
    """The options of /correct."""

    message_id: Annotated[str, Option(N_("The answer's message: its id or its link"), max_length=200)]
    correction: Annotated[str, Option(N_("What the right answer is"), max_length=RIGHT_MOST)]


def acknowledge(call: AckCall[CorrectOptions]) -> Defer | Say:
    """Check what can be checked at once."""
    if _LINK.fullmatch(call.given.message_id.strip()) is None:
        text = N_("“message_id” should be a message's id or link: right-click the answer, then “Copy Message Link”.")
        return Say(Reply(call.t(text)), ephemeral=True)
    if not call.given.correction.strip():
        return Say(Reply(call.t(_EMPTY)), ephemeral=True)
    return Defer()


def open_form(call: AckCall[ComponentData]) -> Modal:
    """The button below an answer: its subject is the answer."""
    return _form(call.t, call.subject)


def open_form_for_message(call: AckCall[Message]) -> Modal | Say:
    """The message's menu, of messages of ours; whether it is an answer turns out when it is corrected."""
    message = call.given
    ours = message.application_id or (message.author.id if message.author is not None else None)
    if ours != call.interaction.application_id:
        return Say(Reply(call.t(_NOT_MINE)), ephemeral=True)
    return _form(call.t, f"m{message.id}")


def acknowledge_form(call: AckCall[ModalData]) -> Defer | Say:
    """A form with nothing in it needs no work."""
    if not call.given.text("correction").strip():
        return Say(Reply(call.t(_EMPTY)), ephemeral=True)
    # What only this person could see stays between us.
    shown = call.interaction.message
    return Defer(ephemeral=shown is not None and bool(shown.flags & EPHEMERAL))


def work(call: WorkCall[CorrectOptions]) -> Reply:
    """Correct the answer that a message shows."""
    match = _LINK.fullmatch(call.given.message_id.strip())
    return _correct(call, f"m{match[1]}" if match is not None else "", call.given.correction)


def work_form(call: WorkCall[ModalData]) -> Reply:
    """Correct the answer that the form is about."""
    return _correct(call, call.subject, call.given.text("correction"))


def acknowledge_verdict(call: AckCall[ComponentData]) -> DeferUpdate | Say:
    """Managers only."""
    if not call.actor.is_manager:
        return Say(Reply(call.t(N_("Only managers (“Manage Server”) decide about corrections."))), ephemeral=True)
    return DeferUpdate()


def work_approval(call: WorkCall[ComponentData]) -> Reply:
    """A manager approves a proposal."""
    return _decide(call, approve=True)


def work_rejection(call: WorkCall[ComponentData]) -> Reply:
    """A manager rejects a proposal."""
    return _decide(call, approve=False)


def _form(t: Translator, subject: str) -> Modal:
    right = TextInput(
        "correction",
        t(N_("What is the right answer?")),
        placeholder=t(N_("Write it as I should say it next time.")),
        max_length=RIGHT_MOST,
    )
    return Modal(f"correct:{subject}", t(N_("Correct this answer")), (right,))


def _correct(call: WorkCall[CorrectOptions] | WorkCall[ModalData], subject: str, right: str) -> Reply:
    """`subject` is an answer's id, or `m` and the id of the message that shows it."""
    scope, store = call.actor.scope, call.services.store
    answer_id = answer_shown_in(store, scope, subject[1:]) if subject.startswith("m") else subject
    answer = load_answer(store, scope, answer_id) if answer_id else None
    if answer is None:
        raise Sorry(call.t(_NOT_MINE))
    if answer.private and not call.actor.is_manager:
        # A proposal is for managers to read, and they have not seen the question.
        raise Sorry(call.t(N_("That answer was private. Please ask again without `private`, then correct it.")))
    correction = call.services.corrections.correct(call.actor, call.interaction.id, answer.id, right.strip())
    if not correction.proposed:
        thanks = call.t(N_("Thank you! From now on I will answer:"))
        # Where others read along, a private question is not repeated.
        if answer.private:
            return Reply(call.t(N_("Thank you! From now on I will answer that so.")))
        return Reply(f"{thanks}\n{_both(correction)}")
    dataset = call.services.corrections.dataset_of(call.actor, correction)
    subject = f"{correction.id}:{dataset}"
    thanks = call.t(N_("Thank you! A manager decides whether I will answer this from now on:"))
    return Reply(
        f"{thanks}\n{_both(correction)}",
        buttons=(
            Button(f"approve:{subject}", call.t(N_("Approve")), style="success"),
            Button(f"reject:{subject}", call.t(N_("Reject")), style="danger"),
        ),
    )


def _decide(call: WorkCall[ComponentData], *, approve: bool) -> Reply:
    correction_id, _, dataset = call.subject.partition(":")
    try:
        if not correction_id.isdecimal():
            raise NoSuchProposal
        decided = call.services.corrections.decide(call.actor, dataset_name(dataset), correction_id, approve=approve)
    except (NoSuchProposal, BadName):
        raise Sorry(call.t(N_("This proposal is no longer there."))) from None
    return Reply(_verdict_text(call.t, decided))


def _verdict_text(t: Translator, decided: Decided) -> str:
    verdict = decided.verdict
    if verdict.approved:
        first = t(N_("Approved by <@{user}>. From now on I will answer:"), user=verdict.by)
    else:
        first = t(N_("Rejected by <@{user}>. I go on answering as before."), user=verdict.by)
    return f"{first}\n{_both(decided.correction)}"


def _both(correction: Correction) -> str:
    """Question and right answer, as far as they fit; the text is people's own, so its markdown stays harmless."""
    question = plain(correction.question[:SHOWN_MOST])
    lines = "\n> ".join(correction.right[:SHOWN_MOST].splitlines())
    return f"**{question}**\n> {lines}" + ("…" if len(correction.right) > SHOWN_MOST else "")


_EMPTY: Final = N_("The correction is empty. Please write what the right answer is.")

COMMANDS = (
    SlashCommand(
        name="correct",
        description=N_("Set one of my answers right"),
        options=CorrectOptions,
        handler=Handler(acknowledge, work),
    ),
    MessageCommand(name="Correct this answer", handler=Handler(open_form_for_message)),
)
BUTTONS = {
    "correct": Handler(open_form),
    "approve": Handler(acknowledge_verdict, work_approval),
    "reject": Handler(acknowledge_verdict, work_rejection),
}
MODALS = {"correct": Handler(acknowledge_form, work_form)}
