"""The application, its commands, and the server it is in, for the bot with its token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from flask import Blueprint, request

from playground.errors import DiscordError, missing_access, unknown_guild, unknown_voice_state
from playground.http_answers import answer, nothing, received
from playground.http_authorization import require_bot

if TYPE_CHECKING:
    from werkzeug.wrappers import Response

    from playground.server import Playground
    from playground.world import World

_ALL: Final = "/applications/<application_id>/commands"
_GUILD: Final = "/applications/<application_id>/guilds/<guild_id>/commands"
_SESSION_STARTS: Final = {"total": 1000, "remaining": 1000, "reset_after": 0, "max_concurrency": 1}


def applications(playground: Playground) -> Blueprint:
    """The routes."""
    routes = Blueprint("applications", __name__)
    routes.before_request(lambda: require_bot(playground.identity.bot_token))
    _commands(routes, playground)
    world = playground.desk.world

    @routes.get("/applications/@me")
    @routes.get("/oauth2/applications/@me")
    def application() -> Response:
        return answer(_application(playground))

    @routes.get("/users/@me")
    def me() -> Response:
        return answer(world.bot.json())

    @routes.get("/gateway/bot")
    def gateway() -> Response:
        return answer({"url": playground.gateway_url, "shards": 1, "session_start_limit": _SESSION_STARTS})

    @routes.get("/guilds/<guild_id>")
    def guild(guild_id: str) -> Response:
        _check_guild(world, guild_id)
        return answer(_guild(world))

    @routes.get("/guilds/<guild_id>/voice-states/<user_id>")
    def voice_state(guild_id: str, user_id: str) -> Response:
        _check_guild(world, guild_id)
        return answer(_voice_state(world, world.bot.id if user_id == "@me" else user_id))

    return routes


def _commands(routes: Blueprint, playground: Playground) -> None:
    commands = playground.desk.commands

    def scope(application_id: str, guild_id: str | None) -> str | None:
        if application_id != playground.identity.application_id:
            raise DiscordError(404, 10002, "Unknown Application")
        if guild_id is not None:
            _check_guild(playground.desk.world, guild_id)
        return guild_id

    @routes.get(_ALL)
    @routes.get(_GUILD)
    def listed(application_id: str, guild_id: str | None = None) -> Response:
        wanted = request.args.get("with_localizations", "").lower() in {"true", "1"}
        return answer(commands.all(scope(application_id, guild_id), localizations=wanted))

    @routes.put(_ALL)
    @routes.put(_GUILD)
    def overwrite(application_id: str, guild_id: str | None = None) -> Response:
        return answer(commands.overwrite(scope(application_id, guild_id), received().json))

    @routes.post(_ALL)
    @routes.post(_GUILD)
    def upsert(application_id: str, guild_id: str | None = None) -> Response:
        command, created = commands.upsert(scope(application_id, guild_id), received().json)
        return answer(command, 201 if created else 200)

    @routes.get(f"{_ALL}/<command_id>")
    @routes.get(f"{_GUILD}/<command_id>")
    def get(application_id: str, command_id: str, guild_id: str | None = None) -> Response:
        return answer(commands.get(scope(application_id, guild_id), command_id))

    @routes.delete(f"{_ALL}/<command_id>")
    @routes.delete(f"{_GUILD}/<command_id>")
    def delete(application_id: str, command_id: str, guild_id: str | None = None) -> Response:
        commands.delete(scope(application_id, guild_id), command_id)
        return nothing()


def _check_guild(world: World, guild_id: str) -> None:
    if guild_id == world.foreign_guild.id:
        raise missing_access()
    if guild_id != world.guild.id:
        raise unknown_guild()


def _application(playground: Playground) -> dict[str, Any]:
    bot = playground.desk.world.bot
    return {
        "id": bot.id,
        "name": bot.name,
        "description": "",
        "icon": None,
        "type": None,
        "bot": bot.json(),
        "bot_public": True,
        "bot_require_code_grant": False,
        "verify_key": playground.identity.public_key,
        "flags": 0,
        "hook": True,
        "summary": "",
        "interactions_endpoint_url": playground.interactions_url,
        "integration_types_config": {"0": {}, "1": {}},
        "owner": playground.desk.world.owner.json(),
    }


def _guild(world: World) -> dict[str, Any]:
    guild = world.guild
    return {
        "id": guild.id,
        "name": guild.name,
        "icon": None,
        "owner_id": guild.owner.id,
        "preferred_locale": "en-US",
        "features": [],
        "premium_tier": 0,
        "roles": [role.json() for role in guild.roles.values()],
        "emojis": [],
        "stickers": [],
    }


def _voice_state(world: World, user_id: str) -> dict[str, Any]:
    channel, user = world.voice_channel_of(user_id), world.user_by_id(user_id)
    if channel is None or user is None:
        raise unknown_voice_state()
    return {
        "channel_id": channel.id,
        "guild_id": world.guild.id,
        "user_id": user.id,
        "member": world.member(user, world.guild, manager=False),
        "session_id": "0" * 32,
        "deaf": False,
        "mute": False,
        "self_deaf": False,
        "self_mute": False,
        "self_video": False,
        "self_stream": False,
        "suppress": False,
        "request_to_speak_timestamp": None,
    }
