"""Who recognises speech, by what is configured and installed."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from trainer import bootstrap
from trainer.configuration import Configuration, ConfigurationError, read
from trainer.ports import Transcriber

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).parents[3]
SERVER = {"OPENAI_BASE_URL": "http://models.example.org/v1"}
OPENAI = {"OPENAI_API_KEY": "sk-key"}


@pytest.fixture
def _installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "find_spec", lambda name: object() if name == "faster_whisper" else None)


@pytest.fixture
def _not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "find_spec", lambda _: None)


@pytest.mark.usefixtures("_installed")
@pytest.mark.parametrize(
    ("given", "name", "host"),
    [
        ({}, "whisper-base", ""),
        (OPENAI, "gpt-transcribe", "api.openai.com"),
        (SERVER, "whisper-1", "models.example.org"),
        ({**SERVER, "TRAINGER_STT": "openai:a/b:c"}, "a/b:c", "models.example.org"),
        ({**SERVER, "TRAINGER_STT": "whisper"}, "whisper-base", ""),
        ({"TRAINGER_STT": "whisper:large-v3"}, "whisper-large-v3", ""),
        ({"TRAINGER_STT": "whisper:/srv/models/whisper-mine"}, "whisper-mine", ""),
        ({**OPENAI, "TRAINGER_STT": "none"}, None, ""),
    ],
)
def test_who_recognises(given: Mapping[str, str], name: str | None, host: str) -> None:
    configuration = read(given, {})
    transcriber = bootstrap.make_transcriber(configuration)
    assert (transcriber.name if transcriber else None) == name
    assert bootstrap.transcription_host(configuration) == host
    assert transcriber is None or isinstance(transcriber, Transcriber)
    assert transcriber is None or transcriber.local == (host == "")


@pytest.mark.usefixtures("_not_installed")
def test_where_nothing_is_installed_nobody_does_unless_it_is_chosen() -> None:
    assert bootstrap.make_transcriber(read({}, {})) is None
    assert bootstrap.make_transcriber(read({"TRAINGER_STT": "whisper"}, {})) is not None


@pytest.mark.parametrize("setting", ["remote", "openai:", "whisper:", "none:", "WHISPER"])
def test_recognisers_that_there_are_not(setting: str) -> None:
    with pytest.raises(ConfigurationError, match="TRAINGER_STT must be"):
        read({"TRAINGER_STT": setting, **OPENAI}, {})


def test_a_recogniser_that_nobody_serves() -> None:
    with pytest.raises(ConfigurationError, match="TRAINGER_STT names openai, so"):
        read({"TRAINGER_STT": "openai"}, {})
    with pytest.raises(ConfigurationError, match="OPENAI_BASE_URL or OPENAI_API_KEY"):
        bootstrap.make_transcriber(Configuration(stt="openai", openai_base_url="not an address"))


@pytest.mark.parametrize("threads", ["-1", "257"])
def test_threads_that_cannot_be(threads: str) -> None:
    with pytest.raises(ConfigurationError, match="TRAINGER_STT_THREADS must be from 0 to 256"):
        read({"TRAINGER_STT_THREADS": threads}, {})


@pytest.mark.parametrize("name", ["path_to_ffmpeg", "FFMPEG_PATH"])
def test_a_program_that_takes_recordings_apart(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="path_to_ffmpeg must name a program"):
        bootstrap.make_decoder(read({name: str(tmp_path / "ffmpeg")}, {}))
    (tmp_path / "ffmpeg").touch()
    bootstrap.make_decoder(read({name: str(tmp_path / "ffmpeg")}, {}))


def test_a_worker_has_all_of_it(tmp_path: Path) -> None:
    given = {"TRAINGER_STORE": f"file:{tmp_path / 'store'}", "TRAINGER_CACHE": str(tmp_path / "cache"), **SERVER}
    services = bootstrap.make_services(read(given, {}))
    assert services.transcriber is not None
    assert services.transcription_host == "models.example.org"
    assert services.decoder is not None
    assert services.keywords is not None
    services.close()


def test_the_extra_is_what_the_requirements_are() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    lines = (ROOT / "requirements" / "local-speech.in").read_text(encoding="utf-8").splitlines()
    required = [line.partition("#")[0].strip() for line in lines]
    assert project["optional-dependencies"]["local-speech"] == [line for line in required if line]
