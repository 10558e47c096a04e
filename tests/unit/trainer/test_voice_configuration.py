"""What the environment decides of voice."""

from __future__ import annotations

import pytest

from trainer.configuration import ConfigurationError, read
from trainer.voice_configuration import NAMES, VoiceConfiguration, read_voice


def test_nothing_set_means_the_defaults() -> None:
    assert read_voice({}) == VoiceConfiguration()
    assert read_voice(dict.fromkeys(NAMES.values(), " ")) == VoiceConfiguration()
    assert read({}, {}).voice == VoiceConfiguration()


def test_everything_can_be_set() -> None:
    values = {
        "TRAINGER_VOICE_QUEUE": "https://sqs.eu-north-1.amazonaws.com/1/voice-{shard}",
        "TRAINGER_VOICE_SHARDS": "4",
        "TRAINGER_WAKE_NAMES": " Trainger, тренер,, ",
        "TRAINGER_SIDECAR_PORT": "9000",
        "TRAINGER_VOICE_FILLER_SECONDS": "0",
        "TRAINGER_VOICE_FOLLOW_UP_SECONDS": "30",
        "TRAINGER_VOICE_SILENCE_SECONDS": "0.5",
        "TRAINGER_VOICE_EMPTY_MINUTES": "2.5",
    }
    assert set(values) == set(NAMES.values())
    voice = read(values, {}).voice
    assert voice == VoiceConfiguration(
        queue=values["TRAINGER_VOICE_QUEUE"],
        shards=4,
        wake_names=("Trainger", "тренер"),
        port=9000,
        filler_seconds=0.0,
        follow_up_seconds=30.0,
        silence_seconds=0.5,
        empty_minutes=2.5,
    )
    assert voice.enabled
    assert voice.queue_of(3).endswith("/voice-3")


def test_voice_can_be_turned_off() -> None:
    assert not read_voice({"TRAINGER_VOICE_QUEUE": "none"}).enabled


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TRAINGER_VOICE_QUEUE", "redis://x"),
        ("TRAINGER_VOICE_QUEUE", "None"),
        ("TRAINGER_VOICE_SHARDS", "0"),
        ("TRAINGER_VOICE_SHARDS", "two"),
        ("TRAINGER_VOICE_SHARDS", "1.5"),
        ("TRAINGER_WAKE_NAMES", "x" * 33),
        ("TRAINGER_WAKE_NAMES", ",".join("abcdefghijklmnopqrstu")),
        ("TRAINGER_WAKE_NAMES", "Trainger, 42"),
        ("TRAINGER_SIDECAR_PORT", "65536"),
        ("TRAINGER_SIDECAR_PORT", "-1"),
        ("TRAINGER_VOICE_FILLER_SECONDS", "-1"),
        ("TRAINGER_VOICE_FILLER_SECONDS", "nan"),
        ("TRAINGER_VOICE_FOLLOW_UP_SECONDS", "inf"),
        ("TRAINGER_VOICE_SILENCE_SECONDS", "0"),
        ("TRAINGER_VOICE_EMPTY_MINUTES", "a while"),
    ],
)
def test_a_value_that_cannot_be_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        read_voice({name: value})
