"""👍 and 👎 below answers, comments, and what that comes to: as everybody who uses them, in two languages."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from trainer.feedback import Vote

if TYPE_CHECKING:
    from playground.clients import Client, Exchange, Reply
    from tests.bot import Bot

QUESTION = "Where is the map?"


def answered(client: Client, prompt: str = QUESTION, **options: Any) -> Exchange:
    """An answer; its id is the exchange's."""
    exchange = client.command("ask", {"prompt": prompt, **options})
    exchange.wait(quiet=0.1)
    return exchange


def press(client: Client, answer: Exchange, rating: str) -> Reply:
    return client.click(answer.messages[-1].id, f"{rating}:{answer.id}").wait(quiet=0.2)


def votes(bot: Bot) -> dict[str, Vote]:
    """Every vote, by the person's id."""
    import msgspec

    store = bot.services.store
    keys = [info.key for info in store.list("") if "/votes/" in info.key]
    found = [msgspec.json.decode(store.get(key).data, type=Vote) for key in keys]
    return {vote.user_id: vote for vote in found}


def labels(reply: Reply) -> list[str]:
    return [part.get("label", "") for row in reply.message.components for part in row["components"]]


def link(answer: Exchange) -> str:
    place = answer.client.place.channel
    guild = place.guild.id if place.guild is not None else "@me"
    return f"https://discord.com/channels/{guild}/{place.id}/{answer.messages[-1].id}"


def test_a_vote_is_thanked_for_changed_and_taken_back(bot: Bot) -> None:
    bob = bot.bob()
    answer = answered(bob)
    liked = press(bob, answer, "up")
    assert liked.ephemeral
    assert "your 👍 counts" in liked.content
    assert labels(liked) == ["Comment"]
    assert votes(bot)[bob.user.id].rating == "up"
    disliked = press(bob, answer, "down")
    assert "What would have been right?" in disliked.content
    assert labels(disliked) == ["Correct", "Comment"]
    assert votes(bot)[bob.user.id].rating == "down"
    assert votes(bot)[bob.user.id].link == link(answer)
    assert "took your vote back" in press(bob, answer, "down").content
    assert votes(bot)[bob.user.id].rating is None


def test_everybody_has_one_vote(bot: Bot) -> None:
    answer = answered(bot.bob())
    press(bot.bob(), answer, "up")
    press(bot.ada(), answer, "down")
    assert {vote.rating for vote in votes(bot).values()} == {"up", "down"}


def test_a_press_that_comes_again_changes_nothing(bot: Bot) -> None:
    bob = bot.bob()
    answer = answered(bob)
    first = bob.click(answer.messages[-1].id, f"up:{answer.id}")
    first.wait(quiet=0.1)
    first.redeliver()
    bot.until_idle()
    assert votes(bot)[bob.user.id].rating == "up"
    press(bob, answer, "down")
    # Even if what came out of the first is forgotten, the later press stands.
    store = bot.services.store
    bot.until_idle()
    for info in list(store.list(f"{bot.services_scope().prefix}/outcomes/{first.id}")):
        store.delete(info.key)
    first.redeliver()
    bot.until_idle()
    assert votes(bot)[bob.user.id].rating == "down"


def test_a_comment_goes_with_the_vote_and_a_dislike_leads_to_a_correction(bot: Bot) -> None:
    bob = bot.bob()
    answer = answered(bob)
    thanks = press(bob, answer, "down").message
    told = bob.click(thanks.id, "Comment").submit({"comment": "It should know that."}).wait()
    assert told.ephemeral
    assert "Your comment is kept" in told.content
    assert (votes(bot)[bob.user.id].rating, votes(bot)[bob.user.id].comment) == ("down", "It should know that.")
    proposal = bob.click(thanks.id, "Correct").submit({"correction": "Press M."}).wait()
    assert "A manager decides" in proposal.content
    empty = bob.click(thanks.id, "Comment").submit({"comment": " "}).wait()
    assert "nothing was kept" in empty.content


def test_forged_buttons_are_refused(bot: Bot) -> None:
    bob = bot.bob()
    answer = answered(bob).messages[-1]
    for subject in ("1", "../../x", ""):
        assert "cannot find that answer" in bob.click(answer.id, f"up:{subject}", force=True).wait(quiet=0.1).content
    assert "cannot find" in bob.click(answer.id, "comment:x", force=True).wait(quiet=0.1).content
    assert not votes(bot)


def test_the_command_takes_rating_and_comment_for_a_message_or_the_latest_answer(bot: Bot) -> None:
    bob = bot.bob()
    none_yet = bob.command("feedback", rating="up").wait(quiet=0.1)
    assert "Which answer do you mean?" in none_yet.content
    first, second = answered(bob), answered(bob, "Who painted the lobby?")
    answered(bot.ada(), "What is somebody else's question?")
    latest = bob.command("feedback", rating="down", comment="No idea?").wait(quiet=0.1)
    assert "your 👎 counts" in latest.content
    assert "> Who painted the lobby?" in latest.content
    assert votes(bot)[bob.user.id].answer_id == second.id
    named = bob.command("feedback", rating="up", message_id=link(first)).wait(quiet=0.1)
    assert "> Where is the map?" in named.content
    again = bob.command("feedback", rating="up", message_id=first.messages[-1].id).wait(quiet=0.1)
    assert "your 👍 counts" in again.content
    found = [info.key for info in bot.services.store.list("g") if "/votes/" in info.key]
    assert len(found) == 2


@pytest.mark.parametrize("wrong", ["hello", "https://example.com/1", "1-2-3"])
def test_what_is_no_message_is_refused_at_once(bot: Bot, wrong: str) -> None:
    answered(bot.bob())
    told = bot.bob().command("feedback", rating="up", message_id=wrong).wait(quiet=0.1)
    assert told.ephemeral
    assert "should be a message's id or link" in told.content


def test_a_message_that_is_no_answer_is_refused(bot: Bot) -> None:
    said = bot.bob().say("hello")
    told = bot.bob().command("feedback", rating="up", message_id=said.id).wait(quiet=0.1)
    assert "not an answer of mine" in told.content


def test_with_nothing_members_get_a_hint_and_managers_the_summary(bot: Bot) -> None:
    bob, ada = bot.bob(), bot.ada()
    assert "Press 👍 or 👎" in bob.command("feedback").wait(quiet=0.1).content
    assert "Nobody has voted yet" in ada.command("feedback").wait(quiet=0.1).content
    good, bad = answered(bob), answered(bob, "Who [painted] the *lobby*?")
    press(bob, good, "up")
    press(bob, bad, "down")
    press(ada, bad, "down")
    bob.command("feedback", comment="=1+1", message_id=bad.messages[-1].id).wait(quiet=0.1)
    summary = ada.command("feedback").wait()
    assert summary.ephemeral
    assert "24 hours: ▰▰▰▱▱▱▱▱▱▱ 33% · 👍 1 · 👎 2" in summary.content
    assert "All time: ▰▰▰" in summary.content
    assert "1 comment" in summary.content
    assert f"1. [Who \\[painted\\] the \\*lobby\\*?]({link(bad)}) · 👍 0 · 👎 2\n> =1+1" in summary.content
    assert labels(summary) == ["Correct 1", "Export"]
    export = ada.click(summary.message.id, "Export").wait()
    (attached,) = export.files
    rows = list(csv.DictReader(io.StringIO(attached.data.decode("utf-8-sig"))))
    assert [(row["question"], row["votes_up"], row["votes_down"]) for row in rows] == [
        (QUESTION, "1", "0"),
        ("Who [painted] the *lobby*?", "0", "2"),
    ]
    assert rows[1]["comments"] == "'=1+1"
    fixed = ada.click(summary.message.id, "Correct 1").submit({"correction": "Mira did."}).wait()
    assert "From now on" in fixed.content


def test_the_export_is_not_for_everybody(bot: Bot) -> None:
    answer = answered(bot.bob())
    told = bot.bob().click(answer.messages[-1].id, "feedback_export:", force=True).wait(quiet=0.1)
    assert told.ephemeral
    assert "Only managers" in told.content
    none = bot.ada().click(answer.messages[-1].id, "feedback_export:", force=True).wait(quiet=0.1)
    assert "Nobody has voted yet" in none.content


@pytest.mark.parametrize("reachable", [True, False])
def test_an_export_that_is_too_large_to_attach_lies_in_the_store(
    bot: Bot, monkeypatch: pytest.MonkeyPatch, reachable: bool
) -> None:
    bob, ada = bot.bob(), bot.ada()
    answer = answered(bob)
    press(bob, answer, "up")
    link = "https://example.com/x" if reachable else None
    monkeypatch.setattr(bot.services.store, "url", lambda key, *, expires_s, filename: link)

    def small(payload: dict[str, Any]) -> None:
        payload["attachment_size_limit"] = 10

    export = ada.click(answer.messages[-1].id, "feedback_export:", force=True, mutate=small).wait(quiet=0.1)
    assert "1 answer with votes or comments, too large to attach." in export.content
    assert (link or "exports/feedback-") in export.content
    assert not export.files
    assert any("/exports/feedback-" in info.key for info in bot.services.store.list(""))


def test_an_answer_is_looked_at_with_its_votes_and_history(bot: Bot) -> None:
    bob, ada = bot.bob(), bot.ada()
    answer = answered(bob)
    press(bob, answer, "down")
    bob.command("feedback", comment="Hm.", message_id=link(answer)).wait(quiet=0.1)
    seen = ada.command("feedback", message_id=link(answer)).wait(quiet=0.1)
    assert "👍 0 · 👎 1\n> Hm." in seen.content
    assert labels(seen) == ["", "", "Correct", "Comment", "History"]
    assert "Nobody has corrected this answer yet." in ada.click(seen.message.id, "History").wait(quiet=0.1).content
    member = bob.command("feedback", message_id=link(answer)).wait(quiet=0.1)
    assert "What do you think of this answer?" in member.content
    assert "👎 1" not in member.content
    assert "History" not in labels(member)


def test_what_was_asked_in_private_is_not_told_to_others(bot: Bot) -> None:
    bob, ada = bot.bob(), bot.ada()
    secret = answered(bob, "Where is my secret?", private=True)
    assert labels(press(bob, secret, "down")) == ["Comment"]
    assert votes(bot)[bob.user.id].private
    assert not votes(bot)[bob.user.id].link
    summary = ada.command("feedback").wait()
    assert "1. An answer that only one person saw · 👍 0 · 👎 1" in summary.content
    assert labels(summary) == ["Export"]
    (attached,) = ada.click(summary.message.id, "Export").wait().files
    assert b"secret" not in attached.data


def test_in_a_direct_message_the_person_is_the_manager(bot: Bot) -> None:
    bob = bot.bob(where="dm")
    answer = answered(bob)
    press(bob, answer, "down")
    summary = bob.command("feedback").wait(quiet=0.1)
    assert f"1. [{QUESTION}]({link(answer)})" in summary.content
    assert "Nobody has voted yet" in bot.ada().command("feedback").wait(quiet=0.1).content


def test_russian(bot: Bot) -> None:
    bob = bot.bob(locale="ru")
    assert "Нажмите 👍 или 👎" in bob.command("feedback").wait(quiet=0.1).content
    answer = answered(bob)
    thanks = press(bob, answer, "down")
    assert "ваш 👎 учтён" in thanks.content
    assert labels(thanks) == ["Исправить", "Комментарий"]
    summary = bot.ada(locale="ru").command("feedback").wait(quiet=0.1)
    assert "За 24 часа: ▱▱▱▱▱▱▱▱▱▱ 0%" in summary.content
    definition = next(one for one in registered(bot) if one["name"] == "feedback")
    assert definition["name_localizations"]["ru"] == "отзыв"


def registered(bot: Bot) -> list[dict[str, Any]]:
    found = json.loads(json.dumps(bot.playground.desk.commands.available(None)))
    assert isinstance(found, list)
    return found
