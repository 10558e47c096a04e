"""Real people: the first pages of "A Tale of Two Cities", read aloud in English, and of "Aelita", in Russian.

The Russian is in Debian's package `festvox-ru`; where that is not installed, those tests are skipped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from bench.speech_material import russian, two_cities
from tests.unit.speech.sounds import noise
from tests.voice.turns.listening import T0, check_order
from tests.voice.turns.streaming import heard_by, share, turns
from trainer.ports.speech import Sound
from voice_sidecar.turns.ears import Ears, load_ears
from voice_sidecar.turns.events import Paused, SpeechGoesOn
from voice_sidecar.turns.silero import SileroModel
from voice_sidecar.turns.smart_turn import WEIGHTS, SmartTurn
from voice_sidecar.turns.vad import RATE

if TYPE_CHECKING:
    from trainer.speech.audio_pcm import Samples

pytestmark = pytest.mark.models


@pytest.fixture(scope="module")
def ears() -> Ears:
    return load_ears(semantic=False)


@pytest.fixture(scope="module")
def english() -> Samples:
    found = two_cities()
    if found is None:
        pytest.skip("needs moonshine-voice, which `make test-models` installs")
    return found.samples


@pytest.fixture(scope="module")
def russian_sentences() -> list[Samples]:
    found = russian(8)
    if not found:
        pytest.skip("needs Debian's package festvox-ru")
    return [utterance.samples for utterance in found]


def energy_inside(events: list[object], samples: Samples) -> float:
    """How much of the energy of a sound is in the sounds of its turns."""
    kept = sum(
        float(np.square(np.frombuffer(event.sound.pcm, "<i2").astype(float)).sum())
        for event in events
        if hasattr(event, "reason") and hasattr(event, "sound")
    )
    return kept / float(np.square(samples.astype(float)).sum())


def test_english(ears: Ears, english: Samples) -> None:
    events = heard_by(ears.ear(1), english)
    check_order(events)
    assert 1 <= len(turns(events)) <= 4
    assert energy_inside(list(events), english) > 0.99
    assert share(SileroModel().stream(), english) == pytest.approx(0.75, abs=0.1)


def test_english_over_a_fan(ears: Ears, english: Samples) -> None:
    fan = noise(len(english) / RATE, dbfs=-40, slope=1)[: len(english)]
    mixed = np.clip(english[: len(fan)].astype(int) + fan, -32_768, 32_767).astype(np.int16)
    clean, noisy = heard_by(ears.ear(1), english), heard_by(ears.ear(2), mixed)
    assert energy_inside(list(noisy), mixed) > 0.95
    voiced = [sum(turn.voiced_s for turn in turns(events)) for events in (clean, noisy)]
    assert voiced[1] == pytest.approx(voiced[0], rel=0.15)


def test_each_russian_sentence_is_one_turn(ears: Ears, russian_sentences: list[Samples]) -> None:
    for user, sentence in enumerate(russian_sentences):
        events = heard_by(ears.ear(user), sentence)
        assert len(turns(events)) == 1
        assert energy_inside(list(events), sentence) > 0.98
        assert turns(events)[0].last_voiced_at <= T0 + len(sentence) / RATE


def test_smart_turn_tells_a_pause_from_mid_speech(ears: Ears, english: Samples) -> None:
    """At the reader's pauses, which are at the ends of clauses, it is rather sure; cut off in a word, it is not."""
    if not WEIGHTS.installed():
        pytest.skip("needs the weights in pipecat-ai, see requirements/turns.in")
    detector = SmartTurn()
    events = heard_by(ears.ear(1), english)
    at_pauses = [detector.probability(event.sound) for event in events if isinstance(event, Paused)]
    speaking = [round((event.at - T0) * RATE) for event in events if isinstance(event, SpeechGoesOn)]
    in_words = []
    for until in speaking[40::60]:
        cut = np.append(english[max(0, until - 6 * RATE) : until], np.zeros(RATE // 5, np.int16))
        in_words.append(detector.probability(Sound(cut.astype("<i2").tobytes(), RATE)))
    assert len(at_pauses) > 8
    assert len(in_words) > 8
    assert all(0 <= probability <= 1 for probability in at_pauses + in_words)
    assert np.median(at_pauses) > 0.5 > np.median(in_words)
