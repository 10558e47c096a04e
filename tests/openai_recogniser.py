"""The recogniser on the `openai` package at a server of the tests' own: what all files about it begin with."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.openai_audio import OpenAiAudioServer
from tests.unit.speech.sounds import voice
from trainer.adapters.openai_transcriber import OpenAiTranscriber
from trainer.ports import Sound

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainer.speech.audio_pcm import Samples

RATE: Final = 16_000
KEY: Final = "sk-a-secret-key"
SAID: Final = "How do I reset my password?"


def sound_of(samples: Samples) -> Sound:
    return Sound(samples.astype("<i2").tobytes(), RATE)


def transcriber_with(server: OpenAiAudioServer, **options: Any) -> closing[OpenAiTranscriber]:
    given = {"api_key": KEY, "base_url": server.base_url, "model": "gpt-transcribe"}
    return closing(OpenAiTranscriber(**given | options))


class AtServer:
    """The fixtures of a class of tests."""

    @pytest.fixture
    def server(self) -> Iterator[OpenAiAudioServer]:
        with OpenAiAudioServer() as server:
            yield server

    @pytest.fixture
    def sound(self, server: OpenAiAudioServer) -> Sound:
        """A sound that the server knows."""
        known = sound_of(voice(3))
        server.knows(known, SAID)
        return known

    @pytest.fixture
    def remote(self, server: OpenAiAudioServer) -> Iterator[OpenAiTranscriber]:
        with transcriber_with(server) as transcriber:
            yield transcriber

    @pytest.fixture
    def whisper(self, server: OpenAiAudioServer) -> Iterator[OpenAiTranscriber]:
        with transcriber_with(server, model=None) as transcriber:
            yield transcriber
