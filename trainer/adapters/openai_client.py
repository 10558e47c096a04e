"""What all adapters on the `openai` package share: the connection, its time limits, and what its failures mean.

The package takes most of a second to import, so that happens only where something is asked.
"""
# ruff: noqa: PLC0415 - see above

from __future__ import annotations

import logging
import re
import socket
import threading
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from trainer.adapters.openai_wire import Failed, classify, refused_parameter, retry_after_s, stream_error

if TYPE_CHECKING:
    from collections.abc import Collection

    import httpx2
    import openai
    from tenacity import RetryCallState

OPENAI_URL: Final = "https://api.openai.com/v1"
CONNECT_TIMEOUT_S: Final = 5.0


class OpenAiClient:
    """The connection to a server, opened when it is first needed. Safe to use from several threads.

    Args:
        api_key: needed for OpenAI; other servers get any word if it is None.
        base_url: where the API is, up to and with `/v1`; None is OpenAI.

    Raises:
        ValueError: an address or a key that no request can be made with.
    """

    def __init__(self, api_key: str | None, base_url: str | None) -> None:
        url = urlsplit(base_url or OPENAI_URL)
        if url.scheme not in {"http", "https"} or not url.hostname:
            raise ValueError("the model's address must be an http or https URL")
        self.at_openai = url.hostname == "api.openai.com" or url.hostname.endswith(".api.openai.com")
        key = (api_key or "").strip()
        if self.at_openai and not key:
            raise ValueError("OpenAI needs an API key")
        if not re.fullmatch(r"[!-~]*", key):
            raise ValueError("the API key has characters that no HTTP header carries")
        self._base_url = base_url or OPENAI_URL
        self._key = key or "none"
        self._client: openai.OpenAI | None = None
        self._lock = threading.Lock()

    def connected(self) -> openai.OpenAI:
        """The package's client."""
        import openai

        with self._lock:
            if self._client is None:
                for name in ("openai", "httpx2", "httpcore2"):  # below WARNING they tell addresses and headers
                    logger = logging.getLogger(name)
                    logger.setLevel(max(logger.level, logging.WARNING))
                # The package's own retries sleep for as long as the server asks, up to two minutes.
                self._client = openai.OpenAI(api_key=self._key, base_url=self._base_url, max_retries=0)
            return self._client

    def close(self) -> None:
        """Close the connections. What is asked later opens new ones."""
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            client.close()


def pause_s(state: RetryCallState) -> float:
    """How long to wait before the next attempt: as the server asks, or half a second."""
    error = state.outcome.exception() if state.outcome else None
    asked = error.retry_after_s if isinstance(error, Failed) else None
    return 0.5 if asked is None else asked


def timeout(deadline: float) -> openai.Timeout:
    """Limits of one request's steps, each counted from its own start. Raises `Failed` if no time is left.

    So a server that is slow to connect to, and then says nothing at all, is given up by the connecting's time late.
    """
    import openai

    left = deadline - time.monotonic()
    if left <= 0:
        raise Failed("timeout", retryable=True)
    return openai.Timeout(left, connect=min(CONNECT_TIMEOUT_S, left / 2))


def hang_up(response: httpx2.Response) -> None:
    """Shut the connection of an answer that comes, from any thread: whoever reads it is told at once.

    Nothing, if it was read to its end: its connection is kept, and may be another request's by then.
    """
    if response.is_closed:
        return
    connection = response.extensions["network_stream"].get_extra_info("socket")
    with suppress(OSError):
        # What is below TLS, not TLS itself: a socket that ends that gives what came sealed as if it were the answer.
        socket.socket.shutdown(connection, socket.SHUT_RDWR)


def failure(error: Exception, sent: Collection[str]) -> Failed:
    """What an exception of the package, or a wrong shape, means for the port; `sent` names optional parameters.

    The package passes on what its HTTP client raises while an answer is read that it does not read itself.
    """
    import httpx2
    import openai

    if isinstance(error, httpx2.TimeoutException):
        return Failed("timeout", retryable=True)
    if isinstance(error, httpx2.HTTPError):
        return Failed("connection", retryable=True)
    if isinstance(error, openai.APITimeoutError):
        return Failed("timeout", retryable=True)
    if isinstance(error, openai.APIConnectionError):
        return Failed("connection", retryable=True)
    if isinstance(error, openai.APIStatusError):
        reason, retryable = classify(error.status_code, error.code)
        parameter = refused_parameter(error.param, error.body, sent) if error.status_code in {400, 422} else None
        wait = retry_after_s(error.response.headers)
        return Failed(reason, retryable=retryable, retry_after_s=wait, parameter=parameter)
    if isinstance(error, openai.APIError):  # an error event in the middle of a stream
        return stream_error(error.code, error.type)
    return Failed("protocol", retryable=False)
