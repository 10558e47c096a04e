"""What Discord sends about users, servers and messages, in JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.voice.discord.channels import VoiceState
    from tests.voice.discord.guild import Guild

JOINED_AT = "2026-01-02T03:04:05.000000+00:00"


def user(user_id: int, name: str, *, bot: bool = False) -> dict[str, Any]:
    return {
        "id": str(user_id),
        "username": name.lower(),
        "discriminator": "0",
        "global_name": name,
        "avatar": None,
        "bot": bot,
        "system": False,
        "public_flags": 0,
        "flags": 0,
        "avatar_decoration_data": None,
        "banner": None,
        "accent_color": None,
        "primary_guild": None,
        "clan": None,
        "collectibles": None,
        "display_name_styles": None,
    }


def own_user(user_id: int, name: str) -> dict[str, Any]:
    more = {"mfa_enabled": True, "verified": True, "email": None, "locale": "en-US", "premium_type": 0}
    return user(user_id, name, bot=True) | more


def member(guild: Guild, user_id: int) -> dict[str, Any]:
    own = user_id == guild.discord.bot_id
    name = guild.discord.bot_name if own else guild.humans[user_id].name
    return {
        "user": user(user_id, name, bot=own),
        "nick": guild.bot_nick if own else None,
        "avatar": None,
        "banner": None,
        "roles": [str(guild.role_id)] if own else [],
        "joined_at": JOINED_AT,
        "premium_since": None,
        "deaf": False,
        "mute": False,
        "pending": False,
        "flags": 0,
        "communication_disabled_until": None,
        "collectibles": None,
        "display_name_styles": None,
        "avatar_decoration_data": None,
    }


def role(role_id: int, name: str, permissions: int, *, position: int) -> dict[str, Any]:
    return {
        "id": str(role_id),
        "name": name,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "icon": None,
        "unicode_emoji": None,
        "position": position,
        "permissions": str(permissions),
        "managed": position > 0,
        "mentionable": False,
        "flags": 0,
        "description": None,
    }


def voice_state(guild: Guild, state: VoiceState, *, with_member: bool = True) -> dict[str, Any]:
    payload: dict[str, Any] = {
        "guild_id": str(guild.id),
        "channel_id": None if state.channel_id is None else str(state.channel_id),
        "user_id": str(state.user_id),
        "session_id": state.session_id,
        "deaf": state.deaf,
        "mute": state.mute,
        "self_deaf": state.self_deaf,
        "self_mute": state.self_mute,
        "self_stream": False,
        "self_video": False,
        "suppress": state.suppress,
        "request_to_speak_timestamp": None,
    }
    if with_member:
        payload["member"] = member(guild, state.user_id)
    return payload


def guild_create(guild: Guild) -> dict[str, Any]:
    """GUILD_CREATE: without the members intent it has the bot's own member and those in voice channels."""
    states = [state for state in guild.voice_states.values() if state.channel_id is not None]
    members = {guild.discord.bot_id, *(state.user_id for state in states)}
    return {
        "id": str(guild.id),
        "name": guild.name,
        "icon": None,
        "splash": None,
        "discovery_splash": None,
        "banner": None,
        "description": None,
        "home_header": None,
        "owner_id": str(guild.owner_id),
        "region": "deprecated",
        "afk_channel_id": None,
        "afk_timeout": 300,
        "verification_level": 0,
        "default_message_notifications": 0,
        "explicit_content_filter": 0,
        "mfa_level": 0,
        "nsfw": False,
        "nsfw_level": 0,
        "application_id": None,
        "system_channel_id": None,
        "system_channel_flags": 0,
        "rules_channel_id": None,
        "public_updates_channel_id": None,
        "safety_alerts_channel_id": None,
        "vanity_url_code": None,
        "premium_tier": 0,
        "premium_subscription_count": 0,
        "premium_progress_bar_enabled": False,
        "preferred_locale": guild.locale,
        "features": [],
        "emojis": [],
        "stickers": [],
        "roles": [
            role(guild.id, "@everyone", 0, position=0),
            role(guild.role_id, guild.discord.bot_name, guild.bot_permissions, position=1),
        ],
        "joined_at": JOINED_AT,
        "large": False,
        "unavailable": False,
        "member_count": 1 + len(guild.humans),
        "max_members": 500_000,
        "max_presences": None,
        "max_video_channel_users": 25,
        "max_stage_video_channel_users": 50,
        "voice_states": [voice_state(guild, state, with_member=False) for state in states],
        "members": [member(guild, user_id) for user_id in members],
        "channels": [channel.payload() for channel in guild.channels.values()],
        "threads": [],
        "presences": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
        "incidents_data": None,
        "widget_enabled": False,
        "widget_channel_id": None,
    }


def message(message_id: int, channel_id: int, author: dict[str, Any], sent: dict[str, Any]) -> dict[str, Any]:
    """The message that Discord makes of what was sent."""
    return {
        "id": str(message_id),
        "channel_id": str(channel_id),
        "author": author,
        "content": sent.get("content") or "",
        "timestamp": "2026-06-01T10:00:00.000000+00:00",
        "edited_timestamp": None,
        "tts": False,
        "mention_everyone": False,
        "mentions": [],
        "mention_roles": [],
        "attachments": [],
        "embeds": sent.get("embeds") or [],
        "pinned": False,
        "type": 0,
        "components": sent.get("components") or [],
        "flags": sent.get("flags") or 0,
    }


def application(application_id: int, name: str) -> dict[str, Any]:
    return {
        "id": str(application_id),
        "name": name,
        "icon": None,
        "description": "",
        "summary": "",
        "type": None,
        "bot_public": True,
        "bot_require_code_grant": False,
        "is_monetized": False,
        "is_verified": False,
        "is_discoverable": False,
        "hook": True,
        "flags": 0,
        "verify_key": "0" * 64,
        "owner": user(1, "Owner"),
        "team": None,
        "redirect_uris": [],
        "interactions_endpoint_url": None,
        "role_connections_verification_url": None,
        "approximate_guild_count": 1,
        "approximate_user_install_count": 0,
        "approximate_user_authorization_count": 0,
        "explicit_content_filter": 0,
        "integration_types_config": {},
        "event_webhooks_status": 1,
        "flags_new": "0",
        "eligible_oauth2_scopes": [],
    }
