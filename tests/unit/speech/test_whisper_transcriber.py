"""The adapter on `faster-whisper`, on a stand-in for the package: what is asked of it, and where the weights are.

`make test-models` runs the port's contract on the package itself.
"""

from __future__ import annotations

import os
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pytest

from tests.unit.speech.sounds import voice
from trainer.adapters import whisper_transcriber
from trainer.adapters.whisper_transcriber import WhisperTranscriber
from trainer.ports import Cancellation, Cancelled, ModelUnavailable, Sound, Transcript, TranscriptPart

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

SOUND = Sound(voice(4).tobytes(), 16_000)


class Segment(NamedTuple):
    start: float
    end: float
    text: str
    avg_logprob: float = -0.2
    no_speech_prob: float = 0.05


class Package(ModuleType):
    """What the adapter uses of `faster_whisper`."""

    def __init__(self) -> None:
        super().__init__("faster_whisper")
        self.loaded: list[tuple[str, dict[str, Any]]] = []
        self.asked: list[dict[str, Any]] = []
        self.detected = 0
        self.encoded = 0
        self.hub: list[dict[str, Any]] = []
        self.at_hub: dict[str, Path] = {}
        self.in_cache: dict[str, Path] = {}
        self.languages = ["en", "ru", "de"]
        self.shares = [("de", 0.5), ("ru", 0.3), ("en", 0.2)]
        self.segments: Iterable[Segment] = [Segment(0.0, 2.0, " Hello  there."), Segment(2.0, 99.0, " Bye.")]
        self.failure: Exception | None = None
        package = self

        class WhisperModel:
            def __init__(self, path: str, **options: Any) -> None:
                if not os.path.isfile(os.path.join(path, "model.bin")):  # noqa: PTH113, PTH118 - as the package does
                    raise RuntimeError("Unable to open file 'model.bin'")
                package.loaded.append((path, options))

            @property
            def supported_languages(self) -> list[str]:
                return package.languages

            def feature_extractor(self, samples: Any) -> Any:
                return samples.reshape(1, -1)

            def encode(self, window: Any) -> str:
                package.encoded += 1
                return str(window.shape)

            def detect_language(self, *, features: Any) -> tuple[str, float, list[tuple[str, float]]]:
                package.detected += 1
                self.encode(padded(features))
                return (*package.shares[0], package.shares)

            def transcribe(self, samples: Any, **options: Any) -> tuple[Iterator[Segment], None]:
                package.asked.append({"samples": samples, **options})
                assert self.encode(padded(self.feature_extractor(samples)[:, :-1])) == str((1, WINDOW))
                if package.failure is not None:
                    raise package.failure
                return iter(package.segments), None

        self.WhisperModel = WhisperModel

    def download_model(self, size_or_id: str, **options: Any) -> str:
        self.hub.append({"size_or_id": size_or_id, **options})
        if "/" not in size_or_id and size_or_id not in {"tiny", "base", "small"}:
            raise ValueError("Invalid model size")
        places = self.in_cache if options.get("local_files_only") else self.in_cache | self.at_hub
        if size_or_id not in places:
            raise OSError("not there")
        return str(places[size_or_id])


WINDOW = 480_000


def padded(features: Any) -> Any:
    """A window's worth."""
    return np.pad(features, [(0, 0), (0, WINDOW - features.shape[1])])


@pytest.fixture
def package(monkeypatch: pytest.MonkeyPatch) -> Iterator[Package]:
    made = Package()
    monkeypatch.setitem(sys.modules, "faster_whisper", made)
    monkeypatch.setattr(whisper_transcriber, "packaged", lambda: False)
    whisper_transcriber._loaded.cache_clear()
    yield made
    whisper_transcriber._loaded.cache_clear()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "whisper-mine"
    folder.mkdir()
    (folder / "model.bin").write_bytes(b"weights")
    return folder


@pytest.fixture
def local(package: Package, model: Path, tmp_path: Path) -> WhisperTranscriber:
    return WhisperTranscriber(str(model), cache=tmp_path / "cache")


class TestRecognising:
    """What is asked of the package, and what is made of its answer."""

    def test_plain(self, local: WhisperTranscriber, package: Package) -> None:
        told: list[str] = []
        found = local.transcribe(SOUND, language="ru", on_text=told.append)
        assert found.text == "Hello there. Bye."
        assert found.parts == (TranscriptPart(0, 2, "Hello there."), TranscriptPart(2, 4, "Bye."))
        assert (found.language, found.billed_s) == ("ru", 0)
        assert 0 < found.doubt < 0.2
        assert told == ["Hello there. Bye."]
        assert (local.name, local.local, local.most_s) == ("whisper-mine", True, 30)
        (asked,) = package.asked
        assert asked["samples"].dtype == np.float32
        assert float(np.abs(asked["samples"]).max()) <= 1
        assert asked["condition_on_previous_text"] is False
        assert asked["max_new_tokens"] == 24 + 4 * 12

    def test_what_needs_no_model(self, local: WhisperTranscriber, package: Package) -> None:
        assert local.transcribe(Sound(b"", 16_000)) == Transcript("", "", ())
        for strange in (Sound(bytes(3), 16_000), Sound(bytes(4), 48_000), Sound(bytes(2_000_000), 16_000)):
            with pytest.raises(ModelUnavailable, match="refused"):
                local.transcribe(strange)
        assert not package.loaded

    def test_the_model_is_loaded_once(self, local: WhisperTranscriber, package: Package, model: Path) -> None:
        for _ in range(2):
            local.transcribe(SOUND, language="en")
        ((path, options),) = package.loaded
        assert path == str(model)
        assert options["compute_type"] == "int8"
        assert 1 <= options["cpu_threads"] <= 4

    def test_threads_as_configured(self, package: Package, model: Path, tmp_path: Path) -> None:
        WhisperTranscriber(str(model), cache=tmp_path, threads=7).transcribe(SOUND)
        assert package.loaded[0][1]["cpu_threads"] == 7

    def test_long_sounds_have_as_many_tokens_as_the_model_gives(
        self, local: WhisperTranscriber, package: Package
    ) -> None:
        local.transcribe(Sound(voice(29).tobytes(), 16_000), language="en")
        assert package.asked[0]["max_new_tokens"] is None

    def test_words_that_nobody_said(self, local: WhisperTranscriber, package: Package) -> None:
        package.segments = [Segment(0, 4, " Субтитры сделал DimaTorzok", -0.7, 0.7)]
        assert local.transcribe(SOUND, language="ru") == Transcript("", "ru", ())
        package.segments = [Segment(0, 4, " Some words", -1.5, 0.9)]
        assert local.transcribe(SOUND, language="en").doubt > 0.5
        package.segments = []
        assert local.transcribe(SOUND, language="en").text == ""

    @pytest.mark.parametrize("failure", [RuntimeError("quotes what was said"), ValueError("too")])
    def test_a_failure_of_the_package(self, local: WhisperTranscriber, package: Package, failure: Exception) -> None:
        package.failure = failure
        with pytest.raises(ModelUnavailable) as caught:
            local.transcribe(SOUND, language="en")
        assert (caught.value.reason, caught.value.retryable) == ("server", False)
        assert caught.value.__cause__ is None
        assert caught.value.__suppress_context__

    def test_what_nobody_wants_is_not_begun(self, local: WhisperTranscriber, package: Package) -> None:
        cancellation = Cancellation()
        cancellation.cancel()
        with cancellation.scope(), pytest.raises(Cancelled):
            local.transcribe(SOUND, language="en")
        assert package.encoded == 0

    def test_what_nobody_wants_any_more_is_not_finished(self, local: WhisperTranscriber, package: Package) -> None:
        cancellation, taken = Cancellation(), []

        def recognised() -> Iterator[Segment]:
            for number in range(9):
                taken.append(number)
                yield Segment(number, number + 1, "Words.")
                cancellation.cancel()

        package.segments = recognised()
        with cancellation.scope(), pytest.raises(Cancelled):
            local.transcribe(SOUND, language="en")
        assert taken == [0, 1]
        package.segments = [Segment(0, 1, "And on.")]
        assert local.transcribe(SOUND, language="en").text == "And on."


class TestLanguage:
    """Which language is recognised."""

    @pytest.mark.parametrize(
        ("asked", "expected", "detections"),
        [
            ({"language": "ru"}, "ru", 0),
            ({}, "de", 1),
            ({"languages": ("en", "ru")}, "ru", 1),
            ({"languages": ("en",)}, "en", 0),
            ({"languages": ("xx", "en")}, "en", 0),
            ({"languages": ("xx",)}, "de", 1),
            ({"language": "xx"}, "de", 1),
        ],
    )
    def test_of_those_that_it_may_be(
        self, local: WhisperTranscriber, package: Package, asked: dict[str, Any], expected: str, detections: int
    ) -> None:
        assert local.transcribe(SOUND, **asked).language == expected
        assert package.asked[0]["language"] == expected
        assert package.detected == detections

    def test_finding_it_out_costs_no_second_look_at_the_sound(
        self, local: WhisperTranscriber, package: Package
    ) -> None:
        local.transcribe(SOUND)
        assert (package.detected, package.encoded) == (1, 1)
        local.transcribe(SOUND)
        assert package.encoded == 2, "nothing of a sound is remembered beyond its own recognition"

    def test_what_was_seen_of_one_sound_is_not_taken_for_another(
        self, local: WhisperTranscriber, package: Package
    ) -> None:
        local.transcribe(SOUND)
        local.transcribe(Sound(voice(3).tobytes(), 16_000), language="en")
        assert package.encoded == 2

    def test_a_model_of_one_language(self, local: WhisperTranscriber, package: Package) -> None:
        package.languages = ["en"]
        assert local.transcribe(SOUND, language="ru").language == "en"
        assert package.detected == 0


class TestKeywords:
    """Words that may be said."""

    def test_small_models_do_not_get_them(self, local: WhisperTranscriber, package: Package) -> None:
        local.transcribe(SOUND, language="en", keywords=["PostgreSQL"])
        assert package.asked[0]["hotwords"] is None

    def test_large_ones_get_a_few(
        self, local: WhisperTranscriber, package: Package, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(whisper_transcriber, "KEYWORDS_FROM", 5)
        local.transcribe(SOUND, language="en", keywords=[f"word{number}" for number in range(100)])
        assert package.asked[0]["hotwords"] == ", ".join(f"word{number}" for number in range(20))


class TestWeights:
    """Where they are."""

    def test_a_package_that_is_not_installed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        whisper_transcriber._loaded.cache_clear()
        monkeypatch.setitem(sys.modules, "faster_whisper", None)
        assert reason_of(WhisperTranscriber(cache=tmp_path)) == ("missing", False)

    @pytest.mark.parametrize("named", ["/nowhere/at/all", "./nowhere", "~/nowhere/at/all"])
    def test_a_folder_that_is_not_there(self, package: Package, tmp_path: Path, named: str) -> None:
        assert reason_of(WhisperTranscriber(named, cache=tmp_path)) == ("missing", False)
        assert not package.hub

    def test_a_folder_without_a_model(self, package: Package, tmp_path: Path) -> None:
        assert reason_of(WhisperTranscriber(str(tmp_path), cache=tmp_path)) == ("missing", False)

    def test_a_name_is_downloaded_once(self, package: Package, tmp_path: Path, model: Path) -> None:
        package.at_hub["small"] = model
        assert WhisperTranscriber("small", cache=tmp_path).transcribe(SOUND).text
        assert [asked.get("local_files_only") for asked in package.hub] == [True, None]
        assert {asked["cache_dir"] for asked in package.hub} == {str(tmp_path / "hub")}

    def test_what_was_downloaded_asks_nobody(self, package: Package, tmp_path: Path, model: Path) -> None:
        package.in_cache["owner/name"] = model
        transcriber = WhisperTranscriber("owner/name", cache=tmp_path)
        assert transcriber.transcribe(SOUND).text
        assert transcriber.name == "whisper-name"
        assert len(package.hub) == 1

    def test_without_packages_and_name_it_is_the_base_model(
        self, package: Package, tmp_path: Path, model: Path
    ) -> None:
        package.at_hub["base"] = model
        assert WhisperTranscriber(cache=tmp_path).transcribe(SOUND).text

    def test_a_hub_out_of_reach_may_be_back_later(self, package: Package, tmp_path: Path, model: Path) -> None:
        transcriber = WhisperTranscriber("small", cache=tmp_path)
        assert reason_of(transcriber) == ("connection", True)
        package.at_hub["small"] = model
        assert transcriber.transcribe(SOUND).text

    def test_a_name_that_nobody_knows(self, package: Package, tmp_path: Path) -> None:
        assert reason_of(WhisperTranscriber("enormous", cache=tmp_path)) == ("missing", False)

    def test_packages_with_weights(
        self, package: Package, tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(whisper_transcriber, "packaged", lambda: True)
        monkeypatch.setattr(whisper_transcriber, "assembled", lambda _: model)
        assert WhisperTranscriber(cache=tmp_path).transcribe(SOUND).text
        assert not package.hub


def reason_of(transcriber: WhisperTranscriber) -> tuple[str, bool]:
    with pytest.raises(ModelUnavailable) as caught:
        transcriber.transcribe(SOUND)
    return caught.value.reason, caught.value.retryable
