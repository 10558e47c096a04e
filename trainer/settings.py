"""A scope's settings: small, mutable, changed only by conditional writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from trainer import records
from trainer.datasets import DEFAULT_DATASET, settings_key
from trainer.swapping import change_record

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainer.ports import ObjectStore
    from trainer.scope import Actor, Scope


class Selection(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One choice of a dataset."""

    id: str
    """The interaction's."""
    dataset: str
    before: str
    """The dataset that was selected until then."""
    author: str
    at: float
    """Seconds since the epoch: when it took effect."""
    created: bool = False
    """There was no dataset of this name before."""
    undoes: str = ""
    """The choice that this one takes back, if it does."""
    reason: str = ""
    """Why it was made although its test did not go well; empty if it passed, or was not tested."""
    gate: str = ""
    """The judgement that it was made against, if there is a reason: see `trainer.evaluation.gate_store`."""
    v: int = 1


class ScopeSettings(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a scope's managers chose."""

    dataset: str = DEFAULT_DATASET
    """The selected one: /train adds to it and /ask answers from it."""
    trainer_role: str = ""
    """A role whose members may teach, as managers do; empty for none."""
    trainer_role_by: str = "0"
    """The interaction that chose it last: ids are ordered by time, and one that is done late changes nothing."""
    gate: bool = False
    """Whether what changes the answers is tested before it counts: see `trainer.evaluation.gate`."""
    gate_by: str = "0"
    """The interaction that chose that last, likewise."""
    speech_speed: float = 1.0
    """How fast answers are read out, 0.5 to 2."""
    speech_voice: str = ""
    """Which of several voices reads them, by the name that the provider gives it; empty for its own choice."""
    speech_by: str = "0"
    """The interaction that chose these last, likewise."""
    voice_transcript_days: int = 0
    """How long questions that were spoken in voice channels are kept with their answers; 0: they are not kept."""
    voice_transcripts_by: str = "0"
    """The interaction that chose that last, likewise."""
    selection: Selection | None = None
    """How `dataset` came to be selected; None while nobody has chosen."""

    @property
    def voice_transcripts(self) -> bool:
        """Whether what is spoken with the bot is kept, and written into the channel."""
        return self.voice_transcript_days > 0


def scope_settings(store: ObjectStore, scope: Scope) -> ScopeSettings:
    """The settings in force; the defaults where nothing was chosen."""
    return records.load(store, settings_key(scope), ScopeSettings) or ScopeSettings()


def may_teach(store: ObjectStore, actor: Actor) -> bool:
    """Whether what this person teaches, and how they correct, counts at once."""
    if actor.is_manager:
        return True
    return bool(actor.roles) and is_trainer(actor, scope_settings(store, actor.scope).trainer_role)


def choose_speech(
    store: ObjectStore, scope: Scope, interaction_id: str, *, speed: float | None = None, voice: str | None = None
) -> ScopeSettings:
    """Choose how answers are read out; None leaves that as it is. The settings in force then.

    A choice that is done again, or late, changes nothing that was chosen after it.
    """

    def choose(settings: ScopeSettings) -> ScopeSettings:
        if int(interaction_id) <= int(settings.speech_by):
            return settings
        return msgspec.structs.replace(
            settings,
            speech_speed=settings.speech_speed if speed is None else speed,
            speech_voice=settings.speech_voice if voice is None else voice,
            speech_by=interaction_id,
        )

    return change_settings(store, scope, choose)[1]


def choose_trainers(store: ObjectStore, scope: Scope, interaction_id: str, role: str) -> ScopeSettings:
    """Let the members of a role teach, or with an empty one only managers; the settings in force then.

    A choice that is done again, or late, changes nothing that was chosen after it.
    """

    def choose(settings: ScopeSettings) -> ScopeSettings:
        if int(interaction_id) <= int(settings.trainer_role_by):
            return settings
        return msgspec.structs.replace(settings, trainer_role=role, trainer_role_by=interaction_id)

    return change_settings(store, scope, choose)[1]


def choose_gate(store: ObjectStore, scope: Scope, interaction_id: str, *, on: bool) -> ScopeSettings:
    """Have changes tested before they count, or not; the settings in force then. Done late, it changes nothing."""

    def choose(settings: ScopeSettings) -> ScopeSettings:
        if int(interaction_id) <= int(settings.gate_by):
            return settings
        return msgspec.structs.replace(settings, gate=on, gate_by=interaction_id)

    return change_settings(store, scope, choose)[1]


def choose_transcripts(store: ObjectStore, scope: Scope, interaction_id: str, days: int) -> ScopeSettings:
    """Keep what is spoken with the bot for so many days, 0 for not at all; the settings in force then.

    A choice that is done again, or late, changes nothing that was chosen after it.
    """

    def choose(settings: ScopeSettings) -> ScopeSettings:
        if int(interaction_id) <= int(settings.voice_transcripts_by):
            return settings
        return msgspec.structs.replace(settings, voice_transcript_days=days, voice_transcripts_by=interaction_id)

    return change_settings(store, scope, choose)[1]


def is_trainer(actor: Actor, trainer_role: str) -> bool:
    """Whether this person has the role, which is empty where there is none. Pure."""
    return trainer_role != "" and trainer_role in actor.roles


def change_settings(
    store: ObjectStore, scope: Scope, change: Callable[[ScopeSettings], ScopeSettings]
) -> tuple[ScopeSettings, ScopeSettings]:
    """Change the settings; what they were, and what they are now.

    `change` is called again with the newer settings when somebody else wrote in between, so that no write is lost; it
    may raise to give up, for example because what it builds on has changed.
    """
    return change_record(store, settings_key(scope), ScopeSettings, ScopeSettings(), change)
