"""How much one person, and one server, may ask of the bot in a while. Pure: the table, and the arithmetic.

Each limit is a bucket that holds `amount` and fills up again evenly within `seconds`. Of a bucket nothing is kept
but the moment at which it will be full again, as in the generic cell rate algorithm (ITU-T I.371): a use moves that
moment on, and is refused when it would lie more than `seconds` ahead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Action = Literal["ask", "train", "heavy", "other"]
"""What is limited together: questions, teaching, what reads a whole dataset, and everything else."""
Owner = Literal["person", "scope"]
Unit = Literal["uses", "bytes"]

MINUTE: Final = 60
HOUR: Final = 3600
DAY: Final = 24 * HOUR
ROUNDING_S: Final = 0.001
"""Moments of today, as floating point numbers, are exact to less than a microsecond."""
MIB: Final = 1024 * 1024


class Limit(NamedTuple):
    """One bucket of each person, or of each scope."""

    action: Action
    owner: Owner
    amount: float
    seconds: int
    managers: float = 0
    """The amount for managers of a server; 0: the same. In a scope of one's own everybody has the ordinary one."""
    unit: Unit = "uses"

    @property
    def name(self) -> str:
        """Names the bucket where it is kept."""
        return f"{self.action}/{self.unit}/{self.seconds}"


LIMITS: Final = (
    Limit("ask", "person", 10, MINUTE, managers=120),
    Limit("ask", "person", 100, HOUR, managers=2000),
    Limit("ask", "scope", 60, MINUTE),
    Limit("train", "person", 10, HOUR, managers=600),
    Limit("train", "scope", 1200, HOUR),
    Limit("train", "scope", 50 * MIB, DAY, unit="bytes"),
    Limit("heavy", "person", 10, HOUR, managers=30),
    Limit("heavy", "scope", 60, HOUR),
    Limit("other", "person", 60, MINUTE, managers=120),
)
"""All limits. `TRAINGER_LIMITS` multiplies every amount, and 0 lifts them."""


class Charge(NamedTuple):
    """What a use takes from one bucket."""

    limit: Limit
    amount: float
    """What the bucket holds when it is full, for this person."""
    cost: float


class Full(NamedTuple):
    """A use that is too much for a bucket at this moment."""

    limit: Limit
    wait_s: float
    """When it would be possible, in seconds from now."""


Buckets = dict[str, float]
"""When each bucket will be full again, in seconds since the epoch, by name; those that are full are left out."""


def charges(action: Action, owner: Owner, *, manager: bool, factor: float, size: int = 0) -> list[Charge]:
    """What one use of an action takes.

    Args:
        action: what is done.
        owner: whose buckets are meant.
        manager: whether the person has a manager's limits.
        factor: multiplies all amounts.
        size: bytes that come with it.
    """
    found = []
    for limit in LIMITS:
        cost = 1 if limit.unit == "uses" else size
        if limit.action == action and limit.owner == owner and cost:
            amount = (limit.managers if manager and limit.managers else limit.amount) * factor
            found.append(Charge(limit, amount, cost))
    return found


def take(buckets: Mapping[str, float], wanted: Iterable[Charge], now: float) -> tuple[Buckets, Full | None]:
    """The buckets after a use, and which of them it is too much for, if any: then nothing is taken.

    What would never fit takes a whole bucket: it is possible, and then nothing else is for a while. A moment that no
    use can have led to comes from a clock that was wrong; the bucket counts as just emptied then.
    """
    after = {name: moment for name, moment in buckets.items() if moment > now}
    worst: Full | None = None
    for charge in wanted:
        limit = charge.limit
        full_at = max(now, after.get(limit.name, now))
        if full_at > now + 2 * limit.seconds:
            full_at = now + limit.seconds
        full_at += limit.seconds * min(1.0, charge.cost / charge.amount)
        wait_s = full_at - now - limit.seconds
        if wait_s > ROUNDING_S and (worst is None or wait_s > worst.wait_s):
            worst = Full(limit, wait_s)
        after[limit.name] = full_at
    return (dict(buckets), worst) if worst is not None else (after, None)
