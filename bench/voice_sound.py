"""Sound for voice channels, and what is audible of it. Pure but for libopus."""

from __future__ import annotations

import math
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import opuslib_next  # type: ignore[import-untyped]

from tests.voice.turns.voices import voice

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.voice.discord.human import Heard

SLOT: Final = 960
"""Samples of a packet, at 48 kHz."""
AUDIBLE: Final = 100
"""Root mean square of 16-bit samples from which on a packet is more than silence: -50 dBFS."""


class Moment(NamedTuple):
    """A packet that came."""

    at: float
    audible: bool


@cache
def speech(seconds: float) -> tuple[bytes, ...]:
    """A voice without pauses, as Discord's clients encode it: it ends in the middle of a vowel."""
    encoder = opuslib_next.Encoder(48_000, 2, "voip")
    encoder.bitrate = 64_000
    mono = np.repeat(voice(seconds), 3)  # 16 kHz to 48: what mirrors above 8 kHz is gone again at the receiver
    stereo = np.repeat(mono[: len(mono) // SLOT * SLOT], 2).astype("<i2").reshape(-1, 2 * SLOT)
    return tuple(encoder.encode(packet.tobytes(), SLOT) for packet in stereo)


def moments(heard: Iterable[Heard]) -> list[Moment]:
    """When each packet came that somebody heard, and whether there is sound in it."""
    decoder = opuslib_next.Decoder(48_000, 2)
    found = []
    for one in heard:
        samples = np.frombuffer(decoder.decode(one.packet, SLOT), "<i2").astype(float)
        found.append(Moment(one.at, bool(np.sqrt(np.mean(np.square(samples))) >= AUDIBLE)))
    return found


def first_audible(heard: Sequence[Moment], after: float) -> float | None:
    """When sound came first after a moment; None if none did."""
    return next((one.at for one in heard if one.audible and one.at > after), None)


def fell_silent(heard: Sequence[Moment], after: float, *, quiet_s: float) -> float | None:
    """When the last packet with sound came before there was none for so long; None if that never was.

    Args:
        heard: in order of time.
        after: from when on it is looked for.
        quiet_s: how long a silence counts; the end of all counts as well.
    """
    times = [one.at for one in heard if one.audible and one.at > after]
    for at, following in pairwise([*times, math.inf]):
        if following - at >= quiet_s:
            return at
    return None
