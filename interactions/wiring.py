"""Puts the door and the worker together from a configuration."""

from __future__ import annotations

import logging
import time
from functools import cache
from typing import TYPE_CHECKING, Final

from interactions import core
from interactions.lookups import Lookups
from interactions.patience import Patience
from interactions.registry import registry
from trainer import bootstrap
from trainer.configuration import ConfigurationError
from trainer.ports import PortError, StoreUnavailable
from trainer.struct_types import make_ready

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

    from interactions.discord_api import DiscordApi
    from interactions.events import Installation
    from interactions.http_metrics import Metrics
    from interactions.performing import Performer
    from interactions.worker import Worker
    from trainer.configuration import Configuration
    from trainer.ports import ChatModel, Embedder, JobQueue, ObjectStore
    from trainer.services import Services
    from trainer.voice_line import VoiceLine

log = logging.getLogger(__name__)

EVENT_S: Final = 2.0
"""What taking in an event may take: Discord wants an answer within three seconds, the network's share included."""
EVENTS_AT_ONCE: Final = 4
NO_DISCORD: Final = (
    "there is no DISCORD_PUBLIC_KEY, and no playground has been started here. Set the application's credentials in "
    ".env (see .env.example), or start everything with `make run`."
)


def configured(*, wait_for_playground_s: float = 0) -> Configuration:
    """The configuration, once there is a Discord in it. Raises `ConfigurationError`."""
    deadline = time.monotonic() + wait_for_playground_s
    while True:
        configuration = bootstrap.configure()
        if configuration.public_key:
            return configuration
        if time.monotonic() >= deadline:
            raise ConfigurationError(NO_DISCORD)
        time.sleep(0.2)


def make_door(configuration: Configuration) -> core.Door:
    """What the acknowledging path needs; the store is opened only if something is looked up."""
    probe = configuration.probe_public_key
    return core.Door(
        public_key=core.public_key(configuration.public_key),
        registry=registry(),
        quick=Lookups(lambda: bootstrap.make_store(configuration)),
        probe_key=core.public_key(probe) if probe else None,
    )


def make_metrics(configuration: Configuration) -> Metrics:
    """What counts for `/metrics`."""
    from interactions.http_metrics import Metrics  # noqa: PLC0415 - other entry points do without Prometheus

    return Metrics(public=configuration.metrics == "public")


def make_http(configuration: Configuration, *, playground_url: str = "", metrics: Metrics | None = None) -> Flask:
    """The Flask app over the configured queue and store."""
    from interactions.app import make_app  # noqa: PLC0415 - other entry points do without Flask

    queue = bootstrap.make_queue(configuration)
    if metrics is not None:
        metrics.watch(queue)
    app = make_app(
        make_door(configuration),
        queue,
        health(configuration, queue),
        playground_url=playground_url,
        take_installation=installations(configuration),
        links=bootstrap.make_links(configuration),
        metrics=metrics,
    )
    make_ready()
    return app


def installations(configuration: Configuration) -> Callable[[Installation], None]:
    """What is told when a person installs or removes the bot: it stops or starts the clock of their own scope."""

    @cache
    def store() -> ObjectStore:
        return bootstrap.make_store(configuration)

    patience = Patience(at_once=EVENTS_AT_ONCE)

    def write(change: Installation) -> None:
        from trainer.installation import set_clock  # noqa: PLC0415 - acknowledging interactions does without

        set_clock(store(), change.user_id, change.at, running=not change.installed)

    def take(change: Installation) -> None:
        try:
            patience.get(lambda: write(change), EVENT_S)
        except TimeoutError:
            raise StoreUnavailable("the store does not answer in time") from None

    return take


def make_api(configuration: Configuration) -> DiscordApi:
    """Discord's REST, or the playground's."""
    from interactions.discord_api import DiscordApi  # noqa: PLC0415 - the acknowledging path does without requests

    try:
        return DiscordApi(configuration.api_base_url, configuration.application_id, configuration.token or None)
    except ValueError as error:
        raise ConfigurationError(f"DISCORD_API_BASE_URL, DISCORD_APPLICATION_ID or DISCORD_TOKEN: {error}") from None


def make_performer(configuration: Configuration, services: Services) -> Performer:
    """What does jobs."""
    # The acknowledging path imports none of this.
    from interactions.attachments import AllowedOrigins  # noqa: PLC0415
    from interactions.performing import Performer  # noqa: PLC0415
    from interactions.publishing import Publisher  # noqa: PLC0415
    from interactions.uploads import Uploads  # noqa: PLC0415

    api = make_api(configuration)
    publisher = Publisher(api, services.store)
    try:
        origins = AllowedOrigins.parse(configuration.cdn_hosts)
    except ValueError as error:
        raise ConfigurationError(f"DISCORD_CDN_HOSTS: {error}") from None
    uploads = Uploads(services.store, origins)
    return Performer(registry(), services, api, publisher, uploads)


def make_worker(
    configuration: Configuration, *, threads: int | None = None, metrics: Metrics | None = None
) -> tuple[Worker, Callable[[], None]]:
    """A worker, not yet started, and what closes its things after it has stopped; `metrics` counts its jobs."""
    from interactions.housekeeping import Housekeeping  # noqa: PLC0415 - as above
    from interactions.scratch import remove_left_over  # noqa: PLC0415 - as above
    from interactions.worker import Worker  # noqa: PLC0415 - as above

    # A worker that was killed may have left somebody's recording behind.
    remove_left_over(time.time())
    queue = bootstrap.make_queue(configuration)
    services = bootstrap.make_services(configuration, queue)
    performer = make_performer(configuration, services)
    worker = Worker(
        queue,
        metrics.measured(performer) if metrics is not None else performer,
        threads=threads or configuration.worker_threads,
        lease_s=configuration.lease_seconds,
        job_s=configuration.job_seconds,
    )
    housekeeping = Housekeeping(services)
    housekeeping.start()

    def close() -> None:
        housekeeping.stop()
        services.close()
        queue.close()

    return worker, close


def health(configuration: Configuration, queue: JobQueue) -> Callable[[], dict[str, object]]:
    """What `/healthz` says: whether store and queue answer, which models are in force, and what waits for a sidecar.

    The voice queue decides nothing about being well: without it everything works but voice.
    """

    @cache
    def store() -> ObjectStore:
        return bootstrap.make_store(configuration)

    @cache
    def voice() -> VoiceLine | None:
        return bootstrap.make_voice_line(configuration, store())

    @cache
    def chat() -> ChatModel | None:
        return bootstrap.make_chat(configuration)

    @cache
    def embedder() -> Embedder | None:
        return bootstrap.make_embedder(configuration)

    recogniser = bootstrap.make_transcriber(configuration)
    speaker = bootstrap.make_speaker(configuration)
    voices = speaker.name if speaker is not None else "none: nothing is said aloud"
    # A setting that cannot be is told when the process starts, not by the first who asks for its health.
    bootstrap.check(configuration)

    def state() -> dict[str, object]:
        parts = {"store": _answers(lambda: store().ping()), "queue": _answers(queue.ping)}
        depths: list[dict[str, int]] = []
        if parts["queue"] == "ok":
            parts["queue"] = _answers(lambda: depths.append(queue.depth()._asdict()))
        model = chat()
        vectors = embedder()
        models = {
            "chat": model.name if model is not None else "none: trained answers as they stand",
            "embeddings": vectors.name if vectors is not None else "none: words alone are compared",
            "recognition": recogniser.name if recogniser is not None else "none: recordings are not understood",
            "voices": voices,
        }
        return {
            "ok": all(part == "ok" for part in parts.values()),
            **parts,
            "jobs": depths[0] if depths else None,
            "voice": _orders(voice()),
            "models": models,
            "discord": "playground" if configuration.local else "discord",
        }

    return state


def _orders(line: VoiceLine | None) -> dict[str, object]:
    """How the queue to the sidecar is, and how many orders are in it."""
    if line is None:
        return {"queue": "none: there is no voice", "orders": None}
    depths: list[dict[str, int]] = []
    said = _answers(lambda: depths.append(line.depth()._asdict()))
    return {"queue": said, "orders": depths[0] if depths else None}


def _answers(ping: Callable[[], None]) -> str:
    try:
        ping()
    except (PortError, ConfigurationError) as error:
        log.warning("does not answer", extra={"error": type(error).__name__})
        return "does not answer"
    return "ok"
