"""Whatever somebody does and however it arrives, what an ear tells keeps to its rules."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.voice.turns.listening import SLOT, USER, ScriptedVad, check_order
from voice_sidecar.receiving.speaker import Chunk, Sound
from voice_sidecar.turns.ear import Ear
from voice_sidecar.turns.events import Dropped, Ending, Paused, TurnEnded, TurnEvent
from voice_sidecar.turns.settings import Settings
from voice_sidecar.turns.vad import RATE, WINDOW

if TYPE_CHECKING:
    from collections.abc import Callable

SETTINGS = Settings(longest=4)
FIRST = 1001  # samples of voice are its slots' numbers, from here on


class Part(NamedTuple):
    """Some slots of what somebody does, and how it arrives."""

    kind: str
    slots: int
    delay: float
    verdict: float | None
    tick: bool


parts = st.lists(
    st.builds(
        Part,
        st.sampled_from(["voice", "voice", "hum", "silence", "nothing", "stream"]),
        st.integers(1, 60),
        st.sampled_from([0.0, 0.0, 0.05, 0.3, 1.0]),
        st.sampled_from([None, None, 0.05, 0.5, 0.95]),
        st.booleans(),
    ),
    max_size=16,
)


class Heard(NamedTuple):
    """What was told, and which slots had voice."""

    events: list[TurnEvent]
    voiced: list[int]
    at: list[float]


def hear(script: list[Part], make: Callable[[], Ear]) -> Heard:
    """Plays a script to an ear."""
    ear = make()
    heard = Heard([], [], [])
    now, position, stream, number = 1000.0, 0, 1, FIRST

    def told(events: list[TurnEvent]) -> None:
        heard.events.extend(events)
        heard.at.extend([now] * len(events))

    for part in script:
        if part.kind == "stream":
            stream, position = stream + 1, 12_345
            continue
        for _ in range(part.slots):
            said = 1000.0 + position / RATE if stream == 1 else now
            now = max(now, said + part.delay)
            deadline = ear.next_deadline()
            if part.tick and deadline is not None and deadline <= now:
                told(ear.tick(now))
            if part.kind == "voice":
                told(ear.feed(Chunk(USER, stream, position, number.to_bytes(2, "little") * SLOT, Sound.HEARD), now))
                heard.voiced.append(number)
                number += 1
            elif part.kind == "hum":
                told(ear.feed(Chunk(USER, stream, position, b"\x07\0" * SLOT, Sound.HEARD), now))
            elif part.kind == "silence":
                told(ear.feed(Chunk(USER, stream, position, bytes(2 * SLOT), Sound.SILENCE), now))
            position += SLOT
            last = heard.events[-1] if heard.events else None
            if part.verdict is not None and isinstance(last, Paused):
                told(ear.verdict(last.turn, part.verdict, now, pause=last.pause))
    now += 0.1
    told(ear.feed(Chunk(USER, stream, position, bytes(2 * SLOT), Sound.SILENCE), now))
    while (deadline := ear.next_deadline()) is not None:
        now = max(now, deadline)
        told(ear.tick(now))
    return heard


def check(heard: Heard) -> None:
    """Fails if a rule is broken."""
    check_order(heard.events)
    if heard.events:
        assert isinstance(heard.events[-1], TurnEnded | Dropped), "a turn never ends"
    for event, at in zip(heard.events, heard.at, strict=True):
        if isinstance(event, Paused):
            assert event.voiced_s >= SETTINGS.least_voice
            assert event.last_voiced_at <= at + 1e-6, "voice from the future"
        if isinstance(event, TurnEnded):
            length = event.sound.seconds - SETTINGS.lead - SETTINGS.padding
            assert length <= SETTINGS.longest + 2 * WINDOW / RATE, "too long"
            assert event.reason is not Ending.COMPLETE or event.voiced_s > 0
    answered = [
        sample
        for event in heard.events
        if isinstance(event, TurnEnded)
        for sample in memoryview(event.sound.pcm).cast("h")
        if sample >= FIRST
    ]
    assert answered == sorted(answered), "out of order"
    assert max(Counter(answered).values(), default=0) <= SLOT, "said twice"
    dropped = sum(isinstance(event, Dropped) for event in heard.events)
    missing = len(heard.voiced) * SLOT - len(answered)
    assert missing <= dropped * (round(SETTINGS.least_voice * RATE) + WINDOW), "voice is missing"


def ear() -> Ear:
    return Ear(USER, ScriptedVad(), SETTINGS)


@settings(deadline=None, max_examples=150)
@given(parts)
def test_every_rule_holds(script: list[Part]) -> None:
    check(hear(script, ear))


class Twice(Ear):
    """Tells everything twice."""

    def feed(self, chunk: Chunk, now: float) -> list[TurnEvent]:
        return 2 * super().feed(chunk, now)


class NeverWentOn(Ear):
    """Keeps to itself that somebody went on."""

    def feed(self, chunk: Chunk, now: float) -> list[TurnEvent]:
        return [event for event in super().feed(chunk, now) if type(event).__name__ != "WentOn"]


class EndsWithoutPause(Ear):
    """Ends turns without a pause."""

    def tick(self, now: float) -> list[TurnEvent]:
        return [event for event in super().tick(now) if not isinstance(event, Paused)]


class Endless(Ear):
    """Knows no longest turn."""

    def __init__(self) -> None:
        super().__init__(USER, ScriptedVad(), Settings(longest=60))


SPOKEN = [
    Part("voice", 30, 0, None, True),
    Part("nothing", 15, 0, None, True),
    Part("voice", 300, 0, None, True),
    Part("nothing", 50, 0, None, True),
    Part("voice", 30, 0, None, True),
]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: Twice(USER, ScriptedVad(), SETTINGS),
        lambda: NeverWentOn(USER, ScriptedVad(), SETTINGS),
        lambda: EndsWithoutPause(USER, ScriptedVad(), SETTINGS),
        Endless,
    ],
)
def test_wrong_ears_are_found(wrong: Callable[[], Ear]) -> None:
    check(hear(SPOKEN, ear))
    with pytest.raises(AssertionError):
        check(hear(SPOKEN, wrong))


def test_lost_voice_is_found() -> None:
    heard = hear(SPOKEN, ear)
    with pytest.raises(AssertionError):
        check(heard._replace(voiced=[*heard.voiced, 5000, 5001]))
