"""Gives people a file from the store: attached where Discord takes one of its size, else by a link that expires."""

from __future__ import annotations

import mimetypes
import time
from typing import TYPE_CHECKING, Any, Final

from interactions.outbound import Reply, ReplyFile
from interactions.wording import plain
from trainer.i18n import N_

if TYPE_CHECKING:
    from interactions.call import WorkCall
    from trainer.i18n import Translator

LINK_S: Final = 3600
"""How long a link holds."""
LINK_MOST: Final = 1500
"""Characters of a link that are shown; a longer one goes into a file, since no message takes it."""
KIB: Final = 1024
UNITS: Final = (N_("{size} B"), N_("{size} KB"), N_("{size} MB"), N_("{size} GB"))

_NO_LINK: Final = N_(
    "The file is {size}, and Discord takes at most {most} from me here. I could give you a link instead if whoever "
    "runs me set TRAINGER_PUBLIC_URL."
)


def with_file(call: WorkCall[Any], text: str, *, key: str, name: str, size: int) -> Reply:
    """A reply with a file of the store.

    Args:
        call: what asks for it; its interaction says what Discord takes here.
        text: what to say of it.
        key: where it lies in the store. The caller has made sure that this person may have it.
        name: the name to show and to save it by.
        size: in bytes.
    """
    # Attachments' names are cleaned by what fetches them, which acknowledging does without.
    from interactions.attachments import safe_filename  # noqa: PLC0415

    t, shown = call.t, safe_filename(name)
    most = call.interaction.attachment_size_limit
    if size <= most:
        kind = mimetypes.guess_type(shown)[0] or "application/octet-stream"
        return Reply(text, files=(ReplyFile(shown, content_type=kind, key=key),))
    url = call.services.store.url(key, expires_s=LINK_S, filename=shown)
    if url is None:
        return Reply(f"{text}\n{t(_NO_LINK, size=size_text(t, size), most=size_text(t, most))}")
    until = int(time.time()) + LINK_S
    if len(url) > LINK_MOST:
        page = ReplyFile("link.txt", url.encode())
        said = t(
            N_("It is too large for Discord; the link to it is in the file, and works until <t:{at}:t>."), at=until
        )
        return Reply(f"{text}\n{said}", files=(page,))
    # In angle brackets, so that Discord does not look at what is behind it.
    link = f"[{plain(shown)}](<{url}>)"
    said = t(N_("It is too large for Discord. This link works until <t:{at}:t>, for whoever has it:"), at=until)
    return Reply(f"{text}\n{said}\n{link}")


def size_text(t: Translator, size: int) -> str:
    """A number of bytes as people write it, in units of 1024."""
    amount, unit = float(size), 0
    while amount >= KIB and unit < len(UNITS) - 1:
        amount /= KIB
        unit += 1
    digits = 0 if unit == 0 or amount >= 10 else 1  # noqa: PLR2004 - 9.9 MB, but 10 MB
    said = f"{amount:.{digits}f}"
    return t(UNITS[unit], size=said if t.language == "en" else said.replace(".", ","))
