"""What /privacy, /forget_me and /stats say, in every language: complete, honest about numbers, and not too long."""

from __future__ import annotations

from datetime import datetime
from typing import get_args

import pytest

from interactions.commands.privacy import PAGES, SWITCHED, Facts, page_text
from interactions.commands.stats import report
from interactions.privacy_wording import ORDER, SILENT, count_lines, told
from trainer.consent import Preferences
from trainer.feedback_summary import Tally
from trainer.i18n import languages, translator
from trainer.index import Counts
from trainer.person_data import Kind
from trainer.prices import CHECKED
from trainer.retention import Policy
from trainer.statistics import Asked, DatasetCounts, Datasets, Questions, Statistics
from trainer.usage import Cost

MESSAGE_MOST = 2000
FOOTER = 40
HOST = "a-rather-long-name-of-a-model-server.example.org"


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize("in_server", [True, False])
@pytest.mark.parametrize("host", ["", HOST])
def test_each_page_fits_into_a_message(language: str, in_server: bool, host: str) -> None:
    for number in range(1, PAGES + 1):
        facts = Facts(in_server, host, Policy(3650, 3650), host, host, (host,), voice=in_server, transcript_days=90)
        text = page_text(translator(language), number, facts)
        assert 100 < len(text) < MESSAGE_MOST - FOOTER


def test_the_numbers_are_those_in_force() -> None:
    t = translator("en")
    facts = Facts(in_server=True, chat_host="", policy=Policy(uninstalled_days=41, answer_days=73))
    pages = [page_text(t, number, facts) for number in range(1, PAGES + 1)]
    assert "73 days" in pages[0]
    assert "41 days later" in pages[0]
    assert "30 minutes" in pages[0]
    assert "41 days later" in pages[2]


def test_who_gets_what_is_said() -> None:
    t = translator("en")
    without = page_text(t, 2, Facts(in_server=True, chat_host="", policy=Policy()))
    assert "goes to no other service" in without
    with_model = page_text(t, 2, Facts(in_server=True, chat_host="models.example.org", policy=Policy()))
    assert "models.example.org" in with_model
    assert "goes to no other service" not in with_model


def test_who_compares_questions_is_said() -> None:
    t = translator("en")
    facts = Facts(in_server=True, chat_host="models.example.org", policy=Policy())
    assert "which questions mean the same" not in page_text(t, 2, facts)
    told = page_text(t, 2, facts._replace(embeddings_host="vectors.example.org"))
    assert "A service at vectors.example.org tells me which questions mean the same" in told


def test_what_is_kept_of_voice_channels_is_said() -> None:
    t = translator("en")
    facts = Facts(in_server=True, chat_host="", policy=Policy(), transcription_host="ears.example.org")
    assert "voice channel" not in page_text(t, 1, facts) + page_text(t, 2, facts)
    off, on = facts._replace(voice=True), facts._replace(voice=True, transcript_days=7)
    assert "neither the sound nor the words" in page_text(t, 1, off)
    assert "as this server's managers chose: 7 days." in page_text(t, 1, on)
    assert "So does what you say in a voice channel where I am, but only if you agreed" in page_text(t, 2, on)
    assert "So does" not in page_text(t, 2, on._replace(transcription_host=""))


def test_every_switch_is_a_field() -> None:
    for values in SWITCHED.values():
        assert set(values) <= set(Preferences.__struct_fields__)


@pytest.mark.parametrize("language", languages())
def test_every_kind_has_a_line_of_its_own(language: str) -> None:
    counts = dict.fromkeys(get_args(Kind), 2)
    lines = count_lines(translator(language), counts)
    assert len(lines) == len(set(lines)) == len(counts) - len(SILENT)
    assert set(ORDER) | SILENT == set(get_args(Kind))


def test_nothing_is_not_told() -> None:
    assert told({"examples": 0, "replies": 3, "mentions": 1}) == {}
    assert count_lines(translator("en"), {}) == []


def many(*, datasets: int, more: int = 0, cost: Cost | None = None, left_out: bool = False) -> Statistics:
    counted = [DatasetCounts(f"set-{number}", Counts(1, 2, 3)) for number in range(datasets)]
    periods = (Questions(1, {}), Questions(7, {"trained": 2, "new-kind": 1}), Questions(30, {"unknown": 5}))
    asked = Asked(periods, 8, 1_790_000_000.0, left_out)
    return Statistics(Datasets(counted, more), asked, (Tally(1, 0), Tally(1, 1), Tally(2, 1), Tally(3, 1)), cost)


def test_a_report_names_everything_that_is_known() -> None:
    cost = Cost(known=True, usd=1.234, input_tokens=1, output_tokens=1)
    lines = report(translator("en"), many(datasets=20, more=5, cost=cost, left_out=True), is_manager=True)
    text = "\n".join(lines)
    assert "20 questions with their answers, 40 passages, 60 corrections" in text
    assert "in the first 20 of 25 datasets" in text
    assert "last 7 days: 3 questions (as taught: 2, other: 1)" in text
    assert "last 24 hours: 👍 1, 👎 0" in text
    assert "in all: 👍 3, 👎 1" in text
    assert "$1.23" in text
    assert "set-14" in text
    assert "set-15" not in text
    assert "these are the latest" in text
    assert len(text) < MESSAGE_MOST


def test_managers_see_how_old_the_prices_are() -> None:
    t, counted = translator("en"), many(datasets=1, cost=Cost(known=True, usd=0.5, input_tokens=1, output_tokens=1))
    checked = int(datetime.fromisoformat(f"{CHECKED}T12:00+00:00").timestamp())
    told = f"-# An estimate: tokens times list prices, as they were on <t:{checked}:D>."
    assert report(t, counted, is_manager=True)[-1] == told
    assert told not in report(t, counted, is_manager=False)
    # A price that whoever runs the bot has set is as old as they know.
    assert told not in report(t, counted, is_manager=True, by_table=False)
    nothing = many(datasets=1, cost=Cost(known=True, usd=0, input_tokens=0, output_tokens=0))
    assert told not in report(t, nothing, is_manager=True)


def test_a_cost_that_is_not_known_is_not_told() -> None:
    unknown = Cost(known=False, usd=0.5, input_tokens=1, output_tokens=1)
    for cost in (None, unknown):
        assert "$" not in "\n".join(report(translator("en"), many(datasets=1, cost=cost), is_manager=True))
    known = many(datasets=2, cost=Cost(known=True, usd=0.5, input_tokens=1, output_tokens=1))
    members = "\n".join(report(translator("en"), known, is_manager=False))
    assert "$" not in members
    assert "set-0" not in members
    assert "in 2 datasets" in members
