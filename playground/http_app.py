"""The routes of Discord's API together, and what holds for all of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from flask import Flask, g, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from playground.errors import DiscordError, invalid_form
from playground.http_answers import answer, refusal
from playground.http_applications import applications
from playground.http_channels import channels
from playground.http_local import local
from playground.http_webhooks import webhooks
from playground.snowflakes import is_snowflake

if TYPE_CHECKING:
    from playground.rate_limits import Allowance
    from playground.server import Playground

_API: Final = "/api/v10"
_AGENT: Final = "DiscordBot ("
_BLOCKED: Final = "<!DOCTYPE html><title>Access denied</title><p>error code: 1010</p>"
_MAJOR: Final = ("token", "channel_id", "guild_id")
_NAMES: Final = ("@me", "@original")
_PLAIN_ERROR: Final = "{} {}"


def create_app(playground: Playground) -> Flask:
    """The WSGI application of a playground."""
    app = Flask("playground", root_path=str(Path(__file__).parent))
    for blueprint in (webhooks(playground), channels(playground), applications(playground)):
        app.register_blueprint(blueprint, url_prefix=_API)
    app.register_blueprint(local(playground))
    app.before_request(lambda: _admit(playground))
    app.after_request(_with_limits)
    app.register_error_handler(DiscordError, refusal)
    app.register_error_handler(HTTPException, _plain)
    return app


def _admit(playground: Playground) -> Response | None:
    """What keeps a request from Discord's API: no proper User-Agent, a malformed id, too many requests."""
    if not request.path.startswith(_API):
        return None
    if not request.headers.get("User-Agent", "").startswith(_AGENT):
        return Response(_BLOCKED, 403, content_type="text/html; charset=utf-8")
    if request.url_rule is None:
        return None
    given = request.view_args or {}
    for name, value in given.items():
        if name.endswith("_id") and value not in _NAMES and not is_snowflake(value):
            wrong = {"code": "NUMBER_TYPE_COERCE", "message": f'Value "{value}" is not snowflake.'}
            raise invalid_form({name: {"_errors": [wrong]}})
    if "/interactions/" in request.url_rule.rule:
        return None  # first responses are not limited
    major = next((given[name] for name in _MAJOR if name in given), "")
    allowance = playground.rate_limits.use(f"{request.method} {request.url_rule.rule}", major)
    g.allowance = allowance
    if allowance.allowed:
        return None
    limited = {"message": "You are being rate limited.", "retry_after": round(allowance.reset_after, 3)}
    return answer({**limited, "global": False}, 429)


def _with_limits(response: Response) -> Response:
    allowance: Allowance | None = g.get("allowance")
    if allowance is not None:
        response.headers.update(allowance.headers())
    return response


def _plain(error: HTTPException) -> Response:
    """Errors of HTTP itself: no such route, a method that it does not have."""
    status = error.code or 500
    return answer({"message": f"{status}: {error.name}", "code": 0}, status)
