"""Discord's webhook events: only genuine ones are believed, and no input breaks anything."""

from __future__ import annotations

import json
import threading
import time
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interactions import core, events, housekeeping, wiring
from interactions.app import make_app
from interactions.events import Installation
from interactions.housekeeping import Housekeeping
from interactions.jobs import pack
from interactions.lookups import Lookups
from interactions.registry import registry
from interactions.wiring import installations
from tests import interactions_made as made
from trainer import bootstrap, records
from trainer.adapters.file_store import FileStore
from trainer.adapters.sqlite_queue import SqliteQueue
from trainer.configuration import Configuration, ConfigurationError, read
from trainer.installation import Clock, clock_key
from trainer.ports import StoreUnavailable
from trainer.retention import CLAIM_KEY, Policy

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from flask.testing import FlaskClient

    from trainer.ports import JobQueue
    from trainer.scope import Scope
    from trainer.services import Services

AT = "2026-10-18T14:42:53.064834"
MOMENT = 1792334573.064834


def event(kind: str = "APPLICATION_DEAUTHORIZED", *, at: str = f"{AT}+00:00", **data: Any) -> dict[str, Any]:
    """As the documentation's example has it."""
    inner = {"type": kind, "timestamp": at, "data": {"user": made.user("77")} | data}
    return {"version": 1, "application_id": made.APPLICATION, "type": 1, "event": inner}


def receive(body: object, *, stamp: str = str(int(MOMENT)), now: float = MOMENT) -> events.Decision:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return events.receive(*made.signed(data, stamp), key=made.KEY.verify_key, now=now)


def test_a_ping_is_answered_with_nothing() -> None:
    decided = receive({"version": 1, "application_id": made.APPLICATION, "type": 0})
    assert (decided.response.status, decided.response.body, decided.change) == (204, b"", None)


@pytest.mark.parametrize("at", [AT, f"{AT}+00:00", f"{AT}Z", "2026-10-18T16:42:53.064834+02:00"])
def test_a_removal_says_who_and_when(at: str) -> None:
    decided = receive(event(at=at))
    assert decided.response.status == 204
    assert decided.change is not None
    assert decided.change._replace(at=0) == Installation("77", 0, installed=False)
    assert decided.change.at == pytest.approx(MOMENT)


@pytest.mark.parametrize(
    ("happened", "signed", "taken"),
    [
        (0, 0, True),
        (-600, -600, True),
        (-600, 0, True),
        (-events.OLDEST_S + 1, -events.OLDEST_S + 1, True),
        (events.FASTEST_S - 1, events.FASTEST_S - 1, True),
        (-events.OLDEST_S - 1, 0, False),
        (0, -events.OLDEST_S - 1, False),
        (-86_400 * 30, -86_400 * 30, False),
        (events.FASTEST_S + 1, 0, False),
        (-3000, events.FASTEST_S + 1, False),
    ],
)
def test_what_is_old_or_of_the_future_changes_nothing(happened: float, signed: float, taken: bool) -> None:
    now = float(int(MOMENT) + 50_000)
    at = datetime.fromtimestamp(now + happened, UTC).isoformat()
    decided = receive(event(at=at), stamp=str(int(now + signed)), now=now)
    assert (decided.response.status, decided.response.body) == (204, b"")
    assert (decided.change is not None) == taken
    assert (decided.ignored_age_s is None) == taken


@pytest.mark.parametrize("stamp", ["nan", "inf", "1e99", "-1"])
def test_a_signed_time_that_is_none_changes_nothing(stamp: str) -> None:
    decided = receive(event(), stamp=stamp)
    assert (decided.response.status, decided.change) == (204, None)


def test_a_signed_time_that_is_no_number_is_refused() -> None:
    assert receive(event(), stamp="now").response.status == 400


def test_a_ping_is_answered_whatever_its_time() -> None:
    assert receive({"type": 0}, stamp="1").response.status == 204


def test_an_installation_may_be_to_a_server() -> None:
    decided = receive(event("APPLICATION_AUTHORIZED", integration_type=0, scopes=["bot"], guild={"id": "5"}))
    assert decided.change is not None
    assert decided.change.installed


@pytest.mark.parametrize("kind", ["ENTITLEMENT_CREATE", "LOBBY_MESSAGE_CREATE", "something new"])
def test_other_events_change_nothing(kind: str) -> None:
    inner = {"type": kind, "timestamp": AT, "data": [1, 2]}
    assert receive({"type": 1, "event": inner}) == events.Decision(core.Response(204, b""))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b'{"type":1}',
        b'{"type":2}',
        b'{"type":"0"}',
        b"[" * 5000,
        event(at="yesterday"),
        event(user=None),
        event(user={"id": "../etc"}),
        event(user={"id": "7" * 30}),
        {"type": 1, "event": {"type": "APPLICATION_DEAUTHORIZED", "timestamp": AT}},
    ],
)
def test_what_is_malformed_is_refused(body: object) -> None:
    decided = receive(body)
    assert decided.response.status == 400
    assert decided.change is None


@pytest.mark.parametrize(
    ("signature", "timestamp"),
    [(None, "1"), ("00" * 64, None), ("00" * 64, "1700000000"), ("zz" * 64, "1"), ("", "")],
)
def test_what_is_not_signed_is_refused_unread(signature: str | None, timestamp: str | None) -> None:
    body = json.dumps(event()).encode()
    decided = events.receive(body, signature, timestamp, key=made.KEY.verify_key, now=MOMENT)
    assert (decided.response.status, decided.change) == (401, None)


def test_a_changed_body_is_refused() -> None:
    body, signature, timestamp = made.signed(json.dumps(event()).encode())
    decided = events.receive(body.replace(b"77", b"78"), signature, timestamp, key=made.KEY.verify_key, now=MOMENT)
    assert decided.response.status == 401


def test_a_huge_body_is_refused() -> None:
    assert receive(b" " * (core.MAX_BODY + 1)).response.status == 413


@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(lambda x: json.dumps(x).encode())
)
def test_nothing_breaks_it(body: bytes) -> None:
    assert receive(body).response.status in {204, 400}


def client_with(take: Callable[[Installation], None] | None, tmp_path: Path) -> FlaskClient:
    door = core.Door(made.KEY.verify_key, registry(), Lookups(lambda: FileStore(tmp_path)))
    app = make_app(door, cast("JobQueue", None), dict, take_installation=take, clock=lambda: MOMENT + 5)
    return app.test_client()


def post(client: FlaskClient, body: object) -> int:
    data, signature, timestamp = made.signed(json.dumps(body).encode(), str(int(MOMENT)))
    headers = {"X-Signature-Ed25519": signature, "X-Signature-Timestamp": timestamp}
    return client.post("/events", data=data, headers=headers).status_code


def test_what_cannot_be_taken_in_is_sent_again(tmp_path: Path) -> None:
    def broken(_: Installation) -> None:
        raise StoreUnavailable("broken")

    client = client_with(broken, tmp_path)
    assert post(client, event()) == 503
    assert post(client, {"type": 0}) == 204
    assert post(client_with(None, tmp_path), event()) == 404


def test_an_event_sets_the_clock_in_the_configured_store(tmp_path: Path) -> None:
    take = installations(Configuration(store=f"file:{tmp_path}"))
    client = client_with(take, tmp_path)
    for _ in range(2):
        assert post(client, event()) == 204
    stored = records.load(FileStore(tmp_path), clock_key("77"), Clock)
    assert stored is not None
    assert stored.running
    assert stored.at == pytest.approx(MOMENT)


def test_an_event_that_somebody_saw_and_sends_again_is_logged_and_changes_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    taken: list[Installation] = []
    client = client_with(taken.append, tmp_path)
    assert post(client, event(at="2026-09-18T14:42:53+00:00")) == 204
    assert taken == []
    (record,) = [one for one in caplog.records if one.message == "event ignored: its time is wrong"]
    assert record.__dict__["age_s"] > 29 * 86_400


def test_a_store_that_hangs_lets_discord_send_the_event_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = threading.Event()
    stores: list[FileStore] = []

    class Hanging(FileStore):
        def get(self, key: str) -> Any:
            assert released.wait(20)
            return super().get(key)

    def opened(_: Configuration) -> FileStore:
        stores.append(Hanging(tmp_path))
        return stores[-1]

    monkeypatch.setattr(wiring, "EVENT_S", 0.05)
    monkeypatch.setattr(bootstrap, "make_store", opened)
    client = client_with(installations(Configuration(store=f"file:{tmp_path}")), tmp_path)
    tries = wiring.EVENTS_AT_ONCE + 2
    assert [post(client, event()) for _ in range(tries)] == [503] * tries
    assert len(stores) == 1
    released.set()
    deadline = time.monotonic() + 20
    while post(client, event()) != 204:
        assert time.monotonic() < deadline
    assert FileStore(tmp_path).head(clock_key("77")) is not None


@pytest.fixture
def _own_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At the times of these tests, everybody's temporary folders are old."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))


def services(store: FileStore) -> Services:
    class Some:
        def __init__(self) -> None:
            self.store = store
            self.policy = Policy()
            self.library = self
            self.queue = self.voice = None
            self.chat_host = self.transcription_host = ""
            self.speech_hosts = ()
            self.dropped: list[tuple[Scope, str]] = []

        def tidy(self) -> int:
            return 0

        def index(self, scope: Scope, name: str) -> None:
            self.dropped.append((scope, name))

    return cast("Services", Some())


@pytest.mark.usefixtures("_own_temporary_folder")
def test_housekeeping_sweeps_when_it_is_due_and_survives_failures(tmp_path: Path) -> None:
    looked = threading.Event()

    class Unsteady(FileStore):
        fails = 2

        def get(self, key: str) -> Any:
            if key == CLAIM_KEY and self.fails:
                self.fails -= 1
                raise StoreUnavailable("broken")
            return super().get(key)

        def put(self, key: str, data: bytes, **more: Any) -> str:
            etag = super().put(key, data, **more)
            if key == CLAIM_KEY:
                looked.set()
            return etag

    store = Unsteady(tmp_path)
    key = "g1/outcomes/1.outcome.json"
    store.put(key, b"{}")
    beside = Housekeeping(services(store), first_s=0, every_s=0.01, clock=lambda: 4e9)
    beside.start()
    assert looked.wait(20)
    beside.stop()
    assert store.head(key) is None


def test_nothing_that_is_looked_after_besides_keeps_a_sweep_from_being_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError

    store = FileStore(tmp_path)
    store.put("g1/outcomes/1.outcome.json", b"{}")
    monkeypatch.setattr(housekeeping, "tell_retirements", broken)
    with pytest.raises(RuntimeError):
        housekeeping.clean(services(store), 4e9)
    assert store.head("g1/outcomes/1.outcome.json") is None


@pytest.mark.usefixtures("_own_temporary_folder")
def test_a_sweep_that_takes_too_long_is_cut_off_when_the_process_ends(tmp_path: Path) -> None:
    deleting, go_on = threading.Event(), threading.Event()

    class Slow(FileStore):
        def delete(self, key: str) -> None:
            deleting.set()
            assert go_on.wait(60)
            super().delete(key)

    for number in range(5):
        FileStore(tmp_path).put(f"g1/outcomes/{number}.outcome.json", b"{}")
    beside = Housekeeping(services(Slow(tmp_path)), first_s=0, clock=lambda: 4e9)
    beside.start()
    assert deleting.wait(60)
    beside.stop(patience_s=0.1)
    go_on.set()
    beside.stop(patience_s=60)
    assert len(list(FileStore(tmp_path).list("g1/"))) == 4


@pytest.mark.usefixtures("_own_temporary_folder")
def test_the_command_sweeps_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DISCORD_PUBLIC_KEY", made.KEY.verify_key.encode().hex())
    monkeypatch.setenv("TRAINGER_STORE", f"file:{tmp_path / 'store'}")
    store = FileStore(tmp_path / "store")
    store.put("g1/outcomes/1.outcome.json", b"{}")
    monkeypatch.setattr("time.time", lambda: 4e9)
    assert housekeeping.main() == 0
    assert store.head("g1/outcomes/1.outcome.json") is None
    monkeypatch.setattr(housekeeping, "sweep", lambda *_, **__: (_ for _ in ()).throw(StoreUnavailable("x")))
    assert housekeeping.main() == 1
    monkeypatch.setenv("TRAINGER_STORE", "nowhere")
    assert housekeeping.main() == 2


@pytest.mark.usefixtures("_own_temporary_folder")
def test_a_server_can_be_erased(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DISCORD_PUBLIC_KEY", made.KEY.verify_key.encode().hex())
    monkeypatch.setenv("TRAINGER_STORE", f"file:{tmp_path / 'store'}")
    monkeypatch.setenv("TRAINGER_QUEUE", f"sqlite:{tmp_path / 'queue.sqlite3'}")
    store = FileStore(tmp_path / "store")
    for key in (f"g{made.GUILD}/answers/1.json", f"g{made.GUILD}/settings.json", "g5/answers/1.json", "u5/x"):
        store.put(key, b"{}")
    with closing(SqliteQueue(tmp_path / "queue.sqlite3")) as queue:
        for interaction in (made.slash("ask"), made.direct(made.slash("ask"))):
            queue.send(pack(made.encode(interaction)))
            (job,) = queue.lease(wait_s=5, visibility_s=30)
            queue.bury(job, reason="Boom")
        assert housekeeping.main(["--erase-server", made.GUILD]) == 0
        assert len(queue.dead()) == 1
    assert [info.key for info in store.list("g")] == ["g5/answers/1.json"]
    assert store.head("u5/x") is not None
    with pytest.raises(SystemExit):
        housekeeping.main(["--erase-server", "../x"])


def test_how_long_is_configured() -> None:
    given_days = read({"TRAINGER_RETENTION_DAYS": "7", "TRAINGER_ANSWER_DAYS": "90"}, {})
    assert (given_days.retention_days, given_days.answer_days) == (7, 90)
    assert Policy(Configuration().retention_days, Configuration().answer_days) == Policy()
    for name in ("TRAINGER_RETENTION_DAYS", "TRAINGER_ANSWER_DAYS"):
        with pytest.raises(ConfigurationError, match=name):
            read({name: "0"}, {})


@pytest.mark.parametrize(
    ("settings", "host"),
    [
        (Configuration(), ""),
        (Configuration(openai_api_key="k"), "api.openai.com"),
        (Configuration(openai_base_url="http://user:secret@models.example.org:8000/v1"), "models.example.org"),
    ],
)
def test_the_host_that_privacy_names(settings: Configuration, host: str) -> None:
    assert bootstrap.chat_host(settings) == host
