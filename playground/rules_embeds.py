"""What Discord accepts as the embeds of a message. Pure.

Limits: Discord's documentation, resources/message, "Embed Limits".
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from playground.forms import Fields

MAX_EMBEDS: Final = 10
MAX_TITLE: Final = 256
MAX_DESCRIPTION: Final = 4096
MAX_FIELDS: Final = 25
MAX_FIELD_NAME: Final = 256
MAX_FIELD_VALUE: Final = 1024
MAX_FOOTER: Final = 2048
MAX_AUTHOR: Final = 256
MAX_URL: Final = 2048
MAX_COLOR: Final = 0xFFFFFF
MAX_TOTAL: Final = 6000


def check_embeds(message: Fields) -> None:
    """Note what is wrong with the embeds of a message."""
    embeds = message.objects("embeds", high=MAX_EMBEDS)
    total = sum(_check_embed(embed) for embed in embeds)
    if total > MAX_TOTAL:
        message.fail("embeds", "MAX_EMBED_SIZE_EXCEEDED", f"Embed size exceeds maximum size of {MAX_TOTAL}")


def _check_embed(embed: Fields) -> int:
    """Note what is wrong with one embed; returns the characters that count towards the total."""
    texts = [
        embed.string("title", high=MAX_TITLE),
        embed.string("description", high=MAX_DESCRIPTION),
    ]
    embed.string("type", high=MAX_URL)
    _check_url(embed, "url")
    embed.integer("color", low=0, high=MAX_COLOR)
    _check_time(embed)
    if author := embed.object("author"):
        texts.append(author.string("name", high=MAX_AUTHOR))
        _check_url(author, "url")
        _check_url(author, "icon_url", attachment=True)
    if footer := embed.object("footer"):
        texts.append(footer.string("text", high=MAX_FOOTER))
        _check_url(footer, "icon_url", attachment=True)
    for name in ("image", "thumbnail", "video"):
        if media := embed.object(name):
            _check_url(media, "url", attachment=True)
    for field in embed.objects("fields", high=MAX_FIELDS):
        texts.append(field.string("name", low=1, high=MAX_FIELD_NAME, required=True))
        texts.append(field.string("value", low=1, high=MAX_FIELD_VALUE, required=True))
        field.boolean("inline")
    return sum(len(text) for text in texts if text)


def _check_url(fields: Fields, name: str, *, attachment: bool = False) -> None:
    url = fields.string(name, high=MAX_URL)
    schemes = ("http://", "https://", "attachment://") if attachment else ("http://", "https://")
    if url and not url.lower().startswith(schemes):
        fields.fail(name, "URL_TYPE_INVALID_SCHEME", "Scheme is not one of the accepted ones.")


def _check_time(embed: Fields) -> None:
    text = embed.string("timestamp", high=MAX_URL)
    if text is None:
        return
    try:
        datetime.fromisoformat(text)
    except ValueError:
        embed.fail("timestamp", "DATE_TIME_TYPE_PARSE", "Could not parse the timestamp. Should be ISO8601.")
