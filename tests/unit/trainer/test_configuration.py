"""What the environment decides."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from trainer import bootstrap
from trainer.configuration import NAMES, Configuration, ConfigurationError, read
from trainer.voice_configuration import NAMES as VOICE_NAMES

KEY = "ab" * 32
ROOT = Path(__file__).parents[3]


def test_nothing_set_means_the_defaults_and_no_discord() -> None:
    configuration = read({}, {})
    assert configuration == Configuration(local=True)
    assert not configuration.has_credentials


def test_the_playground_stands_in_for_missing_credentials() -> None:
    playground = {"DISCORD_PUBLIC_KEY": KEY, "DISCORD_TOKEN": "t", "DISCORD_API_BASE_URL": "http://127.0.0.1:1/api"}
    configuration = read({"DISCORD_TOKEN": "mine"}, playground)
    assert (configuration.public_key, configuration.token, configuration.local) == (KEY, "mine", True)
    assert not configuration.has_credentials


def test_real_credentials_shut_the_playground_out() -> None:
    configuration = read({"DISCORD_PUBLIC_KEY": KEY}, {"DISCORD_TOKEN": "playground's"})
    assert configuration.has_credentials
    assert configuration.token == ""


def test_aliases_and_empty_values() -> None:
    assert read({"DISCORD_BOT_TOKEN": "b"}, {}).token == "b"
    assert read({"DISCORD_TOKEN": "a", "DISCORD_BOT_TOKEN": "b"}, {}).token == "a"
    assert read({"DISCORD_TOKEN": " ", "DISCORD_BOT_TOKEN": "b", "PORT": ""}, {}).token == "b"
    assert read({"PORT": "9000", "TRAINGER_LEASE_SECONDS": "2.5"}, {}).lease_seconds == 2.5


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "many"),
        ("PORT", "70000"),
        ("TRAINGER_LOG_LEVEL", "LOUD"),
        ("TRAINGER_STORE", "ftp://x"),
        ("TRAINGER_QUEUE", "redis://x"),
        ("TRAINGER_WORKER_THREADS", "0"),
        ("TRAINGER_LEASE_SECONDS", "0.1"),
        ("TRAINGER_CACHE_MEGABYTES", "0"),
        ("TRAINGER_CACHE_MEGABYTES", "nan"),
        ("DISCORD_PUBLIC_KEY", "secret"),
        ("DISCORD_PUBLIC_KEY", "ab" * 31),
    ],
)
def test_a_value_that_cannot_be_is_named(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError, match=name) as caught:
        read({name: value}, {})
    assert "secret" not in str(caught.value)


def test_every_name_is_explained_in_the_example() -> None:
    example = (ROOT / ".env.example").read_text()
    given = set(re.findall(r"^([A-Za-z_]+)=", example, re.MULTILINE))
    wanted = {names[0] for names in NAMES.values()} | set(VOICE_NAMES.values())
    assert wanted <= given
    assert all(names[1] in example for names in NAMES.values() if len(names) > 1)


def test_the_env_file_is_read_and_a_real_variable_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("PORT", "AWS_REGION", "AWS_DEFAULT_REGION", "TRAINGER_LOG_LEVEL"):
        # Set first, so that what the file adds is taken away again when the test ends.
        monkeypatch.setenv(name, "x")
        monkeypatch.delenv(name)
    monkeypatch.setenv("TRAINGER_LOG_LEVEL", "ERROR")
    (tmp_path / ".env").write_text("PORT=9001\nAWS_REGION=eu-north-1\nTRAINGER_LOG_LEVEL=DEBUG\nOPENAI_API_KEY=\n")
    configuration = bootstrap.configure()
    assert (configuration.port, configuration.log_level) == (9001, "ERROR")
    assert os.environ["AWS_REGION"] == os.environ["AWS_DEFAULT_REGION"] == "eu-north-1"


def test_the_playgrounds_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert bootstrap.configure().public_key == ""
    bootstrap.PLAYGROUND_FILE.parent.mkdir(parents=True)
    bootstrap.PLAYGROUND_FILE.write_text(f"DISCORD_PUBLIC_KEY={KEY}\n")
    assert bootstrap.configure().public_key == KEY


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ({"store": "file:./x"}, "FileStore"),
        ({"store": "s3://bucket/some/prefix/"}, "S3Store"),
    ],
)
def test_stores(settings: Any, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert type(bootstrap.make_store(Configuration(**settings))).__name__ == kind


def test_a_bucket_needs_a_name() -> None:
    with pytest.raises(ConfigurationError, match="bucket"):
        bootstrap.make_store(Configuration(store="s3://"))


def test_queues(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    local = bootstrap.make_queue(Configuration(queue=f"sqlite:{tmp_path / 'q.sqlite3'}"))
    assert type(local).__name__ == "SqliteQueue"
    monkeypatch.setenv("AWS_REGION", "eu-north-1")
    remote = bootstrap.make_queue(Configuration(queue="http://127.0.0.1:1/000000000000/jobs"))
    assert type(remote).__name__ == "SqsQueue"


def test_a_queue_that_cannot_be_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    with pytest.raises(ConfigurationError, match=r"TRAINGER_QUEUE: .*region"):
        bootstrap.make_queue(Configuration(queue="http://127.0.0.1:1/000000000000/jobs"))


@pytest.mark.parametrize(
    ("setting", "name", "host"),
    [
        ("local", "universal-sentence-encoder-multilingual-3", ""),
        ("openai", "text-embedding-3-small", "models.example.org"),
        ("openai:a/b:c", "a/b:c", "models.example.org"),
        ("none", None, ""),
    ],
)
def test_embedders(setting: str, name: str | None, host: str) -> None:
    given = {"TRAINGER_EMBEDDINGS": setting, "OPENAI_BASE_URL": "http://models.example.org/v1"}
    configuration = read(given, {})
    embedder = bootstrap.make_embedder(configuration)
    assert (embedder.name if embedder else None) == name
    assert bootstrap.embeddings_host(configuration) == host


@pytest.mark.parametrize("setting", ["remote", "openai:", "local:tiny", "none:", "LOCAL"])
def test_embedders_that_there_are_not(setting: str) -> None:
    with pytest.raises(ConfigurationError, match="TRAINGER_EMBEDDINGS must be"):
        read({"TRAINGER_EMBEDDINGS": setting, "OPENAI_API_KEY": "key"}, {})


def test_an_embedder_that_nobody_serves() -> None:
    with pytest.raises(ConfigurationError, match="TRAINGER_EMBEDDINGS: openai needs"):
        read({"TRAINGER_EMBEDDINGS": "openai"}, {})
    with pytest.raises(ConfigurationError, match="OPENAI_BASE_URL or OPENAI_API_KEY"):
        bootstrap.make_embedder(Configuration(embeddings="openai", openai_base_url="not an address"))


def test_chat_models() -> None:
    assert bootstrap.make_chat(Configuration()) is None
    chat = bootstrap.make_chat(Configuration(openai_base_url="http://127.0.0.1:1/v1", chat_model="tiny"))
    assert chat is not None
    assert chat.name == "tiny"
    with pytest.raises(ConfigurationError, match="OPENAI_BASE_URL"):
        bootstrap.make_chat(Configuration(openai_base_url="not an address"))
