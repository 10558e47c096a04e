"""Hears when a person begins to speak, pauses, goes on and is finished. Pure: no clock, no thread.

Time is that of the sound: a window is as late as its position says, however late it came (see `windows`), so jitter
and bursts change nothing. Where nothing comes, as Discord's clients send nothing in silence, `tick` tells that time
passed. Both lead to the same two deadlines of a pause: one after which recognition may begin, and one that ends the
turn. The second is the speaker's own (see `silence`) unless a verdict of a semantic detector says better.

A turn holds at most a minute of sound (see `Settings.longest`), and between turns a third of a second is kept.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Final

from voice_sidecar.turns.events import (
    Dropped,
    DropReason,
    Ending,
    Paused,
    SpeechBegan,
    SpeechGoesOn,
    TurnEnded,
    TurnEvent,
    WentOn,
)
from voice_sidecar.turns.settings import Settings
from voice_sidecar.turns.silence import AdaptiveSilence
from voice_sidecar.turns.turn import Turn
from voice_sidecar.turns.vad import RATE, WINDOW
from voice_sidecar.turns.windows import Quiet, Window, Windows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from voice_sidecar.receiving.speaker import Chunk
    from voice_sidecar.turns.vad import Vad

_NEVER: Final = -(1 << 62)  # a position
_FORGETS: Final = RATE // 4  # samples of silence after which the model begins anew
_SPARSE: Final = RATE  # samples by which there must be enough voice: clicks again and again are no turn
_SOON: Final = 0.9  # of the longest turn: from there on any pause ends it


class Ear:
    """Listens to one person.

    Args:
        user_id: Whom.
        vad: For this stream alone.
        settings: See there.
        turns: Gives each turn its number; several ears may share it.
    """

    def __init__(
        self, user_id: int, vad: Vad, settings: Settings | None = None, *, turns: Iterator[int] | None = None
    ) -> None:
        self.user_id = user_id
        self.settings = settings or Settings()
        self.silence = AdaptiveSilence(self.settings)
        self._vad = vad
        self._turns = turns or count(1)
        self._windows = Windows()
        self._voiced = False  # the last window
        self._quiet_for = 0  # samples, since the last window
        self._turn: Turn | None = None
        self._before = bytearray()  # sound before the first voice of a turn
        self._ended = _NEVER  # the position where the voice of the turn before ended
        self._events: list[TurnEvent] = []

    def feed(self, chunk: Chunk, now: float) -> list[TurnEvent]:
        """Takes the next piece of this person's sound, when it came.

        Raises:
            ValueError: If it is somebody else's.
        """
        if chunk.user_id != self.user_id:
            raise ValueError("the sound of somebody else")
        for step in self._windows.take(chunk, now, in_turn=self._turn is not None):
            self._step(step)
        return self._told()

    def tick(self, now: float) -> list[TurnEvent]:
        """Time passed and nothing came. Does nothing before `next_deadline`."""
        deadline = self.next_deadline()
        if deadline is None or now < deadline:
            return []
        for step in self._windows.flush():
            self._step(step)
        self._pass(now)
        return self._told()

    def next_deadline(self) -> float | None:
        """When `tick` is due, if nothing comes until then; None between turns."""
        return None if self._turn is None else self._deadline(self._turn)

    def verdict(self, turn: int, probability: float, now: float, *, pause: int | None = None) -> list[TurnEvent]:
        """Takes a semantic detector's answer to a `Paused`.

        An answer about a turn that is over, or about a pause after which the person went on, is ignored, and so is
        a second one about the same pause.

        Args:
            turn: That of the `Paused`.
            probability: That the turn is over, 0 to 1.
            now: When the answer came.
            pause: That of the `Paused`. Without it the answer is taken to be about the present pause.
        """
        current = self._turn
        if current is None or current.number != turn or current.paused is None or current.verdict is not None:
            return []
        if pause is not None and pause != current.pauses:
            return []
        current.verdict = probability
        return self.tick(now)

    def _told(self) -> list[TurnEvent]:
        events, self._events = self._events, []
        return events

    def _step(self, step: Window | Quiet) -> None:
        if isinstance(step, Quiet):
            self._quiet(step)
            return
        if self._quiet_for >= _FORGETS:
            self._vad.reset()
        self._quiet_for = 0
        threshold = self.settings.stop if self._voiced else self.settings.start
        self._voiced = self._vad.probability(step.pcm.ljust(2 * WINDOW, b"\0")) >= threshold
        self._pass(self._windows.clock(step.start if self._voiced else step.end))
        if self._voiced:
            self._voice(step)
        else:
            self._keep(step.pcm)
        turn = self._turn
        if turn is None:
            return
        if self._short(turn) and turn.samples >= _SPARSE and not self._voiced:
            self._drop(turn)
        elif turn.seconds >= self.settings.longest:
            self._end(turn, turn.paused or self._pause(turn), Ending.LONG)
            if self._voiced:
                self._ended = _NEVER  # that the person goes on says nothing about their pauses

    def _quiet(self, step: Quiet) -> None:
        length = step.end - step.start
        self._voiced = False
        self._quiet_for += length
        self._pass(self._windows.clock(step.end))
        if self._turn is None:
            length = min(length, self._padding)
        self._keep(bytes(2 * length))

    def _keep(self, pcm: bytes) -> None:
        """Sound without voice."""
        if self._turn is not None:
            self._turn.add(pcm)
            return
        self._before += pcm
        del self._before[: max(0, len(self._before) - 2 * self._padding)]

    @property
    def _padding(self) -> int:
        return round(self.settings.padding * RATE)

    def _voice(self, window: Window) -> None:
        turn = self._turn
        if turn is None:
            turn = self._begin(window.start)
        elif turn.paused is not None:
            self.silence.went_on_after((window.start - turn.last_voiced) / RATE)
            turn.paused = turn.verdict = None
            self._events.append(WentOn(self.user_id, turn.number))
        turn.add_voice(window.pcm, window.end)
        at = self._windows.clock(window.end)
        self._events.append(SpeechGoesOn(self.user_id, turn.number, turn.voiced_s, at))

    def _begin(self, position: int) -> Turn:
        pause = (position - self._ended) / RATE
        if pause <= self.settings.same_breath:
            self.silence.went_on_after(pause)
        self._turn = Turn(next(self._turns), bytearray(2 * round(self.settings.lead * RATE)) + self._before)
        self._before.clear()
        self._events.append(SpeechBegan(self.user_id, self._turn.number, self._windows.clock(position)))
        return self._turn

    def _pass(self, now: float) -> None:
        """Time passed without voice."""
        while self._turn is not None and now >= self._deadline(self._turn):
            if self._turn.paused is not None:
                self._end(self._turn, self._turn.paused, self._wait(self._turn)[1])
            elif self._short(self._turn):
                self._drop(self._turn)
            else:
                self._pause(self._turn)

    def _short(self, turn: Turn) -> bool:
        return turn.voiced_s < self.settings.least_voice

    def _deadline(self, turn: Turn) -> float:
        if turn.paused is not None:
            wait, _ = self._wait(turn)
        else:
            wait = self.settings.least_pause if self._short(turn) else self.settings.short_pause
        return self._windows.clock(turn.last_voiced) + wait

    def _wait(self, turn: Turn) -> tuple[float, Ending]:
        """The pause that ends a turn, and what it then ended by."""
        settings, own = self.settings, self.silence.wait
        if turn.seconds >= settings.longest * _SOON:
            return settings.short_pause, Ending.LONG
        if turn.verdict is not None and turn.verdict >= settings.complete_from:
            return min(own, max(self.silence.usual, settings.complete_pause)), Ending.COMPLETE
        if turn.verdict is not None and turn.verdict < settings.incomplete_below:
            return settings.incomplete_pause, Ending.WAITED
        return own, Ending.SILENCE

    def _pause(self, turn: Turn) -> Paused:
        turn.pauses += 1
        at = self._windows.clock(turn.last_voiced)
        turn.paused = Paused(self.user_id, turn.number, turn.sound(), turn.voiced_s, at, turn.pauses)
        self._events.append(turn.paused)
        return turn.paused

    def _end(self, turn: Turn, paused: Paused, reason: Ending) -> None:
        self._events.append(TurnEnded(*paused[:5], reason))
        self._ended = turn.last_voiced
        self._forget(turn)

    def _drop(self, turn: Turn) -> None:
        self._events.append(Dropped(self.user_id, turn.number, DropReason.SHORT))
        self._forget(turn)

    def _forget(self, turn: Turn) -> None:
        """What came after its voice may be the quiet beginning of the next one's."""
        self._turn = None
        self._keep(turn.after_voice())
