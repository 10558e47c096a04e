"""What an archive looks like inside: a zip with a manifest, and the limits of one that is taken back. Pure.

    datasets/<name>/batches/<interaction>.json   the stored objects under their own names, without the scope
    datasets/<name>/marks.txt                    objects that are empty, a name a line: what they say is their name
    trainger.json                                the manifest, last: what it is, counts, and each member's SHA-256

The journal is left out: it tells the indexes of one store what became valid when, and restoring writes a new one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec

from trainer.batches import Batch
from trainer.corrections import Correction, Undone, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMAT: Final = "trainger-archive"
VERSION: Final = 1
MANIFEST: Final = "trainger.json"
MARKS: Final = "marks.txt"

MIB: Final = 1024 * 1024
MEMBERS_MOST: Final = 100_000
"""More do not fit into an upload of 25 MiB: each takes some 280 bytes besides what is in it."""
MANIFEST_MOST: Final = 32 * MIB
RECORD_MOST: Final = 16 * MIB
"""Bytes of one record: 500 examples and as many rejections at their longest."""
MARKS_MOST: Final = 32 * MIB
LINE_MOST: Final = MIB
"""Bytes of one line of a chunk."""
TOTAL_MOST: Final = 1024 * MIB
"""Bytes of all members, unpacked."""
RATIO_MOST: Final = 250
"""How many times larger the whole may become by unpacking. Examples become 5 to 50 times larger, a bomb 1,000."""
RATIO_FROM: Final = 8 * MIB
"""Below this size unpacked nobody minds the ratio."""

Record = Batch | Correction | Verdict | Undone
RECORDS: Final[Mapping[str, type[Record]]] = {
    "batches": Batch,
    "corrections": Correction,
    "undone": Undone,
    "verdicts": Verdict,
}
"""The folders of a dataset that hold records, each named by an interaction."""
CHUNKS: Final = "chunks"
MARK_FOLDERS: Final = ("histories", "removed")
"""The folders of a dataset whose objects are empty."""
JOURNAL: Final = "journal"

RECORD_NAME: Final = re.compile(r"(batches|corrections|undone|verdicts)/([0-9]{1,19})\.json")
CHUNK_NAME: Final = re.compile(r"chunks/([0-9]{1,19})/[0-9a-f]{1,32}-(?:[0-9]{5}|(rejections))\.jsonl")
MARK_NAME: Final = re.compile(r"(?:removed|histories/[0-9a-f]{8,64})/([0-9]{1,19})")
SCOPE_NAME: Final = re.compile(r"[gu][0-9]{1,20}")


class Member(msgspec.Struct, frozen=True):
    """One file of the archive."""

    name: str
    size: Annotated[int, msgspec.Meta(ge=0)]
    """Bytes, unpacked."""
    sha256: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}\Z")]


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What the archive says of itself."""

    format: Literal["trainger-archive"] = FORMAT
    v: int = VERSION
    what: Literal["dataset", "files"]
    path: str
    """The folder that was archived, as people name it."""
    dataset: str = ""
    scope: str = ""
    """The prefix of the scope that it comes from."""
    made_at: float
    """Seconds since the epoch."""
    objects: int
    examples: int = 0
    corrections: int = 0
    members: list[Member]


class ArchiveProgress(msgspec.Struct, frozen=True):
    """How far archiving, checking or restoring is."""

    step: Literal["archive", "check", "restore"]
    objects: int
    bytes: int


Refusal = Literal["damaged", "altered", "too_large", "files", "newer"]


class ArchiveRefused(Exception):
    """A zip will not be restored; nothing has been written.

    Attributes:
        reason: `damaged` it is incomplete or no proper zip; `altered` what is in it is not as an archive of ours
            is; `too_large` it unpacks to more than is taken; `files` it holds files and no dataset; `newer` a later
            version made it.
    """

    def __init__(self, reason: Refusal) -> None:
        super().__init__(f"the archive is refused: {reason}")
        self.reason: Refusal = reason
