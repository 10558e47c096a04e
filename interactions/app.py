"""The Flask app: takes Discord's requests to `interactions.core`, and its decisions to the queue."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from flask import Flask, Response, redirect, request

from interactions import core
from trainer import logs
from trainer.ports import BodyTooLarge, QueueUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

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
    download: Callable[[str], Response] | None = None,
) -> Flask:
    """The HTTP door.

    Args:
        door: the key and the commands.
        queue: where deferred work goes.
        health: what `/healthz` says; its `ok` decides about the status.
        playground_url: where `/` leads, if a playground runs.
        download: serves a signed link to a file of the local store, if there is one.
    """
    app = Flask("trainger", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = core.MAX_BODY

    @app.post("/interactions")
    def interactions() -> Response:
        body = request.get_data(cache=False)
        decided = core.receive(body, request.headers.get(SIGNATURE), request.headers.get(TIMESTAMP), door=door)
        return _http(deliver(decided, queue))

    @app.get("/healthz")
    def healthz() -> tuple[dict[str, object], int]:
        state = health()
        return state, 200 if state["ok"] else 503

    @app.get("/")
    def home() -> Response:
        if playground_url:
            return _as_response(redirect(playground_url))
        return Response("Trainger is running. Discord sends interactions to /interactions.\n", mimetype="text/plain")

    if download is not None:
        app.add_url_rule("/files/<token>", "download", download)
    return app


def deliver(decided: core.Response, queue: JobQueue) -> core.Response:
    """Put the decision's job into the queue; the response to send then."""
    with logs.interaction(decided.interaction_id):
        if decided.job is not None:
            try:
                queue.send(decided.job)
            except QueueUnavailable as error:
                log.error("not enqueued", extra=logs.places(error))  # noqa: TRY400 - its message may say too much
                decided = core.sorry(decided, "unavailable")
            except BodyTooLarge:
                log.warning("too large for the queue")
                decided = core.sorry(decided, "too_large")
        fields = {"status": decided.status, "command": decided.name, "deferred": decided.job is not None}
        log.info("interaction", extra=fields)
        return decided


def _http(decided: core.Response) -> Response:
    return Response(decided.body, status=decided.status, content_type=decided.content_type)


def _as_response(response: object) -> Response:
    if not isinstance(response, Response):
        raise TypeError("not a Flask response")
    return response
