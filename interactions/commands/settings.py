"""/settings: what managers decide, such as who, beside them, may teach, and whether what is spoken is kept."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Final

from interactions.definitions import MANAGERS, Handler, Option, Options, Role, SlashCommand
from interactions.failures import Sorry
from interactions.message_links import is_id
from interactions.outbound import Button, Defer, Reply, Say
from trainer.i18n import N_
from trainer.settings import choose_gate, choose_speech, choose_trainers, choose_transcripts, scope_settings

if TYPE_CHECKING:
    from typing import Any

    from interactions.call import AckCall, WorkCall
    from interactions.payloads import ComponentData
    from trainer.i18n import Translator
    from trainer.settings import ScopeSettings

SPEEDS: Final = ((N_("Slow"), "0.8"), (N_("Normal"), "1"), (N_("Fast"), "1.25"), (N_("Very fast"), "1.5"))
"""How fast answers may be read out, by name."""
DEFAULT_VOICE: Final = "default"
TRANSCRIPTS: Final = (
    (N_("Keep nothing"), "0"),
    (N_("1 day"), "1"),
    (N_("7 days"), "7"),
    (N_("30 days"), "30"),
    (N_("90 days"), "90"),
)
"""How many days spoken questions may be kept, by name."""
_VOICE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
_MANAGERS_ONLY: Final = N_("Only managers (“Manage Server”) change my settings.")
_NO_CHANNELS: Final = N_("There are voice channels only in servers where I am installed.")
_ALONE: Final = N_("Here it is just you and me: you may do everything.")


class SettingsOptions(Options, frozen=True, kw_only=True):
    """The options of /settings."""

    trainer_role: Annotated[Role | None, Option(N_("Who may teach and correct me, beside the managers"))] = None
    gate: Annotated[
        bool | None, Option(N_("Test a dataset, an instruction or corrections before they change my answers"))
    ] = None
    speed: Annotated[str | None, Option(N_("How fast I read answers out"), choices=SPEEDS)] = None
    voice: Annotated[
        str | None, Option(N_("Which voice reads them, by its provider's name, or “default”"), max_length=32)
    ] = None
    transcripts: Annotated[
        str | None,
        Option(N_("How long I keep what is asked in voice channels, with my answers"), choices=TRANSCRIPTS),
    ] = None


def acknowledge(call: AckCall[SettingsOptions]) -> Defer | Say:
    """Managers only; only for their own eyes."""
    scope, role = call.actor.scope, call.given.trainer_role
    if not call.actor.is_manager:
        return Say(Reply(call.t(_MANAGERS_ONLY)), ephemeral=True)
    if scope.kind == "user" and role is not None:
        return Say(Reply(call.t(_ALONE)), ephemeral=True)
    if scope.kind == "user" and call.given.transcripts is not None:
        return Say(Reply(call.t(_NO_CHANNELS)), ephemeral=True)
    if role == scope.id:
        text = N_("Everybody has that role. Please choose one that only those have who may teach me.")
        return Say(Reply(call.t(text)), ephemeral=True)
    voice = call.given.voice
    if voice is not None and not _VOICE.fullmatch(voice.strip()):
        text = N_(
            "A voice's name has Latin letters, digits, “-”, “_” and “.”, such as nova. “default” is the usual one."
        )
        return Say(Reply(call.t(text)), ephemeral=True)
    return Defer(ephemeral=True)


def acknowledge_press(_: AckCall[ComponentData]) -> Defer:
    """Whether it is a manager's press is checked in the work, for this is only for their own eyes."""
    return Defer(ephemeral=True)


def work(call: WorkCall[SettingsOptions]) -> Reply:
    """Change what is given, and show what holds."""
    store, scope, role, gate = call.services.store, call.actor.scope, call.given.trainer_role, call.given.gate
    if role is not None and not is_id(role):
        raise Sorry(call.t(N_("That is not a role of this server.")))
    if role is not None:
        choose_trainers(store, scope, call.interaction.id, role)
    if gate is not None:
        choose_gate(store, scope, call.interaction.id, on=gate)
    spoken = _choose_speech(call)
    kept = _choose_transcripts(call)
    if (spoken or kept) and call.services.voice is not None and scope.kind == "guild":
        call.services.voice.tell_settings(scope.id)
    return _shown(call)


def _choose_transcripts(call: WorkCall[SettingsOptions]) -> bool:
    """Whether anything was chosen."""
    days = call.given.transcripts
    if days not in {value for _, value in TRANSCRIPTS} or call.actor.scope.kind == "user":
        return False  # Discord sends no others
    choose_transcripts(call.services.store, call.actor.scope, call.interaction.id, int(days or 0))
    return True


def _choose_speech(call: WorkCall[SettingsOptions]) -> bool:
    """Whether anything was chosen."""
    speed, voice = call.given.speed, (call.given.voice or "").strip()
    if speed not in {None, *(value for _, value in SPEEDS)} or (voice and not _VOICE.fullmatch(voice)):
        return False  # Discord sends no others
    if speed is not None or voice:
        choose_speech(
            call.services.store,
            call.actor.scope,
            call.interaction.id,
            speed=None if speed is None else float(speed),
            voice=("" if voice.casefold() == DEFAULT_VOICE else voice) if voice else None,
        )
        return True
    return False


def work_clear(call: WorkCall[ComponentData]) -> Reply:
    """The button that leaves teaching to the managers."""
    if not call.actor.is_manager:
        raise Sorry(call.t(_MANAGERS_ONLY))
    choose_trainers(call.services.store, call.actor.scope, call.interaction.id, "")
    return _shown(call)


def _shown(call: WorkCall[Any]) -> Reply:
    t, settings = call.t, scope_settings(call.services.store, call.actor.scope)
    if call.actor.scope.kind == "user":
        return Reply("\n".join([t(_ALONE), *_lines(t, settings)]))
    kept = _transcripts_line(t, min(settings.voice_transcript_days, call.services.policy.answer_days))
    if not settings.trainer_role:
        text = N_(
            "Only managers (“Manage Server”) teach me, and decide about corrections. `/settings trainer_role` lets "
            "others do it, too."
        )
        return Reply("\n".join([t(text), *_lines(t, settings), kept]))
    text = N_(
        "Whoever has the role <@&{role}> may teach me, and their corrections apply at once.\n-# Discord shows "
        "`/train` to managers only, until you allow it for that role: Server Settings → Integrations."
    )
    clear = Button("settings_no_trainers:", t(N_("Managers only")))
    return Reply("\n".join([t(text, role=settings.trainer_role), *_lines(t, settings), kept]), buttons=(clear,))


def _lines(t: Translator, settings: ScopeSettings) -> list[str]:
    """What else holds."""
    speed = next((name for name, value in SPEEDS if float(value) == settings.speech_speed), SPEEDS[1][0])
    values = {"speed": t(speed), "voice": settings.speech_voice or t(N_("the usual one"))}
    return [
        _gate_line(t, settings),
        t(N_("Read out with `/ask speak:True`: speed: {speed}; voice: {voice}."), **values),
    ]


def _transcripts_line(t: Translator, days: int) -> str:
    """Whether what is spoken in voice channels is kept, and for how many days; 0: not at all."""
    if days:
        return t.plural(
            "What people ask me in voice channels is kept with my answers for {count} day. I also write it into the "
            "channel's chat, where it stays. With `/settings transcripts:Keep nothing` I forget it within hours.",
            "What people ask me in voice channels is kept with my answers for {count} days. I also write it into the "
            "channel's chat, where it stays. With `/settings transcripts:Keep nothing` I forget it within hours.",
            days,
        )
    return t(N_("What people say in voice channels is not kept. `/settings transcripts` changes that."))


def _gate_line(t: Translator, settings: ScopeSettings) -> str:
    """Whether changes are tested before they count."""
    if settings.gate:
        return t(
            N_(
                "Before another dataset, a new instruction, or corrections that are approved together change my "
                "answers, I test them: they count if my answers do not get worse. `/settings gate:False` ends that."
            )
        )
    return t(
        N_(
            "Changes count at once. With `/settings gate:True` I first test another dataset, a new instruction, and "
            "corrections that are approved together."
        )
    )


COMMANDS = (
    SlashCommand(
        name="settings",
        description=N_("Choose who may teach me, whether I test changes first, how I sound, and what I keep"),
        options=SettingsOptions,
        permissions=MANAGERS,
        handler=Handler(acknowledge, work),
    ),
)
BUTTONS = {"settings_no_trainers": Handler(acknowledge_press, work_clear)}
