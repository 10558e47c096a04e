"""Why something counts that is worse than what it was compared with, such as another chat model: kept in a file."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec

from trainer import records
from trainer.evaluation.comparison import Comparison
from trainer.evaluation.results import Subject

if TYPE_CHECKING:
    from trainer.evaluation.results import Run
    from trainer.ports import ObjectStore
    from trainer.scope import Scope


class TerminalOverride(msgspec.Struct, frozen=True, kw_only=True):
    """A run that did not pass and was let through, as a file tells of it beside those of the gate."""

    run: str
    compared_with: str
    """The other run; empty: the same bot with nothing taught."""
    at: float
    """Seconds since the epoch."""
    reason: str
    """Why, in the words of whoever typed the command."""
    before: Subject | None
    """What the other run tested."""
    after: Subject
    comparison: Comparison
    v: int = 1


def keep_override(
    store: ObjectStore, scope: Scope, run: Run, before: Run | None, comparison: Comparison, reason: str
) -> str:
    """Write it where /getfile finds it, whether the run is kept or not; its path there. Raises `StoreUnavailable`."""
    override = TerminalOverride(
        run=run.id,
        compared_with=before.id if before is not None else "",
        at=time.time(),
        reason=reason,
        before=before.subject if before is not None else None,
        after=run.subject,
        comparison=comparison,
    )
    path = f"reports/override-{run.id}.json"
    data = msgspec.json.format(msgspec.json.encode(override), indent=2)
    store.put(f"{scope.prefix}/{path}", data, content_type=records.JSON_TYPE)
    return path
