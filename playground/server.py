"""The playground itself: what it knows, its HTTP server, and the handles that tests and the command line hold.

A test writes:

    with Playground() as discord:
        discord.interactions_url = "http://127.0.0.1:8080/interactions"
        reply = discord.client().command("ask", prompt="How do I reset my password?").wait()
        assert reply.content == "..."
"""

from __future__ import annotations

import secrets
from collections import deque
from typing import TYPE_CHECKING, Final, Self

import requests

from playground.clients import Client
from playground.delivery import Delivered, post, signed
from playground.desk import Desk
from playground.environment import environment_file
from playground.faults import Faults
from playground.http_app import create_app
from playground.http_front import Front, Recorded
from playground.identity import Identity, load_identity, new_identity, write_private
from playground.rate_limits import RateLimits
from playground.serving import Server
from playground.world import OWNER, Channel, Where, World

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

API: Final = "/api/v10"
NO_GATEWAY: Final = "wss://gateway.invalid"
MAX_RECORDED: Final = 20_000
UNAUTHORIZED: Final = 401


class Playground:
    """A Discord on the loopback interface.

    Args:
        port: where it listens; 0 for any free port.
        interactions_url: where the application takes interactions; may be set later.
        directory: where its identity is kept; None: a new one, kept nowhere.
        recorded: how many requests it remembers.

    Attributes:
        desk: all that it knows.
        faults: what goes wrong on purpose.
        rate_limits: how much the application may ask of it.
        requests: what was asked of it, oldest first.
        gateway_url: what `/gateway/bot` says; no gateway runs here.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        interactions_url: str | None = None,
        directory: Path | None = None,
        recorded: int = MAX_RECORDED,
    ) -> None:
        self.identity: Identity = new_identity() if directory is None else load_identity(directory)
        self.directory = directory
        self.interactions_url = interactions_url
        self.desk = Desk(self.identity)
        self.faults = Faults()
        self.rate_limits = RateLimits()
        self._record: deque[Recorded] = deque(maxlen=recorded)
        self.gateway_url = NO_GATEWAY
        self._wanted_port = port
        self._server: Server | None = None
        self._front: Front | None = None

    # --- running ----------------------------------------------------------------------------------------------

    def start(self) -> Self:
        """Listen. Raises OSError if the port is taken."""
        if self._server is not None:
            raise RuntimeError("the playground is running")
        front = Front(create_app(self), self.faults, self._record)
        server = Server(front, port=self._wanted_port)
        self.desk.cdn.base_url = server.url
        self._server, self._front = server, front
        try:
            if self.directory is not None:
                lines = "".join(f"{name}={value}\n" for name, value in self.environment().items())
                write_private(environment_file(self.directory), lines)
        except OSError:
            self.stop()
            raise
        server.start()
        return self

    def stop(self) -> None:
        """Listen no more and close every connection; nothing happens if it is stopped."""
        server, self._server = self._server, None
        if server is not None and self._front is not None:
            self._front.stop()
            server.stop()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        if self._server is None:
            raise RuntimeError("the playground is not running")
        return self._server.url

    @property
    def api_url(self) -> str:
        """What stands for https://discord.com/api/v10."""
        return self.url + API

    def environment(self) -> dict[str, str]:
        """The variables that make the product use it."""
        return {
            "DISCORD_PUBLIC_KEY": self.identity.public_key,
            "DISCORD_APPLICATION_ID": self.identity.application_id,
            "DISCORD_TOKEN": self.identity.bot_token,
            "DISCORD_API_BASE_URL": self.api_url,
            "DISCORD_CDN_HOSTS": self.url,
            "TRAINGER_PLAYGROUND_URL": self.url,
        }

    @property
    def requests(self) -> list[Recorded]:
        """What was asked of it so far, oldest first: a copy, as more may come at any moment."""
        return list(self._record)

    # --- people -----------------------------------------------------------------------------------------------

    @property
    def world(self) -> World:
        """The server, its channels and its people."""
        return self.desk.world

    def client(
        self,
        user: str = OWNER,
        *,
        manager: bool | None = None,
        locale: str = "en-US",
        where: Where = "guild",
        roles: Sequence[str] = (),
        channel: Channel | None = None,
    ) -> Client:
        """Somebody who does things; see `Client`."""
        return Client(self, user=user, manager=manager, locale=locale, where=where, roles=roles, channel=channel)

    # --- what happens to the application ----------------------------------------------------------------------

    def advance(self, seconds: float) -> None:
        """Let time pass: tokens and links expire."""
        with self.desk.changed:
            self.desk.clock.advance(seconds)
            self.desk.changed.notify_all()

    def unready_for(self, seconds: float) -> None:
        """From now on, an interaction's webhook is unknown for so long after a deferral, as sometimes happens."""
        self.desk.unready_s = seconds

    def sign(self, body: bytes, *, timestamp: str | None = None) -> dict[str, str]:
        """The headers that make a request to the application Discord's."""
        return signed(self.identity.signing_key, body, timestamp=timestamp)

    def send(self, body: bytes, headers: Mapping[str, str] | None = None) -> Delivered:
        """POST anything to the application, signed unless `headers` are given; its answer is not applied."""
        if self.interactions_url is None:
            raise RuntimeError("no interactions endpoint is set")
        return post(self.interactions_url, body, self.sign(body) if headers is None else headers)

    def verify_endpoint(self) -> list[str]:
        """What Discord would object to in the application's endpoint: it must answer a PING and refuse forgeries."""
        problems = []
        ping = b'{"type":1}'
        forged = {**self.sign(ping), "X-Signature-Ed25519": secrets.token_hex(64)}
        try:
            answer = self.send(ping)
            if (answer.status, answer.body.replace(b" ", b"").strip()) != (200, b'{"type":1}'):
                problems.append(f"a PING is answered with {answer.status}, not with a PONG")
            if self.send(ping, forged).status != UNAUTHORIZED:
                problems.append("a forged request is not refused with 401")
        except requests.RequestException as error:
            problems.append(f"the endpoint does not answer ({type(error).__name__})")
        return problems
