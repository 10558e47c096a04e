"""/correct: sets a wrong answer right, as a slash command, from a message's menu, or by the button below an answer.

A correction of somebody who may teach applies at once; anybody else's is a proposal with buttons for those who may.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

from interactions.correction_lessons import word_lesson
from interactions.correction_wording import standing_reply
from interactions.definitions import Handler, MessageCommand, Option, Options, SlashCommand
from interactions.failures import Sorry
from interactions.message_links import is_id, read_message
from interactions.outbound import EPHEMERAL, Defer, Modal, Reply, Say, TextInput
from interactions.permission import refusal_to_teach
from trainer.answers import answer_shown_in, load_answer
from trainer.i18n import N_
from trainer.settings import may_teach

if TYPE_CHECKING:
    from interactions.call import AckCall, WorkCall
    from interactions.payloads import ComponentData, Message, ModalData
    from trainer.i18n import Translator

RIGHT_MOST: Final = 3500
"""Characters of a correction."""
_NOT_MINE: Final = N_("That message is not an answer of mine. Right-click one of my answers, or use its button.")
_NOT_FOUND: Final = N_(
    "I find no answer of mine in that message. If it was one, I no longer have it: please ask again, and correct the "
    "new answer."
)
_GONE: Final = N_("I no longer have that answer. Please ask again, and correct the new one.")
_PRIVATE: Final = N_("That answer was private. Please ask again without `private`, then correct it.")
_EMPTY: Final = N_("The correction is empty. Please write what the right answer is.")


class CorrectOptions(Options, frozen=True, kw_only=True):
    """The options of /correct."""

    message_id: Annotated[str, Option(N_("The answer's message: its id or its link"), max_length=200)]
    correction: Annotated[str, Option(N_("What the right answer is"), max_length=RIGHT_MOST)]


def acknowledge(call: AckCall[CorrectOptions]) -> Defer | Say:
    """Check what can be checked at once."""
    if read_message(call.given.message_id) is None:
        text = N_("“message_id” should be a message's id or link: right-click the answer, then “Copy Message Link”.")
        return Say(Reply(call.t(text)), ephemeral=True)
    if not call.given.correction.strip():
        return Say(Reply(call.t(_EMPTY)), ephemeral=True)
    return Defer()


def open_form(call: AckCall[ComponentData]) -> Modal | Say:
    """The button below an answer: its subject is the answer."""
    if not is_id(call.subject):
        return Say(Reply(call.t(_NOT_MINE)), ephemeral=True)
    return _form(call.t, call.subject)


def open_form_for_message(call: AckCall[Message]) -> Modal | Say:
    """The message's menu, of messages of ours; whether it is an answer turns out when it is corrected."""
    message = call.given
    ours = message.application_id or (message.author.id if message.author is not None else None)
    if ours != call.interaction.application_id:
        return Say(Reply(call.t(_NOT_MINE)), ephemeral=True)
    private = bool(message.flags & EPHEMERAL)
    return (refusal_to_teach(call, _PRIVATE) if private else None) or _form(call.t, f"m{message.id}")


def acknowledge_form(call: AckCall[ModalData]) -> Defer | Say:
    """A form with nothing in it needs no work."""
    if not call.given.text("correction").strip():
        return Say(Reply(call.t(_EMPTY)), ephemeral=True)
    # What only this person could see stays between us.
    shown = call.interaction.message
    return Defer(ephemeral=shown is not None and bool(shown.flags & EPHEMERAL))


def work(call: WorkCall[CorrectOptions]) -> Reply:
    """Correct the answer that a message shows."""
    place = read_message(call.given.message_id)
    return _correct(call, f"m{place.message_id}" if place is not None else "", call.given.correction)


def work_form(call: WorkCall[ModalData]) -> Reply:
    """Correct the answer that the form is about."""
    return _correct(call, call.subject, call.given.text("correction"))


def _form(t: Translator, subject: str) -> Modal:
    right = TextInput(
        "correction",
        t(N_("What is the right answer?")),
        placeholder=t(N_("Write it as I should say it next time.")),
        max_length=RIGHT_MOST,
    )
    return Modal(f"correct:{subject}", t(N_("Correct this answer")), (right,))


def _correct(call: WorkCall[Any], subject: str, right: str) -> Reply:
    """`subject` is an answer's id, or `m` and the id of the message that shows it."""
    scope, corrections, store = call.actor.scope, call.services.corrections, call.services.store
    if not is_id(subject.removeprefix("m")):
        raise Sorry(call.t(_NOT_MINE))
    answer_id: str | None = subject
    if subject.startswith("m"):
        answer_id = answer_shown_in(store, scope, subject[1:])
    answer = load_answer(store, scope, answer_id) if answer_id else None
    if answer is None:
        raise Sorry(call.t(_NOT_FOUND if subject.startswith("m") else _GONE))
    if answer.private and not may_teach(store, call.actor):
        # A proposal is for managers to read, and they have not seen the question.
        raise Sorry(call.t(_PRIVATE))
    correction = corrections.correct(call.actor, call.interaction.id, answer.id, right.strip())
    if not correction.proposed:
        word_lesson(call, answer.dataset, correction.id)
    shown = call.interaction.message
    if answer.private and not (shown is not None and shown.flags & EPHEMERAL):
        # Where others read along, a private question is not repeated.
        return Reply(call.t(N_("Thank you! From now on I will answer that so.")))
    return standing_reply(call.t, corrections.standing(scope, answer.dataset, correction.id))


COMMANDS = (
    SlashCommand(
        name="correct",
        description=N_("Set one of my answers right"),
        options=CorrectOptions,
        handler=Handler(acknowledge, work),
    ),
    MessageCommand(name="Correct this answer", handler=Handler(open_form_for_message)),
)
BUTTONS = {"correct": Handler(open_form)}
MODALS = {"correct": Handler(acknowledge_form, work_form)}
