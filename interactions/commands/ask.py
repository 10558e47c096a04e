"""/ask: an answer from what was taught, to a question that is typed or spoken, written or said aloud."""

from __future__ import annotations

import time
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any, Final, NamedTuple

import msgspec

from interactions.answer_buttons import answer_buttons
from interactions.definitions import Handler, Option, Options, SlashCommand
from interactions.outbound import Defer, Reply, Say
from interactions.payloads import Attachment
from interactions.splitting import closed
from interactions.wording import plain, source_line
from trainer import notices
from trainer.answers import AnswerRecord, load_answer, save_answer, whose_words
from trainer.conversations import Place, Turn, former_turns, remember
from trainer.i18n import N_
from trainer.settings import may_teach, scope_settings

if TYPE_CHECKING:
    from interactions.call import AckCall, WorkCall
    from trainer.answers import Answer
    from trainer.i18n import Translator
    from trainer.notices import Notice

PROMPT_MOST: Final = 2000
UNKNOWN: Final = N_("I don't know that yet.")
STREAMING_MARK: Final = " ▌"
"""Ends a text that is still being written."""
_NOTHING_ASKED: Final = N_("Please ask me something: type it as `prompt`, or attach a recording as `audio`.")
_LONG_QUESTION: Final = N_(
    "A question can have {most} characters, and this is longer. Ask about it: send it again with a `prompt`."
)
_OVER_BUDGET: Final = N_(
    "-# This month's budget for the language model is used up, so this is what I was taught, word for word."
)
_TEACH: Final = N_("-# Teach me with `/train`, or press “Correct” and write the answer.")
_PROPOSE: Final = N_("-# Do you know it? Press “Correct” and write the answer; a manager then decides about it.")
_ASK_AGAIN: Final = N_("-# Managers can teach me. To propose an answer yourself, ask again without `private`.")
STREAM_MOST: Final = 1900
"""Characters of such a text that fit into one message; the rest comes with the final reply."""


class AskOptions(Options, frozen=True, kw_only=True):
    """The options of /ask."""

    prompt: Annotated[str, Option(N_("What do you want to know?"), max_length=PROMPT_MOST)] = ""
    audio: Annotated[Attachment | None, Option(N_("Ask by voice: a recording, or a video"))] = None
    speak: Annotated[bool, Option(N_("Have the answer read out as well"))] = False
    private: Annotated[bool, Option(N_("Show the answer only to you"))] = False
    fresh: Annotated[bool, Option(N_("Begin anew: forget what we talked about here"))] = False


class Asked(NamedTuple):
    """A question, wherever it was asked."""

    question: str
    private: bool
    """Whether the person alone sees the answer."""
    fresh: bool = False
    """Not about what was asked before."""
    message: str = ""
    """What it is about, if it is about somebody's message."""
    message_id: str = ""


def acknowledge(call: AckCall[AskOptions]) -> Defer | Say:
    """Answer later; only to the person if they want it so."""
    if not call.given.prompt.strip() and call.given.audio is None:
        return Say(Reply(call.t(_NOTHING_ASKED)), ephemeral=True)
    return Defer(ephemeral=call.given.private)


def work(call: WorkCall[AskOptions]) -> Reply:
    """Answer the prompt, or what is said in the recording; with both, the prompt is about the recording."""
    given, prompt = call.given, call.given.prompt.strip()
    if given.audio is None:
        if not prompt:
            return Reply(call.t(_NOTHING_ASKED))
        return _answered(call, Asked(prompt, given.private, given.fresh))
    # Recognising speech needs what acknowledging does without.
    from interactions.listening import listen, with_transcript  # noqa: PLC0415

    heard = listen(call, given.audio)
    if prompt:
        return with_transcript(call.t, heard, _answered(call, Asked(prompt, given.private, given.fresh, heard.text)))
    if len(heard.text) > PROMPT_MOST:
        told = call.t(_LONG_QUESTION, most=PROMPT_MOST)
        return with_transcript(call.t, heard, Reply(told))
    return with_transcript(call.t, heard, _answered(call, Asked(heard.text, given.private, given.fresh)))


def _answered(call: WorkCall[AskOptions], asked: Asked) -> Reply:
    reply = answer(call, asked)
    if not call.given.speak:
        return reply
    # Saying it needs what acknowledging does without.
    from interactions.playing import played  # noqa: PLC0415
    from interactions.voicing import aloud  # noqa: PLC0415

    record = load_answer(call.services.store, call.actor.scope, call.interaction.id)
    text = (record.text if record is not None else "") or call.t(UNKNOWN)
    # What only they may see, a whole voice channel may not hear.
    in_channel = None if asked.private else played(call, reply, text)
    return in_channel or aloud(call, reply, text)


def answer(call: WorkCall[Any], asked: Asked) -> Reply:
    """Find the answer, keep it so that it can be corrected, and say where it comes from."""
    store, scope, interaction_id = call.services.store, call.actor.scope, call.interaction.id
    place = Place(scope, call.interaction.channel_id or "0", call.actor.user_id, asked.private)
    former = [] if asked.fresh else former_turns(store, place, interaction_id, time.time())
    # An answer that an earlier delivery kept has been paid for, and may have been seen.
    record = load_answer(store, scope, interaction_id) or save_answer(store, scope, _found(call, asked, former))
    leans = former and record.question != asked.question and not asked.message
    turn = Turn(
        id=interaction_id,
        question=asked.question,
        answer=record.text,
        topic=former[-1].topic if leans else asked.question,
        at=record.created_at,
        fresh=asked.fresh,
    )
    remember(store, place, turn, time.time())
    teaches = may_teach(store, call.actor)
    reply = render(call.t, record, notices.waiting(store, call.actor), teaches=teaches)
    warning = _budget_warning(call)
    return msgspec.structs.replace(reply, content=f"{reply.content}\n{warning}") if warning else reply


def _found(call: WorkCall[Any], asked: Asked, former: list[Turn]) -> AnswerRecord:
    """The answer from what is known now."""
    scope = call.actor.scope
    dataset = scope_settings(call.services.store, scope).dataset

    def show(text: str) -> None:
        call.tools.progress(text[:STREAM_MOST] + STREAMING_MARK)

    found = call.services.answering.answer(
        scope,
        dataset,
        asked.question,
        former=former,
        message=asked.message,
        message_id=asked.message_id,
        interaction_id=call.interaction.id,
        on_text=show,
    )
    return AnswerRecord(
        id=call.interaction.id,
        dataset=dataset,
        question=found.asked or asked.question,
        text=found.text,
        kind=found.kind,
        author=call.actor.user_id,
        created_at=time.time(),
        sources=found.sources,
        private=asked.private,
        closest=found.closest,
        closest_by=found.closest_by,
        fell_back=found.fell_back,
        over_budget=found.over_budget,
        words_of=_words_of(call, found, former),
    )


def _words_of(call: WorkCall[Any], found: Answer, former: list[Turn]) -> list[str]:
    """Whose words a chat model read for an answer: it is given the former answers as well."""
    if found.kind != "generated":
        return []
    given = (load_answer(call.services.store, call.actor.scope, turn.id) for turn in former)
    return sorted({*found.words_of, *chain.from_iterable(whose_words(one) for one in given if one is not None)})


def _budget_warning(call: WorkCall[Any]) -> str:
    """What managers should know about this month's budget; empty for anybody else, and while it will do."""
    ledger = call.services.ledger
    if ledger is None or not call.actor.is_manager:
        return ""
    spending = ledger.spending(call.actor.scope)
    if spending.budget_usd is None or not spending.warning:
        return ""
    values = {"used": f"{spending.cost.usd:.2f}", "budget": f"{spending.budget_usd:.2f}"}
    return call.t(N_("-# Of this month's ${budget} for the language model, ${used} are used."), **values)


def render(t: Translator, answer: AnswerRecord, missed: list[Notice], *, teaches: bool) -> Reply:
    """An answer as it is kept and shown: the text, what it rests on, what was missed, the buttons.

    `teaches` says whether whoever asked may teach: others are not told to do what they would be refused.
    """
    # What follows a code block that was left open would be taken for code.
    lines = [closed(answer.text)] if answer.text else [t(UNKNOWN)]
    if answer.kind == "unknown":
        if answer.closest:
            lines.append(t(N_("The closest that I was taught: “{question}”"), question=plain(answer.closest)))
        lines.append(t(_TEACH if teaches else _ASK_AGAIN if answer.private else _PROPOSE))
    if answer.fell_back:
        lines.append(t(N_("-# The language model does not answer, so this is what I was taught, word for word.")))
    if answer.over_budget:
        lines.append(t(_OVER_BUDGET))
    lines.extend(source_line(t, source) for source in answer.sources)
    told = [notice for notice in missed if answer.private or not notice.private]
    if told:
        lines.append(t(N_("**While you were away:**")))
        lines.extend("> " + notice.text.replace("\n", "\n> ") for notice in told)
    if len(told) < len(missed):
        lines.append(t(N_("-# Something private waits for you: ask with `private: True` to see it.")))
    return Reply(
        "\n".join(lines),
        buttons=answer_buttons(t, answer.id, correctable=teaches or not answer.private),
        answer_id=answer.id,
        notices=tuple(notice.id for notice in told),
    )


COMMANDS = (
    SlashCommand(
        name="ask",
        description=N_("Ask a question"),
        options=AskOptions,
        handler=Handler(acknowledge, work),
    ),
)
