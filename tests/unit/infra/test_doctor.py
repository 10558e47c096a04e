"""The doctor's command line: what it looks at here, what it makes, and what it never shows."""

from __future__ import annotations

import json
import os
import stat
from typing import TYPE_CHECKING

import pytest
from nacl.signing import SigningKey

from infra import doctor
from infra.doctor_findings import Check, Finding, examine, healthy, render, shown
from tests.unit.infra.test_doctor_endpoint import GOOD, PROBE, other
from trainer.adapters.sqlite_queue import SqliteQueue
from trainer.configuration import NAMES, read

if TYPE_CHECKING:
    from pathlib import Path

    from playground.server import Playground

ELSEWHERE = [name for name in doctor.CHECKS if name not in {"store", "queue"}]
DISCORD = ["application", "events", "servers", "commands", "invite"]


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In an empty folder, with no setting of anybody's."""
    monkeypatch.chdir(tmp_path)
    for name in {name for names in NAMES.values() for name in names} | {doctor.PRIVATE_KEY}:
        # Set first, so that what a .env file adds is taken away again when the test ends.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def skipping(*names: str) -> list[str]:
    return [argument for name in names for argument in ("--skip", name)]


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, str], str]:
    """The exit code, each check's state and text, and what went to stderr."""
    code = doctor.main([*arguments, "--json"])
    printed = capsys.readouterr()
    if code == 2:
        return code, {}, printed.err
    said = json.loads(printed.out)
    assert said["ok"] is (code == 0)
    return code, {each["name"]: f"{each['state']}: {each['text']}" for each in said["findings"]}, printed.err


def test_a_new_key_is_written_for_its_owner_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "probe.key"
    old = os.umask(0)
    try:
        assert doctor.main(["--new-key", str(path)]) == 0
    finally:
        os.umask(old)
    printed = capsys.readouterr()
    private = path.read_text().strip()
    public = SigningKey(bytes.fromhex(private)).verify_key.encode().hex()
    assert printed.out == f"TRAINGER_PROBE_PUBLIC_KEY={public}\n"
    assert private not in printed.out + printed.err
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read({"TRAINGER_PROBE_PUBLIC_KEY": public}, {}).probe_public_key == public
    assert doctor.main(["--new-key", str(path)]) == 2
    assert "File exists" in capsys.readouterr().err
    assert path.read_text().strip() == private
    monkeypatch.setenv("TRAINGER_PROBE_PRIVATE_KEY", f" {private}\n")
    with other(401) as address:
        code, found, _ = run(capsys, f"http://{address}", *skipping(*DISCORD))
    assert code == 1
    assert public in found["signed PING"]
    assert private not in str(found)


@pytest.mark.parametrize("wrong", ["secret-words", "ab" * 31, "zz" * 32, "ab" * 33])
def test_a_private_key_that_is_none(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    monkeypatch.setenv("TRAINGER_PROBE_PRIVATE_KEY", wrong)
    code, _, said = run(capsys, "http://127.0.0.1:9")
    assert code == 2
    assert "TRAINGER_PROBE_PRIVATE_KEY" in said
    assert wrong not in said


def test_what_it_cannot_ask(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(capsys, "bot.example.org")[0] == 2
    monkeypatch.setenv("TRAINGER_STORE", "ftp://x")
    code, _, said = run(capsys, "http://127.0.0.1:9")
    assert (code, "TRAINGER_STORE" in said) == (2, True)
    for arguments in ([], ["http://127.0.0.1:9", "--skip", "everything"]):
        with pytest.raises(SystemExit) as ended:
            doctor.main(arguments)
        assert ended.value.code == 2
    assert "the URL is missing" in capsys.readouterr().err


def test_lines_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    with other(200, json.dumps(GOOD).encode()) as address:
        skipped = skipping(
            *[name for name in doctor.CHECKS if name not in {"certificate", "health", "missing headers"}]
        )
        assert doctor.main([f"http://{address}", *skipped]) == 1
    first, second, third = capsys.readouterr().out.splitlines()
    assert first.startswith("note certificate: ")
    assert second.startswith("BAD  missing headers: ")
    assert third.startswith("OK   health: store ok; queue ok; 2 jobs wait; 3 orders wait for the voice sidecar")


def test_store_and_queue_in_this_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["http://127.0.0.1:9", *skipping(*ELSEWHERE)]
    code, found, _ = run(capsys, *arguments)
    assert code == 1
    assert found["store"].startswith("bad: ./data/store is not there")
    assert "TRAINGER_QUEUE" in found["queue"]
    assert not (tmp_path / "data").exists()
    (tmp_path / "data" / "store").mkdir(parents=True)
    queue = SqliteQueue(tmp_path / "data" / "queue.sqlite3")
    queue.send(b"one")
    queue.send(b"two")
    (job,) = queue.lease(wait_s=0, visibility_s=60)
    queue.bury(job, reason="no")
    queue.close()
    code, found, _ = run(capsys, *arguments)
    assert code == 0
    assert found["store"] == "ok: file:./data/store answers"
    assert found["queue"].startswith("ok: sqlite:./data/queue.sqlite3 answers, 1 jobs wait; 1 were given up")


def test_store_and_queue_that_do_not_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ["http://127.0.0.1:9", *skipping(*ELSEWHERE)]
    (tmp_path / "store").write_text("no folder")
    (tmp_path / "queue.sqlite3").write_text("no database" * 100)
    monkeypatch.setenv("TRAINGER_STORE", "file:store")
    monkeypatch.setenv("TRAINGER_QUEUE", "sqlite:queue.sqlite3")
    code, found, _ = run(capsys, *arguments)
    assert code == 1
    assert found["store"].startswith("bad: file:store does not answer us")
    assert found["queue"].startswith("bad: sqlite:queue.sqlite3 does not answer us")
    for name, value in {
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "id",
        "AWS_SECRET_ACCESS_KEY": "a-secret-of-mine",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",
        "TRAINGER_STORE": "s3://bucket/prefix",
        "TRAINGER_QUEUE": "http://127.0.0.1:9/000000000000/jobs",
    }.items():
        monkeypatch.setenv(name, value)
    code, found, _ = run(capsys, *arguments)
    assert code == 1
    assert found["store"].startswith("bad: s3://bucket/prefix does not answer us")
    assert found["queue"].startswith("bad: http://127.0.0.1:9/000000000000/jobs does not answer us")
    monkeypatch.setenv("TRAINGER_STORE", "s3://")
    monkeypatch.setenv("TRAINGER_QUEUE", "https://example.org")
    _, found, _ = run(capsys, *arguments)
    assert "TRAINGER_STORE must be" in found["store"]
    assert "TRAINGER_QUEUE" in found["queue"]


def test_files_here_are_not_those_of_another_machine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.doctor_endpoint._is_here", lambda _: False)
    code, found, _ = run(capsys, "http://127.0.0.1:9", *skipping(*ELSEWHERE))
    assert code == 0
    assert "`health` says" in found["store"]
    assert found["queue"].startswith("note: TRAINGER_QUEUE names nothing here")
    assert list(tmp_path.iterdir()) == []


def test_the_playgrounds_key_is_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "data" / "playground"
    folder.mkdir(parents=True)
    (folder / "playground.env").write_text(f"DISCORD_PUBLIC_KEY={PROBE.verify_key.encode().hex()}\n")
    (folder / "signing.key").write_text(PROBE.encode().hex())
    only = skipping(*[name for name in doctor.CHECKS if name != "signed PING"])
    with other(200, b'{"type":1}') as address:
        assert run(capsys, f"http://{address}", *only)[1]["signed PING"].startswith("ok: PONG")
        (folder / "signing.key").write_text("damaged")
        assert "signing.key is not the playground's key" in run(capsys, f"http://{address}", *only)[2]
        monkeypatch.setenv("DISCORD_PUBLIC_KEY", "ab" * 32)
        assert run(capsys, f"http://{address}", *only)[1]["signed PING"].startswith("note: not tried")


def test_secrets_are_never_shown(
    playground: Playground, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even those that another machine says back to us."""
    key, token = PROBE.encode().hex(), playground.identity.bot_token
    given = {
        "TRAINGER_PROBE_PRIVATE_KEY": key,
        "OPENAI_API_KEY": "sk-my-own-key",
        "AWS_SECRET_ACCESS_KEY": "my-aws-secret",
    }
    for name, value in (playground.environment() | given).items():
        monkeypatch.setenv(name, value)
    secrets = [key, token, "sk-my-own-key", "my-aws-secret"]
    playground.faults.add(path="/applications/@me", status=200, body={"id": token, "name": " ".join(secrets)[:190]})
    health = GOOD | {"models": dict.fromkeys(secrets, "sk-my-own-key my-aws-secret")}
    with other(200, json.dumps(health).encode()) as address:
        assert doctor.main([f"http://{address}", *skipping("store", "queue")]) == 1
        shown_lines = capsys.readouterr().out
    assert "…" in shown_lines
    for secret in secrets:
        assert secret not in shown_lines


def test_a_check_that_ends_as_nobody_foresaw_is_told_without_its_words() -> None:
    def fails() -> str:
        raise RuntimeError("a secret")

    (found,) = examine([Check("odd", fails)])
    assert found.state == "bad"
    assert "RuntimeError" in found.text
    assert "secret" not in render(found)
    assert not healthy([found])
    assert healthy([Finding("a", "ok", ""), Finding("b", "note", "")])


def test_what_others_say_is_fit_for_a_terminal() -> None:
    assert shown("a\nb\x1b[0m\u202e") == "a?b?[0m?"
    assert shown("x" * 300) == "x" * 199 + "…"
    assert shown(None) == "None"
