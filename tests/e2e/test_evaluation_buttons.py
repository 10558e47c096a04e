"""The buttons below the report of a test, and the one after a 👎: pressed once, twice, late, by the wrong ones."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from tests.e2e.evaluated import case, cases, correct, labels, lines, names, press, report_of, teach
from trainer.evaluation.detail import drop_detail

if TYPE_CHECKING:
    from collections.abc import Iterable

    from playground.clients import Reply
    from tests.bot import Bot

TESTERS_ONLY = "Testing me is for managers (“Manage Server”) and trainers."
BUTTONS = (
    "test_rerun", "test_cancel", "test_download", "test_compare", "test_versus", "test_add", "test_unadd",
    "test_answer", "test_unanswer",
)  # fmt: skip


def half_taught(bot: Bot, numbers: Iterable[int] = range(8)) -> Reply:
    """The report of a test of which the even questions were taught."""
    numbers = list(numbers)
    teach(bot.ada(), numbers[::2])
    return report_of(bot.ada(), cases(numbers))


def run_id(report: Reply) -> str:
    (found,) = {
        part["custom_id"].partition(":")[2]
        for row in report.message.components
        for part in row["components"]
        if part["label"] == "Download"
    }
    return str(found)


def test_failures_are_tested_again(bot: Bot) -> None:
    ada = bot.ada()
    first = half_taught(bot)
    for number in (1, 3):
        correct(ada, number)
    again = press(ada, first.message.id, "Rerun failures")
    assert not again.ephemeral
    assert "2 of 4 judged cases passed." in again.content
    assert "Cases: failures of an earlier run" in again.content
    assert "**Since the last run**" in again.content
    assert "▲ 2 improved · ▼ 0 got worse · 2 unchanged · 0% → 50%" in again.content
    third = press(ada, again.message.id, "Rerun failures")
    assert "0 of 2 judged cases passed." in third.content


def test_nothing_to_test_again(bot: Bot) -> None:
    ada = bot.ada()
    teach(ada, range(3))
    report = report_of(ada, cases(range(3)))
    assert labels(report) == ["Compare with…", "Download"]
    mid, run = report.message.id, run_id(report)
    assert "Nothing failed in that run" in press(ada, mid, f"test_rerun:{run}", force=True).content
    assert press(ada, mid, f"test_add:{run}", force=True).content == "Nothing failed in that run."


def test_failures_become_tests_and_are_taken_out_again(bot: Bot) -> None:
    ada = bot.ada()
    report = half_taught(bot)
    added = press(ada, report.message.id, "Add failures to the tests")
    assert added.ephemeral
    assert added.content == "4 cases are now among the tests of “default”: `/test` without a file runs them."
    again = press(ada, report.message.id, "Add failures to the tests")
    assert again.content == "4 were there already."
    assert labels(again) == []
    assert "0 of 4 judged cases passed." in report_of(ada, None).content
    undone = press(ada, added.message.id, "Undo")
    assert undone.content == "4 cases are out of the tests of “default” again."
    assert undone.ephemeral
    assert labels(undone) == []
    assert "has no test cases of its own yet" in report_of(ada, None).content
    assert press(ada, report.message.id, "Add failures to the tests").content.startswith("4 cases are now")
    assert press(ada, added.message.id, f"test_unadd:{run_id(report)}", force=True).content.startswith(
        "4 cases are out"
    )


def test_what_failed_twice_is_added_and_taken_out_again(bot: Bot) -> None:
    ada = bot.ada()
    report = half_taught(bot)
    correct(ada, 1)
    again = press(ada, report.message.id, "Rerun failures")
    added = press(ada, again.message.id, "Add failures to the tests")
    assert added.content.startswith("3 cases are now among the tests")
    assert press(ada, added.message.id, "Undo").content == "3 cases are out of the tests of “default” again."
    assert "1 of 1 judged case passed." in report_of(ada, None).content


def test_a_run_is_compared_with_another_one(bot: Bot) -> None:
    ada = bot.ada()
    first = half_taught(bot)
    none = press(ada, first.message.id, "Compare with…")
    assert none.content == "There is no other run of this dataset yet that this one can be compared with."
    correct(ada, 1)
    correct(ada, 0, "It is nothing.")
    second = report_of(ada, cases(range(8)))
    other = report_of(ada, cases(range(100, 103)))
    offered = press(ada, second.message.id, "Compare with…")
    assert offered.ephemeral
    assert labels(offered) == ["1", "2"]
    listed = offered.content.splitlines()
    assert listed[0] == "**Which run shall I compare it with?**"
    assert listed[1].endswith("· 0% of 3 · cases.jsonl")
    assert listed[2].endswith("· 50% of 8 · cases.jsonl")
    told = press(ada, offered.message.id, "2")
    assert told.ephemeral
    assert "**8 cases that both judged**: ⚪ Not enough cases to tell." in told.content
    assert "▲ 1 improved · ▼ 1 got worse · 6 unchanged · 50% → 50%" in told.content
    assert "> It is ~~0~~ **nothing**." in told.content
    assert names(told) == ["comparison.html"]
    assert b"It is nothing." in told.files[0].data
    assert "have no case in common" in press(ada, offered.message.id, "1").content
    # From the earlier run, the later one is compared with it: never the other way round.
    from_first = press(ada, first.message.id, "Compare with…")
    assert labels(from_first) == ["1", "2"]
    assert "▲ 1 improved · ▼ 1 got worse" in press(ada, from_first.message.id, "2").content
    with_itself = press(ada, other.message.id, f"test_versus:{run_id(first)}:{run_id(first)}", force=True)
    assert with_itself.content.startswith("The cases of that run are no longer kept")


def test_all_files_come_in_one_zip(bot: Bot) -> None:
    ada = bot.ada()
    teach(ada, range(4))
    report = report_of(ada, [*cases(range(4)), "{"])
    got = press(ada, report.message.id, "Download")
    assert got.ephemeral
    assert names(got) == ["test-default.zip"]
    again = press(ada, report.message.id, "Download")
    for reply in (got, again):
        with zipfile.ZipFile(io.BytesIO(reply.files[0].data)) as zipped:
            assert sorted(zipped.namelist()) == sorted(names(report))
            assert zipped.testzip() is None
            assert zipped.read("cases.csv") == next(f.data for f in report.files if f.filename == "cases.csv")


def limited(most: int) -> Any:
    def mutate(payload: dict[str, Any]) -> None:
        payload["attachment_size_limit"] = most

    return mutate


def test_what_is_too_large_to_attach_comes_in_a_zip_or_by_a_link(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = bot.ada()
    given = {"file": lines(cases(range(120)))}
    zipped = ada.command("test", given, mutate=limited(40_000)).wait(60, quiet=0.3)
    assert names(zipped) == ["chart.png", "cases.csv", "junit.xml", "large-files.zip"]
    assert (
        "-# Too large to be attached as they are, and so in large-files.zip: report.html, report.json"
        in zipped.content
    )
    with zipfile.ZipFile(io.BytesIO(zipped.files[-1].data)) as opened:
        assert opened.namelist() == ["report.html", "report.json"]
    small = ada.command("test", given, mutate=limited(1_000)).wait(60, quiet=0.3)
    assert small.files == []
    assert "“Download” brings a link." in small.content
    monkeypatch.setattr(bot.services.store, "url", lambda key, *, expires_s, filename: "https://example.com/x")
    link = press(ada, small.message.id, "Download", mutate=limited(1_000))
    assert "https://example.com/x" in link.content
    assert link.files == []


def test_a_disliked_answer_becomes_a_test(bot: Bot) -> None:
    ada, bob = bot.ada(), bot.bob()
    teach(ada, [1])
    asked = bob.command("ask", prompt=case(1)["input"]).wait(quiet=0.1)
    member = press(bob, asked.message.id, "👎")
    assert "Add to the tests" not in labels(member)
    thanks = press(ada, asked.message.id, "👎")
    assert labels(thanks) == ["Correct", "Comment", "Add to the tests"]
    added = press(ada, thanks.message.id, "Add to the tests")
    assert added.ephemeral
    assert added.content.startswith("From now on, `/test` checks that I don't say that again.")
    assert press(ada, thanks.message.id, "Add to the tests").content == "It is among the tests already."
    assert "0 of 1 judged case passed." in report_of(ada, None).content
    correct(ada, 1, "It is eight.")
    assert "1 of 1 judged case passed." in report_of(ada, None).content
    undone = press(ada, added.message.id, "Undo")
    assert undone.content == "It is out of the tests again."
    assert undone.ephemeral


def test_an_unknown_answer_becomes_a_test_too(bot: Bot) -> None:
    ada = bot.ada()
    asked = ada.command("ask", prompt="What is not known?").wait(quiet=0.1)
    thanks = press(ada, asked.message.id, "👎")
    assert "checks that I have an answer" in press(ada, thanks.message.id, "Add to the tests").content
    assert "0 of 1 judged case passed." in report_of(ada, None).content
    teach_it = ada.command("train", text="Q: What is not known? A: The end.")
    teach_it.wait(quiet=0.1)
    assert "1 of 1 judged case passed." in report_of(ada, None).content


def test_a_private_answer_becomes_no_test_of_a_server(bot: Bot) -> None:
    ada = bot.ada()
    asked = ada.command("ask", prompt="What is my secret?", private=True)
    asked.wait(quiet=0.1)
    thanks = press(ada, asked.messages[0].id, "👎")
    assert "Add to the tests" not in labels(thanks)
    forged = press(ada, thanks.message.id, f"test_answer:{asked.id}", force=True)
    assert forged.content.startswith("That answer was private")
    alone = bot.bob(where="dm")
    mine = alone.command("ask", prompt="What is my secret?", private=True).wait(quiet=0.1)
    assert "Add to the tests" in labels(press(alone, mine.message.id, "👎"))


def test_members_press_in_vain(bot: Bot) -> None:
    report = half_taught(bot)
    before = sorted(info.key for info in bot.services.store.list(f"{bot.services_scope().prefix}/cases/"))
    for name in BUTTONS:
        told = press(bot.bob(), report.message.id, f"{name}:{run_id(report)}", force=True)
        assert (told.content, told.ephemeral) == (TESTERS_ONLY, True), name
    assert bot.bob(where="dm").command("test").wait(quiet=0.2).content.startswith("“default” has no test cases")
    assert sorted(info.key for info in bot.services.store.list(f"{bot.services_scope().prefix}/cases/")) == before
    assert bot.ada().playground.desk.messages[report.message.id].content == report.content


@pytest.mark.parametrize("subject", ["", "1", "../../g1", "x:y", "9" * 60, "1:2:3", "１", "%2e%2e"])
def test_subjects_may_be_forged(bot: Bot, subject: str) -> None:
    ada = bot.ada()
    report = half_taught(bot, range(4))
    for name in BUTTONS:
        told = press(ada, report.message.id, f"{name}:{subject}", force=True).messages[-1].content
        assert any(word in told for word in ("no longer kept", "over already", "cannot find that answer")), (
            name,
            told,
        )
    assert not bot.queue.dead()


def test_runs_of_other_servers_are_not_reached(bot: Bot) -> None:
    mine = bot.bob(where="dm")
    teach(mine, range(4))
    secret = run_id(report_of(mine, cases(range(4))))
    ada = bot.ada()
    report = half_taught(bot, range(4))
    for name in ("test_rerun", "test_download", "test_compare", "test_add"):
        assert "no longer kept" in press(ada, report.message.id, f"{name}:{secret}", force=True).content
    forged = f"test_versus:{run_id(report)}:{secret}"
    assert "no longer kept" in press(ada, report.message.id, forged, force=True).content


def test_runs_whose_words_were_deleted_say_so(bot: Bot) -> None:
    ada = bot.ada()
    first = half_taught(bot)
    second = report_of(ada, cases(range(8)))
    offered = press(ada, second.message.id, "Compare with…")
    drop_detail(bot.services.store, bot.services_scope(), run_id(first))
    assert "no longer kept" in press(ada, offered.message.id, "1").content
    for button in ("Rerun failures", "Add failures to the tests", "Compare with…", "Download"):
        assert "no longer kept" in press(ada, first.message.id, button).content
    assert labels(press(ada, second.message.id, "Compare with…")) == []
    assert "Since the last run" in report_of(ada, cases(range(8))).content


def test_whoever_is_forgotten_takes_reports_along_that_quote_them(bot: Bot) -> None:
    """Bob's words were in the earlier run only; the report of the later one shows what changed since."""
    ada, bob = bot.ada(), bot.bob(manager=True)
    scope, store = bot.services_scope(), bot.services.store
    bob.command("train", text="Q: What is the secret? A: Bob said so.").wait(quiet=0.1)
    records = [{"input": "What is the secret?", "expected": "Bob said so.", "match": "exact"}]
    report_of(ada, records)
    asked = ada.command("ask", prompt="What is the secret?").wait(quiet=0.1)
    ada.command("correct", message_id=asked.message.id, correction="Ada says so.").wait(quiet=0.1)
    second = report_of(ada, records)
    assert "~~Bob said~~ **Ada says** so." in second.content
    asked_to = bob.command("forget_me").wait(quiet=0.2)
    press(bob, asked_to.message.id, labels(asked_to)[0])
    bot.until_idle()
    kept = [info.key for info in store.list(f"{scope.prefix}/") if b"Bob said" in store.get(info.key).data]
    assert [key for key in kept if "/reports/" in key or "/evaluations/" in key] == []
    assert "no longer kept" in press(ada, second.message.id, "Download").content
