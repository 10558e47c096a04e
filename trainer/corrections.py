"""/correct: the right answer to a question, which wins over everything from the next /ask on.

A manager's correction applies at once. Anybody else's is a proposal, which a manager approves or rejects; the verdict
is a record of its own, written once: of two managers deciding at the same time, one decides.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from trainer import records
from trainer.answers import load_answer
from trainer.datasets import DatasetKeys

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainer.ports import ObjectStore
    from trainer.scope import Actor


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """One /correct."""

    id: str
    """The interaction's."""
    answer_id: str
    question: str
    wrong: str
    right: str
    author: str
    created_at: float
    """Seconds since the epoch."""
    proposed: bool
    v: int = 1


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a manager decided about a proposal."""

    correction_id: str
    approved: bool
    by: str
    decided_at: float
    """Seconds since the epoch."""
    v: int = 1


class NoSuchAnswer(Exception):
    """There is no answer of ours to correct here."""


class NoSuchProposal(Exception):
    """There is no such correction waiting for a decision."""


class Decided(msgspec.Struct, frozen=True):
    """The outcome of a decision."""

    correction: Correction
    verdict: Verdict
    mine: bool
    """Whether this call decided, or somebody had before."""


class Corrections:
    """Takes corrections and decides about proposals."""

    def __init__(self, store: ObjectStore, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock

    def correct(self, actor: Actor, interaction_id: str, answer_id: str, right: str) -> Correction:
        """Store a correction of an answer, to be used at once if a manager gives it. Raises `NoSuchAnswer`."""
        answer = load_answer(self._store, actor.scope, answer_id)
        if answer is None:
            raise NoSuchAnswer
        keys = DatasetKeys(actor.scope, answer.dataset)
        correction = records.save_once(
            self._store,
            keys.correction(interaction_id),
            Correction(
                id=interaction_id,
                answer_id=answer_id,
                question=answer.question,
                wrong=answer.text,
                right=right,
                author=actor.user_id,
                created_at=self._clock(),
                proposed=not actor.is_manager,
            ),
        )
        if not correction.proposed:
            self._apply(keys, correction)
        return correction

    def decide(self, actor: Actor, dataset: str, correction_id: str, *, approve: bool) -> Decided:
        """Approve or reject a proposal; the first decision stands. Raises `NoSuchProposal`.

        The caller has made sure that the actor is a manager.
        """
        keys = DatasetKeys(actor.scope, dataset)
        correction = records.load(self._store, keys.correction(correction_id), Correction)
        if correction is None or not correction.proposed:
            raise NoSuchProposal
        wanted = Verdict(correction_id=correction_id, approved=approve, by=actor.user_id, decided_at=self._clock())
        verdict = records.save_once(self._store, keys.verdict(correction_id), wanted)
        if verdict.approved:
            self._apply(keys, correction)
        return Decided(correction, verdict, mine=verdict.by == wanted.by and verdict.approved == approve)

    def dataset_of(self, actor: Actor, correction: Correction) -> str:
        """The dataset that a correction belongs to: its answer's. Raises `NoSuchAnswer`."""
        answer = load_answer(self._store, actor.scope, correction.answer_id)
        if answer is None:
            raise NoSuchAnswer
        return answer.dataset

    def _apply(self, keys: DatasetKeys, correction: Correction) -> None:
        self._store.put(keys.entry(int(self._clock() * 1000), "correction", correction.id), b"")
