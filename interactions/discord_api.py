"""Discord's REST API, as far as the product speaks to it.

What is repeated: everything after a 429, a server error, or a connection that failed before the request was sent.
When a request was sent and no answer came, calls that change nothing when repeated (GET, PUT, PATCH, messages with a
nonce, callbacks) are repeated freely, and a follow-up, for which Discord offers no nonce, once: losing a part of an
answer is worse than showing it twice. After a deferral Discord may not know the webhook for some seconds
(discord/discord-api-docs#7220), so "unknown webhook" is asked again for ten seconds. The errors are described in
`interactions.rate_limits`, which decides what an answer means.

Multipart bodies are held in memory: a file is at most Discord's 10 MiB.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import time
from contextlib import ExitStack, suppress
from copy import copy
from http import HTTPStatus
from typing import TYPE_CHECKING, BinaryIO, Final, NamedTuple, TypeVar
from urllib.parse import quote

import msgspec
import requests
import tenacity
from urllib3.exceptions import HTTPError

from interactions.discord_errors import (
    DiscordError,
    DiscordUnavailable,
    Gone,
    MissingToken,
    RateLimited,
    Refused,
    TokenExpired,
)
from interactions.discord_session import never_sent, new_session, unauthorized
from interactions.rate_limits import (
    ALREADY_ACKNOWLEDGED,
    UNKNOWN_MESSAGE,
    UNKNOWN_VOICE_STATE,
    UNKNOWN_WEBHOOK,
    Patience,
    RateLimits,
    Route,
    Setback,
    judge,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Self

    from interactions.rate_limits import Kind

    _Part = tuple[str, tuple[str | None, BinaryIO | bytes, str]]

__all__ = [
    "USER_AGENT",
    "VERSION",
    "DiscordApi",
    "DiscordError",
    "DiscordUnavailable",
    "Gone",
    "MissingToken",
    "OutgoingFile",
    "RateLimited",
    "Refused",
    "TokenExpired",
]

_log = logging.getLogger(__name__)
for _noisy in ("urllib3.connection", "urllib3.connectionpool"):
    logging.getLogger(_noisy).setLevel(logging.ERROR)  # their lines carry whole URLs, and with them tokens

VERSION: Final = "0.1.0"
USER_AGENT: Final = f"DiscordBot (https://github.com/trainger/trainger, {VERSION})"

_MESSAGE_RESPONSES: Final = (4, 7)  # CHANNEL_MESSAGE_WITH_SOURCE, UPDATE_MESSAGE: their data is a message
_CONNECT_S: Final = 5.0


class OutgoingFile(NamedTuple):
    """A file to send."""

    name: str
    content_type: str
    open: Callable[[], BinaryIO]
    """Opens it at its beginning; called anew for each try."""
    description: str | None = None
    size: int | None = None
    """Bytes, if known."""
    duration_secs: float | None = None
    """Of a voice message."""
    waveform: str | None = None
    """Of a voice message: the amplitudes, in base64."""


class DiscordApi:
    """Calls to Discord's REST API. Safe to use from several threads; close it, or use it in a `with` block.

    Each method raises `DiscordError`s. `deadline_s` bounds the waiting for rate limits and between tries, counted
    from the call's beginning; a request gets what is left of it, but at least a second.
    """

    def __init__(
        self,
        base_url: str,
        application_id: str,
        token: str | None = None,
        *,
        session: requests.Session | None = None,
        deadline_s: float = 60.0,
        not_ready_s: float = 10.0,
        read_timeout_s: float = 20.0,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Raise ValueError if the address is not one, or the token has characters that no header can carry."""
        if not re.fullmatch(r"https?://[^\s/?#@]+(?:/[^\s?#]*)?", base_url):
            raise ValueError(f"not the address of an API: {base_url!r}")
        if token is not None and not re.fullmatch(r"[\x21-\x7e]+", token):
            raise ValueError("DISCORD_TOKEN is empty or has characters that cannot be part of a token")
        self._base_url = base_url.rstrip("/")
        self._app = _segment(application_id)
        self._token = token
        self._session = session or new_session()
        self._owns_session = session is None
        self._deadline_s = deadline_s
        self._not_ready_s = not_ready_s
        self._read_timeout_s = read_timeout_s
        self._clock = clock
        self._sleep = sleep
        self._limits = RateLimits()

    def close(self) -> None:
        """Close the connections."""
        if self._owns_session:
            self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def within(self, deadline_s: float) -> DiscordApi:
        """The same, with another deadline; connections and what is known of rate limits are shared."""
        other = copy(self)
        other._deadline_s = deadline_s  # noqa: SLF001 - it is of this very class
        other._owns_session = False  # noqa: SLF001
        return other

    @property
    def has_token(self) -> bool:
        """Whether calls that need the bot token can be made."""
        return self._token is not None

    # --- replies to an interaction: the token in the path is all the authority they need -----------------------

    def respond(self, interaction_id: str, token: str, payload: Mapping[str, object]) -> None:
        """Acknowledge an interaction. If an earlier try got through, that counts as success."""
        data = payload.get("data")
        if payload.get("type") in _MESSAGE_RESPONSES and isinstance(data, dict):
            payload = {**payload, "data": _message(data, ())}
        path = f"/interactions/{_segment(interaction_id)}/{_segment(token)}/callback"
        route = Route("POST", "/interactions/{id}/{token}/callback", path, _digest(token), bot=False)
        self._call(route, payload)

    def edit_original(self, token: str, payload: Mapping[str, object], files: Sequence[OutgoingFile] = ()) -> str:
        """Replace "thinking…", or the first answer; returns the message's id."""
        return self.edit_message(token, "@original", payload, files)

    def edit_message(
        self, token: str, message_id: str, payload: Mapping[str, object], files: Sequence[OutgoingFile] = ()
    ) -> str:
        """Change one of the interaction's messages; returns its id."""
        route = self._webhook("PATCH", token, message_id)
        return _id(self._call(route, _message(payload, files), files))

    def get_original(self, token: str) -> dict[str, object]:
        """The first answer, as Discord has it."""
        return _decoded(self._call(self._webhook("GET", token, "@original")), dict[str, object])

    def delete_original(self, token: str) -> None:
        """Take "thinking…", or the first answer, away."""
        self._call(self._webhook("DELETE", token, "@original"))

    def follow_up(self, token: str, payload: Mapping[str, object], files: Sequence[OutgoingFile] = ()) -> str:
        """Send a further message; returns its id. A lost connection may make it appear twice, but not vanish."""
        route = self._webhook("POST", token)._replace(unknown_tries=1)
        return _id(self._call(route, _message(payload, files), files))

    # --- with the bot token -------------------------------------------------------------------------------------

    def create_message(
        self, channel_id: str, payload: Mapping[str, object], files: Sequence[OutgoingFile] = (), *, key: str
    ) -> str:
        """Post to a channel; returns the message's id.

        Sent again with the same `key` within some minutes, it is not posted a second time: Discord compares the
        nonce that is derived from it.
        """
        nonce = hashlib.blake2b(key.encode(errors="replace"), digest_size=12).hexdigest()  # at most 25 characters
        message = {**_message(payload, files), "nonce": nonce, "enforce_nonce": True}
        route = self._bot("POST", "/channels/{channel}/messages", channel=channel_id)
        return _id(self._call(route, message, files))

    def get_commands(self, guild_id: str | None = None) -> list[dict[str, object]]:
        """The registered commands with all their localisations: the global ones, or a guild's."""
        route = self._commands("GET", guild_id)
        route = route._replace(path=f"{route.path}?with_localizations=true")
        return _decoded(self._call(route), list[dict[str, object]])

    def overwrite_commands(
        self, commands: Sequence[Mapping[str, object]], guild_id: str | None = None
    ) -> list[dict[str, object]]:
        """Replace all commands, of every type, by these; returns them as registered."""
        return _decoded(self._call(self._commands("PUT", guild_id), list(commands)), list[dict[str, object]])

    def get_application(self) -> dict[str, object]:
        """The application that the token belongs to."""
        return _decoded(self._call(self._bot("GET", "/applications/@me")), dict[str, object])

    def get_voice_state(self, guild_id: str, user_id: str) -> dict[str, object] | None:
        """Where a member is in voice, or None if nowhere."""
        try:
            answer = self._call(self._bot("GET", "/guilds/{guild}/voice-states/{user}", guild=guild_id, user=user_id))
        except DiscordError as error:
            if error.code == UNKNOWN_VOICE_STATE:
                return None
            raise
        return _decoded(answer, dict[str, object])

    # --- routes -------------------------------------------------------------------------------------------------

    def _webhook(self, method: str, token: str, message_id: str = "") -> Route:
        awaited = {UNKNOWN_WEBHOOK}
        template, path = "/webhooks/{app}/{token}", f"/webhooks/{self._app}/{_segment(token)}"
        if message_id == "@original":
            awaited.add(UNKNOWN_MESSAGE)
            template, path = f"{template}/messages/@original", f"{path}/messages/@original"
        elif message_id:
            template, path = f"{template}/messages/{{id}}", f"{path}/messages/{_segment(message_id)}"
        return Route(method, template, path, _digest(token), bot=False, awaited=frozenset(awaited))

    def _commands(self, method: str, guild_id: str | None) -> Route:
        if guild_id is None:
            return self._bot(method, "/applications/{app}/commands", app=self._app)
        return self._bot(method, "/applications/{app}/guilds/{guild}/commands", app=self._app, guild=guild_id)

    def _bot(self, method: str, template: str, **ids: str) -> Route:
        path = template.format(**{name: _segment(value) for name, value in ids.items()})
        return Route(method, template, path, ids.get("channel") or ids.get("guild") or "", bot=True)

    # --- sending ------------------------------------------------------------------------------------------------

    def _call(self, route: Route, payload: object = None, files: Sequence[OutgoingFile] = ()) -> bytes:
        """Send until there is an answer or no sense in going on; returns the answer's body."""
        if route.bot and self._token is None:
            raise MissingToken
        body = None
        if payload is not None:
            # Half a surrogate pair cannot be sent as UTF-8: it becomes a question mark.
            body = json.dumps(msgspec.to_builtins(payload), ensure_ascii=False).encode(errors="replace")
        patience = Patience(route, self._clock, deadline_s=self._deadline_s, not_ready_s=self._not_ready_s)
        retrying = tenacity.Retrying(
            retry=tenacity.retry_if_exception(patience.again),
            wait=patience.wait,
            stop=patience.stop,
            sleep=self._sleep,
            before_sleep=lambda state: _log_repeat(route, state),
            reraise=True,
        )
        try:
            return retrying(self._try, route, body, files, patience.until)
        except Setback as setback:
            error = setback.error
        if error.code == ALREADY_ACKNOWLEDGED and patience.perhaps_done:
            return b""
        raise error  # here, so that nothing of the try (its URL, its headers) hangs on it

    def _try(self, route: Route, body: bytes | None, files: Sequence[OutgoingFile], until: float) -> bytes:
        while (wait := self._limits.reserve(route, now=self._clock())) > 0:
            if self._clock() + wait > until:
                raise Setback(RateLimited(None, None, wait), "final")
            self._sleep(wait)
        with ExitStack() as stack:
            parts: list[_Part] = [
                (f"files[{at}]", (file.name, stack.enter_context(file.open()), _media_type(file.content_type)))
                for at, file in enumerate(files)
            ]
            answer = self._exchange(route, body, parts, max(1.0, until - self._clock()))
        if isinstance(answer, Setback):
            raise answer
        self._limits.observe(route, answer.headers, now=self._clock())
        if HTTPStatus.OK <= answer.status_code < HTTPStatus.MULTIPLE_CHOICES:
            return answer.content
        setback = judge(route, answer.status_code, answer.headers, answer.content)
        if setback.kind == "limited":
            self._limits.refused(route, setback, now=self._clock())
        raise setback

    def _exchange(
        self, route: Route, body: bytes | None, parts: Sequence[_Part], left_s: float
    ) -> requests.Response | Setback:
        """One request. Failures are returned: raised here, they would carry those of `requests`, which show URLs."""
        headers = {"User-Agent": USER_AGENT}
        fields: list[_Part] | None = None
        if body is not None and parts:
            fields = [("payload_json", (None, body, "application/json")), *parts]
        elif body is not None:
            headers["Content-Type"] = "application/json"
        try:
            return self._session.request(
                route.method,
                f"{self._base_url}{route.path}",
                data=None if fields else body,
                files=fields,
                headers=headers,
                auth=self._authorize if route.bot else unauthorized,
                timeout=(min(_CONNECT_S, left_s), min(self._read_timeout_s, left_s)),
                allow_redirects=False,
            )
        except (requests.RequestException, HTTPError) as error:
            kind: Kind = "broken" if never_sent(error) else "unknown"
            return Setback(DiscordUnavailable(detail=type(error).__name__), kind)

    def _authorize(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bot {self._token}"
        return request


_T = TypeVar("_T")


class _Created(msgspec.Struct):
    id: str


def _id(content: bytes) -> str:
    return _decoded(content, _Created).id


def _decoded(content: bytes, kind: type[_T]) -> _T:
    with suppress(msgspec.DecodeError):
        return msgspec.json.decode(content, type=kind)
    raise DiscordUnavailable(detail="the answer is not what was expected")


def _message(payload: Mapping[str, object], files: Sequence[OutgoingFile]) -> dict[str, object]:
    """The payload with nobody pinged unless it says so, and with the files described."""
    message: dict[str, object] = {"allowed_mentions": {"parse": []}, **payload}
    if files:
        kept = payload.get("attachments")
        described: list[object] = [*kept] if isinstance(kept, list | tuple) else []
        for at, file in enumerate(files):
            known = {
                "description": file.description or None,
                "duration_secs": file.duration_secs,
                "waveform": file.waveform,
            }
            extra = {name: value for name, value in known.items() if value is not None}
            described.append({"id": str(at), "filename": file.name, **extra})
        message["attachments"] = described
    return message


def _media_type(text: str) -> str:
    """The type, or the general one if it could break out of its header line."""
    return text if re.fullmatch(r"[\w.+-]+/[\w.+-]+(?:; ?[\w-]+=[\w.+-]+)*", text) else "application/octet-stream"


def _segment(value: str) -> str:
    """A value as one part of a path, unable to leave its place."""
    if not value.strip("."):
        raise ValueError("an id or token is empty or a path of its own")
    return quote(value, safe="@", errors="replace")


def _digest(token: str) -> str:
    return hashlib.blake2b(token.encode(errors="replace"), digest_size=12).hexdigest()


def _log_repeat(route: Route, state: tenacity.RetryCallState) -> None:
    fields: dict[str, object] = {"method": route.method, "route": route.template, "tries": state.attempt_number}
    if state.outcome and isinstance(setback := state.outcome.exception(), Setback):
        fields |= {"status": setback.error.status, "code": setback.error.code}
    _log.warning("discord call repeated", extra={**fields, "wait_s": round(state.upcoming_sleep, 3)})
