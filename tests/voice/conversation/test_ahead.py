"""How far what is made into sound is ahead of what is played: not so far that it is paid in vain, and never dry."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.voice.conversation.props import in_loop, soon, until
from tests.voice.conversation.stage import ANNA, QUESTION, Script, Stage
from voice_sidecar.conversation.ahead import AHEAD_S, SENTENCES, Ahead

LONG = 20
"""Sentences, of a second each."""
TEXT = " ".join(f"This one is {letter * 3} indeed." for letter in "abcdefghijklmnopqrst")


def played(
    sentences: list[float], rate: float, latency_s: float, *, ahead: Ahead | None
) -> tuple[list[float], float]:
    """When each sentence begins to be heard, and how many seconds at most wait to be played."""
    now, end, begins, most = 0.0, 0.0, [], 0.0
    for seconds in sentences:
        took = latency_s + rate * seconds
        if ahead is not None:
            now += ahead.wait_s(max(0.0, end - now))
            ahead.made(took)
        now += took
        begins.append(max(now, end))
        end = begins[-1] + seconds
        most = max(most, end - now - seconds)
    return begins, most


class TestRules:
    def test_the_first_sentences_do_not_wait(self) -> None:
        assert Ahead().wait_s(0.0) == 0.0
        assert Ahead().wait_s(AHEAD_S) == 0.0

    def test_it_waits_until_no_more_is_left_than_may_be(self) -> None:
        ahead = Ahead()
        assert ahead.wait_s(AHEAD_S + 2.5) == 2.5
        ahead.made(0.5)
        ahead.made(0.1)  # the slowest counts
        assert ahead.wait_s(AHEAD_S + 2.5) == 2.5 - SENTENCES * 0.5

    @given(
        st.lists(st.floats(2.0, 17.0), min_size=1, max_size=40),
        st.floats(0.0, 0.9),
        st.floats(0.0, 2.0),
    )
    def test_nothing_is_heard_later_than_without_it(self, sentences: list[float], rate: float, late_s: float) -> None:
        """However slow the voice is, as long as it is faster than speech."""
        freely, _ = played(sentences, rate, late_s, ahead=None)
        held_back, _ = played(sentences, rate, late_s, ahead=Ahead())
        assert all(abs(one - other) < 1e-6 for one, other in zip(freely, held_back, strict=True))

    @given(st.lists(st.floats(0.5, 17.0), min_size=1, max_size=40))
    def test_a_voice_of_a_provider_is_no_more_than_a_quarter_of_a_minute_ahead(self, sentences: list[float]) -> None:
        _, most = played(sentences, 0.05, 0.5, ahead=Ahead())
        assert most <= 15.0


@in_loop
async def test_of_a_long_answer_no_more_is_made_than_is_soon_heard() -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        await stage.prepared()
        stage.playback.by_itself = False
        stage.answers[QUESTION] = Script(TEXT)
        stage.says(ANNA, QUESTION)
        await until(lambda: len(stage.playback.given) > AHEAD_S)
        await soon()
        assert len(stage.playback.given) == AHEAD_S + 1  # each is a second
        assert len(stage.spoken) == len(stage.playback.given) + 2  # those that are prepared
        stage.playback.hear(4)
        await until(lambda: len(stage.playback.given) == AHEAD_S + 5)
        stage.playback.hear(10)
        await until(lambda: len(stage.playback.given) == LONG)
        stage.playback.by_itself = True
        stage.playback.go_on()
        assert await stage.outcomes(1) == ["answered"]
        assert len(stage.playback.said) == LONG


@in_loop
async def test_what_is_not_made_when_it_is_interrupted_never_is() -> None:
    async with Stage() as stage:
        stage.comes(ANNA)
        await stage.prepared()
        stage.playback.by_itself = False
        stage.answers[QUESTION] = Script(TEXT)
        stage.says(ANNA, QUESTION)
        await until(lambda: len(stage.playback.given) > AHEAD_S)
        stage.playback.hear(1)
        await soon()
        stage.passes(1.0)
        stage.says(ANNA, "Stop.")
        assert sorted(await stage.outcomes(2)) == ["cut", "stopped"]
        assert len(stage.spoken) <= AHEAD_S + 5
