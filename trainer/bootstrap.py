"""The only place that reads configuration and wires adapters to ports.

Adapters are imported where they are made: a process pays only for those it uses, and the acknowledging path uses one.
"""
# ruff: noqa: PLC0415 - see above

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from trainer.configuration import Configuration, ConfigurationError, read

if TYPE_CHECKING:
    from trainer.ports import ChatModel, JobQueue, ObjectStore
    from trainer.services import Services

PLAYGROUND_FILE: Final = Path("data/playground/playground.env")
"""Where the local Discord says who it is."""
INSTRUCTION_FILE: Final = Path(__file__).parents[1] / "bot_instruction.md"


def configure() -> Configuration:
    """Read the environment and `.env` of the current folder; a real variable wins. Raises `ConfigurationError`."""
    _load_env_file(Path(".env"))
    playground = {} if os.environ.get("DISCORD_PUBLIC_KEY") else _env_values(PLAYGROUND_FILE)
    return read(os.environ, playground)


def make_queue(configuration: Configuration) -> JobQueue:
    """The queue between the door and the workers."""
    kind, _, rest = configuration.queue.partition(":")
    if kind == "sqlite":
        from trainer.adapters.sqlite_queue import SqliteQueue

        return SqliteQueue(Path(rest))
    from trainer.adapters.sqs_queue import SqsQueue

    try:
        return SqsQueue(configuration.queue)
    except ValueError as error:
        raise ConfigurationError(f"TRAINGER_QUEUE: {error}") from None


def make_store(configuration: Configuration) -> ObjectStore:
    """The object store."""
    kind, _, rest = configuration.store.partition(":")
    if kind == "file":
        from trainer.adapters.file_store import FileStore

        return FileStore(Path(rest))
    bucket, _, prefix = rest.removeprefix("//").partition("/")
    if not bucket:
        raise ConfigurationError("TRAINGER_STORE must be file:<folder> or s3://<bucket>/<prefix>")
    from trainer.adapters.s3_store import S3Store

    return S3Store(bucket, prefix.strip("/"))


def make_chat(configuration: Configuration) -> ChatModel | None:
    """The chat model, or None: then trained answers are given as they stand."""
    if not (configuration.openai_api_key or configuration.openai_base_url):
        return None
    from trainer.adapters.openai_chat import OpenAiChat

    try:
        return OpenAiChat(
            api_key=configuration.openai_api_key or None,
            base_url=configuration.openai_base_url or None,
            model=configuration.chat_model or None,
        )
    except ValueError as error:
        raise ConfigurationError(f"OPENAI_BASE_URL or OPENAI_API_KEY: {error}") from None


def check(configuration: Configuration) -> None:
    """Raise `ConfigurationError` for settings that no adapter takes, without making the adapters."""
    if configuration.store == "s3://" or configuration.store.startswith("s3:///"):
        raise ConfigurationError("TRAINGER_STORE must be file:<folder> or s3://<bucket>/<prefix>")
    if configuration.openai_base_url and not configuration.openai_base_url.startswith(("http://", "https://")):
        raise ConfigurationError("OPENAI_BASE_URL must begin with http:// or https://")


def make_services(configuration: Configuration) -> Services:
    """Everything that a worker needs."""
    from trainer.answering import Answering
    from trainer.corrections import Corrections
    from trainer.library import Library
    from trainer.services import Services
    from trainer.training import Training

    store = make_store(configuration)
    library = Library(store, Path(configuration.cache))
    instruction = INSTRUCTION_FILE.read_text(encoding="utf-8") if INSTRUCTION_FILE.exists() else ""
    return Services(
        store=store,
        library=library,
        training=Training(store, library),
        answering=Answering(library, make_chat(configuration), instruction),
        corrections=Corrections(store),
    )


def _load_env_file(path: Path) -> None:
    """Put what `.env` says into the environment, where boto3 and others look for their own names."""
    for name, value in _env_values(path).items():
        os.environ.setdefault(name, value)


def _env_values(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    from dotenv import dotenv_values

    return {name: value for name, value in dotenv_values(path).items() if value}
