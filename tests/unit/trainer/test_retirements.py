"""A deployer hears in time that a model ends."""

from __future__ import annotations

from datetime import date, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from interactions.housekeeping import tell_retirements
from trainer.retirements import ENDS, models_at_openai, retiring

if TYPE_CHECKING:
    import pytest


def at(day: str) -> float:
    return datetime.fromisoformat(f"{day}T12:00:00+00:00").timestamp()


def test_it_is_told_from_ninety_days_before_the_end_and_after_it() -> None:
    models = {"TRAINGER_STT": "whisper-1"}
    assert retiring(models, at("2026-11-27")) == []
    (told,) = retiring(models, at("2026-11-28"))
    assert (told.use, told.model, told.on, told.days) == ("TRAINGER_STT", "whisper-1", date(2027, 2, 26), 90)
    assert retiring(models, at("2027-03-01"))[0].days == -3


def test_models_without_an_end_are_not_told() -> None:
    assert retiring({"TRAINGER_CHAT_MODEL": "gpt-6-luna", "TRAINGER_STT": "gpt-transcribe"}, at("2030-01-01")) == []


def services(host: str = "api.openai.com") -> Any:
    return SimpleNamespace(
        chat_host=host,
        answering=SimpleNamespace(model="gpt-4o-mini"),
        transcription_host=host,
        transcriber=SimpleNamespace(name="whisper-1"),
        speech_hosts=("translate.google.com", host),
        speaker=SimpleNamespace(voices=(SimpleNamespace(name="gtts"), SimpleNamespace(name="tts-1"))),
    )


def test_the_models_in_force_are_looked_at() -> None:
    assert models_at_openai(services()) == {
        "TRAINGER_CHAT_MODEL": "gpt-4o-mini",
        "TRAINGER_STT": "whisper-1",
        "TRAINGER_TTS": "tts-1",
    }


def test_another_server_keeps_its_models_for_as_long_as_it_likes() -> None:
    assert models_at_openai(services("models.example")) == {}


def test_the_table_names_real_days() -> None:
    assert all(day >= date(2026, 12, 1) for day in ENDS.values())


def test_housekeeping_logs_each(caplog: pytest.LogCaptureFixture) -> None:
    tell_retirements(services(), at("2027-01-01"))
    told = [(record.message, vars(record)["model"], vars(record)["days"]) for record in caplog.records]
    assert told == [
        ("a model ends", "gpt-4o-mini", 13),
        ("a model ends", "whisper-1", 56),
        ("a model ends", "tts-1", 5),
    ]
