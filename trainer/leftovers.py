"""Chunks of examples that killed workers left: no batch has them, so nobody can see them, and they hold words.

A chunk is written before the record of its batch, and each try has chunks of its own. No try lasts a day: what is
older and not named by a record never will be.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from trainer import records
from trainer.batches import Batch
from trainer.datasets import DatasetKeys
from trainer.selection import folders

if TYPE_CHECKING:
    from trainer.ports import ObjectInfo, ObjectStore
    from trainer.scope import Scope

DAY_S: Final = 86_400.0
LOOKED_AT_DAYS: Final = 8
"""Chunks of a batch that is there are looked at on the days after the first one up to this: its record, which says
which are its own, is not read for ever."""

log = logging.getLogger(__name__)


def sweep_chunks(store: ObjectStore, scope: Scope, now: float) -> int:
    """Delete such chunks of a scope; how many there were."""
    deleted = 0
    for name in list(folders(store, scope)):
        keys = DatasetKeys(scope, name)
        root = f"{keys.root}chunks/"
        old: dict[str, list[ObjectInfo]] = {}
        for info in store.list(root):
            if info.modified_at < now - DAY_S:
                old.setdefault(info.key.removeprefix(root).partition("/")[0], []).append(info)
        for batch_id, chunks in old.items():
            try:
                deleted += _sweep_batch(store, keys, batch_id, chunks, now)
            except records.Damaged:
                log.warning("chunks left alone: the batch cannot be read", extra={"record": batch_id})
    return deleted


def _sweep_batch(store: ObjectStore, keys: DatasetKeys, batch_id: str, chunks: list[ObjectInfo], now: float) -> int:
    if store.head(keys.batch(batch_id)) is not None:
        chunks = [info for info in chunks if info.modified_at >= now - LOOKED_AT_DAYS * DAY_S]
        own = _own(store, keys, batch_id) if chunks else None
        if own is None:
            return 0
        chunks = [info for info in chunks if info.key not in own]
    deleted = 0
    for info in chunks:
        # Somebody may be restoring an archive with the same batch, or have just done it.
        there = store.head(info.key)
        own = _own(store, keys, batch_id)
        if there is not None and there.modified_at == info.modified_at and (own is None or info.key not in own):
            store.delete(info.key)
            deleted += 1
    return deleted


def _own(store: ObjectStore, keys: DatasetKeys, batch_id: str) -> set[str] | None:
    """The chunks of a batch; None if there is no such batch."""
    batch = records.load(store, keys.batch(batch_id), Batch)
    return None if batch is None else {*batch.chunks, batch.rejections_key}
