"""With the real ear, the real voice activity model and the real player: a question, an answer, an interruption."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from tests.voice.conversation.props import Room, in_loop, until
from tests.voice.conversation.stage import ANNA
from tests.voice.turns.voices import voice
from trainer.answers import Answer
from trainer.conversations import Turn
from trainer.ports import Sound, Transcript
from trainer.speech.speaking import Spoken
from voice_sidecar.conversation.asking import Found, Question
from voice_sidecar.conversation.conversation import Conversation
from voice_sidecar.conversation.tools import Pools, Tools
from voice_sidecar.conversation.turn import TurnReport
from voice_sidecar.parts import Person
from voice_sidecar.playback.opus import SILENCE
from voice_sidecar.playback.player import Player
from voice_sidecar.receiving.speaker import Chunk
from voice_sidecar.receiving.speaker import Sound as From
from voice_sidecar.turns.ears import load_ears

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

RATE = 16_000


class Sink:
    """A connection that takes everything."""

    def __init__(self) -> None:
        self.packets: list[bytes] = []
        self.on = False

    def send(self, packet: bytes) -> bool:
        self.packets.append(packet)
        return True

    def speaking(self, on: bool) -> None:
        self.on = on

    @property
    def audible(self) -> int:
        return sum(packet != SILENCE for packet in self.packets)


class Models:
    """A recogniser that knows what comes, an answer, and a voice that hums."""

    def __init__(self) -> None:
        self.turns: list[Turn] = []

    def recognise(self, sound: Sound, languages: Sequence[str], turn_id: str) -> Transcript:
        assert sound.rate == RATE
        assert sound.seconds > 0.5
        return Transcript("What is the price?" if not self.turns else "Stop.", "en", ())

    def ask(self, question: Question, on_text: Callable[[str], None]) -> Found:
        turn = Turn(id=question.id, question=question.text, answer="A. B.", topic="", at=time.time())
        self.turns.append(turn)
        return Found(Answer("trained", "It hums. It hums on."), turn, remembered=True, record=None)

    def remember(self, found: Found, heard: str) -> None:
        """Nothing is kept."""

    def say(self, text: str, language: str, turn_id: str) -> Iterator[Spoken]:
        at = np.arange(24_000 * 3) / 24_000
        wave = (8_000 * np.sin(2 * np.pi * 220 * at)).astype("<i2")
        for sentence in text.split(". "):
            yield Spoken(sentence, Sound(wave.tobytes(), 24_000), "hum", cached=False)


class Microphone:
    """Anna's: her sound comes as it does from Discord."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._began = time.monotonic()

    async def says(self, seconds: float) -> None:
        position = round((time.monotonic() - self._began) * RATE)
        pcm = voice(seconds).tobytes()
        for at in range(0, len(pcm), 640):
            chunk = Chunk(ANNA, 1, position + at // 2, pcm[at : at + 640], From.HEARD)
            self._conversation.hear([chunk])
            await asyncio.sleep(0.02)


@in_loop
async def test_a_question_an_answer_and_an_interruption() -> None:
    models, sink, room, reports = Models(), Sink(), Room(), list[TurnReport]()
    room.present, room.agreed = {ANNA: Person(ANNA, "Anna")}, {ANNA}
    ears = load_ears(semantic=False)
    threads = [ThreadPoolExecutor(2) for _ in range(4)]
    player = Player(sink)
    given: dict[str, Any] = {"ask": models, "pools": Pools(*threads), "on_turn": reports.append}
    tools = Tools(ear=ears.ear, endpoint=None, recognise=models.recognise, say=models.say, **given)
    conversation = Conversation(room, player, tools)
    try:
        microphone = Microphone(conversation)
        await microphone.says(1.0)
        await until(lambda: sink.audible > 5)
        assert models.turns[0].question == "What is the price?"
        await microphone.says(0.6)
        assert sink.packets[-10:] == [SILENCE] * 10  # since at least a fifth of a second
        await until(lambda: len(reports) == 2)
        assert sorted(report.outcome.value for report in reports) == ["cut", "stopped"]
        assert not player.playing
        (cut,) = [report for report in reports if report.outcome.value == "cut"]
        assert 0 < cut.heard_s < 3
        assert cut.speculated
        stages = cut.stages
        assert 0.2 < stages["turn_decided"] <= stages["transcript"] <= stages["first_token"] <= stages["first_audio"]
    finally:
        await conversation.close()
        player.close()
        for pool in threads:
            pool.shutdown()
