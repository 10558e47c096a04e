"""/export_me where Discord takes less than there is, and no link can be given."""

from __future__ import annotations

import io
import random
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from interactions.commands import export_me
from playground.cdn import File
from tests.bot import Bot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playground.clients import Reply

LIMIT = 6_000
WORDS = random.Random(7)
TEXT = "\n".join(f"Q: What is {WORDS.randbytes(9).hex()}? A: It is {WORDS.randbytes(60).hex()}." for _ in range(90))


def small(payload: dict[str, Any]) -> None:
    payload["attachment_size_limit"] = LIMIT


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Bot]:
    """A server where Ada uploaded more than one part holds, and no address for links."""
    with Bot(tmp_path, port=0) as bot:
        bot.ada().command("train", file=File("long.txt", TEXT.encode())).wait()
        bot.ada().command("train", text="Q: gyrocopter? A: It flies.").wait()
        yield bot


def take(reply: Reply, found: dict[str, bytes]) -> None:
    for file in reply.files:
        assert len(file.data) <= LIMIT
        with zipfile.ZipFile(io.BytesIO(file.data)) as part:
            assert part.testzip() is None
            found |= {name: part.read(name) for name in part.namelist()}


def test_an_export_in_parts_is_whole(full: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_me, "MESSAGE_MOST", 2 * LIMIT)
    found: dict[str, bytes] = {}
    reply = full.ada().command("export_me", mutate=small).wait()
    assert reply.ephemeral
    assert "It is too large for one file, so it comes in " in reply.content
    assert "`cat name.0* > name`" in reply.content
    assert len(reply.files) == 2
    assert reply.files[0].filename.startswith(f"trainger-{full.ada().user.id}-1of")
    take(reply, found)
    presses = 0
    while reply.message.components:
        reply = full.ada().click(reply.message.id, "Next parts", mutate=small).wait()
        assert reply.ephemeral
        take(reply, found)
        presses += 1
    assert presses >= 1
    pieces = sorted(name for name in found if ".txt.0" in name)
    assert b"".join(found[name] for name in pieces) == TEXT.encode()
    assert any(b"gyrocopter" in data for data in found.values())


def test_a_second_delivery_gives_the_same_parts(full: Bot) -> None:
    exchange = full.ada().command("export_me", mutate=small)
    first = [(file.filename, file.data) for file in exchange.wait().files]
    full.until_idle()
    for part in ("outcome", "delivery"):  # as if the worker had died before it kept them
        full.services.store.delete(f"{full.services_scope().prefix}/outcomes/{exchange.id}.{part}.json")
    exchange.redeliver()
    full.until_idle()
    assert [(file.filename, file.data) for file in exchange.wait().files] == first


def test_parts_are_for_their_person_and_for_a_day(full: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_me, "MESSAGE_MOST", LIMIT)
    exchange = full.ada().command("export_me", mutate=small)
    message = exchange.wait().message
    gone = "My copy of these files is gone by now."
    for subject in (f"{exchange.id}:2", f"{exchange.id}:999", "x:1", f"{exchange.id}:x", f"{exchange.id}", "../x:1"):
        by = full.bob() if subject.endswith(":2") else full.ada()
        forged = by.click(message.id, f"export:{subject}", force=True, mutate=small).wait()
        assert gone in forged.content
        assert not forged.files
    for info in list(full.services.store.list(f"{full.services_scope().prefix}/personal/")):
        full.services.store.delete(info.key)
    assert gone in full.ada().click(message.id, "Next parts", mutate=small).wait().content


def test_where_even_parts_do_not_help_it_says_who_can(full: Bot) -> None:
    def tiny(payload: dict[str, Any]) -> None:
        payload["attachment_size_limit"] = 100

    reply = full.ada().command("export_me", mutate=tiny).wait()
    assert not reply.files
    assert "TRAINGER_PUBLIC_URL" in reply.content


def test_parts_in_russian(full: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_me, "MESSAGE_MOST", LIMIT)
    reply = full.ada(locale="ru").command("export_me", mutate=small).wait()
    assert "Одним файлом это слишком велико" in reply.content
    assert full.ada(locale="ru").click(reply.message.id, "Следующие части", mutate=small).wait().files
