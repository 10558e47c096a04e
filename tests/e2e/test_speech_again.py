"""Recordings of jobs that are done again: what was recognised is not recognised, nor paid for, a second time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from interactions import heard_pieces
from interactions.discord_api import DiscordUnavailable
from interactions.heard_pieces import Sparing, StoredPieces
from playground.cdn import File
from tests.e2e.spoken import QUESTION, Ear, equip, recording, said, spoken
from tests.unit.speech.sounds import silence, voice
from trainer.person_data import find
from trainer.ports import ModelUnavailable, Sound, StoreUnavailable, Transcript, TranscriptPart
from trainer.retention import DAY_S, OUTCOME_DAYS, sweep
from trainer.usage import Ledger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bot import Bot

SECOND_USD = 0.0045 / 60
"""Of gpt-transcribe."""
WAIT_S = 60.0


@pytest.fixture
def ear(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> Ear:
    """One that is paid for, and recognises one piece at a time."""
    ear = Ear()
    monkeypatch.setattr(ear, "local", False)
    monkeypatch.setattr("trainer.speech.transcribing.AT_ONCE", 1)
    ear.billed = True
    equip(bot, transcriber=ear, ledger=Ledger(bot.services.store, budget_usd=10))
    return ear


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    heard_pieces._remembered.clear()
    yield
    heard_pieces._remembered.clear()


def spent(bot: Bot) -> float:
    ledger = bot.services.ledger
    assert ledger is not None
    return ledger.spending(bot.services_scope()).cost.usd


def kept(bot: Bot) -> list[str]:
    return [info.key for info in bot.services.store.list(bot.services_scope().prefix) if ".heard-" in info.key]


def fail_once(
    monkeypatch: pytest.MonkeyPatch, whose: Any, name: str, failure: Exception, *, at: int = 1
) -> list[int]:
    """Have a function fail at one of its calls; returns their numbers."""
    real, calls = getattr(whose, name), list[int]()

    def failing(*given: Any, **more: Any) -> Any:
        calls.append(len(calls) + 1)
        if calls[-1] == at:
            raise failure
        return real(*given, **more)

    monkeypatch.setattr(whose, name, failing)
    return calls


def test_a_question_whose_answer_failed_is_not_recognised_again(
    bot: Bot, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = fail_once(monkeypatch, bot.services.answering, "answer", StoreUnavailable("down"))
    reply = bot.bob().command("ask", audio=spoken()).wait(WAIT_S)
    bot.until_idle(timeout=WAIT_S)
    assert reply.content.startswith(f"> 🎙️ {QUESTION}\n")
    assert (len(calls), len(ear.heard)) == (2, 1)
    assert spent(bot) == pytest.approx(SECOND_USD * ear.heard[0])
    assert not kept(bot), "once the reply is out, nothing needs them"


def test_of_a_long_recording_only_what_failed_is_recognised_again(
    bot: Bot, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    down = ModelUnavailable("connection", retryable=True)
    calls = fail_once(monkeypatch, ear, "transcribe", down, at=2)
    file = File("a.ogg", recording(voice(25.0), silence(1.5), voice(20.0, seed=2)), "audio/ogg")
    reply = bot.bob().command("ask", prompt="What is it about?", audio=file).wait(WAIT_S)
    bot.until_idle(timeout=WAIT_S)
    assert f"{QUESTION} {QUESTION}" in reply.content
    assert (len(calls), len(ear.heard)) == (3, 2)
    assert spent(bot) == pytest.approx(SECOND_USD * sum(ear.heard))


def test_what_is_kept_is_found_as_the_persons_own_and_goes_after_a_day(
    bot: Bot, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = ModelUnavailable("credentials", retryable=False)
    fail_once(monkeypatch, ear, "transcribe", refused, at=2)
    file = File("a.ogg", recording(voice(25.0), silence(1.5), voice(20.0, seed=2)), "audio/ogg")
    real = StoredPieces.drop
    monkeypatch.setattr(StoredPieces, "drop", lambda _: None)  # as if the worker had died before
    exchange = bot.bob().command("ask", audio=file)
    exchange.wait(WAIT_S)
    bot.until_idle(timeout=WAIT_S)
    monkeypatch.setattr(StoredPieces, "drop", real)
    store, scope, [key] = bot.services.store, bot.services_scope(), kept(bot)
    [found] = [one for one in find(store, scope, bot.bob().user.id) if one.key == key]
    assert (found.kind, found.fate, found.id) == ("replies", "delete", exchange.id)
    written = store.head(key)
    assert written is not None
    sweep(store, written.modified_at + OUTCOME_DAYS * DAY_S - 60)
    assert kept(bot)
    sweep(store, written.modified_at + OUTCOME_DAYS * DAY_S + 60)
    assert not kept(bot)


def test_what_is_no_longer_kept_is_no_failure(bot: Bot) -> None:
    scope, piece = bot.services_scope(), Transcript("Hi.", "en", (TranscriptPart(0, 1, "Hi."),), 0.1, billed_s=1.0)
    StoredPieces(bot.services.store, scope, "5", "7").save("a", piece)
    found, other = (StoredPieces(bot.services.store, scope, "5", "7") for _ in range(2))
    assert found.load("a") == piece._replace(billed_s=0.0)
    assert found.load("b") is None
    other.drop()
    assert found.load("a") is None
    found.drop()


def test_a_store_that_fails_costs_nobody_their_words(bot: Bot, ear: Ear, monkeypatch: pytest.MonkeyPatch) -> None:
    store, put = bot.services.store, bot.services.store.put

    def failing(key: str, *given: Any, **more: Any) -> Any:
        if ".heard-" in key:
            raise StoreUnavailable("down")
        return put(key, *given, **more)

    monkeypatch.setattr(store, "put", failing)
    assert QUESTION in bot.bob().command("ask", audio=spoken()).wait(WAIT_S).content


def test_another_language_is_another_question(bot: Bot, ear: Ear) -> None:
    pieces = StoredPieces(bot.services.store, bot.services_scope(), "5", "7")
    billed: list[float] = []
    sparing = Sparing(ear, pieces, billed.append)
    sound = Sound(bytes(32_000), 16_000)
    for language in ("", "ru", "", "ru"):
        assert sparing.transcribe(sound, language=language).text == QUESTION
    assert billed == [1.0, 1.0]


# --- recordings of others, of which nothing is stored ---------------------------------------------------------------


def test_a_second_delivery_of_what_was_shown_recognises_nothing(bot: Bot, ear: Ear) -> None:
    exchange = bot.bob().message_command("Transcribe", said(bot, ("a.ogg", recording(voice(2.0)))))
    exchange.wait(WAIT_S)
    bot.until_idle(timeout=WAIT_S)
    exchange.redeliver()
    bot.until_idle(timeout=WAIT_S)
    assert len(ear.heard) == 1
    assert spent(bot) == pytest.approx(SECOND_USD * ear.heard[0])
    assert not heard_pieces._remembered


def test_while_discord_does_not_answer_it_is_remembered_and_not_stored(
    bot: Bot, ear: Ear, monkeypatch: pytest.MonkeyPatch
) -> None:
    ear.hears = "A-word-that-is-mine"
    store, down = bot.services.store, DiscordUnavailable(502)
    calls = fail_once(monkeypatch, bot.performer._publisher, "publish", down)
    exchange = bot.bob().message_command("Transcribe", said(bot, ("a.ogg", recording(voice(2.0)))))
    bot.until(lambda: len(calls) == 1, timeout=WAIT_S)
    assert not [info.key for info in store.list("") if ear.hears.encode() in store.get(info.key).data]
    bot.until(lambda: ear.hears in exchange.reply().content, timeout=WAIT_S)
    bot.until_idle(timeout=WAIT_S)
    assert (len(calls), len(ear.heard)) == (2, 1)
    assert not heard_pieces._remembered


def test_what_another_process_has_recognised_is_counted_again(bot: Bot, ear: Ear) -> None:
    exchange = bot.bob().message_command("Transcribe", said(bot, ("a.ogg", recording(voice(2.0)))))
    exchange.wait(WAIT_S)
    bot.until_idle(timeout=WAIT_S)
    store, prefix = bot.services.store, bot.services_scope().prefix
    store.delete(f"{prefix}/outcomes/{exchange.id}.delivery.json")  # as if it had died before it showed anything
    exchange.redeliver()
    bot.until_idle(timeout=WAIT_S)
    assert len(ear.heard) == 2
    assert spent(bot) == pytest.approx(SECOND_USD * sum(ear.heard))
