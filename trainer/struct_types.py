"""Makes struct types ready before several threads decode them.

msgspec looks at a struct type, and at the types of its fields, when the type is first decoded. It keeps what it finds
before that is complete, so that types can hold themselves: of two threads that are first at the same time, the second
one reads what is half there, and the process crashes (as of 0.22.0).
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

_ready: Final[set[type[msgspec.Struct]]] = set()
_lock: Final = threading.Lock()


def make_ready() -> None:
    """Have every struct type looked at that is known by now. To be called before threads are started.

    A second time, only types that have come since are looked at.
    """
    with _lock:
        for kind in _known(msgspec.Struct):
            if kind in _ready:
                continue
            _ready.add(kind)
            try:
                msgspec.json.Decoder(kind)
            except (TypeError, NameError):
                # It is only ever encoded: it has fields that cannot be decoded, or whose types are not there.
                continue


def _known(kind: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    for below in kind.__subclasses__():
        yield below
        yield from _known(below)
