"""/join and /leave, and the buttons of the notice in a voice channel: who may be heard, what is kept, leaving.

The voice sidecar does what is to be done in the channel, and answers /join and /leave itself. A worker only gives
it the order and waits until it took that on; where nobody does, the worker says so. A sidecar that ends before it
has answered is waited for, as the next one goes on from there; where none comes, a later job says what happened.
Whoever calls the bot in has agreed to be heard by that. It may be sent out by managers, and by anybody who is in
the channel with it: that is asked of Discord here, and where Discord does not say, the bot rather leaves.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from interactions.definitions import Handler, Options, SlashCommand
from interactions.outbound import Defer, Reply, Say
from interactions.payloads import GUILD_CONTEXT
from trainer.i18n import N_

if TYPE_CHECKING:
    from interactions.call import AckCall, WorkCall
    from interactions.payloads import ComponentData
    from trainer.voice_line import VoiceLine

LATE_S: Final = 300.0
"""Nobody who called the bot so long ago still waits for it."""
ABANDONED_S: Final = 100.0
"""So long after a sidecar took it on, a command is answered: it begins nothing after `voice_orders.REPLIED_S`, and
joining ends."""
_SERVERS_ONLY: Final = N_("There are voice channels only in servers where I am installed.")
_NOT_RUNNING: Final = N_(
    "Voice is not running here, so I can neither join nor leave a channel. `/ask` works as always."
)
_NOBODY_THERE: Final = N_(
    "My voice does not answer just now, so I can neither join nor leave a channel. `/ask` works as always.\n-# For "
    "whoever runs me: voice needs the program `python -m voice_sidecar`, with the same settings as the worker. "
    "`python -m voice_sidecar --doctor` says what is wrong."
)
_TOO_LATE: Final = N_("I got to this too late, so I did nothing. Please try again.")
_INTERRUPTED: Final = N_("Something interrupted me. Please try again.")
_NOT_WITH_ME: Final = N_(
    "I am in another voice channel than you. Whoever is there may send me out, and managers may."
)
_UNKNOWN_BUTTON: Final = N_("That button looks different by now. `/join` and `/leave` work as always.")


def acknowledge(call: AckCall[Options]) -> Defer | Say:
    """For all to see: that the bot comes, or goes, is everybody's business there."""
    if call.actor.scope.kind != "guild":
        return Say(Reply(call.t(_SERVERS_ONLY)), ephemeral=True)
    return Defer()


def acknowledge_press(call: AckCall[ComponentData]) -> Defer | Say:
    """What somebody agrees to is for their own eyes; that the bot goes is not."""
    if call.actor.scope.kind != "guild":
        return Say(Reply(call.t(_SERVERS_ONLY)), ephemeral=True)
    return Defer(ephemeral=call.subject != "leave")


def work_join(call: WorkCall[Options]) -> Reply:
    """Have the sidecar join, with the consent of who calls it."""
    # Acknowledging does without all of this.
    from trainer.consent import choose_voice, preferences, unchoose_voice  # noqa: PLC0415
    from trainer.voice_calls import call_state, claimed  # noqa: PLC0415
    from trainer.voice_orders import Join  # noqa: PLC0415

    refused, line = _line(call)
    if line is None:
        return refused
    store, scope, user_id, id_ = call.services.store, call.actor.scope, call.actor.user_id, call.interaction.id
    before = preferences(store, scope, user_id)
    if claimed(store, scope.id, id_) is None and not before.voice:
        choose_voice(store, scope, user_id, id_, on=True)
    if line.ask(Join(**_asked(call)), call.tools.check) == "sidecar":
        reply = _left_to_it(call, line)
        if reply is not _LEFT_TO_IT and call_state(store, scope.id) is None:
            unchoose_voice(store, scope, user_id, id_)
        return reply
    # It was for a call that did not come about; what somebody agreed to before stays.
    unchoose_voice(store, scope, user_id, id_)
    return Reply(call.t(_NOBODY_THERE), whisper="instead")


def work_leave(call: WorkCall[Any]) -> Reply:
    """Have the sidecar leave."""
    from trainer.voice_calls import claimed  # noqa: PLC0415 - acknowledging does without
    from trainer.voice_orders import Leave  # noqa: PLC0415 - as above

    refused, line = _line(call)
    if line is None:
        return refused
    begun = claimed(call.services.store, call.actor.scope.id, call.interaction.id) is not None
    if not begun and not call.actor.is_manager and _is_elsewhere(call):
        return Reply(call.t(_NOT_WITH_ME), whisper="instead")
    if line.ask(Leave(**_asked(call)), call.tools.check) == "sidecar":
        return _left_to_it(call, line)
    return Reply(call.t(_NOBODY_THERE), whisper="instead")


def work_press(call: WorkCall[ComponentData]) -> Reply:
    """A button of the notice, or of what was said to somebody alone. Whoever presses decides for themselves."""
    match call.subject:
        case "agree":
            return _decide(call, on=True)
        case "revoke":
            return _decide(call, on=False)
        case "kept":
            return _kept(call)
        case "leave":
            return work_leave(call)
        case _:
            return Reply(call.t(_UNKNOWN_BUTTON))


def _decide(call: WorkCall[ComponentData], *, on: bool) -> Reply:
    from interactions import voice_wording  # noqa: PLC0415 - acknowledging does without
    from trainer.consent import choose_voice  # noqa: PLC0415 - as above

    t, scope, user_id = call.t, call.actor.scope, call.actor.user_id
    switches = choose_voice(call.services.store, scope, user_id, call.interaction.id, on=on)
    if call.services.voice is not None:
        call.services.voice.tell_consent(scope.id, user_id)
    if switches.voice:
        return Reply(voice_wording.agreed_text(t), buttons=voice_wording.agreed_buttons(t))
    return Reply(voice_wording.revoked_text(t), buttons=voice_wording.revoked_buttons(t))


def _kept(call: WorkCall[ComponentData]) -> Reply:
    from interactions import voice_wording  # noqa: PLC0415 - acknowledging does without
    from trainer.consent import preferences  # noqa: PLC0415 - as above
    from trainer.conversations import IDLE_S  # noqa: PLC0415 - as above
    from trainer.settings import scope_settings  # noqa: PLC0415 - as above

    services, t, scope = call.services, call.t, call.actor.scope
    facts = voice_wording.VoiceFacts(
        min(scope_settings(services.store, scope).voice_transcript_days, services.policy.answer_days),
        IDLE_S // 60,
        services.transcription_host,
        services.chat_host,
        services.speech_hosts,
    )
    agreed = preferences(services.store, scope, call.actor.user_id).voice
    buttons = voice_wording.agreed_buttons(t)[:1] if agreed else voice_wording.revoked_buttons(t)
    return Reply(voice_wording.kept_text(t, facts), buttons=buttons)


def _line(call: WorkCall[Any]) -> tuple[Reply, VoiceLine | None]:
    """What to give the order by; or None, and what to say instead."""
    from trainer.snowflakes import moment_of  # noqa: PLC0415 - acknowledging does without
    from trainer.voice_calls import claimed  # noqa: PLC0415 - as above

    line, id_ = call.services.voice, call.interaction.id
    if line is None:
        return Reply(call.t(_NOT_RUNNING), whisper="instead"), None
    late = time.time() - (moment_of(id_) or 0.0) > LATE_S
    if late and claimed(call.services.store, call.actor.scope.id, id_) is None:
        return Reply(call.t(_TOO_LATE), whisper="instead"), None
    return _LEFT_TO_IT, line


def _left_to_it(call: WorkCall[Any], line: VoiceLine) -> Reply:
    """A sidecar has promised to answer: nothing, or what to say instead if it ended before it did.

    Raises `HandOn` while a sidecar may still be at it.
    """
    from interactions.failures import HandOn  # noqa: PLC0415 - acknowledging does without
    from trainer.voice_calls import claimed_at, do_once, done_by  # noqa: PLC0415 - as above

    store, guild_id, id_ = call.services.store, call.actor.scope.id, call.interaction.id
    by = line.done(guild_id, id_, call.tools.check)
    if by is None:
        left = claimed_at(store, guild_id, id_) + ABANDONED_S - time.time()
        if left > 0:
            raise HandOn(progressed=True, delay_s=min(left, ABANDONED_S))
        # Whoever is still at it after all has the last word: both show their reply in the same place.
        do_once(store, guild_id, id_, by="worker")
        by = done_by(store, guild_id, id_)
    # A second delivery says it again: the first may have come to nothing before it was said.
    return Reply(call.t(_INTERRUPTED)) if by == "worker" else _LEFT_TO_IT


def _asked(call: WorkCall[Any]) -> dict[str, Any]:
    """The fields of an order that has to be answered."""
    from trainer.voice_orders import REPLIED_S  # noqa: PLC0415 - acknowledging does without

    now, interaction = time.time(), call.interaction
    return {
        "id": interaction.id,
        "application_id": interaction.application_id,
        "token": interaction.token,
        "guild_id": call.actor.scope.id,
        "user_id": call.actor.user_id,
        "channel_id": interaction.channel_id or "0",
        "locale": interaction.locale[:35],
        "at": now,
        "expires": now + REPLIED_S,
    }


def _is_elsewhere(call: WorkCall[Any]) -> bool:
    """Whether Discord says that the person is not in the channel where the bot is."""
    ours = call.tools.voice_channel()
    if not ours:
        return False
    theirs = call.tools.voice_channel(call.actor.user_id)
    return theirs is not None and theirs != ours


_LEFT_TO_IT: Final = Reply("", elsewhere=True)

COMMANDS = (
    SlashCommand(
        name="join",
        description=N_("Ask me into your voice channel, where I then listen to you"),
        handler=Handler(acknowledge, work_join),
        contexts=(GUILD_CONTEXT,),
        integration_types=(0,),
    ),
    SlashCommand(
        name="leave",
        description=N_("Send me out of the voice channel"),
        handler=Handler(acknowledge, work_leave),
        contexts=(GUILD_CONTEXT,),
        integration_types=(0,),
    ),
)
BUTTONS = {"voice": Handler(acknowledge_press, work_press)}
