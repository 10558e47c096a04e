"""The playground's own routes: attachments, what people do, and a page that shows what is there."""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Final

import msgspec
from flask import Blueprint, render_template, request
from werkzeug.wrappers import Response

from playground.acts import Act, perform
from playground.errors import DiscordError, Refused
from playground.exchange_json import exchange_json
from playground.http_answers import answer

if TYPE_CHECKING:
    from playground.clients import Exchange
    from playground.server import Playground

_HOSTS: Final = ("127.0.0.1", "localhost", "[::1]")
_MAX_EXCHANGES: Final = 1000
_MAX_WAIT_S: Final = 25.0
_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; media-src 'self'; base-uri 'none'; "
    "form-action 'none'"
)


def local(playground: Playground) -> Blueprint:
    """The routes."""
    routes = Blueprint("local", __name__)
    routes.before_request(_only_here)
    _acts(routes, playground)
    _page(routes, playground)

    @routes.get("/attachments/<channel_id>/<attachment_id>/<path:filename>")
    def attachment(channel_id: str, attachment_id: str, filename: str) -> Response:
        try:
            found = playground.desk.cdn.fetch(channel_id, attachment_id, filename, request.args.to_dict())
        except DiscordError as error:
            return Response(error.message, error.status, content_type="text/plain; charset=utf-8")
        content_type = found.content_type or "application/octet-stream"
        served = Response(found.data, content_type=content_type)
        served.headers["X-Content-Type-Options"] = "nosniff"
        served.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
        served.headers["Content-Disposition"] = "attachment"
        return served

    return routes


def _acts(routes: Blueprint, playground: Playground) -> None:
    exchanges: OrderedDict[str, Exchange] = OrderedDict()
    lock = threading.Lock()

    @routes.post("/playground/interactions")
    def act() -> Response:
        if request.mimetype != "application/json":
            return answer({"refused": "send application/json"}, 415)
        try:
            wanted = msgspec.json.decode(request.get_data(), type=Act)
        except msgspec.MsgspecError as error:
            return answer({"refused": str(error)}, 400)
        with lock:
            opened = exchanges.get(wanted.exchange)
        try:
            made = perform(playground, wanted, opened)
        except Refused as error:
            return answer({"refused": str(error)}, 422)
        with lock:
            exchanges[made.id] = made
            while len(exchanges) > _MAX_EXCHANGES:
                exchanges.popitem(last=False)
        return answer(exchange_json(made))

    @routes.get("/playground/exchanges/<interaction_id>")
    def exchange(interaction_id: str) -> Response:
        with lock:
            found = exchanges.get(interaction_id)
        if found is None:
            return answer({"refused": "there is no such exchange"}, 404)
        with contextlib.suppress(TimeoutError):  # the answer says that it is not settled
            found.wait(min(request.args.get("wait", 0.0, float), _MAX_WAIT_S))
        return answer(exchange_json(found))

    @routes.get("/playground/commands")
    def commands() -> Response:
        here = request.args.get("where", "guild") == "guild"
        return answer(playground.desk.commands.available(playground.desk.world.guild.id if here else None))


def _page(routes: Blueprint, playground: Playground) -> None:
    @routes.get("/")
    def page() -> Response:
        desk = playground.desk
        with desk.changed:
            shown = [message.json() for message in desk.in_channel(desk.world.text_channel)[:50]]
        html = render_template(
            "page.html",
            commands=desk.commands.available(desk.world.guild.id),
            messages=shown[::-1],
            channel=desk.world.text_channel.name,
            endpoint=playground.interactions_url,
        )
        served = Response(html, content_type="text/html; charset=utf-8")
        served.headers["Content-Security-Policy"] = _POLICY
        return served


def _only_here() -> Response | None:
    """Refuse requests under another name, which a web page elsewhere could have made up (DNS rebinding)."""
    name = request.host.rsplit(":", 1)[0] if not request.host.endswith("]") else request.host
    if name in _HOSTS:
        return None
    return answer({"refused": "this server answers only under its loopback address"}, 403)
