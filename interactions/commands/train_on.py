"""“Train on this”: teaches what a message says. Somebody else's message only if that person allows it.

Discord's policy asks for its author's permission before anybody's message is used for training. So a question with
buttons goes to the channel, and quotes the message: the press of a button brings that text back to us, and until then
it is stored nowhere on our side (decision 7).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from interactions.definitions import MANAGERS, Handler, MessageCommand
from interactions.failures import Sorry
from interactions.outbound import Button, Defer, DeferUpdate, Reply, ReplyFile, Say
from interactions.permission import refusal_to_teach
from interactions.wording import report_text
from trainer import notices, records
from trainer.consent import change_preferences, preferences
from trainer.i18n import N_
from trainer.scope import Actor
from trainer.settings import may_teach, scope_settings

if TYPE_CHECKING:
    from interactions.call import AckCall, WorkCall
    from interactions.payloads import ComponentData, Message
    from trainer.batches import Batch
    from trainer.consent import Learning, Preferences
    from trainer.i18n import Translator
    from trainer.scope import Scope

QUOTE_MOST: Final = 1500
"""Characters of a message that are quoted in the question itself; more of them go with it as a file."""
QUOTE: Final = "> "
FILE_NAME: Final = "message.txt"
ANSWERS: Final = ("allow", "always", "decline", "never")

_TEACHERS_ONLY: Final = N_("Teaching me is for managers (“Manage Server”).")


class Request(NamedTuple):
    """What a consent button is about: the part of its custom id after the handler's name."""

    answer: str
    author: str
    """Whose message it is, and who alone may press the button."""
    requester: str

    @classmethod
    def parse(cls, subject: str) -> Request | None:
        """A request from a custom id; None for one that is not ours."""
        answer, *ids = subject.split(":")
        if answer not in ANSWERS or len(ids) != 2 or not all(one.isdecimal() for one in ids):  # noqa: PLR2004
            return None
        return cls(answer, *ids)


class Consent(msgspec.Struct, frozen=True):
    """What an author decided about one message; nothing of the message is in it."""

    answer: str
    author: str
    requester: str
    v: int = 1


def consent_key(scope: Scope, author: str, question_id: str) -> str:
    """The decision that was made below one question of ours."""
    return f"{scope.prefix}/consents/{author}/{question_id}.json"


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
            return _question(call.t, call.given.content, author.id, actor.user_id)


def acknowledge_answer(call: AckCall[ComponentData]) -> DeferUpdate | Say:
    """Nobody but the author decides."""
    request, message = Request.parse(call.subject), call.interaction.message
    genuine = (
        message is not None and message.author is not None and message.author.id == call.interaction.application_id
    )
    if request is None or not genuine:
        return _no(call, N_("I no longer know what this was about. Please use “Train on this” again."))
    if request.author != call.actor.user_id:
        told = call.t(N_("Only <@{author}> can decide about their own message."), author=request.author)
        return Say(Reply(told), ephemeral=True)
    return DeferUpdate()


def work_answer(call: WorkCall[ComponentData]) -> Reply:
    """Do what the author decided, and tell who asked."""
    request = Request.parse(call.subject)
    if request is None or request.author != call.actor.user_id:
        raise Sorry(call.t(N_("I no longer know what this was about. Please use “Train on this” again.")))
    t, store, scope = call.t, call.services.store, call.actor.scope
    question_id = call.interaction.message.id if call.interaction.message is not None else call.interaction.id
    # Of two buttons that are pressed before the question changes, the first one counts.
    key = consent_key(scope, request.author, question_id)
    decided = records.save_once(store, key, Consent(*request))
    request = Request(decided.answer, decided.author, decided.requester)
    allowed = request.answer in {"allow", "always"}
    if request.answer in {"always", "never"}:
        wanted: Learning = "always" if allowed else "never"
        change_preferences(store, scope, request.author, partial(_choosing, wanted))
    if allowed:
        first = t(N_("<@{author}> allowed it."), author=request.author)
        text = f"{first} {_learn(call, _quoted(call), request.author, question_id)}"
    else:
        text = t(N_("<@{author}> would rather not, so I learned nothing."), author=request.author)
    notices.leave(store, scope, request.requester, notices.Notice(question_id, text))
    if request.answer == "always":
        text += "\n" + t(N_("-# From now on I learn from their messages without asking. `/privacy` changes that."))
    elif request.answer == "never":
        text += "\n" + t(N_("-# I will not ask again. `/privacy` changes that."))
    return Reply(text)


def _choosing(wanted: Learning, switches: Preferences) -> Preferences:
    return msgspec.structs.replace(switches, train_on_my_messages=wanted)


def _question(t: Translator, text: str, author: str, requester: str) -> Reply:
    """Asks the author, in the channel. Nobody is pinged."""
    names = {"author": author, "requester": requester}
    lines = [
        t(N_("<@{author}>, <@{requester}> would like me to learn from this message of yours. May I?"), **names),
        t(N_("-# Only you can decide. Until you allow it, I store nothing of it.")),
    ]
    files: tuple[ReplyFile, ...] = ()
    if len(text) <= QUOTE_MOST:
        lines += [QUOTE + line for line in text.strip().splitlines()]
    else:
        files = (ReplyFile(FILE_NAME, text.encode(errors="replace")),)
    subject = f"{author}:{requester}"
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
