"""Answers one question after the other, and remembers what was heard of each.

Whoever speaks while something is said to anybody, and turns out to mean us, ends it. A question that was already
being asked when the answer to another began waits for its turn.
"""

from __future__ import annotations

import asyncio
import logging
from itertools import count
from typing import TYPE_CHECKING, Final

import msgspec

from trainer.conversations import Turn
from trainer.speech.speakable import language_of
from voice_sidecar.conversation import wording
from voice_sidecar.conversation.answers import Answer, own_sentence
from voice_sidecar.conversation.filler import Filler
from voice_sidecar.conversation.going_on import relation
from voice_sidecar.conversation.memory import Memory
from voice_sidecar.conversation.mouth import Piece, Speech
from voice_sidecar.conversation.turn import Outcome, SpokenTurn
from voice_sidecar.conversation.waiting import Waiting
from voice_sidecar.conversation.windows import Windows

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable

    from voice_sidecar.conversation.asking import Found
    from voice_sidecar.conversation.mouth import Mouth, Said
    from voice_sidecar.conversation.outages import Part
    from voice_sidecar.conversation.tongues import Tongues
    from voice_sidecar.conversation.tools import Tools

ANNOUNCED_MOST: Final = 4
"""Things that others want said, which wait."""

log = logging.getLogger(__name__)


class _Announcement:
    """Something that is said to all."""

    def __init__(self, key: int, piece: Piece) -> None:
        self.key = key
        self.piece = piece
        self.over = asyncio.Event()


class Replies:
    """What is said in a call, in its order. All methods are called in the event loop.

    Args:
        tools: who answers.
        mouth: says it.
        tongues: who speaks which language.
        failed: told that a part failed; whether that is to be said.
        works: told that a part works.
        report: told what became of a turn.
        changed: told that `next_deadline` may have come nearer.
    """

    def __init__(
        self,
        tools: Tools,
        mouth: Mouth,
        tongues: Tongues,
        failed: Callable[[Part], bool],
        works: Callable[[Part], None],
        report: Callable[[SpokenTurn, Outcome], None],
        changed: Callable[[], None],
    ) -> None:
        self.windows = Windows(tools.settings.follow_up_s)
        self._tools = tools
        self._mouth = mouth
        self._tongues = tongues
        self._failed = failed
        self._works = works
        self._report = report
        self._changed = changed
        self._memory = Memory()
        self._waiting: Waiting[SpokenTurn] = Waiting(tools.settings.waiting_most)
        self._announcements: Waiting[_Announcement] = Waiting(ANNOUNCED_MOST)
        self._keys = count()
        self._current: SpokenTurn | _Announcement | None = None
        self._worker: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._unsettled: dict[SpokenTurn, Answer] = {}
        """Those of which something may still be kept."""

    @property
    def idle(self) -> bool:
        """Nothing is being said or prepared."""
        return self._current is None and not self._waiting and not self._announcements

    def take(self, turn: SpokenTurn, *, interrupts: bool) -> bool:
        """Answer a turn, now or when its time comes; whether what was being said is over by that.

        Args:
            turn: what was said.
            interrupts: it made us fall silent, or wait. Whoever began before we did meant no interruption.
        """
        over = goes_on = False
        current = None if isinstance(self._current, SpokenTurn) and self._current.cut else self._current
        before = self._waiting.of(turn.user_id)
        if before is not None and relation(before.course, turn.began_at) != "new":
            turn.go_on_from(before)  # in its place, where it keeps no answer from being heard
        else:
            before = None
            over = current is not None and self._ends(current, turn, interrupts=interrupts)
            goes_on = turn.parts > 1
        self.windows.begin(turn.user_id)
        turn.waited = current is not None and not over
        displaced = self._waiting.add(turn.user_id, turn, first=goes_on)
        if displaced is not None:
            replaced = Outcome.REPLACED if before is None else Outcome.CONTINUED
            self._report(displaced, Outcome.BUSY if displaced is turn else replaced)
            if displaced is turn:
                self.windows.close(turn.user_id)
                turn.filler.over()
        self._work()
        return over

    def _ends(self, current: SpokenTurn | _Announcement, turn: SpokenTurn, *, interrupts: bool) -> bool:
        """Whether a turn ends what is being said, which it has then done."""
        began = self._mouth.audio_at
        into = interrupts and began is not None and turn.began_at >= began
        if not isinstance(current, SpokenTurn) or current.user_id != turn.user_id:
            if into:
                self._cut(current)
            return into
        related = relation(current.course, turn.began_at)
        if related == "more":
            turn.go_on_from(current)
        elif related == "too_much" and not into:
            return False
        self._cut(current, continued=related == "more")
        return True

    def stop(self, user_id: int, *, everything: bool) -> None:
        """Somebody wants to hear no more: of what is said to them, or of anything."""
        current = self._current
        own = isinstance(current, SpokenTurn) and current.user_id == user_id
        if current is not None and (own or (everything and self._mouth.speaking)):
            self._cut(current)
        dropped = self._waiting.drop(user_id)
        if dropped is not None:
            self._report(dropped, Outcome.REPLACED)
        self.windows.close(user_id)

    def left(self, user_id: int) -> None:
        """Somebody went: nothing of theirs is answered, kept or remembered that is not yet."""
        for turn, answer in self._unsettled.items():
            if turn.user_id == user_id:
                turn.gone = True
                answer.cancel()
        waiting = self._waiting.drop(user_id)
        if waiting is not None:
            waiting.gone = True
            self._report(waiting, Outcome.GONE)
        current = self._current
        if isinstance(current, SpokenTurn) and current.user_id == user_id:
            current.gone = True
            self._cut(current)
        self.windows.close(user_id)

    def forget(self, user_id: int) -> None:
        """Nothing is remembered of somebody."""
        self._memory.forget(user_id)

    def tell_all(self, sentence: str, language: str) -> None:
        """Say a sentence of ours, in its order."""
        self._announce(own_sentence(sentence, language))

    async def announce(self, text: str, language: str) -> None:
        """Say something to all, in its order; returns when it was said, stopped, or too much waits."""
        announcement = self._announce(Piece(text, language or language_of(text, self._tongues.of(None)), own=True))
        if announcement is not None:
            await announcement.over.wait()

    def ask_for_patience(self, turn: SpokenTurn) -> bool:
        """Say that it takes a moment; whether that was said."""
        piece = own_sentence(wording.ONE_MOMENT, turn.language)
        return self._mouth.fill(piece.text, piece.language)

    def tick(self, now: float) -> None:
        """Time passed."""
        current = self._current
        if isinstance(current, SpokenTurn) and current.cut is None and current.filler.due(now):
            current.filled = self.ask_for_patience(current) or current.filled
        self._memory.expire(self._tools.now())

    def next_deadline(self) -> float | None:
        """When `tick` is due."""
        return self._current.filler.deadline() if isinstance(self._current, SpokenTurn) else None

    async def close(self) -> None:
        """Fall silent, and forget everything."""
        current = [self._current] if isinstance(self._current, SpokenTurn) else []
        for turn in [*current, *self._unsettled, *self._waiting.clear()]:
            turn.gone = True
            self._report(turn, Outcome.GONE)
        for answer in self._unsettled.values():
            answer.cancel()
        for announcement in self._announcements.clear():
            announcement.over.set()
        tasks = [*self._tasks, *([self._worker] if self._worker is not None else [])]
        for task in tasks:
            task.cancel()
        self._mouth.close()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._memory.clear()

    def _announce(self, piece: Piece) -> _Announcement | None:
        announcement = _Announcement(next(self._keys), piece)
        if self._announcements.add(announcement.key, announcement) is not None:
            log.warning("nothing said", extra={"reason": "busy"})
            return None
        self._work()
        return announcement

    def _cut(self, current: SpokenTurn | _Announcement, *, continued: bool = False) -> None:
        if isinstance(current, SpokenTurn):
            current.filler.over()
            if current.gone:
                current.cut = Outcome.GONE
            elif continued:
                current.cut = Outcome.CONTINUED
            else:
                heard = self._mouth.heard if current.filled else self._mouth.audio_at is not None
                current.cut = Outcome.CUT if heard else Outcome.REPLACED
            if current in self._unsettled:
                self._unsettled[current].cancel()
        self._mouth.stop()

    def _work(self) -> None:
        if self._worker is None or self._worker.done():
            self._worker = asyncio.get_running_loop().create_task(self._all())

    async def _all(self) -> None:
        while (item := self._waiting.take() or self._announcements.take()) is not None:
            self._current = item
            try:
                if isinstance(item, SpokenTurn):
                    await self._reply(item)
                else:
                    await self._say(None, self._tools.new_id(), _only(item.piece))
            except Exception as error:  # noqa: BLE001 - whatever it is, the call goes on
                log.error("not answered", extra={"error": type(error).__name__})  # noqa: TRY400 - no traceback
                self._mouth.stop()
                if isinstance(item, SpokenTurn):
                    self._report(item, Outcome.FAILED)
            finally:
                self._current = None
                if isinstance(item, SpokenTurn):
                    item.filler.over()
                    self.windows.end(item.user_id, self._tools.clock())
                else:
                    item.over.set()

    async def _reply(self, turn: SpokenTurn) -> None:
        self.windows.begin(turn.user_id)
        if turn.acknowledge:
            turn.filler.over()
            await self._say(turn, turn.id, _only(own_sentence(wording.LISTENING, turn.language)))
            self._report(turn, turn.cut or Outcome.ACKNOWLEDGED)
            return
        if turn.waited:
            # What had to wait for another answer gets its own time.
            turn.filler = Filler(self._tools.settings.filler_s, self._tools.clock())
        turn.filler.ours()
        self._changed()
        former = self._memory.former(turn.user_id, self._tools.now())
        answer = Answer(turn, former, self._tools, self._failed, self._works)
        self._unsettled[turn] = answer
        played: asyncio.Future[Said] = asyncio.get_running_loop().create_future()
        settling = asyncio.get_running_loop().create_task(self._settle(turn, answer, played))
        self._tasks.add(settling)
        settling.add_done_callback(self._tasks.discard)
        try:
            said = await self._say(turn, turn.id, answer.pieces(), answer)
        except BaseException:
            played.cancel()
            raise
        turn.heard_s = said.heard.seconds
        if said.heard.text and not turn.gone and not answer.found.done():
            # What follows may lean on it, and it may be long until the rest of it is known.
            self._memory.add(turn.user_id, _remembered(turn, said.heard.text, self._tools.now()), self._tools.now())
        elif answer.found.done():
            self._remember(turn, answer, said)
        played.set_result(said)
        self._report(turn, turn.cut or (Outcome.FAILED if said.failed else answer.outcome))

    async def _say(
        self, turn: SpokenTurn | None, turn_id: str, pieces: AsyncGenerator[Piece, None], answer: Answer | None = None
    ) -> Said:
        rest = answer.rest if answer is not None else _no_rest
        asker = turn.user_id if turn is not None else None
        on_audio = turn.audio if turn is not None else _unheeded
        said = await self._mouth.say(Speech(asker, turn_id, pieces, rest, on_audio))
        if said.failed:
            self._failed("voice")
        elif said.heard.seconds:
            self._works("voice")
        return said

    async def _settle(self, turn: SpokenTurn, answer: Answer, played: asyncio.Future[Said]) -> None:
        """Keeps what is to be kept of an answer, once it is there, and once it was heard."""
        try:
            found = await asyncio.shield(answer.found)
            await self._show(turn, found)
            said = await played
            heard = self._remember(turn, answer, said)
            if heard is not None and found.record is not None:
                loop = asyncio.get_running_loop()
                await loop.run_in_executor(self._tools.pools.answering, self._tools.ask.remember, found, heard)
        except Exception as error:  # noqa: BLE001 - it was told, or is a courtesy
            log.info("nothing remembered", extra={"error": type(error).__name__})
        finally:
            self._unsettled.pop(turn, None)

    async def _show(self, turn: SpokenTurn, found: Found) -> None:
        if found.record is None or turn.gone or self._tools.keeps is None:
            return
        try:
            await self._tools.keeps.answered(found.record)
        except Exception as error:  # noqa: BLE001 - it was said, and is kept
            log.warning("answer not shown", extra={"error": type(error).__name__})

    def _remember(self, turn: SpokenTurn, answer: Answer, said: Said) -> str | None:
        """Remembers as much of an answer as the person knows; that, or None if nothing is to be remembered."""
        if turn.gone or answer.found.cancelled() or answer.found.exception() is not None:
            return None
        found = answer.found.result()
        if not found.remembered:
            self._memory.forget(turn.user_id)
            return None
        heard = known_of(found, said, cut=turn.cut is not None)
        if not heard and turn.cut is not None:
            return None
        self._memory.add(turn.user_id, msgspec.structs.replace(found.turn, answer=heard), self._tools.now())
        return heard


def known_of(found: Found, said: Said, *, cut: bool) -> str:
    """What a person knows of an answer: all of it, if it was heard to its end, or is written in the chat."""
    written = found.record is not None and not cut
    whole = said.heard.whole and not (cut or said.failed or said.shortened)
    return found.answer.text if written or whole else said.heard.text


def _remembered(turn: SpokenTurn, heard: str, now: float) -> Turn:
    return Turn(id=turn.id, question=turn.question, answer=heard, topic=turn.question, at=now)


async def _only(piece: Piece) -> AsyncGenerator[Piece, None]:
    yield piece


async def _no_rest() -> Piece | None:
    return None


def _unheeded(_: float) -> None:
    """Nobody asks when it was heard."""
