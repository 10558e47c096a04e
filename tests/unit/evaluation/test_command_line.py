"""What can be typed, what it means, and when a run reaches what was asked of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.unit.evaluation.results_made import made
from trainer.evaluation.command_line import parse, share_of
from trainer.evaluation.comparison import compare
from trainer.evaluation.console.judging import judgements
from trainer.evaluation.console.options import Against, Bar, Limit, Options
from trainer.evaluation.summary import outcomes_of, summarise
from trainer.i18n import translator
from trainer.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trainer.evaluation.comparison import Comparison
    from trainer.evaluation.results import CaseResult, Verdict

T = translator("en")


def typed(*arguments: str, **environ: str) -> Options:
    return parse(arguments, environ)


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    with pytest.raises(SystemExit) as ended:
        typed(*arguments)
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("trainger: ")
    assert said.err.count("\n") == 1
    return said.err


# --- parsing --------------------------------------------------------------------------------------------------------


def test_nothing_is_the_dataset_s_own_cases_by_what_is_in_force() -> None:
    options = typed()
    assert options == Options(language="en", outputs={})
    assert options.kept


def test_everything() -> None:
    options = typed(
        *("cases.jsonl", "--dataset", "support", "--scope", "g42", "--min-pass", "0.9", "--max-errors", "3"),
        *("--junit", "o.xml", "--json", "o.json", "--csv", "o.csv", "--html", "o.html", "--chart", "o.png"),
        *("--model", "one", "--judge", "two", "--against", "model:three", "--no-worse", "--threads", "2"),
        *("--despite", " It is\n cheaper. "),
        *("--tag", "a", "--tag", "b", "--limit", "7", "--language", "ru", "--quiet", "--no-save", "--allow-rejected"),
    )
    assert options == Options(
        language="ru",
        outputs={
            "junit": Path("o.xml"),
            "json": Path("o.json"),
            "csv": Path("o.csv"),
            "html": Path("o.html"),
            "chart": Path("o.png"),
        },
        cases=Path("cases.jsonl"),
        dataset="support",
        scope=Scope("guild", "42"),
        tags=("a", "b"),
        limit=7,
        allow_rejected=True,
        model="one",
        judge="two",
        threads=2,
        against=Against("model", "three"),
        bar=Bar(0.9, Limit(3), no_worse=True, despite="It is cheaper."),
        save=False,
        quiet=True,
    )


@pytest.mark.parametrize(
    ("arguments", "kept"),
    [
        (["cases.jsonl", "--dataset", "x", "--against", "baseline", "--judge", "j"], True),
        (["--against", "123"], True),
        (["--no-save"], False),
        (["--model", "other"], False),
        (["--against", "model:other"], False),
        (["--tag", "a"], False),
        (["--limit", "5"], False),
    ],
)
def test_only_a_run_of_all_cases_by_what_is_in_force_is_kept(arguments: list[str], kept: bool) -> None:
    assert typed(*arguments).kept is kept


@pytest.mark.parametrize(
    ("text", "share"),
    [("0.9", 0.9), ("0,9", 0.9), ("90%", 0.9), ("87.5 %", 0.875), ("1", 1.0), ("0", 0.0), ("100%", 1.0)],
)
def test_shares(text: str, share: float) -> None:
    assert share_of(text) == share
    assert typed("--min-pass", text).bar.min_pass == share


@pytest.mark.parametrize("text", ["90", "1.1", "-0.1", "nan", "inf", "x", "", "101%", "1e-1", "0.9.9", "٠.٩"])
def test_what_is_no_share(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert "a share from 0 to 1, such as 0.9 or 90%" in refused(capsys, f"--min-pass={text}")


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("0", Limit(0)),
        ("12", Limit(12)),
        ("5%", Limit(share=0.05)),
        ("0.05", Limit(share=0.05)),
        ("1.0", Limit(share=1)),
    ],
)
def test_how_many_errors_there_may_be(text: str, limit: Limit) -> None:
    assert typed("--max-errors", text).bar.max_errors == limit


@pytest.mark.parametrize(
    ("text", "against"),
    [
        ("last", Against("last")),
        ("baseline", Against("baseline")),
        ("1574183647153542857", Against("run", "1574183647153542857")),
        ("model:org/name:7b", Against("model", "org/name:7b")),
    ],
)
def test_what_a_run_is_compared_with(text: str, against: Against) -> None:
    assert typed("--against", text).against == against


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--scope", "42"], "g and the id of a server"),
        (["--scope", "g42/../u7"], "g and the id of a server"),
        (["--against", "model:"], "last, baseline, the number of a run"),
        (["--against", "first"], "last, baseline, the number of a run"),
        (["--limit", "0"], "1 or more"),
        (["--limit", "ten"], "a whole number"),
        (["--threads", "65"], "from 1 to 64"),
        (["--max-errors", "-1"], "--max-errors"),
        (["--language", "tlh"], "--language"),
        (["--resume", "x"], "digits alone"),
        (["--resume", "5", "cases.jsonl"], "--resume takes the cases"),
        (["--resume", "5", "--model", "m"], "--resume takes the cases"),
        (["--resume", "5", "--against", "model:m"], "--resume takes the cases"),
        (["--list-runs", "--junit", "o.xml"], "--list-runs tests nothing"),
        (["--list-runs", "cases.jsonl"], "--list-runs tests nothing"),
        (["--despite", "It is cheaper."], "give both"),
        (["--no-worse", "--despite", "a" * 301], "at most 300 characters"),
        (["--json", "o", "--csv", "./o"], "to the same place"),
        (["o.jsonl", "--json", "./o.jsonl"], "over the cases"),
        (["--min", "0.9"], "unrecognized arguments"),
        (["one", "two"], "unrecognized arguments"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_a_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said in refused(capsys, *arguments)


@pytest.mark.parametrize(
    ("environ", "language"),
    [
        ({}, "en"),
        ({"LANG": "ru_RU.UTF-8"}, "ru"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "de_DE"}, "en"),
        ({"LANG": "ru_RU", "LC_ALL": "en_US.UTF-8"}, "en"),
        ({"LANG": "en_US", "LC_MESSAGES": "ru"}, "ru"),
        ({"LANG": "", "LC_ALL": ""}, "en"),
    ],
)
def test_the_language_is_the_environment_s(environ: dict[str, str], language: str) -> None:
    assert typed(**environ).language == language
    assert typed("--language", "ru", **environ).language == "ru"


def test_help_names_every_option_in_both_languages(capsys: pytest.CaptureFixture[str]) -> None:
    for language in ("en", "ru"):
        with pytest.raises(SystemExit) as ended:
            typed("--help", "--language", language)
        assert ended.value.code == 0
        said = capsys.readouterr().out
        for name in ("--min-pass", "--max-errors", "--no-worse", "--against", "--junit", "--resume", "--list-runs"):
            assert name in said
        assert ("what is tested" in said) is (language == "en")


# --- bars -----------------------------------------------------------------------------------------------------------


def results(passed: int, failed: int = 0, errors: int = 0) -> list[CaseResult]:
    counts: dict[Verdict, int] = {"passed": passed, "failed": failed, "error": errors}
    verdicts = [verdict for verdict, count in counts.items() for _ in range(count)]
    return [made(number, verdict) for number, verdict in enumerate(verdicts)]


def judge(bar: Bar, found: Sequence[CaseResult], comparison: Comparison | None = None) -> list[tuple[bool, str]]:
    found_so = judgements(T, bar, summarise(found).numbers, comparison)
    return [(one.reached, one.sentence) for one in found_so]


@pytest.mark.parametrize(
    ("passed", "failed", "errors", "least", "reached"),
    [
        (9, 1, 0, 0.9, True),
        (8, 2, 0, 0.9, False),
        (9, 0, 1, 0.9, True),
        (8, 0, 2, 0.9, False),
        (29, 21, 0, 0.58, True),
        (10, 0, 0, 1.0, True),
        (0, 10, 0, 0.0, True),
        (9999, 1, 0, 1.0, False),
    ],
)
def test_errors_count_as_not_passed(passed: int, failed: int, errors: int, least: float, reached: bool) -> None:
    ((is_reached, said),) = judge(Bar(min_pass=least), results(passed, failed, errors))
    assert is_reached is reached
    assert said.startswith("The bar is reached: " if reached else "Below the bar: ")
    assert f"{passed} of {passed + failed + errors} passed" in said
    assert ("without a verdict" in said) is (errors > 0)


def test_a_bar_that_is_missed_by_little_is_not_said_to_be_reached() -> None:
    ((reached, said),) = judge(Bar(min_pass=0.9), results(8996, 1004))
    assert not reached
    assert "(89.96%), and 90% must" in said


@pytest.mark.parametrize(
    ("most", "errors", "reached"),
    [
        (Limit(0), 0, True),
        (Limit(0), 1, False),
        (Limit(2), 2, True),
        (Limit(2), 3, False),
        (Limit(share=0.1), 1, True),
        (Limit(share=0.1), 2, False),
        (Limit(share=0.0), 0, True),
    ],
)
def test_there_may_be_so_many_errors(most: Limit, errors: int, reached: bool) -> None:
    ((is_reached, said),) = judge(Bar(max_errors=most), results(10 - errors, 0, errors))
    assert is_reached is reached
    assert f"{errors} of 10" in said


def test_a_run_without_a_verdict_reaches_nothing() -> None:
    assert judge(Bar(), results(0, 0, 3)) == [(False, "No case could be judged.")]
    assert judge(Bar(), results(0, 3)) == []


def against(before: Sequence[CaseResult], after: Sequence[CaseResult]) -> tuple[bool, str]:
    comparison = compare(outcomes_of(before), outcomes_of(after))
    ((reached, said),) = judge(Bar(no_worse=True), after, comparison)
    return reached, said


def test_significantly_worse_is_too_bad() -> None:
    reached, said = against(results(20), results(14, 6))
    assert not reached
    assert "6 got worse and 0 improved" in said


def test_a_few_that_got_worse_may_be_chance() -> None:
    assert against(results(20), results(17, 3)) == (True, "Not significantly worse.")


def test_lower_scores_are_worse_though_all_pass() -> None:
    before = [made(number, "passed", 0.95 + 0.001 * (number % 9)) for number in range(40)]
    after = [made(number, "passed", 0.80 + 0.001 * (number % 7)) for number in range(40)]
    reached, said = against(before, after)
    assert not reached
    assert "mean score fell" in said


def test_nothing_can_be_told_where_most_have_no_verdict() -> None:
    reached, said = against(results(20), results(10, 0, 10))
    assert not reached
    assert "cannot be told" in said


def test_without_anything_to_compare_with_nothing_got_worse() -> None:
    ((reached, said),) = judge(Bar(no_worse=True), results(3))
    assert reached
    assert "nothing to compare with" in said
