"""What an answer of Discord means for the call: its error, its rate limits, and when to try again. Pure.

Rate limits: each response names the bucket that its request counted against, how many requests are left in it and
when it fills up again; nothing is known beforehand, and nothing is hard-coded. A bucket is shared by the routes that
name the same hash, and is kept apart by the "major" part of the path: the channel, the guild, or the webhook with its
token. Source: Discord's documentation, topics/rate-limits.
"""

from __future__ import annotations

import math
import threading
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

import msgspec
from tenacity.wait import wait_exponential, wait_exponential_jitter

from interactions.discord_errors import DiscordError, DiscordUnavailable, Gone, RateLimited, Refused, TokenExpired

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tenacity import RetryCallState

UNKNOWN_WEBHOOK: Final = 10015
UNKNOWN_MESSAGE: Final = 10008
UNKNOWN_VOICE_STATE: Final = 10065
ALREADY_ACKNOWLEDGED: Final = 40060
_UNKNOWN_INTERACTION: Final = 10062
_INVALID_WEBHOOK_TOKEN: Final = 50027

_DEFAULT_RETRY_S: Final = 1.0
"""Waited after a 429 that does not say how long."""

_SAME_WINDOW_S: Final = 0.5
"""Two reset times closer than this belong to one window; the difference is the time that responses travel."""

_TRIES: Final = 5
"""Server errors and broken connections in one call before it is given up."""

_MANY_BUCKETS: Final = 1000
"""Past this, buckets that are full again are forgotten: each interaction brings a webhook of its own."""


class Route(NamedTuple):
    """Where a call goes, and how it may be repeated."""

    method: str
    template: str
    """The path with its parameters left out: it may be logged."""
    path: str
    """The path with its parameters, tokens too: it may not."""
    major: str
    """What has a limit of its own: the channel, the guild, or a digest of the webhook's token; else empty."""
    bot: bool
    """The bot token is its authority, and the bot's global limit counts it; neither is so for webhooks."""
    unknown_tries: int = 100
    """How often it may be sent again when it is unknown whether it had its effect."""
    awaited: frozenset[int] = frozenset()
    """Codes of a 404 that may mean "not yet"."""


class _Bucket(NamedTuple):
    remaining: int
    reset_at: float


class RateLimits:
    """What is known of the limits. Safe to use from several threads; `now` is any steady clock, in seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hashes: dict[tuple[str, str], str] = {}
        self._buckets: dict[tuple[str, str], _Bucket] = {}
        self._global_until = -math.inf

    def reserve(self, route: Route, *, now: float) -> float:
        """Take the right to send one request: 0, or the seconds to wait before asking again."""
        with self._lock:
            if route.bot and self._global_until > now:
                return self._global_until - now
            key = self._key(route)
            bucket = self._buckets.get(key)
            if bucket is None:
                return 0.0
            if bucket.reset_at <= now:
                del self._buckets[key]
                return 0.0
            if bucket.remaining <= 0:
                return bucket.reset_at - now
            self._buckets[key] = bucket._replace(remaining=bucket.remaining - 1)
            return 0.0

    def observe(self, route: Route, headers: Mapping[str, str], *, now: float) -> None:
        """Learn from the headers of any response."""
        remaining = _number(headers.get("X-RateLimit-Remaining"))
        reset_after = _number(headers.get("X-RateLimit-Reset-After"))
        with self._lock:
            if bucket_hash := headers.get("X-RateLimit-Bucket"):
                self._hashes[route.method, route.template] = bucket_hash
            if remaining is None or reset_after is None:
                return
            self._put(self._key(route), _Bucket(int(remaining), now + reset_after), now)

    def refused(self, route: Route, setback: Setback, *, now: float) -> None:
        """Learn from a 429: nothing more on this route, or for the whole bot, for so many seconds."""
        with self._lock:
            if setback.everywhere and route.bot:
                self._global_until = max(self._global_until, now + setback.after)
            else:
                self._buckets[self._key(route)] = _Bucket(0, now + setback.after)

    def _key(self, route: Route) -> tuple[str, str]:
        known = self._hashes.get((route.method, route.template))
        return known or f"{route.method} {route.template}", route.major

    def _put(self, key: tuple[str, str], seen: _Bucket, now: float) -> None:
        known = self._buckets.get(key)
        if known and known.reset_at > now and seen.reset_at - known.reset_at < _SAME_WINDOW_S:
            # Requests on their way were taken off already; responses may overtake each other.
            seen = _Bucket(min(known.remaining, seen.remaining), max(known.reset_at, seen.reset_at))
        if len(self._buckets) >= _MANY_BUCKETS:
            self._buckets = {name: bucket for name, bucket in self._buckets.items() if bucket.reset_at > now}
        self._buckets[key] = seen


def retry_after(headers: Mapping[str, str], body: float | None) -> float:
    """How long a 429 (or a 503) asks to wait, in seconds: the body's fractional number, else the header's."""
    if body is not None and math.isfinite(body) and body >= 0:
        return body
    told = _number(headers.get("Retry-After"))
    return _DEFAULT_RETRY_S if told is None else told


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


Kind = Literal["final", "limited", "broken", "unknown", "not_ready"]


class Setback(Exception):
    """A try that failed.

    Attributes:
        error: what the caller gets if it was the last one.
        kind: `final` repeating changes nothing; `limited` too many requests; `broken` a server error, or the request
            was never sent; `unknown` it was sent and no answer came; `not_ready` Discord does not know the thing yet.
        after: the least wait before the next try, in seconds.
        everywhere: for `limited`, whether the whole bot is meant.
    """

    def __init__(self, error: DiscordError, kind: Kind, after: float = 0.0, *, everywhere: bool = False) -> None:
        super().__init__(str(error))
        self.error = error
        self.kind = kind
        self.after = after
        self.everywhere = everywhere


class _ErrorBody(msgspec.Struct):
    """An answer that is not a success."""

    code: int = 0
    errors: Any = None
    retry_after: float | None = None
    everywhere: bool = msgspec.field(default=False, name="global")


def judge(route: Route, status: int, headers: Mapping[str, str], content: bytes) -> Setback:
    """What an answer that is not a success means."""
    said = _error_body(content)
    code = said.code or None
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        after = retry_after(headers, said.retry_after)
        everywhere = said.everywhere or headers.get("X-RateLimit-Global", "").lower() == "true"
        return Setback(RateLimited(status, code, after), "limited", after, everywhere=everywhere)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        after = retry_after(headers, None) if "Retry-After" in headers else 0.0
        return Setback(DiscordUnavailable(status, code), "broken", after)
    no_token = status == HTTPStatus.UNAUTHORIZED and not route.bot
    if no_token or code in (_INVALID_WEBHOOK_TOKEN, _UNKNOWN_INTERACTION):
        return Setback(TokenExpired(status, code), "final")
    if status == HTTPStatus.NOT_FOUND:
        return Setback(Gone(status, code), "not_ready" if code in route.awaited else "final")
    return Setback(Refused(status, code, _paths(said.errors)), "final")


def _error_body(content: bytes) -> _ErrorBody:
    try:
        return msgspec.json.decode(content, type=_ErrorBody)
    except msgspec.DecodeError:
        return _ErrorBody()


def _paths(errors: object, at: str = "") -> list[str]:
    """Where form errors are and which check failed, without the messages, which may repeat what people wrote."""
    found: list[str] = []
    for name, inner in errors.items() if isinstance(errors, dict) else ():
        if name == "_errors" and isinstance(inner, list):
            found += [f"{at} {entry.get('code')}".lstrip() for entry in inner if isinstance(entry, dict)]
        else:
            found += _paths(inner, f"{at}.{name}".lstrip("."))
    return found


class Patience:
    """How long one call goes on trying; its methods are what `tenacity.Retrying` takes.

    Args:
        route: where the call goes.
        clock: a steady clock, in seconds.
        deadline_s: no wait ends later than this after the beginning.
        not_ready_s: how long `not_ready` is asked again, counted from the beginning.
    """

    def __init__(self, route: Route, clock: Callable[[], float], *, deadline_s: float, not_ready_s: float) -> None:
        self._clock = clock
        self._unknown_left = route.unknown_tries
        self._broken_left = _TRIES - 1
        self._broken_wait = wait_exponential_jitter(multiplier=0.5, max=8, jitter=0.5)
        self._ready_wait = wait_exponential(multiplier=0.25, max=2)
        self.until = clock() + deadline_s
        self._ready_until = clock() + not_ready_s
        self.perhaps_done = False
        """Whether a try that failed may have had its effect all the same."""

    def again(self, error: BaseException) -> bool:
        """Whether another try is due, by what happened."""
        if not isinstance(error, Setback) or error.kind == "final":
            return False
        if error.kind == "not_ready":
            return self._clock() < self._ready_until
        if error.kind in ("broken", "unknown"):
            self.perhaps_done |= error.kind == "unknown" or error.error.status is not None
            self._broken_left -= 1
            self._unknown_left -= error.kind == "unknown"
            return self._broken_left >= 0 and self._unknown_left >= 0
        return True

    def wait(self, state: RetryCallState) -> float:
        """Seconds until that try."""
        error = state.outcome.exception() if state.outcome else None
        if not isinstance(error, Setback):
            return 0.0
        if error.kind == "not_ready":
            return min(self._ready_wait(state), max(0.0, self._ready_until - self._clock()))
        if error.kind == "limited":
            return max(error.after, 0.1 * state.attempt_number)  # also where Discord says "at once" again and again
        return max(error.after, self._broken_wait(state))

    def stop(self, state: RetryCallState) -> bool:
        """Whether that wait would end past the deadline."""
        return self._clock() + state.upcoming_sleep > self.until
