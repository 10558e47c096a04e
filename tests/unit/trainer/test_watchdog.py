"""What a service manager is told, received by a real socket as systemd has one."""

from __future__ import annotations

import logging
import os
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from trainer import watchdog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LONG_S = 20.0


@pytest.fixture(autouse=True)
def _unwatched(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", watchdog.HEARTBEAT):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(tmp_path / "notify"))
        receiver.settimeout(LONG_S)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield receiver


def told(manager: socket.socket) -> str:
    return manager.recv(4096).decode()


def test_without_a_manager_nothing_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert not watchdog.watched()
    watchdog.ready()
    watchdog.alive()
    watchdog.stopping()
    assert list(tmp_path.iterdir()) == []


def test_what_a_manager_is_told(manager: socket.socket) -> None:
    assert watchdog.watched()
    watchdog.ready()
    watchdog.alive()
    watchdog.stopping()
    assert [told(manager) for _ in range(4)] == ["READY=1", "WATCHDOG=1", "WATCHDOG=1", "STOPPING=1"]


def test_a_socket_that_is_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"trainger-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(f"\0{name}")
        receiver.settimeout(LONG_S)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
        watchdog.stopping()
        assert told(receiver) == "STOPPING=1"


@pytest.mark.parametrize("address", ["{}/nobody", "{}/" + "x" * 200, "vsock:2:1234", "relative"])
def test_a_manager_that_is_gone_is_no_end(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", address.format(tmp_path))
    watchdog.ready()
    watchdog.stopping()


def test_a_manager_that_takes_nothing_in_is_not_waited_for(
    manager: socket.socket, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(watchdog, "PATIENCE_S", 0.01)
    for _ in range(10_000):
        watchdog.alive()
        if "service manager not told" in caplog.text:
            break
    else:
        pytest.fail("the socket never filled up")
    assert told(manager) == "WATCHDOG=1"


@pytest.mark.parametrize(
    ("allowed", "pid", "expected"),
    [
        ("", "", 10.0),
        ("60000000", "", 10.0),
        ("6000000", "", 2.0),
        ("6000000", "ours", 2.0),
        ("6000000", "1", 10.0),  # another process is meant
        ("0", "", 10.0),
        ("soon", "", 10.0),
        ("-5", "", 10.0),
        ("²", "", 10.0),
    ],
)
def test_how_often_it_is_said(allowed: str, pid: str, expected: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", allowed)
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()) if pid == "ours" else pid)
    assert watchdog.interval_s() == pytest.approx(expected)


def test_the_heartbeat_is_renewed_and_taken_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heart = tmp_path / "alive"
    monkeypatch.setenv(watchdog.HEARTBEAT, str(heart))
    assert watchdog.watched()
    watchdog.ready()
    os.utime(heart, (1, 1))
    watchdog.alive()
    assert heart.stat().st_mtime > 1
    watchdog.stopping()
    watchdog.stopping()
    assert not heart.exists()


def test_a_heartbeat_that_cannot_be_written_is_no_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(watchdog.HEARTBEAT, str(tmp_path / "nowhere" / "alive"))
    watchdog.ready()
    watchdog.stopping()
    assert "heartbeat not written" in caplog.text
    assert str(tmp_path) not in caplog.text


def test_what_hangs_says_nothing_until_it_works_again(
    manager: socket.socket, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "30000")
    stop, asked = threading.Event(), threading.Semaphore(0)
    states = iter([False, False, True])

    def works() -> bool:
        asked.release()
        state = next(states, None)
        if state is None:
            stop.set()
        return bool(state)

    with caplog.at_level(logging.ERROR):
        watchdog.attend(stop, works)
    assert [told(manager) for _ in range(4)] == ["READY=1", "WATCHDOG=1", "WATCHDOG=1", "STOPPING=1"]
    assert caplog.text.count("does not work as it should") == 2


def test_what_nobody_watches_waits_and_is_not_asked() -> None:
    stop = threading.Event()
    waiting = threading.Thread(target=watchdog.attend, args=(stop, lambda: pytest.fail("asked")))
    waiting.start()
    stop.set()
    waiting.join(LONG_S)
    assert not waiting.is_alive()
