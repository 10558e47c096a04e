"""The whole product in this process, with a playground for Discord: for tests that try it as its users do."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any, Self

from werkzeug.serving import make_server

from interactions.attachments import AllowedOrigins
from interactions.discord_api import DiscordApi
from interactions.local import register_commands
from interactions.performing import Performer
from interactions.publishing import Publisher
from interactions.registry import registry
from interactions.uploads import Uploads
from interactions.wiring import make_http
from interactions.worker import Worker
from playground.server import Playground
from trainer import bootstrap
from trainer.configuration import Configuration
from trainer.scope import Scope
from trainer.voice_configuration import VoiceConfiguration

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from interactions.registry import Registry
    from playground.clients import Client
    from playground.messages import Message
    from trainer.ports import JobQueue
    from trainer.services import Services


class Bot:
    """Endpoint, queue, worker and Discord, started when the `with` block begins."""

    def __init__(self, folder: Path, *, commands: Registry | None = None, threads: int = 2, **settings: Any) -> None:
        self.playground = Playground()
        self._folder = folder
        self._settings = settings
        self._commands = commands or registry()
        self._threads = threads
        self.worker: Worker | None = None

    def __enter__(self) -> Self:
        self.playground.start()
        names = self.playground.environment()
        self.configuration = Configuration(
            **{
                "public_key": names["DISCORD_PUBLIC_KEY"],
                "application_id": names["DISCORD_APPLICATION_ID"],
                "token": names["DISCORD_TOKEN"],
                "api_base_url": names["DISCORD_API_BASE_URL"],
                "cdn_hosts": names["DISCORD_CDN_HOSTS"],
                "store": f"file:{self._folder / 'store'}",
                "queue": f"sqlite:{self._folder / 'queue.sqlite3'}",
                "cache": str(self._folder / "cache"),
                "voice": VoiceConfiguration(queue=f"sqlite:{self._folder / 'voice.sqlite3'}"),
                "local": True,
                **self._settings,
            }
        )
        self._server = make_server("127.0.0.1", 0, make_http(self.configuration), threaded=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self.playground.interactions_url = f"http://127.0.0.1:{self._server.server_port}/interactions"
        self.queue: JobQueue = bootstrap.make_queue(self.configuration)
        self.services: Services = bootstrap.make_services(self.configuration, self.queue)
        self.api = DiscordApi(
            self.configuration.api_base_url, self.configuration.application_id, names["DISCORD_TOKEN"]
        )
        register_commands(self.configuration)
        self.start_worker()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_worker()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self.services.close()
        self.api.close()
        self.playground.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def start_worker(self) -> None:
        uploads = Uploads(self.services.store, AllowedOrigins.parse(self.configuration.cdn_hosts))
        publisher = Publisher(self.api, self.services.store)
        self.performer = Performer(self._commands, self.services, self.api, publisher, uploads)
        lease = self.configuration.lease_seconds
        self.worker = Worker(self.queue, self.performer, threads=self._threads, lease_s=lease, poll_s=0.2)
        self.worker.start()

    def stop_worker(self) -> None:
        if self.worker is not None:
            assert self.worker.stop()
            self.worker = None

    def use_token(self, token: str | None) -> None:
        """Go on with another bot token, or with none."""
        self.stop_worker()
        self.api.close()
        self.api = DiscordApi(self.configuration.api_base_url, self.configuration.application_id, token)
        self.start_worker()

    def until(self, true: Callable[[], bool], *, timeout: float = 20) -> None:
        """Wait until something is so."""
        deadline = time.monotonic() + timeout
        while not true():
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.02)

    def until_idle(self, *, timeout: float = 20) -> None:
        """Wait until no job is left to do."""
        self.until(lambda: self.queue.depth()[:3] == (0, 0, 0), timeout=timeout)

    def channel(self) -> list[Message]:
        """The messages that everybody sees in the server's first channel."""
        return self.playground.desk.in_channel(self.ada().place.channel)

    def services_scope(self) -> Scope:
        """The test server's."""
        guild = self.ada().place.channel.guild
        assert guild is not None
        return Scope("guild", guild.id)

    def ada(self, **more: Any) -> Client:
        """The server's owner, a manager."""
        return self.playground.client(**more)

    def bob(self, **more: Any) -> Client:
        """A member."""
        return self.playground.client("Bob", **more)
