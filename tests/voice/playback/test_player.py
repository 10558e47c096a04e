"""The player's thread, on a clock that jumps: what is sent, when, and what is told about it."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import TYPE_CHECKING

import opuslib_next  # type: ignore[import-untyped]
import pytest

from tests.voice.playback.material import Hurry, Line, packets_of_voice, tone, until, voice
from tests.voice.talker import same
from trainer.ports.speech import Sound
from voice_sidecar.parts import Heard
from voice_sidecar.playback.opus import SILENCE, Encoding
from voice_sidecar.playback.player import Counts, Player
from voice_sidecar.playback.sound import prepared

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from voice_sidecar.parts import Playback, Utterance

TEXT = "One two three four five six seven eight"


def run(scene: Callable[[], Awaitable[None]]) -> None:
    async def limited() -> None:
        await asyncio.wait_for(scene(), 60)

    asyncio.run(limited())


def hurried(line: Line, clock: Hurry | None = None) -> Player:
    clock = clock or Hurry()
    return Player(line, clock=clock.clock, wait=clock.wait)


def say(
    player: Playback, line: Line, *phrases: tuple[str, Sound], first_packet: Callable[[float], None] | None = None
) -> Utterance:
    """Begins an utterance; nothing of it is sent before it is complete."""
    line.gate.clear()
    utterance = player.begin(first_packet=first_packet)
    for text, sound in phrases:
        utterance.add(text, sound)
    utterance.finish()
    line.gate.set()
    return utterance


async def silent(line: Line, times: int = 1) -> None:
    """Until sending has ended for the so manyeth time."""
    await until(lambda: [on for _, on in line.shown].count(False) == times)


def test_an_utterance_from_its_first_silence_to_its_last() -> None:
    async def scene() -> None:
        line, clock = Line(), Hurry()
        player = hurried(line, clock)
        first: list[tuple[float, threading.Thread]] = []
        utterance = say(
            player,
            line,
            (TEXT, voice(2)),
            first_packet=lambda at: first.append((at, threading.current_thread())),
        )
        playing = [player.playing]
        sound = packets_of_voice(2)
        assert await utterance.done() == Heard(TEXT, len(sound) / 50, whole=True)
        playing.append(player.playing)
        assert playing == [True, False]
        await silent(line)
        assert same(line.packets, [SILENCE] * 10 + list(sound) + [SILENCE] * 5)
        assert line.shown == [(0, True), (len(line.packets), False)]
        assert [thread for _, thread in first] == [threading.current_thread()]
        assert first[0][0] == pytest.approx(100.2)
        assert clock.now == pytest.approx(100 + 0.02 * (len(line.packets) - 1))
        assert player.counts == Counts(len(line.packets), 0, 0)
        assert await utterance.done() == utterance.heard()
        player.close()

    run(scene)


def test_phrases_and_utterances_follow_each_other_without_a_gap() -> None:
    async def scene() -> None:
        line = Line()
        player = hurried(line)
        line.gate.clear()
        utterances = [player.begin(), player.begin()]
        for utterance in utterances:
            utterance.add("One", voice(0.5))
            utterance.add("two", voice(0.3, seed=8))
            utterance.finish()
        line.gate.set()
        for utterance in utterances:
            assert (await utterance.done()).text == "One two"
        await silent(line)
        both = list(packets_of_voice(0.5)) + list(packets_of_voice(0.3, 8))
        assert same(line.packets[10:-5], both * 2)
        player.close()

    run(scene)


def pieces(line: Line) -> list[list[bytes]]:
    """The runs of sound, parted by silence."""
    parts: list[list[bytes]] = [[]]
    for packet in line.packets:
        if packet != SILENCE:
            parts[-1].append(packet)
        elif parts[-1]:
            parts.append([])
    return [part for part in parts if part]


def loses_nothing(parts: list[list[bytes]], sound: list[bytes], back: int) -> bool:
    """The first part begins the sound, the second goes on from up to `back` packets before, to its end."""
    one, two = parts
    start = len(sound) - len(two)
    return same(one, sound[: len(one)]) and same(two, sound[start:]) and len(one) - back <= start <= len(one) - 15


@pytest.mark.parametrize("packet", [11, 30, 55, 99, 110])
def test_a_pause_is_within_a_packet_and_nothing_is_lost(packet: int) -> None:
    async def scene() -> None:
        line = Line()
        player = hurried(line)
        line.at[10 + packet] = player.pause  # while that very packet is sent
        utterance = say(player, line, (TEXT, voice(3)))
        await silent(line)  # as it lasts longer than silence is sent
        sound = list(packets_of_voice(3))
        assert same(line.sounds, sound[: packet + 1])
        assert len(line.packets) == 10 + packet + 1 + 100
        assert player.playing
        heard = utterance.heard()
        assert not heard.whole
        assert heard.seconds == pytest.approx((packet + 1) / 50)
        player.resume()
        assert await utterance.done() == Heard(TEXT, len(sound) / 50, whole=True)
        await silent(line, 2)
        if packet < 15:
            assert same(pieces(line)[1], sound)
        else:
            assert loses_nothing(pieces(line), sound, 37)
            assert not loses_nothing([sound[:packet], sound[packet:]], sound, 37)
            assert not loses_nothing([sound[:packet], sound[packet + 5 :]], sound, 37)
        player.close()

    run(scene)


def test_a_short_pause_goes_on_without_a_lead() -> None:
    async def scene() -> None:
        line = Line()
        player = hurried(line)
        line.at[60] = player.pause
        line.at[80] = player.resume
        await say(player, line, (TEXT, voice(3))).done()
        assert same(line.packets[61:81], [SILENCE] * 20)
        assert line.packets[81] != SILENCE
        player.close()

    run(scene)


def test_stop_tells_what_was_heard_and_ends_all() -> None:
    async def scene() -> None:
        line = Line()
        player = hurried(line)
        stopped: list[Heard | None] = []
        line.at[10 + 77] = lambda: stopped.append(player.stop())
        line.gate.clear()
        utterances = [player.begin(), player.begin()]
        for utterance in utterances:
            utterance.add("Zero", voice(0.5))
            utterance.add(TEXT, voice(2))
            utterance.finish()
        line.gate.set()
        heard, waiting = [await utterance.done() for utterance in utterances]
        await silent(line)
        assert stopped == [heard]
        sent = len(line.sounds)
        assert sent == 78
        # At most what was sent before the one on its way, and as much of the words as that was of the sound.
        assert heard.seconds == pytest.approx(77 / 50)
        assert heard.text == "Zero One two three four"
        assert not heard.whole
        assert waiting == Heard("", 0, whole=False)
        assert same(line.packets[-6:], [line.sounds[-1], *[SILENCE] * 5])
        utterances[0].add("More", voice(1))
        utterances[0].finish()
        assert player.stop() is None
        assert len(line.sounds) == sent
        player.close()

    run(scene)


def test_the_first_phrase_is_waited_for_with_silence_and_then_without() -> None:
    async def scene() -> None:
        line = Line()
        player = hurried(line)
        utterance = player.begin()
        await silent(line)
        assert same(line.packets, [SILENCE] * 100)
        assert player.playing
        line.gate.clear()
        utterance.add("One", voice(0.5))
        utterance.finish()
        line.gate.set()
        await utterance.done()
        assert same(line.packets[100:111], [SILENCE] * 10 + [packets_of_voice(0.5)[0]])
        player.close()

    run(scene)


def test_a_connection_that_recovers_loses_nothing() -> None:
    async def scene() -> None:
        line = Line(takes=lambda number: not 40 <= number < 80)
        player = hurried(line)
        utterance = say(player, line, (TEXT, voice(2)))
        heard = await utterance.done()
        await silent(line)
        assert heard.whole
        assert same(line.sounds, list(packets_of_voice(2)))
        assert same(line.packets[40:50], [SILENCE] * 10)  # as it was away for long
        assert player.counts.refused == 40
        player.close()

    run(scene)


def test_a_connection_that_does_not_recover_is_given_up() -> None:
    async def scene() -> None:
        line = Line(takes=lambda number: number < 40)
        player = hurried(line)
        heard = await say(player, line, (TEXT, voice(2))).done()
        await silent(line)
        assert heard.seconds == pytest.approx(30 / 50)
        assert not heard.whole
        assert len(heard.text) < len(TEXT) / 3
        assert 40 + 50 < line.given < 40 + 60
        assert not player.playing
        player.close()

    run(scene)


@pytest.mark.parametrize("broken", ["send", "speaking"])
def test_a_connection_that_raises_is_one_that_takes_nothing(broken: str, caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        line = Line()

        def fail(*_: object) -> bool:
            raise OSError("no route to somebody's address")

        setattr(line, broken, fail)
        player = hurried(line)
        heard = await say(player, line, (TEXT, voice(1))).done()
        assert heard.whole == (broken == "speaking")
        player.close()

    with caplog.at_level(logging.INFO):
        run(scene)
    assert [record.message for record in caplog.records] == ["playback failed"]
    assert vars(caplog.records[0])["error"] == "OSError"
    assert "address" not in caplog.text


def test_a_phrase_that_cannot_be_made_is_passed_over(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def scene() -> None:
        line = Line()
        player = hurried(line)
        utterance = say(player, line, ("One", voice(0.5)), ("bad", tone(100)), ("two", voice(0.3)))
        heard = await utterance.done()
        assert heard.text == "One two"
        assert not heard.whole
        player.close()

    def fussy(sound: Sound, target: float) -> object:
        if sound == tone(100):
            raise ValueError("what was said")
        return prepared(sound, target)

    monkeypatch.setattr("voice_sidecar.playback.phrases.prepared", fussy)
    run(scene)
    assert "what was said" not in caplog.text


@pytest.mark.parametrize("rate", [0, -1, 7_999, 48_001, 96_000])
def test_other_rates_are_refused_where_they_are_given(rate: int) -> None:
    async def scene() -> None:
        player = hurried(Line())
        utterance = player.begin()
        with pytest.raises(ValueError, match="8 to 48 kHz"):
            utterance.add("One", Sound(bytes(100), rate))
        player.close()

    run(scene)


def test_an_encoding_that_libopus_refuses_is_refused_at_once() -> None:
    with pytest.raises(opuslib_next.OpusError):
        Player(Line(), encoding=Encoding(bit_rate=-5))


def test_close_ends_what_is_said_and_what_waits_and_is_final(caplog: pytest.LogCaptureFixture) -> None:
    async def scene() -> None:
        line = Line()
        player = hurried(line)
        line.gate.clear()
        saying, waiting = player.begin(), player.begin()
        saying.add(TEXT, voice(10))
        line.at[30] = player.close  # in the thread itself, which cannot wait for its own end
        line.gate.set()
        assert not (await saying.done()).whole
        assert await waiting.done() == Heard("", 0, whole=False)
        player.close()
        player.close()
        assert line.given == 31
        assert line.shown[-1] == (31, False)
        assert not player.playing
        late = player.begin()
        late.add("One", voice(0.5))
        late.finish()
        assert await late.done() == Heard("", 0, whole=False)
        player.pause()
        player.resume()
        assert player.stop() is None
        assert line.given == 31
        await until(lambda: not any(thread.name == "playback" for thread in threading.enumerate()))

    run(scene)
    assert caplog.records == []


def test_a_player_that_never_spoke_has_no_thread() -> None:
    before = threading.active_count()
    player = Player(Line())
    assert threading.active_count() == before
    player.close()


def test_who_no_longer_waits_does_not_disturb_who_does() -> None:
    async def scene() -> None:
        line = Line()
        player = hurried(line)
        line.gate.clear()
        utterance = player.begin()
        waiting = [asyncio.ensure_future(utterance.done()) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        utterance.finish()
        line.gate.set()
        assert await waiting[1] == await waiting[2] == Heard("", 0, whole=True)
        assert waiting[0].cancelled()
        player.close()

    run(scene)


def test_the_end_of_the_loop_does_not_end_playback() -> None:
    line = Line()
    player = hurried(line)

    async def scene() -> None:
        line.gate.clear()
        utterance = player.begin(first_packet=lambda _: None)
        utterance.add("One", voice(0.5))
        utterance.finish()

    run(scene)
    line.gate.set()
    run(lambda: silent(line))
    assert same(line.sounds, list(packets_of_voice(0.5)))
    player.close()
