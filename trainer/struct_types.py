"""Makes struct types ready before several threads decode them.

msgspec looks at a struct type, and at the types of its fields, when the type is first decoded. It keeps what it finds
before that is complete, so that types can hold themselves: of two threads that are first at the same time, the second
one reads what is half there, and the process crashes (as of 0.22.0).
"""

from __future__ import annotations

import threading
from contextlib import suppress
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
            _look_at(kind)


def ready(kind: type[msgspec.Struct]) -> None:
    """Have this type looked at, if it is not yet: for types that come into a process while its threads run."""
    if kind not in _ready:
        with _lock:
            _look_at(kind)


def _look_at(kind: type[msgspec.Struct]) -> None:
    """With the lock held."""
    if kind in _ready:
        return
    # Some are only ever encoded: they have fields that cannot be decoded, or whose types are not there.
    with suppress(TypeError, NameError):
        msgspec.json.Decoder(kind)
    _ready.add(kind)


def _known(kind: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    for below in kind.__subclasses__():
        yield below
        yield from _known(below)
