"""The embedder as searching uses it: never in the way. When it fails, words alone are compared for a while."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

from trainer.ports import ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trainer.ports import Embedder, Vector

REST_S: Final = 60.0
"""How long an embedder is left alone that failed: nobody waits for it meanwhile."""

log = logging.getLogger(__name__)


class Embeddings:
    """An embedder that is left alone for a while after it failed. Safe to use from several threads."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._rests_until = 0.0

    @property
    def space(self) -> str:
        """Names what its vectors can be compared with; to be asked once there is one."""
        return f"{self._embedder.name}/{self._embedder.size}"

    def of(self, texts: Sequence[str]) -> list[Vector] | None:
        """A vector for each text, or None if there are none to be had now."""
        if time.monotonic() < self._rests_until:
            return None
        try:
            return self._embedder.embed(texts)
        except ModelUnavailable as error:
            self._rests_until = time.monotonic() + REST_S
            log.warning("embedder failed", extra={"reason": error.reason, "retryable": error.retryable})
            return None
