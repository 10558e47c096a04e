"""The only place that reads configuration and wires adapters to ports.

Adapters are imported where they are made: a process pays only for those it uses, and the acknowledging path uses one.
"""
# ruff: noqa: PLC0415 - see above

from __future__ import annotations

import os
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from trainer.configuration import Configuration, ConfigurationError, read

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainer.links import LinkedFile
    from trainer.ports import ChatModel, Embedder, JobQueue, ObjectStore, Synthesizer, Transcriber
    from trainer.services import Services
    from trainer.speech.late_decoder import SoundDecoder
    from trainer.speech.speaking import Speaker
    from trainer.voice_line import VoiceLine

PLAYGROUND_FILE: Final = Path("data/playground/playground.env")
"""Where the local Discord says who it is."""
GTTS_HOST: Final = "translate.google.com"
OPENAI: Final = "https://api.openai.com/v1"
"""Where OpenAI's library goes unless it is told otherwise."""


def configure(*, with_playground: bool = True) -> Configuration:
    """Read the environment and `.env` of the current folder; a real variable wins. Raises `ConfigurationError`.

    Without `with_playground`, a local Discord that runs here is not looked for.
    """
    _load_env_file(Path(".env"))
    if region := os.environ.get("AWS_REGION"):
        os.environ.setdefault("AWS_DEFAULT_REGION", region)  # the name that boto3 reads
    given = bool(os.environ.get("DISCORD_PUBLIC_KEY"))
    playground = _env_values(PLAYGROUND_FILE) if with_playground and not given else {}
    return read(os.environ, playground)


def make_queue(configuration: Configuration) -> JobQueue:
    """The queue between the door and the workers."""
    return _queue("TRAINGER_QUEUE", configuration.queue)


def make_voice_queue(configuration: Configuration, shard: int = 0) -> JobQueue:
    """The queue between the workers and the sidecar of a shard. Raises `ConfigurationError` if there is none."""
    if not configuration.voice.enabled:
        raise ConfigurationError("TRAINGER_VOICE_QUEUE is none: there is no way to tell the sidecar anything")
    return _queue("TRAINGER_VOICE_QUEUE", configuration.voice.queue_of(shard))


def make_voice_line(configuration: Configuration, store: ObjectStore) -> VoiceLine | None:
    """What a worker tells the sidecars by, or None if there are to be none. Queues are opened when first used."""
    voice = configuration.voice
    if not voice.enabled:
        return None
    from trainer.voice_line import VoiceLine

    return VoiceLine(
        store,
        lambda shard: make_voice_queue(configuration, shard),
        shards=voice.shards if voice.queue != voice.queue_of(0) else 1,
        tidies=voice.queue.startswith("sqlite:"),
    )


def _queue(name: str, where: str) -> JobQueue:
    kind, _, rest = where.partition(":")
    if kind == "sqlite":
        from trainer.adapters.sqlite_queue import SqliteQueue

        return SqliteQueue(Path(rest))
    from trainer.adapters.sqs_queue import SqsQueue

    try:
        return SqsQueue(where)
    except ValueError as error:
        raise ConfigurationError(f"{name}: {error}") from None


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


def make_embedder(configuration: Configuration) -> Embedder | None:
    """What tells which questions mean the same, or None: then their words alone are compared."""
    kind, _, model = configuration.embeddings.partition(":")
    if kind == "none":
        return None
    if kind == "local":
        from trainer.adapters.local_embedder import LocalEmbedder

        return LocalEmbedder()
    from trainer.adapters.openai_embedder import OpenAiEmbedder

    try:
        return OpenAiEmbedder(
            api_key=configuration.openai_api_key or None,
            base_url=configuration.openai_base_url or None,
            model=model or None,
        )
    except ValueError as error:
        raise ConfigurationError(f"OPENAI_BASE_URL or OPENAI_API_KEY: {error}") from None


def chat_host(configuration: Configuration) -> str:
    """The host that questions are sent to; empty if no chat model is configured."""
    if not (configuration.openai_api_key or configuration.openai_base_url):
        return ""
    return urlsplit(configuration.openai_base_url or OPENAI).hostname or ""


def make_transcriber(configuration: Configuration) -> Transcriber | None:
    """What recognises speech, or None. Whether a chosen one is installed shows when it is first used."""
    kind, model = _recogniser(configuration)
    if kind == "whisper":
        from trainer.adapters.whisper_transcriber import WhisperTranscriber

        return WhisperTranscriber(model, cache=Path(configuration.cache), threads=configuration.stt_threads)
    if kind != "openai":
        return None
    from trainer.adapters.openai_transcriber import OpenAiTranscriber

    try:
        return OpenAiTranscriber(
            api_key=configuration.openai_api_key or None,
            base_url=configuration.openai_base_url or None,
            model=model or None,
        )
    except ValueError as error:
        raise ConfigurationError(f"OPENAI_BASE_URL or OPENAI_API_KEY: {error}") from None


def transcription_host(configuration: Configuration) -> str:
    """The host that recordings are sent to; empty if they are recognised here or not at all."""
    if _recogniser(configuration)[0] != "openai":
        return ""
    return urlsplit(configuration.openai_base_url or OPENAI).hostname or ""


def _recogniser(configuration: Configuration) -> tuple[str, str]:
    """What was chosen, or else the first that is configured or installed, and the model; both may be empty."""
    kind, _, model = configuration.stt.partition(":")
    if not kind and (configuration.openai_api_key or configuration.openai_base_url):
        kind = "openai"
    elif not kind and find_spec("faster_whisper"):
        kind = "whisper"
    return kind, model


def make_decoder(configuration: Configuration) -> SoundDecoder:
    """What takes recordings apart."""
    from trainer.speech.late_decoder import LateDecoder

    try:
        return LateDecoder(Path(configuration.ffmpeg) if configuration.ffmpeg else None)
    except FileNotFoundError:
        raise ConfigurationError("path_to_ffmpeg must name a program that is there") from None


def make_speaker(configuration: Configuration) -> Speaker | None:
    """What says answers aloud, or None; voices of packages that are not installed are left out."""
    voices = [voice for name in voice_names(configuration) if (voice := _make_voice(configuration, name)) is not None]
    if not voices:
        return None
    from trainer.speech.speaking import Speaker

    return Speaker(voices)


def voice_names(configuration: Configuration) -> list[str]:
    """The voices that were chosen, in the order in which they are tried."""
    if configuration.tts == "none":
        return []
    chosen = [name.strip() for name in (configuration.tts or "local,gtts").split(",")]
    return [kind for name in chosen for kind in (("hibari", "espeak") if name == "local" else (name,))]


def _make_voice(configuration: Configuration, name: str) -> Synthesizer | None:
    kind, _, rest = name.partition(":")
    if kind == "hibari":
        from trainer.adapters.hibari_synthesizer import HibariSynthesizer

        return HibariSynthesizer() if find_spec("hibari") else None
    if kind == "espeak":
        from trainer.adapters.espeak_synthesizer import EspeakSynthesizer

        return EspeakSynthesizer() if find_spec("espeakng_loader") else None
    if kind == "gtts":
        from trainer.adapters.gtts_synthesizer import GttsSynthesizer

        return GttsSynthesizer()
    from trainer.adapters.openai_synthesizer import OpenAiSynthesizer

    model, _, voice = rest.partition(":")
    try:
        return OpenAiSynthesizer(
            api_key=configuration.openai_api_key or None,
            base_url=configuration.openai_base_url or None,
            model=model or None,
            voice=voice or None,
        )
    except ValueError as error:
        raise ConfigurationError(f"OPENAI_BASE_URL or OPENAI_API_KEY: {error}") from None


def speech_hosts(configuration: Configuration) -> tuple[str, ...]:
    """The hosts that answers may be sent to, to be spoken."""
    kinds = [name.partition(":")[0] for name in voice_names(configuration)]
    hosts = {"gtts": GTTS_HOST, "openai": urlsplit(configuration.openai_base_url or OPENAI).hostname or ""}
    return tuple(dict.fromkeys(hosts[kind] for kind in kinds if kind in hosts))


def embeddings_host(configuration: Configuration) -> str:
    """The host that turns questions into vectors; empty if that happens here or not at all."""
    return chat_host(configuration) if configuration.embeddings.startswith("openai") else ""


def check(configuration: Configuration) -> None:
    """Raise `ConfigurationError` for settings that no adapter takes, without making the adapters."""
    if configuration.store == "s3://" or configuration.store.startswith("s3:///"):
        raise ConfigurationError("TRAINGER_STORE must be file:<folder> or s3://<bucket>/<prefix>")
    if configuration.openai_base_url and not configuration.openai_base_url.startswith(("http://", "https://")):
        raise ConfigurationError("OPENAI_BASE_URL must begin with http:// or https://")


def make_services(
    configuration: Configuration,
    queue: JobQueue | None = None,
    *,
    store: ObjectStore | None = None,
    judge: ChatModel | None = None,
) -> Services:
    """Everything that a worker needs.

    Args:
        configuration: what the environment decides.
        queue: where jobs are given up; its owner's to close.
        store: in place of the configured one.
        judge: the chat model that judges answers, in place of the configured one.
    """
    from trainer.answering import Answering
    from trainer.corrections import Corrections
    from trainer.evaluation.running import Runner
    from trainer.instructions import instruction_in_force
    from trainer.lesson_book import LessonBook
    from trainer.library import MIB, Library
    from trainer.limit_store import Limiter
    from trainer.prices import parse_price
    from trainer.retention import Policy
    from trainer.services import Services
    from trainer.speech.dataset_words import DatasetWords
    from trainer.struct_types import make_ready
    from trainer.training import Training
    from trainer.usage import Ledger

    store = store or make_store(configuration)
    embedder = make_embedder(configuration)
    cache_most = configuration.cache_megabytes * MIB
    library = Library(store, Path(configuration.cache), embedder, cache_most=cache_most)
    price = parse_price(configuration.chat_price) if configuration.chat_price else None
    ledger = Ledger(store, budget_usd=configuration.monthly_budget_usd, price=price)
    chat = make_chat(configuration)
    lessons = LessonBook(store, chat, ledger)
    answering = Answering(library, chat, lambda scope: instruction_in_force(store, scope), ledger, lessons.near)
    services = Services(
        store=store,
        library=library,
        training=Training(store, library),
        answering=answering,
        corrections=Corrections(store),
        limits=Limiter(store, factor=configuration.limits),
        ledger=ledger,
        policy=Policy(configuration.retention_days, configuration.answer_days),
        chat_host=chat_host(configuration),
        embedder=embedder,
        embeddings_host=embeddings_host(configuration),
        queue=queue,
        lessons=lessons,
        transcriber=make_transcriber(configuration),
        transcription_host=transcription_host(configuration),
        decoder=make_decoder(configuration),
        keywords=DatasetWords(store, library),
        speaker=make_speaker(configuration),
        speech_hosts=speech_hosts(configuration),
        voice=make_voice_line(configuration, store),
        evaluation=Runner(
            store,
            library,
            answering,
            ledger=ledger,
            judge=judge or chat,
            embedder=embedder,
            threads=configuration.evaluation_threads,
            # Whatever is tested, somebody must be left to answer questions.
            runs_most=max(1, configuration.worker_threads // 2),
            lasts_s=configuration.lease_seconds,
        ),
    )
    make_ready()
    return services


def _load_env_file(path: Path) -> None:
    """Put what `.env` says into the environment, where boto3 and others look for their own names."""
    for name, value in _env_values(path).items():
        os.environ.setdefault(name, value)


def _env_values(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    from dotenv import dotenv_values

    return {name: value for name, value in dotenv_values(path).items() if value}
