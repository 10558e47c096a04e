"""What answers need is loaded before anybody has asked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from trainer import bootstrap
from trainer.configuration import read
from trainer.ports import ModelUnavailable, Sound, Transcript
from trainer.scope import Scope
from voice_sidecar.conversation.tools import Pools
from voice_sidecar.warming import warm_knowledge, warm_models

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from trainer.services import Services

HERE = Scope("guild", "42")


class Model:
    """A recogniser and an embedder that notes what it is asked."""

    name, most_s, size = "scripted", 30.0, 1

    def __init__(self, *, local: bool = True, broken: bool = False) -> None:
        self.local = local
        self.broken = broken
        self.seconds: list[float] = []
        self.texts: list[str] = []

    def transcribe(self, sound: Sound, **_: Any) -> Transcript:
        self.seconds.append(sound.seconds)
        if self.broken:
            raise ModelUnavailable("missing", retryable=False)
        return Transcript("", "", ())

    def embed(self, texts: Sequence[str]) -> list[Any]:
        self.texts += texts
        return []


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    environ = {"TRAINGER_STORE": f"file:{tmp_path / 'store'}", "TRAINGER_CACHE": str(tmp_path / "cache")}
    made = bootstrap.make_services(read({**environ, "TRAINGER_EMBEDDINGS": "none", "TRAINGER_TTS": "none"}, {}))
    yield made
    made.close()


class Threads:
    """The pools, which are waited for at the end of the block."""

    def __enter__(self) -> Pools:
        self._pools = Pools(*(ThreadPoolExecutor(1) for _ in range(4)))
        return self._pools

    def __exit__(self, *_: object) -> None:
        for pool in self._pools:
            pool.shutdown()


def test_models_on_this_machine_are_loaded(services: Services) -> None:
    model = Model()
    with Threads() as pools:
        warm_models(services._replace(transcriber=model, embedder=model), pools)
    assert model.seconds == [0.5]
    assert len(model.texts) == 1


def test_providers_are_not_asked(services: Services) -> None:
    model = Model(local=False)
    with Threads() as pools:
        warm_models(services._replace(transcriber=model, embedder=model, embeddings_host="api.example"), pools)
        warm_models(services._replace(transcriber=None, embedder=None), pools)
    assert (model.seconds, model.texts) == ([], [])


def test_the_way_to_providers_is_loaded(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[str] = []
    monkeypatch.setattr("voice_sidecar.warming.import_module", loaded.append)
    with Threads() as pools:
        warm_models(services, pools)
        assert loaded == []
        warm_models(services._replace(chat_host="api.example"), pools)
        warm_models(services._replace(transcription_host="api.example"), pools)
    assert loaded == ["openai", "openai"]


def test_what_fails_keeps_nothing_else_from_being_loaded(
    services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    recogniser, embedder = Model(broken=True), Model()
    with Threads() as pools:
        warm_models(services._replace(transcriber=recogniser, embedder=embedder), pools)
    assert recogniser.seconds
    assert embedder.texts
    [record] = [one for one in caplog.records if one.name == "voice_sidecar.warming"]
    assert record.__dict__["error"] == "ModelUnavailable"


def test_what_a_server_was_taught_is_loaded(services: Services, tmp_path: Path) -> None:
    before = {path for path in (tmp_path / "cache").rglob("*") if path.is_file()}
    with Threads() as pools:
        warm_knowledge(services, HERE, pools)
    assert {path for path in (tmp_path / "cache").rglob("*") if path.is_file()} - before
