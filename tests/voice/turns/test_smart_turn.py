"""What Smart Turn is given. The model itself is tried in `test_real_turns`."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.unit.speech.sounds import noise, tone
from trainer.ports.speech import Sound
from voice_sidecar.turns import smart_turn
from voice_sidecar.turns.log_mel import HOP, MELS, log_mel
from voice_sidecar.turns.smart_turn import SmartTurn, prepared
from voice_sidecar.turns.vad import RATE
from voice_sidecar.turns.weights import Weights

if TYPE_CHECKING:
    from types import ModuleType

    from voice_sidecar.turns.log_mel import Floats

SECONDS = 8


def normal(wave: np.ndarray) -> Floats:
    return (wave / 32_768).astype(np.float32)


def test_the_shape_and_range() -> None:
    features = log_mel(normal(noise(SECONDS)))
    assert features.shape == (MELS, SECONDS * RATE // HOP)
    assert features.dtype == np.float32
    assert float(features.max() - features.min()) <= 2.0 + 1e-6  # 80 dB, a quarter of powers of ten


def test_a_tone_is_in_the_bands_of_its_pitch() -> None:
    loudest = [int(log_mel(normal(tone(1, hertz=hertz))).mean(axis=1).argmax()) for hertz in (200, 440, 1000, 3000)]
    assert loudest == sorted(loudest)
    assert len(set(loudest)) == 4
    # By Slaney's scale, 80 bands from 0 to 8 kHz are 0.56 Mel wide; 1 kHz is 15 Mel, below which it is linear.
    mels = [200 / (200 / 3), 440 / (200 / 3), 15, 15 + 27 * np.log(3) / np.log(6.4)]
    top = 15 + 27 * np.log(8) / np.log(6.4)
    assert loudest == pytest.approx([mel / (top / 81) - 1 for mel in mels], abs=1)


def test_silence_is_flat() -> None:
    features = log_mel(np.zeros(RATE, np.float32))
    assert np.all(features == features[0, 0])


def _installed(package: str, file: str) -> ModuleType:
    """A module of an installed package, without importing the package."""
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        pytest.skip(f"{package} is not installed, with whose features these are compared")
    spec = importlib.util.spec_from_file_location("installed", f"{found.submodule_search_locations[0]}/{file}")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _sounds() -> list[np.ndarray[Any, np.dtype[np.int16]]]:
    return [noise(3, dbfs=-20), noise(SECONDS, dbfs=-45, slope=1), tone(2, hertz=300), noise(12, slope=2)]


def test_features_are_those_of_faster_whisper() -> None:
    theirs = _installed("faster_whisper", "feature_extractor.py").FeatureExtractor()
    for sound in _sounds():
        wave = prepared(sound.tobytes())
        expected = theirs(wave, padding=0)[:, : SECONDS * RATE // HOP]
        np.testing.assert_allclose(log_mel(wave), expected, atol=1e-5)


def test_features_and_levels_are_those_of_pipecat() -> None:
    theirs = _installed("pipecat", "audio/turn/smart_turn/_whisper_features.py").compute_whisper_log_mel_features
    for sound in _sounds():
        last = sound[-SECONDS * RATE :]
        raw = np.zeros(SECONDS * RATE, np.float32)
        raw[len(raw) - len(last) :] = normal(last)
        expected = theirs(raw, do_normalize=True)
        np.testing.assert_allclose(log_mel(prepared(sound.tobytes())), expected, atol=1e-5)


def test_a_short_sound_has_silence_in_front() -> None:
    wave = prepared(noise(1).tobytes())
    assert wave.shape == (SECONDS * RATE,)
    assert np.all(wave[: 7 * RATE] == wave[0])
    assert len(np.unique(wave[7 * RATE :])) > 100


def test_of_a_long_sound_the_end_counts() -> None:
    sound = noise(20)
    assert np.array_equal(prepared(sound.tobytes()), prepared(sound[12 * RATE :].tobytes()))
    assert not np.array_equal(prepared(sound.tobytes()), prepared(sound[: SECONDS * RATE].tobytes()))


@pytest.mark.parametrize("level", [-60, -30, -6])
def test_loudness_does_not_matter(level: float) -> None:
    wave = prepared(noise(SECONDS, dbfs=level).tobytes())
    assert float(wave.mean()) == pytest.approx(0, abs=1e-3)
    assert float(wave.std()) == pytest.approx(1, rel=0.1)


@pytest.mark.parametrize("pcm", [b"", bytes(2), bytes(2 * RATE)])
def test_no_sound_is_a_sound(pcm: bytes) -> None:
    assert np.isfinite(log_mel(prepared(pcm))).all()


class FakeSession:
    """Keeps what it is asked."""

    def __init__(self) -> None:
        self.shape: tuple[int, ...] = ()

    def run(self, outputs: object, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
        self.shape = inputs["input_features"].shape
        return [np.array([[0.75]], np.float32)]


def test_the_model_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    session = FakeSession()
    monkeypatch.setattr(smart_turn, "session", lambda _: session)
    monkeypatch.setattr(Weights, "read", lambda _: b"")
    detector = SmartTurn()
    assert detector.probability(Sound(noise(1).tobytes(), RATE)) == 0.75
    assert session.shape == (1, MELS, 800)
    with pytest.raises(ValueError, match="24000"):
        detector.probability(Sound(b"", 24_000))
