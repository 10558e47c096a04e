"""What every voice does, and what those that ask a server do when it misbehaves."""

from __future__ import annotations

import array
import base64
import io
import json
import logging
import uuid
import warnings
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import numpy as np
import pytest
import requests

from tests.openai_audio import OpenAiAudioServer
from tests.openai_audio_http import SPEECH
from trainer.adapters.espeak_synthesizer import EspeakSynthesizer
from trainer.adapters.gtts_synthesizer import GttsSynthesizer
from trainer.adapters.hibari_synthesizer import HibariSynthesizer
from trainer.adapters.openai_synthesizer import OpenAiSynthesizer
from trainer.ports import ModelUnavailable, Sound, Synthesizer
from trainer.speech.encoding import write_audio

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = "sk-a-secret-key"
PRIVATE = "the-words-of-a-person"
local_speech = pytest.mark.skipif(
    find_spec("hibari") is None or find_spec("espeakng_loader") is None,
    reason="needs the voices that `make test-models` installs",
)


def samples(sound: Sound) -> array.array[int]:
    return array.array("h", sound.pcm)


class SynthesizerContract(ABC):
    """The suite of the port. A class for an adapter gives it its `voice` and a language that it speaks."""

    language = "en"
    text = "The office opens at nine and closes at five."

    @pytest.fixture
    @abstractmethod
    def voice(self) -> Synthesizer:
        """A voice that works."""

    def test_is_a_voice(self, voice: Synthesizer) -> None:
        assert isinstance(voice, Synthesizer)
        assert voice.name

    def test_what_it_says_is_sound(self, voice: Synthesizer) -> None:
        sound = voice.speak(self.text, language=self.language)
        assert sound.rate in range(8_000, 48_001)
        assert 0.5 < sound.seconds < 20
        assert len(sound.pcm) % 2 == 0
        assert max(map(abs, samples(sound))) > 1_000

    def test_more_text_takes_longer(self, voice: Synthesizer) -> None:
        once = voice.speak(self.text, language=self.language)
        thrice = voice.speak(" ".join([self.text] * 3), language=self.language)
        assert thrice.seconds > 1.8 * once.seconds

    def test_tells_which_languages_it_speaks(self, voice: Synthesizer) -> None:
        assert voice.speaks(self.language)
        assert not voice.speaks("")
        assert not voice.speaks("tlh-none")
        with pytest.raises(ModelUnavailable):
            voice.speak(self.text, language="tlh-none")

    @pytest.mark.parametrize(
        "hostile", ["\x00\x1b[31m\u202e abc", "[a](/b/) <break time='9s'/> &amp;", "\ud800 half"]
    )
    def test_whatever_is_in_a_text_it_goes_on(self, voice: Synthesizer, hostile: str) -> None:
        with suppress(ModelUnavailable):
            assert voice.speak(hostile, language=self.language).seconds < 20
        assert voice.speak(self.text, language=self.language).seconds > 0.5

    def test_several_may_speak_at_once(self, voice: Synthesizer) -> None:
        with ThreadPoolExecutor(4) as threads:
            sounds = list(threads.map(lambda _: voice.speak(self.text, language=self.language), range(8)))
        assert all(sound.seconds > 0.5 for sound in sounds)


def waves(seconds: float) -> np.ndarray[tuple[int], np.dtype[np.int16]]:
    moments = np.arange(round(seconds * 24_000)) / 24_000
    return (np.sin(moments * 2 * np.pi * 220) * 12_000).astype(np.int16)


class Translate:
    """Google Translate as gTTS asks it, below the package `requests`: answers in MP3, as long as the text."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.asked: list[tuple[str, str, Any, dict[str, Any]]] = []
        self.status = 200
        self.body: bytes | None = None
        self.error: Exception | None = None

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        assert request.url is not None
        assert isinstance(request.body, str)
        [asked] = json.loads(parse_qs(request.body)["f.req"][0])
        text, language, speed, _ = json.loads(asked[0][1])
        self.asked.append((request.url, text, (language, speed), options))
        if self.error is not None:
            raise self.error
        response = requests.Response()
        response.status_code = self.status
        response.request = request
        response.url = request.url
        response.raw = io.BytesIO(self.body if self.body is not None else self._answer(text))
        return response

    def _answer(self, text: str) -> bytes:
        path = self._folder / f"{uuid.uuid4().hex}.mp3"
        write_audio([waves(0.06 * len(text))], path, rate=24_000, form="mp3")
        mp3 = base64.b64encode(path.read_bytes()).decode()
        return f')]}}\'\n[["wrb.fr","jQ1olc","[\\"{mp3}\\"]",null]]\n'.encode()


@pytest.fixture
def translate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Translate:
    there = Translate(tmp_path)
    monkeypatch.setattr(
        "requests.adapters.HTTPAdapter.send", lambda _, request, **options: there.send(request, **options)
    )
    return there


class TestGtts(SynthesizerContract):
    @pytest.fixture
    def voice(self, translate: Translate) -> Synthesizer:
        return GttsSynthesizer()

    def test_asks_google_translate_and_checks_its_certificate(self, voice: Synthesizer, translate: Translate) -> None:
        voice.speak("Привет", language="ru")
        [(url, text, (language, speed), options)] = translate.asked
        assert url.startswith("https://translate.google.com/")
        assert (text, language, speed) == ("Привет", "ru", None)
        assert options["verify"] is True
        assert options["timeout"] == 10

    def test_slow_is_the_slow_one(self, voice: Synthesizer, translate: Translate) -> None:
        voice.speak("Hello", language="en", speed=0.5)
        assert translate.asked[0][2] == ("en", True)

    def test_a_long_text_is_asked_for_in_parts(self, voice: Synthesizer, translate: Translate) -> None:
        voice.speak("One sentence. " * 20, language="en")
        assert len(translate.asked) > 1
        assert all(len(text) <= 100 for _, text, _, _ in translate.asked)

    @pytest.mark.parametrize(
        ("status", "reason", "retryable"),
        [(429, "rate_limited", True), (503, "server", True), (403, "refused", False)],
    )
    def test_a_refusal_is_told(
        self, voice: Synthesizer, translate: Translate, status: int, reason: str, retryable: bool
    ) -> None:
        translate.status = status
        with pytest.raises(ModelUnavailable) as raised:
            voice.speak(PRIVATE, language="en")
        assert (raised.value.reason, raised.value.retryable) == (reason, retryable)
        assert PRIVATE not in repr(raised.value)
        assert raised.value.__context__ is None

    def test_no_connection_is_told(self, voice: Synthesizer, translate: Translate) -> None:
        translate.error = requests.ConnectionError(PRIVATE)
        with pytest.raises(ModelUnavailable) as raised:
            voice.speak(PRIVATE, language="en")
        assert (raised.value.reason, raised.value.retryable) == ("connection", True)
        assert raised.value.__context__ is None

    @pytest.mark.parametrize("body", [b"", b"nothing here", b'["jQ1olc","[\\"bm90IG1wMw==\\"]"]'])
    def test_an_answer_without_sound_is_no_answer(
        self, voice: Synthesizer, translate: Translate, body: bytes
    ) -> None:
        translate.body = body
        with pytest.raises(ModelUnavailable) as raised:
            voice.speak(PRIVATE, language="en")
        assert not raised.value.retryable

    def test_words_get_into_no_log(
        self, voice: Synthesizer, translate: Translate, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        voice.speak(PRIVATE, language="en")
        assert PRIVATE not in caplog.text

    def test_warnings_of_others_stay_on(self, voice: Synthesizer) -> None:
        before = list(warnings.filters)
        voice.speak("Hello", language="en")
        assert warnings.filters == before


def hum(body: dict[str, Any]) -> bytes:
    """Raw samples, as long as the text."""
    data: bytes = waves(0.06 * len(body["input"]) / body.get("speed", 1)).astype("<i2").tobytes()
    return data


@pytest.fixture
def server() -> Iterator[OpenAiAudioServer]:
    with OpenAiAudioServer() as running:
        running.speak_with(hum)
        yield running


class TestOpenAi(SynthesizerContract):
    @pytest.fixture
    def voice(self, server: OpenAiAudioServer) -> Iterator[Synthesizer]:
        with closing(OpenAiSynthesizer(api_key=KEY, base_url=server.base_url)) as voice:
            yield voice

    def test_tells_which_languages_it_speaks(self, voice: Synthesizer) -> None:
        assert voice.speaks("en")
        assert voice.speaks("ru")
        assert not voice.speaks("")

    def test_asks_for_raw_samples_of_a_model_and_a_voice(self, voice: Synthesizer, server: OpenAiAudioServer) -> None:
        sound = voice.speak("Hello there.", language="en")
        assert server.spoken == [
            {"model": "gpt-4o-mini-tts", "voice": "alloy", "input": "Hello there.", "response_format": "pcm"}
        ]
        assert sound.rate == 24_000
        assert sound.seconds == pytest.approx(0.06 * 12, abs=0.01)

    def test_speed_and_voice_are_asked_for(self, voice: Synthesizer, server: OpenAiAudioServer) -> None:
        voice.speak("Hello there.", language="en", speed=1.5, voice="nova")
        assert (server.spoken[0]["speed"], server.spoken[0]["voice"]) == (1.5, "nova")

    def test_a_voice_that_there_is_not_is_replaced(self, voice: Synthesizer, server: OpenAiAudioServer) -> None:
        server.fail(status=400, param="voice", path=SPEECH)
        assert voice.speak("Hello there.", language="en", voice="nobody").seconds > 0.5
        assert [body["voice"] for body in server.spoken][-1] == "alloy"

    @pytest.mark.parametrize(
        ("status", "reason", "retryable"),
        [(401, "credentials", False), (429, "rate_limited", True), (500, "server", True), (404, "refused", False)],
    )
    def test_a_failure_is_told(
        self, voice: Synthesizer, server: OpenAiAudioServer, status: int, reason: str, retryable: bool
    ) -> None:
        server.fail(status=status, path=SPEECH, times=5, headers={"Retry-After": "0"})
        with pytest.raises(ModelUnavailable) as raised:
            voice.speak(PRIVATE, language="en")
        assert (raised.value.reason, raised.value.retryable) == (reason, retryable)
        assert PRIVATE not in repr(raised.value)
        assert raised.value.__context__ is None

    def test_a_failure_that_passes_is_tried_again(self, voice: Synthesizer, server: OpenAiAudioServer) -> None:
        server.fail(status=503, path=SPEECH, headers={"Retry-After": "0"})
        assert voice.speak("Hello there.", language="en").seconds > 0.5

    @pytest.mark.parametrize("body", [b"", b"\0", b"RIFF....WAVE", b"ID3\4"])
    def test_what_are_no_samples_is_no_answer(
        self, voice: Synthesizer, server: OpenAiAudioServer, body: bytes
    ) -> None:
        server.speak_with(lambda _: body)
        with pytest.raises(ModelUnavailable) as raised:
            voice.speak("Hello there.", language="en")
        assert raised.value.reason == "protocol"

    def test_an_answer_of_another_kind_is_no_answer(self, voice: Synthesizer, server: OpenAiAudioServer) -> None:
        server.fail(status=200, path=SPEECH)
        with pytest.raises(ModelUnavailable) as raised:
            voice.speak("Hello there.", language="en")
        assert raised.value.reason == "protocol"

    def test_words_get_into_no_log(
        self, voice: Synthesizer, server: OpenAiAudioServer, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        voice.speak(PRIVATE, language="en")
        assert PRIVATE not in caplog.text
        assert KEY not in caplog.text


@local_speech
@pytest.mark.models
class TestHibari(SynthesizerContract):
    @pytest.fixture
    def voice(self) -> Synthesizer:
        return HibariSynthesizer()

    def test_fast_is_shorter(self, voice: Synthesizer) -> None:
        fast = voice.speak(self.text, language="en", speed=1.6)
        assert fast.seconds < 0.8 * voice.speak(self.text, language="en").seconds

    @pytest.mark.parametrize("text", ["中文字", "مرحبا", "-"])
    def test_what_it_cannot_say_is_left_to_others(self, voice: Synthesizer, text: str) -> None:
        with pytest.raises(ModelUnavailable) as raised:
            voice.speak(text, language="en")
        assert raised.value.reason == "refused"


@local_speech
@pytest.mark.models
class TestEspeakRussian(SynthesizerContract):
    language = "ru"
    text = "Офис открывается в девять утра и закрывается в пять вечера."

    @pytest.fixture
    def voice(self) -> Synthesizer:
        return EspeakSynthesizer()

    @pytest.mark.parametrize("language", ["en", "de", "pt", "zh"])
    def test_it_speaks_many_languages(self, voice: Synthesizer, language: str) -> None:
        assert voice.speak("1 2 3", language=language).seconds > 0.3

    def test_fast_is_shorter(self, voice: Synthesizer) -> None:
        fast = voice.speak(self.text, language="ru", speed=1.6)
        assert fast.seconds < 0.8 * voice.speak(self.text, language="ru").seconds


@pytest.fixture
def nothing_installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("hibari", "espeakng_loader"):
        monkeypatch.setitem(__import__("sys").modules, name, None)
    from trainer.adapters import espeak_synthesizer, hibari_synthesizer

    hibari_synthesizer._voice.cache_clear()
    espeak_synthesizer._library.cache_clear()
    yield
    hibari_synthesizer._voice.cache_clear()
    espeak_synthesizer._library.cache_clear()


@pytest.mark.usefixtures("nothing_installed")
@pytest.mark.parametrize("voice", [HibariSynthesizer(), EspeakSynthesizer()])
def test_a_package_that_is_not_there_is_named_as_missing(voice: Synthesizer) -> None:
    with pytest.raises(ModelUnavailable) as raised:
        voice.speak("Hello", language="en")
    assert (raised.value.reason, raised.value.retryable) == ("missing", False)
