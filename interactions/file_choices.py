"""Files of a server as they are offered to somebody who is typing a path."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from interactions.call import QuickFiles
from interactions.delivery_of_files import size_text
from interactions.outbound import Choice

if TYPE_CHECKING:
    from interactions.call import AckCall
    from trainer.i18n import Translator
    from trainer.tree_search import Found

CHOICES_MOST: Final = 25
CHOICE_MOST: Final = 100
"""Characters of a choice's name and value."""
DETAILS: Final = " · "
"""Between a file's path and what else is said of it, in a choice's name."""
ARCHIVES: Final = "archives/"


def suggest_file(call: AckCall[None], typed: str) -> tuple[Choice, ...]:
    """Folders and files that may be meant; files are for managers."""
    return tuple(_suggest(call, _path(typed)))[:CHOICES_MOST]


def suggest_archive(call: AckCall[None], typed: str) -> tuple[Choice, ...]:
    """Archives that may be meant, wherever they lie; those that /archive made, unless another folder is typed."""
    wanted = _path(typed)
    found = _suggest(call, wanted if "/" in wanted else ARCHIVES + wanted)
    return tuple(choice for choice in found if str(choice.value).endswith((".zip", "/")))[:CHOICES_MOST]


def _path(typed: str) -> str:
    """Somebody who comes back to a choice sends its name."""
    return typed.partition(DETAILS)[0]


def _suggest(call: AckCall[None], wanted: str) -> list[Choice]:
    if not call.actor.is_manager or not isinstance(call.quick, QuickFiles):
        return []
    found = call.quick.find_files(call.actor.scope, wanted, files=True, most=2 * CHOICES_MOST)
    return [choice for one in found if (choice := _choice(call.t, one)) is not None]


def _choice(t: Translator, found: Found) -> Choice | None:
    """What is shown and sent for a folder or a file; None if its path is too long to be sent."""
    if found.file is None:
        return Choice(found.path, found.path) if len(found.path) <= CHOICE_MOST else None
    folder, _, name = found.path.rpartition("/")
    value = found.path
    if len(value) > CHOICE_MOST and folder == "originals":
        value = f"{folder}/{name.partition('-')[0]}"
    if len(value) > CHOICE_MOST:
        return None
    day = datetime.fromtimestamp(found.at, UTC).strftime("%Y-%m-%d %H:%M")
    details = f"{DETAILS}{day}, {size_text(t, found.file.size)}"
    shown = f"{folder}/{found.name}"
    room = CHOICE_MOST - len(details)
    return Choice((shown if len(shown) <= room else shown[: room - 1] + "…") + details, value)
