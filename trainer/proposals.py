"""Corrections that wait for a decision: finding them without reading all others, and deciding about many together.

Each waiting proposal has an empty mark, written after it and deleted with the decision. A mark says no more than
where to look: one without a waiting proposal is a left-over and goes when it is come across. Proposals that came
without a mark, from an archive or before there were any, are looked for once.

What somebody decides about together is written down first, and only then decided one by one as if alone: whoever goes
on after a crash has the same list, and what was decided about otherwise meanwhile stays so.
"""

from __future__ import annotations

import heapq
import time
from bisect import bisect_left
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from trainer import records
from trainer.archive_restore import restored_key
from trainer.corrections import Correction, Corrections, NoSuchCorrection, NoSuchProposal
from trainer.datasets import DatasetKeys, parse_entry, proposal_key, proposals_prefix

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from trainer.corrections import Standing
    from trainer.ports import ObjectStore
    from trainer.scope import Actor, Scope

PAGE: Final = 5
BULK_MOST: Final = 1_000
"""Proposals that are decided about together."""
READERS: Final = 8
RESTORING_S: Final = 3600.0
"""How long an archive may take to be restored."""
SEARCHED: Final = "searched.json"
TELL_EVERY: Final = 10


class Bulk(msgspec.Struct, frozen=True, kw_only=True):
    """Proposals that somebody decides about together."""

    id: str
    """The interaction's."""
    dataset: str
    approve: bool
    ids: tuple[str, ...]
    """The oldest first."""
    by: str
    at: float
    """Seconds since the epoch."""
    v: int = 1


class Searched(msgspec.Struct, frozen=True):
    """When proposals without a mark were looked for."""

    at: float
    """Seconds since the epoch."""


class Page(NamedTuple):
    """Some of the proposals that wait."""

    corrections: Sequence[Correction]
    """The oldest first."""
    start: int
    """How many there are before these."""
    total: int
    newest: str
    """The last of those that can be decided about together; empty if none waits."""
    together: int
    """How many those are."""
    back: str | None
    """Where the page before begins; None if this is the first."""
    on: str | None
    """Where the next page begins; None if this is the last."""

    @property
    def anchor(self) -> str:
        """Where this page begins."""
        return self.corrections[0].id if self.corrections else "0"


class Carried(NamedTuple):
    """What became of proposals that were decided about together."""

    done: tuple[str, ...]
    """Decided by this."""
    otherwise: int
    """Somebody else was faster, or had them deleted."""


class Stopped(Exception):
    """The work is to go on later."""


class Proposals:
    """The proposals of a store. The caller has made sure that whoever looks and decides may teach."""

    def __init__(
        self, store: ObjectStore, corrections: Corrections | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self._store = store
        self._corrections = corrections or Corrections(store, clock)
        self._clock = clock

    # --- what waits -------------------------------------------------------------------------------------------------

    def marked(self, scope: Scope, dataset: str) -> list[str]:
        """The proposals of a dataset that have a mark, the oldest first."""
        prefix = proposals_prefix(scope, dataset)
        names = (info.key.removeprefix(prefix) for info in self._store.list(prefix))
        return sorted((name for name in names if name.isdecimal()), key=int)

    def search(self, scope: Scope, datasets: Callable[[], Iterable[str]]) -> None:
        """Mark the waiting proposals that have no mark, unless that was done; `datasets` gives the scope's."""
        prefix = restored_key(scope, "").removesuffix(".json")
        restored = max((info.modified_at for info in self._store.list(prefix)), default=0.0)
        key = f"{_folder(scope)}{SEARCHED}"
        before = records.load(self._store, key, Searched)
        if before is not None and before.at > restored + RESTORING_S:
            return
        began = self._clock()
        for dataset in datasets():
            for correction_id in self._unmarked(scope, dataset):
                self._store.put(proposal_key(scope, dataset, correction_id), b"")
        records.save(self._store, key, Searched(began))

    def page(self, scope: Scope, dataset: str, anchor: str = "0") -> Page:
        """Some proposals of a dataset from one on, or the last ones if there are none from there on."""
        ids = self.marked(scope, dataset)
        while True:
            start = bisect_left(ids, int(anchor), key=int)
            if start >= len(ids):
                start = max(0, (len(ids) - 1) // PAGE * PAGE)
            wanted = ids[start : start + PAGE]
            found = {one.id: one for one in self._waiting(scope, dataset, wanted)}
            if len(found) == len(wanted):
                break
            ids = [one for one in ids if one in found or one not in wanted]
        together = ids[:BULK_MOST]
        return Page(
            corrections=[found[one] for one in wanted],
            start=start,
            total=len(ids),
            newest=together[-1] if together else "",
            together=len(together),
            back=ids[max(0, start - PAGE)] if start else None,
            on=ids[start + PAGE] if start + PAGE < len(ids) else None,
        )

    # --- many together ----------------------------------------------------------------------------------------------

    def gather(
        self, actor: Actor, interaction_id: str, dataset: str, *, newest: str, shown_at: float, approve: bool
    ) -> Bulk:
        """Write down what is to be decided about: what waits and was there when the list was shown.

        Args:
            actor: who decides.
            interaction_id: by which press; the first list of a press stands.
            dataset: the dataset.
            newest: the last proposal of the list.
            shown_at: when the list was made, in seconds since the epoch: what was stored later nobody has seen.
            approve: whether they are to be approved.
        """
        begun = self.bulk(actor.scope, interaction_id)
        if begun is not None:
            return begun
        ids = [one for one in self.marked(actor.scope, dataset) if int(one) <= int(newest)]
        seen = [one for one in self._waiting(actor.scope, dataset, ids) if one.created_at <= shown_at]
        bulk = Bulk(
            id=interaction_id,
            dataset=dataset,
            approve=approve,
            ids=tuple(one.id for one in seen[:BULK_MOST]),
            by=actor.user_id,
            at=self._clock(),
        )
        if not bulk.ids:
            return bulk
        return records.save_once(self._store, _bulk_key(actor.scope, interaction_id), bulk)

    def bulk(self, scope: Scope, bulk_id: str) -> Bulk | None:
        """What somebody decided about together, or None. The id may come from anywhere."""
        if not (bulk_id.isascii() and bulk_id.isdecimal()):
            return None
        return records.load(self._store, _bulk_key(scope, bulk_id), Bulk)

    def corrections_of(self, scope: Scope, bulk: Bulk) -> list[Correction]:
        """Those of a bulk that were not rejected or deleted meanwhile."""
        standings = self._standings(scope, bulk.dataset, bulk.ids)
        return [one.correction for one in standings if one is not None and one.status != "rejected"]

    def carry_out(
        self,
        actor: Actor,
        bulk: Bulk,
        *,
        reason: str = "",
        progress: Callable[[int, int], None] = lambda done, total: None,  # noqa: ARG005 - nobody looks
        must_stop: Callable[[], bool] = lambda: False,
    ) -> Carried:
        """Decide about all of a bulk; done again, it goes on. Raises `Stopped` where it is to go on later."""
        done: list[str] = []
        for number, correction_id in enumerate(bulk.ids):
            if number % TELL_EVERY == 0:
                progress(number, len(bulk.ids))
                if number and must_stop():
                    raise Stopped
            try:
                decided = self._corrections.decide(
                    actor, bulk.dataset, correction_id, approve=bulk.approve, bulk=bulk.id, reason=reason
                )
            except NoSuchProposal:
                continue
            if decided.verdict.bulk == bulk.id:
                done.append(correction_id)
        return Carried(tuple(done), len(bulk.ids) - len(done))

    def take_back(self, actor: Actor, bulk: Bulk) -> int:
        """Take back what a bulk approved and nobody has taken back before; how many have been taken back by now."""
        count = 0
        for standing in self._standings(actor.scope, bulk.dataset, bulk.ids):
            if standing is None or standing.verdict is None or standing.verdict.bulk != bulk.id:
                continue
            if standing.counts or standing.undone is not None:
                # Also if it is undone: whoever did so may have died before that took effect.
                self._corrections.undo(actor, bulk.dataset, standing.correction.id)
                count += 1
        return count

    # ----------------------------------------------------------------------------------------------------------------

    def _unmarked(self, scope: Scope, dataset: str) -> Iterator[str]:
        """Waiting proposals, by what each folder of the dataset lists; only what is left over is read."""
        keys = DatasetKeys(scope, dataset)
        settled = {*self._ids(f"{keys.root}verdicts/"), *self._ids(f"{keys.root}removed/"), *self._counted(keys)}
        left = [one for one in self._ids(f"{keys.root}corrections/") if one not in settled]
        for standing in self._standings(scope, dataset, left):
            if standing is not None and standing.status == "proposed":
                yield standing.correction.id

    def _ids(self, prefix: str) -> list[str]:
        names = (info.key.removeprefix(prefix).removesuffix(".json") for info in self._store.list(prefix))
        return [name for name in names if name.isdecimal()]

    def _counted(self, keys: DatasetKeys) -> Iterator[str]:
        for info in self._store.list(keys.journal):
            entry = parse_entry(info.key.removeprefix(keys.journal))
            if entry is not None and entry[1] == "correction":
                yield entry[2]

    def _waiting(self, scope: Scope, dataset: str, ids: Sequence[str]) -> list[Correction]:
        """Those that do wait. Marks of others go."""
        found = []
        for correction_id, standing in zip(ids, self._standings(scope, dataset, ids), strict=True):
            if standing is not None and standing.status == "proposed":
                found.append(standing.correction)
            else:
                self._store.delete(proposal_key(scope, dataset, correction_id))
        return found

    def _standings(self, scope: Scope, dataset: str, ids: Sequence[str]) -> list[Standing | None]:
        """What has become of each; None where it is gone."""

        def look(correction_id: str) -> Standing | None:
            try:
                return self._corrections.standing(scope, dataset, correction_id)
            except NoSuchCorrection:
                return None

        if not ids:
            return []
        with ThreadPoolExecutor(min(READERS, len(ids)), thread_name_prefix="proposals") as threads:
            return list(threads.map(look, ids))


def waiting_elsewhere(store: ObjectStore, scope: Scope, dataset: str, *, most: int) -> list[tuple[str, int]]:
    """Other datasets with proposals that wait, by their marks, and how many each has; those with most first."""
    prefix = _folder(scope)
    counts: dict[str, int] = {}
    for info in store.list(prefix):
        name, _, correction_id = info.key.removeprefix(prefix).partition("/")
        if name != dataset and correction_id.isdecimal():
            counts[name] = counts.get(name, 0) + 1
    return heapq.nsmallest(most, counts.items(), key=lambda one: (-one[1], one[0]))


def _folder(scope: Scope) -> str:
    """What the marks of all datasets lie under."""
    return proposals_prefix(scope, "").removesuffix("/")


def _bulk_key(scope: Scope, bulk_id: str) -> str:
    return f"{scope.prefix}/bulks/{bulk_id}.json"
