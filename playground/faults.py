"""What goes wrong on purpose: answers that fail, come late, or never."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

Reset = Literal["before", "after"]


@dataclass(eq=False)
class Fault:
    """One thing that goes wrong.

    Attributes:
        method: of the requests that it is about; "" for all.
        path: a regular expression that is searched in the path.
        status: answer with this; None: with what the request comes to.
        headers: of that answer.
        body: of that answer: JSON, text or bytes.
        processed: whether the request has its effect before it is answered with `status`.
        reset: reset the TCP connection, before or after the request has its effect.
        delay: seconds before the request has its effect.
        times: how many requests it is about; None for all.
        after: how many requests pass before.
        hits: how many it was about so far.
    """

    method: str
    path: re.Pattern[str]
    status: int | None
    headers: dict[str, str]
    body: bytes
    processed: bool
    reset: Reset | None
    delay: float
    times: int | None
    after: int
    hits: int = 0
    seen: int = field(default=0, repr=False)


class Faults:
    """All that goes wrong. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(
        self,
        *,
        method: str = "",
        path: str = "",
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
        body: object = None,
        times: int | None = 1,
        after: int = 0,
        reset: Reset | bool | None = None,
        delay: float = 0.0,
        processed: bool = False,
    ) -> Fault:
        """Add one; see `Fault`. `reset=True` means before. The first that fits a request is about it."""
        shown, content_type = _body(status, body)
        fault = Fault(
            method.upper(),
            re.compile(path),
            status,
            {"Content-Type": content_type, **(headers or {})},
            shown,
            processed,
            ("before" if reset else None) if isinstance(reset, bool) else reset,
            delay,
            times,
            after,
        )
        with self._lock:
            self._faults.append(fault)
        return fault

    def remove(self, fault: Fault) -> None:
        """Take one away; nothing happens if it is gone."""
        with self._lock:
            if fault in self._faults:
                self._faults.remove(fault)

    def clear(self) -> None:
        """Take all away."""
        with self._lock:
            self._faults.clear()

    def match(self, method: str, path: str) -> Fault | None:
        """The one that is about this request, which counts as a hit."""
        with self._lock:
            for fault in self._faults:
                if fault.method not in {"", method} or fault.path.search(path) is None:
                    continue
                if fault.times is not None and fault.hits >= fault.times:
                    continue
                fault.seen += 1
                if fault.seen <= fault.after:
                    continue
                fault.hits += 1
                return fault
        return None


def _body(status: int | None, body: Any) -> tuple[bytes, str]:  # noqa: ANN401 - anything that JSON can hold
    """Bytes and their type; without a body, Discord's own for that status."""
    if isinstance(body, bytes):
        return body, "application/octet-stream"
    if isinstance(body, str):
        return body.encode(), "text/html; charset=utf-8"
    if body is None and status is not None:
        body = {"message": f"{status}: injected", "code": 0}
    return json.dumps(body).encode(), "application/json"
