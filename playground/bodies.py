"""Reading the body of a request: JSON, or a form with `payload_json` and files."""

from __future__ import annotations

import json
import re
from typing import Any, Final, NamedTuple

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Request

from playground.errors import DiscordError, invalid_form, invalid_json, too_large
from playground.rules_messages import Upload

MAX_BYTES: Final = 120 * 1024 * 1024
MAX_JSON_BYTES: Final = 8 * 1024 * 1024
_FILE_FIELD: Final = re.compile(r"files\[([0-9]{1,20})\]")


class Body(NamedTuple):
    """What a request carries."""

    json: Any
    """None if there is no body."""
    uploads: list[Upload]


class _Request(Request):
    max_content_length = MAX_BYTES
    max_form_memory_size = MAX_JSON_BYTES
    max_form_parts = 100


def read_body(environ: dict[str, Any]) -> Body:
    """The body of a WSGI request. Raises `DiscordError`."""
    request = _Request({"REQUEST_METHOD": "POST", **environ}, populate_request=False)
    try:
        if request.mimetype == "multipart/form-data":
            return _read_form(request)
        raw = request.get_data()
    except RequestEntityTooLarge:
        raise too_large() from None
    finally:
        request.close()  # and with it the files
    if not raw:
        return Body(None, [])
    if request.mimetype != "application/json":
        message = "Expected \"Content-Type\" header to be one of {'application/json', 'multipart/form-data'}."
        raise DiscordError(400, 50035, message, {})
    return Body(parse_json(raw), [])


def parse_json(raw: bytes | str) -> Any:  # noqa: ANN401 - JSON can be anything
    """JSON as Discord reads it. Raises `DiscordError`."""
    try:
        return json.loads(raw, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise invalid_json() from None


def _no_constant(name: str) -> None:
    """NaN and the infinities are no JSON."""
    raise ValueError(name)


def _read_form(request: Request) -> Body:
    payload = request.form.get("payload_json")
    body = dict(request.form) if payload is None else parse_json(payload)
    uploads = []
    for name, file in request.files.items(multi=True):
        matched = _FILE_FIELD.fullmatch(name)
        key = matched[1] if matched else name
        uploads.append(Upload(key, file.filename or "unknown", file.mimetype, file.read()))
    if len({upload.key for upload in uploads}) != len(uploads):
        raise invalid_form({"files": {"_errors": [{"code": "FILE_DUPLICATED", "message": "A file is there twice"}]}})
    return Body(body, uploads)
