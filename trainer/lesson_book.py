"""Lessons of corrections: has a chat model write them, and finds those that bear on a question.

A lesson lies in its correction's record, so it is archived, forgotten and taken back with it. The record has one
from the start; what a chat model writes takes its place afterwards, once, and only if the record has not changed
meanwhile: somebody whose words are in it may have asked to be forgotten.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

import msgspec

from trainer import records
from trainer.corrections import Correction
from trainer.datasets import DatasetKeys
from trainer.lessons import LESSON_TOKENS, asking, lesson, told_in_one_line
from trainer.ports import ModelUnavailable, ObjectNotFound, PreconditionFailed, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trainer.index import Hit
    from trainer.ports import ChatModel, ObjectStore
    from trainer.scope import Scope
    from trainer.usage import Ledger

NEAR_MOST: Final = 3
"""Lessons that bear on a question: those of the nearest corrections. Each takes a request to the store."""
CALL: Final = "lesson"
"""Names what a lesson cost, beside whatever else an interaction paid for: see `Ledger.record`."""

log = logging.getLogger(__name__)


class LessonBook:
    """Writes and finds lessons.

    Args:
        store: where corrections are kept.
        chat: what words lessons; None leaves them as they are.
        ledger: counts what that costs, and says when it may not be asked; None for neither.
    """

    def __init__(self, store: ObjectStore, chat: ChatModel | None, ledger: Ledger | None = None) -> None:
        self._store = store
        self._chat = chat
        self._ledger = ledger

    def write(self, scope: Scope, dataset: str, correction_id: str, interaction_id: str) -> bool:
        """Have a correction's lesson worded by the chat model; whether that was done.

        It is a courtesy, after all: where model, budget or store do not allow it, the lesson stays as it is.

        Args:
            scope: whose correction it is.
            dataset: where it belongs.
            correction_id: which it is.
            interaction_id: under which the cost is counted.
        """
        try:
            return self._write(scope, DatasetKeys(scope, dataset).correction(correction_id), interaction_id)
        except (ModelUnavailable, StoreUnavailable) as error:
            log.info("no lesson was written", extra={"error": type(error).__name__})
            return False

    def near(self, scope: Scope, dataset: str, hits: Sequence[Hit]) -> list[str]:
        """The lessons of the nearest corrections among what was found, nearest first; none if the store fails."""
        keys = DatasetKeys(scope, dataset)
        ids = [hit.entry.id.partition("/")[0] for hit in hits if hit.entry.kind == "correction"]
        try:
            found = [records.load(self._store, keys.correction(one), Correction) for one in ids[:NEAR_MOST]]
        except StoreUnavailable:
            log.warning("answered without lessons: the store does not answer")
            return []
        return [correction.lesson for correction in found if correction is not None and correction.lesson]

    def _write(self, scope: Scope, key: str, interaction_id: str) -> bool:
        if self._chat is None:
            return False
        try:
            stored = self._store.get(key)
        except ObjectNotFound:
            return False
        correction = records.decode(stored.data, Correction)
        texts = (correction.question, correction.wrong, correction.right)
        if correction.lesson != lesson(*texts):
            return False  # it was written before, or taken out because somebody was forgotten
        if self._ledger is not None and self._ledger.spending(scope).exhausted:
            return False
        reply = self._chat.reply(asking(*texts), max_tokens=LESSON_TOKENS)
        if self._ledger is not None:
            self._ledger.record(scope, f"{interaction_id}-{CALL}", reply)
        written = None if reply.truncated else told_in_one_line(reply.text)
        if written is None:
            log.info("a lesson was not one line")
            return False
        data = msgspec.json.encode(msgspec.structs.replace(correction, lesson=written))
        try:
            self._store.put(key, data, if_match=stored.etag, content_type=records.JSON_TYPE)
        except PreconditionFailed:
            return False
        return True
