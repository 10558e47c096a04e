"""A run told in plain text, for a terminal or a CI system's log. Pure."""

from __future__ import annotations

import textwrap
import unicodedata
from typing import TYPE_CHECKING, Final, NamedTuple

from trainer.evaluation.report import head_part
from trainer.evaluation.report.safe_text import visible
from trainer.evaluation.report.word_diff import word_changes
from trainer.evaluation.report.words import COMPARED, KINDS, VERDICTS, check_text, decimal
from trainer.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from trainer.evaluation.cases import Case
    from trainer.evaluation.comparison import Pair
    from trainer.evaluation.console.screen import Style
    from trainer.evaluation.report.view import ReportView
    from trainer.evaluation.report.word_diff import Piece
    from trainer.evaluation.results import CaseResult
    from trainer.evaluation.statistics import Verdict
    from trainer.i18n import Translator

FAILED_SHOWN: Final = 5
"""Cases that did not pass which are shown; the files have them all."""
TAGS_SHOWN: Final = 15
QUESTION_MOST: Final = 160
ANSWER_MOST: Final = 400
"""Characters of what people wrote, and of answers, that are shown."""
AROUND: Final = 30
"""Characters of what stayed that are shown on each side of a change."""
INDENT: Final = "  "


class Page(NamedTuple):
    """What it is told with."""

    t: Translator
    style: Style
    width: int
    """Characters of a line."""

    def wrapped(self, text: str, indent: str = INDENT) -> list[str]:
        """A text in lines, each with this before it."""
        width = max(20, self.width - len(indent))
        return [indent + line for line in textwrap.wrap(visible(text), width, break_on_hyphens=False)]


def report(page: Page, view: ReportView, worst: Sequence[Pair]) -> Iterator[str]:
    """The whole report, line by line."""
    sections = (
        _head(page, view),
        _compared(page, view),
        _regressions(page, worst),
        _failures(page, view, worst),
        _tags(page, view),
        _facts(page, view),
    )
    first = True
    for section in sections:
        for number, line in enumerate(section):
            if number == 0 and not first:
                yield ""
            first = False
            yield line


def _head(page: Page, view: ReportView) -> Iterator[str]:
    t, style = page.t, page.style
    yield style.bold(visible(head_part.title(t, view.run)))
    yield style.dim(visible(head_part.subtitle(t, view.run)))
    yield ""
    told = head_part.result(t, view.run, view.summary)
    yield f"{style.bold(told.rate)}  {told.sentence}"
    for note in told.notes:
        first, *rest = page.wrapped(note, "• ")
        yield first
        yield from (INDENT + line.removeprefix("• ") for line in rest)
    tiles = [(one.name, one.value, one.note) for one in head_part.tiles(t, view.summary)]
    if tiles:
        yield ""
        yield from columns(tiles)


def _compared(page: Page, view: ReportView) -> Iterator[str]:
    judged = [one.verdict for one in (view.comparison, view.baseline) if one is not None]
    for number, (told, verdict) in enumerate(zip(head_part.comparisons(page.t, view), judged, strict=True)):
        if number:
            yield ""
        yield page.style.bold(visible(told.title))
        yield INDENT + _coloured(page.style, verdict, page.t(COMPARED[verdict]))
        yield INDENT + told.caption
        yield from columns([(fact.name, fact.value) for fact in told.facts], indent=INDENT)


def _coloured(style: Style, verdict: Verdict, text: str) -> str:
    return style.good(text) if verdict == "better" else style.bad(text) if verdict == "worse" else text


def _regressions(page: Page, worst: Sequence[Pair]) -> Iterator[str]:
    """What got worse, with what changed in the answers."""
    t = page.t
    for number, pair in enumerate(worst, start=1):
        if number == 1:
            yield page.style.bold(t(N_("Got worse")))
        before, after = pair
        yield from _asked(number, after.case)
        scores = f"{decimal(t, before.score, 2)} → {decimal(t, after.score, 2)}"
        yield f"     {t(VERDICTS[before.verdict])} → {t(VERDICTS[after.verdict])}, {scores}"
        yield from _expected(page, after.case)
        old, new = _answer(t, before), _answer(t, after)
        if old.split() == new.split():
            yield from _said(
                page, t(N_("The same answer, judged otherwise: {answer}"), answer=_cut(new, ANSWER_MOST))
            )
        else:
            yield f"     {changes(page.style, word_changes(old, new))}"


def _failures(page: Page, view: ReportView, worst: Sequence[Pair]) -> Iterator[str]:
    """The first cases that did not pass, but for those that were shown already."""
    t = page.t
    shown = {pair.after.case.id for pair in worst}
    left = view.summary.numbers.failed - len(shown)
    if left <= 0:
        return
    yield page.style.bold(t(N_("Did not pass")) if not shown else t(N_("Did not pass either")))
    number = 0
    for result in view.results():
        if result.verdict != "failed" or result.case.id in shown:
            continue
        number += 1
        yield from _asked(number, result.case)
        yield from _expected(page, result.case)
        yield from _said(page, t(N_("answer: {answer}"), answer=_cut(_answer(t, result), ANSWER_MOST)))
        for check in result.checks:
            if check.reason and not check.passed:
                yield from _said(page, t(N_("the judge: {reason}"), reason=_cut(check.reason, ANSWER_MOST)))
        if number == FAILED_SHOWN:
            break
    if left > number:
        more = t.plural(
            "…and {count} more; --html has them all", "…and {count} more; --html has them all", left - number
        )
        yield f"  {page.style.dim(more)}"


def _asked(number: int, case: Case) -> Iterator[str]:
    yield f"  {number}. {_cut(case.question, QUESTION_MOST)}"


def _expected(page: Page, case: Case) -> Iterator[str]:
    for check in case.checks:
        values = " | ".join(check.values)
        wanted = check_text(page.t, check) + (f": {values}" if values else "")
        yield from _said(page, page.t(N_("expected: {wanted}"), wanted=_cut(wanted, ANSWER_MOST)))


def _said(page: Page, text: str) -> list[str]:
    return page.wrapped(text, "     ")


def _answer(t: Translator, result: CaseResult) -> str:
    return result.answer or t(KINDS["unknown"])


def _tags(page: Page, view: ReportView) -> Iterator[str]:
    t = page.t
    told = head_part.tags(t, view.summary)
    if not told:
        return
    yield page.style.bold(t(N_("By tag")))
    header = (t(N_("Tag")), t(N_("Cases")), t(N_("Passed")), t(N_("Errors")), t(N_("Pass rate")), t(N_("Interval")))
    rows = [
        (_cut(one.name, 40), str(one.cases), str(one.passed), str(one.errors), one.rate, one.interval)
        for one in told[:TAGS_SHOWN]
    ]
    yield from columns([header, *rows], indent=INDENT)
    more = len(told) - len(rows) + view.summary.more_tags
    if more:
        text = t.plural("and {count} more tag with fewer cases", "and {count} more tags with fewer cases", more)
        yield INDENT + page.style.dim(text)


def _facts(page: Page, view: ReportView) -> Iterator[str]:
    yield page.style.bold(page.t(N_("What was tested")))
    facts = head_part.facts(page.t, view.run, view.summary)
    yield from columns([(fact.name, visible(fact.value)) for fact in facts], indent=INDENT)


def changes(style: Style, pieces: Iterable[Piece]) -> str:
    """A word diff on one line, as wdiff writes it: `[-gone-] {+new+}`; of what stayed, what is near a change."""
    shown: list[str] = []
    listed = list(pieces)
    left = ANSWER_MOST
    for place, piece in enumerate(listed):
        text = visible(" ".join(piece.text.split()))
        if piece.kind == "same":
            text = _near(text, first=place == 0, last=place == len(listed) - 1)
        if len(text) > left:
            text, left = text[:left].rstrip() + "…", 0
        left -= len(text)
        if piece.kind == "gone":
            text = style.bad(f"[-{text}-]")
        elif piece.kind == "new":
            text = style.good(f"{{+{text}+}}")
        before, after = piece.text[:1].isspace(), piece.text[-1:].isspace()
        shown.append(f"{' ' if before else ''}{text}{' ' if after else ''}")
        if left <= 0:
            break
    return " ".join("".join(shown).split())


def _near(text: str, *, first: bool, last: bool) -> str:
    head, tail = 0 if first else AROUND, 0 if last else AROUND
    if len(text) <= head + tail + len(" … "):
        return text
    return " … ".join([text[:head].rstrip(), text[len(text) - tail :].lstrip() if tail else ""]).strip(" ")


def columns(rows: Sequence[Sequence[str]], *, indent: str = "") -> Iterator[str]:
    """Rows of as many cells each, under each other."""
    widths = [max(map(cells, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        padded = (cell + " " * (width - cells(cell)) for cell, width in zip(row, widths, strict=True))
        yield (indent + "  ".join(padded)).rstrip()


def cells(text: str) -> int:
    """How many columns of a terminal a text takes (Unicode Standard Annex 11)."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )


def _cut(text: str, most: int) -> str:
    line = " ".join(visible(text).split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"
