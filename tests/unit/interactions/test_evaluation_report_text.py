"""The message that tells of a run: what is in it, and what is left out where there is no room."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from interactions.evaluation_report import report_buttons
from interactions.evaluation_report_text import ROOM, Told, report_text, run_line, versus_text
from interactions.splitting import LIMIT, units
from tests.unit.evaluation.results_made import HOSTILE, hostile, made, run, view
from trainer.evaluation.comparison import Pair, compare, worst
from trainer.evaluation.summary import outcomes_of
from trainer.i18n import translator

if TYPE_CHECKING:
    from trainer.evaluation.report.view import ReportView
    from trainer.evaluation.results import CaseResult

T = translator("en-US")


def pairs(one: ReportView, before: list[CaseResult], now: list[CaseResult]) -> list[Pair]:
    assert one.comparison is not None
    return worst(one.comparison, before, now, 3)


def changed(one: ReportView, **more: Any) -> ReportView:
    return one._replace(run=msgspec.structs.replace(one.run, **more))


def test_a_run_on_its_own() -> None:
    results = [made(number, "passed" if number % 2 else "failed") for number in range(10)]
    assert report_text(T, view(results), Told()) == (
        "### Test of “support”\n▰▰▰▰▰▰▱▱▱▱▱▱ **50% passed**\n"
        "5 of 10 judged cases passed. 95% interval: 24% to 76%.\n"
        "-# Cases: cases.jsonl · taught: 12 entries · answers: gpt-test\n"
        "-# Mean score: 0.50 (95% interval: 0.20 to 0.80) · "
        "Half of the answers within: 0.50 s (95% of them within 0.50 s)"
    )


def test_errors_costs_and_leakage_are_told_apart() -> None:
    results = [
        made(0, usd=0.25, tokens=(1000, 234), leaked=True),
        made(1, "error", error="over_budget"),
        made(2, "failed", usd=0.5),
    ]
    text = report_text(T, view(results), Told(changed=True))
    assert "1 of 2 judged cases passed." in text
    assert (
        "• 1 case could not be judged and counts neither as passed nor as failed: the budget was used up (1)." in text
    )
    assert "• 1 case is a training example too: it tests memory, not learning." in text
    assert "Without those the pass rate is 0% (0 of 1)." in text
    assert "⚠️ What I was taught changed while this ran" in text
    assert "Tokens: 1234 (1000 read, 234 written) · Cost: $0.7500" in text


def test_nothing_could_be_judged() -> None:
    text = report_text(T, view([made(0, "error"), made(1, "error")]), Told())
    assert text.startswith("### Test of “support”\nNo case could be judged.\n-# Cases")
    assert "▱" not in text


def test_tags_are_told_where_they_say_something() -> None:
    one_for_all = [made(number, tags=("a",)) for number in range(3)]
    assert "By tag" not in report_text(T, view(one_for_all), Told())
    assert "**By tag**\na 100% (3/3)" in report_text(T, view([*one_for_all, made(3)]), Told())
    many = [made(number, tags=(f"tag_{number:02}",)) for number in range(9)]
    assert "tag\\_00 100% (1/1) · " in report_text(T, view(many), Told())
    assert report_text(T, view(many), Told()).splitlines()[-2].endswith("· 3 more")
    own = changed(view([made(0, tags=("correction",)), made(1, tags=("disliked",))]), source="regression")
    assert "corrections 100% (1/1) · 👎 answers 100% (1/1)" in report_text(T, own, Told())


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"source": "regression"}, "the dataset's own cases"),
        ({"source": "failures"}, "failures of an earlier run"),
        ({"source": "gate"}, "the dataset's own cases, before a change"),
        ({"file_name": ""}, "a file"),
        ({"file_name": "a_b*c.jsonl"}, "a\\_b\\*c.jsonl"),
    ],
)
def test_where_cases_came_from(more: dict[str, Any], told: str) -> None:
    text = report_text(T, changed(view([made(0)]), **more), Told())
    assert f"-# Cases: {told} · taught" in text


def test_what_is_not_comparable_is_told() -> None:
    before = [made(0), made(1), made(2, "error"), made(9)]
    now = [made(0), made(1, "failed", answer="No."), made(2), made(3)]
    one = view(now, before)
    text = report_text(T, one, Told(worst=pairs(one, before, now)))
    assert "▲ 0 improved · ▼ 1 got worse · 1 unchanged · 100% → 50%" in text
    assert "· 1 not comparable · 1 only now, 1 only then" in text
    assert "**Got worse**\n1. Question 1?\n> ~~Read the rules first~~ **No**." in text


def test_the_same_answer_may_be_judged_otherwise() -> None:
    before, now = [made(0)], [made(0, "failed", 0.4)]
    one = view(now, before)
    text = report_text(T, one, Told(worst=pairs(one, before, now)))
    assert "> Read the rules first. (the same answer, judged otherwise)" in text
    silent = [made(0, "failed", answer="", kind="unknown")]
    quiet = view(silent, before)
    assert "> ~~Read the rules first.~~ **“I don't know”**" in report_text(
        T, quiet, Told(worst=pairs(quiet, before, silent))
    )


def test_however_much_there_is_to_tell_it_fits_into_one_message() -> None:
    before = [msgspec.structs.replace(hostile(number), verdict="passed", score=1.0) for number in range(9)]
    now = [hostile(number) for number in range(9)]
    long = [msgspec.structs.replace(one, answer="*`_" * 3000 + str(one.number)) for one in now]
    one = view(long, before, dataset="x" * 48)._replace(baseline=compare(outcomes_of(before), outcomes_of(long)))
    told = Told(
        worst=pairs(one, before, long), cancelled_by="1", changed=True, rejections=["r" * 90] * 4, notes=["n" * 200]
    )
    text = report_text(T, one, told)
    assert units(text) <= ROOM < LIMIT
    assert "0 of 9 judged cases passed." in text
    assert "✋ <@1> cancelled it." in text
    assert "Since the last run" in text
    assert "n" * 200 in text
    # The worst regression is told before less important ones.
    assert "**Got worse**\n1. " in text
    assert "3. " not in text
    assert HOSTILE[:30] not in text
    assert "\u202e" not in text


def test_runs_without_a_common_case_are_not_compared() -> None:
    one = view([made(0)], [made(1)])._replace(earlier=run(1))
    assert versus_text(T, one, ()) == (
        "### “support”: <t:1790000000:f> → <t:1790000000:f>\n"
        "The two have no case in common that both could judge, so there is nothing to compare."
    )
    with pytest.raises(ValueError, match="nothing to compare with"):
        versus_text(T, view([made(0)]), ())


def test_a_run_in_a_list() -> None:
    assert run_line(T, run(2), view([made(0), made(1, "failed")]).summary.numbers) == (
        "<t:1790000000:f> · 50% of 2 · cases.jsonl"
    )
    assert "· – of 0 ·" in run_line(T, run(1), view([made(0, "error")]).summary.numbers)


def test_buttons_fit_discord_whatever_they_are_about() -> None:
    buttons = report_buttons(T, "9" * 20, failed=True)
    assert [len(button.custom_id) <= 100 for button in buttons] == [True] * 4
    assert [button.label for button in report_buttons(T, "1", failed=False)] == ["Compare with…", "Download"]
