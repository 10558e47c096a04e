"""Who may ask: the bot, with its token."""

from __future__ import annotations

import hmac

from flask import request

from playground.errors import unauthorized


def require_bot(token: str) -> None:
    """Raise `DiscordError` 401 unless the request being answered carries the bot's token."""
    given = request.headers.get("Authorization", "")
    if not hmac.compare_digest(given.encode(), f"Bot {token}".encode()):
        raise unauthorized()
