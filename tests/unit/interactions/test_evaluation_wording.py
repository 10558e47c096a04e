"""How far a test is, and how /stats tells of the last one."""

from __future__ import annotations

import pytest

from interactions.commands.stats import report
from interactions.evaluation_wording import BAR, bar, cut, progress_text
from tests.unit.evaluation.results_made import run
from trainer.evaluation.delivery import Progress
from trainer.evaluation.statistics import wilson
from trainer.evaluation.summary import Numbers
from trainer.i18n import translator
from trainer.statistics import Asked, Datasets, LastTest, Statistics

T = translator("en-US")


@pytest.mark.parametrize(
    ("progress", "told"),
    [
        (Progress(0, 200, "results", None), f"⏳ Testing “support”…\n{'▱' * BAR} 0/200"),
        (Progress(1, 200, "results", 3.0), f"⏳ Testing “support”…\n▰{'▱' * (BAR - 1)} 1/200 · a few seconds left"),
        (Progress(100, 200, "results", 41), "⏳ Testing “support”…\n▰▰▰▰▰▰▱▱▱▱▱▱ 100/200 · about 45 seconds left"),
        (Progress(199, 200, "results", 61), f"⏳ Testing “support”…\n{'▰' * 11}▱ 199/200 · about 2 minutes left"),
        (Progress(200, 200, "results", 0.0), f"⏳ Testing “support”…\n{'▰' * BAR} 200/200"),
        (
            Progress(50, 200, "baseline", None),
            "⏳ The same again, as if I had been taught nothing…\n▰▰▰▱▱▱▱▱▱▱▱▱ 50/200",
        ),
    ],
)
def test_progress_is_told_with_a_bar_and_what_is_left(progress: Progress, told: str) -> None:
    assert progress_text(T, run(200), progress) == told


def test_only_all_fills_the_bar_and_only_nothing_leaves_it_empty() -> None:
    assert bar(0) == "▱" * BAR
    assert bar(0.0001).count("▰") == 1
    assert bar(0.9999).count("▱") == 1
    assert bar(1) == "▰" * BAR


def test_words_are_cut_and_harmless() -> None:
    assert cut("a *b*\n@everyone", 100) == "a \\*b\\* \\@everyone"
    assert cut("one two three", 8) == "one two…"


def told_of(tested: LastTest | None, *, is_manager: bool) -> str:
    counted = Statistics(Datasets([], 0), Asked((), 0, None, left_out=False), (), None, tested)
    return "\n".join(report(T, counted, is_manager=is_manager))


def test_numbers_tell_how_the_last_test_went() -> None:
    numbers = Numbers(53, 46, 4, 3, wilson(46, 50), 0.9, None)
    tested = LastTest("a_set", 1_790_000_000.5, numbers)
    told = told_of(tested, is_manager=False)
    assert "• **92%**, <t:1790000000:R>. 46 of 50 judged cases passed. 95% interval: 81% to 97%." in told
    assert "set" not in told
    assert "-# What was tested: “a\\_set”" in told_of(tested, is_manager=True)
    assert "tested" not in told_of(None, is_manager=True)
    unjudged = tested._replace(numbers=Numbers(3, 0, 0, 3, None, None, None))
    assert "**–**, <t:1790000000:R>. No case could be judged." in told_of(unjudged, is_manager=True)
