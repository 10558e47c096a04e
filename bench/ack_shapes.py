"""The ways to acknowledge that bench/ack compares: each is made ready, imports included, when it is asked for.

They read the product's own environment variables, and `QUEUE_URL`. Imports almost nothing itself.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from bench.ack_requests import Request

    Acknowledge = Callable[[Request], tuple[int, bytes]]
    """Verifies, enqueues and answers one request: HTTP status and body."""

    WsgiApp = Callable[[dict[str, Any], Callable[..., Any]], Any]


def bare() -> Acknowledge:
    """Does nothing: what the interpreter itself costs."""
    return lambda _request: (200, b'{"type":5}')


def serverless() -> Acknowledge:
    """Ours as a function behind a function URL calls it: no web framework."""
    from interactions import core
    from interactions.enqueueing import deliver
    from interactions.wiring import configured, make_door
    from trainer import bootstrap, logs

    configuration = configured()
    logs.set_up(configuration.log_level)
    door, queue = make_door(configuration), bootstrap.make_queue(configuration)

    def acknowledge(request: Request) -> tuple[int, bytes]:
        signature, timestamp, body = request
        decided = deliver(core.receive(body, signature, timestamp, door=door), queue)
        return decided.status, decided.body

    return acknowledge


def functions_only() -> Acknowledge:
    """The peer's parts without a web framework: discord-interactions' `verify_key` and boto3."""
    import json
    import os

    import boto3
    from discord_interactions import InteractionResponseType, verify_key

    public_key, queue_url = os.environ["DISCORD_PUBLIC_KEY"], os.environ["QUEUE_URL"]
    sqs = boto3.client("sqs")

    def acknowledge(request: Request) -> tuple[int, bytes]:
        signature, timestamp, body = request
        if not verify_key(body, signature, timestamp, public_key):
            return 401, b""
        json.loads(body)
        sqs.send_message(QueueUrl=queue_url, MessageBody=body.decode())
        deferred = {"type": InteractionResponseType.DEFERRED_CHANNEL_MESSAGE_WITH_SOURCE}
        return 200, json.dumps(deferred).encode()

    return acknowledge


def ours_app() -> WsgiApp:
    """Our Flask app over the configured queue."""
    from interactions.wiring import configured, make_http
    from trainer import logs

    configuration = configured()
    logs.set_up(configuration.log_level)
    return make_http(configuration)


def peer_app() -> WsgiApp:
    """The peer's Flask app."""
    from bench.ack_peer import app

    return app


def ours() -> Acknowledge:
    """Our Flask app, called in process."""
    return _called(ours_app())


def peer() -> Acknowledge:
    """The peer's Flask app, called in process."""
    return _called(peer_app())


SHAPES = {each.__name__: each for each in (bare, serverless, functions_only, ours, peer)}
APPS = {"ours": ours_app, "peer": peer_app}


def _called(app: WsgiApp) -> Acknowledge:
    """Call a WSGI app (PEP 3333) as a server would."""
    import io
    import sys

    def acknowledge(request: Request) -> tuple[int, bytes]:
        signature, timestamp, body = request
        statuses: list[str] = []
        environ = {
            "REQUEST_METHOD": "POST",
            "SCRIPT_NAME": "",
            "PATH_INFO": "/interactions",
            "QUERY_STRING": "",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "8080",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_HOST": "127.0.0.1:8080",
            "HTTP_X_SIGNATURE_ED25519": signature,
            "HTTP_X_SIGNATURE_TIMESTAMP": timestamp,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }

        def start_response(status: str, _headers: object, _exc_info: object = None) -> None:
            statuses.append(status)

        answer = app(environ, start_response)
        try:
            content = b"".join(answer)
        finally:
            if hasattr(answer, "close"):
                answer.close()
        return int(statuses[0].split()[0]), content

    return acknowledge
