"""An exchange as JSON, for the command line and for web pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playground.clients import Exchange
    from playground.messages import Message


def exchange_json(exchange: Exchange) -> dict[str, Any]:
    """What there is now."""
    settled = exchange.settled()
    reply = exchange.reply()
    return {
        "interaction_id": exchange.id,
        "settled": settled,
        "status": exchange.status,
        "response_ms": exchange.response_ms,
        "ephemeral": reply.ephemeral,
        "error": reply.error,
        "reason": reply.reason,
        "refused": exchange.refused,
        "modal": reply.modal,
        "choices": reply.choices,
        "messages": [message_json(message) for message in reply.messages],
    }


def message_json(message: Message) -> dict[str, Any]:
    """A message with its history and whom it pings."""
    return {
        **message.json(),
        "history": [revision.content for revision in message.history],
        "pinged": {
            "users": list(message.pinged.users),
            "roles": list(message.pinged.roles),
            "everyone": message.pinged.everyone,
        },
    }
