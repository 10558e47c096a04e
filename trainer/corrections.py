"""/correct: the right answer to a question, which wins over everything from the next /ask on.

A correction of somebody who may teach applies at once. Anybody else's is a proposal, which is approved or rejected;
the verdict is a record of its own, written once: of two people deciding at the same time, one decides. A correction
that counts can be taken back, which is a further record; its own record stays, so that an answer has a history.
"""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from trainer import records
from trainer.answers import load_answer
from trainer.datasets import DatasetKeys, proposal_key
from trainer.lessons import lesson
from trainer.settings import may_teach

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainer.ports import ObjectStore
    from trainer.scope import Actor, Scope

HISTORY_MOST: Final = 10
"""Corrections of one question that its history tells: the latest."""

Status = Literal["proposed", "applied", "approved", "rejected", "undone"]


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
    lesson: str = ""
    """What changed, in one line."""
    v: int = 1


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided about a proposal."""

    correction_id: str
    approved: bool
    by: str
    decided_at: float
    """Seconds since the epoch."""
    bulk: str = ""
    """The interaction that decided about several together, if it was one of them: see `trainer.proposals`."""
    reason: str = ""
    """Why it was approved although its test did not go well; empty if it passed, or was not tested."""
    v: int = 1


class Undone(msgspec.Struct, frozen=True, kw_only=True):
    """A correction was taken back."""

    correction_id: str
    by: str
    undone_at: float
    """Seconds since the epoch."""
    v: int = 1


class NoSuchAnswer(Exception):
    """There is no answer of ours to correct here."""


class NoSuchCorrection(Exception):
    """There is no such correction here."""


class NoSuchProposal(NoSuchCorrection):
    """There is no such correction waiting for a decision."""


class NotAllowed(Exception):
    """This person may not do that."""


class Decided(msgspec.Struct, frozen=True):
    """The outcome of a decision."""

    correction: Correction
    verdict: Verdict
    mine: bool
    """Whether this call decided, or somebody had before."""


class Standing(msgspec.Struct, frozen=True):
    """A correction and what has become of it."""

    correction: Correction
    dataset: str
    verdict: Verdict | None = None
    undone: Undone | None = None

    @property
    def status(self) -> Status:
        """What has become of it."""
        if self.undone is not None:
            return "undone"
        if self.verdict is not None:
            return "approved" if self.verdict.approved else "rejected"
        return "proposed" if self.correction.proposed else "applied"

    @property
    def counts(self) -> bool:
        """Whether it is used for answers."""
        return self.status in {"applied", "approved"}


class History(msgspec.Struct, frozen=True):
    """The corrections of one question, oldest first."""

    question: str
    standings: list[Standing]
    earlier: int
    """How many there are before these."""


class Corrections:
    """Takes corrections, decides about proposals and takes corrections back."""

    def __init__(self, store: ObjectStore, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock

    def correct(self, actor: Actor, interaction_id: str, answer_id: str, right: str) -> Correction:
        """Store a correction of an answer, to be used at once if its author may teach. Raises `NoSuchAnswer`."""
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
                proposed=not may_teach(self._store, actor),
                lesson=lesson(answer.question, answer.text, right),
            ),
        )
        self._store.put(f"{keys.histories(_named(correction.question))}{correction.id}", b"")
        if correction.proposed:
            # After the record: whoever lists proposals takes a mark without one for a left-over.
            self._store.put(proposal_key(actor.scope, answer.dataset, correction.id), b"")
        else:
            self._apply(keys, correction)
        return correction

    def decide(
        self, actor: Actor, dataset: str, correction_id: str, *, approve: bool, bulk: str = "", reason: str = ""
    ) -> Decided:
        """Approve or reject a proposal; the first decision stands. Raises `NoSuchProposal`.

        The caller has made sure that the actor may teach. `bulk` and `reason` are as in `Verdict`.
        """
        keys = DatasetKeys(actor.scope, dataset)
        correction = records.load(self._store, keys.correction(correction_id), Correction)
        if correction is None or not correction.proposed:
            raise NoSuchProposal
        wanted = Verdict(
            correction_id=correction_id,
            approved=approve,
            by=actor.user_id,
            decided_at=self._clock(),
            bulk=bulk,
            reason=reason,
        )
        verdict = records.save_once(self._store, keys.verdict(correction_id), wanted)
        if verdict.approved:
            self._apply(keys, correction)
        self._store.delete(proposal_key(actor.scope, dataset, correction_id))
        return Decided(correction, verdict, mine=verdict.by == wanted.by and verdict.approved == approve)

    def undo(self, actor: Actor, dataset: str, correction_id: str) -> Standing:
        """Take a correction back, so that what was answered before it is answered again; the first to do so stands.

        One that does not count, such as a proposal, stays as it is. Raises `NoSuchCorrection`, and `NotAllowed` for
        anybody but its author and those who may teach.
        """
        standing = self.standing(actor.scope, dataset, correction_id)
        if standing.correction.author != actor.user_id and not may_teach(self._store, actor):
            raise NotAllowed
        if not standing.counts and standing.undone is None:
            return standing
        keys = DatasetKeys(actor.scope, dataset)
        wanted = Undone(correction_id=correction_id, by=actor.user_id, undone_at=self._clock())
        undone = records.save_once(self._store, keys.undone(correction_id), wanted)
        # Whatever the clocks of writers say: an index does not take a correction with this mark.
        self._store.put(keys.removed(correction_id), b"")
        self._store.put(keys.entry(int(self._clock() * 1000), "removal", correction_id), b"")
        return msgspec.structs.replace(standing, undone=undone)

    def standing(self, scope: Scope, dataset: str, correction_id: str) -> Standing:
        """A correction and what has become of it. Raises `NoSuchCorrection`."""
        keys = DatasetKeys(scope, dataset)
        correction = records.load(self._store, keys.correction(correction_id), Correction)
        if correction is None:
            raise NoSuchCorrection
        verdict = records.load(self._store, keys.verdict(correction_id), Verdict) if correction.proposed else None
        standing = Standing(correction, dataset, verdict)
        if not standing.counts:
            return standing
        return msgspec.structs.replace(standing, undone=records.load(self._store, keys.undone(correction_id), Undone))

    def history(self, scope: Scope, answer_id: str) -> History:
        """The corrections of an answer's question, in the dataset that answered. Raises `NoSuchAnswer`."""
        answer = load_answer(self._store, scope, answer_id)
        if answer is None:
            raise NoSuchAnswer
        prefix = DatasetKeys(scope, answer.dataset).histories(_named(answer.question))
        ids = sorted((info.key.removeprefix(prefix) for info in self._store.list(prefix)), key=int)
        standings = []
        for correction_id in ids[-HISTORY_MOST:]:
            try:
                standings.append(self.standing(scope, answer.dataset, correction_id))
            except NoSuchCorrection:
                continue  # its author had it deleted
        return History(answer.question, standings, max(0, len(ids) - HISTORY_MOST))

    def dataset_of(self, actor: Actor, correction: Correction) -> str:
        """The dataset that a correction belongs to: its answer's. Raises `NoSuchAnswer`."""
        answer = load_answer(self._store, actor.scope, correction.answer_id)
        if answer is None:
            raise NoSuchAnswer
        return answer.dataset

    def _apply(self, keys: DatasetKeys, correction: Correction) -> None:
        self._store.put(keys.entry(int(self._clock() * 1000), "correction", correction.id), b"")


def _named(question: str) -> str:
    """Names a question: the same for all that the index takes for the very same question."""
    from trainer.matching import normalise  # noqa: PLC0415 - the acknowledging path does without

    return hashlib.blake2b(normalise(question).encode(), digest_size=16).hexdigest()
