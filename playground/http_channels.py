"""Messages in channels, for the bot with its token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Blueprint, request

from playground.errors import invalid_form
from playground.http_answers import answer, nothing, received_object
from playground.http_authorization import require_bot
from playground.snowflakes import is_snowflake

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from playground.messages import Message
    from playground.server import Playground

_MAX_LISTED: Final = 100
_LISTED: Final = 50


def channels(playground: Playground) -> Blueprint:
    """The routes."""
    routes = Blueprint("channels", __name__)
    routes.before_request(lambda: require_bot(playground.identity.bot_token))
    desk = playground.desk

    @routes.get("/channels/<channel_id>")
    def channel(channel_id: str) -> Response:
        return answer(desk.channel(channel_id).json())

    @routes.get("/channels/<channel_id>/messages")
    def listed(channel_id: str) -> Response:
        found = desk.in_channel(desk.channel(channel_id))
        chosen = _page(found, request.args.to_dict())
        with desk.changed:
            return answer([message.json() for message in chosen])

    @routes.post("/channels/<channel_id>/messages")
    def post(channel_id: str) -> Response:
        fields, body = received_object()
        with desk.changed:
            return answer(desk.post(channel_id, fields, body.uploads).json())

    @routes.get("/channels/<channel_id>/messages/<message_id>")
    def get(channel_id: str, message_id: str) -> Response:
        with desk.changed:
            return answer(desk.public(channel_id, message_id).json())

    @routes.patch("/channels/<channel_id>/messages/<message_id>")
    def edit(channel_id: str, message_id: str) -> Response:
        fields, body = received_object()
        with desk.changed:
            return answer(desk.edit_public(channel_id, message_id, fields, body.uploads).json())

    @routes.delete("/channels/<channel_id>/messages/<message_id>")
    def delete(channel_id: str, message_id: str) -> Response:
        desk.delete_public(channel_id, message_id)
        return nothing()

    return routes


def _page(found: list[Message], query: dict[str, str]) -> list[Message]:
    """The part of a channel's messages, newest first, that a query asks for. Raises `DiscordError`."""
    for name in ("limit", "before", "after"):
        if name in query and not is_snowflake(query[name]):
            wrong = {"code": "NUMBER_TYPE_COERCE", "message": f'Value "{query[name]}" is not a number.'}
            raise invalid_form({name: {"_errors": [wrong]}})
    limit = int(query.get("limit", _LISTED))
    if not 1 <= limit <= _MAX_LISTED:
        wrong = {"code": "NUMBER_TYPE_RANGE", "message": f"int value should be between 1 and {_MAX_LISTED}."}
        raise invalid_form({"limit": {"_errors": [wrong]}})
    if "before" in query:
        found = [message for message in found if int(message.id) < int(query["before"])]
    if "after" in query:
        return [message for message in found if int(message.id) > int(query["after"])][-limit:]
    return found[:limit]
