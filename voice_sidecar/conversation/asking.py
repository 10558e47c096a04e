"""A spoken question answered like `/ask` of the same person: same dataset, same limits, same memory. Blocking.

Nothing of it is stored unless the server's managers want transcripts; then the answer is kept as one that was typed,
so that it can be corrected, and the conversation goes on whether the next question is typed or spoken.
"""

from __future__ import annotations

import logging
import secrets
import time
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec

from trainer.answers import AnswerRecord, load_answer, whose_words
from trainer.consent import preferences
from trainer.conversations import Place, Turn, former_turns, remember
from trainer.ports import StoreUnavailable, current_cancellation
from trainer.prompt import may_become_no_answer
from trainer.settings import scope_settings
from trainer.snowflakes import TIME_BITS, first_of
from trainer.voice_transcripts import keep_turn
from voice_sidecar.conversation.memory import belonging

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trainer.answers import Answer
    from trainer.limit_store import Limiter
    from trainer.limits import Full
    from trainer.ports import ObjectStore
    from trainer.scope import Actor, Scope

log = logging.getLogger(__name__)


class Question(NamedTuple):
    """Something that somebody asked aloud."""

    id: str
    """A snowflake, as an interaction's."""
    user_id: int
    text: str
    former: Sequence[Turn]
    """What this process remembers of the conversation, oldest first."""
    wanted: Callable[[], bool]
    """Whether the answer is still one, and the person still agrees to be heard: else nothing is kept."""
    last: str = ""
    """What the person said last, if they said the question in parts: it may have been one of its own after all."""
    counts_as: str = ""
    """The id of the question whose second part this is: who goes on has asked once."""


class Found(NamedTuple):
    """An answer, and what becomes of it."""

    answer: Answer
    turn: Turn
    """As it is remembered if all of the answer is heard."""
    remembered: bool
    """The person does not mind that."""
    record: AnswerRecord | None
    """As it was kept; None where nothing is."""


class OverLimit(Exception):
    """The person, or all together, ask too much."""

    def __init__(self, full: Full) -> None:
        super().__init__(full.limit.name)
        self.full = full


class Asks(Protocol):
    """Answers questions. Called in threads that may wait."""

    def ask(self, question: Question, on_text: Callable[[str], None]) -> Found:
        """Answer, telling `on_text` the text so far; what there is of it, if it is cancelled.

        Raises `OverLimit`, `ModelUnavailable`, `StoreUnavailable` and `Cancelled`.
        """
        ...

    def remember(self, found: Found, heard: str) -> None:
        """Remember what was heard of an answer, where it is kept at all."""
        ...


class Answers(Protocol):
    """`trainer.answering.Answering`, as far as it is needed."""

    def answer(
        self,
        scope: Scope,
        dataset: str,
        question: str,
        *,
        former: Sequence[Turn] = (),
        interaction_id: str = "",
        on_text: Callable[[str], None] | None = None,
    ) -> Answer:
        """The answer from what is known now."""
        ...


def spoken_id(now: float) -> str:
    """An id for what no interaction stands for: ordered by time as theirs, and nobody else's."""
    return str(first_of(now) | secrets.randbits(TIME_BITS))


def _unfinished(text: str) -> str:
    """A text whose rest was not waited for, so that whoever reads it sees that; empty if it is nothing for people."""
    if may_become_no_answer(text):
        return ""
    return text if text.endswith((".", "!", "?", "…")) else f"{text}…"


class Asking:
    """Answers the questions of one call.

    Args:
        store: where settings and conversations are kept.
        answering: finds the answers.
        limits: how much may be asked; None for as much as people like.
        scope: the server's.
        channel_id: the voice channel's, whose chat has the same conversations.
        actor: who somebody is here: whether they may manage decides about their limits.
        now: seconds since the epoch.
    """

    def __init__(
        self,
        store: ObjectStore,
        answering: Answers,
        limits: Limiter | None,
        scope: Scope,
        channel_id: int,
        actor: Callable[[int], Actor],
        *,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._answering = answering
        self._limits = limits
        self._scope = scope
        self._channel_id = str(channel_id)
        self._actor = actor
        self._now = now

    def ask(self, question: Question, on_text: Callable[[str], None]) -> Found:
        """Answer. Raises `OverLimit`, `ModelUnavailable`, `StoreUnavailable`, `Cancelled`; nothing is kept then."""
        if self._limits is not None:
            full = self._limits.use(self._actor(question.user_id), "ask", question.counts_as or question.id)
            if full is not None:
                raise OverLimit(full)
        settings = scope_settings(self._store, self._scope)
        kept = settings.voice_transcripts
        remembered = preferences(self._store, self._scope, str(question.user_id)).remember_conversations
        former: list[Turn] = []
        if remembered:
            stored = (
                former_turns(self._store, self._place(question.user_id), question.id, self._now()) if kept else []
            )
            former = belonging([*stored, *question.former], self._now())
        answer = self._answer(settings.dataset, question.text, former, question.id, on_text)
        if answer.kind == "unknown" and question.last and not current_cancellation().cancelled:
            alone = self._answer(settings.dataset, question.last, former, f"{question.id}-last", on_text)
            if alone.kind != "unknown":
                answer, question = alone, question._replace(text=question.last)
        if current_cancellation().cancelled and answer.kind == "generated":
            answer = msgspec.structs.replace(answer, text=_unfinished(answer.text))
        record = self._record(question, settings.dataset, answer, former)
        leans = former and record.question != question.text
        turn = Turn(
            id=question.id,
            question=question.text,
            answer=record.text,
            topic=former[-1].topic if leans else question.text,
            at=record.created_at,
        )
        keep = kept and question.wanted() and (record.text or record.kind == "unknown")
        return Found(answer, turn, remembered, self._kept(record) if keep else None)

    def remember(self, found: Found, heard: str) -> None:
        """Remember a turn that is kept, with as much of the answer as was heard."""
        record = found.record
        if record is None or not found.remembered:
            return
        turn = Turn(
            id=found.turn.id,
            question=found.turn.question,
            answer=heard,
            topic=found.turn.topic,
            at=found.turn.at,
        )
        remember(self._store, self._place(int(record.author)), turn, self._now())

    def _answer(
        self,
        dataset: str,
        text: str,
        former: Sequence[Turn],
        interaction_id: str,
        on_text: Callable[[str], None],
    ) -> Answer:
        return self._answering.answer(
            self._scope, dataset, text, former=former, interaction_id=interaction_id, on_text=on_text
        )

    def _record(self, question: Question, dataset: str, answer: Answer, former: Sequence[Turn]) -> AnswerRecord:
        return AnswerRecord(
            id=question.id,
            dataset=dataset,
            question=answer.asked or question.text,
            text=answer.text,
            kind=answer.kind,
            author=str(question.user_id),
            created_at=self._now(),
            sources=answer.sources,
            closest=answer.closest,
            closest_by=answer.closest_by,
            fell_back=answer.fell_back,
            over_budget=answer.over_budget,
            words_of=self._words_of(answer, former),
        )

    def _words_of(self, answer: Answer, former: Sequence[Turn]) -> list[str]:
        """Whose words a chat model read for an answer: it is given the former answers as well."""
        if answer.kind != "generated":
            return []
        given = (load_answer(self._store, self._scope, turn.id) for turn in former)
        return sorted({*answer.words_of, *chain.from_iterable(whose_words(one) for one in given if one is not None)})

    def _kept(self, record: AnswerRecord) -> AnswerRecord | None:
        """The record as it was kept; a store that fails does not keep people from their answer."""
        try:
            return keep_turn(self._store, self._scope, record)
        except StoreUnavailable:
            log.warning("spoken turn not kept", extra={"interaction_id": record.id})
            return None

    def _place(self, user_id: int) -> Place:
        return Place(self._scope, self._channel_id, str(user_id), private=False)
