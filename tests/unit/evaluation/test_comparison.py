"""One run beside another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from tests.unit.evaluation.results_made import made
from trainer.evaluation.cases import Check, Exchange
from trainer.evaluation.comparison import Comparison, compare, worst
from trainer.evaluation.summary import Outcome, Outcomes, outcomes_of

if TYPE_CHECKING:
    from trainer.evaluation.results import Verdict

BEFORE: Outcomes = {
    "gone": Outcome("passed", 1.0),
    "lost-little": Outcome("passed", 0.8),
    "lost-much": Outcome("passed", 1.0),
    "won": Outcome("failed", 0.1),
    "won-more": Outcome("failed", 0.0),
    "good": Outcome("passed", 1.0),
    "bad": Outcome("failed", 0.3),
    "broke": Outcome("passed", 1.0),
    "back": Outcome("error", 0.0),
}
AFTER: Outcomes = {
    "back": Outcome("passed", 1.0),
    "bad": Outcome("failed", 0.4),
    "broke": Outcome("error", 0.0),
    "come": Outcome("failed", 0.0),
    "good": Outcome("passed", 1.0),
    "lost-little": Outcome("failed", 0.6),
    "lost-much": Outcome("failed", 0.1),
    "won": Outcome("passed", 0.9),
    "won-more": Outcome("passed", 1.0),
}


def test_only_what_both_judged_is_compared() -> None:
    found = compare(BEFORE, AFTER)
    assert found.improved == ("won-more", "won")
    assert found.regressed == ("lost-much", "lost-little")
    assert (found.still_passed, found.still_failed, found.unchanged) == (1, 1, 2)
    assert found.unjudged == ("back", "broke")
    assert (found.added, found.removed) == (1, 1)
    assert found.shared == 6
    assert found.before_rate == pytest.approx(3 / 6)
    assert found.after_rate == pytest.approx(3 / 6)
    assert found.before_score == pytest.approx(3.2 / 6)
    assert found.after_score == pytest.approx(4.0 / 6)
    assert found.interval is not None
    assert found.interval.low <= 0.8 / 6 <= found.interval.high
    assert found.p == 1.0
    assert found.verdict == "too_few"


def test_a_clear_gain_is_called_better_and_the_way_back_worse() -> None:
    before = {
        f"c{number}": Outcome("failed" if number < 12 else "passed", float(number >= 12)) for number in range(40)
    }
    after = {case: Outcome("passed", 1.0) for case in before}
    better, worse = compare(before, after), compare(after, before)
    assert better.verdict == "better"
    assert better.p == pytest.approx(binomtest(12, 12, 0.5).pvalue)
    assert worse.verdict == "worse"
    assert worse.regressed == better.improved
    assert (better.before_score, better.after_score) == (0.7, 1.0)


def test_many_cases_without_a_change_are_the_same() -> None:
    runs = {f"c{number}": Outcome("passed", 1.0) for number in range(400)}
    found = compare(runs, dict(reversed(runs.items())))
    assert (found.verdict, found.p, found.unchanged) == ("same", 1.0, 400)


@pytest.mark.parametrize(
    ("before", "after"), [({}, {}), ({}, AFTER), (BEFORE, {}), ({"back": BEFORE["back"]}, AFTER)]
)
def test_nothing_shared_says_nothing(before: Outcomes, after: Outcomes) -> None:
    found = compare(before, after)
    assert found.shared == 0
    assert [found.p, found.interval, found.before_rate, found.after_rate] == [None] * 4
    assert [found.before_score, found.after_score] == [None] * 2
    assert found.verdict == "too_few"
    assert found.added + len(found.unjudged) == len(after)


def test_the_score_goes_by_the_later_weights() -> None:
    found = compare({"a": Outcome("passed", 1.0, 1.0), "b": Outcome("failed", 0.0, 9.0)},
                    {"a": Outcome("passed", 1.0, 3.0), "b": Outcome("failed", 0.0, 1.0)})  # fmt: skip
    assert found.before_score == found.after_score == 0.75


def test_the_worst_regressions_come_first_and_no_more_than_asked() -> None:
    before = [made(0), made(1, score=0.9), made(2), made(3, "failed")]
    after = [made(3), made(2, "failed", 0.0), made(1, "failed", 0.5), made(0, "failed", 0.3)]
    compared = compare(outcomes_of(before), outcomes_of(after))
    pairs = worst(compared, iter(before), iter(after), most=2)
    assert [(pair.before.case.id, pair.after.case.id) for pair in pairs] == [("c2", "c2"), ("c0", "c0")]
    assert [(pair.before.score, pair.after.score) for pair in pairs] == [(1.0, 0.0), (1.0, 0.3)]
    assert worst(compared, [], iter(after)) == []


def test_another_question_of_the_same_id_is_another_case() -> None:
    asked = made(0).case
    other = msgspec.structs.replace(asked, question="Something else?")
    later = msgspec.structs.replace(asked, former=(Exchange("Before?", "Yes."),))
    same = msgspec.structs.replace(asked, question="question 0", checks=(Check("contains", ("rules",)),))
    before = outcomes_of([made(0, "failed")])
    for case in (other, later):
        found = compare(before, outcomes_of([made(0, case=case)]))
        assert (found.shared, found.added, found.removed) == (0, 1, 1)
        assert (found.improved, found.p) == ((), None)
    assert compare(before, outcomes_of([made(0, case=same)])).improved == ("c0",)


def test_a_comparison_survives_the_store() -> None:
    found = compare(BEFORE, AFTER)
    assert msgspec.json.decode(msgspec.json.encode(found), type=Comparison) == found


outcomes = st.dictionaries(
    st.sampled_from("abcdefgh"),
    st.builds(Outcome, st.sampled_from(["passed", "failed", "error"]), st.floats(0, 1)),
)


@given(outcomes, outcomes)
def test_the_way_back_is_the_mirror_image(before: Outcomes, after: Outcomes) -> None:
    there, back = compare(before, after), compare(after, before)
    assert set(there.improved) == set(back.regressed)
    assert set(there.regressed) == set(back.improved)
    assert (there.added, there.removed) == (back.removed, back.added)
    assert (there.p, there.unjudged, there.unchanged) == (back.p, back.unjudged, back.unchanged)
    assert there.shared + len(there.unjudged) + there.added == len(after)
    mirror: dict[str, Verdict] = {case: one.verdict for case, one in after.items()}
    assert all(mirror[case] == "failed" for case in there.regressed)
