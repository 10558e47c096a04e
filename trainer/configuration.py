"""What can be configured, and what is in force when nothing is. Pure: from names and values to a typed struct."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import msgspec

from trainer.prices import parse_price

if TYPE_CHECKING:
    from collections.abc import Mapping

DISCORD_API: Final = "https://discord.com/api/v10"
CDN_HOSTS: Final = "cdn.discordapp.com,media.discordapp.net"
SECRET_LEAST: Final = 16
LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


class ConfigurationError(Exception):
    """A setting that cannot be. The message says which, and what it should be; never the value of a secret."""


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
    openai_api_key: str = ""
    openai_base_url: str = ""
    chat_model: str = ""
    log_level: str = "INFO"
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
    "openai_api_key": ("OPENAI_API_KEY",),
    "openai_base_url": ("OPENAI_BASE_URL",),
    "chat_model": ("TRAINGER_CHAT_MODEL",),
    "log_level": ("TRAINGER_LOG_LEVEL",),
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
    return configuration


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
    _check_links(configuration)
    if configuration.public_key and not _is_key(configuration.public_key):
        raise ConfigurationError(
            "DISCORD_PUBLIC_KEY must be the 64 hexadecimal digits that the developer portal shows"
        )
    _check_numbers(configuration)


def _check_numbers(configuration: Configuration) -> None:
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
            raise ConfigurationError("TRAINGER_CHAT_PRICE_USD must be <input>/<output>, such as 0.10/0.50") from None


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
