"""/test as people use it: with a file, with a dataset's own cases, cancelled, refused, in two languages."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import pytest

from interactions.worker import Worker
from playground.cdn import File
from tests.e2e.evaluated import (
    MANY,
    begun,
    case,
    cases,
    correct,
    labels,
    lines,
    names,
    press,
    report_of,
    slow_down,
    teach,
)

if TYPE_CHECKING:
    from playground.clients import Reply
    from tests.bot import Bot

WRONG = range(3, 103, 20)
"""Five of the cases, which are not taught at first."""
FILES = ["chart.png", "report.html", "cases.csv", "junit.xml", "report.json"]


def by_name(reply: Reply) -> dict[str, bytes]:
    return {file.filename: file.data for file in reply.files}


def test_five_corrections_improve_a_run_of_200_cases(bot: Bot) -> None:
    ada = bot.ada()
    teach(ada, (number for number in range(MANY) if number not in WRONG))
    exchange = ada.command("test", file=lines(cases()))
    first = exchange.wait(120, quiet=0.3)
    assert not first.ephemeral
    assert "### Test of “default”" in first.content
    assert "195 of 200 judged cases passed. 95% interval: 94% to 99%." in first.content
    assert "Cases: cases.jsonl · taught: 195 entries · answers: as they were taught" in first.content
    assert "195 cases are training examples too" in first.content
    assert "**Compared with nothing taught**: 🟢 Better" in first.content
    assert "▲ 195 improved · ▼ 0 got worse · 5 unchanged · 0% → 98%\n-# p < 0.001" in first.content
    assert "even 100% (100/100) · odd 95% (95/100)" in first.content
    assert "Since the last run" not in first.content
    assert names(first) == FILES
    files = by_name(first)
    assert files["chart.png"].startswith(b"\x89PNG")
    described = dict(first.files[0].extra)["description"]
    assert described.startswith("Pass rate of 1 run.")
    assert files["report.html"].startswith(b"<!DOCTYPE html>")
    assert files["cases.csv"].count(b"\n") == MANY + 1
    assert ET.fromstring(files["junit.xml"]).attrib["failures"] == "5"
    assert len(json.loads(files["report.json"])["cases"]) == MANY
    assert labels(first) == ["Rerun failures", "Add failures to the tests", "Compare with…", "Download"]
    shown = [revision.content for revision in exchange.messages[0].history]
    assert re.match(r"⏳ Testing “default”…\n[▰▱]{12} \d+/200", shown[0])

    for number in WRONG:
        correct(ada, number)
    second = report_of(ada, cases())
    assert "200 of 200 judged cases passed." in second.content
    assert re.search(r"\*\*Since the last run\*\*, <t:\d+:R>: ⚪ Not enough cases to tell\.", second.content)
    assert "▲ 5 improved · ▼ 0 got worse · 195 unchanged · 98% → 100%" in second.content
    assert "-# p = 0.062 · mean score +0.025 (95% interval +0.005 to +0.050)" in second.content
    assert dict(second.files[0].extra)["description"].startswith("Pass rate of the last 2 runs.")
    assert labels(second) == ["Compare with…", "Download"]

    patches = len(bot.playground.requests)
    exchange.redeliver()
    bot.until_idle()
    assert [message.content for message in exchange.messages] == [first.content]
    assert not [one for one in bot.playground.requests[patches:] if one.method in {"PATCH", "POST", "PUT"}]


def test_what_got_worse_is_shown_word_by_word(bot: Bot) -> None:
    ada = bot.ada()
    teach(ada, range(12))
    report_of(ada, cases(range(12)))
    for number in range(6):
        correct(ada, number, f"It *was* {number * 7}.")
    report = report_of(ada, cases(range(12)))
    assert "🔴 Worse: this is more than chance explains." in report.content
    assert "▼ 6 got worse · 6 unchanged · 100% → 50%\n-# p = 0.031" in report.content
    assert re.search(
        r"\*\*Got worse\*\*\n1. What is number \d\?\n> It ~~is~~ \*\*\\\*was\\\*\*\* \d+\.\n2\. ", report.content
    )
    assert report.content.count("~~is~~") == 3
    assert b"It *was* 35." in by_name(report)["report.html"]


def test_what_cannot_be_read_is_told_with_its_line_and_field(bot: Bot) -> None:
    odd = ['{"input": 3', case(2, match="telepathy"), {"input": "Only a question?"}, "[1]", case(3, threshold=7)]
    report = report_of(bot.ada(), [case(1), *odd])
    assert "• 5 entries of the file could not be read as cases." in report.content
    told = (
        "-# line 2: not valid JSON\n-# line 3: a way of comparing that I don't know (match)\n"
        "-# line 4: nothing says what the right answer is (expected)\n-# …and 2 more, in the file."
    )
    assert told in report.content
    assert names(report) == [*FILES, "not-read.txt"]
    listed = by_name(report)["not-read.txt"].decode().splitlines()
    assert listed[3:] == ["line 5: not a JSON object", "line 6: a threshold is a number from 0 to 1 (threshold)"]


def test_a_file_without_any_case_is_told_why(bot: Bot) -> None:
    few = report_of(bot.ada(), [case(2, match="telepathy"), {"input": "Only a question?"}])
    assert few.content.startswith("I found no test case in that file.\nline 1: a way of comparing that I don't know")
    assert not few.files
    many = report_of(bot.ada(), [{"input": f"Only question {number}?"} for number in range(9)])
    assert "…and 6 more, in the file." in many.content
    assert len(many.files[0].data.splitlines()) == 9
    assert not list(bot.services.store.list(f"{bot.services_scope().prefix}/reports/"))


@pytest.mark.parametrize(
    ("file", "told"),
    [
        (File("cases.csv", b"\x89PNG\r\n\x1a\n" + bytes(64)), "from that kind of file (image)"),
        (File("cases.txt", b"Just some words that hold no case at all."), "from that kind of file (text)"),
        (File("cases.json", b"   "), "The file is empty, so there is nothing to test."),
        (File("cases.csv", b"a,b\n1,2\n"), "I see no columns of questions and right answers."),
    ],
)
def test_files_that_hold_no_cases_are_refused(bot: Bot, file: File, told: str) -> None:
    reply = bot.ada().command("test", file=file).wait(quiet=0.2)
    assert told in reply.content
    assert not list(bot.services.store.list(f"{bot.services_scope().prefix}/evaluations/"))


def test_other_shapes_of_files_are_read(bot: Bot) -> None:
    ada = bot.ada()
    teach(ada, range(3))
    table = "question,expected_answer\n" + "".join(f"What is number {n}?,It is {n * 7}.\n" for n in range(3))
    assert "3 of 3 judged" in ada.command("test", file=File("c.csv", table.encode())).wait(60).content
    yaml = "tests:\n" + "".join(
        f'  - vars: {{question: "What is number {n}?"}}\n    assert:\n      - {{type: contains, value: "{n * 7}"}}\n'
        for n in range(3)
    )
    assert "3 of 3 judged" in ada.command("test", file=File("c.yaml", yaml.encode())).wait(60).content


def test_without_a_file_the_datasets_own_cases_are_tested(bot: Bot) -> None:
    ada = bot.ada()
    none = report_of(ada)
    assert none.content.startswith(
        "“default” has no test cases of its own yet. Every correction becomes one by itself."
    )
    teach(ada, range(3))
    correct(ada, 1, "It is one.")
    report = report_of(ada)
    assert "1 of 1 judged case passed." in report.content
    assert "Cases: the dataset's own cases · taught: 4 entries" in report.content


def test_a_named_dataset_is_tested_and_others_are_not_known(bot: Bot) -> None:
    ada = bot.ada()
    teach(ada, range(4), dataset="other")
    report = report_of(ada, cases(range(4)), dataset="Other")
    assert "### Test of “other”" in report.content
    assert "4 of 4 judged" in report.content
    assert "There is no dataset called “nothing” here." in report_of(ada, dataset="nothing").content
    bad = report_of(ada, dataset="../x")
    assert bad.ephemeral
    assert "A dataset's name has up to 48 letters" in bad.content
    offered = ada.autocomplete("test", "dataset", "oth").wait().choices
    assert offered == [{"name": "other", "value": "other"}]


def test_a_test_is_cancelled_with_a_button(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = bot.ada()
    teach(ada, range(10))
    slow_down(bot, monkeypatch, 0.05)
    exchange = ada.command("test", file=lines(cases(range(2000))))
    message = begun(bot, exchange)
    bot.until(lambda: bool(re.search(r"[1-9]\d*/2000", exchange.messages[0].content)))
    stopping = press(ada, message, "Cancel")
    assert stopping.ephemeral
    assert stopping.content.startswith("Stopping…")
    report = exchange.wait(60)
    assert f"✋ <@{ada.user.id}> cancelled it." in report.content
    assert re.search(r"• The run ended early: \d+ of 2000 cases were tested\.", report.content)
    assert "Compared with" not in report.content
    assert names(report) == FILES[1:]
    assert "over already" in press(ada, message, f"test_cancel:{exchange.id}", force=True).content


def test_a_test_that_is_cancelled_at_once_has_nothing_to_tell(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = bot.ada()
    slow_down(bot, monkeypatch, 0.6)
    monkeypatch.setattr("trainer.evaluation.delivery.LOOK_S", 0.05)
    monkeypatch.setattr("trainer.evaluation.delivery.LAST_S", 0.0)
    exchange = ada.command("test", file=lines(cases()))
    press(ada, begun(bot, exchange), "Cancel")
    text = exchange.wait(60).content
    assert text == f"✋ <@{ada.user.id}> cancelled the test of “default” before there was anything to tell."


def test_one_test_at_a_time(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    ada, bob = bot.ada(), bot.bob(manager=True)
    slow_down(bot, monkeypatch, 0.05)
    exchange = ada.command("test", file=lines(cases(range(2000))))
    message = begun(bot, exchange)
    other = report_of(bob, cases(range(3)))
    assert other.ephemeral
    assert other.content.startswith("I am testing already here")
    press(bob, message, "Cancel")
    exchange.wait(60)
    assert "of 3 judged" in report_of(bob, cases(range(3))).content


def test_a_worker_that_may_not_go_on_hands_the_test_on(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = bot.ada()
    teach(ada, range(0, 90, 2))
    bot.stop_worker()
    slow_down(bot, monkeypatch, 0.02)
    deliveries: list[str] = []
    perform = bot.performer.perform

    def counted(*given: Any, **more: Any) -> Any:
        verdict = perform(*given, **more)
        deliveries.append(verdict.do)
        return verdict

    monkeypatch.setattr(bot.performer, "perform", counted)
    bot.worker = Worker(bot.queue, bot.performer, threads=2, poll_s=0.1, job_s=0.3)
    bot.worker.start()
    report = report_of(ada, cases(range(90)))
    assert "45 of 90 judged cases passed." in report.content
    assert "▲ 45 improved · ▼ 0 got worse · 45 unchanged" in report.content
    assert len(report.messages) == 1
    bot.until_idle()
    assert "again" in deliveries
    assert deliveries[-1] == "complete"


def test_after_fifteen_minutes_the_report_comes_into_the_channel_with_its_files(bot: Bot) -> None:
    bot.stop_worker()
    exchange = bot.ada().command("test", file=lines(cases(range(3))))
    bot.playground.advance(16 * 60)
    bot.start_worker()
    bot.until(lambda: any("### Test of" in message.text for message in bot.channel()), timeout=60)
    bot.until_idle()
    (posted,) = [message for message in bot.channel() if "### Test of" in message.text]
    assert posted.text.startswith(f"<@{exchange.client.user.id}> ### Test of “default”")
    assert [file.filename for file in posted.attachments] == FILES
    assert "Download" in str(posted.components)


def test_members_test_nothing(bot: Bot) -> None:
    bob = bot.bob()
    told = bob.command("test", force=True).wait(quiet=0.2)
    assert told.ephemeral
    assert told.content == "Testing me is for managers (“Manage Server”) and trainers."


def test_whoever_has_the_trainer_role_tests(bot: Bot) -> None:
    ada, bob = bot.ada(), bot.bob(roles=["Trainers"])
    guild = bob.place.channel.guild
    assert guild is not None
    teach(ada, range(3))
    told = bob.command("test", {"file": lines(cases(range(3)))}, force=True).wait(60, quiet=0.3)
    assert "for managers" in told.content
    ada.command("settings", trainer_role="Trainers").wait(quiet=0.2)
    report = bob.command("test", {"file": lines(cases(range(3)))}, force=True).wait(60, quiet=0.3)
    assert "3 of 3 judged" in report.content


def test_in_direct_messages_everybody_tests_their_own(bot: Bot) -> None:
    bob = bot.bob(where="dm")
    teach(bob, range(3))
    assert "3 of 3 judged" in report_of(bob, cases(range(3))).content
    assert "0 of 3 judged" in report_of(bot.ada(), cases(range(3))).content


def test_in_russian(bot: Bot) -> None:
    ada = bot.ada(locale="ru")
    teach(bot.ada(), range(3))
    report = report_of(ada, [*cases(range(4)), '{"input": 3'])
    assert "### Проверка набора «default»" in report.content
    assert "**75\xa0% пройдено**" in report.content
    assert "Случаи: cases.jsonl" in report.content
    assert "-# строка 5: " in report.content
    assert labels(report)[0] == "Повторить неудачные"
    assert 'lang="ru"' in by_name(report)["report.html"].decode()
    assert not re.search(r"[a-z]{4,}", re.sub(r"cases\.jsonl|default|even|odd", "", report.content))
