"""HTTP as AWS gives it to a function: events of function URLs and of HTTP APIs, payload format 2.0. Pure.

Source: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

if TYPE_CHECKING:
    from interactions.core import Response

SIGNATURE: Final = "x-signature-ed25519"
TIMESTAMP: Final = "x-signature-timestamp"


class NotHttp(Exception):
    """The event is no HTTP request: somebody called the function in another way."""


class Request(NamedTuple):
    """One HTTP request."""

    method: str
    path: str
    """Without a slash at its end, except for the root."""
    body: bytes
    """The raw body: what a signature is over."""
    signature: str | None
    timestamp: str | None


class _Http(msgspec.Struct, frozen=True):
    method: str


class _Context(msgspec.Struct, frozen=True):
    http: _Http


class _Event(msgspec.Struct, frozen=True, rename="camel"):
    raw_path: str
    request_context: _Context
    headers: dict[str, str] = {}
    """Names are in lower case; values of one name are joined with commas."""
    body: str = ""
    is_base64_encoded: bool = False


def read(event: object) -> Request:
    """The request in an event. Raises `NotHttp`."""
    try:
        given = msgspec.convert(event, _Event)
        # Text is what the bytes were in UTF-8; whatever is not UTF-8 comes in base64.
        body = base64.b64decode(given.body, validate=True) if given.is_base64_encoded else given.body.encode()
    except (msgspec.ValidationError, ValueError):
        raise NotHttp from None
    return Request(
        method=given.request_context.http.method,
        path=given.raw_path.rstrip("/") or "/",
        body=body,
        signature=given.headers.get(SIGNATURE),
        timestamp=given.headers.get(TIMESTAMP),
    )


def answer(response: Response) -> dict[str, Any]:
    """A response as the function returns it."""
    headers = {"content-type": response.content_type, "cache-control": "no-store"}
    return {"statusCode": response.status, "headers": headers, "body": response.body.decode()}
