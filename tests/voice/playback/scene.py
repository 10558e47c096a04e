"""A programme that is played packet by packet, and what it sends as a line of text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.voice.playback.material import phrase
from voice_sidecar.playback.opus import SILENCE
from voice_sidecar.playback.programme import Programme, Timing
from voice_sidecar.playback.track import Track

if TYPE_CHECKING:
    from voice_sidecar.parts import Heard
    from voice_sidecar.playback.phrases import Phrase

LOUD, LOW = -20.0, -70.0
SHORT = Timing(lead=0.06, linger=0.14, patience=0.1, back=0.04)  # 3, 7, 5 and 2 packets


class Scene:
    """A programme, and a connection that is given what is due, a packet every 20 ms."""

    def __init__(self, timing: Timing = SHORT) -> None:
        self.programme = Programme(timing)
        self.tick = 0
        self.first: list[float] = []
        self.ends: list[Heard] = []

    def begin(self, *phrases: Phrase, finish: bool = True) -> Track:
        track = Track(self.first.append, self.ends.append)
        self.programme.begin(track)
        for each in phrases:
            self.programme.add(track, each)
        if finish:
            self.programme.finish(track)
        return track

    def run(self, ticks: int, *, taken: bool = True) -> str:
        """What was sent: `-` silence, a digit a packet of sound with its number's last digit, a space nothing."""
        sent = ""
        for _ in range(ticks):
            due = self.programme.due()
            if due is None:
                self.programme.rest()
                sent += " "
            else:
                self.programme.sent(due, self.tick * 0.02, taken=taken)
                sent += "-" if due.packet.data == SILENCE else str(due.packet.data[1] % 10)
            self.tick += 1
        return sent


def said(count: int, text: str = "One two three four five", name: int = 1) -> Phrase:
    return phrase(text, [LOUD] * count, name)
