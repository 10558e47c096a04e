"""The report as one HTML page that needs nothing but itself: no network, and no JavaScript to be read."""

from __future__ import annotations

import base64
import hashlib
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, BinaryIO, Final, Literal, NamedTuple

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from trainer.evaluation.report import head_part
from trainer.evaluation.report.case_part import case_part
from trainer.evaluation.report.safe_text import visible
from trainer.evaluation.report.view import Changes
from trainer.evaluation.results import CaseResult

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jinja2 import Template

    from trainer.evaluation.report.case_part import CasePart
    from trainer.evaluation.report.view import Changed, ReportView
    from trainer.i18n import Translator

Order = Literal["worst", "file"]
"""worst: what got worse first, then other failures, errors, and what passed, each from the lowest score on. file: as
the cases were."""

FILES: Final = Path(__file__).parent / "page"
OPEN_MOST: Final = 20
"""Cases that did not pass which can be read without opening them."""
IN_MEMORY: Final = 8 * 1024 * 1024
"""Bytes of results that are kept in memory while they are put in order; beyond it, in a temporary file."""
PIECES: Final = 200
"""Pieces of the page that are written at once."""
_RANKS: Final = {"failed": 1, "error": 2, "passed": 3}


class Picture(NamedTuple):
    """The chart, inside of the page."""

    data: str
    alt: str
    width: int
    height: int


def write_html(stream: BinaryIO, view: ReportView, t: Translator, order: Order = "worst") -> None:
    """Write the page in the language of `t`, case by case. Everything that people wrote is shown as text."""
    changes = Changes(view.comparison)
    with _in_order(view.results(), changes, order) as results:
        pieces = _template().stream(
            language=t.language,
            policy=_policy(),
            style=Markup(_file("page.css")),  # noqa: S704 - our own file
            script=Markup(_file("page.js")),  # noqa: S704 - our own file
            say=head_part.labels(t, order),
            title=head_part.title(t, view.run),
            subtitle=head_part.subtitle(t, view.run),
            result=head_part.result(t, view.run, view.summary),
            tiles=head_part.tiles(t, view.summary),
            facts=head_part.facts(t, view.run, view.summary),
            comparisons=head_part.comparisons(t, view),
            picture=_picture(view, t),
            tags=head_part.tags(t, view.summary),
            more_tags=head_part.more_tags(t, view.summary),
            choices=head_part.choices(t, view),
            cases=_cases(results, changes, view, t),
        )
        pieces.enable_buffering(PIECES)
        pieces.dump(stream, encoding="utf-8", errors="replace")


def _cases(results: Iterable[CaseResult], changes: Changes, view: ReportView, t: Translator) -> Iterator[CasePart]:
    left = OPEN_MOST
    for result in results:
        change = changes.of(result.case.id)
        before = view.before(result.case.id) if change in {"improved", "regressed"} else None
        is_open = result.verdict != "passed" and left > 0
        left -= is_open
        yield case_part(t, result, change, before, is_open=is_open)


@contextmanager
def _in_order(results: Iterator[CaseResult], changes: Changes, order: Order) -> Iterator[Iterator[CaseResult]]:
    """The results in the order of the page. At most their places are kept in memory, with the first few MB."""
    if order == "file":
        yield results
        return
    encoder, decoder = msgspec.json.Encoder(), msgspec.json.Decoder(CaseResult)
    places: list[tuple[int, float, int, int, int]] = []
    with SpooledTemporaryFile(max_size=IN_MEMORY) as file:
        start = 0
        for result in results:
            size = file.write(encoder.encode(result))
            rank = _rank(result, changes.of(result.case.id))
            places.append((rank, result.score, result.number, start, size))
            start += size
        places.sort()

        def read() -> Iterator[CaseResult]:
            for _, _, _, begin, length in places:
                file.seek(begin)
                yield decoder.decode(file.read(length))

        yield read()


def _rank(result: CaseResult, change: Changed) -> int:
    return 0 if change == "regressed" else _RANKS[result.verdict]


def _picture(view: ReportView, t: Translator) -> Picture | None:
    if not view.history:
        return None
    from trainer.evaluation.report import chart  # noqa: PLC0415 - a page without a chart does without Pillow

    data = base64.b64encode(chart.chart(view.history, view.untrained)).decode()
    return Picture(data, chart.alt_text(view.history, t, view.untrained), chart.WIDTH, chart.HEIGHT)


@cache
def _template() -> Template:
    environment = Environment(
        loader=FileSystemLoader(FILES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html.j2")


def _shown(value: object) -> object:
    """What goes into the page: of everything that people may have written, what can be seen."""
    return value if isinstance(value, Markup) or not isinstance(value, str) else visible(value)


@cache
def _file(name: str) -> str:
    return (FILES / name).read_text(encoding="utf-8").strip()


def _policy() -> str:
    """What the page may do: show itself and run its own script, and reach nothing else. See CSP level 3."""
    style, script = _hash(_file("page.css")), _hash(_file("page.js"))
    return (
        f"default-src 'none'; style-src '{style}'; script-src '{script}'; img-src data:; base-uri 'none'; "
        "form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
