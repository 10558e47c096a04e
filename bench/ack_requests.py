"""Signed /ask interactions in a file, each one distinct, for the processes that are measured.

A line is signature, timestamp and body, parted by spaces; JSON holds no line feeds. Imports almost nothing: the
processes that read such a file count what they import.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    Request = tuple[str, str, bytes]
    """Signature, timestamp and body."""


def write(path: Path, count: int) -> None:
    """Write so many new requests, signed with the key of `tests.interactions_made`."""
    from tests import interactions_made as made

    lines = []
    for number in range(count):
        prompt = f"How do I reset the password of account no. {number}, and how long does it take?"
        body, signature, timestamp = made.signed(made.encode(made.slash("ask", {"prompt": prompt})))
        lines.append(b" ".join([signature.encode(), timestamp.encode(), body]))
    path.write_bytes(b"\n".join(lines))


def read(path: str) -> list[Request]:
    """The requests of a file."""
    with open(path, "rb") as file:  # noqa: PTH123 - pathlib is slow to import
        lines = [line.split(b" ", 2) for line in file.read().split(b"\n")]
    return [(signature.decode(), timestamp.decode(), body) for signature, timestamp, body in lines]
