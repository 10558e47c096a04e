"""Answers to interactions: the callback, and the webhook of each interaction. No authorization: the token is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, request

from playground.http_answers import answer, nothing, received, received_object

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from playground.exchanges import Interaction
    from playground.server import Playground

_ORIGINAL = "/webhooks/<application_id>/<token>"


def webhooks(playground: Playground) -> Blueprint:
    """The routes."""
    routes = Blueprint("webhooks", __name__)
    desk = playground.desk

    @routes.post("/interactions/<interaction_id>/<token>/callback")
    def respond(interaction_id: str, token: str) -> Response:
        body = received()
        interaction = desk.respond(interaction_id, token, body.json, body.uploads)
        if request.args.get("with_response", "").lower() not in {"true", "1"}:
            return nothing()
        with desk.changed:
            return answer(_callback(interaction))

    @routes.post(_ORIGINAL)
    def follow_up(application_id: str, token: str) -> Response:
        fields, body = received_object()
        message = desk.follow_up(application_id, token, fields, body.uploads)
        with desk.changed:
            return answer(message.json())

    @routes.get(f"{_ORIGINAL}/messages/<message_id>")
    def get(application_id: str, token: str, message_id: str) -> Response:
        with desk.changed:
            interaction = desk.webhook(application_id, token)
            return answer(desk.answer_of(interaction, message_id).json())

    @routes.patch(f"{_ORIGINAL}/messages/<message_id>")
    def edit(application_id: str, token: str, message_id: str) -> Response:
        fields, body = received_object()
        with desk.changed:
            message = desk.edit_answer(application_id, token, message_id, fields, body.uploads)
            return answer(message.json())

    @routes.delete(f"{_ORIGINAL}/messages/<message_id>")
    def delete(application_id: str, token: str, message_id: str) -> Response:
        desk.delete_answer(application_id, token, message_id)
        return nothing()

    return routes


def _callback(interaction: Interaction) -> dict[str, Any]:
    """What `?with_response=true` gives."""
    shown: dict[str, Any] = {"id": interaction.id, "type": interaction.kind}
    found: dict[str, Any] = {"interaction": shown}
    if interaction.original is not None:
        message = interaction.original
        shown["response_message_id"] = message.id
        shown["response_message_loading"] = message.loading
        shown["response_message_ephemeral"] = message.ephemeral
        found["resource"] = {"type": interaction.response, "message": message.json()}
    return found
