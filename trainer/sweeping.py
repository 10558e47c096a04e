"""What a sweep looks at in a scope: no more than may be due.

All of a scope is listed in one go, but what follows in a folder where nothing more can be due is passed over. In most
folders that grow, names begin with ids, which grow as well: ids have had 19 digits since July 2022, so their order as
texts, in which a store lists, is that of their moments, and the first that is young enough is the last to look at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from trainer.person_data import AFTER_SLASH
from trainer.snowflakes import moment_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from trainer.ports import ObjectInfo, ObjectStore

PAGE: Final = 1_000
"""Objects that S3 lists in an answer: what is left of them costs nothing to pass over, and more does."""


def folder_of(name: str) -> str:
    """The folder of an object, by its key without the scope; empty for one that lies in none. Pure.

    What lies below `voice` has folders of its own.
    """
    first, slash, rest = name.partition("/")
    if first == "voice":
        second, slash, _ = rest.partition("/")
        first = f"{first}/{second}"
    return first if slash else ""


def moment_in(name: str) -> float | None:
    """The moment in the id that a name in a folder begins with, in seconds since the epoch; None for none. Pure."""
    return moment_of(name.partition("/")[0].partition(".")[0])


def walk(
    store: ObjectStore, prefix: str, is_last: Callable[[str, ObjectInfo], bool]
) -> Iterator[tuple[str, ObjectInfo]]:
    """Objects below a prefix with their folders, in order. Those after the last one in a folder are left out.

    `is_last` says of an object, given its folder, that none of those that follow there is wanted.
    """
    listings = [""]
    for after in listings:
        passing = ""
        for number, info in enumerate(store.list(prefix, start_after=after), start=1):
            if not passing or not info.key.startswith(passing):
                folder = folder_of(info.key.removeprefix(prefix))
                yield folder, info
                passing = f"{prefix}{folder}/" if folder and is_last(folder, info) else ""
            if passing and number % PAGE == 0:
                listings.append(passing[:-1] + AFTER_SLASH)
                break
