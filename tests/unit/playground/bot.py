"""A stand-in for an application: an endpoint that verifies signatures, and a client of Discord's API."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

import requests
from discord_interactions import verify_key
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

if TYPE_CHECKING:
    from playground.server import Playground

AGENT = "DiscordBot (https://example.org, 1.0)"
Answer = dict[str, Any] | Response
Handler = Callable[[dict[str, Any]], Answer]

COMMANDS: list[dict[str, Any]] = [
    {
        "name": "ask",
        "description": "Ask something",
        "contexts": [0, 1, 2],
        "integration_types": [0, 1],
        "options": [
            {"type": 3, "name": "prompt", "description": "What to ask", "max_length": 100},
            {"type": 11, "name": "file", "description": "A file"},
            {"type": 4, "name": "count", "description": "How many", "min_value": 1, "max_value": 5},
            {"type": 5, "name": "private", "description": "Only for me"},
            {"type": 3, "name": "name", "description": "Which", "autocomplete": True},
        ],
    },
    {
        "name": "archive",
        "description": "For managers",
        "contexts": [0],
        "integration_types": [0],
        "default_member_permissions": "32",
    },
    {"type": 3, "name": "Correct this answer", "contexts": [0, 1, 2], "integration_types": [0, 1]},
]


class _Silent(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002 - werkzeug's signature
        """Write nothing."""


class Bot:
    """Answers interactions with `handler`, which tests set."""

    def __init__(self, playground: Playground) -> None:
        self.playground = playground
        self.handler: Handler = lambda payload: {"type": 4, "data": {"content": "hello"}}
        self.payloads: list[dict[str, Any]] = []
        self._server = make_server("127.0.0.1", 0, self._app, threaded=True, request_handler=_Silent)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self.url = f"http://127.0.0.1:{self._server.port}/interactions"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _app(self, environ: Any, start_response: Any) -> Any:
        request = Request(environ)
        body = request.get_data()
        signature = request.headers.get("X-Signature-Ed25519", "")
        timestamp = request.headers.get("X-Signature-Timestamp", "")
        if not verify_key(body, signature, timestamp, self.playground.identity.public_key):
            return Response(status=401)(environ, start_response)
        payload = json.loads(body)
        if payload["type"] == 1:
            return _json({"type": 1})(environ, start_response)
        self.payloads.append(payload)
        answer = self.handler(payload)
        response = answer if isinstance(answer, Response) else _json(answer)
        return response(environ, start_response)

    def register(self, commands: list[dict[str, Any]] | None = None) -> requests.Response:
        """Register the application's commands."""
        path = f"/applications/{self.playground.identity.application_id}/commands"
        return self.call("PUT", path, json=COMMANDS if commands is None else commands)

    def call(self, method: str, path: str, *, token: bool = True, **more: Any) -> requests.Response:
        """A request to Discord's API."""
        headers = {"User-Agent": AGENT, **more.pop("headers", {})}
        if token:
            headers.setdefault("Authorization", f"Bot {self.playground.identity.bot_token}")
        with requests.Session() as session:
            session.trust_env = False
            return session.request(method, self.playground.api_url + path, headers=headers, timeout=10, **more)

    def webhook(
        self, payload: dict[str, Any], rest: str = "", method: str = "POST", **more: Any
    ) -> requests.Response:
        """A request to an interaction's webhook."""
        path = f"/webhooks/{payload['application_id']}/{payload['token']}{rest}"
        return self.call(method, path, token=False, **more)

    def edit(self, payload: dict[str, Any], message: str = "@original", **more: Any) -> requests.Response:
        """Edit an answer."""
        return self.webhook(payload, f"/messages/{message}", "PATCH", **more)

    def callback(self, payload: dict[str, Any], query: str = "", **more: Any) -> requests.Response:
        """Answer an interaction through the callback."""
        path = f"/interactions/{payload['id']}/{payload['token']}/callback{query}"
        return self.call("POST", path, token=False, **more)


def _json(body: object) -> Response:
    return Response(json.dumps(body), content_type="application/json")


def deferred(payload: dict[str, Any]) -> Answer:
    """A handler that only defers."""
    return {"type": 5}


def accepted(payload: dict[str, Any]) -> Answer:
    """A handler that answers through the callback instead."""
    return Response(status=202)
