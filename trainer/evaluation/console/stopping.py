"""Ctrl-C and SIGTERM: a run is ended in order, and anything else at once; the second time, a run too."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    from collections.abc import Iterator

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """Listens to the signals while its `with` block lasts, which must be in the main thread."""

    def __init__(self) -> None:
        self.number = 0
        """The signal that came; 0 if none has."""
        self._wanted = threading.Event()
        self._gentle = False
        self._former: dict[int, Any] = {}

    def __enter__(self) -> Self:
        self._former = {number: signal.signal(number, self._come) for number in SIGNALS}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._former.items():
            signal.signal(number, handler)

    def __call__(self) -> bool:
        """Whether a signal has come."""
        return self._wanted.is_set()

    def wait(self, seconds: float) -> bool:
        """Wait, but not longer than until a signal comes; whether one has."""
        return self._wanted.wait(seconds)

    @contextmanager
    def gently(self) -> Iterator[None]:
        """The block looks for itself whether it is to stop: the first signal raises no `KeyboardInterrupt`."""
        self._gentle = True
        try:
            yield
        finally:
            self._gentle = False

    def _come(self, number: int, _: object) -> None:
        again = self._wanted.is_set()
        self.number = number
        self._wanted.set()
        if again or not self._gentle:
            raise KeyboardInterrupt
