"""The Flask app: takes Discord's requests to `interactions.core`, and its decisions to the queue."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

from flask import Flask, Response, redirect, request

from interactions import core, events
from interactions.downloads import add_downloads
from interactions.enqueueing import deliver
from trainer import logs
from trainer.ports import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from interactions.http_metrics import Metrics
    from trainer.links import LinkedFile
    from trainer.ports import JobQueue

SIGNATURE: Final = "X-Signature-Ed25519"
TIMESTAMP: Final = "X-Signature-Timestamp"

log = logging.getLogger(__name__)


def make_app(
    door: core.Door,
    queue: JobQueue,
    health: Callable[[], dict[str, object]],
    *,
    playground_url: str = "",
    take_installation: Callable[[events.Installation], None] | None = None,
    links: Callable[[str], LinkedFile] | None = None,
    metrics: Metrics | None = None,
    clock: Callable[[], float] = time.time,
) -> Flask:
    """The HTTP door.

    Args:
        door: the key and the commands.
        queue: where deferred work goes.
        health: what `/healthz` says; its `ok` decides about the status.
        playground_url: where `/` leads, if a playground runs.
        take_installation: told when a person installs or removes the bot, before Discord is answered: it has two
            seconds, and raises `StoreUnavailable` if it cannot. Without it, no events are taken.
        links: what the token of a link to a file leads to; raises `NoFile`. Without it, there are no links.
        metrics: counts requests, and is shown at `/metrics`. Without it, nothing is counted.
        clock: seconds since the epoch.
    """
    app = Flask("trainger", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = core.MAX_BODY

    @app.post("/interactions")
    def interactions() -> Response:
        body = request.get_data(cache=False)
        started = time.perf_counter()
        decided = core.receive(body, request.headers.get(SIGNATURE), request.headers.get(TIMESTAMP), door=door)
        answered = deliver(decided, queue)
        if metrics is not None:
            metrics.acknowledged(decided, answered, time.perf_counter() - started)
        return _http(answered)

    if take_installation is not None:

        @app.post("/events")
        def webhook_events() -> Response:
            body = request.get_data(cache=False)
            started = time.perf_counter()
            signature, timestamp = request.headers.get(SIGNATURE), request.headers.get(TIMESTAMP)
            decided = events.receive(body, signature, timestamp, key=door.public_key, now=clock())
            answered = _taken(decided, take_installation)
            if metrics is not None:
                metrics.took_event(answered, time.perf_counter() - started)
            return _http(answered)

    @app.get("/healthz")
    def healthz() -> tuple[dict[str, object], int]:
        state = health()
        return state, 200 if state["ok"] else 503

    if links is not None:
        add_downloads(app, links)

    if metrics is not None:
        from interactions.http_metrics import add_metrics  # noqa: PLC0415 - who counts nothing does without Prometheus

        add_metrics(app, metrics)

    @app.get("/")
    def home() -> Response:
        if playground_url:
            return _as_response(redirect(playground_url))
        return Response("Trainger is running. Discord sends interactions to /interactions.\n", mimetype="text/plain")

    return app


def _taken(decided: events.Decision, take: Callable[[events.Installation], None]) -> core.Response:
    """The answer to an event, after what it changes."""
    if decided.ignored_age_s is not None:
        log.warning("event ignored: its time is wrong", extra={"age_s": round(decided.ignored_age_s)})
    if decided.change is not None:
        try:
            take(decided.change)
        except StoreUnavailable as error:
            log.error("event not taken", extra=logs.places(error))  # noqa: TRY400 - its message may say too much
            return events.not_now()
        log.info("event", extra={"installed": decided.change.installed})
    return decided.response


def _http(decided: core.Response) -> Response:
    return Response(decided.body, status=decided.status, content_type=decided.content_type)


def _as_response(response: object) -> Response:
    if not isinstance(response, Response):
        raise TypeError("not a Flask response")
    return response
