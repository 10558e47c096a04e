"""Discord's REST API, as far as a voice bot needs it. What it wrote is kept."""

from __future__ import annotations

import json
import re
import time
from typing import TYPE_CHECKING, Any, NamedTuple

from aiohttp import web

from tests.voice.discord import payloads, permissions
from tests.voice.discord.channels import Channel, VoiceChannel

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.voice.discord.emulator import Discord

PREFIX = "/api/v10"


class Message(NamedTuple):
    """A message that the bot wrote into a channel."""

    at: float
    id: int
    channel_id: int
    content: str
    body: dict[str, Any]
    files: tuple[str, ...]
    """Names of attachments."""


class Edited(NamedTuple):
    """A reply to an interaction, or a change of one."""

    at: float
    method: str
    token: str
    """Of the interaction."""
    content: str
    body: dict[str, Any]
    files: tuple[str, ...]


class Request(NamedTuple):
    """Any request, with its answer."""

    method: str
    path: str
    body: dict[str, Any] | None
    files: tuple[str, ...]
    status: int
    answer: Any


class Fault(NamedTuple):
    """An answer that a request gets instead of its own."""

    method: str
    path: str
    """A regular expression for the whole path."""
    status: int
    body: dict[str, Any]


class Answer(Exception):  # it is no error: a way out of the middle
    def __init__(self, status: int, body: object = None) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


def _refusal(status: int, code: int, message: str) -> Answer:
    return Answer(status, {"code": code, "message": message})


class Rest:
    """One application.

    Attributes:
        faults: Each is used once, by the first request that it fits.
    """

    def __init__(self, discord: Discord) -> None:
        self.discord = discord
        self.messages: list[Message] = []
        self.edits: list[Edited] = []
        self.requests: list[Request] = []
        self.faults: list[Fault] = []
        self.voice_statuses: dict[int, str | None] = {}
        self._routes: list[tuple[str, re.Pattern[str], Callable[..., object]]] = []
        for method, path, handler in (
            ("GET", "/gateway/bot", self._gateway_bot),
            ("GET", "/users/@me", self._own_user),
            ("GET", "/applications/@me", self._application),
            ("GET", "/oauth2/applications/@me", self._application),
            ("GET", "/guilds/(?P<guild>\\d+)", self._guild),
            ("GET", "/guilds/(?P<guild>\\d+)/voice-states/(?P<user>\\d+|@me)", self._voice_state),
            ("PATCH", "/guilds/(?P<guild>\\d+)/voice-states/@me", self._change_voice_state),
            ("GET", "/guilds/(?P<guild>\\d+)/members/(?P<user>\\d+)", self._member),
            ("GET", "/channels/(?P<channel>\\d+)", self._channel),
            ("PUT", "/channels/(?P<channel>\\d+)/voice-status", self._voice_status),
            ("POST", "/channels/(?P<channel>\\d+)/messages", self._message),
            ("PATCH", "/channels/(?P<channel>\\d+)/messages/(?P<message>\\d+)", self._message_edit),
            ("DELETE", "/channels/(?P<channel>\\d+)/messages/(?P<message>\\d+)", self._message_delete),
        ):
            self._routes.append((method, re.compile(path), handler))
        self._webhook = re.compile(r"/webhooks/(?P<application>\d+)/(?P<token>[^/]+)(/messages/(?P<message>[^/]+))?")

    async def request(self, request: web.Request) -> web.Response:
        path = request.path.removeprefix(PREFIX)
        body, files = await _read(request)
        try:
            answer = self._answer(request, path, body, files)
            status = 200 if answer is not None else 204
        except Answer as other:
            answer, status = other.body, other.status
        self.requests.append(Request(request.method, path, body, files, status, answer))
        if answer is None:
            return web.Response(status=status)
        # Clients compare the type as a whole.
        return web.Response(status=status, body=json.dumps(answer), headers={"Content-Type": "application/json"})

    def _answer(self, request: web.Request, path: str, body: dict[str, Any] | None, files: tuple[str, ...]) -> object:
        if not request.headers.get("User-Agent", "").startswith("DiscordBot ("):
            self.discord.complain(f"REST: {request.method} {path} has a User-Agent that Cloudflare may block")
        for fault in self.faults:
            if fault.method == request.method and re.fullmatch(fault.path, path):
                self.faults.remove(fault)
                raise Answer(fault.status, fault.body)
        found = self._webhook.fullmatch(path)
        if found:
            return self._webhooks(request.method, found, body, files)
        if request.headers.get("Authorization") != f"Bot {self.discord.token}":
            raise _refusal(401, 0, "401: Unauthorized")
        for method, pattern, handler in self._routes:
            found = pattern.fullmatch(path)
            if method == request.method and found:
                if method in ("GET", "DELETE"):
                    return handler(**found.groupdict())
                if handler == self._message:
                    return self._message(found["channel"], body or {}, files)
                return handler(**found.groupdict(), body=body or {})
        self.discord.complain(f"REST: there is no {request.method} {path}")
        raise _refusal(404, 0, "404: Not Found")

    def _gateway_bot(self) -> object:
        limit = {"total": 1000, "remaining": 999, "reset_after": 14_400_000, "max_concurrency": 1}
        return {"url": self.discord.gateway_url, "shards": 1, "session_start_limit": limit}

    def _own_user(self) -> object:
        return payloads.own_user(self.discord.bot_id, self.discord.bot_name)

    def _application(self) -> object:
        return payloads.application(self.discord.bot_id, self.discord.bot_name)

    def _guild(self, guild: str) -> object:
        found = self.discord.guilds.get(int(guild))
        if found is None:
            raise _refusal(404, 10004, "Unknown Guild")
        left_out = ("voice_states", "members", "channels", "threads", "presences", "stage_instances")
        return {name: value for name, value in payloads.guild_create(found).items() if name not in left_out}

    def _member(self, guild: str, user: str) -> object:
        found = self.discord.guilds.get(int(guild))
        if found is None:
            raise _refusal(404, 10004, "Unknown Guild")
        if int(user) not in found.humans and int(user) != self.discord.bot_id:
            raise _refusal(404, 10007, "Unknown Member")
        return payloads.member(found, int(user))

    def _voice_state(self, guild: str, user: str) -> object:
        found = self.discord.guilds.get(int(guild))
        if found is None:
            raise _refusal(404, 10004, "Unknown Guild")
        state = found.voice_states.get(self.discord.bot_id if user == "@me" else int(user))
        if state is None:
            raise _refusal(404, 10065, "Unknown Voice State")
        if not found.channel_of(state).permissions() & permissions.CONNECT:
            raise _refusal(403, 50001, "Missing Access")
        return payloads.voice_state(found, state)

    def _change_voice_state(self, guild: str, body: dict[str, Any]) -> None:
        found = self.discord.guilds.get(int(guild))
        state = found.bot_state if found else None
        if found is None or state is None:
            raise _refusal(404, 10065, "Unknown Voice State")
        channel = found.channel_of(state)
        if not channel.stage or body.get("channel_id", str(channel.id)) != str(channel.id):
            raise _refusal(400, 50035, "Invalid Form Body")
        if body.get("suppress") is False and not channel.permissions() & permissions.MUTE_MEMBERS:
            raise _refusal(403, 50013, "Missing Permissions")
        if "suppress" in body:
            found.change_voice_state(state.user_id, suppress=bool(body["suppress"]))

    def _seen(self, channel: str, needed: int = 0) -> Channel:
        found = self.discord.channels.get(int(channel))
        if found is None:
            raise _refusal(404, 10003, "Unknown Channel")
        allowed = found.permissions()
        if not allowed & permissions.VIEW_CHANNEL:
            raise _refusal(403, 50001, "Missing Access")
        if allowed & needed != needed:
            raise _refusal(403, 50013, "Missing Permissions")
        return found

    def _channel(self, channel: str) -> object:
        found = self._seen(channel)
        return found.payload() | {"guild_id": str(found.guild.id)}

    def _voice_status(self, channel: str, body: dict[str, Any]) -> None:
        if not isinstance(self._seen(channel), VoiceChannel):
            raise _refusal(400, 50024, "Cannot execute action on this channel type")
        self.voice_statuses[int(channel)] = body.get("status")

    def _message(self, channel: str, body: dict[str, Any], files: tuple[str, ...]) -> object:
        self._seen(channel, permissions.SEND_MESSAGES | (permissions.ATTACH_FILES if files else 0))
        return self._kept(int(channel), body, files)

    def _kept(self, channel_id: int, body: dict[str, Any], files: tuple[str, ...]) -> object:
        _check_message(body, files)
        number = self.discord.new_id()
        self.messages.append(Message(time.monotonic(), number, channel_id, body.get("content") or "", body, files))
        return self._made(number, channel_id, body)

    def _made(self, number: int, channel_id: int, body: dict[str, Any]) -> object:
        author = payloads.user(self.discord.bot_id, self.discord.bot_name, bot=True)
        return payloads.message(number, channel_id, author, body)

    def _known(self, channel: str, message: str) -> int:
        for index, one in enumerate(self.messages):
            if (one.channel_id, one.id) == (int(channel), int(message)):
                return index
        raise _refusal(404, 10008, "Unknown Message")

    def _message_edit(self, channel: str, message: str, body: dict[str, Any]) -> object:
        old = self.messages[self._known(channel, message)]
        content = body.get("content", old.content) or ""
        self.messages[self._known(channel, message)] = old._replace(content=content, body=old.body | body)
        return self._made(old.id, old.channel_id, old.body | body)

    def _message_delete(self, channel: str, message: str) -> None:
        del self.messages[self._known(channel, message)]

    def _webhooks(
        self, method: str, found: re.Match[str], body: dict[str, Any] | None, files: tuple[str, ...]
    ) -> object:
        if int(found["application"]) != self.discord.bot_id:
            raise _refusal(404, 10015, "Unknown Webhook")
        body = body or {}
        if method in ("POST", "PATCH"):
            _check_message(body, files, may_be_empty=method == "PATCH")
        elif method not in ("GET", "DELETE"):
            raise _refusal(405, 0, "405: Method Not Allowed")
        edit = Edited(time.monotonic(), method, found["token"], body.get("content") or "", body, files)
        if method != "GET":
            self.edits.append(edit)
        return None if method == "DELETE" else self._made(self.discord.new_id(), 1, body)


def _check_message(body: dict[str, Any], files: tuple[str, ...], *, may_be_empty: bool = False) -> None:
    content = body.get("content") or ""
    if len(content) > 2000:
        raise _refusal(400, 50035, "Invalid Form Body")
    if not may_be_empty and not (content or files or body.get("embeds") or body.get("components")):
        raise _refusal(400, 50006, "Cannot send an empty message")


async def _read(request: web.Request) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
    """The JSON of a request, and the names of its files."""
    if request.content_type == "application/json":
        read: dict[str, Any] = await request.json()
        return read, ()
    if not request.content_type.startswith("multipart/"):
        return None, ()
    form = await request.post()
    files = tuple(part.filename for part in form.values() if isinstance(part, web.FileField))
    payload = form.get("payload_json")
    return (json.loads(payload) if isinstance(payload, str) else {}), files
