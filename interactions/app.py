"""The Flask app: takes Discord's requests to `interactions.core`, and its decisions to the queue."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Flask, Response, redirect, request

from interactions import core
from interactions.enqueueing import deliver

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainer.ports import JobQueue

SIGNATURE: Final = "X-Signature-Ed25519"
TIMESTAMP: Final = "X-Signature-Timestamp"


def make_app(
    door: core.Door,
    queue: JobQueue,
    health: Callable[[], dict[str, object]],
    *,
    playground_url: str = "",
) -> Flask:
    """The HTTP door.

    Args:
        door: the key and the commands.
        queue: where deferred work goes.
        health: what `/healthz` says; its `ok` decides about the status.
        playground_url: where `/` leads, if a playground runs.
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

    return app


def _http(decided: core.Response) -> Response:
    return Response(decided.body, status=decided.status, content_type=decided.content_type)


def _as_response(response: object) -> Response:
    if not isinstance(response, Response):
        raise TypeError("not a Flask response")
    return response
