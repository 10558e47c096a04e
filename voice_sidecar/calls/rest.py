"""Discord's REST API, as far as the sidecar speaks to it: replies to commands, and messages in chats.

discord.py's own is not used for this: it adds `tts` where Discord's document has none, sends webhook calls without
the User-Agent that Discord asks for, has no deadline, and does not repeat what Linux calls a reset connection, nor
the "unknown webhook" that may follow a deferral (discord/discord-api-docs#7220).

All calls may be repeated: changes by nature, and new messages as they carry a nonce. So they are, after a 429, a
server error or a broken connection, until their deadline.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import math
import time
from typing import TYPE_CHECKING, Final, Literal, NamedTuple
from urllib.parse import quote

import aiohttp
import msgspec
import tenacity
from tenacity.wait import wait_exponential, wait_exponential_jitter

from trainer import logs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from voice_sidecar.calls.messages import Message

VERSION: Final = "0.1.0"
USER_AGENT: Final = f"DiscordBot (https://github.com/trainger/trainger, {VERSION})"
DEADLINE_S: Final = 30.0
NOT_READY_S: Final = 10.0
"""How long a webhook or its message may be unknown after a deferral."""
_TIMEOUT: Final = aiohttp.ClientTimeout(total=20.0, connect=5.0)
_ANSWER_MOST: Final = 1 << 20
_TRIES: Final = 5
"""Server errors and broken connections in one call before it is given up."""
_UNKNOWN_MESSAGE: Final = 10008
_UNKNOWN_WEBHOOK: Final = 10015
_EXPIRED_CODES: Final = frozenset({50027, 10062})
_UNAUTHORIZED, _NOT_FOUND, _TIMED_OUT, _LIMITED, _SERVER_ERROR = 401, 404, 408, 429, 500

Reason = Literal["gone", "expired", "refused", "unavailable"]

_log = logging.getLogger(__name__)


class NotDone(Exception):
    """A call came to nothing. The message carries neither a token nor a URL, nor what people wrote.

    Attributes:
        reason: `gone` what it is about is not there; `expired` the interaction's token is no longer valid; `refused`
            Discord does not let us, or takes it for wrong; `unavailable` no answer in time.
        code: Discord's error code; 0 if it gave none.
    """

    def __init__(self, reason: Reason, status: int = 0, code: int = 0) -> None:
        super().__init__(f"Discord: {reason}, status {status}, code {code}")
        self.reason: Reason = reason
        self.code = code


class _Route(NamedTuple):
    """Where a call goes."""

    method: str
    path: str
    """It may hold a token."""
    bot: bool
    """Whether the bot's token is its authority."""
    awaited: frozenset[int] = frozenset()
    """Codes of a 404 that may mean "not yet"."""


class _Setback(Exception):
    """A try that failed."""

    def __init__(
        self, kind: Literal["final", "limited", "broken", "not_ready"], error: NotDone, after: float = 0
    ) -> None:
        super().__init__(str(error))
        self.kind = kind
        self.error = error
        self.after = after


class _Said(msgspec.Struct):
    """What Discord says of a failure."""

    code: int = 0
    retry_after: float = 0.0


class _Created(msgspec.Struct):
    id: str


class Rest:
    """Calls to Discord. Used in one event loop; close it there.

    Args:
        base_url: such as `https://discord.com/api/v10`.
        token: the bot's.
        connector: for the connections; it is closed, too. By default one that trusts what the system trusts.
        not_ready_s: how long a webhook may be unknown.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        connector: aiohttp.BaseConnector | None = None,
        not_ready_s: float = NOT_READY_S,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._token = token
        self._connector = connector
        self._not_ready_s = not_ready_s
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def edit_reply(
        self, application_id: str, token: str, message: Message, *, deadline_s: float = DEADLINE_S
    ) -> None:
        """Replace "thinking…". Needs no bot token. Raises `NotDone`."""
        path = f"/webhooks/{_segment(application_id)}/{_segment(token)}/messages/@original"
        awaited = frozenset({_UNKNOWN_WEBHOOK, _UNKNOWN_MESSAGE})
        await self._call(_Route("PATCH", path, bot=False, awaited=awaited), message.json(), deadline_s)

    async def post(self, channel_id: int, message: Message, *, key: str, deadline_s: float = DEADLINE_S) -> int:
        """Post to a channel; the message's id. Posted again with the same `key` soon, it does not appear twice."""
        nonce = hashlib.blake2b(key.encode(), digest_size=12).hexdigest()  # at most 25 characters
        body = {**message.json(), "nonce": nonce, "enforce_nonce": True}
        content = await self._call(_Route("POST", f"/channels/{channel_id}/messages", bot=True), body, deadline_s)
        try:
            return int(msgspec.json.decode(content, type=_Created).id)
        except (msgspec.DecodeError, ValueError):
            raise NotDone("unavailable") from None

    async def edit(
        self, channel_id: int, message_id: int, message: Message, *, deadline_s: float = DEADLINE_S
    ) -> None:
        """Change a message of ours. Raises `NotDone`."""
        path = f"/channels/{channel_id}/messages/{message_id}"
        await self._call(_Route("PATCH", path, bot=True), message.json(), deadline_s)

    async def _call(self, route: _Route, body: Mapping[str, object], deadline_s: float) -> bytes:
        begun = time.monotonic()
        patience = _Patience(begun + deadline_s, begun + self._not_ready_s)
        retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception(patience.again),
            wait=patience.wait,
            stop=patience.stop,
            sleep=asyncio.sleep,
            reraise=True,
        )
        try:
            async with asyncio.timeout(deadline_s):
                return await retrying(self._try, route, body)
        except _Setback as setback:
            error = setback.error
        except TimeoutError:
            error = NotDone("unavailable")
        raise error  # here, so that nothing of the try hangs on it

    async def _try(self, route: _Route, body: Mapping[str, object]) -> bytes:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=self._connector, timeout=_TIMEOUT, cookie_jar=aiohttp.DummyCookieJar()
            )
        headers = {"User-Agent": USER_AGENT, "Content-Type": "application/json"}
        if route.bot:
            headers["Authorization"] = f"Bot {self._token}"
        # Half a surrogate pair cannot be sent as UTF-8: it becomes a question mark.
        data = json.dumps(body, ensure_ascii=False).encode(errors="replace")
        try:
            async with self._session.request(
                route.method, f"{self._base_url}{route.path}", data=data, headers=headers, allow_redirects=False
            ) as answer:
                content = await answer.content.read(_ANSWER_MOST)
                while not answer.content.at_eof() and len(content) < _ANSWER_MOST:
                    content += await answer.content.read(_ANSWER_MOST)
                if answer.ok and answer.status < 300:  # noqa: PLR2004 - a redirect is no success
                    return content
                setback = _judge(route, answer.status, answer.headers, content)
        except (aiohttp.ClientError, OSError) as error:
            _log.info("Discord did not answer", extra={"method": route.method, **logs.places(error)})
            setback = _Setback("broken", NotDone("unavailable"))
        raise setback


class _Patience:
    """How long one call goes on trying."""

    def __init__(self, until: float, ready_until: float) -> None:
        self._until = until
        self._ready_until = ready_until
        self._left = _TRIES - 1
        self._broken_wait = wait_exponential_jitter(multiplier=0.25, max=4, jitter=0.25)
        self._ready_wait = wait_exponential(multiplier=0.1, max=2)

    def again(self, error: BaseException) -> bool:
        if not isinstance(error, _Setback) or error.kind == "final":
            return False
        if error.kind == "not_ready":
            return time.monotonic() < self._ready_until
        if error.kind == "broken":
            self._left -= 1
            return self._left >= 0
        return True

    def wait(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if not isinstance(error, _Setback):
            return 0.0
        if error.kind == "not_ready":
            return float(self._ready_wait(state))
        if error.kind == "limited":
            return max(error.after, 0.1 * state.attempt_number)  # also where Discord says "at once" again and again
        return max(error.after, float(self._broken_wait(state)))

    def stop(self, state: tenacity.RetryCallState) -> bool:
        return time.monotonic() + state.upcoming_sleep > self._until


def _judge(route: _Route, status: int, headers: Mapping[str, str], content: bytes) -> _Setback:
    """What an answer that is not a success means. Pure."""
    try:
        said = msgspec.json.decode(content, type=_Said)
    except msgspec.DecodeError:
        said = _Said()
    if status == _LIMITED:
        return _Setback("limited", NotDone("unavailable", status, said.code), _after(said.retry_after, headers))
    if status >= _SERVER_ERROR or status == _TIMED_OUT:
        after = _after(0.0, headers) if "Retry-After" in headers else 0.0
        return _Setback("broken", NotDone("unavailable", status, said.code), after)
    if said.code in _EXPIRED_CODES or (status == _UNAUTHORIZED and not route.bot):
        return _Setback("final", NotDone("expired", status, said.code))
    if status == _NOT_FOUND:
        kind: Literal["not_ready", "final"] = "not_ready" if said.code in route.awaited else "final"
        return _Setback(kind, NotDone("gone", status, said.code))
    return _Setback("final", NotDone("refused", status, said.code))


def _after(told: float, headers: Mapping[str, str]) -> float:
    """Seconds to wait: the body's fractional number, else the header's, else one."""
    if math.isfinite(told) and told > 0:
        return told
    try:
        number = float(headers.get("Retry-After", ""))
    except ValueError:
        return 1.0
    return number if math.isfinite(number) and number >= 0 else 1.0


def _segment(value: str) -> str:
    """A part of a path that cannot lead elsewhere. Raises ValueError."""
    if value in {"", ".", ".."}:
        raise ValueError("not a part of a path")
    return quote(value, safe="")
