"""What a report is made of. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from trainer.evaluation.comparison import Comparison
    from trainer.evaluation.report.chart import Point
    from trainer.evaluation.results import CaseResult, Run
    from trainer.evaluation.summary import Summary

Changed = Literal["improved", "regressed", "unjudged", ""]


class ReportView(NamedTuple):
    """A run, to be told of.

    The results come one by one, so that a report of the largest run fits into little memory.
    """

    run: Run
    summary: Summary
    comparison: Comparison | None
    """With an earlier run."""
    baseline: Comparison | None
    """With the same cases and nothing taught: that is its `before`."""
    results: Callable[[], Iterator[CaseResult]]
    """The results from the first on. Called once by each report."""
    before: Callable[[str], CaseResult | None]
    """What came of the case with this id in the earlier run. Asked only for cases that improved or regressed."""
    earlier: Run | None = None
    """The run of `comparison`."""
    history: Sequence[Point] = ()
    """Runs for the chart, this one the last; empty for a page without a chart."""

    @property
    def untrained(self) -> float | None:
        """The pass rate with nothing taught, 0 to 1, of the cases that both runs judged."""
        return self.baseline.before_rate if self.baseline is not None else None


class Changes:
    """Tells quickly what became of a case since the earlier run."""

    def __init__(self, comparison: Comparison | None) -> None:
        self._known: dict[str, Changed] = {}
        if comparison is not None:
            self._known.update(dict.fromkeys(comparison.improved, "improved"))
            self._known.update(dict.fromkeys(comparison.regressed, "regressed"))
            self._known.update(dict.fromkeys(comparison.unjudged, "unjudged"))

    def of(self, case: str) -> Changed:
        """What became of the case; empty where it came out as before, or was not there."""
        return self._known.get(case, "")
