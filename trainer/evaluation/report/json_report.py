"""Everything of a run as one JSON document, for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Final

import msgspec

from trainer.evaluation.report.view import Changes

if TYPE_CHECKING:
    from trainer.evaluation.report.view import ReportView

_ENCODER: Final = msgspec.json.Encoder()


def write_json(stream: BinaryIO, view: ReportView) -> None:
    """Write `{"run", "summary", "comparison", "baseline", "cases"}`, a case on each line.

    `comparison` (with an earlier run, which is `earlier`) and `baseline` are null where there is none. Each case has
    a `change`: `improved`, `regressed`, `unjudged`, or empty.
    """
    head = {
        "run": view.run,
        "summary": view.summary,
        "earlier": view.earlier,
        "comparison": view.comparison,
        "baseline": view.baseline,
    }
    changes = Changes(view.comparison)
    parts = (b'"%s": %s' % (name.encode(), _ENCODER.encode(part)) for name, part in head.items())
    stream.write(b"{\n" + b",\n".join(parts) + b',\n"cases": [')
    separator = b"\n"
    for result in view.results():
        case = _ENCODER.encode(result)
        change = _ENCODER.encode(changes.of(result.case.id))
        stream.write(b'%s%s,"change":%s}' % (separator, case[:-1], change))
        separator = b",\n"
    stream.write(b"\n]}\n")
