"""JSON Lines: one record a line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainer.importers import decoding, json_value, shapes
from trainer.importers.records import Broken, Record
from trainer.importers.rejections import Place, Rejection, RejectionReason

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from trainer.importers.examples import Item


def read_json_lines(path: Path, encoding: str) -> Iterator[Item]:
    """Every line's examples, or its rejection."""
    for found in read_records(path, encoding):
        if isinstance(found, Broken):
            yield Rejection(found.place, found.reason)
        else:
            yield from shapes.examples_of(found.value, found.place)


def read_records(path: Path, encoding: str) -> Iterator[Record | Broken]:
    """Every line's value. Blank lines count but are nothing."""
    overlong = 0
    with decoding.open_text(path, encoding) as stream:
        for line in decoding.read_lines(stream, json_value.MAX_RECORD):
            if line.number == overlong:
                continue  # the rest of a line that was rejected
            place = Place("line", line.number)
            if not line.complete and len(line.text) >= json_value.MAX_RECORD:
                overlong = line.number
                yield Broken(place, RejectionReason.TOO_LONG)
                continue
            # A comma at the end is left over where somebody took an array apart.
            text = line.text.strip().strip("\ufeff").removesuffix(",")
            if not text:
                continue
            try:
                record = json_value.decode(text)
            except json_value.Undecodable as error:
                cut = (
                    not line.complete
                    and error.reason is RejectionReason.NOT_JSON
                    and text.startswith("{")
                    and not text.endswith("}")
                )
                yield Broken(place, RejectionReason.TRUNCATED if cut else error.reason)
            else:
                yield Record(place, record)
