"""/train archive: what is too large to be uploaded is brought back from where it lies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from playground.cdn import File
from tests.bot import Bot
from tests.e2e.test_files import FAQ, archive, records, small, teach, wipe
from trainer.scope import Scope

if TYPE_CHECKING:
    from pathlib import Path

NOT_HERE = "There is no such archive here. Start typing and choose one from the list."


def suggested(bot: Bot, typed: str = "", **more: Any) -> list[dict[str, Any]]:
    found = bot.ada(**more).autocomplete("train", "archive", typed).wait().choices
    assert found is not None
    return found


def restore(bot: Bot, path: str, **options: str) -> str:
    return bot.ada().command("train", {"archive": path, **options}).wait().content


def test_what_discord_takes_from_nobody_comes_back_identical(tmp_path: Path) -> None:
    """It could be neither attached nor uploaded; it need not be."""
    with Bot(tmp_path, port=0) as bot:
        teach(bot)
        reply = bot.ada().command("archive", mutate=small).wait()
        assert not reply.files
        assert "`/train archive:` brings it all back" in reply.content
        before = records(bot)
        wipe(bot)
        (choice,) = suggested(bot)
        assert choice["name"].startswith("archives/default.zip · 20")
        assert restore(bot, choice["value"]) == "I restored 2 examples and 1 correction to “default”."
        assert records(bot) == before
        assert bot.bob().command("ask", prompt="Who runs this?").wait().content.startswith("Ada does.")
        again = restore(bot, choice["value"])
        assert again == "There was nothing to restore to “default”, so nothing has changed.\n• 3 were there already"
        assert records(bot) == before


def test_a_second_delivery_tells_the_same_and_doubles_nothing(bot: Bot) -> None:
    teach(bot)
    archive(bot)
    wipe(bot)
    exchange = bot.ada().command("train", archive=suggested(bot)[0]["value"])
    told = exchange.wait().content
    for part in ("outcome", "delivery"):  # as if the worker had died before it kept them
        bot.services.store.delete(f"{bot.services_scope().prefix}/outcomes/{exchange.id}.{part}.json")
    exchange.redeliver()
    bot.until_idle()
    assert exchange.wait().content == told == "I restored 2 examples and 1 correction to “default”."
    assert tuple(bot.services.library.index(bot.services_scope(), "default").count()) == (2, 0, 1)


def test_it_goes_where_it_is_told_to(bot: Bot) -> None:
    teach(bot)
    archive(bot)
    path = suggested(bot)[0]["value"]
    name = path.removeprefix("archives/")
    assert restore(bot, name, dataset="Copy") == "I restored 2 examples and 1 correction to “copy”."
    assert "A dataset's name has up to 48" in restore(bot, path, dataset="no/thing")


def test_an_upload_that_is_kept_here_will_do(bot: Bot) -> None:
    teach(bot)
    (zipped,) = archive(bot).files
    bot.ada().command("train", file=File("backup.zip", zipped.data), dataset="copy").wait()
    (choice,) = [one for one in suggested(bot, "originals/") if "backup" in one["name"]]
    assert "I restored 2 examples and 1 correction to “third”." in restore(bot, choice["value"], dataset="third")


def test_wrong_paths_are_refused_in_one_sentence(bot: Bot) -> None:
    bob = bot.bob(where="dm")
    bob.command("train", text="Q: Mine? A: Yes.").wait()
    bob.command("archive").wait()
    own = Scope("user", bot.bob().user.id).prefix
    foreign = next(info.key for info in bot.services.store.list(f"{own}/archives/"))
    odd = (
        "nothing",
        "archives/nothing.zip",
        "../etc/passwd",
        "/etc/passwd",
        "archives/",
        f"archives/../../{foreign}",
    )
    for path in (
        *odd,
        foreign,
        foreign.partition("/")[2],
        "a\tb",
        "archives/\u202e1.zip",
        "settings.json",
        "x" * 2000,
    ):
        assert restore(bot, path) == NOT_HERE


def test_files_that_are_no_archive_are_told_apart(bot: Bot) -> None:
    teach(bot)
    archive(bot, path="originals/")
    before = records(bot)
    (upload,) = bot.ada().autocomplete("getfile", "path", "faq").wait().choices or []
    assert "That file is no archive of mine, so I restored nothing." in restore(bot, upload["value"])
    assert "holds files and no dataset" in restore(bot, suggested(bot)[0]["value"])
    assert records(bot) == before


def test_an_archive_comes_alone(bot: Bot) -> None:
    teach(bot)
    archive(bot)
    path = suggested(bot)[0]["value"]
    told = bot.ada().command("train", archive=path, text="Q: a? A: b.").wait()
    assert "An archive is restored on its own." in told.content
    assert told.ephemeral
    told = bot.ada().command("train", archive=path, file=File("a.csv", FAQ)).wait()
    assert "An archive is restored on its own." in told.content


def test_it_is_for_managers(bot: Bot) -> None:
    """A trainer may teach, but what lies here may be what was taken away from them."""
    teach(bot)
    archive(bot)
    path = suggested(bot)[0]["value"]
    refused = bot.bob().command("train", archive=path, force=True).wait()
    assert "Teaching me is for managers" in refused.content
    bot.ada().command("settings", trainer_role="Knight").wait()
    knight = bot.bob(roles=["Knight"])
    refused = knight.command("train", archive=path, force=True).wait()
    assert refused.content == "Bringing back what I keep here is for managers (“Manage Server”)."
    assert refused.ephemeral


def test_in_a_direct_message_it_is_the_persons_own(bot: Bot) -> None:
    bob = bot.bob(where="dm")
    bob.command("train", text="Q: Mine? A: Yes.").wait()
    bob.command("archive").wait()
    wipe_of = f"u{bot.bob().user.id}/datasets/"
    for info in list(bot.services.store.list(wipe_of)):
        bot.services.store.delete(info.key)
    (choice,) = bob.autocomplete("train", "archive", "").wait().choices or []
    told = bob.command("train", archive=choice["value"]).wait().content
    assert told == "I restored 1 example and 0 corrections to “default”."


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("", "Возвращено в «default»: 2 примера, 1 исправление."),
        ("nothing", "Такого архива здесь нет."),
    ],
)
def test_russian(bot: Bot, path: str, told: str) -> None:
    teach(bot)
    archive(bot)
    wipe(bot)
    path = path or suggested(bot, locale="ru")[0]["value"]
    assert bot.ada(locale="ru").command("train", archive=path).wait().content.startswith(told)
