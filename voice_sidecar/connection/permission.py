"""Whether a channel can be joined, as far as the cache of the gateway tells. Pure."""

from __future__ import annotations

from typing import NamedTuple

from voice_sidecar.connection.outcomes import Refusal


class Place(NamedTuple):
    """A channel, and what we may do in it.

    Attributes:
        voice: Whether it is a voice or stage channel.
        stage: Whether it is a stage channel.
        view: …_CHANNEL; without it we do not see it either.
        connect: May join.
        speak: May speak; does not matter in a stage.
        request_to_speak: May raise a hand in a stage.
        moderates_stage: May make itself a speaker.
        enters_full: May join beyond the limit (Move Members).
        limit: How many people fit; 0 is no limit.
        present: How many are in it, without ourselves.
        inside: We are in it already.
    """

    voice: bool = True
    stage: bool = False
    view: bool = True
    connect: bool = True
    speak: bool = True
    request_to_speak: bool = True
    moderates_stage: bool = False
    enters_full: bool = False
    limit: int = 0
    present: int = 0
    inside: bool = False


def refusal(place: Place | None) -> tuple[Refusal, tuple[str, ...]] | None:
    """Why a channel cannot be joined, with the permissions that are missing; None if nothing speaks against it."""
    if place is None:
        return Refusal.UNKNOWN_CHANNEL, ()
    if not place.voice:
        return Refusal.NOT_VOICE, ()
    may_speak = (place.request_to_speak or place.moderates_stage) if place.stage else place.speak
    needed = {
        "view_channel": place.view,
        "connect": place.connect,
        "request_to_speak" if place.stage else "speak": may_speak,
    }
    missing = tuple(name for name, given in needed.items() if not given)
    if missing:
        return Refusal.NO_PERMISSION, missing
    if place.limit and place.present >= place.limit and not (place.enters_full or place.inside):
        return Refusal.FULL, ()
    return None
