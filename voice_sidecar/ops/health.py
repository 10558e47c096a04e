"""`/healthz` and `/metrics` on loopback."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from aiohttp import web
from prometheus_client import generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from prometheus_client import CollectorRegistry

HOST: Final = "127.0.0.1"

log = logging.getLogger(__name__)


class HealthServer:
    """Serves both for as long as the sidecar runs.

    Args:
        port: on loopback; 0 for any that is free.
        health: what `/healthz` says; its `ok` decides between 200 and 503.
        registry: what `/metrics` shows.
        host: where to listen; more than loopback only where whoever deploys says so.
    """

    def __init__(
        self,
        port: int,
        health: Callable[[], Awaitable[Mapping[str, object]]],
        registry: CollectorRegistry,
        *,
        host: str = HOST,
    ) -> None:
        self._wanted = port
        self._host = host
        self._health = health
        self._registry = registry
        self._runner: web.AppRunner | None = None
        self.port = port

    async def start(self) -> None:
        """Begins to listen. Raises OSError where the port is taken."""
        app = web.Application()
        app.router.add_get("/healthz", self._healthz)
        app.router.add_get("/metrics", self._metrics)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._wanted)
        await site.start()
        (address, *_) = self._runner.addresses
        self.port = address[1]
        log.info("health and metrics", extra={"host": self._host, "port": self.port})

    async def stop(self) -> None:
        """Hangs up."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _healthz(self, _request: web.Request) -> web.Response:
        state = await self._health()
        return web.json_response(dict(state), status=200 if state.get("ok") else 503)

    async def _metrics(self, _request: web.Request) -> web.Response:
        return web.Response(body=generate_latest(self._registry), headers={"Content-Type": CONTENT_TYPE_LATEST})
