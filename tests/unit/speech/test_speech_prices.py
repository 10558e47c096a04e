"""What speech costs."""

from __future__ import annotations

import pytest

from trainer.speech.prices import recognised_usd, spoken_usd


def test_recognising_is_paid_by_the_minute() -> None:
    assert recognised_usd("gpt-transcribe", 90) == pytest.approx(0.00675)
    assert recognised_usd("whisper-1", 60) == pytest.approx(0.006)
    assert recognised_usd("a-model-of-somebody", 60) is None


def test_what_nobody_is_paid_for_costs_nothing() -> None:
    assert recognised_usd("whisper-base", 0) == 0
    assert spoken_usd("espeak-ng", 500, 30) == 0
    assert spoken_usd("tts-1", 0, 0) == 0


def test_reading_aloud_is_paid_by_the_character_or_the_minute() -> None:
    assert spoken_usd("tts-1", 1_000, 60) == pytest.approx(0.015)
    assert spoken_usd("gpt-4o-mini-tts", 1_000, 60) == pytest.approx(0.015)
    assert spoken_usd("a-voice-of-somebody", 1_000, 60) is None
