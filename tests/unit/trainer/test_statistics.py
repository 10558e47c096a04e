"""Numbers are right, bounded, and nobody's words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.trainer.people import NOW, SERVER, Ids, clock, use_everything
from trainer import statistics as subject
from trainer.answers import AnswerKind, AnswerRecord, save_answer
from trainer.library import Library
from trainer.scope import Scope
from trainer.snowflakes import first_of
from trainer.statistics import DAY_S, PERIODS_DAYS, count_datasets, count_questions, statistics
from trainer.usage import UsageEntry, record_usage

if TYPE_CHECKING:
    from pathlib import Path

    from trainer.adapters.file_store import FileStore


def answer(store: FileStore, days_ago: float, kind: AnswerKind) -> None:
    moment = NOW - days_ago * DAY_S
    record = AnswerRecord(
        id=str(first_of(moment) + 1),
        dataset="default",
        question="q",
        text="t",
        kind=kind,
        author="1",
        created_at=moment,
    )
    save_answer(store, SERVER, record)


def test_nothing_is_nothing(store: FileStore, tmp_path: Path) -> None:
    library = Library(store, tmp_path / "cache")
    counted = statistics(store, library, Scope("user", "7"), counts_cost=False, clock=clock)
    assert counted.datasets.total() == (0, 0, 0)
    assert counted.asked.since is None
    assert [one.asked for one in counted.asked.periods] == [0, 0, 0]
    assert counted.cost is None
    library.close()


def test_everything_is_counted(store: FileStore, tmp_path: Path) -> None:
    library = use_everything(store, tmp_path / "cache", Ids())
    counted = statistics(store, library, SERVER, counts_cost=True, clock=clock)
    assert {one.name: one.counts.pairs for one in counted.datasets.counted} == {
        "default": 9,
        "default-two": 0,
        "events": 1,
    }
    assert counted.datasets.total() == (10, 0, 3)
    assert counted.datasets.more == 0
    assert counted.asked.kept == 3
    assert counted.asked.periods[0].by_kind == {"trained": 3}
    assert [(one.up, one.down) for one in counted.votes] == [(3, 3)] * 4
    assert counted.cost is not None
    assert (counted.cost.known, counted.cost.usd) == (True, 0.0)
    library.close()


def test_questions_by_period_and_kind(store: FileStore) -> None:
    assert PERIODS_DAYS == (1, 7, 30)
    kinds: tuple[AnswerKind, ...] = ("unknown", "trained", "generated", "correction")
    for days, kind in zip((0.5, 3, 20, 100), kinds, strict=True):
        answer(store, days, kind)
    answer(store, 0.6, "trained")
    store.put(f"{SERVER.prefix}/answers/strange", b"?")
    told: list[int] = []
    asked = count_questions(store, SERVER, NOW, told.append)
    assert [one.by_kind for one in asked.periods] == [
        {"unknown": 1, "trained": 1},
        {"unknown": 1, "trained": 2},
        {"unknown": 1, "trained": 2, "generated": 1},
    ]
    assert [one.asked for one in asked.periods] == [2, 3, 4]
    assert asked.kept == 5
    assert asked.since == pytest.approx(NOW - 100 * DAY_S)
    assert not asked.left_out
    assert told == [4]


def test_only_so_many_answers_are_read(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "ANSWERS_MOST", 3)
    monkeypatch.setattr(subject, "STRETCH", 2)
    for number in range(5):
        answer(store, number, "unknown" if number > 2 else "trained")
    asked = count_questions(store, SERVER, NOW)
    assert asked.left_out
    assert asked.kept == 5
    assert asked.periods[-1].by_kind == {"trained": 3}


def test_only_so_many_datasets_are_counted(store: FileStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "DATASETS_MOST", 1)
    library = use_everything(store, tmp_path / "cache", Ids())
    datasets = count_datasets(store, library, SERVER)
    assert ([one.name for one in datasets.counted], datasets.more) == (["default"], 2)
    library.close()


def test_the_cost_of_this_month(store: FileStore, tmp_path: Path) -> None:
    library = Library(store, tmp_path / "cache")
    entry = UsageEntry(id=str(first_of(NOW)), model="m", input_tokens=1000, output_tokens=10, usd=1.25, at=NOW)
    record_usage(store, SERVER, entry)
    counted = statistics(store, library, SERVER, counts_cost=True, clock=clock)
    assert counted.cost is not None
    assert counted.cost.usd == 1.25
    library.close()
