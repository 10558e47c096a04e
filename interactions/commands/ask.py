"""/ask: an answer from what was taught."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Final

from interactions.definitions import Handler, Option, Options, SlashCommand
from interactions.outbound import Button, Defer, Reply
from interactions.wording import source_line
from trainer import notices
from trainer.answers import AnswerRecord, save_answer
from trainer.i18n import N_
from trainer.settings import scope_settings

if TYPE_CHECKING:
    from interactions.call import AckCall, WorkCall
    from trainer.i18n import Translator
    from trainer.notices import Notice

PROMPT_MOST: Final = 2000
STREAMING_MARK: Final = " ▌"
"""Ends a text that is still being written."""
STREAM_MOST: Final = 1900
"""Characters of such a text that fit into one message; the rest comes with the final reply."""


class AskOptions(Options, frozen=True, kw_only=True):
    """The options of /ask."""

    prompt: Annotated[str, Option(N_("What do you want to know?"), max_length=PROMPT_MOST)]
    private: Annotated[bool, Option(N_("Show the answer only to you"))] = False


def acknowledge(call: AckCall[AskOptions]) -> Defer:
    """Answer later; only to the person if they want it so."""
    return Defer(ephemeral=call.given.private)


def work(call: WorkCall[AskOptions]) -> Reply:
    """Find the answer, keep it so that it can be corrected, and say where it comes from."""
    store, scope, interaction_id = call.services.store, call.actor.scope, call.interaction.id
    question = call.given.prompt.strip()
    if not question:
        return Reply(call.t(N_("Please ask me something.")))
    dataset = scope_settings(store, scope).dataset

    def show(text: str) -> None:
        call.tools.progress(text[:STREAM_MOST] + STREAMING_MARK)

    answer = call.services.answering.answer(scope, dataset, question, on_text=show)
    record = save_answer(
        store,
        scope,
        AnswerRecord(
            id=interaction_id,
            dataset=dataset,
            question=question,
            text=answer.text,
            kind=answer.kind,
            author=call.actor.user_id,
            created_at=time.time(),
            sources=answer.sources,
            private=call.given.private,
            closest=answer.closest,
            fell_back=answer.fell_back,
        ),
    )
    return render(call.t, record, notices.waiting(store, call.actor))


def render(t: Translator, answer: AnswerRecord, missed: list[Notice]) -> Reply:
    """An answer as it is kept and shown: the text, what it rests on, what was missed, the buttons."""
    lines = [answer.text] if answer.text else [t(N_("I don't know that yet."))]
    if answer.kind == "unknown":
        if answer.closest:
            lines.append(t(N_("The closest that I was taught: “{question}”"), question=answer.closest))
        lines.append(t(N_("-# Teach me with `/train`, or press “Correct” and write the answer.")))
    if answer.fell_back:
        lines.append(t(N_("-# The language model does not answer, so this is what I was taught, word for word.")))
    lines.extend(source_line(t, source) for source in answer.sources)
    told = [notice for notice in missed if answer.private or not notice.private]
    if told:
        lines.append(t(N_("**While you were away:**")))
        lines.extend("> " + notice.text.replace("\n", "\n> ") for notice in told)
    if len(told) < len(missed):
        lines.append(t(N_("-# Something private waits for you: ask with `private: True` to see it.")))
    button = Button(f"correct:{answer.id}", t(N_("Correct")), emoji="✏️")
    return Reply(
        "\n".join(lines),
        buttons=(button,),
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
