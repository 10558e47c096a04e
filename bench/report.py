"""What a measurement hands back, and how it is shown: tables for people, JSON for machines."""

from __future__ import annotations

import datetime as dt
import os
import platform
import statistics
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Value = str | int | float | bool | None


class Table(NamedTuple):
    """Rows under named columns; the first column says what each row is about."""

    title: str
    columns: tuple[str, ...]
    """With units, such as `wall ms, median`."""
    rows: tuple[tuple[Value, ...], ...]


class Aim(NamedTuple):
    """A number that was promised."""

    what: str
    value: float
    bound: Literal["at most", "at least"]
    limit: float

    @property
    def met(self) -> bool:
        """Whether the promise was kept in this run."""
        return self.value <= self.limit if self.bound == "at most" else self.value >= self.limit


class Result(NamedTuple):
    """One measurement."""

    about: str
    """What was measured, and beside what: a sentence or two."""
    tables: tuple[Table, ...]
    aims: tuple[Aim, ...] = ()
    notes: tuple[str, ...] = ()
    """What one must know to read the numbers."""


def table_of(title: str, subject: str, rows: Mapping[str, Mapping[str, Value]]) -> Table:
    """A table of named rows; a column is any name that a row has, in order of appearance."""
    columns = tuple(dict.fromkeys(name for row in rows.values() for name in row))
    filled = tuple((name, *(row.get(column) for column in columns)) for name, row in rows.items())
    return Table(title, (subject, *columns), filled)


def p95(values: Sequence[float]) -> float:
    """The 95th percentile, between the two nearest values. Needs two values."""
    return statistics.quantiles(values, n=20, method="inclusive")[18]


def as_text(name: str, result: Result) -> str:
    """The result for a terminal."""
    parts = [f"== {name} ==", result.about]
    parts += [_text_of(table) for table in result.tables]
    for aim in result.aims:
        parts.append(
            f"{'met   ' if aim.met else 'MISSED'}  {aim.what}: {_shown(aim.value)} ({aim.bound} {aim.limit})"
        )
    parts += [f"- {note}" for note in result.notes]
    return "\n".join(parts) + "\n"


def as_json(name: str, result: Result, at: dt.datetime) -> dict[str, object]:
    """The result as plain data, with where and when it was measured."""
    return {
        "bench": name,
        "measured_at": at.astimezone(dt.UTC).isoformat(timespec="seconds"),
        "machine": {"python": platform.python_version(), "system": platform.platform(), "cores": os.cpu_count()},
        "about": result.about,
        "tables": [
            {"title": table.title, "rows": [dict(zip(table.columns, row, strict=True)) for row in table.rows]}
            for table in result.tables
        ],
        "aims": [{**aim._asdict(), "met": aim.met} for aim in result.aims],
        "notes": list(result.notes),
    }


def _text_of(table: Table) -> str:
    """Columns as wide as their widest value; numbers to the right, texts to the left."""
    cells = [list(table.columns), *([_shown(value) for value in row] for row in table.rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(table.columns))]
    numeric = [
        all(isinstance(row[column], int | float | None) for row in table.rows) for column in range(len(table.columns))
    ]

    def line(row: Sequence[str]) -> str:
        padded = (
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(row, widths, numeric, strict=True)
        )
        return "  ".join(padded).rstrip()

    ruler = "  ".join("-" * width for width in widths)
    return "\n".join(["", table.title, line(cells[0]), ruler, *(line(row) for row in cells[1:]), ""])


def _shown(value: Value) -> str:
    """Three significant digits and no exponent: more would be noise."""
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}" if abs(value) >= 0.001 else f"{value:.4f}"
    return str(value)
