"""Which server's, and which dataset's, cases are meant."""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING, Final

from trainer import selection
from trainer.datasets import DEFAULT_DATASET, BadName, dataset_name, name_key
from trainer.evaluation.console.refusals import Refused
from trainer.i18n import N_
from trainer.person_data import folders
from trainer.scope import Scope
from trainer.settings import scope_settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trainer.i18n import Translator
    from trainer.ports import ObjectStore

LISTED_MOST: Final = 20
"""Servers, or datasets, that a refusal names."""
_SCOPE: Final = re.compile(r"([gu])([0-9]{1,20})")


def chosen_scope(store: ObjectStore, wanted: Scope | None, place: str, t: Translator) -> Scope:
    """The scope that is wanted, or the only one with a dataset. Raises `Refused`.

    `place` is what the store is called.
    """
    if wanted is not None:
        if has_datasets(store, wanted):
            return wanted
        there = list(islice(scopes(store), LISTED_MOST + 1))
        if there:
            text = N_("Nothing was taught in {scope}. Something was in: {scopes}.")
            raise Refused(t(text, scope=wanted.prefix, scopes=_listed([one.prefix for one in there])))
        raise Refused(t(_EMPTY, place=place))
    there = list(islice(scopes(store), LISTED_MOST + 1))
    if not there:
        raise Refused(t(_EMPTY, place=place))
    if len(there) > 1:
        text = N_("More than one server was taught something: choose with --scope: {scopes}.")
        raise Refused(t(text, scopes=_listed([one.prefix for one in there])))
    return there[0]


def chosen_dataset(store: ObjectStore, scope: Scope, wanted: str, t: Translator) -> str:
    """The dataset that is wanted, or the selected one. Raises `Refused`."""
    if not wanted:
        return scope_settings(store, scope).dataset
    try:
        name = dataset_name(wanted)
    except BadName:
        raise Refused(t(N_("A dataset's name has up to 48 letters, digits, “-” and “_”."))) from None
    there = datasets(store, scope)
    if name not in there:
        text = N_("There is no dataset “{dataset}” in {scope}. There are: {datasets}.")
        raise Refused(t(text, dataset=name, scope=scope.prefix, datasets=_listed(there)))
    return name


def scopes(store: ObjectStore) -> Iterator[Scope]:
    """Every scope with a dataset in it, in a few requests for each."""
    for name in folders(store, ""):
        match = _SCOPE.fullmatch(name)
        if match is not None:
            scope = Scope("guild" if match[1] == "g" else "user", match[2])
            if has_datasets(store, scope):
                yield scope


def has_datasets(store: ObjectStore, scope: Scope) -> bool:
    """Whether anything was ever taught there, or a dataset chosen."""
    named = next(iter(store.list(name_key(scope, ""))), None)
    return named is not None or next(selection.folders(store, scope), None) is not None


def datasets(store: ObjectStore, scope: Scope) -> list[str]:
    """The names of a scope's datasets; the default one is always there."""
    names = selection.dataset_names(store, scope)
    return sorted({DEFAULT_DATASET, *(selection.folders(store, scope) if names is None else names)})


def _listed(names: Sequence[str]) -> str:
    return ", ".join([*names[:LISTED_MOST], *(["…"] if len(names) > LISTED_MOST else [])])


_EMPTY: Final = N_(
    "Nothing was taught in the store {place}. Is TRAINGER_STORE right, and is this the folder that the bot runs in?"
)
