"""Runs as they are kept: begun once, their results stretch by stretch, each written once.

A run's cases are stored before the run is, and every result is worked out from those: whichever worker goes on with a
run, it has the same cases in the same order. Results of one stretch of cases are one object, of which the first write
stands. If somebody asks to be forgotten whose words are in a run, or the run gets too old, its cases go first;
whoever writes results looks for them afterwards, and takes back what it wrote if they are gone.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar, cast

import msgspec

from trainer import records
from trainer.evaluation.cases import CASES_MOST, Case, Exchange
from trainer.evaluation.detail import drop_detail, has_detail
from trainer.evaluation.identity import Identity, asked
from trainer.evaluation.keys import SHARD, RunKeys, Stream, author_in, index_prefix
from trainer.evaluation.results import CaseResult, Run
from trainer.ports import ObjectNotFound, PreconditionFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import BinaryIO

    from trainer.ports import ObjectStore
    from trainer.scope import Scope

JSONL_TYPE: Final = "application/jsonl"
S = TypeVar("S", bound=msgspec.Struct)


class NoCases(Exception):
    """There is nothing to test."""


class TooManyCases(Exception):
    """A run takes no more than `CASES_MOST` cases."""


class DetailGone(Exception):
    """The cases of a run are no longer there, and with them all that came of them but its numbers."""


class Cancelled(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody ended a run early."""

    by: str
    at: float
    """Seconds since the epoch."""
    v: int = 1


class _Named(msgspec.Struct, frozen=True):
    """As much of a case as telling it from others takes."""

    id: str
    question: str
    former: tuple[Exchange, ...] = ()


class Words(NamedTuple):
    """Somebody's words."""

    author: str
    id: int
    """Of what they came by: the interaction, or the like."""


class Told(NamedTuple):
    """A case, and whose words it is made of."""

    case: Case
    words: tuple[Words, ...]


class _Census:
    """What all cases of a run come to, besides themselves: which there are, and whose words they are."""

    def __init__(self) -> None:
        self.ids: dict[str, str] = {}
        """What the case of each id asks."""
        self.authors: dict[str, int] = {}
        """The oldest of everybody's words."""

    def unique(self, case: Case) -> Case:
        """The case, by an id that no other one has."""
        case_id, number = case.id, 2
        while case_id in self.ids:
            case_id, number = f"{case.id}-{number}", number + 1
        self.ids[case_id] = asked(case.question, case.former)
        return case if case_id == case.id else msgspec.structs.replace(case, id=case_id)

    def hear(self, words: Iterable[Words]) -> None:
        for author, words_id in words:
            self.authors[author] = min(self.authors.get(author, words_id), words_id)

    @property
    def set_id(self) -> str:
        """Names the set of cases, whatever their order."""
        digest = hashlib.blake2b(digest_size=16)
        for case_id, question in sorted(self.ids.items()):
            digest.update(f"{case_id}\0{question}\0".encode("utf-8", "replace"))
        return digest.hexdigest()


class Runs:
    """The runs of a store. Ids of runs may come from anywhere: those that cannot be one are of no run."""

    def __init__(self, store: ObjectStore, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock

    # --- a run and its cases ----------------------------------------------------------------------------------------

    def begin(
        self, scope: Scope, draft: Run, cases: Iterable[Case | Told], rejected: Callable[[], int] | None = None
    ) -> Run:
        """Store a run with its cases, which pass through one by one; the same run again changes nothing.

        Args:
            scope: whose run it is.
            draft: the run, but for what its cases say: `cases`, `cases_key`, `set_id`, and `rejected`.
            cases: the cases. One with the id of another gets a `-2` behind it. Where it is not told whose words they
                are, they are their author's, or the run's author's if they have none; if the run repeats another,
                they are whosever words are in that.
            rejected: how many lines made no case; asked once, after the last case.

        Raises `NoCases`, `TooManyCases`, and what `cases` raises; `DetailGone` if somebody whose words it would hold
        is forgotten meanwhile: it may be begun again. Then nothing is stored.
        """
        keys = RunKeys(scope, draft.id)
        begun = self.load(scope, draft.id)
        if begun is not None:
            return begun
        census = _Census()
        try:
            with self._store.open_write(keys.cases, if_absent=True, content_type=JSONL_TYPE) as stream:
                for one in cases:
                    if len(census.ids) == CASES_MOST:
                        raise TooManyCases
                    told = one if isinstance(one, Told) else Told(one, _words_of(one, draft))
                    census.hear(told.words)
                    stream.write(msgspec.json.encode(census.unique(told.case)) + b"\n")
                if not census.ids:
                    raise NoCases
                # Before the cases can be seen: from then on, whoever is forgotten is found.
                self._mark_authors(scope, draft, census.authors)
        except PreconditionFailed:
            # An earlier delivery got so far. Its cases count, whatever has been taught since.
            census = _Census()
            census.ids.update(self.identities(scope, draft.id))
        else:
            self._check_authors(scope, draft.id, census.authors)
        run = msgspec.structs.replace(
            draft,
            cases=len(census.ids),
            cases_key=keys.cases,
            set_id=census.set_id,
            rejected=rejected() if rejected is not None else draft.rejected,
        )
        return records.save_once(self._store, keys.run, run)

    def load(self, scope: Scope, run_id: str) -> Run | None:
        """A run of this scope, or None."""
        if not (run_id.isascii() and run_id.isdecimal()):
            return None
        return records.load(self._store, RunKeys(scope, run_id).run, Run)

    def cases(self, scope: Scope, run_id: str) -> Iterator[Case]:
        """The cases of a run in their order. Raises `DetailGone`."""
        for line in self._lines(RunKeys(scope, run_id).cases):
            yield msgspec.json.decode(line, type=Case)

    def identities(self, scope: Scope, run_id: str) -> Iterator[Identity]:
        """Which cases a run has, in their order. Raises `DetailGone`."""
        for line in self._lines(RunKeys(scope, run_id).cases):
            named = msgspec.json.decode(line, type=_Named)
            yield Identity(named.id, asked(named.question, named.former))

    def has_detail(self, scope: Scope, run_id: str) -> bool:
        """Whether the cases and results of a run are still kept."""
        return has_detail(self._store, scope, run_id)

    def discard(self, scope: Scope, run_id: str) -> None:
        """Take back a run that never began to be answered."""
        drop_detail(self._store, scope, run_id)
        self._store.delete(RunKeys(scope, run_id).run)

    def mark_author(self, scope: Scope, run_id: str, words: Words) -> None:
        """Note that a run holds words of a person, before it does."""
        if words.author.isascii() and words.author.isdecimal():
            self._store.put(RunKeys(scope, run_id).author(*words), b"")

    # --- results ----------------------------------------------------------------------------------------------------

    def shards(self, scope: Scope, run_id: str, stream: Stream = "results") -> set[int]:
        """The stretches of cases of which there are results: of case 20, with 10 a stretch, it is 2."""
        prefix = RunKeys(scope, run_id).results(stream)
        names = (info.key.removeprefix(prefix).removesuffix(".jsonl") for info in self._store.list(prefix))
        return {int(name) for name in names if name.isdecimal()}

    def save_shard(
        self, scope: Scope, run_id: str, number: int, results: Sequence[CaseResult], stream: Stream = "results"
    ) -> None:
        """Store what came of one stretch of cases; what is there already stands. Raises `DetailGone`."""
        keys = RunKeys(scope, run_id)
        data = b"".join(msgspec.json.encode(result) + b"\n" for result in results)
        with suppress(PreconditionFailed):
            self._store.put(keys.shard(stream, number), data, if_absent=True, content_type=JSONL_TYPE)
        self._check_detail(scope, run_id)

    def results(self, scope: Scope, run_id: str, stream: Stream = "results") -> Iterator[CaseResult]:
        """What came of the cases, in their order, a stretch of them in memory at a time."""
        for info in self._store.list(RunKeys(scope, run_id).results(stream)):
            try:
                data = self._store.get(info.key).data
            except ObjectNotFound:
                return
            for line in data.splitlines():
                yield msgspec.json.decode(line, type=CaseResult)

    def save_summary(self, scope: Scope, run_id: str, summary: S) -> S:
        """Keep what a run comes to, once it is over; the first one stands. Raises `DetailGone`.

        It must hold nobody's words but the tags of the cases.
        """
        kept = records.save_once(self._store, RunKeys(scope, run_id).summary, summary)
        self._check_detail(scope, run_id)
        return kept

    def summary(self, scope: Scope, run_id: str, kind: type[S]) -> S | None:
        """What a run came to; None while it is not over."""
        return records.load(self._store, RunKeys(scope, run_id).summary, kind)

    # --- ending it early --------------------------------------------------------------------------------------------

    def cancel(self, scope: Scope, run_id: str, by: str) -> Cancelled | None:
        """End a run early; who did so first. None if there is no such run, or it is over already."""
        keys = RunKeys(scope, run_id)
        if self.load(scope, run_id) is None:
            return None
        if self._store.head(keys.summary) is not None:
            return self.cancelled(scope, run_id)
        return records.save_once(self._store, keys.cancelled, Cancelled(by=by, at=self._clock()))

    def cancelled(self, scope: Scope, run_id: str) -> Cancelled | None:
        """Who ended a run early, if somebody did."""
        return records.load(self._store, RunKeys(scope, run_id).cancelled, Cancelled)

    def enter(self, scope: Scope, run: Run) -> None:
        """Put a run into the list of its dataset's runs: it is being worked on."""
        self._store.put(f"{index_prefix(scope, run.subject.dataset)}{run.id}", b"")

    # ----------------------------------------------------------------------------------------------------------------

    def _check_detail(self, scope: Scope, run_id: str) -> None:
        """After something was written: if the cases are gone, take it back. Raises `DetailGone`."""
        if not has_detail(self._store, scope, run_id):
            # Whoever deleted them may have looked for the rest before this was written.
            drop_detail(self._store, scope, run_id)
            raise DetailGone

    def _mark_authors(self, scope: Scope, draft: Run, authors: Mapping[str, int]) -> None:
        for author, words_id in sorted(authors.items()):
            self.mark_author(scope, draft.id, Words(author, words_id))
        if draft.reruns:
            for info in self._store.list(RunKeys(scope, draft.reruns).authors):
                of_other = author_in(scope, info.key)
                if of_other is not None:
                    self.mark_author(scope, draft.id, Words(of_other.user_id, int(of_other.words)))

    def _check_authors(self, scope: Scope, run_id: str, authors: Iterable[str]) -> None:
        """Once the cases can be seen: whoever was forgotten before has taken the mark away. Raises `DetailGone`."""
        found = (author_in(scope, info.key) for info in self._store.list(RunKeys(scope, run_id).authors))
        there = {one.user_id for one in found if one is not None}
        if any(author.isascii() and author.isdecimal() and author not in there for author in authors):
            drop_detail(self._store, scope, run_id)
            raise DetailGone

    def _lines(self, key: str) -> Iterator[bytes]:
        """The lines of an object, by way of a temporary file: reading may take hours, and connections end sooner."""
        with tempfile.TemporaryFile() as unnamed:
            copy = cast("BinaryIO", unnamed)
            try:
                with self._store.open_read(key) as source:
                    shutil.copyfileobj(source, copy)
            except ObjectNotFound:
                raise DetailGone from None
            copy.seek(0)
            yield from copy


def _words_of(case: Case, draft: Run) -> tuple[Words, ...]:
    if draft.reruns:
        return ()
    return (Words(case.author or draft.author, int(draft.id)),)


def shards_of(cases: int) -> int:
    """How many stretches so many cases are."""
    return -(-cases // SHARD)
