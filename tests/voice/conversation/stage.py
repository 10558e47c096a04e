"""A call on a stage: people who speak on cue, models that say what they are told, time that stands still."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from tests.voice.conversation.props import Clock, Gate, Playback, Room, soon, until
from trainer.answers import Answer
from trainer.conversations import Turn
from trainer.ports import ModelUnavailable, Sound, Transcript, current_cancellation
from trainer.speech.speakable import sentences, speakable
from trainer.speech.speaking import Spoken
from voice_sidecar.conversation.asking import Found, Question
from voice_sidecar.conversation.conversation import Conversation
from voice_sidecar.conversation.tools import Pools, Settings, Tools
from voice_sidecar.parts import Person
from voice_sidecar.receiving.speaker import Chunk
from voice_sidecar.receiving.speaker import Sound as From
from voice_sidecar.turns.events import (
    Dropped,
    DropReason,
    Ending,
    Paused,
    SpeechBegan,
    SpeechGoesOn,
    TurnEnded,
    WentOn,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from trainer.answers import AnswerRecord
    from voice_sidecar.conversation.turn import TurnReport
    from voice_sidecar.turns.events import TurnEvent

ANNA, BORIS, CAROL = 1, 2, 3
QUESTION = "What is the price?"


class Ear:
    """Tells what is on its list."""

    def __init__(self, stage: Stage, user_id: int) -> None:
        self.stage = stage
        self.user_id = user_id
        self.verdicts: list[tuple[int, float, int | None]] = []

    def feed(self, chunk: Chunk, now: float) -> list[TurnEvent]:
        assert chunk.user_id == self.user_id
        events, self.stage.events = self.stage.events, []
        return events

    def tick(self, now: float) -> list[TurnEvent]:
        return []

    def next_deadline(self) -> float | None:
        return None

    def verdict(self, turn: int, probability: float, now: float, *, pause: int | None = None) -> list[TurnEvent]:
        self.verdicts.append((turn, probability, pause))
        return []


class Script(NamedTuple):
    """An answer, and how it comes."""

    text: str
    streamed: Sequence[str] = ()
    """The text so far, each time."""
    kind: Any = "trained"
    fell_back: bool = False
    kept: bool = False
    remembered: bool = True
    failure: Exception | None = None
    gate: Gate | None = None
    """Before each of them, and before the end."""


class Stage:
    """A call."""

    def __init__(self, *, settings: Settings | None = None, locale: str = "en-US", **tools: Any) -> None:
        self.clock = Clock()
        self.room = Room(locale)
        self.playback = Playback(self.clock)
        self.events: list[TurnEvent] = []
        self.ears: dict[int, Ear] = {}
        self.answers: dict[str, Script] = {}
        self.asked: list[Question] = []
        self.remembered: list[tuple[str, str]] = []
        self.shown: list[str] = []
        self.chat_is_open = True
        self.reports: list[TurnReport] = []
        self.recognised: list[str] = []
        self.recognition = Gate()
        self.recogniser_fails: Exception | None = None
        self.voice_fails: Exception | None = None
        self.spoken: list[tuple[str, str]] = []
        self.turn_of: dict[int, int] = {}
        self.language = ""
        self.doubt = 0.0
        self.cancelled: list[str] = []
        """Questions that nobody wanted answered any more, as whoever answers them sees it."""
        self.slow: dict[str, Gate] = {}
        """Hold up the recognition of these words."""
        self.seconds_each = 1.0
        self._number = 0
        self.threads = [ThreadPoolExecutor(4) for _ in range(4)]
        given: dict[str, Any] = {
            "ear": self._ear,
            "endpoint": None,
            "recognise": self._recognise,
            "ask": self,
            "say": self._say,
            "pools": Pools(*self.threads),
            "keeps": self,
            "on_turn": self.reports.append,
            "clock": self.clock,
            "now": self.clock,
            "settings": settings or Settings(follow_up_s=8.0),
            **tools,
        }
        self.conversation = Conversation(self.room, self.playback, Tools(**given))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.recognition.open()
        for gate in self.slow.values():
            gate.open()
        for script in self.answers.values():
            if script.gate is not None:
                script.gate.open()
        await self.conversation.close()
        for pool in self.threads:
            pool.shutdown()

    # What people do.

    def comes(self, *people: int) -> None:
        """They come, and agree to be heard."""
        for user_id in people:
            self.room.present[user_id] = Person(user_id, f"person {user_id}")
            self.room.agreed.add(user_id)

    def begins(self, user_id: int, voiced_s: float = 0.3) -> None:
        """Somebody begins to speak, and has spoken for so long."""
        self._number += 1
        self.turn_of[user_id] = self._number
        self.hears(user_id, SpeechBegan(user_id, self._number, self.clock()))
        self.goes_on(user_id, voiced_s)

    def goes_on(self, user_id: int, voiced_s: float) -> None:
        self.hears(user_id, SpeechGoesOn(user_id, self.turn_of[user_id], voiced_s, self.clock()))

    def pauses(self, user_id: int, text: str, voiced_s: float = 2.0) -> None:
        self.hears(user_id, Paused(user_id, self.turn_of[user_id], sound_of(text), voiced_s, self.clock()))

    def went_on(self, user_id: int) -> None:
        self.hears(user_id, WentOn(user_id, self.turn_of[user_id]))

    def drops(self, user_id: int) -> None:
        self.hears(user_id, Dropped(user_id, self.turn_of[user_id], DropReason.SHORT))

    def ends(self, user_id: int, text: str, voiced_s: float = 2.0) -> None:
        turn = self.turn_of[user_id]
        self.hears(user_id, TurnEnded(user_id, turn, sound_of(text), voiced_s, self.clock(), Ending.SILENCE))

    def says(self, user_id: int, text: str, voiced_s: float = 2.0) -> None:
        """Somebody says something, from beginning to end."""
        self.begins(user_id)
        self.ends(user_id, text, voiced_s)

    def hears(self, user_id: int, *events: TurnEvent) -> None:
        self.events = list(events)
        self.conversation.hear([Chunk(user_id, 1, 0, b"\0\0", From.HEARD)])

    def passes(self, seconds: float) -> None:
        """Time passes."""
        self.clock.at += seconds
        self.conversation.tick(self.clock())

    async def prepared(self) -> None:
        """Waits for what is made into sound in advance."""
        kept = self.conversation._mouth._prepared
        await until(lambda: len(kept) == 2 and all(kept.values()))

    async def outcomes(self, count: int) -> list[str]:
        """What became of the turns, once there are so many."""
        await until(lambda: len(self.reports) >= count)
        await soon()
        assert len(self.reports) == count
        return [report.outcome.value for report in self.reports]

    # The models.

    def _ear(self, user_id: int) -> Any:
        self.ears[user_id] = Ear(self, user_id)
        return self.ears[user_id]

    def _recognise(self, sound: Sound, languages: Sequence[str], turn_id: str) -> Transcript:
        text = sound.pcm.decode("utf-16-le").strip()
        self.recognised.append(text)
        self.slow.get(text, self.recognition)()
        if self.recogniser_fails is not None:
            raise self.recogniser_fails
        return Transcript(text, self.language, (), self.doubt)

    def ask(self, question: Question, on_text: Callable[[str], None]) -> Found:
        self.asked.append(question)
        script = self.answers.get(question.text, Script("", kind="unknown"))
        for text in script.streamed:
            if script.gate is not None:
                script.gate()
            on_text(text)
        if script.gate is not None:
            script.gate()
        if current_cancellation().cancelled:
            self.cancelled.append(question.text)
        if script.failure is not None:
            raise script.failure
        answer = Answer(script.kind, script.text, fell_back=script.fell_back)
        turn = Turn(id=question.id, question=question.text, answer=script.text, topic=question.text, at=self.clock())
        record: Any = question.id if script.kept and question.wanted() else None
        return Found(answer, turn, script.remembered, record)

    def remember(self, found: Found, heard: str) -> None:
        self.remembered.append((found.turn.question, heard))

    def shows(self) -> bool:
        return self.chat_is_open

    async def answered(self, record: AnswerRecord) -> None:
        self.shown.append(str(record))

    def _say(self, text: str, language: str, turn_id: str) -> Iterator[Spoken]:
        if self.voice_fails is not None:
            raise self.voice_fails
        for sentence in sentences(speakable(text, language), language):
            self.spoken.append((sentence, language))
            yield Spoken(sentence, sound_of(sentence, self.seconds_each), "a voice", cached=False)


def sound_of(text: str, seconds: float = 0.0) -> Sound:
    """A sound that is its own words, at least so long."""
    data = text.encode("utf-16-le")
    padding = "\u0020".encode("utf-16-le") * max(0, round(seconds * 8000) - len(data) // 2)
    return Sound(data + padding, 8000)


def waiting(stage: Stage) -> Gate:
    """Lets the answer to the question wait."""
    gate = Gate()
    gate.close()
    stage.answers[QUESTION] = Script("Ten.", gate=gate)
    return gate


DOWN = ModelUnavailable("timeout", retryable=True)
