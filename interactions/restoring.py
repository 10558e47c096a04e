"""/train with an archive: brings a dataset back, and says what came of it.

The archive is uploaded, or lies among the server's own files: what Discord takes from people is less than what an
archive may hold.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any, Final

from interactions.delivery_of_files import size_text
from interactions.failures import Sorry
from interactions.file_choices import ARCHIVES
from interactions.outbound import Reply
from interactions.scratch import scratch
from interactions.wording import plain
from trainer.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from interactions.call import WorkCall
    from trainer.archive_format import ArchiveProgress
    from trainer.archive_restore import Restored
    from trainer.i18n import Translator

REFUSALS: Final[Mapping[str, str]] = {
    "damaged": N_("That archive is damaged or incomplete, so I restored nothing. Please download it once more."),
    "altered": N_("That is not an archive as I made it, so I restored nothing."),
    "too_large": N_("That archive unpacks to more than I take, so I restored nothing."),
    "files": N_("That archive holds files and no dataset. I can restore an archive of one dataset."),
    "newer": N_("That archive was made by a newer version of me, so I cannot read it yet."),
}
ALONE: Final = N_("An archive is restored on its own. Please send the text without it, or it without text.")
_NOT_HERE: Final = N_("There is no such archive here. Start typing and choose one from the list.")
_NO_ARCHIVE: Final = N_(
    "That file is no archive of mine, so I restored nothing. `/train file:` learns from other files."
)


def restored(call: WorkCall[Any], path: Path, dataset: str, *, alone: bool) -> Reply | None:
    """Restore the archive in a local file; None if it is none, and so is to be read like every other file.

    Args:
        call: the /train.
        path: the file.
        dataset: where to put it; empty for the dataset that it was made from.
        alone: whether nothing else is to be learned.
    """
    # Unpacking needs what acknowledging does not.
    from trainer.archive_format import ArchiveRefused  # noqa: PLC0415
    from trainer.archive_restore import restore  # noqa: PLC0415
    from trainer.archive_verify import is_archive  # noqa: PLC0415

    t, services, scope = call.t, call.services, call.actor.scope

    def tell(progress: ArchiveProgress) -> None:
        doing = t(N_("Restoring")) if progress.step == "restore" else t(N_("Checking the archive"))
        files = t.plural("{count} file", "{count} files", progress.objects)
        call.tools.progress(f"⏳ {doing}: {files}, {size_text(t, progress.bytes)}…")

    try:
        if not is_archive(path):
            return None
        if not alone:
            raise Sorry(t(ALONE))
        done = restore(services.store, scope, path, dataset, call.interaction.id, tell)
    except ArchiveRefused as refused:
        raise Sorry(t(REFUSALS[refused.reason])) from None
    if done is None:
        return None
    # Read it into the index now: somebody will ask next.
    services.library.index(scope, done.dataset)
    return Reply(_told(t, done))


def restored_from_here(call: WorkCall[Any], path: str, dataset: str) -> Reply:
    """Restore the archive that a manager named among the server's own files.

    Args:
        call: the /train.
        path: as the person typed it; without a folder it lies among the archives.
        dataset: where to put it; empty for the dataset that it was made from.
    """
    from trainer.tree import file_at  # noqa: PLC0415 - acknowledging does without

    store, scope, wanted = call.services.store, call.actor.scope, path.strip()
    file = file_at(store, scope, wanted if "/" in wanted else ARCHIVES + wanted)
    if file is None:
        raise Sorry(call.t(_NOT_HERE))
    # Zips are read from their end, and what a store gives can only be read from its beginning.
    with scratch() as folder:
        copy = folder / "archive.zip"
        with store.open_read(file.key) as source, copy.open("wb") as target:
            shutil.copyfileobj(source, target)
        told = restored(call, copy, dataset, alone=True)
    if told is None:
        raise Sorry(call.t(_NO_ARCHIVE))
    return told


def _told(t: Translator, done: Restored) -> str:
    if done.examples or done.corrections:
        examples = t.plural("{count} example", "{count} examples", done.examples)
        corrections = t.plural("{count} correction", "{count} corrections", done.corrections)
        text = N_("I restored {examples} and {corrections} to “{dataset}”.")
        lines = [t(text, examples=examples, corrections=corrections, dataset=plain(done.dataset))]
    else:
        text = N_("There was nothing to restore to “{dataset}”, so nothing has changed.")
        lines = [t(text, dataset=plain(done.dataset))]
    if done.there:
        lines.append("• " + t.plural("{count} was there already", "{count} were there already", done.there))
    if done.removed:
        text = t.plural(
            "{count} stays away: it was deleted or taken back since",
            "{count} stay away: they were deleted or taken back since",
            done.removed,
        )
        lines.append(f"• {text}")
    return "\n".join(lines)
