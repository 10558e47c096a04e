"""A server that people have used in every way, made directly in a store, and stores that break."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Any

from trainer import notices, records
from trainer.adapters.file_store import FileStore
from trainer.answers import AnswerRecord, Source, link_message, save_answer
from trainer.batches import Origin
from trainer.consent import change_preferences, preferences
from trainer.corrections import Corrections
from trainer.datasets import DatasetKeys, answer_key, original_key
from trainer.feedback import Opinion, give
from trainer.importers import read_text
from trainer.instructions import Instructions
from trainer.library import Library
from trainer.ports import StoreUnavailable
from trainer.privacy import remember_upload
from trainer.scope import Actor, Scope
from trainer.selection import Selecting
from trainer.settings import scope_settings
from trainer.snowflakes import first_of
from trainer.training import Training

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from trainer.ports import ObjectStore

SERVER = Scope("guild", "42")
ADA = Actor(SERVER, "1001", is_manager=True)
BOB = Actor(SERVER, "2002", is_manager=False)
NOW = float(int(time.time()) + 86_400)
"""Seconds since the epoch: later than anything that a test writes."""

__all__ = ["preferences", "records", "scope_settings"]


class Ids:
    """Ids of interactions, one a second."""

    def __init__(self, start: float = NOW - 1000) -> None:
        self._moments = itertools.count(start)

    def next(self) -> str:
        return str(first_of(next(self._moments)) + 1)


def clock() -> float:
    return NOW


def use_everything(store: ObjectStore, cache: Path, ids: Ids) -> Library:
    """Ada teaches, asks, selects and instructs; Bob asks, votes, corrects; each gets answers from the other."""
    library = Library(store, cache)
    training = Training(store, library, clock)
    training.train(
        ADA, ids.next(), "default", Origin("text"), read_text("Q: Bees? A: Mira keeps them.\n"), lambda _: None
    )
    many = "".join(f"Q: Number {n}? A: xylophone {n}.\n" for n in range(8))
    training.train(ADA, ids.next(), "default", Origin("file", "n.txt"), read_text(many), lambda _: None)
    training.train(
        BOB, ids.next(), "events", Origin("text"), read_text("Q: Party? A: Friday ocarina.\n"), lambda _: None
    )
    attachment = ids.next()
    remember_upload(store, SERVER, ADA.user_id, attachment, "n.txt")
    store.put(original_key(SERVER, attachment), many.encode())
    store.put(f"{original_key(SERVER, attachment)}-n.txt", b"")
    corrections = Corrections(store, clock)
    for asker, teacher, word in ((BOB, ADA, "xylophone"), (ADA, BOB, "ocarina"), (BOB, BOB, "ocarina")):
        answer = save_answer(
            store,
            SERVER,
            AnswerRecord(
                id=ids.next(),
                dataset="default",
                question=f"Asked by {asker.user_id}s friend",
                text=f"It is the {word}",
                kind="trained",
                author=asker.user_id,
                created_at=NOW,
                sources=[Source("text", author=teacher.user_id, at=NOW)],
            ),
        )
        link_message(store, SERVER, ids.next(), answer.id)
        give(store, ADA, ids.next(), answer.id, Opinion(rating="up", comment="fine"), clock)
        give(store, BOB, ids.next(), answer.id, Opinion(rating="down"), clock)
        proposal = corrections.correct(BOB, ids.next(), answer.id, "A zither")
        corrections.decide(ADA, "default", proposal.id, approve=True)
        direct = corrections.correct(ADA, ids.next(), answer.id, "A theremin")
        corrections.undo(ADA, "default", direct.id)
    for person in (ADA, BOB):
        notices.leave(store, SERVER, person.user_id, notices.Notice(ids.next(), "late"))
        change_preferences(store, SERVER, person.user_id, lambda old: type(old)(voice=True))
        store.put(f"{SERVER.prefix}/conversations/77/{person.user_id}.json", b'{"turns":[]}')
        store.put(f"{SERVER.prefix}/outcomes/{ids.next()}.outcome.json", f'{{"author":"{person.user_id}"}}'.encode())
        store.put(f"{SERVER.prefix}/limits/{person.user_id}.json", b"{}")
    Selecting(store, clock).select(ADA, ids.next(), "default-two", typed_at=NOW)
    instructions = Instructions(store, clock)
    instructions.apply(ADA, instructions.propose(ADA, ids.next(), "Be brief").id)
    instructions.propose(ADA, ids.next(), "A draft")
    return library


def naming(store: ObjectStore, user_id: str) -> list[str]:
    """Keys of objects that hold a person's id as a text of its own, or have it in their key."""
    return [
        info.key
        for info in store.list("")
        if f"/{user_id}" in info.key or f'"{user_id}"'.encode() in store.get(info.key).data
    ]


def holding(store: ObjectStore, word: str) -> list[str]:
    """Keys of objects that hold a word."""
    return [info.key for info in store.list("") if word.encode() in store.get(info.key).data]


class Breaking(FileStore):
    """A store that stops answering after so many changes."""

    def __init__(self, folder: Path, *, changes: int | None = None) -> None:
        super().__init__(folder)
        self.left = changes

    def put(self, key: str, data: bytes, **more: Any) -> str:
        self._change()
        return super().put(key, data, **more)

    def delete(self, key: str) -> None:
        self._change()
        super().delete(key)

    def _change(self) -> None:
        if self.left is None:
            return
        if self.left == 0:
            raise StoreUnavailable("broken")
        self.left -= 1


def journal(store: ObjectStore, dataset: str) -> Iterator[str]:
    """The names of a dataset's journal entries."""
    for info in store.list(DatasetKeys(SERVER, dataset).journal):
        yield info.key.rpartition("/")[2]


def has_answer(store: ObjectStore, answer_id: str) -> bool:
    return store.head(answer_key(SERVER, answer_id)) is not None
