"""Sending a signed interaction to the application and taking in what it answers.

Source: Discord's documentation, interactions/overview (signature) and interactions/receiving-and-responding.
"""

from __future__ import annotations

import io
import json
import time
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import requests

from playground.bodies import read_body
from playground.errors import DiscordError
from playground.exchanges import RESPONSE_S, Interaction

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nacl.signing import SigningKey

    from playground.desk import Desk

USER_AGENT: Final = "Discord-Interactions/1.0 (+https://discord.com)"
ACCEPTED: Final = 202
OK: Final = 200


class Delivered(NamedTuple):
    """What the application's endpoint answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    seconds: float


def signed(key: SigningKey, body: bytes, *, timestamp: str | None = None) -> dict[str, str]:
    """The headers of a request to the application: Ed25519 over timestamp and raw body."""
    stamp = str(int(time.time())) if timestamp is None else timestamp
    return {
        "Content-Type": "application/json",
        "User-Agent": USER_AGENT,
        "X-Signature-Ed25519": key.sign(stamp.encode() + body).signature.hex(),
        "X-Signature-Timestamp": stamp,
    }


def post(url: str, body: bytes, headers: Mapping[str, str], *, timeout: float = RESPONSE_S) -> Delivered:
    """POST to the application's endpoint. Raises `requests.RequestException`, also after `timeout` seconds."""
    started = time.monotonic()
    with requests.Session() as session:
        session.trust_env = False  # loopback needs no proxy and no .netrc
        answer = session.post(url, data=body, headers=dict(headers), timeout=timeout, allow_redirects=False)
        seconds = time.monotonic() - started
        return Delivered(answer.status_code, dict(answer.headers), answer.content, seconds)


def deliver(desk: Desk, url: str | None, interaction: Interaction) -> None:
    """Send an interaction and apply the answer; what goes wrong is noted in the interaction."""
    if url is None:
        desk.fail(interaction, "no interactions endpoint is set")
        return
    body = json.dumps(interaction.payload, ensure_ascii=False, separators=(",", ":")).encode()
    try:
        delivered = post(url, body, signed(desk.identity.signing_key, body))
    except requests.RequestException as error:
        desk.fail(interaction, f"the endpoint did not answer ({type(error).__name__})")
        return
    with desk.changed:
        interaction.status = delivered.status
        interaction.response_ms = delivered.seconds * 1000
    if delivered.status == ACCEPTED and not delivered.body:
        return  # the answer comes, or came, as a request to the callback
    if delivered.status != OK:
        desk.fail(interaction, f"the endpoint answered {delivered.status}")
        return
    _apply(desk, interaction, delivered)


def _apply(desk: Desk, interaction: Interaction, delivered: Delivered) -> None:
    environ: dict[str, Any] = {
        "CONTENT_TYPE": _header(delivered.headers, "content-type"),
        "CONTENT_LENGTH": str(len(delivered.body)),
        "wsgi.input": io.BytesIO(delivered.body),
    }
    try:
        answer = read_body(environ)
        desk.respond(interaction.id, interaction.token, answer.json, answer.uploads)
    except DiscordError as error:
        desk.fail(interaction, "the answer was refused", error.body())


def _header(headers: Mapping[str, str], name: str) -> str:
    return next((value for key, value in headers.items() if key.lower() == name), "")
