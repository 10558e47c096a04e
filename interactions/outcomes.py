"""What came out of a job, kept before it is shown, and how far showing it has come.

The outcome is written once. A second delivery of the job finds it and shows the same, without doing the work again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from interactions.outbound import Reply
from trainer import records

if TYPE_CHECKING:
    from trainer.ports import ObjectStore
    from trainer.scope import Scope


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """Which messages of an outcome are out."""

    messages: list[str] = []
    """Message ids, in order of the parts."""
    way: Literal["reply", "channel", "notice"] = "reply"
    finished: bool = False
    v: int = 1


def load_outcome(store: ObjectStore, scope: Scope, interaction_id: str) -> Reply | None:
    """The outcome of an interaction, if an earlier delivery of its job got so far."""
    return records.load(store, _key(scope, interaction_id, "outcome"), Reply)


def save_outcome(store: ObjectStore, scope: Scope, interaction_id: str, outcome: Reply) -> Reply:
    """Keep an outcome; the first one stands and is returned."""
    return records.save_once(store, _key(scope, interaction_id, "outcome"), outcome)


def load_delivery(store: ObjectStore, scope: Scope, interaction_id: str) -> Delivery:
    """How far showing the outcome has come."""
    return records.load(store, _key(scope, interaction_id, "delivery"), Delivery) or Delivery()


def save_delivery(store: ObjectStore, scope: Scope, interaction_id: str, delivery: Delivery) -> None:
    """Remember how far showing the outcome has come."""
    records.save(store, _key(scope, interaction_id, "delivery"), delivery)


def _key(scope: Scope, interaction_id: str, what: str) -> str:
    return f"{scope.prefix}/outcomes/{interaction_id}.{what}.json"
