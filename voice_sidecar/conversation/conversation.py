"""A conversation with the people of one voice channel.

Sound → ears (`listening`) → turns → who is meant (`deciding`) → answers, one at a time
(`replies`) → speech (`mouth`).
Everything happens in the event loop; models and the store are waited for in threads. Nothing of anybody's voice is
kept: sound is dropped with its turn, words with the conversation.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from trainer.i18n import translator
from voice_sidecar.conversation import wording
from voice_sidecar.conversation.addressing import WakeNames, wake_names
from voice_sidecar.conversation.answers import own_sentence
from voice_sidecar.conversation.barge_in import BargeIn
from voice_sidecar.conversation.deciding import Decision, Situation, decide
from voice_sidecar.conversation.filler import PRESUMED_FROM_S, Filler
from voice_sidecar.conversation.listening import Listening
from voice_sidecar.conversation.models import BudgetUsed
from voice_sidecar.conversation.mouth import Mouth
from voice_sidecar.conversation.outages import Outages
from voice_sidecar.conversation.replies import Replies
from voice_sidecar.conversation.tongues import Tongues, base
from voice_sidecar.conversation.turn import Outcome, SpokenTurn
from voice_sidecar.turns.events import Dropped, Paused, SpeechBegan, SpeechGoesOn, TurnEnded, WentOn
from voice_sidecar.turns.worth import worth_answering

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from trainer.ports.speech import Transcript
    from voice_sidecar.conversation.listening import Recognition
    from voice_sidecar.conversation.outages import Part
    from voice_sidecar.conversation.tools import Tools
    from voice_sidecar.parts import Playback, Room
    from voice_sidecar.receiving.speaker import Chunk
    from voice_sidecar.turns.events import TurnEvent

log = logging.getLogger(__name__)


class Conversation:
    """Hears the people of a voice channel who agreed to it, and answers them. All methods are called in the loop.

    Args:
        room: who is there.
        playback: says things.
        tools: models, threads, clocks, settings.
    """

    def __init__(self, room: Room, playback: Playback, tools: Tools) -> None:
        self._room = room
        self._playback = playback
        self._tools = tools
        settings = tools.settings
        self._names = WakeNames(wake_names(settings.wake_names, room.bot_name))
        self._tongues = Tongues(room.locale)
        self._outages = Outages()
        self._barge_in = BargeIn(voiced_s=settings.barge_in_s, others_most_s=settings.others_most_s)
        self._mouth = Mouth(playback, tools, self._barge_in)
        works = self._outages.works
        self._replies = Replies(tools, self._mouth, self._tongues, self._failed, works, self._report, self._arm)
        self._listening = Listening(tools, self._tongues, self._on_event, self._arm)
        self._began: dict[tuple[int, int], float] = {}
        self._turns: dict[SpokenTurn, Recognition] = {}
        """Those whose words are waited for."""
        self._latest: dict[int, asyncio.Task[None]] = {}
        """What does about each person's last turn what it wants."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        """When the timer is set to."""
        self._closed = False
        if tools.say is None:
            self._failed("voice")
        self._prepare(self._tongues.of(None))

    def hear(self, chunks: list[Chunk]) -> None:
        """Sound, as it comes."""
        if self._closed:
            return
        due = self._sooner(self._listening.hear(chunks, self._room.hears))
        # To look at everybody's deadline after each packet would cost more than the packets. One that is later now
        # than the time that is set makes us look once in vain.
        if due is not None and (self._timer is None or due < self._due):
            self._set_timer(due)

    def tick(self, now: float) -> None:
        """Time passed; `now` is on the clock of the tools. The conversation calls it itself when it is due."""
        if self._closed:
            return
        self._listening.tick(now)
        if self._barge_in.due(now):
            self._playback.resume()
        for turn, recognition in list(self._turns.items()):
            if now >= turn.give_up_at:
                recognition.words.cancel()
            elif turn.filler.due(now):
                self._presume(turn)
        self._replies.tick(now)
        self._arm()

    def next_deadline(self) -> float | None:
        """When something is to be done if nothing happens until then."""
        if self._closed:
            return None
        return self._sooner(self._listening.next_deadline())

    def _sooner(self, heard: float | None) -> float | None:
        """The first of the deadlines of what is heard and of everything else."""
        deadlines = [heard, self._barge_in.deadline(), self._replies.next_deadline()]
        for turn in self._turns:
            deadlines += [turn.give_up_at, turn.filler.deadline()]
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def left(self, user_id: int) -> None:
        """Somebody is not in the channel any more: nothing that they said is answered."""
        self._listening.forget(user_id)
        for key in [key for key in self._began if key[0] == user_id]:
            del self._began[key]
        for turn, recognition in list(self._turns.items()):
            if turn.user_id == user_id:
                turn.gone = True
                recognition.words.cancel()
        self._replies.left(user_id)
        if self._barge_in.gone(user_id, self._tools.clock()):
            self._playback.resume()
        if self._replies.idle:
            self._mouth.unready()
        self._arm()

    def revoked(self, user_id: int) -> None:
        """Somebody does not agree any more to be heard: whatever is there of them is dropped."""
        self.left(user_id)
        self._replies.forget(user_id)
        self._tongues.forget(user_id)

    async def say(self, text: str, language: str) -> None:
        """Say something that was not asked for here, after what is being said; returns when it was said or stopped.

        Args:
            text: Discord's Markdown.
            language: such as `en`; empty: found by its letters.
        """
        if not self._closed:
            await self._replies.announce(text, language)

    async def close(self) -> None:
        """Fall silent, and forget everything. A second time it does nothing."""
        if self._closed:
            return
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        for turn in list(self._turns):
            turn.gone = True
        self._listening.close()
        await self._replies.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for turn in list(self._turns):
            self._report(turn, Outcome.GONE)

    def _on_event(self, event: TurnEvent, recognition: Recognition | None) -> None:
        now, key = self._tools.clock(), (event.user_id, event.turn)
        match event:
            case SpeechBegan():
                self._began[key] = event.at
            case SpeechGoesOn():
                if self._barge_in.speech(*key, event.voiced_s, now):
                    self._playback.pause()
            case Paused():
                if self._tools.settings.early and self._replies.idle and self._is_for_us(event.user_id, event.turn):
                    self._mouth.ready(event.user_id)
            case WentOn():
                if self._replies.idle:
                    self._mouth.unready()
            case Dropped():
                self._began.pop(key, None)
                self._false_alarm(event.user_id, event.turn)
            case TurnEnded():
                self._ended(event, recognition)

    def _is_for_us(self, user_id: int, turn: int) -> bool:
        """Whether what somebody says needs no name."""
        began = self._began.get((user_id, turn), self._tools.clock())
        return self._alone(user_id) or self._replies.windows.open_for(user_id, began)

    def _alone(self, user_id: int) -> bool:
        """Whether nobody but this person is heard."""
        return not (set(self._room.heard()) & set(self._room.people())) - {user_id}

    def _ended(self, event: TurnEnded, recognition: Recognition | None) -> None:
        now, settings = self._tools.clock(), self._tools.settings
        turn = SpokenTurn(
            id=recognition.turn_id if recognition is not None else self._tools.new_id(),
            user_id=event.user_id,
            number=event.turn,
            began_at=self._began.pop((event.user_id, event.turn), event.last_voiced_at),
            ended_at=event.last_voiced_at,
            decided_at=now,
            voiced_s=event.voiced_s,
            filler=Filler(settings.filler_s, now),
            give_up_at=now + settings.recognition_most_s,
            speculated=recognition is not None and recognition.guessed,
            language=self._tongues.of(event.user_id),
        )
        if recognition is None:
            self._settled(turn)
            missing = self._tools.recognise is None and self._failed("recogniser")
            if missing:
                self._replies.tell_all(wording.SPOKEN["recogniser"], turn.language)
            self._report(turn, Outcome.FAILED if self._tools.recognise is None else Outcome.BUSY)
            return
        if self._replies.idle and turn.voiced_s >= PRESUMED_FROM_S and self._is_for_us(turn.user_id, turn.number):
            turn.filler.ours()
        self._turns[turn] = recognition
        before = self._latest.get(turn.user_id)
        following = self._latest[turn.user_id] = self._spawn(self._follow(turn, recognition, before))
        following.add_done_callback(lambda _: self._forget_latest(turn.user_id, following))

    def _forget_latest(self, user_id: int, task: asyncio.Task[None]) -> None:
        if self._latest.get(user_id) is task:
            del self._latest[user_id]

    async def _follow(self, turn: SpokenTurn, recognition: Recognition, before: asyncio.Task[None] | None) -> None:
        """Waits for the words, and does what they want, after what the person said `before`."""
        outcome = Outcome.FAILED
        try:
            transcript = await recognition.words
            if before is not None:
                await asyncio.wait({before})  # a short one may be recognised sooner than a long one before it
        except asyncio.CancelledError:
            if not recognition.words.cancelled():
                raise  # it is we who are cancelled
            outcome = Outcome.GONE if turn.gone else self._unheard(turn, "recogniser")
        except BudgetUsed:
            outcome = self._unheard(turn, "budget")
        except Exception as error:  # noqa: BLE001 - whatever it is, the call goes on
            log.warning("not recognised", extra={"error": type(error).__name__})
            outcome = self._unheard(turn, "recogniser")
        else:
            del self._turns[turn]
            self._understood(turn, transcript)
            self._arm()
            return
        del self._turns[turn]
        self._settled(turn)
        self._report(turn, outcome)
        self._arm()

    def _unheard(self, turn: SpokenTurn, part: Part) -> Outcome:
        if self._failed(part):
            self._replies.tell_all(wording.SPOKEN[part], turn.language)
        return Outcome.FAILED

    def _understood(self, turn: SpokenTurn, transcript: Transcript) -> None:
        turn.transcript_at = self._tools.clock()
        self._outages.works("recogniser")
        self._outages.works("budget")
        if turn.gone or turn.user_id not in set(self._room.heard()):
            self._settled(turn)
            self._report(turn, Outcome.GONE)
            return
        if worth_answering(transcript, turn.voiced_s) is not None:
            self._settled(turn)
            self._report(turn, Outcome.UNWORTHY)
            return
        turn.language = self._tongues.heard(turn.user_id, transcript)
        self._prepare(turn.language)
        situation = Situation(
            alone=self._alone(turn.user_id),
            answering=self._replies.windows.open_for(turn.user_id, turn.began_at),
            speaking=self._mouth.speaking,
        )
        self._act(turn, decide(transcript.text.strip(), situation, self._names))

    def _act(self, turn: SpokenTurn, decision: Decision) -> None:
        match decision.what:
            case "answer" | "acknowledge":
                turn.question, turn.acknowledge = decision.question, decision.what == "acknowledge"
                interrupts = self._barge_in.held_by(turn.user_id, turn.number)
                goes_on = self._barge_in.settled(turn.user_id, turn.number, self._tools.clock())
                if not self._replies.take(turn, interrupts=interrupts) and goes_on:
                    self._playback.resume()
            case "stop" | "thanks":
                self._replies.stop(turn.user_id, everything=decision.what == "stop" or self._alone(turn.user_id))
                self._settled(turn)
                self._report(turn, Outcome.STOPPED)
            case "listening" | "others":
                self._settled(turn)
                self._report(turn, Outcome(decision.what))

    def _settled(self, turn: SpokenTurn) -> None:
        """A turn is not answered: what was to be said goes on."""
        turn.filler.over()
        self._false_alarm(turn.user_id, turn.number)

    def _false_alarm(self, user_id: int, turn: int) -> None:
        if self._barge_in.settled(user_id, turn, self._tools.clock()):
            self._playback.resume()
        if self._replies.idle:
            self._mouth.unready()

    def _presume(self, turn: SpokenTurn) -> None:
        """The words of what is surely meant for us take their time."""
        if self._replies.idle:
            self._barge_in.settled(turn.user_id, turn.number, self._tools.clock())  # they are finished
            self._mouth.ready(turn.user_id, turn.audio)
            turn.filled = self._replies.ask_for_patience(turn)

    def _failed(self, part: Part) -> bool:
        """A part failed: people are told in text, once; whether it is to be said, too."""
        told = self._outages.failed(part, self._tools.clock())
        if told:
            log.warning("part failed", extra={"part": part, "guild_id": str(self._room.guild_id)})
            self._spawn(self._room.tell(translator(base(self._room.locale))(wording.WRITTEN[part])))
        return told

    def _prepare(self, language: str) -> None:
        for sentence in wording.PREPARED:
            piece = own_sentence(sentence, language)
            self._spawn(self._mouth.prepare(piece.text, piece.language))

    def _report(self, turn: SpokenTurn, outcome: Outcome) -> None:
        report = turn.report(self._room.guild_id, outcome)
        if report is not None:
            self._tools.on_turn(report)

    def _arm(self) -> None:
        """Look again when it is time: what is found out in between may have brought that nearer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self.next_deadline()
        if deadline is not None:
            self._set_timer(deadline)

    def _set_timer(self, due: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._due = due
        self._timer = asyncio.get_running_loop().call_later(max(0.0, due - self._tools.clock()), self._timed)

    def _timed(self) -> None:
        self._timer = None
        self.tick(self._tools.clock())

    def _spawn(self, coroutine: Coroutine[object, object, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
