"""/ask: the answer to a question from what was taught. Voice uses the same.

In this order: a correction of the same question; a chat model given what was found, where there is one; the trained
answer itself; a passage; and an honest "I don't know" when nothing found is near enough.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import msgspec

from trainer.answers import Answer, AnswerKind, Source
from trainer.matching import ANSWER_AT, CORRECTION_AT, SUGGEST_AT
from trainer.ports import ModelUnavailable
from trainer.prompt import conversation, is_no_answer, may_become_no_answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from trainer.index import Hit
    from trainer.library import Library
    from trainer.ports import ChatModel
    from trainer.scope import Scope

MAX_TOKENS: Final = 1_000
SOURCES_MOST: Final = 3
WORTH_READING: Final = SUGGEST_AT / 2
"""Hits below this have nothing to do with the question; a chat model is not asked about them alone."""

KINDS: Final[Mapping[str, AnswerKind]] = {"correction": "correction", "pair": "trained", "passage": "passage"}
"""What an answer is called that gives an entry's own words."""

log = logging.getLogger(__name__)


def retrieve(library: Library, scope: Scope, dataset: str, question: str) -> list[Hit]:
    """What was taught about a question, best first: the one place where retrieval happens."""
    return library.index(scope, dataset).search(question)


class Answering:
    """Answers questions."""

    def __init__(self, library: Library, chat: ChatModel | None, instruction: str) -> None:
        self._library = library
        self._chat = chat
        self._instruction = instruction

    def answer(
        self, scope: Scope, dataset: str, question: str, *, on_text: Callable[[str], None] | None = None
    ) -> Answer:
        """Answer, telling `on_text` the text so far while it comes.

        Raises `ModelUnavailable` only when nothing that was taught answers by itself and trying again may help.
        """
        hits = retrieve(self._library, scope, dataset, question)
        corrected = _correction(hits)
        if corrected is not None:
            return Answer("correction", corrected.entry.answer, [_source(corrected)])
        near = [hit for hit in hits if hit.confidence >= WORTH_READING or hit.exact]
        if self._chat is not None and near:
            try:
                return self._generate(self._chat, near, question, on_text)
            except ModelUnavailable as error:
                log.warning("chat model failed", extra={"reason": error.reason, "retryable": error.retryable})
                extracted = _extract(hits)
                if extracted.kind == "unknown" and error.retryable:
                    raise
                return msgspec.structs.replace(extracted, fell_back=True)
        return _extract(hits)

    def _generate(
        self, chat: ChatModel, hits: Sequence[Hit], question: str, on_text: Callable[[str], None] | None
    ) -> Answer:
        def show(text: str) -> None:
            if on_text is not None and not may_become_no_answer(text):
                on_text(text)

        reply = chat.reply(conversation(self._instruction, hits, question), max_tokens=MAX_TOKENS, on_text=show)
        if is_no_answer(reply.text):
            return _unknown(hits)
        sources = _distinct(_source(hit) for hit in hits)[:SOURCES_MOST]
        return Answer("generated", reply.text, sources, model=reply.model)


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
    if best is None or not (best.exact or best.confidence >= ANSWER_AT):
        return _unknown(hits)
    return Answer(KINDS[best.entry.kind], best.entry.answer, [_source(best)])


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
