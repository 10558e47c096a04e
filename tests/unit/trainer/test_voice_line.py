"""What a worker tells the sidecars: which queue, who answers, and what is left."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from trainer import bootstrap
from trainer.adapters.sqlite_queue import SqliteQueue
from trainer.configuration import Configuration, ConfigurationError
from trainer.consent import choose_voice
from trainer.ports import QueueUnavailable
from trainer.scope import Scope
from trainer.voice_calls import (
    CallState,
    call_key,
    call_state,
    claim,
    claim_key,
    claimed,
    claimed_at,
    clear_call_state,
    save_call_state,
)
from trainer.voice_configuration import VoiceConfiguration
from trainer.voice_line import ANSWER_S, VoiceLine
from trainer.voice_orders import Consent, Join, SettingsChanged, decode, encode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from trainer.adapters.file_store import FileStore
    from trainer.ports import Job

GUILD = "42"
STATE = CallState(channel_id="7", text_channel_id="6", joined_by="5", at=1.0)


def order(order_id: str = "1", guild_id: str = GUILD, expires: float = 0.0) -> Join:
    return Join(
        id=order_id,
        application_id="2",
        token="t",
        guild_id=guild_id,
        user_id="5",
        channel_id="6",
        locale="en",
        at=1.0,
        expires=expires or time.time() + 60,
    )


class Sleeping:
    """Counts how long was slept."""

    def __init__(self) -> None:
        self.slept = 0.0

    def __call__(self, seconds: float) -> None:
        self.slept += seconds


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[SqliteQueue]:
    queue = SqliteQueue(tmp_path / "voice.sqlite3")
    yield queue
    queue.close()


@pytest.fixture
def sleeping() -> Sleeping:
    return Sleeping()


@pytest.fixture
def line(store: FileStore, queue: SqliteQueue, sleeping: Sleeping) -> VoiceLine:
    return VoiceLine(store, lambda _: queue, sleep=sleeping)


def taken(queue: SqliteQueue) -> list[object]:
    found: list[object] = []
    while jobs := queue.lease(wait_s=0, visibility_s=30):
        found += [decode(job.body) for job in jobs]
    return found


# --- claims and calls -----------------------------------------------------------------------------------------------


def test_the_first_claim_stands(store: FileStore) -> None:
    assert claimed(store, GUILD, "1") is None
    assert claim(store, GUILD, "1", "sidecar") == "sidecar"
    assert claim(store, GUILD, "1", "worker") == "sidecar"
    assert claimed(store, GUILD, "1") == "sidecar"
    assert claimed(store, GUILD, "2") is None
    assert claim_key(GUILD, "1") == "g42/voice/claims/1.json"


def test_a_claim_says_no_more_than_by_whom_and_when(store: FileStore) -> None:
    before = time.time()
    claim(store, GUILD, "1", "worker")
    at = claimed_at(store, GUILD, "1")
    assert before <= at <= time.time()
    assert store.get(claim_key(GUILD, "1")).data == f'{{"by":"worker","at":{at},"v":1}}'.encode()
    assert claim(store, GUILD, "1", "sidecar") == "worker"
    assert claimed_at(store, GUILD, "1") == at
    assert claimed_at(store, GUILD, "2") == 0


def test_where_the_bot_is_can_change_and_end(store: FileStore) -> None:
    assert call_state(store, GUILD) is None
    clear_call_state(store, GUILD)
    save_call_state(store, GUILD, STATE)
    moved = CallState(channel_id="8", text_channel_id="6", joined_by="5", at=2.0)
    save_call_state(store, GUILD, moved)
    assert call_state(store, GUILD) == moved
    assert call_state(store, "43") is None
    assert store.head(call_key(GUILD)) is not None
    clear_call_state(store, GUILD)
    assert call_state(store, GUILD) is None


# --- asking ---------------------------------------------------------------------------------------------------------


def test_a_sidecar_that_claims_meanwhile_answers(
    line: VoiceLine, store: FileStore, queue: SqliteQueue, sleeping: Sleeping
) -> None:
    checks = []

    def check() -> None:
        checks.append(sleeping.slept)
        if len(checks) == 3:
            claim(store, GUILD, "1", "sidecar")

    assert line.ask(order(), check) == "sidecar"
    assert len(checks) == 3
    assert [type(one) for one in taken(queue)] == [Join]


def test_where_nobody_does_the_worker_answers_after_a_while(
    line: VoiceLine, store: FileStore, sleeping: Sleeping
) -> None:
    assert line.ask(order()) == "worker"
    assert sleeping.slept == pytest.approx(ANSWER_S)
    assert claimed(store, GUILD, "1") == "worker"
    assert claim(store, GUILD, "1", "sidecar") == "worker"


def test_what_is_claimed_is_not_ordered_again(line: VoiceLine, store: FileStore, queue: SqliteQueue) -> None:
    claim(store, GUILD, "1", "sidecar")
    assert line.ask(order()) == "sidecar"
    assert taken(queue) == []


def test_giving_up_the_job_ends_the_waiting(line: VoiceLine, store: FileStore) -> None:
    class Lost(Exception):
        pass

    def check() -> None:
        raise Lost

    with pytest.raises(Lost):
        line.ask(order(), check)
    assert claimed(store, GUILD, "1") is None


def test_a_queue_that_does_not_answer_is_not_waited_for(store: FileStore, sleeping: Sleeping) -> None:
    class Broken(SqliteQueue):
        def send(self, body: bytes, *, delay_s: float = 0) -> str:
            raise QueueUnavailable("no")

    broken = Broken.__new__(Broken)
    line = VoiceLine(store, lambda _: broken, sleep=sleeping)
    assert line.ask(order()) == "worker"
    assert sleeping.slept == 0


# --- telling --------------------------------------------------------------------------------------------------------


def test_changes_are_told_only_while_the_bot_is_in_a_channel(
    line: VoiceLine, store: FileStore, queue: SqliteQueue
) -> None:
    line.tell_consent(GUILD, "5")
    line.tell_settings(GUILD)
    assert taken(queue) == []
    save_call_state(store, GUILD, STATE)
    line.tell_settings(GUILD)
    line.tell_consent(GUILD, "5")
    choose_voice(store, Scope("guild", GUILD), "5", "10", on=True)
    line.tell_consent(GUILD, "5")
    line.tell_consent(GUILD, "5", agreed=False)
    settings, *consents = taken(queue)
    assert isinstance(settings, SettingsChanged)
    agreed = [one.agreed for one in consents if isinstance(one, Consent)]
    assert agreed == [False, True, False]


def test_each_shard_has_its_queue(store: FileStore, tmp_path: Path) -> None:
    opened: list[int] = []

    def queue_of(shard: int) -> SqliteQueue:
        opened.append(shard)
        return SqliteQueue(tmp_path / f"{shard}.sqlite3")

    line = VoiceLine(store, queue_of, shards=3)
    for n in (1, 2, 4):
        line.send(order(guild_id=str(n << 22)))
    assert opened == [1, 2]
    line.close()
    for shard, count in ((1, 2), (2, 1)):
        queue = SqliteQueue(tmp_path / f"{shard}.sqlite3")
        assert queue.depth().ready == count
        queue.close()
    line.close()


# --- what is left ---------------------------------------------------------------------------------------------------


def test_what_is_late_or_no_order_is_deleted(line: VoiceLine, queue: SqliteQueue) -> None:
    queue.send(encode(order("1", expires=1.0)))
    queue.send(b"{}")
    for order_id in ("2", "3"):
        queue.send(encode(order(order_id)))
    queue.send(encode(order("4")))
    (first,) = queue.lease(wait_s=0, visibility_s=60)
    queue.bury(first, reason="Test")
    assert line.tidy() == 2
    left = taken(queue)
    assert [one.id for one in left if isinstance(one, Join)] == ["2", "3", "4"]
    assert queue.depth().dead == 0
    assert line.tidy() == 0


def test_a_queue_that_forgets_by_itself_is_let_alone(store: FileStore, queue: SqliteQueue) -> None:
    queue.send(b"{}")
    assert VoiceLine(store, lambda _: queue, tidies=False).tidy() == 0
    assert queue.depth().ready == 1


def test_a_sweep_of_very_many_goes_on_the_next_time(
    line: VoiceLine, queue: SqliteQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainer.voice_line.TIDIED_MOST", 2)
    for _ in range(3):
        queue.send(b"{}")
    assert [line.tidy(), line.tidy(), line.tidy()] == [2, 1, 0]


# --- wiring ---------------------------------------------------------------------------------------------------------


def configured(folder: Path, queue: str, shards: int = 1) -> Configuration:
    return Configuration(store=f"file:{folder / 'store'}", voice=VoiceConfiguration(queue=queue, shards=shards))


def test_the_queue_of_a_shard_is_what_its_name_says(tmp_path: Path, store: FileStore) -> None:
    configuration = configured(tmp_path, f"sqlite:{tmp_path}/voice-{{shard}}.sqlite3", shards=2)
    line = bootstrap.make_voice_line(configuration, store)
    assert line is not None
    line.send(order(guild_id=str(3 << 22)))
    line.close()
    queue = bootstrap.make_voice_queue(configuration, 1)
    jobs: list[Job] = list(queue.lease(wait_s=0, visibility_s=30))
    queue.close()
    assert len(jobs) == 1


def test_without_a_placeholder_there_is_one_queue(tmp_path: Path, store: FileStore) -> None:
    configuration = configured(tmp_path, f"sqlite:{tmp_path}/voice.sqlite3", shards=2)
    line = bootstrap.make_voice_line(configuration, store)
    assert line is not None
    for n in (2, 3):
        line.send(order(guild_id=str(n << 22)))
    line.close()
    queue = bootstrap.make_voice_queue(configuration)
    assert queue.depth().ready == 2
    queue.close()


def test_there_may_be_no_voice(tmp_path: Path, store: FileStore) -> None:
    configuration = configured(tmp_path, "none")
    assert bootstrap.make_voice_line(configuration, store) is None
    with pytest.raises(ConfigurationError, match="TRAINGER_VOICE_QUEUE is none"):
        bootstrap.make_voice_queue(configuration)


def test_an_address_that_is_no_queues_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="TRAINGER_VOICE_QUEUE"):
        bootstrap.make_voice_queue(configured(tmp_path, "https://"))
