from __future__ import annotations

import io
import json
import logging
import socket
import struct
import threading
import tomllib
from concurrent.futures import ThreadPoolExecutor
from email import message_from_bytes
from email.policy import HTTP
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
import requests

from interactions.discord_api import (
    USER_AGENT,
    VERSION,
    DiscordApi,
    DiscordError,
    DiscordUnavailable,
    Gone,
    MissingToken,
    OutgoingFile,
    Refused,
    TokenExpired,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

TOKEN = "aW50ZXJhY3Rpb24.secret-token_1"
BOT = "bot.secret.token"


class Seen(NamedTuple):
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, object]:
        decoded = json.loads(self.body)
        assert isinstance(decoded, dict)
        return decoded


Answer = tuple[int, object] | tuple[int, object, dict[str, str]] | str
OK: Answer = (200, {"id": "77"})


class Server(ThreadingHTTPServer):
    """Answers with what is scripted, in order, and keeps what it was asked; the last answer is repeated."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script: list[Answer] = []
        self.seen: list[Seen] = []
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/api/v10"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def answer(self) -> None:
        server = self.server
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        server.seen.append(Seen(self.command, self.path, dict(self.headers), body))
        answer = server.script.pop(0) if len(server.script) > 1 else server.script[0]
        if isinstance(answer, str):
            self.close_connection = True
            if answer == "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            elif answer == "cut":
                self.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"id": "7')
            else:
                server.released.wait(10)
            return
        status, content, *headers = answer
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        for name, value in (headers[0] if headers else {}).items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if status != 204:
            self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_PATCH = answer  # noqa: N815 - the names that http.server calls

    def log_message(self, *args: object) -> None:
        pass


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.released.set()
        running.shutdown()
        thread.join()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def api(server: Server, clock: Clock) -> Iterator[DiscordApi]:
    with DiscordApi(server.url, "42", BOT, clock=clock, sleep=clock.sleep, read_timeout_s=0.3) as made:
        yield made


def sent_files(seen: Seen) -> dict[str, tuple[str | None, str, bytes]]:
    """Name of the form field -> file name, type, content."""
    head = f"Content-Type: {seen.headers['Content-Type']}\r\n\r\n".encode()
    parts = message_from_bytes(head + seen.body, policy=HTTP)
    found = {}
    for part in parts.iter_parts():
        data = part.get_payload(decode=True)
        assert isinstance(data, bytes)
        name = str(part.get_param("name", header="content-disposition"))
        found[name] = (part.get_filename(), part.get_content_type(), data)
    return found


def text_file(name: str = "отчёт.txt", data: bytes = b"rows", description: str | None = None) -> OutgoingFile:
    return OutgoingFile(name, "text/plain; charset=utf-8", lambda: io.BytesIO(data), description, len(data))


# --- what is sent -------------------------------------------------------------------------------------------------


def test_edits_the_original_without_pinging_anybody(server: Server, api: DiscordApi) -> None:
    server.script = [OK]
    assert api.edit_original(TOKEN, {"content": "@everyone привет"}) == "77"
    (seen,) = server.seen
    assert (seen.method, seen.path) == ("PATCH", f"/api/v10/webhooks/42/{TOKEN}/messages/@original")
    assert seen.json == {"content": "@everyone привет", "allowed_mentions": {"parse": []}}
    assert seen.headers["User-Agent"] == USER_AGENT
    assert seen.headers["Content-Type"] == "application/json"
    assert "Authorization" not in seen.headers


def test_mentions_that_the_caller_allows_stay(server: Server, api: DiscordApi) -> None:
    server.script = [OK]
    api.follow_up(TOKEN, {"content": "x", "allowed_mentions": {"users": ["1"]}})
    assert server.seen[0].json["allowed_mentions"] == {"users": ["1"]}


def test_paths_of_the_other_messages(server: Server, api: DiscordApi) -> None:
    server.script = [OK]
    api.edit_message(TOKEN, "99", {"content": "x"})
    api.follow_up(TOKEN, {"content": "x"})
    assert api.get_original(TOKEN) == {"id": "77"}
    assert [(seen.method, seen.path.removeprefix(f"/api/v10/webhooks/42/{TOKEN}")) for seen in server.seen] == [
        ("PATCH", "/messages/99"),
        ("POST", ""),
        ("GET", "/messages/@original"),
    ]


def test_files_go_as_multipart_and_are_described(server: Server, api: DiscordApi) -> None:
    server.script = [OK]
    files = [text_file(description="all rows"), OutgoingFile("b.bin", "x/y\r\nX-Evil: 1", lambda: io.BytesIO(b"\0"))]
    api.follow_up(TOKEN, {"content": "here", "attachments": [{"id": "5"}]}, files)
    parts = sent_files(server.seen[0])
    assert parts["files[0]"] == ("отчёт.txt", "text/plain", b"rows")
    assert parts["files[1]"] == ("b.bin", "application/octet-stream", b"\0")
    payload = json.loads(parts["payload_json"][2])
    assert payload["attachments"] == [
        {"id": "5"},
        {"id": "0", "filename": "отчёт.txt", "description": "all rows"},
        {"id": "1", "filename": "b.bin"},
    ]
    assert payload["allowed_mentions"] == {"parse": []}


def test_files_are_opened_anew_for_each_try_and_closed(server: Server, api: DiscordApi) -> None:
    opened: list[io.BytesIO] = []

    def reopen() -> io.BytesIO:
        opened.append(io.BytesIO(b"whole"))
        return opened[-1]

    server.script = [(503, {}), (503, {}), OK]
    api.edit_original(TOKEN, {}, [OutgoingFile("a.txt", "text/plain", reopen)])
    assert [sent_files(seen)["files[0]"][2] for seen in server.seen] == [b"whole"] * 3
    assert len(opened) == 3
    assert all(file.closed for file in opened)


def test_messages_to_a_channel_carry_a_nonce_from_the_key(server: Server, api: DiscordApi) -> None:
    server.script = [OK]
    for key in ("job 1 part 0", "job 1 part 0", "job 1 part 1"):
        assert api.create_message("555", {"content": "x"}, key=key) == "77"
    first, again, other = (seen.json for seen in server.seen)
    assert first["nonce"] == again["nonce"] != other["nonce"]
    assert len(str(first["nonce"])) <= 25
    assert first["enforce_nonce"] is True
    assert server.seen[0].path == "/api/v10/channels/555/messages"
    assert server.seen[0].headers["Authorization"] == f"Bot {BOT}"


def test_responds_to_an_interaction(server: Server, api: DiscordApi) -> None:
    server.script = [(204, b"")]
    api.respond("9", TOKEN, {"type": 4, "data": {"content": "hi"}})
    api.respond("9", TOKEN, {"type": 5, "data": {"flags": 64}})
    assert server.seen[0].path == f"/api/v10/interactions/9/{TOKEN}/callback"
    assert server.seen[0].json["data"] == {"content": "hi", "allowed_mentions": {"parse": []}}
    assert server.seen[1].json["data"] == {"flags": 64}


def test_commands_application_and_voice_state(server: Server, api: DiscordApi) -> None:
    server.script = [(200, [{"name": "hi"}]), (200, []), (200, [{"name": "ask"}]), (200, {"id": "42"})]
    assert api.get_commands() == [{"name": "hi"}]
    assert api.get_commands("8") == []
    assert api.overwrite_commands([{"name": "ask"}], "8") == [{"name": "ask"}]
    assert api.get_application() == {"id": "42"}
    server.script = [(200, {"channel_id": "3"}), (200, {}), (404, {"code": 10065}), (404, {"code": 10004})]
    assert api.get_voice_state("8", "1") == {"channel_id": "3"}
    assert api.get_voice_state("8", "@me") == {}
    assert api.get_voice_state("8", "1") is None
    with pytest.raises(Gone):
        api.get_voice_state("8", "1")
    assert [seen.path.removeprefix("/api/v10") for seen in server.seen[:6]] == [
        "/applications/42/commands?with_localizations=true",
        "/applications/42/guilds/8/commands?with_localizations=true",
        "/applications/42/guilds/8/commands",
        "/applications/@me",
        "/guilds/8/voice-states/1",
        "/guilds/8/voice-states/@me",
    ]
    assert json.loads(server.seen[2].body) == [{"name": "ask"}]


def test_half_a_surrogate_pair_is_not_fatal(server: Server, api: DiscordApi) -> None:
    server.script = [OK]
    api.edit_original(TOKEN, {"content": "a\ud83d"})
    assert server.seen[0].json["content"] == "a?"


def test_ids_and_tokens_cannot_leave_their_place_in_the_path(server: Server, api: DiscordApi) -> None:
    server.script = [OK]
    api.edit_message("a/../b?c#d", "1/2", {})
    assert server.seen[0].path == "/api/v10/webhooks/42/a%2F..%2Fb%3Fc%23d/messages/1%2F2"
    for bad in ("", "..", "."):
        with pytest.raises(ValueError, match="empty or a path"):
            api.get_original(bad)


def test_the_version_is_that_of_the_project() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert project["project"]["version"] == VERSION


@pytest.mark.parametrize("url", ["", "discord.com/api", "https://user@host/", "https://host/?q", "ftp://host"])
def test_refuses_what_is_no_address(url: str) -> None:
    with pytest.raises(ValueError, match="not the address"):
        DiscordApi(url, "42")


@pytest.mark.parametrize("token", ["", "secret\n", "secret secret", "секрет"])
def test_a_token_that_no_header_can_carry_is_refused_unshown(token: str) -> None:
    with pytest.raises(ValueError, match="DISCORD_TOKEN") as caught:
        DiscordApi("https://discord.com/api/v10", "42", token)
    assert not token or token.strip() not in str(caught.value)


def test_without_a_bot_token_nothing_is_sent(server: Server) -> None:
    with DiscordApi(server.url, "42") as api:
        assert not api.has_token
        with pytest.raises(MissingToken, match="DISCORD_TOKEN"):
            api.create_message("5", {}, key="k")
    assert server.seen == []


def test_a_netrc_file_does_not_speak_for_us(
    server: Server, api: DiscordApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    server.script = [OK]
    api.get_original(TOKEN)
    api.get_application()
    assert "Authorization" not in server.seen[0].headers
    assert server.seen[1].headers["Authorization"] == f"Bot {BOT}"


def test_a_session_of_the_caller_is_used_and_left_open(server: Server) -> None:
    with requests.Session() as session:
        session.headers["X-Mine"] = "1"
        server.script = [OK]
        with DiscordApi(server.url, "42", session=session) as api:
            api.get_original(TOKEN)
        api.get_original(TOKEN)
        assert api.has_token is False
    assert [seen.headers["X-Mine"] for seen in server.seen] == ["1", "1"]


def test_threads_share_one_api(server: Server, api: DiscordApi) -> None:
    server.script = [OK]
    with ThreadPoolExecutor(8) as pool:
        sent = [pool.submit(api.follow_up, f"token{n}", {"content": str(n)}) for n in range(40)]
    assert {future.result() for future in sent} == {"77"}
    assert sorted(int(str(seen.json["content"])) for seen in server.seen) == list(range(40))
    assert all(seen.path.endswith(f"/token{seen.json['content']}") for seen in server.seen)


# --- what is not repeated -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ((401, {"code": 50027}), TokenExpired),
        ((413, b"<html>too large</html>"), Refused),
        ((302, b"", {"Location": "http://127.0.0.1:1/"}), Refused),
    ],
)
def test_final_answers_are_not_asked_for_again(
    server: Server, api: DiscordApi, clock: Clock, answer: Answer, expected: type[DiscordError]
) -> None:
    server.script = [answer]
    with pytest.raises(expected):
        api.edit_original(TOKEN, {"content": "x"})
    assert len(server.seen) == 1
    assert clock.slept == []


def test_a_success_that_is_no_message_is_not_taken_for_one(server: Server, api: DiscordApi) -> None:
    server.script = [(200, b"<html>captive portal</html>")]
    with pytest.raises(DiscordUnavailable):
        api.edit_original(TOKEN, {"content": "x"})


# --- what stays secret --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("trouble", ["reset", "cut", "refused"])
def test_no_token_and_no_words_in_errors_and_logs(
    server: Server, clock: Clock, caplog: pytest.LogCaptureFixture, trouble: str
) -> None:
    caplog.set_level(logging.DEBUG)
    server.script = ["reset" if trouble == "refused" else trouble]
    url = "http://127.0.0.1:1" if trouble == "refused" else server.url
    with DiscordApi(url, "42", BOT, clock=clock, sleep=clock.sleep) as api:
        with pytest.raises(DiscordUnavailable) as first:
            api.edit_original(TOKEN, {"content": "private words"})
        with pytest.raises(DiscordUnavailable) as second:
            api.create_message("5", {"content": "private words"}, key="k")
    for error in (first.value, second.value):
        assert error.__cause__ is None
        assert error.__context__ is None
        assert not any(secret in repr(error) for secret in (TOKEN, BOT, "private"))
    assert "discord call repeated" in caplog.messages
    for record in caplog.records:
        assert not any(secret in str(vars(record)) for secret in (TOKEN, BOT, "private"))
    repeated = [vars(record) for record in caplog.records if record.name == "interactions.discord_api"]
    assert {(record["method"], record["route"]) for record in repeated} == {
        ("PATCH", "/webhooks/{app}/{token}/messages/@original"),
        ("POST", "/channels/{channel}/messages"),
    }
