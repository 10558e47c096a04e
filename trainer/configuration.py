"""What can be configured, and what is in force when nothing is. Pure: from names and values to a typed struct."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import msgspec

from trainer.configuration_errors import ConfigurationError
from trainer.prices import parse_price
from trainer.voice_configuration import VoiceConfiguration, read_voice

if TYPE_CHECKING:
    from collections.abc import Mapping

DISCORD_API: Final = "https://discord.com/api/v10"
CDN_HOSTS: Final = "cdn.discordapp.com,media.discordapp.net"
SECRET_LEAST: Final = 16
EVALUATION_THREADS_MOST: Final = 64
JOB_SECONDS_LEAST: Final = 10
"""In less, nothing that takes long gets anywhere."""
STT_THREADS_MOST: Final = 256
VOICES: Final = ("local", "hibari", "espeak", "gtts", "openai")
LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
METRICS: Final = ("local", "public")


__all__ = ["NAMES", "Configuration", "ConfigurationError", "read"]


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the environment decides. `.env.example` says what each name means."""

    public_key: str = ""
    application_id: str = ""
    token: str = ""
    test_guild_id: str = ""
    api_base_url: str = DISCORD_API
    cdn_hosts: str = CDN_HOSTS
    store: str = "file:./data/store"
    queue: str = "sqlite:./data/queue.sqlite3"
    cache: str = "./data/cache"
    cache_megabytes: float = 2048
    """What search indexes may take there; those that were not used for longest go first."""
    openai_api_key: str = ""
    openai_base_url: str = ""
    chat_model: str = ""
    embeddings: str = "local"
    """What tells which questions mean the same: `local`, `openai`, `openai:<model>`, or `none`."""
    stt: str = ""
    """What recognises speech: `openai`, `openai:<model>`, `whisper`, `whisper:<name or folder>`, or `none`.

    Empty: the first of `openai` and `whisper` that is configured or installed.
    """
    stt_threads: int = 0
    """Processor threads of `whisper`; 0 for as many as are of use."""
    ffmpeg: str = ""
    """A program that takes recordings apart, instead of the libraries that are installed with us."""
    tts: str = ""
    """The voices to try, in order, with commas between; empty: those of installed packages, then gTTS."""
    log_level: str = "INFO"
    metrics: str = "local"
    """Who gets `/metrics`: `local`, programs on this machine that no proxy stands before, or `public`, everybody."""
    probe_public_key: str = ""
    """Whoever has its private key may see a signed PING answered, and do nothing else. Empty: nobody but Discord."""
    port: int = 8080
    public_url: str = ""
    """Where people's browsers reach the HTTP door; links to files begin with it. Empty: there are no links."""
    link_secret: str = ""
    """Signs those links; empty for one that is made once and kept beside the store."""
    monthly_budget_usd: float | None = None
    """What each scope may spend on the chat model in a calendar month; None for as much as it likes."""
    chat_price: str = ""
    """`<input>/<output>`, US dollars for a million tokens; empty for what the table of prices says."""
    limits: float = 1.0
    """Multiplies the limits on what people may do in a while; 0 lifts them."""
    retention_days: int = 30
    """What a person has in their own scope is deleted so many days after they uninstalled the bot."""
    answer_days: int = 180
    """How long questions, answers and votes are kept."""
    lease_seconds: float = 30
    worker_threads: int = 4
    evaluation_threads: int = 4
    """Cases that one run of /test answers at a time."""
    job_seconds: float | None = None
    """How long a worker goes on with one command before it leaves the rest to another job; None for no limit."""
    voice: VoiceConfiguration = VoiceConfiguration()
    """Of talking in voice channels; its names are in `trainer.voice_configuration`."""
    local: bool = False
    """Talks to the playground: nobody gave credentials."""

    @property
    def has_credentials(self) -> bool:
        """Whether a real application is configured."""
        return bool(self.public_key) and not self.local


NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "public_key": ("DISCORD_PUBLIC_KEY",),
    "application_id": ("DISCORD_APPLICATION_ID",),
    "token": ("DISCORD_TOKEN", "DISCORD_BOT_TOKEN"),
    "test_guild_id": ("DISCORD_TEST_GUILD_ID",),
    "api_base_url": ("DISCORD_API_BASE_URL",),
    "cdn_hosts": ("DISCORD_CDN_HOSTS",),
    "store": ("TRAINGER_STORE",),
    "queue": ("TRAINGER_QUEUE",),
    "cache": ("TRAINGER_CACHE",),
    "cache_megabytes": ("TRAINGER_CACHE_MEGABYTES",),
    "openai_api_key": ("OPENAI_API_KEY",),
    "openai_base_url": ("OPENAI_BASE_URL",),
    "chat_model": ("TRAINGER_CHAT_MODEL",),
    "embeddings": ("TRAINGER_EMBEDDINGS",),
    "stt": ("TRAINGER_STT",),
    "stt_threads": ("TRAINGER_STT_THREADS",),
    "ffmpeg": ("path_to_ffmpeg", "FFMPEG_PATH"),
    "tts": ("TRAINGER_TTS",),
    "log_level": ("TRAINGER_LOG_LEVEL",),
    "metrics": ("TRAINGER_METRICS",),
    "probe_public_key": ("TRAINGER_PROBE_PUBLIC_KEY",),
    "port": ("PORT",),
    "public_url": ("TRAINGER_PUBLIC_URL",),
    "link_secret": ("TRAINGER_LINK_SECRET",),
    "monthly_budget_usd": ("TRAINGER_MONTHLY_BUDGET_USD",),
    "chat_price": ("TRAINGER_CHAT_PRICE_USD",),
    "limits": ("TRAINGER_LIMITS",),
    "retention_days": ("TRAINGER_RETENTION_DAYS",),
    "answer_days": ("TRAINGER_ANSWER_DAYS",),
    "lease_seconds": ("TRAINGER_LEASE_SECONDS",),
    "worker_threads": ("TRAINGER_WORKER_THREADS",),
    "evaluation_threads": ("TRAINGER_EVALUATION_THREADS",),
    "job_seconds": ("TRAINGER_JOB_SECONDS",),
}
"""Each setting's names in the environment, the preferred one first."""


def read(environ: Mapping[str, str], playground: Mapping[str, str]) -> Configuration:
    """The configuration in force.

    Args:
        environ: the environment, `.env` included.
        playground: what the local Discord says of itself, used when no public key is given; may be empty.

    Raises:
        ConfigurationError: a value is of the wrong form.
    """
    given = _named(environ)
    local = "public_key" not in given
    if local:
        given = _named(playground) | given
    try:
        configuration = msgspec.convert({**given, "local": local}, Configuration, strict=False)
    except msgspec.ValidationError as error:
        name = str(error).rpartition("$.")[2].strip("`")
        raise ConfigurationError(f"{NAMES.get(name, (name,))[0]} is not a number") from None
    _check(configuration)
    return msgspec.structs.replace(configuration, voice=read_voice(environ))


def _named(values: Mapping[str, str]) -> dict[str, str]:
    """The settings that have a value, by their own names. An empty value counts as none."""
    found = {}
    for setting, names in NAMES.items():
        value = next((values[name].strip() for name in names if values.get(name, "").strip()), "")
        if value:
            found[setting] = value
    return found


def _check(configuration: Configuration) -> None:
    if configuration.log_level not in LEVELS:
        raise ConfigurationError(f"TRAINGER_LOG_LEVEL must be one of {', '.join(LEVELS)}")
    if not configuration.store.startswith(("file:", "s3://")):
        raise ConfigurationError("TRAINGER_STORE must be file:<folder> or s3://<bucket>/<prefix>")
    if not configuration.queue.startswith(("sqlite:", "http://", "https://")):
        raise ConfigurationError("TRAINGER_QUEUE must be sqlite:<file> or the URL of an SQS queue")
    if not 0 <= configuration.port < 1 << 16:
        raise ConfigurationError("PORT must be from 0 to 65535")
    if configuration.metrics not in METRICS:
        raise ConfigurationError("TRAINGER_METRICS must be local or public")
    _check_links(configuration)
    _check_embeddings(configuration)
    _check_recognition(configuration)
    _check_voices(configuration)
    if configuration.public_key and not _is_key(configuration.public_key):
        raise ConfigurationError(
            "DISCORD_PUBLIC_KEY must be the 64 hexadecimal digits that the developer portal shows"
        )
    if configuration.probe_public_key and not _is_key(configuration.probe_public_key):
        raise ConfigurationError(
            "TRAINGER_PROBE_PUBLIC_KEY must be the 64 hexadecimal digits that infra.doctor --new-key prints"
        )
    _check_numbers(configuration)


def _check_numbers(configuration: Configuration) -> None:
    if not 1 <= configuration.evaluation_threads <= EVALUATION_THREADS_MOST:
        raise ConfigurationError(f"TRAINGER_EVALUATION_THREADS must be from 1 to {EVALUATION_THREADS_MOST}")
    if configuration.job_seconds is not None and not (
        math.isfinite(configuration.job_seconds) and configuration.job_seconds >= JOB_SECONDS_LEAST
    ):
        raise ConfigurationError(f"TRAINGER_JOB_SECONDS must be at least {JOB_SECONDS_LEAST}")
    if not configuration.cache_megabytes >= 1:
        raise ConfigurationError("TRAINGER_CACHE_MEGABYTES must be at least 1")
    if configuration.lease_seconds < 1 or configuration.worker_threads < 1:
        raise ConfigurationError("TRAINGER_LEASE_SECONDS and TRAINGER_WORKER_THREADS must be at least 1")
    if configuration.retention_days < 1 or configuration.answer_days < 1:
        raise ConfigurationError("TRAINGER_RETENTION_DAYS and TRAINGER_ANSWER_DAYS must be at least 1")
    if not 0 <= configuration.limits < math.inf:
        raise ConfigurationError("TRAINGER_LIMITS must be 0 or more")
    if configuration.monthly_budget_usd is not None and not 0 <= configuration.monthly_budget_usd < math.inf:
        raise ConfigurationError("TRAINGER_MONTHLY_BUDGET_USD must be 0 or more")
    if configuration.chat_price:
        try:
            parse_price(configuration.chat_price)
        except ValueError:
            text = "TRAINGER_CHAT_PRICE_USD must be <input>/<output> or <input>/<output>/<cached input>: 0.10/0.50"
            raise ConfigurationError(text) from None


def _check_recognition(configuration: Configuration) -> None:
    kind, colon, rest = configuration.stt.partition(":")
    if kind not in {"", "openai", "whisper", "none"} or (colon and (kind not in {"openai", "whisper"} or not rest)):
        text = "TRAINGER_STT must be openai, openai:<model>, whisper, whisper:<name or folder>, or none"
        raise ConfigurationError(text)
    if kind == "openai" and not (configuration.openai_api_key or configuration.openai_base_url):
        raise ConfigurationError("TRAINGER_STT names openai, so OPENAI_API_KEY or OPENAI_BASE_URL must be set")
    if not 0 <= configuration.stt_threads <= STT_THREADS_MOST:
        raise ConfigurationError(f"TRAINGER_STT_THREADS must be from 0 to {STT_THREADS_MOST}")


def _check_voices(configuration: Configuration) -> None:
    names = [] if configuration.tts in {"", "none"} else [name.strip() for name in configuration.tts.split(",")]
    if not all(name in VOICES or name.startswith("openai:") for name in names):
        raise ConfigurationError(f"TRAINGER_TTS must be none, or some of {', '.join(VOICES)} with commas between")
    openai = any(name.partition(":")[0] == "openai" for name in names)
    if openai and not (configuration.openai_api_key or configuration.openai_base_url):
        raise ConfigurationError("TRAINGER_TTS names openai, so OPENAI_API_KEY or OPENAI_BASE_URL must be set")


def _check_embeddings(configuration: Configuration) -> None:
    kind, colon, model = configuration.embeddings.partition(":")
    if kind not in {"local", "openai", "none"} or (colon and (kind != "openai" or not model)):
        raise ConfigurationError("TRAINGER_EMBEDDINGS must be local, openai, openai:<model> or none")
    if kind == "openai" and not (configuration.openai_api_key or configuration.openai_base_url):
        raise ConfigurationError("TRAINGER_EMBEDDINGS: openai needs OPENAI_API_KEY or OPENAI_BASE_URL")


def _check_links(configuration: Configuration) -> None:
    if configuration.public_url and not _is_base_url(configuration.public_url):
        raise ConfigurationError("TRAINGER_PUBLIC_URL must be like https://trainger.example.org, without ? and #")
    if configuration.link_secret and len(configuration.link_secret) < SECRET_LEAST:
        raise ConfigurationError(f"TRAINGER_LINK_SECRET must have at least {SECRET_LEAST} characters")


def _is_base_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and not (parts.query or parts.fragment)
    except ValueError:
        return False


def _is_key(text: str) -> bool:
    try:
        return len(bytes.fromhex(text)) == 32  # noqa: PLR2004 - an Ed25519 public key has 32 bytes
    except ValueError:
        return False
