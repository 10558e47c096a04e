"""What `/healthz` says of the orders to the voice sidecar: it never decides about being well."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from interactions.wiring import health
from trainer import bootstrap
from trainer.adapters.sqlite_queue import SqliteQueue
from trainer.configuration import Configuration
from trainer.voice_configuration import VoiceConfiguration

if TYPE_CHECKING:
    from pathlib import Path

EMPTY = {"ready": 0, "leased": 0, "delayed": 0, "dead": 0}


def told(folder: Path, voice: str, *, shards: int = 1) -> dict[str, object]:
    """What it says of everything."""
    configuration = Configuration(
        public_key="0" * 64,
        store=f"file:{folder / 'store'}",
        queue=f"sqlite:{folder / 'queue.sqlite3'}",
        cache=str(folder / "cache"),
        voice=VoiceConfiguration(queue=voice, shards=shards),
        embeddings="none",
        stt="none",
        tts="none",
    )
    queue = bootstrap.make_queue(configuration)
    try:
        return health(configuration, queue)()
    finally:
        queue.close()


def test_orders_that_wait_and_that_are_being_done(tmp_path: Path) -> None:
    queue = SqliteQueue(tmp_path / "voice.sqlite3")
    for _ in range(3):
        queue.send(b"{}")
    assert queue.lease(wait_s=0, visibility_s=60)
    said = told(tmp_path, f"sqlite:{tmp_path / 'voice.sqlite3'}")
    queue.close()
    assert said["ok"] is True
    assert said["voice"] == {"queue": "ok", "orders": {**EMPTY, "ready": 2, "leased": 1}}


def test_all_shards_together(tmp_path: Path) -> None:
    for shard in range(2):
        queue = SqliteQueue(tmp_path / f"voice-{shard}.sqlite3")
        queue.send(b"{}")
        queue.close()
    said = told(tmp_path, f"sqlite:{tmp_path}/voice-{{shard}}.sqlite3", shards=2)
    assert said["voice"] == {"queue": "ok", "orders": {**EMPTY, "ready": 2}}


@pytest.mark.parametrize(
    ("voice", "queue"),
    [
        ("none", "none: there is no voice"),
        ("sqlite:/dev/null/voice.sqlite3", "does not answer"),
        ("https://example.org/no-queue", "does not answer"),
    ],
)
def test_text_works_without(tmp_path: Path, voice: str, queue: str) -> None:
    said = told(tmp_path, voice)
    assert said["ok"] is True
    assert said["voice"] == {"queue": queue, "orders": None}
