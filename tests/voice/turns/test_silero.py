"""The real voice activity model, by itself and in an ear, with sound that is made up here."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import opuslib_next  # type: ignore[import-untyped]
import pytest

from tests.unit.speech.sounds import joined, noise, silence, tone
from tests.voice.turns.listening import T0, check_order, kinds
from tests.voice.turns.streaming import heard_by, probabilities, share, turns
from tests.voice.turns.voices import keys, voice
from voice_sidecar.receiving.opus import SpeechDecoder
from voice_sidecar.turns.ears import load_ears
from voice_sidecar.turns.silero import SileroModel, SileroVad
from voice_sidecar.turns.vad import RATE, WINDOW

if TYPE_CHECKING:
    from trainer.speech.audio_pcm import Samples


@pytest.fixture(scope="module")
def model() -> SileroModel:
    return SileroModel()


@pytest.fixture
def vad(model: SileroModel) -> SileroVad:
    return model.stream()


def through_opus(samples: Samples) -> Samples:
    """What a listener gets of it in a call."""
    stereo = np.repeat(np.repeat(samples, 3)[:, None], 2, axis=1)
    encoder, decoder = opuslib_next.Encoder(48_000, 2, "voip"), SpeechDecoder()
    packets = [encoder.encode(stereo[at : at + 960].tobytes(), 960) for at in range(0, len(stereo) - 959, 960)]
    return np.frombuffer(b"".join(decoder.decode(packet) for packet in packets), "<i2").astype(np.int16)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("pitch", [100, 180])
def test_voice_is_voice(vad: SileroVad, seed: int, pitch: float) -> None:
    assert share(vad, voice(3, seed=seed, pitch=pitch)) > 0.8


def test_voice_is_voice_in_a_call(vad: SileroVad) -> None:
    assert share(vad, through_opus(voice(3, seed=3))) > 0.8


def test_quiet_voice_is_voice(vad: SileroVad) -> None:
    assert share(vad, voice(3, seed=3, dbfs=-48)) > 0.6


@pytest.mark.parametrize(
    "sound",
    [
        pytest.param(noise(5, dbfs=-30), id="hiss"),
        pytest.param(noise(5, dbfs=-25, slope=1), id="a fan"),
        pytest.param(noise(5, dbfs=-25, slope=2), id="wind"),
        pytest.param(keys(5), id="typing"),
        pytest.param(silence(2), id="silence"),
        pytest.param(tone(3, hertz=440), id="a tone"),
        pytest.param(tone(3, hertz=50), id="hum"),
    ],
)
def test_other_sound_is_not(vad: SileroVad, sound: Samples) -> None:
    assert share(vad, sound) < 0.05


def test_a_stream_remembers_until_it_is_reset(model: SileroModel) -> None:
    speech = voice(1, seed=3)
    vad = model.stream()
    first = probabilities(vad, speech)
    again = probabilities(vad, speech)
    assert first != again
    vad.reset()
    assert probabilities(vad, speech) == first


def test_streams_that_share_a_model_do_not_disturb_each_other(model: SileroModel) -> None:
    speech, other = voice(2, seed=3), noise(2, dbfs=-20)
    alone = probabilities(model.stream(), speech)
    one, two = model.stream(), model.stream()
    mixed = []
    for at in range(0, len(speech) - WINDOW + 1, WINDOW):
        mixed += probabilities(one, speech[at : at + WINDOW])
        probabilities(two, other[at : at + WINDOW])
    assert mixed == alone


class CountingSession:
    """Counts what is asked of the model."""

    def __init__(self) -> None:
        self.runs = 0

    def run(self, outputs: object, inputs: object) -> list[np.ndarray]:
        self.runs += 1
        return [np.full((1, 1), 0.5, np.float32), np.zeros((2, 1, 128), np.float32)]


def test_inaudible_sound_is_not_asked_about() -> None:
    session = CountingSession()
    vad = SileroVad(session)
    assert probabilities(vad, silence(1)) == [0.0] * 31
    assert probabilities(vad, np.full(WINDOW, -15, np.int16)) == [0.0]
    assert session.runs == 0
    assert probabilities(vad, np.full(WINDOW, -16, np.int16)) == [0.5]
    assert probabilities(vad, np.full(WINDOW, -32_768, np.int16)) == [0.5]
    assert session.runs == 2


@pytest.mark.parametrize("samples", [0, 1, WINDOW - 1, WINDOW + 1])
def test_windows_of_another_length_are_refused(vad: SileroVad, samples: int) -> None:
    with pytest.raises(ValueError, match="window"):
        vad.probability(bytes(2 * samples))


def test_an_ear_hears_two_turns_where_two_are() -> None:
    speech = voice(2, seed=3)
    sound = joined(noise(1, dbfs=-60), speech, noise(1.5, dbfs=-60, seed=2), speech, noise(0.5, dbfs=-60, seed=3))
    events = heard_by(load_ears(semantic=False).ear(1), sound)
    check_order(events)
    first, second = turns(events)
    assert first.last_voiced_at == pytest.approx(T0 + 3, abs=0.2)
    assert second.last_voiced_at == pytest.approx(T0 + 6.5, abs=0.2)
    # All that was said is in the sound: correlated with it, it is found whole.
    for turn in (first, second):
        heard = np.frombuffer(turn.sound.pcm, "<i2").astype(float)
        at = int(np.argmax(np.correlate(heard, speech[: RATE // 4].astype(float), "valid")))
        assert np.array_equal(heard[at : at + len(speech)], speech)


def test_an_ear_hears_nothing_in_a_noisy_room() -> None:
    sound = joined(keys(3), noise(3, dbfs=-30), silence(1), keys(3, seed=2))
    assert turns(heard_by(load_ears(semantic=False).ear(1), sound)) == []


def test_an_ear_hears_speech_over_noise() -> None:
    speech = voice(3, seed=3)
    room = noise(6, dbfs=-42, slope=1)
    room[RATE : RATE + len(speech)] += speech
    events = heard_by(load_ears(semantic=False).ear(1), room)
    assert kinds(events).count("TurnEnded") == 1
    assert turns(events)[0].voiced_s > 2


def test_many_ears_at_once_hear_each_their_own() -> None:
    ears = load_ears(semantic=False)
    told = [heard_by(ears.ear(user), voice(1 + user / 4, seed=3)) for user in range(4)]
    numbers = [event.turn for events in told for event in turns(events)]
    assert len(numbers) == len(set(numbers)) == 4
    assert [event.user_id for events in told for event in turns(events)] == [0, 1, 2, 3]
    assert ears.name == "silero-vad-6.2, silence"
    assert ears.endpoint is None
