"""The record of one /train."""

from __future__ import annotations

from typing import Literal

import msgspec

from trainer.importers import Example, Rejection


class Origin(msgspec.Struct, frozen=True):
    """Where a batch of examples came from."""

    kind: Literal["text", "file"]
    name: str = ""
    """The file's name as it may be shown."""


class Report(msgspec.Struct, frozen=True):
    """What became of everything that one /train brought."""

    pairs: int = 0
    passages: int = 0
    duplicates: int = 0
    rejected: int = 0

    @property
    def accepted(self) -> int:
        """How many examples were learned."""
        return self.pairs + self.passages


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """One accepted /train. Its existence is what makes its examples valid."""

    id: str
    """The interaction's."""
    author: str
    origin: Origin
    created_at: float
    """Seconds since the epoch."""
    report: Report
    examples: list[Example] = []
    rejections: list[Rejection] = []
    chunks: list[str] = []
    """Keys of objects with more examples, a JSON document a line."""
    refusal: str = ""
    """Why the file was not read, or not to its end: a value of `trainer.importers.RefusalReason`."""
    refusal_detail: str = ""
    rejections_key: str = ""
    """Key of an object with all rejections, a JSON document a line, where they are too many for this record."""
    v: int = 1
