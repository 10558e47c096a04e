"""What files of many records are cut into, before anybody asks what a record means. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from trainer.importers.rejections import Place, RejectionReason


class Record(NamedTuple):
    """A value that stands where records stand."""

    place: Place
    value: object
    """dict, list, str, `json_value.Number`, bool or None; of a table, a dict of the cells by their columns."""


class Broken(NamedTuple):
    """A place where there should be a record."""

    place: Place
    reason: RejectionReason
    line: int = 0
    """Where the syntax breaks, from 1; 0 if the place says it, or nobody knows."""
