"""The only place that reads configuration and wires adapters to ports.

Adapters are imported where they are made: a process pays only for those it uses, and the acknowledging path uses one.
"""
# ruff: noqa: PLC0415 - see above

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from trainer.configuration import Configuration, ConfigurationError, read

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainer.links import LinkedFile
    from trainer.ports import ChatModel, JobQueue, ObjectStore
    from trainer.services import Services

PLAYGROUND_FILE: Final = Path("data/playground/playground.env")
"""Where the local Discord says who it is."""
OPENAI: Final = "https://api.openai.com/v1"
"""Where OpenAI's library goes unless it is told otherwise."""


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

        base = public_url(configuration)
        return FileStore(Path(rest), url_base=base or None, url_secret=_link_secret(configuration) if base else None)
    bucket, _, prefix = rest.removeprefix("//").partition("/")
    if not bucket:
        raise ConfigurationError("TRAINGER_STORE must be file:<folder> or s3://<bucket>/<prefix>")
    from trainer.adapters.s3_store import S3Store

    return S3Store(bucket, prefix.strip("/"))


def public_url(configuration: Configuration) -> str:
    """Where links to files begin; empty where there can be none. With a playground, on this machine alone."""
    if configuration.public_url:
        return configuration.public_url
    return f"http://127.0.0.1:{configuration.port}" if configuration.local and configuration.port else ""


def make_links(configuration: Configuration) -> Callable[[str], LinkedFile]:
    """What the token of a link leads to, for the HTTP door; the store is opened for the first one.

    What it gives raises `NoFile` and `StoreUnavailable`. Links to S3 lead there and not to us.
    """
    from trainer.links import LinkedFile, NoFile

    @cache
    def store() -> ObjectStore:
        return make_store(configuration)

    def linked(token: str) -> LinkedFile:
        if not configuration.store.startswith("file:") or not public_url(configuration):
            raise NoFile("invalid")
        from trainer.adapters.downloads import content_disposition
        from trainer.adapters.file_store import FileStore, LinkRefused

        files = store()
        if not isinstance(files, FileStore):
            raise NoFile("invalid")
        try:
            file = files.resolve(token)
        except LinkRefused as refused:
            raise NoFile(refused.reason) from None
        info = files.head(file.key)
        if info is None:
            raise NoFile("gone")
        return LinkedFile(content_disposition(file.filename), info.size, lambda: files.open_read(file.key))

    return linked


def _link_secret(configuration: Configuration) -> bytes:
    from trainer.link_secret import kept_secret

    if configuration.link_secret:
        return configuration.link_secret.encode()
    return kept_secret(Path(configuration.store.removeprefix("file:")).absolute().parent / "link.secret")


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


def chat_host(configuration: Configuration) -> str:
    """The host that questions are sent to; empty if no chat model is configured."""
    if not (configuration.openai_api_key or configuration.openai_base_url):
        return ""
    return urlsplit(configuration.openai_base_url or OPENAI).hostname or ""


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
    from trainer.instructions import instruction_in_force
    from trainer.library import Library
    from trainer.limit_store import Limiter
    from trainer.prices import parse_price
    from trainer.retention import Policy
    from trainer.services import Services
    from trainer.training import Training
    from trainer.usage import Ledger

    store = make_store(configuration)
    library = Library(store, Path(configuration.cache))
    price = parse_price(configuration.chat_price) if configuration.chat_price else None
    ledger = Ledger(store, budget_usd=configuration.monthly_budget_usd, price=price)
    return Services(
        store=store,
        library=library,
        training=Training(store, library),
        answering=Answering(
            library, make_chat(configuration), lambda scope: instruction_in_force(store, scope), ledger
        ),
        corrections=Corrections(store),
        limits=Limiter(store, factor=configuration.limits),
        ledger=ledger,
        policy=Policy(configuration.retention_days, configuration.answer_days),
        chat_host=chat_host(configuration),
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
