"""Feeds an ear, and checks that what it tells keeps to its own rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from voice_sidecar.receiving.speaker import Chunk, Sound
from voice_sidecar.turns.ear import Ear
from voice_sidecar.turns.events import (
    Dropped,
    Paused,
    SpeechBegan,
    SpeechGoesOn,
    TurnEnded,
    TurnEvent,
    WentOn,
)
from voice_sidecar.turns.vad import RATE, WINDOW

if TYPE_CHECKING:
    from collections.abc import Sequence

    from voice_sidecar.turns.settings import Settings
    from voice_sidecar.turns.vad import Vad

USER: Final = 42
SLOT: Final = 320  # samples of 20 ms
T0: Final = 500.0  # our clock when the sound at position 0 ends to be said, and arrives at once


class ScriptedVad:
    """Believes the loudest sample: 1000 is certainly voice, 0 certainly none."""

    def __init__(self) -> None:
        self.asked = 0
        self.resets = 0

    def probability(self, window: bytes) -> float:
        assert len(window) == 2 * WINDOW
        self.asked += 1
        return min(1.0, max(memoryview(window).cast("h")) / 1000)

    def reset(self) -> None:
        self.resets += 1


class Piece(NamedTuple):
    """Part of what somebody does. `level`: of the sound, see `ScriptedVad`; None: nothing is sent."""

    level: int | None
    seconds: float


def says(seconds: float) -> Piece:
    return Piece(1000, seconds)


def hums(seconds: float, level: int = 100) -> Piece:
    """Sound without voice."""
    return Piece(level, seconds)


def nothing(seconds: float) -> Piece:
    """No packets."""
    return Piece(None, seconds)


def pcm(level: int, samples: int) -> bytes:
    return level.to_bytes(2, "little", signed=True) * samples


class Listening:
    """An ear that hears one stream; everything arrives `delay` after it was said.

    `clock` is the speaker's: seconds since position 0.
    """

    def __init__(self, ear: Ear | None = None, *, settings: Settings | None = None, vad: Vad | None = None) -> None:
        self.vad = vad or ScriptedVad()
        self.ear = ear or Ear(USER, self.vad, settings)
        self.events: list[TurnEvent] = []
        self.position = 0
        self.now = T0

    def hear(self, *pieces: Piece) -> list[TurnEvent]:
        """In real time, ticks included."""
        before = len(self.events)
        for piece in pieces:
            slots = round(piece.seconds * RATE / SLOT)
            for _ in range(slots):
                if piece.level is None:
                    self.wait(SLOT / RATE)
                    self.position += SLOT
                else:
                    self.slot(pcm(piece.level, SLOT))
        return self.events[before:]

    def slot(self, sound: bytes, *, delay: float = 0.0) -> list[TurnEvent]:
        """20 ms that arrive when they are over, or later."""
        at = self.position
        self.position += len(sound) // 2
        self.wait(T0 + self.position / RATE + delay - self.now)
        told = self.ear.feed(Chunk(USER, 1, at, sound, Sound.HEARD), self.now)
        self.events += told
        return told

    def wait(self, seconds: float) -> list[TurnEvent]:
        """Time passes; ticks come when they are asked for."""
        until = self.now + max(0.0, seconds)
        told = []
        while (deadline := self.ear.next_deadline()) is not None and deadline <= until:
            self.now = max(self.now, deadline)
            new = self.ear.tick(self.now)
            assert new or self.ear.next_deadline() != deadline, "a deadline that was reached must be gone"
            told += new
        self.now = until
        self.events += told
        return told

    def due(self) -> float:
        """When a tick is due, which it is."""
        deadline = self.ear.next_deadline()
        assert deadline is not None
        return deadline

    def ended(self) -> list[TurnEnded]:
        """The turns that are over."""
        return [event for event in self.events if isinstance(event, TurnEnded)]

    def pauses(self) -> list[Paused]:
        """The pauses that were told."""
        return [event for event in self.events if isinstance(event, Paused)]


def kinds(events: Sequence[TurnEvent]) -> list[str]:
    """Names of the events, with those of speech that goes on as one."""
    names: list[str] = []
    for event in events:
        name = type(event).__name__
        if name != "SpeechGoesOn" or names[-1:] != [name]:
            names.append(name)
    return names


FOLLOWS: Final[dict[type, tuple[type, ...]]] = {
    SpeechBegan: (SpeechGoesOn,),
    SpeechGoesOn: (SpeechGoesOn, Paused, Dropped),
    Paused: (WentOn, TurnEnded),
    WentOn: (SpeechGoesOn,),
    TurnEnded: (SpeechBegan,),
    Dropped: (SpeechBegan,),
}


def check_order(events: Sequence[TurnEvent]) -> None:
    """Fails unless the events are in the order that `events` promises, turn after turn."""
    last: TurnEvent | None = None
    for event in events:
        allowed = FOLLOWS[type(last)] if last is not None else (SpeechBegan,)
        assert isinstance(event, allowed), f"{type(event).__name__} after {type(last).__name__}"
        if last is not None:
            new = isinstance(event, SpeechBegan)
            assert (event.turn > last.turn) if new else (event.turn == last.turn), "turns overlap"
        if isinstance(last, Paused) and isinstance(event, TurnEnded):
            assert event.sound is last.sound, "what was recognised would not hold"
            assert event.voiced_s == last.voiced_s
            assert event.last_voiced_at == last.last_voiced_at
        if isinstance(last, SpeechGoesOn) and isinstance(event, SpeechGoesOn):
            assert last.voiced_s < event.voiced_s
        last = event
