"""What recogniser and voice cost is counted, no more than the budget is spent, and how they are put together."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.voice.conversation.props import Room
from tests.voice.turns.voices import voice
from trainer.adapters.file_store import FileStore
from trainer.ports import Cancelled, Sound, Transcript
from trainer.scope import Scope
from trainer.services import Services
from trainer.settings import choose_speech
from trainer.speech.speaking import Speaker
from trainer.usage import Ledger, UsageEntry, record_usage
from voice_sidecar.conversation.asking import Asking, spoken_id
from voice_sidecar.conversation.models import BudgetUsed, Recogniser, Voice
from voice_sidecar.conversation.tools import Pools, Settings, make_tools
from voice_sidecar.turns.ears import Ears

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

SCOPE = Scope("guild", "42")
NOW = 1_700_000_000.0
TURN = spoken_id(NOW)


class Recognising:
    """A recogniser that is paid for."""

    def __init__(self, name: str = "gpt-transcribe", *, local: bool = False) -> None:
        self.name = name
        self.most_s = 30.0
        self.local = local
        self.sounds: list[float] = []
        self.hints: list[dict[str, Any]] = []

    def transcribe(self, sound: Sound, **how: Any) -> Transcript:
        self.sounds.append(sound.seconds)
        self.hints.append(how)
        return Transcript("words", "en", (), billed_s=0.0 if self.local else sound.seconds)


class Singing:
    """A voice."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.how: list[tuple[float, str]] = []

    def speaks(self, language: str) -> bool:
        return True

    def speak(self, text: str, *, language: str, speed: float = 1.0, voice: str = "") -> Sound:
        self.how.append((speed, voice))
        return Sound(b"\0\0" * 24_000 * 60, 24_000)


class Later:
    """Does things when it is told to."""

    def __init__(self) -> None:
        self.waiting: list[Callable[[], None]] = []

    def __call__(self, do: Callable[[], None]) -> None:
        self.waiting.append(do)

    def now(self) -> None:
        for do in self.waiting:
            do()


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path)


def sound(seconds: float) -> Sound:
    return Sound(voice(seconds).tobytes(), 16_000)


def ledger(store: FileStore, *, spent: bool = False) -> Ledger:
    if spent:
        entry = UsageEntry(id=TURN, model="m", input_tokens=0, output_tokens=0, usd=5.0, at=NOW)
        record_usage(store, SCOPE, entry)
    return Ledger(store, budget_usd=1.0, clock=lambda: NOW)


def rare(_: Scope) -> Sequence[str]:
    return ("PostgreSQL",)


def test_what_is_recognised_is_counted_later(store: FileStore) -> None:
    later, model, book = Later(), Recognising(), ledger(store)
    recognise = Recogniser(cast("Any", model), book, SCOPE, rare, later)
    assert recognise(sound(30), ("en", "ru"), TURN).text
    assert model.hints[0]["languages"] == ("en", "ru")
    assert model.hints[0]["keywords"] == ("PostgreSQL",)
    assert book.spending(SCOPE).cost.usd == 0
    later.now()
    assert book.spending(SCOPE).cost.usd == pytest.approx(0.00225)


def test_what_is_longer_than_it_takes_is_recognised_in_pieces(store: FileStore) -> None:
    model = Recognising(local=True)
    found = Recogniser(cast("Any", model), None, SCOPE, None, Later())(sound(50), ("en",), TURN)
    assert max(model.sounds) <= 30
    assert sum(model.sounds) >= 40
    assert found.text.startswith("words words")
    assert found.language == "en"


def test_a_recogniser_that_is_paid_for_stops_with_the_budget(store: FileStore) -> None:
    paid, free = Recognising(), Recognising("whisper", local=True)
    book, later = ledger(store, spent=True), Later()
    with pytest.raises(BudgetUsed):
        Recogniser(cast("Any", paid), book, SCOPE, None, later)(sound(1), ("en",), TURN)
    assert not paid.sounds
    assert Recogniser(cast("Any", free), book, SCOPE, None, later)(sound(1), ("en",), TURN).text
    assert not later.waiting


def test_what_is_spoken_is_counted_once(store: FileStore) -> None:
    later, book = Later(), ledger(store)
    choose_speech(store, SCOPE, "1", speed=1.5, voice="alloy")
    voice = Singing("gpt-4o-mini-tts")
    say = Voice(Speaker([voice]), store, book, SCOPE, later)
    assert [one.text for one in say("Hello. **Bye.**", "en", TURN)] == ["Hello.", "Bye."]
    assert voice.how == [(1.5, "alloy")] * 2
    later.now()
    later.waiting.clear()
    assert book.spending(SCOPE).cost.usd == pytest.approx(0.03)
    assert len(list(say("Hello.", "en", TURN))) == 1
    assert not later.waiting  # it is known by now


def test_without_a_budget_only_free_voices_speak(store: FileStore) -> None:
    book, later = ledger(store, spent=True), Later()
    paid, free = Singing("tts-1"), Singing("hibari")
    say = Voice(Speaker([paid, free]), store, book, SCOPE, later)
    assert [one.voice for one in say("Hello.", "en", TURN)] == ["hibari"]
    with pytest.raises(BudgetUsed):
        list(Voice(Speaker([paid]), store, book, SCOPE, later)("Hello.", "en", TURN))


def test_what_was_stopped_while_it_was_spoken_is_counted(store: FileStore) -> None:
    class Stopped(Singing):
        def speak(self, text: str, *, language: str, speed: float = 1.0, voice: str = "") -> Sound:
            raise Cancelled(*((self.name,) if text == "Bye." else ()), characters=len(text), seconds=30.0)

    later, book = Later(), ledger(store)
    say = Voice(Speaker([Stopped("gpt-4o-mini-tts")]), store, book, SCOPE, later)
    with pytest.raises(Cancelled):
        list(say("Hello.", "en", TURN))
    assert not later.waiting  # nobody was asked
    with pytest.raises(Cancelled):
        list(say("Bye.", "en", TURN))
    later.now()
    assert book.spending(SCOPE).cost.usd == pytest.approx(0.0075)


@pytest.mark.parametrize("there", [True, False])
def test_the_tools_of_a_call(store: FileStore, there: bool) -> None:
    services = Services(
        store=store,
        library=cast("Any", None),
        training=cast("Any", None),
        answering=cast("Any", None),
        corrections=cast("Any", None),
        transcriber=cast("Any", Recognising()) if there else None,
        speaker=Speaker([Singing("hibari")]) if there else None,
    )
    with ThreadPoolExecutor(1) as pool:
        ears = Ears(cast("Any", object))
        settings = Settings(filler_s=3.0)
        tools = make_tools(services, cast("Any", Room()), ears, Pools(pool, pool, pool, pool), settings=settings)
        assert (tools.recognise is not None, tools.say is not None) == (there, there)
        assert isinstance(tools.ask, Asking)
        assert tools.settings.filler_s == 3.0
        assert tools.ear(7).user_id == 7
        assert tools.ask._actor(7) == (SCOPE, "7", False, ())
        assert tools.new_id().isdecimal()
