"""The parts of the playground that need no server: mentions, links, ids, keys, typed commands, what is printed."""

from __future__ import annotations

import stat
import threading
from typing import TYPE_CHECKING, Any

import pytest
from nacl.signing import VerifyKey

from playground.cdn import Cdn, File, safe_name
from playground.clock import Clock
from playground.command_text import parse_command
from playground.delivery import signed
from playground.errors import DiscordError, Refused
from playground.identity import load_identity, new_identity
from playground.mentions import Pinged, pinged
from playground.modal_fields import modal_fields, submitted
from playground.options import parse_value
from playground.permissions import ADMINISTRATOR, MANAGE_GUILD, allows
from playground.rendering import printable, render_choices, render_message, render_modal, size
from playground.snowflakes import Snowflakes, is_snowflake, named
from tests.unit.playground.bodies import TWO, button, label, modal, row, select, text_input, upload
from tests.unit.playground.bot import COMMANDS

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [
        (None, Pinged(("1", "2"), ("3",), everyone=True)),
        ({}, Pinged()),
        ({"parse": []}, Pinged()),
        ({"parse": ["users"]}, Pinged(("1", "2"))),
        ({"parse": ["roles", "everyone"]}, Pinged((), ("3",), everyone=True)),
        ({"users": ["2", "9"], "roles": [3]}, Pinged(("2",), ("3",))),
    ],
)
def test_whom_a_text_pings(allowed: dict[str, Any] | None, expected: Pinged) -> None:
    found = pinged("<@1> <@!2> <@1> <@&3> @here", allowed)
    assert found == expected
    assert bool(found) == (expected != Pinged())


def test_ids_grow_whatever_the_clock_does() -> None:
    ids = Snowflakes(Clock())
    made: list[int] = []
    lock = threading.Lock()

    def make() -> None:
        for _ in range(200):
            one = int(ids.next())
            with lock:
                made.append(one)

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 800
    assert int(ids.next()) > max(made)
    assert int(named("user", "Ada")) < min(made)
    assert named("user", "Ada") == named("user", "Ada") != named("user", "Bob")


@pytest.mark.parametrize(
    ("value", "good"), [("1", True), (5, True), ("x", False), (True, False), (None, False), (-1, False)]
)
def test_ids(value: object, good: bool) -> None:
    assert is_snowflake(value) is good


def test_time_does_not_run_backwards() -> None:
    with pytest.raises(ValueError, match="backwards"):
        Clock().advance(-1)


def test_an_identity_stays_and_is_private(tmp_path: Path) -> None:
    first, second = load_identity(tmp_path / "a"), load_identity(tmp_path / "a")
    assert (first.public_key, first.application_id, first.bot_token) == (
        second.public_key,
        second.application_id,
        second.bot_token,
    )
    assert load_identity(tmp_path / "b").public_key != first.public_key
    for path in (tmp_path / "a").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_processes_that_start_at_once_agree(tmp_path: Path) -> None:
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(load_identity(tmp_path).public_key)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("signing.key", "not a key"),
        ("signing.key", "00"),
        ("identity.json", "{"),
        ("identity.json", "[]"),
        ("identity.json", '{"application_id": "x", "bot_token": "y", "cdn_secret": "z"}'),
        ("identity.json", '{"application_id": "1", "bot_token": "y", "cdn_secret": "z", "more": "x"}'),
    ],
)
def test_a_damaged_identity_is_not_replaced(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=name):
        load_identity(tmp_path)
    assert (tmp_path / name).read_text() == text


def test_the_signature_is_over_timestamp_and_body() -> None:
    identity = new_identity()
    headers = signed(identity.signing_key, b"body", timestamp="123")
    key = VerifyKey(bytes.fromhex(identity.public_key))
    assert key.verify(b"123body", bytes.fromhex(headers["X-Signature-Ed25519"]))


def test_the_oldest_files_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.cdn.MAX_KEPT_BYTES", 10)
    cdn = Cdn(Clock(), "secret")
    old, new = (cdn.add(str(n), "1", File("a", b"x" * 6)) for n in range(2))
    query = dict(part.split("=") for part in new.url.split("?")[1].rstrip("&").split("&"))
    assert cdn.fetch("1", new.id, "a", query).data == new.data
    with pytest.raises(DiscordError):
        cdn.fetch("1", old.id, "a", query)
    with pytest.raises(DiscordError):
        cdn.fetch("1", new.id, "b", query)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("a b.txt", "a_b.txt"),
        ("../../etc/passwd", "passwd"),
        ("C:\\x\\y.csv", "y.csv"),
        ("..", "unknown"),
        ("\x00\x1b", "unknown"),
        ("вопросы.csv", "вопросы.csv"),
    ],
)
def test_names_of_files(given: str, kept: str) -> None:
    assert safe_name(given) == kept


def test_permissions() -> None:
    assert allows(ADMINISTRATOR, MANAGE_GUILD)
    assert not allows(1, MANAGE_GUILD)


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("/ask", {}),
        ("/ask prompt:How do I reset my password?", {"prompt": "How do I reset my password?"}),
        (
            '/ask prompt:Is it "a: b" or http://x?y=1 count:3',
            {"prompt": 'Is it "a: b" or http://x?y=1', "count": "3"},
        ),
        ("/ask count:2 prompt:what is a prompt: here", {"count": "2", "prompt": "what is a prompt: here"}),
        ("/ask prompt:one\nline two file:@a b.csv", {"prompt": "one\nline two", "file": "@a b.csv"}),
        ("/ask prompt: private:true", {"private": "true"}),
        ("/ask prompt:myfile:x", {"prompt": "myfile:x"}),
    ],
)
def test_typed_commands(text: str, options: dict[str, str]) -> None:
    typed = parse_command(text, COMMANDS_KEPT)
    assert (typed.name, typed.options) == ("ask", options)


COMMANDS_KEPT: list[dict[str, Any]] = [
    *({"type": 1, **command} for command in COMMANDS),
    {
        "type": 1,
        "name": "instruction",
        "name_localizations": {"ru": "инструкция"},
        "options": [
            {
                "type": 1,
                "name": "edit",
                "options": [{"type": 3, "name": "text", "name_localizations": {"ru": "текст"}}],
            },
            {"type": 1, "name": "show"},
        ],
    },
]


def test_typed_subcommands_and_names_in_other_languages() -> None:
    typed = parse_command("/инструкция edit текст:Будь краток", COMMANDS_KEPT)
    assert (typed.name, typed.options) == ("instruction edit", {"text": "Будь краток"})
    assert parse_command("/instruction show", COMMANDS_KEPT).options == {}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("ask", "starts with a slash"),
        ("/nope", "no command 'nope'"),
        ("/ask how are you", "say which option"),
        ("/instruction", "choose one of: edit, show"),
        ("/archive now", "has no options"),
    ],
)
def test_typed_nonsense(text: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        parse_command(text, COMMANDS_KEPT)


def test_values_as_text() -> None:
    assert parse_value({"type": 4, "name": "n"}, "5") == 5
    assert parse_value({"type": 10, "name": "n"}, "0.5") == 0.5
    assert parse_value({"type": 5, "name": "n"}, "True") is True
    mood = {"type": 3, "name": "n", "choices": [{"name": "Good", "value": "g", "name_localizations": {"ru": "Да"}}]}
    assert [parse_value(mood, text) for text in ("Good", "g", "Да")] == ["g", "g", "g"]
    for definition, text in (({"type": 4, "name": "n"}, "x"), ({"type": 5, "name": "n"}, "yes")):
        with pytest.raises(Refused):
            parse_value(definition, text)


def _numbered(form: dict[str, Any]) -> dict[str, Any]:
    for number, component in enumerate(form["components"]):
        component["id"] = number + 1
        inner = component.get("component") or component.get("components", [{}])[0]
        inner["id"] = number + 101
    return form


def test_all_kinds_of_fields() -> None:
    form = _numbered(
        modal(
            {"type": 10, "content": "note"},
            row(text_input(label="Old", custom_id="o", value="kept", required=False)),
            label(select(custom_id="s")),
            label({"type": 21, "custom_id": "r", "options": TWO}),
            label({"type": 22, "custom_id": "g", "options": TWO, "required": False}),
            label({"type": 23, "custom_id": "c"}),
            label(upload()),
        )
    )
    assert [field.custom_id for field in modal_fields(form)] == ["o", "s", "r", "g", "c", "f"]
    file = File("a", b"x")
    values: dict[str, Any] = {"s": ["1"], "r": "a", "c": True, "f": file}
    sent = submitted(form, values, lambda _: "77")
    shown = [one.get("component") or one.get("components", [None])[0] for one in sent]
    assert shown[0] is None
    assert [one.get("value", one.get("values")) for one in shown[1:]] == ["kept", ["1"], "a", [], True, ["77"]]
    wrong: list[dict[str, Any]] = [
        {"s": ["9"]},
        {"r": "z"},
        {"f": "text"},
        {"o": True},
        {"s": []},
        {"g": ["a", "b", "c"]},
    ]
    for change in wrong:
        with pytest.raises(Refused):
            submitted(form, values | change, lambda _: "77")
    assert submitted(form, {}, lambda _: "77", force=True)[2]["component"]["values"] == []


def _message(**more: Any) -> dict[str, Any]:
    return {"id": "5", "content": "", "flags": 0, "embeds": [], "components": [], "attachments": [], **more}


def test_a_printed_reply() -> None:
    message = _message(
        content="An answer.\x1b[2J",
        flags=64,
        embeds=[{"title": "Sources", "fields": [{"name": "1", "value": "faq.csv"}], "footer": {"text": "end"}}],
        components=[
            row(button(emoji={"name": "✏️"}), button(label=None, emoji={"name": "👍"})),
            row(select(placeholder="Which")),
        ],
        attachments=[{"filename": "a.csv", "size": 2048, "url": "http://x/a.csv"}],
    )
    assert render_message(message, color=False).split("\n") == [
        "An answer.�[2J",
        "Sources",
        "1: faq.csv",
        "end",
        "[✏️ Correct] [👍]",
        "[Which ▾] one",
        "📎 a.csv (2.0 KiB) http://x/a.csv",
        "(only you can see this)",
        "message 5",
    ]
    assert render_message(_message(), color=True) == "\x1b[2mmessage 5\x1b[0m"


def test_other_things_printed() -> None:
    shown = render_modal(modal(label(text_input(value="now")), label(upload(required=False))))
    assert "  t: Text\n    now: now\n  f: Text (optional)" in shown
    assert render_choices([]) == "(no choices)"
    assert render_choices([{"name": "One", "value": 1}]) == "One\t1"
    assert [size(count) for count in (0, 1023, 1536, 3 * 1024**4)] == [
        "0 bytes",
        "1023 bytes",
        "1.5 KiB",
        "3072.0 GiB",
    ]
    assert printable("a\r\tb") == "a�\tb"
