"""Which datasets a scope has, and which of them is selected.

A small object for each name makes one listing tell all names, however much the datasets hold. The selected dataset
is a field of the scope's settings, changed by conditional writes together with who chose it, when, and what was
selected before; whoever changes it files the choice that goes as well as the one that comes, so the history misses
none.
"""

from __future__ import annotations

import heapq
import time
from typing import TYPE_CHECKING, Final

import msgspec

from trainer import records
from trainer.datasets import DEFAULT_DATASET, DatasetKeys, name_key, selection_key
from trainer.settings import ScopeSettings, Selection, change_settings, scope_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from trainer.ports import ObjectStore
    from trainer.scope import Actor, Scope

NAMES_MOST: Final = 5_000
"""Names that are listed: a few pages of S3."""
AFTER_SLASH: Final = "0"
"""The character after `/`: listing on from a name with it passes over all that the name's folder holds."""
FUZZY_FROM: Final = 3
"""Characters typed, from which names that are only similar are offered too."""
SIMILAR: Final = 70
"""How similar, of 100."""


class DatasetMark(msgspec.Struct, frozen=True):
    """Says that there is a dataset of this name."""

    id: str = ""
    """The interaction that brought it about; empty where that is not known."""
    v: int = 1


class ChosenMeanwhile(Exception):
    """Somebody chose another dataset, which this choice was made without knowing of."""

    def __init__(self, dataset: str, selection: Selection | None) -> None:
        super().__init__("another dataset was selected meanwhile")
        self.dataset = dataset
        """What is selected now."""
        self.selection = selection


class SelectedAlready(Exception):
    """The dataset was selected before."""

    def __init__(self, selection: Selection | None) -> None:
        super().__init__("the dataset is selected already")
        self.selection = selection


# --- names ----------------------------------------------------------------------------------------------------


def mark_dataset(store: ObjectStore, scope: Scope, dataset: str, interaction_id: str) -> DatasetMark:
    """Enter a dataset in the list of names, if it is not there; the first entry stands.

    The default dataset's mark is written after those of all datasets that hold something by then: where it is, the
    list is complete.
    """
    mark = records.load(store, name_key(scope, dataset), DatasetMark)
    if mark is not None:
        return mark
    if store.head(name_key(scope, DEFAULT_DATASET)) is None:
        for name in folders(store, scope):
            records.save_once(store, name_key(scope, name), DatasetMark())
        records.save_once(store, name_key(scope, DEFAULT_DATASET), DatasetMark())
    return records.save_once(store, name_key(scope, dataset), DatasetMark(interaction_id))


def unmark_if_empty(store: ObjectStore, scope: Scope, dataset: str) -> None:
    """Take a name off the list again, unless the dataset holds something.

    Whoever stores something marks the dataset afterwards, so that one that is just being filled is not lost.
    """
    if dataset == DEFAULT_DATASET or holds_something(store, scope, dataset):
        return
    store.delete(name_key(scope, dataset))
    if holds_something(store, scope, dataset):
        mark_dataset(store, scope, dataset, "")


def holds_something(store: ObjectStore, scope: Scope, dataset: str) -> bool:
    """Whether anything was ever stored in a dataset."""
    return next(iter(store.list(DatasetKeys(scope, dataset).root)), None) is not None


def dataset_names(store: ObjectStore, scope: Scope) -> list[str] | None:
    """The names of a scope's datasets, in order, in a request for each thousand; None if there is no list yet."""
    prefix = name_key(scope, "")
    names: list[str] = []
    for info in store.list(prefix):
        names.append(info.key.removeprefix(prefix))
        if len(names) == NAMES_MOST:
            break
    return names if DEFAULT_DATASET in names else None


def folders(store: ObjectStore, scope: Scope) -> Iterator[str]:
    """The names of the datasets that hold something, in a request for each."""
    prefix = DatasetKeys(scope, "").root.removesuffix("/")
    after = ""
    while (info := next(iter(store.list(prefix, start_after=after)), None)) is not None:
        name = info.key.removeprefix(prefix).partition("/")[0]
        yield name
        after = f"{prefix}{name}{AFTER_SLASH}"


def matching(names: Iterable[str], typed: str, *, most: int) -> list[str]:
    """The names that somebody may mean who has typed so far; the likeliest first.

    Those that begin with it, those with a part that does, those that hold it, and then those that are similar.
    """
    known = sorted(names)
    wanted = typed.strip().casefold().replace(" ", "-")
    if not wanted:
        return known[:most]
    holding = [name for name in known if wanted in name]
    holding.sort(key=lambda name: (not name.startswith(wanted), not _words(name, wanted)))
    if len(holding) < most and len(wanted) >= FUZZY_FROM:
        holding += _similar([name for name in known if wanted not in name], wanted, most - len(holding))
    return holding[:most]


def _words(name: str, wanted: str) -> bool:
    """Whether a later part of the name begins with what is wanted."""
    return any(f"{separator}{wanted}" in name for separator in "-_")


def _similar(names: list[str], wanted: str, most: int) -> list[str]:
    # Takes some milliseconds to import, which acknowledging a command need not spend.
    from rapidfuzz import fuzz, process  # noqa: PLC0415

    # A name much shorter than what was typed is not what is being typed, although it may be a part of it.
    candidates = [name for name in names if 2 * len(name) >= len(wanted)]
    found = process.extract(
        wanted, candidates, scorer=fuzz.WRatio, processor=_spaced, limit=most, score_cutoff=SIMILAR
    )
    return [name for name, _, _ in found]


def _spaced(name: str) -> str:
    return name.replace("-", " ").replace("_", " ")


# --- the selected one -----------------------------------------------------------------------------------------


class Selecting:
    """Chooses datasets. The caller has made sure that the actor is a manager."""

    def __init__(self, store: ObjectStore, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock

    def select(
        self,
        actor: Actor,
        interaction_id: str,
        dataset: str,
        *,
        typed_at: float,
        instead_of: str = "",
        reason: str = "",
        gate: str = "",
    ) -> Selection:
        """Select a dataset, which is made if there is none of this name; doing so again changes nothing.

        Args:
            actor: who chooses.
            interaction_id: by which command.
            dataset: its name, as `trainer.datasets.dataset_name` makes it.
            typed_at: when the person sent the command, in seconds since the epoch. A choice of somebody else's that
                took effect after it is not overruled: the person cannot have known of it.
            instead_of: the only dataset that it may take the place of; empty for any.
            reason: as in `Selection`.
            gate: likewise.

        Raises `SelectedAlready` and `ChosenMeanwhile`; then nothing has changed.
        """
        scope = actor.scope
        filed = self.selection(scope, interaction_id)
        if filed is not None:
            return filed
        made: list[DatasetMark] = []

        def change(settings: ScopeSettings) -> ScopeSettings:
            current = settings.selection
            if current is not None and current.id == interaction_id:
                return settings
            _refuse(settings, actor, interaction_id, dataset, typed_at)
            if instead_of and settings.dataset != instead_of:
                raise ChosenMeanwhile(settings.dataset, current)
            made[:] = [mark_dataset(self._store, scope, dataset, interaction_id)]
            created = made[0].id == interaction_id
            return self._choose(
                settings,
                actor,
                Selection(
                    id=interaction_id,
                    dataset=dataset,
                    before=settings.dataset,
                    author=actor.user_id,
                    at=self._clock(),
                    created=created,
                    reason=reason,
                    gate=gate,
                ),
            )

        try:
            _, after = change_settings(self._store, scope, change)
        except (SelectedAlready, ChosenMeanwhile):
            if made and made[0].id == interaction_id:
                unmark_if_empty(self._store, scope, dataset)
            raise
        return self._settled(scope, after)

    def would_replace(self, actor: Actor, interaction_id: str, dataset: str, *, typed_at: float) -> str | None:
        """The dataset whose place `select` would take now; None if that is done. Raises what `select` raises."""
        settings = scope_settings(self._store, actor.scope)
        current = settings.selection
        if (current is not None and current.id == interaction_id) or self.selection(actor.scope, interaction_id):
            return None
        _refuse(settings, actor, interaction_id, dataset, typed_at)
        return settings.dataset

    def undo(self, actor: Actor, interaction_id: str, selection_id: str) -> Selection:
        """Go back to what was selected before a choice, if that choice is still the one in force.

        Doing so again changes nothing. Raises `ChosenMeanwhile`; then nothing has changed.
        """
        scope = actor.scope
        filed = self.selection(scope, interaction_id)
        if filed is None:

            def change(settings: ScopeSettings) -> ScopeSettings:
                current = settings.selection
                if current is not None and (current.id == interaction_id or current.undoes == selection_id):
                    return settings
                if current is None or current.id != selection_id:
                    raise ChosenMeanwhile(settings.dataset, current)
                mark_dataset(self._store, scope, current.before, interaction_id)
                return self._choose(
                    settings,
                    actor,
                    Selection(
                        id=interaction_id,
                        dataset=current.before,
                        before=current.dataset,
                        author=actor.user_id,
                        at=self._clock(),
                        undoes=current.id,
                    ),
                )

            _, after = change_settings(self._store, scope, change)
            filed = self._settled(scope, after)
        undone = self.selection(scope, filed.undoes)
        if undone is not None and undone.created:
            unmark_if_empty(self._store, scope, undone.dataset)
        return filed

    def selection(self, scope: Scope, selection_id: str) -> Selection | None:
        """A choice that is or was in force."""
        return records.load(self._store, selection_key(scope, selection_id), Selection) if selection_id else None

    def history(self, scope: Scope, *, most: int) -> list[Selection]:
        """The last choices, the newest first."""
        prefix = selection_key(scope, "").removesuffix(".json")
        keys = [info.key for info in self._store.list(prefix)]
        # More than are asked for: they are named by when they were typed, and may have taken effect later.
        newest = heapq.nlargest(2 * most, keys, key=lambda key: _number(key.removeprefix(prefix)))
        found = [choice for key in newest if (choice := records.load(self._store, key, Selection)) is not None]
        return sorted(found, key=lambda choice: choice.at, reverse=True)[:most]

    def _choose(self, settings: ScopeSettings, actor: Actor, selection: Selection) -> ScopeSettings:
        """The settings with another dataset selected; the choice that goes is filed before."""
        if settings.selection is not None:
            self._file(actor.scope, settings.selection)
        return msgspec.structs.replace(settings, dataset=selection.dataset, selection=selection)

    def _settled(self, scope: Scope, settings: ScopeSettings) -> Selection:
        selection = settings.selection
        assert selection is not None  # noqa: S101 - for mypy
        self._file(scope, selection)
        return selection

    def _file(self, scope: Scope, selection: Selection) -> None:
        records.save_once(self._store, selection_key(scope, selection.id), selection)


def _refuse(settings: ScopeSettings, actor: Actor, interaction_id: str, dataset: str, typed_at: float) -> None:
    """Raise `SelectedAlready` or `ChosenMeanwhile` if the dataset is not to be selected."""
    current = settings.selection
    if settings.dataset == dataset:
        raise SelectedAlready(current)
    if current is not None and _overrules(current, actor, interaction_id, typed_at):
        raise ChosenMeanwhile(settings.dataset, current)


def _overrules(current: Selection, actor: Actor, interaction_id: str, typed_at: float) -> bool:
    """Whether a choice in force stands against one that was typed at this moment."""
    if current.author == actor.user_id:
        return int(current.id) > int(interaction_id)
    return current.at > typed_at


def _number(name: str) -> int:
    stem = name.removesuffix(".json")
    return int(stem) if stem.isdecimal() else -1
