"""/ask: the answer to a question from what was taught. Voice uses the same.

In this order: a correction of the same question; a chat model given what was found, where there is one; the trained
answer itself; a passage; and an honest "I don't know" when nothing found is near enough.
"""

from __future__ import annotations

import logging
from itertools import chain
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from trainer.answers import Answer, AnswerKind, Source
from trainer.follow_ups import about, in_full, leaning, with_topic
from trainer.matching import ANSWER_AT, CORRECTION_AT, SUGGEST_AT
from trainer.ports import ModelUnavailable
from trainer.prompt import conversation, is_no_answer, may_become_no_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from trainer.conversations import Turn
    from trainer.index import Hit
    from trainer.library import Library
    from trainer.ports import ChatMessage, ChatModel, ChatReply
    from trainer.scope import Scope
    from trainer.usage import Ledger

MAX_TOKENS: Final = 1_000
SOURCES_MOST: Final = 3
WORTH_READING: Final = SUGGEST_AT / 2
"""Hits below this have nothing to do with the question; a chat model is not asked about them alone."""

KINDS: Final[Mapping[str, AnswerKind]] = {"correction": "correction", "pair": "trained", "passage": "passage"}
"""What an answer is called that gives an entry's own words."""

log = logging.getLogger(__name__)


def retrieve(library: Library, scope: Scope, dataset: str, question: str) -> list[Hit]:
    """What was taught about a question, best first."""
    return retrieve_each(library, scope, dataset, [question])[0]


def retrieve_each(library: Library, scope: Scope, dataset: str, questions: Sequence[str]) -> list[list[Hit]]:
    """The same for several questions: the one place where retrieval happens."""
    index = library.index(scope, dataset)
    return [index.search(question) for question in questions]


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
    """

    def __init__(
        self,
        library: Library,
        chat: ChatModel | None,
        instruction: str | Callable[[Scope], str],
        ledger: Ledger | None = None,
    ) -> None:
        self._library = library
        self._chat = chat
        self._instruction = instruction
        self._ledger = ledger

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
    ) -> Answer:
        """Answer, telling `on_text` the text so far while it comes.

        Args:
            scope: whose knowledge it is.
            dataset: the dataset to answer from.
            question: what is asked; may be empty if it is about a message.
            former: what the person asked before, oldest first.
            message: what the question is about, if it is about somebody's message.
            message_id: that message's.
            interaction_id: under which the answer's cost is counted.
            on_text: called with the text so far.

        Raises `ModelUnavailable` only when nothing that was taught answers by itself and trying again may help.
        """
        if message:
            found = self._find_about(scope, dataset, question, message, message_id)
        else:
            found = self._find(scope, dataset, question, former)
        corrected = _correction(found.hits)
        if corrected is not None:
            return Answer("correction", corrected.entry.answer, [_source(corrected)], asked=found.asked)
        extracted = msgspec.structs.replace(_extract(found.hits), asked=found.asked)
        near = [hit for hit in found.reading if hit.confidence >= WORTH_READING or hit.exact]
        if self._chat is None or not (near or message):
            return extracted
        if self._ledger is not None and self._ledger.spending(scope).exhausted:
            return msgspec.structs.replace(extracted, over_budget=True)
        instruction = self._instruction if isinstance(self._instruction, str) else self._instruction(scope)
        prompt = conversation(instruction, near, question, former=former, message=message)
        try:
            reply = self._ask(self._chat, prompt, on_text)
        except ModelUnavailable as error:
            log.warning("chat model failed", extra={"reason": error.reason, "retryable": error.retryable})
            if extracted.kind == "unknown" and error.retryable:
                raise
            return msgspec.structs.replace(extracted, fell_back=True)
        if self._ledger is not None and interaction_id:
            self._ledger.record(scope, interaction_id, reply)
        if is_no_answer(reply.text):
            return msgspec.structs.replace(_unknown(found.hits), asked=found.asked)
        sources = _distinct(_source(hit) for hit in near)[:SOURCES_MOST]
        return Answer("generated", reply.text, sources, model=reply.model, asked=found.in_full)

    def _find_about(self, scope: Scope, dataset: str, question: str, message: str, message_id: str) -> _Found:
        """A question about a message is kept with the message's id, which is what its corrections are found by."""
        asked = f"{question} ({message_id})" if message_id else question
        every = chain.from_iterable(retrieve_each(self._library, scope, dataset, [asked, *about(question, message)]))
        hits = _merged([sorted(every, key=lambda hit: (hit.exact, hit.confidence), reverse=True)])
        return _Found(hits, hits, asked, asked)

    def _find(self, scope: Scope, dataset: str, question: str, former: Sequence[Turn]) -> _Found:
        topic = former[-1].topic if former else ""
        lean = leaning(question) if topic else "no"
        if lean == "no":
            hits = retrieve(self._library, scope, dataset, question)
            return _Found(hits, hits)
        full = in_full(question, topic)
        alone, together = retrieve_each(self._library, scope, dataset, [question, full])
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
    return Answer(KINDS[best.entry.kind], best.entry.answer, [_source(best)])


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
    return Answer("unknown", "", closest=near.entry.question if near is not None else "")


def _source(hit: Hit) -> Source:
    return msgspec.json.decode(hit.entry.source, type=Source)


def _distinct(sources: Iterable[Source]) -> list[Source]:
    found: list[Source] = []
    for source in sources:
        if source not in found:
            found.append(source)
    return found
