"""/settings: what a server's managers decide about the bot: who, beside them, may teach it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import msgspec

from interactions.definitions import MANAGERS, Handler, Option, Options, Role, SlashCommand
from interactions.failures import Sorry
from interactions.message_links import is_id
from interactions.outbound import Button, Defer, Reply, Say
from trainer.i18n import N_
from trainer.settings import change_settings, scope_settings

if TYPE_CHECKING:
    from typing import Any

    from interactions.call import AckCall, WorkCall
    from interactions.payloads import ComponentData
    from trainer.i18n import Translator
    from trainer.settings import ScopeSettings

_MANAGERS_ONLY: Final = N_("Only managers (“Manage Server”) change my settings.")


class SettingsOptions(Options, frozen=True, kw_only=True):
    """The options of /settings."""

    trainer_role: Annotated[Role | None, Option(N_("Who may teach and correct me, beside the managers"))] = None


def acknowledge(call: AckCall[SettingsOptions]) -> Defer | Say:
    """Managers only; only for their own eyes."""
    scope, role = call.actor.scope, call.given.trainer_role
    if not call.actor.is_manager:
        return Say(Reply(call.t(_MANAGERS_ONLY)), ephemeral=True)
    if scope.kind == "user":
        return Say(Reply(call.t(N_("Here it is just you and me: you may do everything."))), ephemeral=True)
    if role == scope.id:
        text = N_("Everybody has that role. Please choose one that only those have who may teach me.")
        return Say(Reply(call.t(text)), ephemeral=True)
    return Defer(ephemeral=True)


def acknowledge_press(_: AckCall[ComponentData]) -> Defer:
    """Whether it is a manager's press is checked in the work, for this is only for their own eyes."""
    return Defer(ephemeral=True)


def work(call: WorkCall[SettingsOptions]) -> Reply:
    """Change what is given, and show what holds."""
    role = call.given.trainer_role
    if role is None:
        return _shown(call.t, scope_settings(call.services.store, call.actor.scope))
    if not is_id(role):
        raise Sorry(call.t(N_("That is not a role of this server.")))
    return _set(call, role)


def work_clear(call: WorkCall[ComponentData]) -> Reply:
    """The button that leaves teaching to the managers."""
    if not call.actor.is_manager:
        raise Sorry(call.t(_MANAGERS_ONLY))
    return _set(call, "")


def _set(call: WorkCall[Any], role: str) -> Reply:
    def choose(settings: ScopeSettings) -> ScopeSettings:
        return msgspec.structs.replace(settings, trainer_role=role)

    _, after = change_settings(call.services.store, call.actor.scope, choose)
    return _shown(call.t, after)


def _shown(t: Translator, settings: ScopeSettings) -> Reply:
    if not settings.trainer_role:
        text = N_(
            "Only managers (“Manage Server”) teach me, and decide about corrections. `/settings trainer_role` lets "
            "others do it, too."
        )
        return Reply(t(text))
    text = N_(
        "Whoever has the role <@&{role}> may teach me, and their corrections apply at once.\n-# Discord shows "
        "`/train` to managers only, until you allow it for that role: Server Settings → Integrations."
    )
    clear = Button("settings_no_trainers:", t(N_("Managers only")))
    return Reply(t(text, role=settings.trainer_role), buttons=(clear,))


COMMANDS = (
    SlashCommand(
        name="settings",
        description=N_("Choose who may teach me"),
        options=SettingsOptions,
        permissions=MANAGERS,
        handler=Handler(acknowledge, work),
    ),
)
BUTTONS = {"settings_no_trainers": Handler(acknowledge_press, work_clear)}
