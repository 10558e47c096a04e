"""/forget_me, /export_me, /privacy and /stats, and Discord's events, as people and Discord use them."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
import requests

from playground.cdn import File
from tests.bot import Bot
from trainer.consent import preferences
from trainer.scope import Scope

if TYPE_CHECKING:
    from pathlib import Path

    from playground.clients import Client, Exchange, Reply

QUESTION = "Where is the lost property office?"
SECRET = "In the xylophone room"


def teach(person: Client, text: str) -> None:
    assert "I learned" in person.command("train", text=text).wait().content


def ask(person: Client, prompt: str) -> str:
    return person.command("ask", prompt=prompt).wait().content


def stored(bot: Bot, word: str) -> list[str]:
    """Keys of the objects that hold a word, or have it in their name."""
    store = bot.services.store
    return [info.key for info in store.list("") if word in info.key or word.encode() in store.get(info.key).data]


def forget(person: Client) -> Reply:
    asked = person.command("forget_me").wait()
    return person.click(asked.message.id, "Delete everything").wait()


@pytest.fixture
def used(bot: Bot) -> Bot:
    """Ada, a manager, and Bob, a member, have used the bot in every way."""
    ada, bob = bot.ada(), bot.bob()
    file = File("lost.txt", f"Q: {QUESTION} A: {SECRET}.".encode())
    assert "I learned" in ada.command("train", file=file).wait().content
    teach(ada, "Q: Who keeps the bees? A: Mira does.")
    answer = bob.command("ask", prompt=QUESTION).wait().message
    assert SECRET in answer.text
    assert "Thank" in bob.command("feedback", rating="up", comment="zither", message_id=answer.id).wait().content
    bob.command("correct", message_id=answer.id, correction="Ask at the ocarina desk.").wait()
    ask(ada, "Where do I park my gyrocopter?")
    bot.until_idle()
    return bot


def test_a_member_is_forgotten(used: Bot) -> None:
    bob = used.bob()
    asked = bob.command("forget_me").wait()
    assert asked.ephemeral
    assert "1 question with its answer" in asked.content
    assert "1 correction" in asked.content
    assert "1 vote" in asked.content
    receipt = bob.click(asked.message.id, "Delete everything").wait()
    assert receipt.ephemeral
    assert "I have forgotten you" in receipt.content
    assert "1 correction" in receipt.content
    used.until_idle()
    for word in ("zither", "ocarina"):
        assert stored(used, word) == []
    owned = [key for key in stored(used, f'"{bob.user.id}"') if "/outcomes/" not in key]
    assert owned == [f"{used.services_scope().prefix}/forgotten/{bob.user.id}.json"]
    assert SECRET in ask(used.ada(), QUESTION)


def test_a_manager_is_forgotten_and_every_index_drops_what_they_taught(used: Bot) -> None:
    ada = used.ada()
    scope = used.services_scope()
    assert used.services.library.index(scope, "default").count().pairs == 2
    receipt = forget(ada).content
    assert "2 examples that you taught" in receipt
    assert "1 file that you uploaded" in receipt
    assert "2 records of others" in receipt
    used.until_idle()
    assert "I don't know that yet." in ask(used.bob(), QUESTION)
    assert used.services.library.index(scope, "default").count().pairs == 0
    left = [key for key in stored(used, "xylophone") if "/outcomes/" not in key and "/conversations/" not in key]
    assert left == []
    assert stored(used, "originals/") == []
    assert stored(used, "gyrocopter") == []


def test_a_question_that_was_named_as_the_closest_is_forgotten(tmp_path: Path) -> None:
    with Bot(tmp_path, embeddings="none") as bot:
        teach(bot.ada(), "Q: Where is the glockenspiel office? A: In the cellar.")
        assert "glockenspiel" in ask(bot.bob(), "What is office tax?")
        bot.until_idle()
        (kept,) = [key for key in stored(bot, "office tax") if "/answers/" in key]
        assert b"glockenspiel" in bot.services.store.get(kept).data
        forget(bot.ada())
        bot.until_idle()
        assert [key for key in stored(bot, "glockenspiel") if "/outcomes/" not in key] == []
        answer = json.loads(bot.services.store.get(kept).data)
        assert (answer["closest"], answer["closest_by"]) == ("", "0")


def test_forgetting_again_finds_nothing(used: Bot) -> None:
    asked = used.bob().command("forget_me").wait()
    used.bob().click(asked.message.id, "Delete everything").wait()
    again = used.bob().command("forget_me").wait()
    assert "I have nothing of yours" in again.content
    assert not again.message.components
    pressed = used.bob().click(asked.message.id, "forget:all", force=True).wait()
    assert "nothing left of yours" in pressed.content


def test_a_second_delivery_tells_the_same(used: Bot) -> None:
    asked = used.bob().command("forget_me").wait()
    pressed = used.bob().click(asked.message.id, "Delete everything")
    receipt = pressed.wait().content
    pressed.redeliver()
    used.until_idle()
    assert pressed.wait().content == receipt


def test_keeping_keeps(used: Bot) -> None:
    asked = used.ada().command("forget_me").wait()
    assert "Nothing was deleted" in used.ada().click(asked.message.id, "Keep it").wait().content
    assert SECRET in ask(used.bob(), QUESTION)


def test_jobs_that_come_late_are_not_done(bot: Bot) -> None:
    teach(bot.ada(), "Q: Who keeps the bees? A: Mira does.")
    asked = bot.ada().command("forget_me").wait()
    bot.stop_worker()
    early = bot.ada().command("train", text="Q: Is this late? A: Zugzwang.")
    pressed = bot.ada().click(asked.message.id, "Delete everything")
    waiting = bot.queue.lease(wait_s=1, visibility_s=60, limit=2)
    while len(waiting) < 2:
        waiting = [*waiting, *bot.queue.lease(wait_s=1, visibility_s=60, limit=2)]
    train, forgetting = sorted(waiting, key=lambda job: json.loads(job.body)["interaction"]["id"])
    assert bot.performer.perform(forgetting.body, 1).do == "complete"
    assert bot.performer.perform(train.body, 1).do == "complete"
    for job in waiting:
        bot.queue.complete(job)
    assert "forgotten you" in pressed.wait().content
    assert "You asked me to forget you" in early.wait().content
    assert stored(bot, "Zugzwang") == []


def test_jobs_that_were_given_up_are_forgotten_too(bot: Bot) -> None:
    def fail(*_: object, **__: object) -> NoReturn:
        raise ValueError

    answer = bot.services.answering.answer
    bot.services.answering.answer = fail  # type: ignore[method-assign]
    bot.bob().command("ask", prompt="Where is my bandoneon?")
    bot.ada().command("ask", prompt="Where is the oboe?")
    bot.until(lambda: len(bot.queue.dead()) == 2, timeout=30)
    bot.services.answering.answer = answer  # type: ignore[method-assign]
    teach(bot.ada(), f"Q: {QUESTION} A: {SECRET}.")
    ask(bot.bob(), QUESTION)
    assert "I have forgotten you" in forget(bot.bob()).content
    (left,) = bot.queue.dead()
    assert b"oboe" in left.body


def test_in_a_direct_message_everything_goes(bot: Bot) -> None:
    teach(bot.ada(), f"Q: {QUESTION} A: {SECRET}.")
    private = bot.bob(where="dm")
    teach(private, "Q: My cat? A: Wurzelbrumft.")
    assert "Wurzelbrumft" in ask(private, "My cat?")
    assert "in our direct messages" in forget(private).content
    bot.until_idle()
    assert [key for key in stored(bot, "Wurzelbrumft") if "/outcomes/" not in key] == []
    assert "I don't know that yet." in ask(private, "My cat?")
    assert SECRET in ask(bot.bob(), QUESTION)
    teach(private, "Q: My dog? A: Bello.")
    assert "Bello" in ask(private, "My dog?")


def test_archives_are_named_and_a_manager_deletes_them(used: Bot) -> None:
    assert used.ada().command("archive").wait().files
    asked = used.ada().command("forget_me").wait()
    receipt = used.ada().click(asked.message.id, "Delete everything").wait()
    assert "1 archive or export" in receipt.content
    assert ".zip" in receipt.content
    forged = used.bob().click(receipt.message.id, "forgetcopies:1", force=True).wait()
    assert "Only managers" in forged.content
    assert stored(used, "/archives/")
    gone = used.ada().click(receipt.message.id, "Delete these files now").wait()
    assert "1 file was deleted" in gone.content
    assert stored(used, "/archives/") == []


def unzipped(reply: Reply) -> dict[str, bytes]:
    (file,) = reply.files
    with zipfile.ZipFile(io.BytesIO(file.data)) as bundle:
        assert bundle.testzip() is None
        return {name: bundle.read(name) for name in bundle.namelist()}


def test_an_export_holds_everything_of_the_person_alone(used: Bot) -> None:
    reply = used.ada().command("export_me").wait()
    assert reply.ephemeral
    assert "2 examples" in reply.content
    members = unzipped(reply)
    joined = b"\n".join(members.values()).decode()
    assert "gyrocopter" in joined
    assert "zither" not in joined
    (uploaded,) = [name for name in members if name.startswith("files/")]
    assert uploaded.endswith("-lost.txt")
    assert SECRET.encode() in members[uploaded]
    assert all(json.loads(data) for name, data in members.items() if name.endswith(".json"))
    bobs = b"\n".join(unzipped(used.bob().command("export_me").wait()).values()).decode()
    assert "zither" in bobs
    assert "ocarina" in bobs
    assert "gyrocopter" not in bobs


def test_copies_of_an_export_are_called_that_when_they_go(used: Bot) -> None:
    for _ in range(2):
        used.bob().command("export_me").wait()
    asked = used.bob().command("forget_me").wait()
    assert "• 2 copies that `/export_me` made for you" in asked.content
    assert "other thing" not in asked.content
    assert "• 2 copies" in used.bob().click(asked.message.id, "Delete everything").wait().content
    assert not list(used.services.store.list(f"{used.services_scope().prefix}/personal/"))


def test_there_may_be_nothing_to_export(bot: Bot) -> None:
    reply = bot.bob().command("export_me").wait()
    assert "I have nothing of yours" in reply.content
    assert not reply.files


def test_an_export_that_discord_does_not_take_is_a_link_or_says_so(used: Bot) -> None:
    def small(payload: dict[str, Any]) -> None:
        payload["attachment_size_limit"] = 100

    reply = used.ada().command("export_me", mutate=small).wait()
    assert not reply.files or reply.files[0].filename == "link.txt"
    assert "Discord" in reply.content


def test_privacy_has_pages_and_switches(bot: Bot) -> None:
    first = bot.bob().command("privacy").wait()
    assert first.ephemeral
    assert "180 days" in first.content
    second = bot.bob().click(first.message.id, "Next").wait()
    assert "No language model is connected" in second.content
    third = bot.bob().click(first.message.id, "Next").wait()
    assert "/forget_me" in third.content
    off = bot.bob().click(first.message.id, "Memory: on").wait()
    assert "Memory: off" in str(off.message.components)
    bot.bob().click(first.message.id, "Learning: ask me").wait()
    bot.bob().click(first.message.id, "Voice: off").wait()
    now = preferences(bot.services.store, bot.services_scope(), bot.bob().user.id)
    assert (now.remember_conversations, now.train_on_my_messages, now.voice) == (False, "always", True)
    back = bot.bob().click(first.message.id, "Back").wait()
    assert "Who sees it" in back.content
    untouched = preferences(bot.services.store, bot.services_scope(), bot.ada().user.id)
    assert untouched.remember_conversations


@pytest.mark.parametrize("subject", ["", "9", "0:memory-off:x", "x:y", "3:nothing", "-1"])
def test_a_forged_button_turns_to_a_page_and_changes_nothing(bot: Bot, subject: str) -> None:
    first = bot.bob().command("privacy").wait()
    shown = bot.bob().click(first.message.id, f"privacy:{subject}", force=True).wait()
    assert "Page" in shown.content
    now = preferences(bot.services.store, bot.services_scope(), bot.bob().user.id)
    assert now.remember_conversations


def test_the_memory_goes_when_it_is_switched_off(bot: Bot) -> None:
    teach(bot.ada(), f"Q: {QUESTION} A: {SECRET}.")
    ask(bot.bob(), QUESTION)
    bot.until_idle()
    assert stored(bot, "/conversations/")
    first = bot.bob().command("privacy").wait()
    bot.bob().click(first.message.id, "privacy:3:memory-off", force=True).wait()
    assert stored(bot, "/conversations/") == []
    ask(bot.bob(), QUESTION)
    bot.until_idle()
    assert stored(bot, "/conversations/") == []


def test_numbers(used: Bot) -> None:
    managers = used.ada().command("stats").wait()
    assert managers.ephemeral
    assert "2 questions with their answers" in managers.content
    assert "last 24 hours: 2 questions" in managers.content
    assert "👍 1, 👎 0" in managers.content
    teach_more = used.ada().command("train", text="Q: a? A: b.", dataset="events").wait()
    assert "events" in teach_more.content
    assert "events: 1 questions" in used.ada().command("stats").wait().content
    members = used.bob().command("stats").wait().content
    assert "in 2 datasets" in members
    assert "events" not in members


def test_numbers_where_nothing_happened(bot: Bot) -> None:
    told = bot.bob(where="dm").command("stats").wait().content
    assert "0 questions" in told
    assert "Nothing yet." in told


def test_in_russian(used: Bot) -> None:
    bob = used.bob(locale="ru")
    first = bob.command("privacy").wait()
    assert "180 дней" in first.content
    assert "Дальше" in str(first.message.components)
    assert "вопрос" in bob.command("stats").wait().content
    assert bob.command("export_me").wait().files
    asked = bob.command("forget_me").wait()
    assert "1 вопрос с ответом" in asked.content
    assert "забыл" in bob.click(asked.message.id, "forget:all", force=True).wait().content


def post(bot: Bot, body: object) -> requests.Response:
    data = json.dumps(body).encode()
    return requests.post(f"{bot.url}/events", data=data, headers=bot.playground.sign(data), timeout=10)


def event(kind: str, user_id: str, at: str) -> dict[str, object]:
    user = {"id": user_id, "username": "bob"}
    return {
        "version": 1,
        "application_id": "1",
        "type": 1,
        "event": {"type": kind, "timestamp": at, "data": {"user": user}},
    }


def test_discords_events_start_and_stop_the_clock(bot: Bot) -> None:
    bob = bot.bob(where="dm")
    clock = f"retention/u{bob.user.id}.json"
    pong = post(bot, {"version": 1, "application_id": "1", "type": 0})
    assert (pong.status_code, pong.content) == (204, b"")
    before, after, month = (
        (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat() for minutes in (9, 5, 43_200)
    )
    assert post(bot, event("APPLICATION_DEAUTHORIZED", bob.user.id, month)).status_code == 204
    assert bot.services.store.head(clock) is None
    removed = event("APPLICATION_DEAUTHORIZED", bob.user.id, before)
    assert post(bot, removed).status_code == 204
    assert b'"running":true' in bot.services.store.get(clock).data
    assert post(bot, event("APPLICATION_AUTHORIZED", bob.user.id, after)).status_code == 204
    assert b'"running":false' in bot.services.store.get(clock).data
    assert post(bot, removed).status_code == 204
    assert b'"running":false' in bot.services.store.get(clock).data
    forged = requests.post(f"{bot.url}/events", data=b"{}", headers={"X-Signature-Ed25519": "00" * 64}, timeout=10)
    assert forged.status_code == 401


def test_using_the_bot_elsewhere_tells_that_it_is_installed(bot: Bot) -> None:
    bob = bot.bob(where="elsewhere")
    clock = f"retention/u{bob.user.id}.json"
    at = (datetime.now(UTC) - timedelta(minutes=9)).isoformat()
    assert post(bot, event("APPLICATION_DEAUTHORIZED", bob.user.id, at)).status_code == 204
    ask(bot.bob(), QUESTION)
    assert b'"running":true' in bot.services.store.get(clock).data
    ask(bob, QUESTION)
    assert b'"running":false' in bot.services.store.get(clock).data


def test_privacy_in_a_direct_message_is_about_that(bot: Bot) -> None:
    private = bot.bob(where="dm")
    first = private.command("privacy").wait()
    shown = private.click(first.message.id, "Next").wait()
    assert "for you alone" in shown.content
    assert "Everybody in this server" not in shown.content
    scope = Scope("user", private.user.id)
    private.click(first.message.id, "privacy:3:memory-off", force=True).wait()
    assert not preferences(bot.services.store, scope, private.user.id).remember_conversations


def test_each_reply_fits_into_one_message(bot: Bot) -> None:
    exchange: Exchange = bot.ada().command("privacy")
    first = exchange.wait()
    for page in (1, 2, 3):
        shown = bot.ada().click(first.message.id, f"privacy:{page}", force=True).wait()
        assert len(shown.messages) == 1
