"""Playback in one voice connection: a thread that sends a packet every 20 ms, and makes packets in between.

All methods are called in the event loop and return at once. The thread alone calls the connection, without holding
the lock, so that neither waits for the other.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import threading
import time
from typing import TYPE_CHECKING, Final, NamedTuple

from voice_sidecar.parts import Heard, Playback, Utterance
from voice_sidecar.playback.opus import Encoding, VoiceEncoder
from voice_sidecar.playback.pacing import Pace
from voice_sidecar.playback.phrases import Phrase, encoded
from voice_sidecar.playback.programme import Programme, Timing
from voice_sidecar.playback.sound import HIGHEST_RATE, LOWEST_RATE, without_lead
from voice_sidecar.playback.track import Due, Track

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainer.ports.speech import Sound
    from voice_sidecar.parts import PacketSink

_MARGIN: Final = 0.005
"""Seconds before a packet is due in which none are made: making some takes 1 to 3 ms."""
_FAREWELL: Final = 1.0
"""Seconds that `close` waits for a packet that is just being sent."""

log = logging.getLogger(__name__)


class Counts(NamedTuple):
    """Since the player was made."""

    sent: int
    """Packets that the connection took, of sound and of silence."""
    refused: int
    """Packets that it did not take."""
    late_s: float
    """Seconds by which sound was delayed, as this process did not get to send it in time."""


class Player(Playback):
    """Implements `parts.Playback` over a connection.

    Args:
        sink: the connection.
        timing: silences and patience.
        encoding: loudness and bit rate.
        clock: seconds that never go back; `first_packet` is told them.
        wait: waits for a condition, whose lock is held, to be notified, or for seconds to pass.

    Raises:
        opuslib_next.OpusError: If libopus does not take the encoding.
    """

    def __init__(
        self,
        sink: PacketSink,
        *,
        timing: Timing = Timing(),  # noqa: B008  # it cannot be changed
        encoding: Encoding = Encoding(),  # noqa: B008  # it cannot be changed
        clock: Callable[[], float] = time.monotonic,
        wait: Callable[[threading.Condition, float | None], object] = threading.Condition.wait,
    ) -> None:
        VoiceEncoder(encoding)  # what is wrong with it shows now, and not with every phrase
        self._sink = sink
        self._encoding = encoding
        self._clock = clock
        self._wait = wait
        self._changed = threading.Condition()  # guards everything below, and is notified of it
        self._programme = Programme(timing)
        self._pace = Pace()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._speaking = False
        self._failed = False
        self._sent = 0
        self._refused = 0

    def begin(self, *, first_packet: Callable[[float], None] | None = None) -> Utterance:
        """A new utterance, after those that wait.

        Where nothing is being played, silence is sent from now on, so that its first phrase need not wait for the
        200 ms that clients do not play. So it is best called as soon as something will be said.

        Args:
            first_packet: called in the event loop with the time at which its first audible packet was sent.

        Returns:
            One that has ended, with nothing heard, once the player is closed.
        """
        utterance = _Playing(self._changed, self._programme, self._encoding, first_packet)
        with self._changed:
            if self._closed:
                utterance.track.end()
                return utterance
            self._programme.begin(utterance.track)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="playback", daemon=True)
                self._thread.start()
            self._changed.notify()
        return utterance

    def pause(self) -> None:
        """Falls silent: at most the packet that is just being sent follows. Nothing, if nothing is being said."""
        with self._changed:
            self._programme.pause()
            self._changed.notify()

    def resume(self) -> None:
        """Goes on where it paused, from a little before it. Nothing, if it is not paused."""
        with self._changed:
            self._programme.resume()
            self._changed.notify()

    def stop(self) -> Heard | None:
        """Falls silent and drops everything that is left, also what waits.

        Returns:
            What was heard of what was being said, or was next; None if there was nothing.
        """
        with self._changed:
            heard = self._programme.stop()
            self._changed.notify()
        return heard

    @property
    def playing(self) -> bool:
        """Something is being said, or is paused, or waits for its next phrase."""
        with self._changed:
            return self._programme.playing

    @property
    def counts(self) -> Counts:
        """For metrics."""
        with self._changed:
            return Counts(self._sent, self._refused, self._pace.late)

    def close(self) -> None:
        """Stops at once, and for good. A second time it does nothing."""
        with self._changed:
            self._closed = True
            self._programme.stop()
            self._changed.notify()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(_FAREWELL)

    def _run(self) -> None:
        try:
            while (step := self._next()) is not None:
                step()
        finally:
            with self._changed:
                self._closed = True
                self._programme.stop()  # nobody is to wait for a thread that is no more
            self._show(speaking=False)

    def _next(self) -> Callable[[], None] | None:
        """What the thread does next, once it is time; None: end."""
        with self._changed:
            while not self._closed:
                due = self._programme.due()
                if due is None and self._speaking:
                    return self._fall_silent
                wait = None if due is None else self._pace.wait(self._clock())
                if due is not None and wait is not None and wait <= 0:
                    return lambda: self._send(due)
                phrase = self._programme.unmade()
                if phrase is not None and (wait is None or wait > _MARGIN):
                    return lambda: self._make(phrase)
                self._wait(self._changed, wait)
        return None

    def _send(self, due: Due) -> None:
        self._show(speaking=True)
        taken = False
        try:
            taken = self._sink.send(due.packet.data)
        except Exception as error:  # noqa: BLE001 - whatever is wrong with the connection, the packet was not sent
            self._tell(error)
        with self._changed:
            now = self._clock()
            self._programme.sent(due, now, taken=taken)
            self._pace.sent(now)
            self._sent += taken
            self._refused += not taken

    def _fall_silent(self) -> None:
        with self._changed:
            self._programme.rest()
            self._pace.rest()
        self._show(speaking=False)

    def _make(self, phrase: Phrase) -> None:
        """Makes a few packets of a phrase."""
        packets = None
        broken = False
        try:
            packets = None if phrase.source is None else next(phrase.source, None)
        except Exception as error:  # noqa: BLE001 - one phrase that cannot be played must not end all playback
            broken = True
            self._tell(error)
        with self._changed:
            self._programme.grow(phrase, packets, broken=broken)

    def _show(self, *, speaking: bool) -> None:
        if self._speaking == speaking:
            return
        self._speaking = speaking
        try:
            self._sink.speaking(speaking)
        except Exception as error:  # noqa: BLE001 - sound is heard without it, too
            self._tell(error)

    def _tell(self, error: Exception) -> None:
        """Logs the first failure of a kind that should not happen; the next would be 50 a second."""
        if not self._failed:
            self._failed = True
            log.error("playback failed", extra={"error": type(error).__name__})


class _Playing(Utterance):
    """An utterance of a player."""

    def __init__(
        self,
        changed: threading.Condition,
        programme: Programme,
        encoding: Encoding,
        first_packet: Callable[[float], None] | None,
    ) -> None:
        self._changed = changed
        self._programme = programme
        self._encoding = encoding
        self._loop = asyncio.get_running_loop()
        self._first_packet = first_packet
        self._done: asyncio.Future[Heard] = self._loop.create_future()
        self.track = Track(self._began, self._ended)

    def add(self, text: str, sound: Sound) -> None:
        """The next phrase, with its words. Ignored once stopped or finished.

        Raises:
            ValueError: If its rate is not within 8 to 48 kHz.
        """
        if not LOWEST_RATE <= sound.rate <= HIGHEST_RATE:
            raise ValueError(f"a rate of {sound.rate} Hz, not 8 to 48 kHz")
        sound = without_lead(sound)
        phrase = Phrase(text, encoded(sound, self._encoding), sound.seconds)
        with self._changed:
            self._programme.add(self.track, phrase)
            self._changed.notify()

    def finish(self) -> None:
        """No phrase follows."""
        with self._changed:
            self._programme.finish(self.track)
            self._changed.notify()

    def heard(self) -> Heard:
        """What was heard of it so far."""
        with self._changed:
            return self.track.heard()

    def left_s(self) -> float:
        """Seconds of what was given that are yet to be played; 0 once it is over."""
        with self._changed:
            return self.track.left_s()

    async def done(self) -> Heard:
        """Waits until it was played to its end, was stopped, or given up as the connection took nothing of it."""
        return await asyncio.shield(self._done)

    def _began(self, now: float) -> None:
        if self._first_packet is not None:
            first_packet = self._first_packet
            self._in_loop(lambda: first_packet(now))

    def _ended(self, heard: Heard) -> None:
        self._in_loop(lambda: self._done.set_result(heard))

    def _in_loop(self, call: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is left to be told
            self._loop.call_soon_threadsafe(call)
