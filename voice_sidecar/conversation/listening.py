"""The ears of one call, and what they hear made into words: begun at a pause, thrown away if the person goes on."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, NamedTuple

from trainer.ports import Cancellation
from voice_sidecar.turns.events import Paused, TurnEnded, WentOn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Future

    from trainer.ports.speech import Sound, Transcript
    from voice_sidecar.conversation.tongues import Tongues
    from voice_sidecar.conversation.tools import Tools
    from voice_sidecar.receiving.speaker import Chunk
    from voice_sidecar.turns.ear import Ear
    from voice_sidecar.turns.events import TurnEvent

    OnEvent = Callable[[TurnEvent, "Recognition | None"], None]

log = logging.getLogger(__name__)


class Recognition(NamedTuple):
    """A sound that is being made into words."""

    turn_id: str
    words: asyncio.Future[Transcript]
    """Cancelled once nobody wants to know."""
    guessed: bool
    """It began before it was sure that the turn was over."""


class Listening:
    """Hears people. All methods are called in the event loop.

    Args:
        tools: ears and the recogniser.
        tongues: which languages may be spoken.
        on_event: told of each event, and with `TurnEnded` the words that will come; None with it if too many sounds
            wait to be recognised, or there is no recogniser.
        changed: told that `next_deadline` may have come nearer.
    """

    def __init__(self, tools: Tools, tongues: Tongues, on_event: OnEvent, changed: Callable[[], None]) -> None:
        self._tools = tools
        self._tongues = tongues
        self._on_event = on_event
        self._changed = changed
        self._ears: dict[int, Ear] = {}
        self._guesses: dict[int, tuple[int, Recognition]] = {}
        """Of each person: the turn, and its sound as far as the pause that the person may be making."""
        self._verdicts: set[asyncio.Task[None]] = set()
        self._running = 0
        """Sounds that are being recognised or wait for it, those included that nobody wants any more."""

    def hear(self, chunks: Iterable[Chunk], allowed: Callable[[int], bool]) -> float | None:
        """Sound. That of people who may not be heard is not looked at.

        Returns:
            When `tick` is due for those who were heard.
        """
        deadlines = []
        for chunk in chunks:
            if not allowed(chunk.user_id):
                continue
            ear = self._ears.get(chunk.user_id)
            if ear is None:
                ear = self._ears[chunk.user_id] = self._tools.ear(chunk.user_id)
            self._tell(ear.feed(chunk, self._tools.clock()))
            deadlines.append(ear.next_deadline())
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def tick(self, now: float) -> None:
        """Time passed."""
        for ear in list(self._ears.values()):
            self._tell(ear.tick(now))

    def next_deadline(self) -> float | None:
        """When `tick` is due."""
        deadlines = (ear.next_deadline() for ear in self._ears.values())
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def forget(self, user_id: int) -> None:
        """Drop everything of somebody."""
        self._ears.pop(user_id, None)
        self._unguess(user_id)

    def close(self) -> None:
        """Drop everything."""
        for user_id in list(self._ears):
            self.forget(user_id)
        for verdict in self._verdicts:
            verdict.cancel()

    def _tell(self, events: Iterable[TurnEvent]) -> None:
        for event in events:
            recognition = None
            match event:
                case Paused():
                    self._guess(event)
                case WentOn():
                    self._unguess(event.user_id)
                case TurnEnded():
                    recognition = self._ended(event)
                case _:
                    pass
            self._on_event(event, recognition)

    def _guess(self, event: Paused) -> None:
        self._unguess(event.user_id)
        if self._running < self._tools.settings.recognised_at_once:
            recognition = self._recognise(event.user_id, event.sound, guessed=True)
            if recognition is not None:
                self._guesses[event.user_id] = (event.turn, recognition)
        if self._tools.endpoint is not None:
            verdict = asyncio.get_running_loop().create_task(self._ask_endpoint(event))
            self._verdicts.add(verdict)
            verdict.add_done_callback(self._verdicts.discard)

    async def _ask_endpoint(self, event: Paused) -> None:
        assert self._tools.endpoint is not None  # noqa: S101 - only then is this called
        loop = asyncio.get_running_loop()
        pool = self._tools.pools.judging
        try:
            probability = await loop.run_in_executor(pool, self._tools.endpoint.probability, event.sound)
        except Exception as error:  # noqa: BLE001 - silence tells it as well
            log.warning("no verdict about a pause", extra={"error": type(error).__name__})
            return
        ear = self._ears.get(event.user_id)
        if ear is not None:
            self._tell(ear.verdict(event.turn, probability, self._tools.clock(), pause=event.pause))
            self._changed()

    def _unguess(self, user_id: int) -> None:
        guess = self._guesses.pop(user_id, None)
        if guess is not None:
            guess[1].words.cancel()

    def _ended(self, event: TurnEnded) -> Recognition | None:
        guess = self._guesses.pop(event.user_id, None)
        if guess is not None and guess[0] == event.turn:
            return guess[1]
        if self._running >= self._tools.settings.recognising_most:
            return None
        return self._recognise(event.user_id, event.sound, guessed=False)

    def _recognise(self, user_id: int, sound: Sound, *, guessed: bool) -> Recognition | None:
        if self._tools.recognise is None:
            return None
        turn_id = self._tools.new_id()
        languages = self._tongues.expected(user_id)
        recognise, cancellation = self._tools.recognise, Cancellation()

        def recognised() -> Transcript:
            with cancellation.scope():
                return recognise(sound, languages, turn_id)

        running = self._tools.pools.recognising.submit(recognised)
        self._running += 1
        loop = asyncio.get_running_loop()

        def no_longer(_: Future[Transcript]) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody counts any more
                loop.call_soon_threadsafe(self._over)

        running.add_done_callback(no_longer)
        words = asyncio.wrap_future(running)
        words.add_done_callback(lambda words: cancellation.cancel() if words.cancelled() else None)
        words.add_done_callback(_looked_at)
        return Recognition(turn_id, words, guessed)

    def _over(self) -> None:
        self._running -= 1


def _looked_at(words: asyncio.Future[Transcript]) -> None:
    """A failure that nobody waits for any more is no news."""
    if not words.cancelled():
        words.exception()
