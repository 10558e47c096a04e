"""/archive, /getfile and restoring, as managers, members and people in direct messages use them."""

from __future__ import annotations

import http.client
import io
import zipfile
from contextlib import closing
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from playground.cdn import File
from tests.bot import Bot
from tests.discord import validate_all

if TYPE_CHECKING:
    from pathlib import Path

    from playground.clients import Reply
    from tests.discord import OpenApi

FAQ = b"question,answer\nWhere is the map?,Press M.\nWho runs this?,Mira does.\n"


def teach(bot: Bot) -> None:
    assert "I learned 2 new things" in bot.ada().command("train", file=File("наш-faq.csv", FAQ)).wait().content
    answer = bot.bob().command("ask", prompt="Who runs this?").wait().message
    bot.ada().click(answer.id, "Correct").submit({"correction": "Ada does."}).wait()


def archive(bot: Bot, **options: str) -> Reply:
    return bot.ada().command("archive", options).wait()


def choices(bot: Bot, typed: str, command: str = "getfile") -> list[dict[str, Any]]:
    found = bot.ada().autocomplete(command, "path", typed).wait().choices
    assert found is not None
    return found


def small(payload: dict[str, Any]) -> None:
    """Discord takes next to nothing here."""
    payload["attachment_size_limit"] = 100


def get(bot: Bot, link: str) -> tuple[int, bytes, Any]:
    """Follow a link to the server that is under test, wherever the link says that it is."""
    server = urlsplit(bot.url)
    with closing(http.client.HTTPConnection(server.hostname or "", server.port, timeout=10)) as connection:
        connection.request("GET", urlsplit(link).path)
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.headers


def wipe(bot: Bot, dataset: str = "default") -> None:
    prefix = f"{bot.services_scope().prefix}/datasets/{dataset}/"
    for info in list(bot.services.store.list(prefix)):
        bot.services.store.delete(info.key)


def records(bot: Bot) -> dict[str, bytes]:
    prefix = f"{bot.services_scope().prefix}/datasets/"
    store = bot.services.store
    return {info.key: store.get(info.key).data for info in store.list(prefix) if "/journal/" not in info.key}


def test_a_dataset_is_archived_lost_and_brought_back(bot: Bot) -> None:
    teach(bot)
    reply = archive(bot)
    assert reply.ephemeral
    assert "“default” is archived" in reply.content
    assert "• 2 examples, 1 correction" in reply.content
    (zipped,) = reply.files
    assert zipped.filename == "default.zip"
    before = records(bot)
    wipe(bot)
    upload = File("whatever.csv", zipped.data, "text/csv")
    restored = bot.ada().command("train", file=upload).wait()
    assert restored.content == "I restored 2 examples and 1 correction to “default”."
    assert records(bot) == before
    assert bot.bob().command("ask", prompt="Who runs this?").wait().content.startswith("Ada does.")
    again = bot.ada().command("train", file=upload).wait().content
    assert again == "There was nothing to restore to “default”, so nothing has changed.\n• 3 were there already"


def test_an_archive_goes_to_a_dataset_that_is_named(bot: Bot) -> None:
    teach(bot)
    (zipped,) = archive(bot).files
    told = bot.ada().command("train", file=File("a.zip", zipped.data), dataset="Copy of it").wait().content
    assert told == "I restored 2 examples and 1 correction to “copy-of-it”."
    opened = bot.ada().command("train", dataset="another")
    assert "to “another”" in opened.submit({"file": File("a.zip", zipped.data)}).wait().content
    names = [choice["value"] for choice in bot.ada().autocomplete("train", "dataset", "").wait().choices or []]
    assert names == ["another", "copy-of-it", "default"]


def test_a_second_delivery_gives_the_same(bot: Bot) -> None:
    teach(bot)
    exchange = bot.ada().command("archive")
    first = exchange.wait()
    bot.ada().command("train", text="Q: More? A: Yes.").wait()
    exchange.redeliver()
    bot.until_idle()
    assert exchange.wait().files[0].data == first.files[0].data
    assert len(list(bot.services.store.list(f"{bot.services_scope().prefix}/archives/"))) == 1
    wipe(bot)
    restoring = bot.ada().command("train", file=File("a.zip", first.files[0].data))
    told = restoring.wait().content
    restoring.redeliver()
    bot.until_idle()
    assert restoring.wait().content == told == "I restored 2 examples and 1 correction to “default”."


def test_what_cannot_be_restored_is_refused_with_a_reason(bot: Bot) -> None:
    teach(bot)
    (zipped,) = archive(bot).files
    (files,) = archive(bot, path="originals/").files
    before = records(bot)

    def told(data: bytes, **more: str) -> str:
        return bot.ada().command("train", {"file": File("a.zip", data), **more}).wait().content

    assert "damaged or incomplete" in told(zipped.data[:-100])
    assert "holds files and no dataset" in told(files.data)
    altered = io.BytesIO(zipped.data)
    with zipfile.ZipFile(altered, "a") as changed:
        changed.writestr("../../etc/passwd", "root")
    assert "not an archive as I made it" in told(altered.getvalue())
    assert "restored on its own" in told(zipped.data, text="Q: a? A: b.")
    assert records(bot) == before
    word = io.BytesIO()
    with zipfile.ZipFile(word, "w") as document:
        document.writestr("word/document.xml", "<w/>")
    assert "I don't read that kind of file (docx)" in told(word.getvalue())


def test_what_is_too_large_comes_as_a_link(tmp_path: Path, openapi_if_there: OpenApi | None) -> None:
    with Bot(tmp_path, public_url="https://bot.example.org") as bot:
        teach(bot)
        reply = bot.ada().command("archive", mutate=small).wait()
        assert not reply.files
        assert reply.ephemeral
        link = reply.content.partition("](<")[2].partition(">)")[0]
        assert link.startswith("https://bot.example.org/files/")
        status, data, headers = get(bot, link)
        assert status == 200
        assert zipfile.ZipFile(io.BytesIO(data)).testzip() is None
        assert headers["Content-Disposition"] == 'attachment; filename="default.zip"'
        assert get(bot, f"{link}x")[0] == 404
        if openapi_if_there is not None:
            assert validate_all(openapi_if_there, bot.playground.requests) > 0


def test_where_no_link_can_be_it_says_who_can_help(tmp_path: Path) -> None:
    with Bot(tmp_path, port=0) as bot:
        teach(bot)
        reply = bot.ada().command("archive", mutate=small).wait()
        assert not reply.files
        assert "Discord takes at most 100 B from me here" in reply.content
        assert "TRAINGER_PUBLIC_URL" in reply.content


def test_a_file_is_found_while_typing_and_delivered(bot: Bot) -> None:
    teach(bot)
    archive(bot)
    assert [choice["value"] for choice in choices(bot, "")] == ["archives/", "datasets/", "originals/"]
    (upload,) = choices(bot, "faq")
    assert upload["name"].startswith("originals/наш-faq.csv · 20")
    got = bot.ada().command("getfile", path=upload["value"]).wait()
    assert got.ephemeral
    assert got.files[0].data == FAQ
    assert got.content == "📄 наш-faq.csv, 69 B"
    assert [choice["value"] for choice in choices(bot, upload["name"])] == [upload["value"]]
    (kept,) = choices(bot, "archives/")
    assert bot.ada().command("getfile", path=kept["value"]).wait().files[0].filename == "default.zip"


def test_folders_are_offered_for_archiving(bot: Bot) -> None:
    teach(bot)
    archive(bot)
    assert [choice["value"] for choice in choices(bot, "", "archive")] == ["datasets/", "originals/"]
    assert [choice["value"] for choice in choices(bot, "defau", "archive")] == ["datasets/default/"]
    reply = archive(bot, path="datasets/default/")
    assert "“datasets/default” is archived" in reply.content
    assert reply.files[0].filename == "default.zip"


NOT_HERE = "There is no such file here. Start typing and choose one from the list."


def test_what_is_no_file_of_this_server_is_refused_in_one_sentence(bot: Bot) -> None:
    bot.bob(where="dm").command("train", file=File("secret.csv", FAQ)).wait()
    foreign = next(info.key for info in bot.services.store.list(f"u{bot.bob().user.id}/originals/"))
    done = bot.ada().command("getfile", path="nothing")
    assert done.wait().content == NOT_HERE
    odd = ("archives/nothing.zip", "../etc/passwd", "/etc/passwd", f"originals/../../{foreign}", foreign, "a\tb")
    for path in (*odd, f"outcomes/{done.id}.outcome.json", "originals/\u202e1", "originals/１", "x" * 2000):
        reply = bot.ada().command("getfile", path=path).wait()
        assert (reply.content, reply.ephemeral, reply.files) == (NOT_HERE, True, [])


def test_folders_that_are_not_there_are_refused(bot: Bot) -> None:
    for path in ("nothing", "outcomes/", "../", "archives/", "datasets/default/"):
        assert archive(bot, path=path).content.startswith("There is no such folder here, or nothing in it.")
    assert archive(bot).content == "There is nothing in “default” yet, so there is nothing to archive."


@pytest.mark.parametrize("command", ["archive", "getfile"])
def test_members_get_nothing(bot: Bot, command: str) -> None:
    teach(bot)
    reply = bot.bob().command(command, {"path": "datasets/default/"}, force=True).wait()
    assert reply.ephemeral
    assert not reply.files
    assert "for managers" in reply.content


def test_in_a_direct_message_the_files_are_the_persons_own(bot: Bot) -> None:
    teach(bot)
    bob = bot.bob(where="dm")
    assert "nothing in “default” yet" in bob.command("archive").wait().content
    bob.command("train", text="Q: Mine? A: Yes.").wait()
    reply = bob.command("archive").wait()
    assert "• 1 example, 0 corrections" in reply.content
    assert reply.files[0].filename == "default.zip"
    found = bob.autocomplete("getfile", "path", "archives/").wait().choices
    assert found is not None
    assert len(found) == 1


def test_russian(bot: Bot) -> None:
    teach(bot)
    ada = bot.ada(locale="ru")
    reply = ada.command("archive").wait()
    assert "• 2 примера, 1 исправление" in reply.content
    wipe(bot)
    restored = ada.command("train", file=File("a.zip", reply.files[0].data)).wait()
    assert restored.content == "Возвращено в «default»: 2 примера, 1 исправление."
    assert ada.command("getfile", path="../x").wait().content.startswith("Такого файла здесь нет.")
