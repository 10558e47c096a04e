"""What can be configured of voice, and what is in force when nothing is. Pure: from names and values to a struct."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import msgspec

from trainer.configuration_errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping

SHARD: Final = "{shard}"
"""Stands in the name of a queue for the number of the shard."""
NO_QUEUE: Final = "none"
SHARDS_MOST: Final = 100_000
WAKE_NAMES_MOST: Final = 20
WAKE_NAME_MOST: Final = 32
"""Characters of one."""


class VoiceConfiguration(msgspec.Struct, frozen=True, kw_only=True):
    """Everything of voice that the environment decides. `.env.example` says what each name means."""

    queue: str = "sqlite:./data/voice.sqlite3"
    """Where orders to the sidecar lie, with `{shard}` in it if each shard has a queue of its own; or `none`."""
    shards: int = 1
    """How many shards there are."""
    wake_names: tuple[str, ...] = ()
    """What people call the bot; none given: its display name, and what the sidecar adds to that."""
    port: int = 8081
    """Where the sidecar tells how it is."""
    filler_seconds: float = 1.5
    """How long an answer may take before a word or two ask for patience; 0: none are said."""
    follow_up_seconds: float = 20.0
    """How long after an answer nobody has to say the name."""
    silence_seconds: float = 0.7
    """How long somebody is silent who has finished, where nothing tells it better."""
    empty_minutes: float = 5.0
    """How long the bot stays where nobody is."""

    @property
    def enabled(self) -> bool:
        """Whether there is a queue at all."""
        return self.queue != NO_QUEUE

    def queue_of(self, shard: int) -> str:
        """The queue of one shard."""
        return self.queue.replace(SHARD, str(shard))


NAMES: Final[Mapping[str, str]] = {
    "queue": "TRAINGER_VOICE_QUEUE",
    "shards": "TRAINGER_VOICE_SHARDS",
    "wake_names": "TRAINGER_WAKE_NAMES",
    "port": "TRAINGER_SIDECAR_PORT",
    "filler_seconds": "TRAINGER_VOICE_FILLER_SECONDS",
    "follow_up_seconds": "TRAINGER_VOICE_FOLLOW_UP_SECONDS",
    "silence_seconds": "TRAINGER_VOICE_SILENCE_SECONDS",
    "empty_minutes": "TRAINGER_VOICE_EMPTY_MINUTES",
}
"""Each setting's name in the environment."""
RANGES: Final[Mapping[str, tuple[float, float]]] = {
    "shards": (1, SHARDS_MOST),
    "port": (0, (1 << 16) - 1),
    "filler_seconds": (0, 30),
    "follow_up_seconds": (0, 600),
    "silence_seconds": (0.2, 5),
    "empty_minutes": (0, 1440),
}
"""What each number may be, both ends included."""


def read_voice(environ: Mapping[str, str]) -> VoiceConfiguration:
    """The configuration in force. An empty value counts as none. Raises `ConfigurationError`."""
    given: dict[str, object] = {}
    for setting, name in NAMES.items():
        if value := environ.get(name, "").strip():
            given[setting] = _wake_names(value) if setting == "wake_names" else value
    try:
        configuration = msgspec.convert(given, VoiceConfiguration, strict=False)
    except msgspec.ValidationError as error:
        setting = str(error).rpartition("$.")[2].strip("`")
        raise ConfigurationError(f"{NAMES.get(setting, setting)} is not a number") from None
    for setting, (least, most) in RANGES.items():
        number = getattr(configuration, setting)
        if not (math.isfinite(number) and least <= number <= most):
            raise ConfigurationError(f"{NAMES[setting]} must be from {least:g} to {most:g}")
    if configuration.enabled and not configuration.queue.startswith(("sqlite:", "http://", "https://")):
        text = "TRAINGER_VOICE_QUEUE must be sqlite:<file>, the URL of an SQS queue, or none"
        raise ConfigurationError(text)
    return configuration


def _wake_names(value: str) -> list[str]:
    names = [name.strip() for name in value.split(",") if name.strip()]
    if len(names) > WAKE_NAMES_MOST or any(len(name) > WAKE_NAME_MOST for name in names):
        text = f"TRAINGER_WAKE_NAMES takes up to {WAKE_NAMES_MOST} names of up to {WAKE_NAME_MOST} characters"
        raise ConfigurationError(text)
    if not all(any(char.isalpha() for char in name) for name in names):
        raise ConfigurationError("TRAINGER_WAKE_NAMES: each name must have letters in it")
    return names
