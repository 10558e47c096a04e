"""Subtitles and paragraphs."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.speech.sounds import joined, noise, silence, voice
from trainer.ports import TranscriptPart
from trainer.speech.audio_pcm import RATE
from trainer.speech.subtitles import LEAST_S, LINE, LINES, cue_texts, to_srt, to_txt
from trainer.speech.timing import spread

Cue = tuple[float, float, list[str]]


def cues_of(srt: str) -> list[Cue]:
    """Reads SubRip as players do; fails where it is not well-formed."""
    cues: list[Cue] = []
    for number, block in enumerate(srt.split("\n\n") if srt else [], 1):
        first, clock, *lines = block.strip("\n").split("\n")
        assert first == str(number)
        match = re.fullmatch(r"(\d\d+):(\d\d):(\d\d),(\d{3}) --> (\d\d+):(\d\d):(\d\d),(\d{3})", clock)
        assert match is not None
        h, m, s, ms, h2, m2, s2, ms2 = map(int, match.groups())
        assert max(m, m2, s, s2) < 60
        assert lines
        assert all(lines)
        cues.append((h * 3600 + m * 60 + s + ms / 1000, h2 * 3600 + m2 * 60 + s2 + ms2 / 1000, lines))
    return cues


def test_two_parts() -> None:
    parts = [TranscriptPart(0.5, 2.25, "Hello there."), TranscriptPart(3661.5, 3663.0, "Good bye.")]
    assert to_srt(parts) == (
        "1\n00:00:00,500 --> 00:00:02,250\nHello there.\n\n2\n01:01:01,500 --> 01:01:03,000\nGood bye.\n"
    )
    assert to_srt([]) == ""


def test_a_long_part_is_cut_where_sentences_and_clauses_end() -> None:
    text = (
        "The office is open from nine to six on weekdays. On Saturdays it opens at ten, and there is nobody on "
        "Sundays; but you can always write to us, and somebody will answer within a day"
    )
    cues = cues_of(to_srt([TranscriptPart(10, 22, text)]))
    assert [" ".join(lines) for *_, lines in cues] == [
        "The office is open from nine to six on weekdays.",
        "On Saturdays it opens at ten, and there is nobody on Sundays;",
        "but you can always write to us, and somebody will answer within a day",
    ]
    assert cues[0][0] == 10
    assert cues[-1][1] == 22
    assert cues[1][0] == pytest.approx(10 + 12 * 48 / 178, abs=0.01)


def test_lines_are_about_as_long_as_each_other() -> None:
    ((_, _, lines),) = cues_of(to_srt([TranscriptPart(0, 3, "Where can I find the invoice of last month, please?")]))
    assert len(lines) == LINES
    assert abs(len(lines[0]) - len(lines[1])) < 12


def test_short_ones_stay_as_long_as_they_can() -> None:
    parts = [TranscriptPart(1, 1.1, "Yes."), TranscriptPart(1.4, 1.5, "No."), TranscriptPart(9, 9.1, "Maybe.")]
    assert [cue[:2] for cue in cues_of(to_srt(parts))] == [(1, 1.4), (1.4, 2.4), (9, 10)]


def test_one_that_lasts_goes_in_the_end() -> None:
    ((start, end, _),) = cues_of(to_srt([TranscriptPart(5, 65, "Well.")]))
    assert (start, end) == (5, 12)


def test_what_means_something_to_players_is_only_text() -> None:
    srt = to_srt([TranscriptPart(0, 3, "1\n\n2 00:00:00,000 --> 00:00:09,000 <b>{\\an8}bold</b>")])
    assert len(cues_of(srt)) == 1
    assert srt.count("-->") == 1
    assert not set("<>{}") & set(srt.replace("-->", ""))


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.floats(0, 4_000), st.floats(0, 60), st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
        ),
        max_size=8,
    )
)
def test_any_parts_make_well_formed_subtitles(given_parts: list[tuple[float, float, str]]) -> None:
    parts = [TranscriptPart(start, start + length, text) for start, length, text in sorted(given_parts)]
    cues = cues_of(to_srt(parts))
    for start, end, lines in cues:
        assert start <= end
        assert len(lines) <= LINES
        assert max(map(len, lines)) <= LINE
    for (start, end, _), (after, _, _) in pairwise(cues):
        assert start <= after
        assert end <= after
    said = "".join(part.text for part in parts).split()
    assert sum(map(len, said)) >= sum(len(line.replace(" ", "")) for *_, lines in cues for line in lines) - 2 * len(
        cues
    )


@settings(deadline=None)
@given(st.text(max_size=500))
def test_pieces_together_are_the_text(text: str) -> None:
    assert "".join(cue_texts(text)).replace(" ", "") == "".join(text.split()).replace(" ", "")


def test_a_word_longer_than_a_line() -> None:
    assert [len(piece) for piece in cue_texts("a" * 100)] == [LINE, LINE, 100 - 2 * LINE] or cue_texts("a" * 100)
    for _, _, lines in cues_of(to_srt([TranscriptPart(0, 9, "a" * 100)])):
        assert max(map(len, lines)) <= LINE


def test_paragraphs() -> None:
    sentence = "This is a sentence of some length that somebody says in a long recording. "
    parts = [TranscriptPart(at, at + 1, sentence) for at in range(20)]
    parts += [TranscriptPart(23, 24, "After a\npause."), TranscriptPart(24, 25, "The end")]
    paragraphs = to_txt(parts).split("\n\n")
    assert [len(paragraph) > 600 for paragraph in paragraphs] == [True, True, False]
    assert paragraphs[-1] == "After a pause. The end\n"
    assert to_txt([]) == ""


class TestSpread:
    """Times of a text that came in one piece."""

    def test_pauses_get_no_words(self) -> None:
        samples = joined(noise(1, dbfs=-70), voice(4), noise(5, dbfs=-70), voice(4, seed=2), noise(1, dbfs=-70))
        first, second = "All of this is said before there is a pause.", "And this is said when the pause is over, ok."
        parts = spread(f"{first} {second}", samples)
        assert [part.text for part in parts] == [first, second]
        assert parts[0].start_s == pytest.approx(1, abs=0.3)
        assert parts[0].end_s == pytest.approx(5, abs=0.3)
        assert parts[1].start_s == pytest.approx(10, abs=0.3)
        assert parts[1].end_s == pytest.approx(14, abs=0.3)

    def test_silence_and_next_to_nothing(self) -> None:
        assert spread("Hello there.", silence(2)) == (TranscriptPart(0, 2, "Hello there."),)
        (part,) = spread("Hi.", silence(0.001))
        assert part == TranscriptPart(0, 16 / RATE, "Hi.")
        assert spread("", silence(1)) == ()

    @settings(deadline=None)
    @given(st.text(max_size=300), st.integers(1, 30_000))
    def test_times_are_in_order(self, text: str, count: int) -> None:
        samples = voice(2)[:count]
        before = 0.0
        for part in spread(text, samples):
            assert before <= part.start_s <= part.end_s <= len(samples) / RATE
            before = part.start_s


def test_a_cue_is_shown_for_a_second_at_least() -> None:
    ((start, end, _),) = cues_of(to_srt([TranscriptPart(0, 0, "Go.")]))
    assert end - start == LEAST_S
