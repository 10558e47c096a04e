"""Recordings on their way through a recogniser."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.unit.speech.sounds import in_chunks, joined, noise, silence, tone, voice
from trainer.ports import ModelUnavailable, Sound, Transcript, TranscriptPart
from trainer.speech.audio_files import wav
from trainer.speech.audio_levels import TARGET, loudness
from trainer.speech.audio_pcm import RATE, AudioRefused, Samples
from trainer.speech.decoding import Decoder
from trainer.speech.subtitles import to_srt
from trainer.speech.transcribing import AT_ONCE, PIECE_S, Transcription, transcribe_chunks, transcribe_file

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from trainer.ports import OnText


class Recogniser:
    """Hears as many words as there are seconds in a sound, and notes what it was asked."""

    name = "counting"

    def __init__(
        self,
        *,
        most_s: float = 30,
        local: bool = True,
        hear: Callable[[Sound, str], Transcript] | None = None,
    ) -> None:
        self.most_s = most_s
        self.local = local
        self.asked: list[tuple[Sound, str]] = []
        self.options: list[tuple[Sequence[str], Sequence[str]]] = []
        self.most_at_once = 0
        self._at_once = 0
        self._lock = threading.Lock()
        self._hear = hear or self._count

    def transcribe(
        self,
        sound: Sound,
        *,
        language: str = "",
        languages: Sequence[str] = (),
        keywords: Sequence[str] = (),
        on_text: OnText | None = None,
    ) -> Transcript:
        with self._lock:
            self.asked.append((sound, language))
            self.options.append((languages, keywords))
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            return self._hear(sound, language)
        finally:
            with self._lock:
                self._at_once -= 1

    def _count(self, sound: Sound, language: str) -> Transcript:
        seconds = round(sound.seconds)
        parts = tuple(TranscriptPart(at, at + 1, f"word{at}") for at in range(seconds))
        billed = 0.0 if self.local else sound.seconds
        return Transcript(" ".join(part.text for part in parts), language or "en", parts, 0.1, billed)


def transcribe(samples: Samples, recogniser: Recogniser, **options: object) -> Transcription:
    return transcribe_chunks(in_chunks(samples, 9_000), recogniser, **options)  # type: ignore[arg-type]


class TestOutcomes:
    """What is found, and what is said if nothing is."""

    def test_speech(self) -> None:
        recogniser = Recogniser()
        found = transcribe(voice(5), recogniser, keywords=["VAT"], languages=["en", "ru"])
        assert (found.outcome, found.activity, found.heard) == ("speech", "speech_like", True)
        assert found.text.split() == ["word0", "word1", "word2", "word3", "word4"]
        assert (found.language, found.seconds, found.model) == ("en", 5, "counting")
        assert found.billed_s == 0
        assert found.doubt == pytest.approx(0.1)
        assert recogniser.options == [(["en", "ru"], ["VAT"])]

    @pytest.mark.parametrize(
        ("samples", "outcome", "activity"),
        [
            (silence(4), "silent", "silence"),
            (voice(4, dbfs=-75), "silent", "too_quiet"),
            (voice(4, dbfs=-69), "silent", "too_quiet"),
            (noise(4), "noise", "noise"),
            (tone(4), "noise", "noise"),
            (joined(silence(70), noise(60)), "noise", "noise"),
        ],
    )
    def test_nothing_that_could_be_speech_is_not_even_sent(
        self, samples: Samples, outcome: str, activity: str
    ) -> None:
        recogniser = Recogniser()
        found = transcribe(samples, recogniser)
        assert (found.outcome, found.activity, found.heard, found.text) == (outcome, activity, False, "")
        assert found.seconds == pytest.approx(len(samples) / RATE)
        assert not recogniser.asked

    def test_no_words(self) -> None:
        found = transcribe(voice(3), Recogniser(hear=lambda *_: Transcript("", "", ())))
        assert (found.outcome, found.language, found.doubt) == ("no_speech", "", 0)

    def test_words_that_were_likely_made_up(self) -> None:
        made_up = Transcript("Umm.", "en", (TranscriptPart(0, 1, "Umm."),), doubt=0.7)
        found = transcribe(voice(3), Recogniser(hear=lambda *_: made_up))
        assert (found.outcome, found.heard) == ("doubtful", True)
        assert found.doubt == pytest.approx(0.7)

    def test_no_samples(self) -> None:
        with pytest.raises(AudioRefused, match="empty"):
            transcribe_chunks([], Recogniser())


class TestPieces:
    """What the recogniser gets, and where its words go."""

    def test_times_are_those_of_the_recording(self) -> None:
        recording = joined(silence(20), voice(15), silence(30), voice(20, seed=2), silence(8))
        recogniser = Recogniser(most_s=30)
        found = transcribe(recording, recogniser)
        assert all(sound.seconds <= 30 for sound, _ in recogniser.asked)
        starts = [part.start_s for part in found.parts]
        assert starts == sorted(starts)
        spoken = [(20, 35), (65, 85)]
        for part in found.parts:
            assert any(begin - 0.5 <= part.start_s <= part.end_s <= end + 1 for begin, end in spoken)
        assert found.seconds == 93
        assert len(to_srt(found.parts).split("\n\n")) == len(found.parts)

    def test_silence_is_left_out_and_the_rest_brought_to_the_same_loudness(self) -> None:
        recogniser = Recogniser()
        transcribe(joined(silence(6), voice(5, dbfs=-50), silence(6)), recogniser)
        ((sound, _),) = recogniser.asked
        assert sound.seconds < 6
        assert loudness(np.frombuffer(sound.pcm, "<i2")) == pytest.approx(TARGET, abs=1.5)

    def test_a_short_word_gets_silence_after_it(self) -> None:
        recogniser = Recogniser()
        found = transcribe(voice(0.3), recogniser)
        assert recogniser.asked[0][0].seconds == 1
        assert found.seconds == pytest.approx(0.3)
        assert found.parts[-1].end_s <= 0.3

    def test_pieces_are_no_longer_than_is_good_for_progress(self) -> None:
        recogniser = Recogniser(most_s=600, local=False)
        transcribe(voice(400), recogniser)
        assert max(sound.seconds for sound, _ in recogniser.asked) <= PIECE_S
        assert len(recogniser.asked) >= 4

    def test_a_text_in_one_piece_is_spread_over_its_time(self) -> None:
        text = "All of this is said before there is a pause. And this is said when the pause is over, ok."

        def hear(sound: Sound, _: str) -> Transcript:
            return Transcript(text, "en", (TranscriptPart(0, sound.seconds, text),))

        found = transcribe(joined(silence(10), voice(4), silence(5), voice(4)), Recogniser(hear=hear))
        assert [part.text for part in found.parts] == [text[:44], text[45:]]
        assert found.parts[0].start_s == pytest.approx(10, abs=0.4)
        assert found.parts[1].start_s == pytest.approx(19, abs=0.4)
        assert found.text == text

    def test_what_is_billed_adds_up(self) -> None:
        recogniser = Recogniser(most_s=60, local=False)
        found = transcribe(voice(150), recogniser)
        assert found.billed_s == pytest.approx(sum(sound.seconds for sound, _ in recogniser.asked))


class TestAtOnce:
    """How many pieces are worked on at the same time, and in which order their words are."""

    def test_elsewhere_a_few(self) -> None:
        all_there = threading.Barrier(AT_ONCE, timeout=20)
        seen = threading.Semaphore(AT_ONCE)

        def hear(sound: Sound, _: str) -> Transcript:
            if seen.acquire(blocking=False):
                all_there.wait()  # until as many are there as are to be
            name = f"{len(sound.pcm)}"
            return Transcript(name, "en", (TranscriptPart(0, 1, name),))

        recogniser = Recogniser(most_s=20, local=False, hear=hear)
        lengths = [8, 9, 10, 11, 12, 13, 14, 15]
        found = transcribe(joined(*(joined(voice(length), silence(4)) for length in lengths)), recogniser)
        assert recogniser.most_at_once == AT_ONCE
        assert [part.text for part in found.parts] == found.text.split()
        starts = [part.start_s for part in found.parts]
        assert starts == sorted(starts)

    def test_here_one(self) -> None:
        recogniser = Recogniser(most_s=20)
        transcribe(voice(90), recogniser)
        assert recogniser.most_at_once == 1

    def test_no_more_is_decoded_than_is_needed(self) -> None:
        taken = 0
        ahead: list[float] = []

        def chunks() -> object:
            nonlocal taken
            for _ in range(300):
                taken += 1
                yield voice(1)

        def hear(_: Sound, __: str) -> Transcript:
            ahead.append(taken - 18 * len(ahead))
            return Transcript("word", "en", (TranscriptPart(0, 1, "word"),))

        transcribe_chunks(chunks(), Recogniser(most_s=18, hear=hear))  # type: ignore[arg-type]
        assert max(ahead) <= 4 * 18


class TestLanguage:
    """Which language the pieces are recognised in."""

    def test_what_is_known_is_said(self) -> None:
        recogniser = Recogniser(most_s=20)
        assert transcribe(voice(50), recogniser, language="ru").language == "ru"
        assert {language for _, language in recogniser.asked} == {"ru"}

    def test_here_it_is_found_out_once(self) -> None:
        recogniser = Recogniser(most_s=20)
        transcribe(voice(50), recogniser)
        assert [language for _, language in recogniser.asked] == ["", *["en"] * (len(recogniser.asked) - 1)]

    def test_and_again_where_what_comes_of_it_is_doubtful(self) -> None:
        pieces = iter(["en", "ru", "ru"])
        spoken = ""

        def hear(sound: Sound, language: str) -> Transcript:
            nonlocal spoken
            if not language or not spoken:
                spoken = next(pieces)
            right = language in {"", spoken}
            text = f"in {spoken}" if right else "gibberish"
            return Transcript(text, language or spoken, (TranscriptPart(0, 1, text),), 0.1 if right else 0.7)

        def in_turn(sound: Sound, language: str) -> Transcript:
            nonlocal spoken
            if len(recogniser.asked) > 1 and spoken == "en" and language:
                spoken = "ru"  # somebody else speaks in the second piece
                return Transcript("gibberish", language, (TranscriptPart(0, 1, "gibberish"),), 0.7)
            return hear(sound, language)

        recogniser = Recogniser(most_s=20, hear=in_turn)
        found = transcribe(voice(40), recogniser)
        assert [language for _, language in recogniser.asked] == ["", "en", "", *["ru"] * (len(recogniser.asked) - 3)]
        assert "gibberish" not in found.text

    def test_the_first_result_stays_if_the_second_is_no_better(self) -> None:
        def hear(_: Sound, language: str) -> Transcript:
            doubt = 0.1 if len(recogniser.asked) == 1 else 0.6
            return Transcript(f"as {language or 'found'}", "en", (TranscriptPart(0, 1, "x"),), doubt)

        recogniser = Recogniser(most_s=20, hear=hear)
        assert "as en" in transcribe(voice(40), recogniser).text

    def test_elsewhere_it_is_found_out_each_time(self) -> None:
        recogniser = Recogniser(most_s=20, local=False)
        transcribe(voice(50), recogniser)
        assert {language for _, language in recogniser.asked} == {""}

    def test_the_recording_has_that_of_most_of_its_words(self) -> None:
        def hear(sound: Sound, _: str) -> Transcript:
            text, language = ("a long text in Russian", "ru") if len(recogniser.asked) > 1 else ("short", "en")
            return Transcript(text, language, (TranscriptPart(0, 1, text),))

        recogniser = Recogniser(most_s=20, local=False, hear=hear)
        assert transcribe(voice(35), recogniser).language == "ru"


class TestProgressAndEnd:
    """What the caller is told, and how it stops the work."""

    def test_progress(self) -> None:
        told: list[tuple[float, float | None]] = []
        transcribe(
            joined(voice(30), silence(30), voice(30)),
            Recogniser(most_s=20),
            whole_s=90.0,
            on_progress=lambda done, whole: told.append((done, whole)),
        )
        assert [done for done, _ in told] == sorted(done for done, _ in told)
        assert told[-1][0] == pytest.approx(90)
        assert {whole for _, whole in told} == {90.0}

    def test_the_check_ends_it_while_somebody_recognises(self) -> None:
        begun, over = threading.Event(), threading.Event()

        def hear(_: Sound, __: str) -> Transcript:
            begun.set()
            over.wait(30)
            return Transcript("", "", ())

        def check() -> None:
            if begun.is_set():
                raise InterruptedError

        recogniser = Recogniser(hear=hear)
        with pytest.raises(InterruptedError):
            transcribe(voice(3), recogniser, check=check)
        assert not over.is_set()  # nobody waited for it
        over.set()

    def test_a_recogniser_that_fails(self) -> None:
        def hear(_: Sound, __: str) -> Transcript:
            if len(recogniser.asked) == 2:
                raise ModelUnavailable("server", retryable=True)
            return Transcript("", "", ())

        recogniser = Recogniser(most_s=20, hear=hear)
        with pytest.raises(ModelUnavailable, match="server"):
            transcribe(voice(100), recogniser)
        assert len(recogniser.asked) <= 3

    def test_a_recogniser_that_times_out_in_its_own_way(self) -> None:
        def hear(_: Sound, __: str) -> Transcript:
            raise TimeoutError

        with pytest.raises(TimeoutError):
            transcribe(voice(3), Recogniser(hear=hear))

    def test_what_the_listener_raises_ends_it(self) -> None:
        def stop(_: float, __: float | None) -> None:
            raise InterruptedError

        with pytest.raises(InterruptedError):
            transcribe(voice(3), Recogniser(), on_progress=stop)


class TestFiles:
    """The same from files."""

    def test_a_file(self, tmp_path: Path) -> None:
        path = tmp_path / "recording"
        path.write_bytes(wav(Sound(joined(silence(5), voice(8)).tobytes(), RATE)))
        told: list[tuple[float, float | None]] = []
        found = transcribe_file(
            path, Recogniser(), Decoder(), on_progress=lambda done, whole: told.append((done, whole))
        )
        assert len(found.text.split()) in {8, 9}
        assert found.seconds == 13
        assert told[-1][0] == 13
        assert told[-1][1] == pytest.approx(13)
        assert list(tmp_path.iterdir()) == [path]

    def test_too_long(self, tmp_path: Path) -> None:
        path = tmp_path / "recording"
        path.write_bytes(wav(Sound(voice(8).tobytes(), RATE)))
        with pytest.raises(AudioRefused, match="too_long"):
            transcribe_file(path, Recogniser(), Decoder(), most_s=5)

    def test_no_sound_at_all(self, tmp_path: Path) -> None:
        path = tmp_path / "recording"
        path.write_bytes(b"not a recording" * 100)
        with pytest.raises(AudioRefused, match="unsupported"):
            transcribe_file(path, Recogniser(), Decoder())
