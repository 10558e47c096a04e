"""A scope's settings: small, mutable, changed only by conditional writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from trainer import records
from trainer.datasets import DEFAULT_DATASET, settings_key

if TYPE_CHECKING:
    from trainer.ports import ObjectStore
    from trainer.scope import Scope


class ScopeSettings(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a scope's managers chose."""

    dataset: str = DEFAULT_DATASET
    """The selected one: /train adds to it and /ask answers from it."""


def scope_settings(store: ObjectStore, scope: Scope) -> ScopeSettings:
    """The settings in force; the defaults where nothing was chosen."""
    return records.load(store, settings_key(scope), ScopeSettings) or ScopeSettings()
