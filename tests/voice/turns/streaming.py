"""Sound as an ear gets it from somebody whose microphone is open all the time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.voice.turns.listening import SLOT, T0
from voice_sidecar.receiving.speaker import Chunk, Sound
from voice_sidecar.turns.events import TurnEnded
from voice_sidecar.turns.vad import RATE, WINDOW

if TYPE_CHECKING:
    from trainer.speech.audio_pcm import Samples
    from voice_sidecar.turns.ear import Ear
    from voice_sidecar.turns.events import TurnEvent
    from voice_sidecar.turns.vad import Vad


def probabilities(vad: Vad, samples: Samples) -> list[float]:
    """Of each whole window."""
    return [
        vad.probability(samples[at : at + WINDOW].astype("<i2").tobytes())
        for at in range(0, len(samples) - WINDOW + 1, WINDOW)
    ]


def share(vad: Vad, samples: Samples) -> float:
    """How much of a sound is voice."""
    told = probabilities(vad, samples)
    return sum(probability >= 0.5 for probability in told) / len(told)


def heard_by(ear: Ear, samples: Samples) -> list[TurnEvent]:
    """What an ear tells of a sound, and of the silence after it."""
    events = []
    for at in range(0, len(samples), SLOT):
        pcm = samples[at : at + SLOT].astype("<i2").tobytes()
        events += ear.feed(Chunk(ear.user_id, 1, at, pcm, Sound.HEARD), T0 + (at + len(pcm) // 2) / RATE)
    while (deadline := ear.next_deadline()) is not None:
        events += ear.tick(deadline)
    return events


def turns(events: list[TurnEvent]) -> list[TurnEnded]:
    return [event for event in events if isinstance(event, TurnEnded)]
