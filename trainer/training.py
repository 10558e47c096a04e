"""/train: from what people send to examples that change the very next answer.

A batch becomes valid by one conditional write of its record. A worker that dies before that leaves nothing that
counts; one that dies after it finds the record when the job is delivered again, and reports the same.
"""

from __future__ import annotations

import time
import uuid
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from trainer import records
from trainer.batches import Batch, Origin, Report
from trainer.datasets import DatasetKeys, pin_key
from trainer.importers import Example, FileRefusal, Item, Rejection
from trainer.matching import fingerprint
from trainer.selection import mark_dataset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from trainer.library import Library
    from trainer.ports import ObjectStore
    from trainer.scope import Actor

INLINE_MOST: Final = 500
"""Examples, and rejections, that fit into the batch's own record."""
CHUNK: Final = 5_000
"""Examples in one further object."""
LOOKUP: Final = 500
"""Examples whose duplicates are looked for at once."""


class Pin(msgspec.Struct, frozen=True):
    """Which dataset a command is about."""

    dataset: str


class Progress(NamedTuple):
    """How far an import is."""

    read: int
    learned: int


class Training:
    """Takes examples into datasets."""

    def __init__(self, store: ObjectStore, library: Library, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._library = library
        self._clock = clock

    def done(self, actor: Actor, interaction_id: str, dataset: str) -> Batch | None:
        """The batch of this interaction, if an earlier delivery of the job has stored it."""
        keys = DatasetKeys(actor.scope, dataset)
        batch = records.load(self._store, keys.batch(interaction_id), Batch)
        if batch is not None:
            self._announce(keys, batch.id)
        return batch

    def dataset_for(self, actor: Actor, interaction_id: str, selected: str) -> str:
        """The dataset that a command is about: the one that was selected when its job was first delivered."""
        return records.save_once(self._store, pin_key(actor.scope, interaction_id), Pin(selected)).dataset

    def train(
        self,
        actor: Actor,
        interaction_id: str,
        dataset: str,
        origin: Origin,
        items: Iterable[Item],
        on_progress: Callable[[Progress], None],
    ) -> Batch:
        """Store all examples that are new, and count the rest.

        Memory is bounded: examples pass through in stretches. What comes before a `FileRefusal` is kept, and the
        batch says so. Raises what else `items` raises; then nothing was stored.
        """
        keys = DatasetKeys(actor.scope, dataset)
        intake = _Intake(self._store, keys, interaction_id)
        try:
            refusals: list[FileRefusal] = []
            readable = _until_refused(items, refusals)
            self._take(intake, self._library.index(actor.scope, dataset).known, readable, on_progress)
            batch = intake.finish(actor.user_id, origin, self._clock())
            for refusal in refusals:
                batch = msgspec.structs.replace(batch, refusal=refusal.reason.value, refusal_detail=refusal.detail)
        except BaseException:
            intake.discard()
            raise
        # Past this point a failure may still mean that the record was written, so nothing is discarded blindly.
        stored = records.save_once(self._store, keys.batch(interaction_id), batch)
        if stored.chunks != batch.chunks or stored.rejections_key != batch.rejections_key:
            intake.discard()
        batch = stored
        self._announce(keys, interaction_id)
        # Read it into the index now: the person who taught it will ask next.
        self._library.index(actor.scope, dataset)
        return batch

    def rejections(self, batch: Batch) -> Iterator[Rejection]:
        """Everything that a batch did not take, in order."""
        yield from batch.rejections
        if batch.rejections_key:
            with self._store.open_read(batch.rejections_key) as stream:
                for line in stream:
                    yield msgspec.json.decode(line, type=Rejection)

    def _take(
        self,
        intake: _Intake,
        known: Callable[..., set[str]],
        items: Iterable[Item],
        on_progress: Callable[[Progress], None],
    ) -> None:
        waiting: dict[str, Example] = {}

        def settle() -> None:
            there = known(list(waiting), except_prefix=f"{intake.interaction_id}/")
            for print_, example in waiting.items():
                if print_ in there:
                    intake.duplicates += 1
                else:
                    intake.accept(print_, example)
            waiting.clear()
            on_progress(Progress(intake.read, intake.accepted))

        for item in items:
            intake.read += 1
            if isinstance(item, Rejection):
                intake.reject(item)
                continue
            print_ = fingerprint(item.question, item.answer)
            if print_ in waiting or intake.has(print_):
                intake.duplicates += 1
                continue
            waiting[print_] = item
            if len(waiting) >= LOOKUP:
                settle()
        settle()

    def _announce(self, keys: DatasetKeys, interaction_id: str) -> None:
        """Tell all indexes. Twice is harmless; never is what must not happen, so a redelivery does it again."""
        self._store.put(keys.entry(int(self._clock() * 1000), "batch", interaction_id), b"")
        mark_dataset(self._store, keys.scope, keys.dataset, interaction_id)


def _until_refused(items: Iterable[Item], refusals: list[FileRefusal]) -> Iterator[Item]:
    """The items up to a refusal, which is put into the list."""
    try:
        yield from items
    except FileRefusal as refusal:
        refusals.append(refusal)


class _Intake:
    """What one run of a job has taken so far, partly in objects that do not count yet."""

    def __init__(self, store: ObjectStore, keys: DatasetKeys, interaction_id: str) -> None:
        self.interaction_id = interaction_id
        self.read = 0
        self.duplicates = 0
        self._store = store
        self._keys = keys
        self._attempt = uuid.uuid4().hex[:12]
        self._prints: set[bytes] = set()
        self._pairs = 0
        self._passages = 0
        self._rejected = 0
        self._examples: list[Example] = []
        self._rejections: list[Rejection] = []
        self._chunks: list[str] = []
        self._lines: list[bytes] = []
        self._rejections_key = ""

    @property
    def accepted(self) -> int:
        return self._pairs + self._passages

    def has(self, print_: str) -> bool:
        return bytes.fromhex(print_) in self._prints

    def accept(self, print_: str, example: Example) -> None:
        self._prints.add(bytes.fromhex(print_))
        if example.kind == "pair":
            self._pairs += 1
        else:
            self._passages += 1
        self._examples.append(example)
        if len(self._examples) >= CHUNK:
            self._flush()

    def reject(self, rejection: Rejection) -> None:
        self._rejected += 1
        if self._rejected <= INLINE_MOST:
            self._rejections.append(rejection)
        if self._rejected > INLINE_MOST:
            self._lines.append(msgspec.json.encode(rejection) + b"\n")

    def finish(self, author: str, origin: Origin, now: float) -> Batch:
        if self._chunks or len(self._examples) > INLINE_MOST:
            self._flush()
        if self._lines:
            self._rejections_key = self._keys.rejections(self.interaction_id, self._attempt)
            with self._store.open_write(self._rejections_key) as stream:
                stream.writelines(self._lines)
        return Batch(
            id=self.interaction_id,
            author=author,
            origin=origin,
            created_at=now,
            report=Report(self._pairs, self._passages, self.duplicates, self._rejected),
            examples=self._examples,
            rejections=self._rejections,
            chunks=self._chunks,
            rejections_key=self._rejections_key,
        )

    def discard(self) -> None:
        for key in [*self._chunks, *filter(None, [self._rejections_key])]:
            self._store.delete(key)

    def _flush(self) -> None:
        if not self._examples:
            return
        key = self._keys.chunk(self.interaction_id, self._attempt, len(self._chunks))
        with self._store.open_write(key, content_type="application/jsonl") as stream:
            stream.writelines(msgspec.json.encode(example) + b"\n" for example in self._examples)
        self._chunks.append(key)
        self._examples = []
