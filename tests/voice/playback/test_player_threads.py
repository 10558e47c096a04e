"""The player between the event loop and its thread, as they really run: in any order, and at the same time."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.voice.playback.material import Hurry, Line, packets_of_voice, until, voice
from tests.voice.talker import same
from voice_sidecar.playback.opus import SILENCE
from voice_sidecar.playback.player import Player

if TYPE_CHECKING:
    from collections.abc import Iterator

    from voice_sidecar.parts import Utterance

TEXT = "One two three four"
SOUND = voice(0.4)


def threads() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "playback"}


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    before = threads()
    yield
    assert threads() <= before


class Unhurried(Hurry):
    """Lets the event loop have its turn now and then: a hundred times faster than people."""

    def wait(self, changed: threading.Condition, seconds: float | None) -> None:
        if seconds is not None:
            self.now += seconds
            seconds /= 100
        changed.wait(seconds)


def check(utterances: list[Utterance], line: Line) -> None:
    heard = [utterance.heard() for utterance in utterances]
    for each in heard:
        assert " ".join([TEXT] * 60).startswith(each.text)
    # What was said again after a pause was sent more often than it is counted.
    assert sum(each.seconds for each in heard) <= len(line.sounds) / 50 + 1e-6


async def meddle(seed: int) -> None:
    chance = random.Random(seed)
    line = Line(takes=lambda number: number % 97 < 80 + seed % 18)
    clock = Unhurried()
    player = Player(line, clock=clock.clock, wait=clock.wait)
    utterances: list[Utterance] = []
    for _ in range(60):
        match chance.randrange(8):
            case 0 | 1:
                utterances.append(player.begin(first_packet=lambda _: None))
            case 2 | 3:
                for utterance in utterances[-2:]:
                    utterance.add(TEXT, SOUND)
            case 4:
                for utterance in utterances[-3:]:
                    utterance.finish()
            case 5:
                player.pause()
            case 6:
                player.resume()
            case _:
                heard = player.stop() if chance.random() < 0.3 else None
                assert heard is None or not player.playing
        check(utterances, line)
        await asyncio.sleep(chance.choice((0, 0, 0.001, 0.004)))
    player.resume()
    for utterance in utterances:
        utterance.finish()
    for utterance in utterances:
        assert await asyncio.wait_for(utterance.done(), 30) == utterance.heard()
    assert not player.playing
    await until(lambda: not line.shown or not line.shown[-1][1])
    check(utterances, line)
    for index, (_, on) in enumerate(line.shown):
        assert on == (index % 2 == 0)
    player.close()


@pytest.mark.parametrize("seed", range(12))
def test_whatever_comes_in_whatever_order_everything_ends_and_nothing_is_made_up(seed: int) -> None:
    asyncio.run(meddle(seed))


def test_after_a_pause_or_a_stop_at_most_one_packet_follows() -> None:
    async def scene() -> None:
        line, clock = Line(), Unhurried()
        player = Player(line, clock=clock.clock, wait=clock.wait)
        for action in (player.pause, player.stop) * 10:
            utterance = player.begin()
            utterance.add(TEXT, voice(4))
            target = len(line.sounds) + 20
            await until(lambda target=target: len(line.sounds) >= target)  # type: ignore[misc]
            action()
            before, given = len(line.sounds), line.given
            await until(lambda given=given: line.given >= given + 4)  # type: ignore[misc]
            assert len(line.sounds) <= before + 1
            assert same(line.packets[-3:], [SILENCE] * 3)
            player.stop()
        player.close()

    asyncio.run(scene())


def test_close_in_mid_word() -> None:
    async def scene() -> None:
        before = threads()
        for _ in range(20):
            line = Line()
            player = Player(line)
            utterance = player.begin()
            utterance.add(TEXT, SOUND)
            await until(lambda line=line: line.given > 0)  # type: ignore[misc]
            player.close()
            given = line.given
            assert threads() <= before
            assert not (await asyncio.wait_for(utterance.done(), 10)).whole
            assert line.given == given
            assert line.shown[-1] == (len(line.packets), False)

    asyncio.run(scene())


def test_a_connection_that_hangs_does_not_hold_up_the_end_for_ever() -> None:
    async def scene() -> None:
        before = threads()
        line = Line()
        line.gate.clear()
        player = Player(line)
        utterance = player.begin()
        utterance.add(TEXT, SOUND)
        await until(lambda: bool(line.shown))
        player.pause()
        player.resume()
        assert player.playing
        player.close()
        assert threads() > before
        assert not (await asyncio.wait_for(utterance.done(), 10)).whole
        line.gate.set()
        await until(lambda: threads() <= before)

    asyncio.run(scene())


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_nobody_waits_for_a_thread_that_broke() -> None:
    def broken(_changed: threading.Condition, _seconds: float | None) -> None:
        raise MemoryError

    async def scene() -> None:
        player = Player(Line(), wait=broken)
        utterance = player.begin()
        assert not (await asyncio.wait_for(utterance.done(), 10)).whole
        assert not (await asyncio.wait_for(player.begin().done(), 10)).whole
        player.close()

    asyncio.run(scene())


def test_by_the_real_clock_it_takes_as_long_as_it_lasts() -> None:
    async def scene() -> None:
        line = Line()
        player = Player(line)
        first: list[float] = []
        begun = time.monotonic()
        utterance = player.begin(first_packet=first.append)
        utterance.add(TEXT, SOUND)
        utterance.finish()
        assert (await utterance.done()).whole
        packets = 10 + len(packets_of_voice(0.4))
        assert time.monotonic() - begun > 0.02 * (packets - 2)
        assert first[0] - begun > 0.02 * 9
        await until(lambda: line.shown[-1][1] is False)
        assert same(line.packets[10:-5], list(packets_of_voice(0.4)))
        player.close()

    asyncio.run(scene())


def test_players_do_not_share_anything() -> None:
    async def scene() -> None:
        lines = [Line() for _ in range(3)]
        clocks = [Unhurried() for _ in lines]
        players = [
            Player(line, clock=clock.clock, wait=clock.wait) for line, clock in zip(lines, clocks, strict=True)
        ]
        utterances = [player.begin() for player in players]
        for utterance in utterances:
            utterance.add(TEXT, SOUND)
            utterance.finish()
        players[0].pause()
        for utterance in utterances[1:]:
            assert (await utterance.done()).whole
        assert players[0].playing
        players[0].stop()
        for player in players:
            player.close()

    asyncio.run(scene())
