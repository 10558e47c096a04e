"""/feedback, and 👍 👎 below every answer: what people think of answers, and what that comes to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from interactions.answer_buttons import (
    answer_buttons,
    comment_button,
    correct_button,
    history_button,
    test_button,
)
from interactions.definitions import Handler, Option, Options, SlashCommand
from interactions.failures import Sorry
from interactions.message_links import is_id, link_to, link_to_pressed, read_message
from interactions.outbound import Defer, Modal, Reply, Say, TextInput
from interactions.wording import plain
from trainer.answers import answer_shown_in, load_answer
from trainer.feedback import COMMENT_MOST, NoSuchAnswer, Opinion, give, last_answer
from trainer.i18n import N_
from trainer.settings import may_teach

if TYPE_CHECKING:
    from typing import Any

    from interactions.call import AckCall, WorkCall
    from interactions.payloads import ComponentData, ModalData
    from trainer.answers import AnswerRecord
    from trainer.feedback import Rating, Vote
    from trainer.i18n import Translator

QUESTION_MOST: Final = 200
"""Characters of a question that a reply repeats."""
NO_ID: Final = N_("“message_id” should be a message's id or link: right-click the answer, then “Copy Message Link”.")
_NOT_THERE: Final = N_("I cannot find that answer here.")
_NOT_MINE: Final = N_("That message is not an answer of mine. Right-click one of my answers, or use its button.")
_WHICH: Final = N_(
    "Which answer do you mean? Press 👍 or 👎 below it, or give me its “message_id”: right-click the answer, then "
    "“Copy Message Link”."
)
_HINT: Final = N_(
    "Press 👍 or 👎 below an answer to tell me whether it helped; you can change that at any time. With `/feedback` "
    "you can also leave a comment on my latest answer to you, or on another one by its “message_id”."
)


class FeedbackOptions(Options, frozen=True, kw_only=True):
    """The options of /feedback."""

    rating: Annotated[
        str,
        Option(N_("Did the answer help?"), choices=((N_("👍 It helped"), "up"), (N_("👎 It did not help"), "down"))),
    ] = ""
    comment: Annotated[str, Option(N_("What was good or bad about it"), max_length=COMMENT_MOST)] = ""
    message_id: Annotated[
        str, Option(N_("The answer's message: its id or its link (default: my latest answer to you)"), max_length=200)
    ] = ""


def acknowledge(call: AckCall[FeedbackOptions]) -> Defer | Say:
    """Only for the person's own eyes."""
    if call.given.message_id.strip() and read_message(call.given.message_id) is None:
        return Say(Reply(call.t(NO_ID)), ephemeral=True)
    return Defer(ephemeral=True)


def acknowledge_press(_: AckCall[ComponentData] | AckCall[ModalData]) -> Defer:
    """Only for the person's own eyes; the message with the button stays as it is."""
    return Defer(ephemeral=True)


def open_comment(call: AckCall[ComponentData]) -> Modal | Say:
    """The Comment button: its subject is the answer."""
    if not is_id(call.subject):
        return Say(Reply(call.t(_NOT_THERE)), ephemeral=True)
    field = TextInput(
        "comment",
        call.t(N_("What was good or bad about it?")),
        description=call.t(N_("Whoever teaches me here can read it.")),
        max_length=COMMENT_MOST,
    )
    return Modal(f"comment:{call.subject}", call.t(N_("Comment on this answer")), (field,))


def work(call: WorkCall[FeedbackOptions]) -> Reply:
    """Take a vote and a comment; with neither, show what there is."""
    from interactions.feedback_report import overview  # noqa: PLC0415 - the acknowledging path does without

    t, comment = call.t, call.given.comment.strip()
    rating: Rating | None = "up" if call.given.rating == "up" else "down" if call.given.rating == "down" else None
    answer_id, link = _meant(call)
    if rating is None and not comment:
        teaches = may_teach(call.services.store, call.actor)
        if answer_id:
            return _ask_for_opinion(call, answer_id, teaches=teaches)
        return overview(call) if teaches else Reply(t(_HINT))
    if not answer_id:
        latest = last_answer(call.services.store, call.actor, call.interaction.id)
        if latest is None:
            raise Sorry(t(_WHICH))
        answer_id = latest.id
    return _give(call, answer_id, Opinion(rating=rating, comment=comment, link=link), about=True)


def work_up(call: WorkCall[ComponentData]) -> Reply:
    """👍 below an answer."""
    return _press(call, "up")


def work_down(call: WorkCall[ComponentData]) -> Reply:
    """👎 below an answer."""
    return _press(call, "down")


def work_comment(call: WorkCall[ModalData]) -> Reply:
    """The form behind the Comment button."""
    comment = call.given.text("comment").strip()
    if not comment:
        raise Sorry(call.t(N_("The comment is empty, so nothing was kept.")))
    return _give(call, call.subject, Opinion(comment=comment))


def work_export(call: WorkCall[ComponentData]) -> Reply:
    """The Export button below the summary."""
    from interactions.feedback_report import export  # noqa: PLC0415 - the acknowledging path does without

    if not may_teach(call.services.store, call.actor):
        raise Sorry(call.t(N_("Only managers (“Manage Server”) and trainers see what everybody thinks.")))
    return export(call)


def _press(call: WorkCall[ComponentData], rating: Rating) -> Reply:
    link = link_to_pressed(call.interaction)
    return _give(call, call.subject, Opinion(rating=rating, toggle=True, link=link))


def _meant(call: WorkCall[FeedbackOptions]) -> tuple[str, str]:
    """The answer that a message shows, and the link to it; both empty if no message was named."""
    place = read_message(call.given.message_id)
    if place is None:
        return "", ""
    answer_id = answer_shown_in(call.services.store, call.actor.scope, place.message_id)
    if answer_id is None:
        raise Sorry(call.t(_NOT_MINE))
    return answer_id, link_to(call.interaction, place)


def _give(call: WorkCall[Any], answer_id: str, opinion: Opinion, *, about: bool = False) -> Reply:
    """Store an opinion and thank for it; with `about`, say which answer it is about."""
    store = call.services.store
    try:
        if not is_id(answer_id):
            raise NoSuchAnswer
        vote, answer = give(store, call.actor, call.interaction.id, answer_id, opinion)
    except NoSuchAnswer:
        raise Sorry(call.t(_NOT_THERE)) from None
    down, teaches = vote.rating == "down", may_teach(store, call.actor)
    # A proposal is for others to read, so nobody is asked for one about a private answer.
    correctable = teaches or not answer.private
    lines = [_thanks(call.t, vote, opinion, correctable=correctable)]
    if about:
        lines.append(f"> {_short(answer)}")
    buttons = [comment_button(call.t, answer_id)]
    if down and correctable:
        buttons.insert(0, correct_button(call.t, answer_id))
    # So are tests, by whoever teaches.
    if down and teaches and (call.actor.scope.kind == "user" or not answer.private):
        buttons.append(test_button(call.t, answer_id))
    return Reply("\n".join(lines), buttons=tuple(buttons))


def _thanks(t: Translator, vote: Vote, opinion: Opinion, *, correctable: bool) -> str:
    if opinion.rating is None:
        return t(N_("Thank you! Your comment is kept with the answer."))
    if vote.rating is None:
        return t(N_("I took your vote back."))
    if vote.rating == "down" and correctable:
        return t(N_("Thank you, your 👎 counts. What would have been right?"))
    if vote.rating == "down":
        return t(N_("Thank you, your 👎 counts!"))
    return t(N_("Thank you, your 👍 counts!"))


def _ask_for_opinion(call: WorkCall[FeedbackOptions], answer_id: str, *, teaches: bool) -> Reply:
    from interactions.feedback_report import votes_line  # noqa: PLC0415 - the acknowledging path does without

    t = call.t
    answer = load_answer(call.services.store, call.actor.scope, answer_id)
    if answer is None or (answer.private and answer.author != call.actor.user_id):
        raise Sorry(t(_NOT_THERE))
    lines = [f"**{_short(answer)}**"]
    if teaches:
        lines.append(votes_line(call, answer_id))
    lines.append(t(N_("What do you think of this answer?")))
    correctable = teaches or not answer.private
    buttons = (*answer_buttons(t, answer_id, correctable=correctable), comment_button(t, answer_id))
    if teaches:
        buttons = (*buttons, history_button(t, answer_id))
    return Reply("\n".join(lines), buttons=buttons)


def _short(answer: AnswerRecord) -> str:
    question = " ".join(answer.question.split())
    return plain(question[:QUESTION_MOST]) + ("…" if len(question) > QUESTION_MOST else "")


COMMANDS = (
    SlashCommand(
        name="feedback",
        description=N_("Say whether an answer helped"),
        options=FeedbackOptions,
        handler=Handler(acknowledge, work),
    ),
)
BUTTONS = {
    "up": Handler(acknowledge_press, work_up),
    "down": Handler(acknowledge_press, work_down),
    "comment": Handler(open_comment),
    "feedback_export": Handler(acknowledge_press, work_export),
}
MODALS = {"comment": Handler(acknowledge_press, work_comment)}
