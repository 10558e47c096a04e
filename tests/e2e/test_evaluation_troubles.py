"""Tests that get into each other's way, that lose what they build on, or that somebody begins who may not."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

from interactions import evaluation_files, evaluation_report
from tests.e2e.evaluated import cases, correct, labels, lines, names, press, report_of, teach
from tests.e2e.test_evaluation_buttons import BUTTONS, TESTERS_ONLY, half_taught, limited, run_id
from trainer.evaluation.delivery import RunOutcome
from trainer.evaluation.detail import drop_detail
from trainer.evaluation.store import DetailGone

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest

    from tests.bot import Bot
    from trainer.evaluation.results import Run
    from trainer.scope import Scope

FORGOTTEN = (
    "Somebody whose words are among these cases asked me to forget them, so I stopped, and deleted what came of it."
)


def at_first(
    bot: Bot, monkeypatch: pytest.MonkeyPatch, outcome: RunOutcome, act: Callable[[Scope, Run], object] | None = None
) -> list[str]:
    """What the engine says when it is asked for the first time; who asked it, each time."""
    runner = bot.services.evaluation
    assert runner is not None
    really, asked = runner.run, []

    def run(scope: Scope, of: Run, **more: Any) -> RunOutcome:
        asked.append(of.id)
        if len(asked) > 1:
            return really(scope, of, **more)
        if act is not None:
            act(scope, of)
        return outcome

    monkeypatch.setattr(runner, "run", run)
    return asked


def kept(bot: Bot, folder: str) -> list[str]:
    return [info.key for info in bot.services.store.list(f"{bot.services_scope().prefix}/{folder}/")]


def test_a_test_waits_for_its_turn(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = at_first(bot, monkeypatch, RunOutcome("waiting", 0, 3, delay_s=0.2))
    exchange = bot.ada().command("test", file=lines(cases(range(3))))
    assert "0 of 3 judged cases passed." in exchange.wait(60).content
    assert asked == [exchange.id] * 2


def test_whoever_is_a_moment_too_late_is_told(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    at_first(bot, monkeypatch, RunOutcome("busy", 0, 3, running="1"))
    told = report_of(bot.ada(), cases(range(3)))
    assert told.ephemeral
    assert told.content.startswith("I am testing already here")
    assert kept(bot, "evaluations") == []


def test_a_test_that_has_begun_waits_for_one_that_came_in_between(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interactions.evaluation_running.TURN_S", 0.2)
    runner = bot.services.evaluation
    assert runner is not None
    really = runner.run
    at_first(bot, monkeypatch, RunOutcome("busy", 0, 3, running="1"), really)
    assert "0 of 3 judged cases passed." in report_of(bot.ada(), cases(range(3))).content


def test_a_test_that_loses_its_words_ends(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    store = bot.services.store
    at_first(bot, monkeypatch, RunOutcome("waiting", 0, 3), lambda scope, run: drop_detail(store, scope, run.id))
    assert report_of(bot.ada(), cases(range(3))).content == FORGOTTEN


def test_a_test_begins_without_those_who_are_forgotten_meanwhile(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    runner = bot.services.evaluation
    assert runner is not None
    begin, asked = runner.runs.begin, []

    def forgotten_meanwhile(*given: Any, **more: Any) -> Run:
        asked.append(1)
        if len(asked) == 1:
            raise DetailGone
        return begin(*given, **more)

    monkeypatch.setattr(runner.runs, "begin", forgotten_meanwhile)
    assert "0 of 3 judged cases passed." in report_of(bot.ada(), cases(range(3))).content


def test_no_file_is_left_of_a_run_that_loses_its_words_while_it_is_told_of(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = evaluation_files.make_files

    def deleted_meanwhile(store: Any, scope: Any, view: Any, t: Any) -> Any:
        drop_detail(store, scope, view.run.id)
        return make(store, scope, view, t)

    monkeypatch.setattr(evaluation_report, "make_files", deleted_meanwhile)
    assert report_of(bot.ada(), cases(range(3))).content == FORGOTTEN
    assert kept(bot, "reports") == []


def test_a_report_does_not_quote_an_earlier_run_that_loses_its_words_meanwhile(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, make = bot.ada(), evaluation_files.make_files
    teach(ada, range(3))
    report_of(ada, cases(range(3)))
    correct(ada, 1, "It is gone.")

    def deleted_meanwhile(store: Any, scope: Any, view: Any, t: Any) -> Any:
        made = make(store, scope, view, t)
        if view.earlier is not None:
            drop_detail(store, scope, view.earlier.id)
        return made

    monkeypatch.setattr(evaluation_report, "make_files", deleted_meanwhile)
    report = report_of(ada, cases(range(3)))
    assert "2 of 3 judged cases passed." in report.content
    assert "Since the last run" not in report.content
    page = next(file.data for file in report.files if file.filename == "report.html")
    assert b"Got worse" not in page
    assert len(kept(bot, "reports")) == len(names(report))


def test_no_page_is_left_that_compares_with_a_run_that_is_gone(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = bot.ada()
    first = half_taught(bot)
    second = report_of(ada, cases(range(8)))
    offered = press(ada, second.message.id, "Compare with…")
    make = evaluation_files.make_versus

    def deleted_meanwhile(store: Any, scope: Any, view: Any, t: Any) -> Any:
        made = make(store, scope, view, t)
        drop_detail(store, scope, run_id(first))
        return made

    monkeypatch.setattr(evaluation_files, "make_versus", deleted_meanwhile)
    assert "no longer kept" in press(ada, offered.message.id, "1").content
    assert [key for key in kept(bot, "reports") if "vs-" in key] == []


def deleted_while_zipped(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    """The words of whichever run is zipped next go once its files have been read."""
    zipped = zipfile.ZipFile.close

    def deleted_meanwhile(self: Any) -> None:
        for key in kept(bot, "evaluations"):
            if key.endswith("/cases.jsonl"):
                drop_detail(bot.services.store, bot.services_scope(), key.split("/")[-2])
        zipped(self)

    monkeypatch.setattr(zipfile.ZipFile, "close", deleted_meanwhile)


def test_no_zip_is_left_of_a_run_that_loses_its_words_while_it_is_fetched(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, report = bot.ada(), half_taught(bot)
    deleted_while_zipped(bot, monkeypatch)
    assert press(ada, report.message.id, "Download").content == "The files of that test are no longer kept."
    assert kept(bot, "reports") == []


def test_no_zip_of_large_files_is_left_of_a_run_that_loses_its_words(
    bot: Bot, monkeypatch: pytest.MonkeyPatch
) -> None:
    deleted_while_zipped(bot, monkeypatch)
    given = {"file": lines(cases(range(3)))}
    told = bot.ada().command("test", given, mutate=limited(1_000)).wait(60, quiet=0.3)
    assert told.content == FORGOTTEN
    assert kept(bot, "reports") == []


def test_who_may_test_is_looked_at_again_when_it_is_done(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the store did not answer, the door lets people in whose roles might let them."""
    report = half_taught(bot)
    monkeypatch.setattr("interactions.lookups.Lookups.trainer_role", lambda *_: None)
    bob = bot.bob(roles=["Gardeners"])
    told = bob.command("test", {"file": lines(cases(range(3)))}, force=True).wait(quiet=0.2)
    assert (told.content, told.ephemeral) == (TESTERS_ONLY, True)
    for name in BUTTONS:
        refused = press(bob, report.message.id, f"{name}:{run_id(report)}", force=True)
        assert (refused.messages[-1].content, refused.messages[-1].ephemeral) == (TESTERS_ONLY, True), name
    assert bot.playground.desk.messages[report.message.id].content == report.content


def test_where_nothing_is_measured_that_is_said(bot: Bot) -> None:
    bot.stop_worker()
    bot.services = bot.services._replace(evaluation=None)
    bot.start_worker()
    assert report_of(bot.ada(), cases(range(3))).content == "Testing is switched off here."


def test_too_many_tests(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = bot.ada()
    report = half_taught(bot)
    monkeypatch.setattr("trainer.evaluation.regression.ADDED_MOST", 3)
    added = press(ada, report.message.id, "Add failures to the tests")
    assert added.content.splitlines()[1] == "1 was left out: more than 3 cannot be added."
    asked = ada.command("ask", prompt="What else?").wait(quiet=0.1)
    thanks = press(ada, asked.message.id, "👎")
    assert "Add to the tests" in labels(thanks)
    told = press(ada, thanks.message.id, "Add to the tests").content
    assert told == "There are too many tests already, so this one was not added."
    monkeypatch.setattr("trainer.evaluation.store.CASES_MOST", 2)
    assert report_of(ada, None).content.startswith("That is more than I test at a time")
