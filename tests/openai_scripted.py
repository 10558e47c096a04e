"""What the OpenAI-compatible servers of the tests have in common: failures that a test scripts, in OpenAI's shape."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.loopback import LoopbackHttp, LoopbackServer
from tests.openai_spec import prepare, problem_with

if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler

Body = dict[str, Any]


def error_body(
    message: str, *, param: str | None, code: str | None = None, kind: str = "invalid_request_error"
) -> Body:
    """An error in OpenAI's shape."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


@dataclass(slots=True)
class Fault:
    """What the next requests to a path are answered with."""

    status: int
    error: bytes
    headers: dict[str, str]
    path: str
    times: int


class ScriptedServer(LoopbackServer):
    """Checks by OpenAI's document, and fails as it is told to."""

    main_path: str
    """What fails if no path is named."""

    def __init__(self, http: type[LoopbackHttp], handler: type[BaseHTTPRequestHandler], name: str) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._refused: dict[str, str] = {}
        prepare()  # takes a second: not while somebody waits for an answer
        super().__init__(http, handler, name)

    def fail(
        self,
        *,
        status: int,
        code: str | None = None,
        kind: str = "invalid_request_error",
        param: str | None = None,
        message: str = "This failure is scripted.",
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
        path: str | None = None,
        times: int = 1,
    ) -> None:
        """Answer the next `times` requests to `path` with an error in OpenAI's shape, or with `body`."""
        if body is None:
            error = error_body(message, kind=kind, param=param, code=code)
            self.check(error, "ErrorResponse")
            body = json.dumps(error).encode()
        with self._lock:
            self._faults.append(Fault(status, body, headers or {}, path or self.main_path, times))

    def recover(self) -> None:
        """Fail no more."""
        with self._lock:
            self._faults.clear()

    def refuse(self, parameter: str, *, message: str = "Unsupported parameter: '{}'.") -> None:
        """Answer from now on every request that is checked and has this parameter with 400, naming it."""
        self._refused[parameter] = message.format(parameter)

    # What the handler asks.

    def check(self, value: object, schema: str) -> None:
        """Notes what is wrong with an answer."""
        if (problem := problem_with(value, schema, closed=False)) is not None:
            self.problems.append(problem)

    def fault(self, path: str) -> Fault | None:
        """The fault due for a request to `path`, counted."""
        with self._lock:
            for fault in self._faults:
                if fault.path == path and fault.times > 0:
                    fault.times -= 1
                    return fault
        return None

    def problem(self, body: Body, schema: str) -> str | None:
        """What is wrong with a request."""
        return problem_with(body, schema, closed=True)

    def refusal(self, body: Body, schema: str) -> Body | None:
        """The error for a request that is not well-formed or not taken."""
        if (problem := self.problem(body, schema)) is not None:
            self.problems.append(problem)
            return error_body(problem, param=None)
        for parameter, message in self._refused.items():
            if parameter in body:
                return error_body(message, param=parameter, code="unsupported_parameter")
        return None
