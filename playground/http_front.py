"""What every request passes before the application behind it: the record of requests, and faults on purpose."""

from __future__ import annotations

import io
import threading
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Request, Response

from playground.bodies import MAX_BYTES, Body, read_body
from playground.errors import DiscordError, too_large
from playground.http_answers import refusal
from playground.serving import reset_connection

if TYPE_CHECKING:
    from collections import deque
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from playground.faults import Faults
    from playground.rules_messages import Upload

_API: Final = "/api/"
_OURS: Final = (_API, "/attachments/")


@dataclass(eq=False)
class Recorded:
    """A request to Discord, and its answer.

    Attributes:
        path: with `/api/v10`, without the query.
        body: raw.
        status: of the answer; None while there is none, or if the connection was reset.
        answer: the answer's body; empty for attachments.
        faulty: whether something went wrong with it on purpose.
    """

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    status: int | None = None
    answer: bytes = b""
    faulty: bool = False

    @cached_property
    def _read(self) -> Body:
        length = str(len(self.body))
        content_type = self.headers.get("Content-Type", "")
        try:
            return read_body(
                {"CONTENT_TYPE": content_type, "CONTENT_LENGTH": length, "wsgi.input": io.BytesIO(self.body)}
            )
        except DiscordError:
            return Body(None, [])

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON can be anything
        """The JSON, also that of a form's `payload_json`; None if there is none."""
        return self._read.json

    @property
    def files(self) -> list[Upload]:
        """The files of a form."""
        return self._read.uploads


class _Request(Request):
    max_content_length = MAX_BYTES


class Front:
    """A WSGI application in front of another."""

    def __init__(self, app: WSGIApplication, faults: Faults, record: deque[Recorded]) -> None:
        self._app = app
        self._faults = faults
        self._record = record
        self._stopping = threading.Event()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        request = _Request(environ)
        try:
            body = request.get_data()
        except RequestEntityTooLarge:
            return refusal(too_large())(environ, start_response)
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        environ.pop("wsgi.input_terminated", None)
        if not request.path.startswith(_OURS):
            return self._app(environ, start_response)
        headers = dict(request.headers.items())
        recorded = Recorded(request.method, request.path, request.args.to_dict(), headers, body)
        self._record.append(recorded)
        response = self._answer(environ, recorded)
        recorded.status = response.status_code
        if recorded.path.startswith(_API):
            recorded.answer = response.get_data()
        return response(environ, start_response)

    def _answer(self, environ: WSGIEnvironment, recorded: Recorded) -> Response:
        fault = self._faults.match(recorded.method, recorded.path)
        if fault is None:
            return Response.from_app(self._app, environ, buffered=True)
        recorded.faulty = True
        if fault.delay:
            self._stopping.wait(fault.delay)
        if fault.reset == "before":
            reset_connection(environ)
        instead = None if fault.status is None else Response(fault.body, fault.status, fault.headers)
        if instead is not None and not fault.processed:
            return instead
        real = Response.from_app(self._app, environ, buffered=True)
        if fault.reset == "after":
            reset_connection(environ)
        return instead or real

    def stop(self) -> None:
        """Let nobody wait any longer."""
        self._stopping.set()
