"""What is written down of a conversation: nothing, unless the server's managers chose it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.voice.discord import until
from tests.voice.discord.running import in_loop
from tests.voice.whole.desk import scope_of
from tests.voice.whole.stage import THERE, WHERE, Stage, stage, wordless
from trainer.answers import load_answer
from trainer.settings import choose_transcripts

if TYPE_CHECKING:
    from pathlib import Path

RUSSIAN = "Где лежит ключ?"
RUSSIAN_ANSWER = "За синей дверью."


def everything(folder: Path) -> str:
    """All that is in the store, as text."""
    files = [path for path in (folder / "store").rglob("*") if path.is_file()]
    return "\n".join(path.read_bytes().decode("utf-8", "replace") for path in files)


async def nothing_is_kept(it: Stage, folder: Path) -> None:
    """Ada asks what was taught, in other words than it was taught in."""
    asked = "Where is the key now?"
    it.recogniser.knows.append(asked)
    await it.begin()
    before = len(it.desk.texts(it.channel))
    await it.answers(it.ada, asked, THERE)
    await it.silent()
    assert len(it.desk.texts(it.channel)) == before
    assert asked not in everything(folder)
    assert THERE in everything(folder)  # which was taught


@in_loop
async def test_of_what_is_asked_aloud_nothing_is_kept(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await nothing_is_kept(it, tmp_path)


@in_loop
async def test_keeping_it_all_the_same_is_noticed(tmp_path: Path) -> None:
    """The wrong variant: a server that wants transcripts."""
    async with stage(tmp_path) as it:
        choose_transcripts(it.services.store, scope_of(it.guild), it.desk.new_id(), 7)
        with pytest.raises(AssertionError):
            await nothing_is_kept(it, tmp_path)


@in_loop
async def test_what_managers_want_written_is_in_the_chat(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        await it.begin()
        choose_transcripts(it.services.store, scope_of(it.guild), it.desk.new_id(), 7)
        it.desk.line.tell_settings(str(it.guild.id))
        await until(lambda: "kept for 7 days" in it.desk.texts(it.channel)[0], "the notice says so")
        await until(lambda: "From now on" in it.desk.texts(it.channel)[-1], "and another message does")
        before = len(it.desk.texts(it.channel))
        await it.answers(it.ada)
        await until(lambda: len(it.desk.texts(it.channel)) > before, "it is written")
        (written,) = it.desk.texts(it.channel)[before:]
        assert written.startswith(f"> <@{it.ada.user_id}>: {WHERE}\n{THERE}")
        message = it.emulator.sent_messages[-1]
        answer_id = message.body["components"][0]["components"][0]["custom_id"].partition(":")[2]
        kept = load_answer(it.services.store, scope_of(it.guild), answer_id)
        assert kept is not None
        assert (kept.question, kept.text, kept.author) == (WHERE, THERE, str(it.ada.user_id))


@in_loop
async def test_in_russian(tmp_path: Path) -> None:
    async with stage(tmp_path) as it:
        it.guild.locale = "ru"
        it.guild.recover()
        it.desk.teach_pair(it.guild, RUSSIAN, RUSSIAN_ANSWER)
        it.recogniser.knows.append(RUSSIAN)
        await until(lambda: it.sidecar.client.guilds[0].preferred_locale.value == "ru", "it is known")
        await it.begin()
        assert "Я слушаю" in it.desk.texts(it.channel)[0]
        await it.answers(it.ada, RUSSIAN, RUSSIAN_ANSWER)
        assert it.reader.languages[RUSSIAN_ANSWER] == "ru"


def test_words_in_the_log_are_noticed() -> None:
    """The wrong variant of the check that every scene ends with."""
    wordless(['{"message": "spoken turn", "outcome": "answered"}'], [WHERE, THERE])
    for line in (f"heard: {WHERE}", '{"text": "behind the blue door"}', f"{THERE.upper()}"):
        with pytest.raises(AssertionError):
            wordless(["fine", line], [WHERE, THERE])
