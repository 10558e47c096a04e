"""How far a test is."""

from __future__ import annotations

import pytest

from interactions.evaluation_wording import BAR, bar, cut, progress_text
from tests.unit.evaluation.results_made import run
from trainer.evaluation.delivery import Progress
from trainer.i18n import translator

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
