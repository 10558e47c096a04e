"""“Train on this”: teaches what a message says. Somebody else's message only if that person allows it.

Discord's policy asks for its author's permission before anybody's message is used for training. So a question with
buttons goes to the channel, and quotes the message: the press of a button brings that text back to us, and until then
it is stored nowhere on our side (decision 7). That somebody asked is stored: a button counts only if it answers that.
"""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple, get_args

import msgspec

from interactions.definitions import MANAGERS, Handler, MessageCommand
from interactions.message_links import is_id
from interactions.outbound import Button, Defer, DeferUpdate, Reply, ReplyFile, Say
from interactions.permission import refusal_to_teach
from interactions.wording import report_text
from trainer import notices
from trainer.consent import (
    REQUEST_DAYS,
    Answer,
    Request,
    ask,
    change_preferences,
    decide,
    preferences,
    requested,
)
from trainer.i18n import N_
from trainer.scope import Actor
from trainer.settings import may_teach, scope_settings
from trainer.snowflakes import moment_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from interactions.call import AckCall, WorkCall
    from interactions.payloads import ComponentData, Message
    from trainer.batches import Batch
    from trainer.consent import Learning, Preferences

QUOTE_MOST: Final = 1500
"""Characters of a message that are quoted in the question itself; more of them go with it as a file."""
QUOTE: Final = "> "
FILE_NAME: Final = "message.txt"
DAY_S: Final = 86_400
ANSWERS: Final[Mapping[str, Answer]] = {answer: answer for answer in get_args(Answer)}
"""What a button may say."""

_UNKNOWN: Final = N_("I no longer know what this was about. Please use “Train on this” again.")
_EXPIRED: Final = N_(
    "Nobody decided about this until <t:{at}:D>, so I learned nothing. “Train on this” asks once more."
)
_TEACHERS_ONLY: Final = N_("Teaching me is for managers (“Manage Server”).")


class Pressed(NamedTuple):
    """What a consent button says: the part of its custom id after the handler's name. It may be forged."""

    answer: Answer
    author: str
    """Whose message it is, and who alone may press the button."""
    request_id: str

    @classmethod
    def parse(cls, subject: str) -> Pressed | None:
        """What a custom id says; None for one that is not ours."""
        said, *ids = subject.split(":")
        answer = ANSWERS.get(said)
        if answer is None or len(ids) != 2 or not all(map(is_id, ids)):  # noqa: PLR2004
            return None
        return cls(answer, *ids)


def acknowledge(call: AckCall[Message]) -> Defer | Say:
    """For those who may teach; and only messages of people, with text in them."""
    if refused := refusal_to_teach(call, _TEACHERS_ONLY):
        return refused
    message, author = call.given, call.given.author
    ours = call.interaction.application_id
    if ours in {message.application_id, author.id if author is not None else None}:
        return _no(call, N_("That is an answer of mine. To set it right, use “Correct this answer”."))
    if author is None or author.bot:
        return _no(call, N_("I learn from what people write, not from other bots."))
    if not message.content.strip():
        return _no(call, N_("There is no text in that message. To teach me a file, use `/train` with it."))
    if author.id == call.actor.user_id:
        return Defer(ephemeral=True)
    if call.actor.scope.kind != "guild":
        return _no(call, N_("Here I can learn from your own messages only."))
    return Defer()


def work(call: WorkCall[Message]) -> Reply:
    """Learn, or ask the author."""
    store, actor, author = call.services.store, call.actor, call.given.author
    if author is None or not may_teach(store, actor):
        return Reply(call.t(_TEACHERS_ONLY), whisper="instead")
    if author.id == actor.user_id:
        return Reply(_learn(call, call.given.content, author.id, call.interaction.id))
    match preferences(store, actor.scope, author.id).train_on_my_messages:
        case "always":
            return Reply(_learn(call, call.given.content, author.id, call.interaction.id))
        case "never":
            told = call.t(N_("<@{author}> does not want me to learn from their messages."), author=author.id)
            return Reply(told, whisper="instead")
        case _:
            return _question(call, author.id)


def acknowledge_answer(call: AckCall[ComponentData]) -> DeferUpdate | Say:
    """Nobody but the author decides."""
    pressed, message = Pressed.parse(call.subject), call.interaction.message
    genuine = (
        message is not None and message.author is not None and message.author.id == call.interaction.application_id
    )
    if pressed is None or not genuine:
        return _no(call, _UNKNOWN)
    if pressed.author != call.actor.user_id:
        told = call.t(N_("Only <@{author}> can decide about their own message."), author=pressed.author)
        return Say(Reply(told), ephemeral=True)
    return DeferUpdate()


def work_answer(call: WorkCall[ComponentData]) -> Reply:
    """Do what the author decided, if somebody asked them, and tell who asked."""
    t, store, scope = call.t, call.services.store, call.actor.scope
    pressed = Pressed.parse(call.subject)
    if pressed is None or pressed.author != call.actor.user_id:
        return Reply(t(_UNKNOWN), whisper="instead")
    answers = _answered_by(call)
    if answers not in {pressed.request_id, None}:
        return Reply(t(_UNKNOWN), whisper="instead")
    request = requested(store, scope, pressed.author, pressed.request_id)
    if request is None:
        # The question goes with its quote; where that is not sure to be what the button stands on, nothing goes.
        return Reply(t(_UNKNOWN), whisper="no" if answers is not None else "instead")
    if time.time() > request.until:
        return Reply(t(_EXPIRED, at=int(request.until)))
    # Of two buttons that are pressed before the question changes, the first one counts.
    decided = decide(store, scope, pressed.request_id, request, pressed.answer)
    allowed = decided.answer in {"allow", "always"}
    if decided.answer in {"always", "never"}:
        wanted: Learning = "always" if allowed else "never"
        change_preferences(store, scope, request.author, partial(_choosing, wanted))
    if allowed:
        first = t(N_("<@{author}> allowed it."), author=request.author)
        text = f"{first} {_learn(call, _quoted(call), request.author, pressed.request_id)}"
    else:
        text = t(N_("<@{author}> would rather not, so I learned nothing."), author=request.author)
    notices.leave(store, scope, request.requester, notices.Notice(pressed.request_id, text))
    if decided.answer == "always":
        text += "\n" + t(N_("-# From now on I learn from their messages without asking. `/privacy` changes that."))
    elif decided.answer == "never":
        text += "\n" + t(N_("-# I will not ask again. `/privacy` changes that."))
    return Reply(text)


def _answered_by(call: WorkCall[ComponentData]) -> str | None:
    """The interaction that the message with the button answers; None for one that the bot posted to the channel."""
    message = call.interaction.message
    metadata = message.interaction_metadata if message is not None else None
    return metadata.id if metadata is not None else None


def _choosing(wanted: Learning, switches: Preferences) -> Preferences:
    return msgspec.structs.replace(switches, train_on_my_messages=wanted)


def _question(call: WorkCall[Message], author: str) -> Reply:
    """Asks the author, in the channel. Nobody is pinged."""
    t, text, requester, request_id = call.t, call.given.content, call.actor.user_id, call.interaction.id
    until = (moment_of(request_id) or time.time()) + REQUEST_DAYS * DAY_S
    request = Request(author=author, requester=requester, message_id=call.given.id, until=until)
    request = ask(call.services.store, call.actor.scope, request_id, request)
    names = {"author": author, "requester": requester}
    lines = [
        t(N_("<@{author}>, <@{requester}> would like me to learn from this message of yours. May I?"), **names),
        t(
            N_("-# Only you can decide, until <t:{at}:D>. Until you allow it, I store nothing of it."),
            at=int(request.until),
        ),
    ]
    files: tuple[ReplyFile, ...] = ()
    if len(text) <= QUOTE_MOST:
        lines += [QUOTE + line for line in text.strip().splitlines()]
    else:
        files = (ReplyFile(FILE_NAME, text.encode(errors="replace")),)
    subject = f"{author}:{request_id}"
    buttons = (
        Button(f"consent:allow:{subject}", t(N_("Allow")), style="success"),
        Button(f"consent:decline:{subject}", t(N_("Decline"))),
        Button(f"consent:always:{subject}", t(N_("Always allow"))),
        Button(f"consent:never:{subject}", t(N_("Never ask me"))),
    )
    return Reply("\n".join(lines), buttons=buttons, files=files, kept=False)


def _quoted(call: WorkCall[ComponentData]) -> str:
    """The text that the question quotes, from the question as Discord has it."""
    message = call.interaction.message
    if message is None:
        return ""
    for file in message.attachments:
        if file.filename == FILE_NAME:
            with call.tools.fetch(file, keep=False) as path:
                return path.read_text(encoding="utf-8", errors="replace")
    # Discord takes spaces away at the end of a message, also those of an empty last line.
    lines = [line for line in message.content.splitlines() if line.startswith(QUOTE.rstrip())]
    return "\n".join(line.removeprefix(QUOTE.rstrip()).removeprefix(" ") for line in lines)


def _learn(call: WorkCall[Any], text: str, author: str, batch_id: str) -> str:
    """Teach a text as its author's, once under this id; what became of it."""
    # Reading text into examples needs libraries that acknowledging does not.
    from trainer.batches import Origin  # noqa: PLC0415
    from trainer.importers import read_text  # noqa: PLC0415

    training, scope = call.services.training, call.actor.scope
    # Whose words they are decides who can have them forgotten.
    teacher = Actor(scope, author, is_manager=False)
    dataset = scope_settings(call.services.store, scope).dataset
    dataset = training.dataset_for(teacher, batch_id, dataset)
    batch: Batch | None = training.done(teacher, batch_id, dataset)
    if batch is None:
        batch = training.train(teacher, batch_id, dataset, Origin("text"), read_text(text), lambda _: None)
    return report_text(call.t, batch, dataset)


def _no(call: AckCall[Any], sentence: str) -> Say:
    return Say(Reply(call.t(sentence)), ephemeral=True)


COMMANDS = (MessageCommand(name="Train on this", handler=Handler(acknowledge, work), permissions=MANAGERS),)
BUTTONS = {"consent": Handler(acknowledge_answer, work_answer)}
