"""One run beside another: what got better, what got worse, and whether that can be chance. Pure.

Cases are compared pair by pair, which tells far smaller differences than comparing two rates does (Miller, "Adding
Error Bars to Evals", arXiv 2411.00640). A case counts only if both runs had it and both judged it: a missing answer
is neither a gain nor a loss. The same case has the same id and asks the same; what it expects may have changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import msgspec

from trainer.evaluation import statistics
from trainer.evaluation.statistics import Interval
from trainer.evaluation.summary import weighted_mean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trainer.evaluation.results import CaseResult
    from trainer.evaluation.summary import Outcome, Outcomes

Change = Literal["improved", "regressed", "unchanged", "unjudged", "added"]
"""What became of a case since the other run. unjudged: one of them could not judge it; added: it is new."""
WORST_MOST: Final = 5


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """What changed from one run to another."""

    improved: tuple[str, ...]
    """Ids of the cases that failed and now pass, the greatest gain of score first."""
    regressed: tuple[str, ...]
    """Ids of the cases that passed and now fail, the greatest loss of score first."""
    still_passed: int
    still_failed: int
    unjudged: tuple[str, ...]
    """Ids of the cases of both runs that one of them, or both, could not judge."""
    added: int
    """Cases that only the later run has."""
    removed: int
    """Cases that only the earlier run has."""
    p: float | None
    """Of McNemar's exact test: how probable such a difference is if nothing has changed. None if none are shared."""
    before_score: float | None
    """The mean score of the shared cases, by the weights of the later run, 0 to 1."""
    after_score: float | None
    interval: Interval | None
    """The 95 % interval, by paired bootstrap, of how much higher the mean score is now."""
    verdict: statistics.Verdict
    v: int = 1

    @property
    def unchanged(self) -> int:
        """Shared cases that came out as before."""
        return self.still_passed + self.still_failed

    @property
    def shared(self) -> int:
        """Cases that both runs judged."""
        return len(self.improved) + len(self.regressed) + self.unchanged

    @property
    def before_rate(self) -> float | None:
        """The share of the shared cases that passed before, 0 to 1."""
        return (len(self.regressed) + self.still_passed) / self.shared if self.shared else None

    @property
    def after_rate(self) -> float | None:
        """The share of the shared cases that passes now, 0 to 1."""
        return (len(self.improved) + self.still_passed) / self.shared if self.shared else None


class Pair(NamedTuple):
    """What came of a case in two runs."""

    before: CaseResult
    after: CaseResult


def compare(before: Outcomes, after: Outcomes) -> Comparison:
    """Compare a run with an earlier one. The order in which the runs took their cases makes no difference."""
    found: dict[Change, list[str]] = {
        "improved": [], "regressed": [], "unchanged": [], "unjudged": [], "added": [],
    }  # fmt: skip
    for case, now in after.items():
        found[change(before.get(case), now)].append(case)
    shared = sorted(found["improved"] + found["regressed"] + found["unchanged"])
    scores_before = [before[case].score for case in shared]
    scores_after = [after[case].score for case in shared]
    weights = [after[case].weight for case in shared]

    def gain(case: str) -> float:
        return after[case].score - before[case].score

    improved = sorted(found["improved"], key=lambda case: (-gain(case), case))
    regressed = sorted(found["regressed"], key=lambda case: (gain(case), case))
    still_passed = sum(1 for case in found["unchanged"] if after[case].verdict == "passed")
    p = statistics.mcnemar_exact(len(improved), len(regressed)) if shared else None
    before_score = weighted_mean(scores_before, weights)
    interval = None if before_score is None else statistics.paired_bootstrap(scores_before, scores_after, weights)
    return Comparison(
        improved=tuple(improved),
        regressed=tuple(regressed),
        still_passed=still_passed,
        still_failed=len(found["unchanged"]) - still_passed,
        unjudged=tuple(sorted(found["unjudged"])),
        added=len(found["added"]),
        removed=sum(1 for case, was in before.items() if case not in after or was.asked != after[case].asked),
        p=p,
        before_score=before_score,
        after_score=weighted_mean(scores_after, weights),
        interval=interval,
        verdict=statistics.verdict(len(improved), len(regressed), p, interval, len(shared)),
    )


def change(before: Outcome | None, after: Outcome) -> Change:
    """What became of a case."""
    if before is None or before.asked != after.asked:
        return "added"
    if "error" in {before.verdict, after.verdict}:
        return "unjudged"
    if before.verdict == after.verdict:
        return "unchanged"
    return "improved" if after.verdict == "passed" else "regressed"


def worst(
    comparison: Comparison, before: Iterable[CaseResult], after: Iterable[CaseResult], most: int = WORST_MOST
) -> list[Pair]:
    """The regressions that lost most of their score, the greatest loss first.

    Reads each run's results once, and keeps no more of them than it returns.
    """
    wanted = comparison.regressed[:most]
    were = {result.case.id: result for result in before if result.case.id in wanted}
    are = {result.case.id: result for result in after if result.case.id in wanted}
    return [Pair(were[case], are[case]) for case in wanted if case in were and case in are]
