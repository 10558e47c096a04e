"""Time, a room, playback and gates that do what a test tells them to."""

from __future__ import annotations

import asyncio
import functools
import threading
import time
from typing import TYPE_CHECKING, Any, ParamSpec

from voice_sidecar.parts import Heard

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping

    from trainer.ports import Sound
    from voice_sidecar.parts import Person

PATIENCE_S = 10.0
START = 1_800_000_000.0
P = ParamSpec("P")


def in_loop(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """A test that runs in an event loop of its own."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


async def until(true: Callable[[], object]) -> None:
    """Waits for threads to have done something."""
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.002)


async def soon() -> None:
    """Lets whatever is possible happen."""
    for _ in range(5):
        await asyncio.sleep(0.002)


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> float:
        return self.at


class Room:
    """Who is there."""

    guild_id = 42
    channel_id = 7
    bot_name = "Trainger"

    def __init__(self, locale: str = "en-US") -> None:
        self.locale = locale
        self.present: dict[int, Person] = {}
        self.agreed: set[int] = set()
        self.told: list[str] = []

    def people(self) -> Mapping[int, Person]:
        return self.present

    def heard(self) -> set[int]:
        return self.agreed & self.present.keys()

    def hears(self, user_id: int) -> bool:
        return user_id in self.heard()

    async def tell(self, text: str) -> None:
        self.told.append(text)


class Utterance:
    """Something that is said; nobody hears it before `Playback.hear`."""

    def __init__(self, playback: Playback, first_packet: Callable[[float], None] | None) -> None:
        self.playback = playback
        self.first_packet = first_packet
        self.phrases: list[str] = []
        self.words: list[str] = []
        self.seconds: list[float] = []
        self.played = 0
        self.finished = False
        self.over: asyncio.Future[Heard] = asyncio.get_running_loop().create_future()

    def add(self, text: str, sound: Sound) -> None:
        if not self.over.done():
            self.words.append(text)
            self.seconds.append(sound.seconds)
            self.phrases.append(sound.pcm.decode("utf-16-le").strip())
            self.playback.go_on()

    def finish(self) -> None:
        self.finished = True
        self.playback.go_on()

    def heard(self) -> Heard:
        whole = self.finished and self.played == len(self.words)
        return Heard(" ".join(filter(None, self.words[: self.played])), float(self.played), whole)

    def left_s(self) -> float:
        return 0.0 if self.over.done() else sum(self.seconds[self.played :])

    async def done(self) -> Heard:
        return await asyncio.shield(self.over)


class Playback:
    """Implements `parts.Playback`; by itself it plays everything at once."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.utterances: list[Utterance] = []
        self._paused = False
        self.by_itself = True
        self.calls: list[str] = []

    def begin(self, *, first_packet: Callable[[float], None] | None = None) -> Utterance:
        utterance = Utterance(self, first_packet)
        self.utterances.append(utterance)
        return utterance

    def pause(self) -> None:
        self.calls.append("pause")
        self._paused = self.playing

    def resume(self) -> None:
        self.calls.append("resume")
        self._paused = False
        self.go_on()

    def stop(self) -> Heard | None:
        self.calls.append("stop")
        self._paused = False
        left = self._left()
        for utterance in left:
            utterance.over.set_result(utterance.heard())
        return left[0].heard() if left else None

    @property
    def playing(self) -> bool:
        return bool(self._left())

    def hear(self, phrases: int) -> None:
        """So many phrases of what is being said are heard."""
        assert not self._paused
        current = self._left()[0]
        if not current.played and current.first_packet is not None:
            current.first_packet(self.clock())
        current.played += phrases
        assert current.played <= len(current.phrases)
        self._end()

    def go_on(self) -> None:
        while (
            self.by_itself and not self._paused and (left := self._left()) and left[0].played < len(left[0].phrases)
        ):
            self.hear(len(left[0].phrases) - left[0].played)
        self._end()

    def paused(self) -> bool:
        """Whether it keeps what is left until it is to go on."""
        return self._paused

    @property
    def said(self) -> list[str]:
        """All that was heard, our own sentences included."""
        return [phrase for utterance in self.utterances for phrase in utterance.phrases[: utterance.played]]

    @property
    def given(self) -> list[str]:
        """All that was to be said."""
        return [phrase for utterance in self.utterances for phrase in utterance.phrases]

    def _left(self) -> list[Utterance]:
        return [utterance for utterance in self.utterances if not utterance.over.done()]

    def _end(self) -> None:
        while not self._paused and (left := self._left()) and left[0].finished and left[0].heard().whole:
            left[0].over.set_result(left[0].heard())


class Gate:
    """Holds threads up while it is closed."""

    def __init__(self) -> None:
        self._open = True
        self._steps = 0
        self._changed = threading.Condition()
        self.waiting = 0
        """How often somebody came."""

    def close(self) -> None:
        self._open = False

    def open(self) -> None:
        with self._changed:
            self._open = True
            self._changed.notify_all()

    def step(self) -> None:
        """Lets one through."""
        with self._changed:
            self._steps += 1
            self._changed.notify_all()

    def __call__(self) -> None:
        with self._changed:
            self.waiting += 1
            assert self._changed.wait_for(lambda: self._open or self._steps, 3 * PATIENCE_S)
            if not self._open:
                self._steps -= 1
