"""May we join? Pure. What Discord does not permit, the connection finds out.

Whoever agreed to be heard and is still in our channel keeps us there: nobody takes us away from them by `/join`.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from voice_sidecar.calls.places import Spot


class Why(enum.Enum):
    """Why we do not join."""

    NOWHERE = "nowhere"
    """The person is in no voice channel."""
    UNKNOWN = "unknown"
    """They are in one that we do not see, or that is gone."""
    AWAY = "away"
    """It is the channel for people who are away, where nobody can speak."""
    BUSY = "busy"
    """People in another channel talk with us."""


class Go(NamedTuple):
    """Join, from wherever we are."""

    channel_id: int


class Stay(NamedTuple):
    """We are there already."""

    channel_id: int


class Refuse(NamedTuple):
    """Do not join."""

    why: Why
    channel_id: int = 0
    """The channel that it is about: for `BUSY` ours, else theirs."""


def decide_join(asker_in: int | None, spot: Spot | None, here: int | None, *, kept: bool) -> Go | Stay | Refuse:
    """What becomes of a `/join`.

    Args:
        asker_in: the voice channel that the person is in.
        spot: what is known of that channel.
        here: where we are.
        kept: whether somebody who agreed to be heard is with us there.
    """
    if asker_in is None:
        return Refuse(Why.NOWHERE)
    if here == asker_in:
        return Stay(here)
    if here is not None and kept:
        return Refuse(Why.BUSY, here)
    if (refused := refusal(asker_in, spot)) is not None:
        return refused
    return Go(asker_in)


def refusal(channel_id: int, spot: Spot | None) -> Refuse | None:
    """Why a channel cannot be joined by anybody's wish; None if it can."""
    if spot is None:
        return Refuse(Why.UNKNOWN, channel_id)
    if spot.away:
        return Refuse(Why.AWAY, channel_id)
    return None
