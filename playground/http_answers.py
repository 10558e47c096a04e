"""What requests to Discord's API carry, and answers in JSON."""

from __future__ import annotations

import io
import json
from typing import Any

from flask import request
from werkzeug.wrappers import Response

from playground.bodies import Body, read_body
from playground.errors import DiscordError, invalid_form


def answer(body: object, status: int = 200) -> Response:
    """JSON."""
    return Response(json.dumps(body, ensure_ascii=False), status, content_type="application/json")


def nothing() -> Response:
    """204."""
    return Response(status=204)


def refusal(error: DiscordError) -> Response:
    """Discord's error."""
    return answer(error.body(), error.status)


def received() -> Body:
    """The body of the request being answered. Raises `DiscordError`."""
    environ = {name: request.environ.get(name, "") for name in ("CONTENT_TYPE", "CONTENT_LENGTH")}
    return read_body({**environ, "wsgi.input": io.BytesIO(request.get_data(cache=True, parse_form_data=False))})


def received_object() -> tuple[dict[str, Any], Body]:
    """The body's JSON object, empty if there is no body, and the body. Raises `DiscordError`."""
    body = received()
    if body.json is None:
        return {}, body
    if not isinstance(body.json, dict):
        error = {"code": "MODEL_TYPE_CONVERT", "message": "Only dictionaries may be used in a ModelType"}
        raise invalid_form({"_errors": [error]})
    return body.json, body
