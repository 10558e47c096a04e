"""The embedder port on the `openai` package: OpenAI itself, or any server that speaks its Embeddings API.

Texts and the key get into no log and no exception, as in `trainer.adapters.openai_chat`.
"""

from __future__ import annotations

import math
import threading
import time
from array import array
from typing import TYPE_CHECKING, Any, Final

import msgspec

from trainer.adapters.openai_client import OpenAiClient, failure, pause_s, timeout
from trainer.adapters.openai_wire import Failed, shown_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trainer.ports import Vector

DEFAULT_MODEL: Final = "text-embedding-3-small"
DIMENSIONS: Final = 512
"""Asked of OpenAI's models that can shorten their vectors (`text-embedding-3-…`): a third of what they have at first,
at little loss (openai.com/index/new-embedding-models-and-api-updates), and a third to keep and compare."""
MAX_CHARS: Final = 2_000
"""Characters of a text that count. OpenAI takes 8,192 tokens, and no character makes more than four."""
BATCH_AT_OPENAI: Final = 256
BATCH: Final = 32
"""Texts in a request. OpenAI takes 2,048; 32 is the smallest limit that compatible servers have by themselves."""
BATCH_BYTES: Final = 250_000
"""UTF-8 bytes in a request. OpenAI takes 300,000 tokens, and no byte makes more than one."""
NOTHING: Final = "."
"""Sent for a text without anything in it, which the API refuses."""


class _Item(msgspec.Struct):
    embedding: list[float]
    index: int | None = None


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None


class _Embeddings(msgspec.Struct):
    data: list[_Item]
    usage: _Usage | None = None


class OpenAiEmbedder:
    """An embedder behind OpenAI's Embeddings API.

    Args:
        api_key: needed for OpenAI; other servers get any word if it is None.
        base_url: where the API is, up to and with `/v1`; None is OpenAI.
        model: None is `DEFAULT_MODEL`.
        timeout_s: how long a request may take, retries and all.
        max_retries: how often a request is tried again.

    Attributes:
        name: see `trainer.ports.Embedder`.
        size: see `trainer.ports.Embedder`.
        requests: how many requests were answered.
        tokens: what they cost, as far as the server says.

    Raises:
        ValueError: an address or a key that no request can be made with.
    """

    def __init__(
        self,
        *,
        api_key: str | None,
        base_url: str | None,
        model: str | None = None,
        timeout_s: float = 10,
        max_retries: int = 1,
    ) -> None:
        self._client = OpenAiClient(api_key, base_url)
        self._model = model or DEFAULT_MODEL
        self._timeout_s = timeout_s
        self._max_retries = max_retries
        self._lock = threading.Lock()
        self._batch = BATCH_AT_OPENAI if self._client.at_openai else BATCH
        shortened = self._client.at_openai and self._model.startswith("text-embedding-3")
        self._values: dict[str, Any] = {"dimensions": DIMENSIONS} if shortened else {}
        self.name = shown_name(self._model)
        self.size = DIMENSIONS if shortened else 0
        self.requests = 0
        self.tokens = 0

    def close(self) -> None:
        """Close the connections. What is asked later opens new ones."""
        self._client.close()

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        """A unit vector for each text, in order. Raises `ModelUnavailable`."""
        import tenacity  # noqa: PLC0415 - as late as openai: importing this module must cost nothing

        def can_help(error: BaseException) -> bool:
            return isinstance(error, Failed) and error.retryable and error.reason != "timeout"

        found: list[Vector] = []
        for batch in _batches(texts, self._batch):
            attempts = tenacity.Retrying(
                retry=tenacity.retry_if_exception(can_help),
                stop=tenacity.stop_after_attempt(1 + self._max_retries) | tenacity.stop_before_delay(self._timeout_s),
                wait=pause_s,
                reraise=True,
            )
            found += attempts(self._ask, batch, time.monotonic() + self._timeout_s)
        return found

    def _ask(self, batch: list[str], deadline: float) -> list[Vector]:
        """One request. Raises `Failed`."""
        import openai  # noqa: PLC0415 - takes most of a second to import: only where something is asked

        failed: Failed | None = None
        vectors: list[Vector] = []
        try:
            answer = self._client.connected().embeddings.create(
                input=batch,
                model=self._model,
                encoding_format="float",  # the package's own choice, base64, is OpenAI's alone
                timeout=timeout(deadline),
                **self._values,
            )
            decoded = msgspec.convert(answer, _Embeddings, from_attributes=True)
            vectors = [_unit(item.embedding) for item in _in_order(decoded.data, len(batch))]
            self._count(vectors, decoded.usage)
        except (openai.OpenAIError, ValueError, RecursionError) as error:
            failed = failure(error, ())
        if failed is not None:  # raised here so that the package's exception, which quotes the server, is not with it
            raise failed
        return vectors

    def _count(self, vectors: list[Vector], usage: _Usage | None) -> None:
        sizes = {len(vector) for vector in vectors}
        with self._lock:
            if len(sizes | ({self.size} if self.size else set())) > 1:
                raise ValueError("vectors of different sizes")
            self.size = sizes.pop()
            self.requests += 1
            self.tokens += (usage.prompt_tokens or 0) if usage else 0


def _batches(texts: Sequence[str], most: int) -> Iterator[list[str]]:
    """The texts as they are sent, in requests that are not too large."""
    batch: list[str] = []
    size = 0
    for text in texts:
        encoded = text[:MAX_CHARS].encode(errors="replace")
        if batch and (len(batch) == most or size + len(encoded) > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(encoded.decode() if encoded.strip() else NOTHING)
        size += len(encoded)
    if batch:
        yield batch


def _in_order(items: list[_Item], count: int) -> list[_Item]:
    """The items as they were asked for; servers that give no indexes keep the order. Raises `ValueError`."""
    if len(items) != count:
        raise ValueError("not one vector a text")
    if all(item.index is None for item in items):
        return items
    by_index = {item.index: item for item in items}
    if by_index.keys() != set(range(count)):
        raise ValueError("the vectors' indexes do not fit the texts")
    return [by_index[index] for index in range(count)]


def _unit(numbers: list[float]) -> Vector:
    """The vector of length 1 in this direction. Raises `ValueError` if there is none."""
    length = math.hypot(*numbers)
    if not math.isfinite(length) or length == 0:
        raise ValueError("a vector without a direction")
    return array("f", [number / length for number in numbers])
