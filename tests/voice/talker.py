"""A person who speaks: sound like speech, real Opus, RTP and its encryption as Discord's voice server sends them."""

from __future__ import annotations

import struct
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import opuslib_next  # type: ignore[import-untyped]

from voice_sidecar.receiving.opus import SILENCE, SpeechDecoder
from voice_sidecar.receiving.transport import Mode, Sealer

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = bytes(range(32))
START = 1_000.0  # on a clock that began at another time than all counters


def speech(slots: int, *, seed: int = 7) -> np.ndarray[Any, np.dtype[np.int16]]:
    """48 kHz stereo like speech: a wandering voice with syllables, and breath.

    Returns:
        Shape (960 * slots, 2).
    """
    rng = np.random.default_rng(seed)
    time = np.arange(960 * slots) / 48_000
    pitch = 120 + 25 * np.sin(2 * np.pi * 0.7 * time + seed)
    phase = 2 * np.pi * np.cumsum(pitch) / 48_000
    voice = sum(np.sin(k * phase) * np.exp(-(((k * 120 - 600) / 900) ** 2)) for k in range(1, 25))
    syllables = 0.25 + 0.75 * np.sin(2 * np.pi * 3.1 * time) ** 2
    sound = syllables * voice * 1500 + rng.normal(0, 60, len(time))
    return np.repeat(sound.astype(np.int16)[:, None], 2, axis=1)


@cache
def spoken(slots: int, *, seed: int = 7, fec: bool = False) -> tuple[bytes, ...]:
    """Opus packets of 20 ms, as clients encode them."""
    encoder = opuslib_next.Encoder(48_000, 2, "voip")
    encoder.bitrate = 64_000
    if fec:
        encoder.bitrate = 24_000
        encoder.inband_fec = 1
        encoder.packet_loss_perc = 30
    sound = speech(slots, seed=seed)
    return tuple(encoder.encode(sound[at : at + 960].tobytes(), 960) for at in range(0, len(sound), 960))


def same(one: object, other: object) -> bool:
    """Whether they are equal. Told so, a failure does not spend minutes on showing where two sounds differ."""
    return one == other


def decoded(frames: tuple[bytes, ...] | list[bytes]) -> bytes:
    """What a listener who misses nothing hears."""
    decoder = SpeechDecoder()
    return b"".join(decoder.decode(frame) for frame in frames)


class Talker:
    """Makes datagrams of Opus packets.

    Args:
        sealer: The voice server's side of the transport, shared by all who speak to one listener.
        seal: End-to-end encryption; none for version 0.
    """

    def __init__(
        self,
        ssrc: int,
        sealer: Sealer,
        *,
        seal: Callable[[bytes], bytes] | None = None,
        sequence: int = 100,
        timestamp: int = 5_000,
    ) -> None:
        self.ssrc = ssrc
        self.sealer = sealer
        self.seal = seal or (lambda frame: frame)
        self.sequence = sequence
        self.timestamp = timestamp

    def say(self, frame: bytes, *, extended: bool = False, padding: int = 0, ticks: int = 960) -> bytes:
        """The datagram of one packet."""
        sealed = frame if frame == SILENCE else self.seal(frame)
        return self.packet(sealed, extended=extended, padding=padding, ticks=ticks)

    def packet(
        self, media: bytes, *, extended: bool = False, padding: int = 0, ticks: int = 960, payload_type: int = 0x78
    ) -> bytes:
        first = 0x80 | (0x10 if extended else 0) | (0x20 if padding else 0)
        header = struct.pack(
            ">BBHII", first, payload_type, self.sequence & 0xFFFF, self.timestamp & 0xFFFFFFFF, self.ssrc
        )
        if extended:
            header += b"\xbe\xde\x00\x02"
            media = b"\x10\xff\x20\x01\x02\x00\x00\x00" + media
        if padding:
            media += bytes(padding - 1) + bytes([padding])
        self.sequence += 1
        self.timestamp += ticks
        return self.sealer.seal(header, media)

    def skip(self, slots: int = 1, *, timestamps: bool = True, sequence: bool = True) -> None:
        """Time passes in which nothing of this person arrives."""
        self.sequence += slots if sequence else 0
        self.timestamp += 960 * slots if timestamps else 0


def session(mode: Mode = Mode.XCHACHA20, *, version: int = 0, key: bytes = KEY) -> dict[str, object]:
    """The `d` of op 4."""
    return {"mode": mode.value, "secret_key": list(key), "dave_protocol_version": version, "audio_codec": "opus"}
