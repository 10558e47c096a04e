"""What people are told about calls, in their language. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

from trainer.i18n import N_
from voice_sidecar.calls.attendance import Pointless
from voice_sidecar.calls.deciding import Refuse, Why
from voice_sidecar.calls.messages import Button, Message
from voice_sidecar.connection.outcomes import CannotJoin, Hushed, Lost, Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trainer.i18n import Translator

AGREE: Final = "voice:agree"
KEPT: Final = "voice:kept"
LEAVE: Final = "voice:leave"

_PERMISSIONS: Final[Mapping[str, str]] = {
    "view_channel": N_("View Channel"),
    "connect": N_("Connect"),
    "speak": N_("Speak"),
    "request_to_speak": N_("Request to Speak"),
}
"""As Discord shows them."""

_NOWHERE: Final = N_("You are in no voice channel. Go into one, and use `/join` again.")
_UNKNOWN: Final = N_("I can't see the voice channel that you are in. There I lack this permission: **View Channel**.")
_MISSING: Final = N_("I can't join {channel}. There I lack this permission: {permissions}.")
_MISSING_MANY: Final = N_("I can't join {channel}. There I lack these permissions: {permissions}.")
_FULL: Final = N_("I can't join {channel}: it is full.")
_AWAY: Final = N_("I don't join {channel}: it is for people who are away, and nobody can speak there.")
_BUSY: Final = N_("I'm in {channel}, and people there are talking with me. Come over, or ask them to let me go.")

_JOINED: Final = N_("I'm in {channel}, and I hear you. I hear others once they agree.")
_JOINED_UNHEARD: Final = N_("I'm in {channel}, but I don't hear you yet: press **Agree** below my notice.")
_ALREADY: Final = N_("I'm in {channel} with you already, and I hear you.")
_ALREADY_UNHEARD: Final = N_("I'm in {channel} with you already. Press **Agree** below my notice, and I hear you.")
_AUDIENCE: Final = N_("I'm in the audience of this stage: you hear me once a moderator invites me to speak.")
_MUTED: Final = N_("A moderator has muted me: I hear you, and you don't hear me.")

_NO_ENTRY: Final = N_("I can't join {channel}: Discord does not let me in.")
_GONE: Final = N_("I can't join {channel}: it is gone.")
_LEFT_MEANWHILE: Final = N_("Somebody sent me away while I was joining.")
_TIMEOUT: Final = N_("I could not connect to {channel} in time. Please try again in a moment.")
_FAILED: Final = N_("I could not connect to {channel}. Please try again; the log knows more under {reference}.")
_INTERRUPTED: Final = N_("Something interrupted me. Please try again.")
_NOT_FINISHED: Final = N_("Something went wrong. Please try again; the log knows more under {reference}.")

_LEFT: Final = N_("I left {channel}.")
_NOT_HERE: Final = N_("I'm in no voice channel.")

_NOTICE: Final = N_(
    "**I listen here, to those who agreed.** {person} asked me in. I do not listen to anybody else: what the others"
    " say is dropped unopened. No audio is stored."
)
_NOTICE_AGAIN: Final = N_(
    "**I listen here, to those who agreed.** I do not listen to anybody else: what the others say is dropped"
    " unopened. No audio is stored."
)
_NOT_WRITTEN: Final = N_("What you ask me and what I answer is not written down.")
_HOW: Final = N_("Press **Agree**, and I hear you, too. `/privacy` takes that back at any time.")
_WRITTEN_NOW: Final = N_(
    "From now on, what you ask me here and what I answer is kept, as this server's managers chose."
)

_NOTICE_LEFT: Final = N_("I listened here. I have left, and hear nothing any more.")
_NOTICE_MOVED: Final = N_(
    "I listened here. I have gone over to {channel}, and hear nothing of this channel any more."
)
_NOTICE_STOPPED: Final = N_(
    "I listened here. My voice has been stopped, and I hear nothing. If it starts again while somebody is here, I"
    " come back."
)
_TOLD_UNHEARD: Final = N_("I have left, as nobody here agreed to be heard. `/join` calls me back.")
_TOLD_GAVE_UP: Final = N_("My connection broke, and I could not make it again. `/join` calls me back.")
_TOLD_AWAY: Final = N_("I have left: in the channel for people who are away nobody can speak.")
_TOLD_NOT_BACK: Final = N_("I was restarted, and could not come back. `/join` calls me.")


def mention(channel_id: int) -> str:
    """A channel, as Discord shows it."""
    return f"<#{channel_id}>"


def refused(t: Translator, refuse: Refuse) -> str:
    """Why we do not join."""
    channel = mention(refuse.channel_id)
    match refuse.why:
        case Why.NOWHERE:
            return t(_NOWHERE)
        case Why.UNKNOWN:
            return t(_UNKNOWN)
        case Why.AWAY:
            return t(_AWAY, channel=channel)
        case Why.BUSY:
            return t(_BUSY, channel=channel)
        case _:
            assert_never(refuse.why)


def not_connected(t: Translator, error: CannotJoin, channel_id: int) -> str:
    """Why joining failed."""
    channel = mention(channel_id)
    match error.reason:
        case Refusal.NO_PERMISSION if error.missing:
            named = ", ".join(f"**{t(_PERMISSIONS.get(name, name))}**" for name in error.missing)
            return t(_MISSING if len(error.missing) == 1 else _MISSING_MANY, channel=channel, permissions=named)
        case Refusal.NO_PERMISSION | Refusal.REFUSED | Refusal.REMOVED:
            return t(_NO_ENTRY, channel=channel)
        case Refusal.FULL:
            return t(_FULL, channel=channel)
        case Refusal.UNKNOWN_GUILD | Refusal.UNKNOWN_CHANNEL | Refusal.NOT_VOICE:
            return t(_GONE, channel=channel)
        case Refusal.TIMEOUT | Refusal.GATEWAY_DOWN:
            return t(_TIMEOUT, channel=channel)
        case Refusal.LEFT:
            return t(_LEFT_MEANWHILE)
        case _:
            assert_never(error.reason)


def failed(t: Translator, channel_id: int, reference: str) -> str:
    """Joining failed for a reason of our own."""
    return t(_FAILED, channel=mention(channel_id), reference=reference)


def joined(t: Translator, channel_id: int, *, heard: bool) -> str:
    """We are there."""
    return t(_JOINED if heard else _JOINED_UNHEARD, channel=mention(channel_id))


def already(t: Translator, channel_id: int, *, heard: bool) -> str:
    """We were there before."""
    return t(_ALREADY if heard else _ALREADY_UNHEARD, channel=mention(channel_id))


def interrupted(t: Translator) -> str:
    """The order came too late, after somebody of us had taken it on."""
    return t(_INTERRUPTED)


def not_finished(t: Translator, reference: str) -> str:
    """An order could not be done."""
    return t(_NOT_FINISHED, reference=reference)


def left(t: Translator, channel_id: int) -> str:
    """We went, as asked."""
    return t(_LEFT, channel=mention(channel_id))


def not_here(t: Translator) -> str:
    """There is nothing to leave."""
    return t(_NOT_HERE)


def notice(t: Translator, *, asked_by: int | None, days: int) -> Message:
    """Who is heard and what is kept, with what can be done about it.

    Args:
        t: the server's language.
        asked_by: who called us, if that is known.
        days: how long spoken questions are kept; 0: they are not.
    """
    first = t(_NOTICE_AGAIN) if asked_by is None else t(_NOTICE, person=f"<@{asked_by}>")
    written = (
        t.plural(
            "What you ask me and what I answer is kept for {count} day, and written into the voice channel's chat.",
            "What you ask me and what I answer is kept for {count} days, and written into the voice channel's chat.",
            days,
        )
        if days
        else t(_NOT_WRITTEN)
    )
    buttons = (
        Button(AGREE, t(N_("Agree")), "success"),
        Button(KEPT, t(N_("What is kept"))),
        Button(LEAVE, t(N_("Leave")), "danger"),
    )
    return Message(f"{first} {written}\n{t(_HOW)}", buttons)


def written_from_now_on(t: Translator) -> Message:
    """Managers have just chosen to have it written down."""
    return Message(t(_WRITTEN_NOW))


def notice_over(t: Translator, *, gone_to: int | None = None) -> Message:
    """What the notice becomes once we are gone."""
    return Message(t(_NOTICE_LEFT) if gone_to is None else t(_NOTICE_MOVED, channel=mention(gone_to)))


def notice_stopped(t: Translator) -> Message:
    """What the notice becomes when the process ends with us there."""
    return Message(t(_NOTICE_STOPPED))


def pointless(t: Translator, why: Pointless, minutes: int) -> Message:
    """Why we went of our own accord."""
    if why is Pointless.UNHEARD:
        return Message(t(_TOLD_UNHEARD))
    return Message(
        t.plural(
            "I have left, as nobody has been here for a minute. `/join` calls me back.",
            "I have left, as nobody has been here for {count} minutes. `/join` calls me back.",
            minutes,
        )
        if minutes
        else t(N_("I have left, as nobody is here. `/join` calls me back."))
    )


def lost(t: Translator, why: Lost) -> Message | None:
    """What is said in the chat when the connection is gone; None where everybody knows why."""
    return Message(t(_TOLD_GAVE_UP)) if why in {Lost.GAVE_UP, Lost.REFUSED} else None


def hushed(t: Translator, why: Hushed) -> Message:
    """Nobody would hear us."""
    return Message(t(_AUDIENCE if why is Hushed.AUDIENCE else _MUTED))


def in_away_channel(t: Translator) -> Message:
    """Somebody put us where nobody can speak."""
    return Message(t(_TOLD_AWAY))


def not_back(t: Translator) -> Message:
    """After a restart."""
    return Message(t(_TOLD_NOT_BACK))
