"""/ask: the answer to a question from what was taught. Voice uses the same.

In this order: a correction of the same question; a chat model given what was found, where there is one; the trained
answer itself; a passage; and an honest "I don't know" when nothing found is near enough.
"""

from __future__ import annotations

import logging
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from trainer.answers import Answer, AnswerKind, Source
from trainer.follow_ups import about, in_full, leaning, spoken_of, with_topic
from trainer.matching import ANSWER_AT, CORRECTION_AT, SUGGEST_AT
from trainer.ports import ModelUnavailable
from trainer.prompt import conversation, is_no_answer, may_become_no_answer
from trainer.usage import usage_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from trainer.answers import Usage
    from trainer.conversations import Turn
    from trainer.index import ExampleIndex, Hit
    from trainer.library import Library
    from trainer.ports import ChatMessage, ChatModel, ChatReply
    from trainer.scope import Scope
    from trainer.usage import Ledger

    Search = Callable[[Sequence[str]], list[list[Hit]]]
    """Finds what was taught about each of some questions, best first."""

MAX_TOKENS: Final = 1_000
SOURCES_MOST: Final = 3
WORTH_READING: Final = SUGGEST_AT / 2
"""Hits below this have nothing to do with the question; a chat model is not asked about them alone."""

KINDS: Final[Mapping[str, AnswerKind]] = {"correction": "correction", "pair": "trained", "passage": "passage"}
"""What an answer is called that gives an entry's own words."""

log = logging.getLogger(__name__)


class Trial(NamedTuple):
    """How an answer comes about that is measured, and given to nobody.

    It is made as any other, but nothing stands in for a chat model that fails: that is raised.
    """

    untrained: bool = False
    """As if nothing had been taught."""
    knowledge: ExampleIndex | None = None
    """What counts as taught, in place of the dataset's own index."""
    instruction: str | None = None
    """What a chat model is told first, in place of the instruction in force."""


def retrieve_each(index: ExampleIndex | None, questions: Sequence[str]) -> list[list[Hit]]:
    """What was taught about each of some questions, best first: the one place where retrieval happens.

    Without an index, nothing was.
    """
    return [index.search(question) if index is not None else [] for question in questions]


class _Found(NamedTuple):
    """What was found for a question."""

    hits: list[Hit]
    """Best first: what may be given as the answer."""
    reading: list[Hit]
    """What a chat model reads: the same, and what else may bear on a follow-up."""
    asked: str = ""
    """The whole question, where it leans on a former one."""
    in_full: str = ""
    """The whole question, where it may lean on a former one."""


class Answering:
    """Answers questions.

    Args:
        library: what was taught.
        chat: a model that words the answers; None gives trained answers as they stand.
        instruction: what the model is told first: one text for everybody, or whatever is in force in a scope.
        ledger: counts what the model costs, and says when it may not be asked; None for neither.
        lessons: what corrections among the hits teach, for the model; None gives it none.
    """

    def __init__(
        self,
        library: Library,
        chat: ChatModel | None,
        instruction: str | Callable[[Scope], str],
        ledger: Ledger | None = None,
        lessons: Callable[[Scope, str, Sequence[Hit]], Sequence[str]] | None = None,
    ) -> None:
        self._library = library
        self._chat = chat
        self._instruction = instruction
        self._ledger = ledger
        self._lessons = lessons

    @property
    def model(self) -> str:
        """The chat model that words the answers; empty if none does."""
        return "" if self._chat is None else self._chat.name

    def answer(
        self,
        scope: Scope,
        dataset: str,
        question: str,
        *,
        former: Sequence[Turn] = (),
        message: str = "",
        message_id: str = "",
        interaction_id: str = "",
        on_text: Callable[[str], None] | None = None,
        trial: Trial | None = None,
    ) -> Answer:
        """Answer, telling `on_text` the text so far while it comes.

        Args:
            scope: whose knowledge it is.
            dataset: the dataset to answer from.
            question: what is asked; may be empty if it is about a message.
            former: what the person asked before, oldest first.
            message: what the question is about, if it is about somebody's message.
            message_id: that message's.
            interaction_id: under which the answer's cost is counted: see `Ledger.record`.
            on_text: called with the text so far.
            trial: that the answer is only to be measured, and what is to be different about it.

        Raises `ModelUnavailable` only when nothing that was taught answers by itself and trying again may help; on
        trial, whenever the model fails.
        """
        search = self._search(scope, dataset, trial)
        if message:
            found = self._find_about(search, question, message, message_id)
        else:
            found = self._find(search, question, former)
        corrected = _correction(found.hits)
        if corrected is not None:
            return _given("correction", corrected.entry.answer, [corrected], asked=found.asked)
        extracted = msgspec.structs.replace(_extract(found.hits), asked=found.asked)
        near = [hit for hit in found.reading if hit.confidence >= WORTH_READING or hit.exact]
        if self._chat is None or not (near or message):
            return extracted
        if self._ledger is not None and self._ledger.spending(scope).exhausted:
            return msgspec.structs.replace(extracted, over_budget=True)
        lessons = self._lessons(scope, dataset, near) if self._lessons is not None else ()
        told = self._told(scope, trial)
        prompt = conversation(told, near, question, former=former, message=message, lessons=lessons)
        try:
            reply = self._ask(self._chat, prompt, on_text)
        except ModelUnavailable as error:
            log.warning("chat model failed", extra={"reason": error.reason, "retryable": error.retryable})
            if trial is not None or (extracted.kind == "unknown" and error.retryable):
                raise
            return msgspec.structs.replace(extracted, fell_back=True)
        usage = self._count(scope, interaction_id, reply)
        if is_no_answer(reply.text):
            return msgspec.structs.replace(_unknown(found.hits), asked=found.asked, usage=usage)
        # Nobody reads the sources of a trial: it is by them that its text goes with whoever's words are in it.
        most = SOURCES_MOST if trial is None else len(near)
        given = _given("generated", reply.text, near, model=reply.model, asked=found.in_full, usage=usage, most=most)
        return msgspec.structs.replace(given, words_of=sorted({_source(hit).author for hit in near} - {""}))

    def in_full(
        self, scope: Scope, dataset: str, question: str, former: Sequence[Turn], trial: Trial | None = None
    ) -> str:
        """The whole question, where it leans on a former one; else empty. Asks no model."""
        return self._find(self._search(scope, dataset, trial), question, former).asked

    def _search(self, scope: Scope, dataset: str, trial: Trial | None) -> Search:
        if trial is not None and (trial.untrained or trial.knowledge is not None):
            return partial(retrieve_each, None if trial.untrained else trial.knowledge)
        return partial(retrieve_each, self._library.index(scope, dataset))

    def _told(self, scope: Scope, trial: Trial | None) -> str:
        """What a chat model is told first."""
        if trial is not None and trial.instruction is not None:
            return trial.instruction
        return self._instruction if isinstance(self._instruction, str) else self._instruction(scope)

    def _count(self, scope: Scope, interaction_id: str, reply: ChatReply) -> Usage:
        if self._ledger is not None and interaction_id:
            return self._ledger.record(scope, interaction_id, reply)
        return usage_of(reply)

    def _find_about(self, search: Search, question: str, message: str, message_id: str) -> _Found:
        """A question about a message is kept with the message's id, which is what its corrections are found by."""
        asked = f"{question} ({message_id})" if message_id else question
        every = chain.from_iterable(search([asked, *about(question, message)]))
        hits = _merged([sorted(every, key=lambda hit: (hit.exact, hit.confidence), reverse=True)])
        return _Found(hits, hits, asked, asked)

    def _find(self, search: Search, question: str, former: Sequence[Turn]) -> _Found:
        topic = former[-1].topic if former else ""
        lean = leaning(question) if topic else "no"
        if lean == "no":
            (hits,) = search([question])
            return _Found(hits, hits)
        full = in_full(question, topic)
        alone, together = (spoken_of(question, topic, former[-1].answer, hits) for hits in search([question, full]))
        better = with_topic(question, topic, alone, together)
        hits = alone if better is None else _merged([better, alone])
        answered = bool(hits) and _answers(hits[0])
        leans = better is not None if answered else lean == "yes"
        return _Found(hits, _merged([hits, together]), full if leans else "", full)

    def _ask(
        self, chat: ChatModel, prompt: Sequence[ChatMessage], on_text: Callable[[str], None] | None
    ) -> ChatReply:
        def show(text: str) -> None:
            if on_text is not None and not may_become_no_answer(text):
                on_text(text)

        return chat.reply(prompt, max_tokens=MAX_TOKENS, on_text=show)


def _correction(hits: Sequence[Hit]) -> Hit | None:
    """The correction that settles the question: the best hit, of the same question or one as good as the same.

    Of several corrections of the same question the index puts the latest first, and corrections before what was
    trained.
    """
    best = hits[0] if hits else None
    if best is None or best.entry.kind != "correction":
        return None
    return best if best.exact or best.confidence >= CORRECTION_AT else None


def _extract(hits: Sequence[Hit]) -> Answer:
    """The best hit's own words, if it is near enough."""
    best = hits[0] if hits else None
    if best is None or not _answers(best):
        return _unknown(hits)
    return _given(KINDS[best.entry.kind], best.entry.answer, [best])


def _answers(hit: Hit) -> bool:
    return hit.exact or hit.confidence >= ANSWER_AT


def _merged(found: Iterable[Sequence[Hit]]) -> list[Hit]:
    """All hits, each entry once, in the order in which they come."""
    first: dict[str, Hit] = {}
    for hits in found:
        for hit in hits:
            first.setdefault(hit.entry.id, hit)
    return list(first.values())


def _unknown(hits: Sequence[Hit]) -> Answer:
    near = next((hit for hit in hits if hit.confidence >= SUGGEST_AT and hit.entry.question), None)
    if near is None:
        return Answer("unknown", "")
    return Answer("unknown", "", closest=near.entry.question, closest_by=_source(near).author)


def _given(
    kind: AnswerKind,
    text: str,
    hits: Iterable[Hit],
    *,
    model: str = "",
    asked: str = "",
    usage: Usage | None = None,
    most: int = SOURCES_MOST,
) -> Answer:
    """An answer, and what it rests on: each source once, the best first, no more than `most`."""
    found: dict[Source, int] = {}
    for hit in hits:
        found.setdefault(_source(hit), hit.entry.order)
    sources = list(found.items())[:most]
    return Answer(
        kind,
        text,
        [source for source, _ in sources],
        model=model,
        asked=asked,
        learned_by=[order for _, order in sources],
        usage=usage,
    )


def _source(hit: Hit) -> Source:
    return msgspec.json.decode(hit.entry.source, type=Source)
