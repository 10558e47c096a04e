"""The playground's own routes, its life as a process, and its command line."""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests
from dotenv import dotenv_values

from playground.cli_send import main as send
from playground.server import Playground
from tests.unit.playground.bodies import button, label, modal, row, text_input, upload

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.unit.playground.bot import Bot

ROOT = Path(__file__).resolve().parents[3]


def _act(playground: Playground, act: object) -> requests.Response:
    return requests.post(f"{playground.url}/playground/interactions", json=act, timeout=10)


@pytest.fixture
def here(bot: Bot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Bot:
    """The command line finds this playground."""
    bot.register()
    monkeypatch.setenv("TRAINGER_PLAYGROUND_URL", bot.playground.url)
    monkeypatch.chdir(tmp_path)
    return bot


def test_acts_over_http(bot: Bot) -> None:
    bot.register()
    file = {"filename": "a.txt", "data": base64.b64encode(b"abc").decode()}
    options = {"prompt": "x", "count": 2, "private": True, "file": file}
    made = _act(bot.playground, {"do": "command", "name": "ask", "user": "Bob", "options": options}).json()
    path = f"{bot.playground.url}/playground/exchanges/{made['interaction_id']}"
    done = requests.get(path, params={"wait": "5"}, timeout=10).json()
    assert (done["settled"], done["messages"][0]["content"], done["error"]) == (True, "hello", None)
    assert bot.payloads[0]["member"]["user"]["global_name"] == "Bob"
    assert [option["value"] for option in bot.payloads[0]["data"]["options"]][1:] != []


@pytest.mark.parametrize(
    ("act", "status"),
    [
        ({"do": "command", "name": "nope"}, 422),
        ({"do": "click", "name": "x", "message_id": "1"}, 422),
        ({"do": "choose", "name": "x", "message_id": "1"}, 422),
        ({"do": "message_command", "name": "Correct this answer", "message_id": "1"}, 422),
        ({"do": "submit", "exchange": "1"}, 422),
        ({"do": "autocomplete", "name": "ask", "focused": "prompt"}, 422),
        ({"do": "dance"}, 400),
        ({"do": "command", "surprise": 1}, 400),
        ([], 400),
    ],
)
def test_acts_that_cannot_be(bot: Bot, act: object, status: int) -> None:
    bot.register()
    answer = _act(bot.playground, act)
    assert answer.status_code == status
    assert answer.json()["refused"]


def test_other_sites_cannot_act(bot: Bot) -> None:
    url = f"{bot.playground.url}/playground/interactions"
    form = requests.post(
        url, data='{"do": "command", "name": "ask"}', headers={"Content-Type": "text/plain"}, timeout=5
    )
    assert form.status_code == 415
    rebound = requests.get(bot.playground.url, headers={"Host": "evil.example:80"}, timeout=5)
    assert rebound.status_code == 403
    assert requests.get(f"{bot.playground.url}/playground/exchanges/1", timeout=5).status_code == 404


def test_the_page_shows_and_escapes(bot: Bot) -> None:
    bot.register([{"name": "ask", "description": "<script>alert(1)</script>"}])
    bot.playground.client().say("<img src=x onerror=alert(1)>")
    answer = requests.get(bot.playground.url, timeout=5)
    assert "&lt;script&gt;" in answer.text
    assert "&lt;img src=x" in answer.text
    assert "<script" not in answer.text
    assert "<img" not in answer.text
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def test_the_environment_is_written_anew_with_each_port(tmp_path: Path) -> None:
    with Playground(directory=tmp_path) as first:
        before = dotenv_values(tmp_path / "playground.env")
        assert before == first.environment()
        assert before["DISCORD_API_BASE_URL"] == first.api_url
        with pytest.raises(RuntimeError, match="running"):
            first.start()
    with Playground(directory=tmp_path) as second:
        after = dotenv_values(tmp_path / "playground.env")
        assert after["TRAINGER_PLAYGROUND_URL"] == second.url
        assert after["DISCORD_PUBLIC_KEY"] == before["DISCORD_PUBLIC_KEY"]
    second.stop()
    with pytest.raises(RuntimeError, match="not running"):
        _ = second.url


def test_a_taken_port_is_an_error(playground: Playground) -> None:
    port = int(playground.url.rsplit(":", 1)[1])
    with pytest.raises(OSError, match="in use"):
        Playground(port=port).start()


def test_a_printed_reply(here: Bot, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "my faq.csv").write_text("q,a\n")
    assert send(["/ask prompt:How do I: x? file:@my faq.csv", "--user", "Bob", "--locale", "ru"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "hello"
    assert lines[1].startswith("message ")
    payload = here.payloads[0]
    assert (payload["locale"], payload["member"]["user"]["global_name"]) == ("ru", "Bob")
    assert payload["data"]["options"][0]["value"] == "How do I: x?"
    (attachment,) = payload["data"]["resolved"]["attachments"].values()
    assert attachment["filename"] == "my_faq.csv"


def test_other_places_and_json(here: Bot, capsys: pytest.CaptureFixture[str]) -> None:
    assert send(["/ask prompt:x count:3 private:true", "--dm", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["settled"], shown["messages"][0]["content"]) == (True, "hello")
    assert here.payloads[0]["context"] == 1
    assert send(["/ask", "--user-install"]) == 0
    assert here.payloads[1]["context"] == 2


def test_buttons_and_forms(here: Bot, capsys: pytest.CaptureFixture[str]) -> None:
    form = modal(label(text_input(custom_id="text"), label="Better answer"), label(upload(required=False)))
    first = {"type": 4, "data": {"content": "x", "components": [row(button())]}}
    answers: dict[int, Any] = {
        2: first,
        3: {"type": 9, "data": form},
        5: {"type": 4, "data": {"content": "ok", "flags": 64}},
    }
    here.handler = lambda payload: answers[payload["type"]]
    assert send(["/ask"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[1] == "[Correct]"
    message_id = shown[-1].removeprefix("message ")
    assert send(["--click", "Correct", message_id]) == 0
    assert "text: Better answer" in capsys.readouterr().out
    assert send(["--click", "Correct", message_id, "--fill", "text=In the settings = here"]) == 0
    assert capsys.readouterr().out.splitlines()[:2] == ["ok", "(only you can see this)"]
    assert here.payloads[-1]["data"]["components"][0]["component"]["value"] == "In the settings = here"
    assert send(["--message", "Correct this answer", message_id]) == 0
    assert here.payloads[-1]["data"]["target_id"] == message_id


def test_what_an_option_offers(here: Bot, capsys: pytest.CaptureFixture[str]) -> None:
    here.handler = lambda payload: {"type": 8, "data": {"choices": [{"name": "faq", "value": "faq-1"}]}}
    assert send(["/ask name:f prompt:x", "--complete", "name"]) == 0
    assert capsys.readouterr().out == "faq\tfaq-1\n"
    assert here.payloads[0]["data"]["options"][-1] == {"name": "name", "type": 3, "value": "f", "focused": True}


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["/nope"], 1, "no command 'nope'"),
        (["/ask hello"], 1, "say which option"),
        (["/ask count:many"], 1, "takes a number"),
        (["/archive", "--user", "Bob"], 1, "more permissions"),
        (["/ask file:faq.csv"], 2, "file:@path"),
        (["/ask file:@not there.csv"], 2, "cannot read not there.csv"),
        (["/ask", "--fill", "x"], 2, "field=value"),
    ],
)
def test_command_lines_that_fail(
    here: Bot, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, says: str
) -> None:
    assert send(arguments) == code
    assert says in capsys.readouterr().err
    assert here.payloads == []


def test_command_lines_that_are_none(here: Bot, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in ([], ["/ask", "--click", "x", "1"]):
        with pytest.raises(SystemExit) as caught:
            send(arguments)
        assert caught.value.code == 2
    assert "give one command" in capsys.readouterr().err


def test_an_application_that_fails(here: Bot, capsys: pytest.CaptureFixture[str]) -> None:
    here.handler = lambda payload: {"type": 4, "data": {"content": "x" * 2001}}
    assert send(["/ask"]) == 1
    said = capsys.readouterr().err
    assert "The application did not respond" in said
    assert "Must be 2000 or fewer in length." in said
    here.handler = lambda payload: {"type": 5}
    assert send(["/ask", "--timeout", "0.1"]) == 1
    assert "not complete in time" in capsys.readouterr().err


def test_no_playground(here: Bot, capsys: pytest.CaptureFixture[str]) -> None:
    here.playground.stop()
    assert send(["/ask"]) == 2
    assert "make run" in capsys.readouterr().err


def test_something_else_that_answers(
    here: Bot, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TRAINGER_PLAYGROUND_URL", here.url.removesuffix("/interactions"))
    assert send(["/ask"]) == 2
    assert "is not a playground" in capsys.readouterr().err


@pytest.fixture
def served(tmp_path: Path) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that are gone at the end of the test."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.communicate(timeout=10)


def _serve(started: list[subprocess.Popen[str]], directory: Path, *more: str) -> tuple[subprocess.Popen[str], Any]:
    command = [sys.executable, "-m", "playground", "serve", "--directory", str(directory), *more]
    process = subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    started.append(process)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.communicate(timeout=10)[1]
    return process, json.loads(line)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_it_is_told_to_stop(
    served: list[subprocess.Popen[str]], tmp_path: Path, number: signal.Signals
) -> None:
    process, ready = _serve(served, tmp_path, "--port", "0", "--interactions-url", "http://127.0.0.1:9/x")
    assert ready["interactions_url"] == "http://127.0.0.1:9/x"
    assert dotenv_values(ready["environment_file"])["TRAINGER_PLAYGROUND_URL"] == ready["url"]
    assert requests.get(ready["url"], timeout=5).status_code == 200
    process.send_signal(number)
    assert process.wait(10) == 0


def test_it_stops_with_its_parent(served: list[subprocess.Popen[str]], tmp_path: Path) -> None:
    by_input, _ = _serve(served, tmp_path, "--port", "0", "--watch-stdin", "--parent-pid", str(os.getpid()))
    assert by_input.stdin is not None
    by_input.stdin.close()
    by_input.stdin = None
    assert by_input.wait(10) == 0
    by_parent, _ = _serve(served, tmp_path, "--port", "0", "--parent-pid", "1")
    assert by_parent.wait(10) == 0


def test_a_port_that_was_asked_for_must_be_free(served: list[subprocess.Popen[str]], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "playground", "serve", "--directory", str(tmp_path), "--port", port]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert "in use" in done.stderr
