"""What is sent next: utterances in their order, silence around them, pauses, refusals.

Nothing here has a clock, a thread or a lock: the caller has them.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

from voice_sidecar.playback.opus import SILENCE
from voice_sidecar.playback.phrases import PACKETS_A_S, Packet, Phrase
from voice_sidecar.playback.track import Due, Track

if TYPE_CHECKING:
    from voice_sidecar.parts import Heard

TAIL: Final = 5
"""Silent packets after the last sound, without which clients invent how it goes on (Discord's documentation)."""
_SILENT: Final = Packet(SILENCE, -100.0)


class Timing(NamedTuple):
    """Seconds."""

    lead: float = 0.2
    """Silence before sound that comes after nothing was sent: clients do not play the first 100 to 200 ms."""
    linger: float = 2.0
    """How long silence is sent while a phrase is waited for, or in a pause: what follows then needs no lead."""
    patience: float = 1.0
    """How long sound waits for a connection that takes no packets, before its utterance is given up."""
    back: float = 0.3
    """How far before the pause it goes on after it."""


class Programme:
    """The utterances that are to be played, and the silence around them."""

    def __init__(self, timing: Timing) -> None:
        self._lead, self._linger, self._back = (
            math.ceil(seconds * PACKETS_A_S - 1e-6) for seconds in (timing.lead, timing.linger, timing.back)
        )
        self._patience = timing.patience
        self._tracks: list[Track] = []
        self._paused = False
        self._on = False
        """Packets are being sent."""
        self._warm = 0
        """Packets that were taken since sending began, or since it was interrupted for long."""
        self._silences = 0
        """Packets of silence since the last sound, or since something is waited for."""
        self._refused = 0
        """Packets in a row."""
        self._refused_since: float | None = None
        """When sound was refused first, of those refused in a row."""

    @property
    def playing(self) -> bool:
        """Something is being said, or is paused, or waits for its next phrase."""
        return bool(self._tracks)

    def begin(self, track: Track) -> None:
        """A new utterance, after those that wait."""
        if not self._tracks:
            self._silences = 0
        self._tracks.append(track)

    def add(self, track: Track, phrase: Phrase) -> None:
        """The next phrase of an utterance."""
        if not track.ended and not track.finished:
            track.phrases.append(phrase)

    def finish(self, track: Track) -> None:
        """No phrase of an utterance follows."""
        track.finished = True
        self._clear()

    def grow(self, phrase: Phrase, packets: list[Packet] | None, *, broken: bool = False) -> None:
        """Packets of a phrase have been made; None: they all have."""
        phrase.grow(packets, broken=broken)
        self._clear()

    def unmade(self) -> Phrase | None:
        """The phrase whose packets are needed first."""
        phrases = (phrase for track in self._tracks for phrase in track.phrases)
        return next((phrase for phrase in phrases if phrase.source is not None), None)

    def pause(self) -> None:
        """No sound until `resume`, if there is an utterance."""
        self._paused = self.playing
        self._refused_since = None

    def resume(self) -> None:
        """Goes on a little before the pause."""
        if self._paused:
            self._paused = False
            self._tracks[0].turn_back(self._back)

    def stop(self) -> Heard | None:
        """Drops all utterances; what was heard of the current one."""
        tracks, self._tracks = self._tracks, []
        self._paused = False
        self._refused_since = None
        heard = [track.end() for track in tracks]
        return heard[0] if heard else None

    def due(self) -> Due | None:
        """What is to be sent next; None: nothing, until something changes."""
        sound = self._sound()
        if sound is not None:
            return sound if self._warm >= self._lead else Due(_SILENT)
        if self._tracks:
            return Due(_SILENT) if self._silences < self._linger else None
        return Due(_SILENT) if self._on and self._silences < TAIL else None

    def sent(self, due: Due, now: float, *, taken: bool) -> None:
        """What was due was given to the connection, which took it or refused it."""
        self._on = True
        waiting = self._sound() is not None
        if due.track is None:
            self._silences += 1
        if taken:
            self._warm += 1
            self._refused = 0
            self._refused_since = None
            if due.track is not None:
                self._silences = 0
                due.track.sent(due, now)
                self._clear()
            return
        self._refused += 1
        if self._refused >= self._lead:
            self._warm = 0
        if waiting:
            self._refused_since = now if self._refused_since is None else self._refused_since
            if now - self._refused_since >= self._patience:
                self._drop_first()
                self._clear()

    def rest(self) -> None:
        """Nothing was due, so nothing is being sent any more."""
        self._on = False
        self._warm = 0

    def _sound(self) -> Due | None:
        return None if self._paused or not self._tracks else self._tracks[0].due()

    def _clear(self) -> None:
        """Lets go of utterances that were played to their end."""
        while self._tracks and self._tracks[0].advance():
            self._drop_first()

    def _drop_first(self) -> None:
        self._tracks.pop(0).end()
        self._paused = self._paused and self.playing
        self._refused_since = None
