"""Replies reach people, once, through everything that Discord's side does wrong."""

from __future__ import annotations

import logging
import re
import threading
from typing import TYPE_CHECKING, Any

import pytest

from interactions.failures import reference
from interactions.registry import registry
from playground.cdn import File
from tests.bot import Bot

if TYPE_CHECKING:
    from pathlib import Path

    from interactions.call import WorkCall
    from interactions.outbound import Reply

ORIGINAL = r"/messages/@original$"
HOOK = r"/webhooks/"
QUESTION = "Where is the map?"


def teach(bot: Bot) -> None:
    bot.ada().command("train", text=f"Q: {QUESTION} A: Press M.").wait()


def examples(bot: Bot) -> int:
    counts = bot.services.library.index(bot.services_scope(), "default").count()
    return counts.pairs


def edits(bot: Bot) -> int:
    return sum(1 for request in bot.playground.requests if request.method == "PATCH")


def test_a_second_delivery_changes_nothing_and_answers_the_same(bot: Bot) -> None:
    exchange = bot.ada().command("train", text=f"Q: {QUESTION} A: Press M.")
    first = exchange.wait().content
    bot.until_idle()
    before = edits(bot)
    exchange.redeliver()
    bot.until_idle()
    assert edits(bot) == before
    assert [message.text for message in exchange.messages] == [first]
    assert examples(bot) == 1


def test_a_second_delivery_of_a_long_answer_sends_no_part_twice(bot: Bot) -> None:
    long = "\n\n".join(["All about the castle. " * 40] * 4)
    bot.ada().command("train", text=f"Q: Tell me about the castle? A: {long}").wait()
    exchange = bot.bob().command("ask", prompt="Tell me about the castle?")
    first = [message.id for message in exchange.wait().messages]
    assert len(first) == 2
    exchange.redeliver()
    bot.until_idle()
    assert [message.id for message in exchange.messages] == first


def test_the_webhook_that_is_not_there_yet(bot: Bot) -> None:
    teach(bot)
    bot.playground.unready_for(1.5)
    assert bot.bob().command("ask", prompt=QUESTION).wait().content.startswith("Press M.")


@pytest.mark.parametrize(
    "fault",
    [
        {
            "status": 429,
            "headers": {"Retry-After": "0.3"},
            "body": {"message": "x", "retry_after": 0.3, "global": False},
        },
        {"status": 500},
        {"status": 502},
        {"reset": "before"},
        {"reset": "after"},
    ],
    ids=["429", "500", "502", "reset-before", "reset-after"],
)
def test_discord_in_trouble(bot: Bot, fault: dict[str, object]) -> None:
    teach(bot)
    bot.playground.faults.add(method="PATCH", path=ORIGINAL, times=2, **fault)  # type: ignore[arg-type]
    reply = bot.bob().command("ask", prompt=QUESTION).wait()
    assert reply.content.startswith("Press M.")
    assert len(reply.messages) == 1


def test_after_fifteen_minutes_the_answer_goes_to_the_channel(bot: Bot) -> None:
    teach(bot)
    bot.stop_worker()
    exchange = bot.bob().command("ask", prompt=QUESTION)
    bot.playground.advance(16 * 60)
    bot.start_worker()
    bot.until(lambda: any("Press M." in message.text for message in bot.channel()))
    (posted,) = [message for message in bot.channel() if "Press M." in message.text]
    assert posted.text.startswith(f"<@{exchange.client.user.id}> Press M.")
    assert not posted.pinged
    bot.ada().click(posted.id, "Correct").submit({"correction": "Press N."}).wait()
    assert bot.bob().command("ask", prompt=QUESTION).wait().content.startswith("Press N.")


def test_after_fifteen_minutes_a_private_answer_waits_for_the_next_question(bot: Bot) -> None:
    teach(bot)
    bot.stop_worker()
    bot.bob().command("ask", prompt=QUESTION, private=True)
    bot.playground.advance(16 * 60)
    bot.start_worker()
    bot.until_idle()
    assert not any("Press M." in message.text for message in bot.channel())
    other = bot.ada().command("ask", prompt="What else?").wait().content
    assert "While you were away" not in other
    public = bot.bob().command("ask", prompt="What else?").wait().content
    assert "Press M." not in public
    assert "Something private waits for you" in public
    mentioned = bot.bob().command("ask", prompt="What else?", private=True).wait()
    assert mentioned.ephemeral
    assert "**While you were away:**\n> Press M." in mentioned.content
    assert "waits for you" not in bot.bob().command("ask", prompt="What else?").wait().content


def test_without_a_bot_token_a_late_answer_waits_too(tmp_path: Path) -> None:
    with Bot(tmp_path) as bot:
        bot.use_token(None)
        teach(bot)
        bot.stop_worker()
        bot.bob().command("ask", prompt=QUESTION)
        bot.playground.advance(16 * 60)
        bot.start_worker()
        bot.until_idle()
        assert "> Press M." in bot.bob().command("ask", prompt="What else?").wait().content


def long_answer(bot: Bot) -> str:
    text = "\n\n".join(["All about the castle. " * 40] * 4)
    bot.ada().command("train", text=f"Q: Tell me about the castle? A: {text}").wait()
    return "Tell me about the castle?"


def test_every_part_of_a_private_answer_is_private(bot: Bot) -> None:
    question = long_answer(bot)
    reply = bot.bob().command("ask", prompt=question, private=True).wait()
    assert len(reply.messages) == 2
    assert reply.ephemeral


def test_a_private_question_is_not_repeated_in_public(bot: Bot) -> None:
    teach(bot)
    answer = bot.ada().command("ask", prompt=QUESTION, private=True).wait().message
    thanks = bot.ada().click(answer.id, "Correct").submit({"correction": "Press N."}).wait()
    assert thanks.ephemeral
    public = bot.ada().command("correct", message_id=answer.id, correction="Press O.").wait()
    assert QUESTION not in public.content
    mine = bot.bob().command("ask", prompt=QUESTION, private=True).wait().message
    told = (
        bot.bob()
        .click(mine.id, f"correct:{mine.interaction_id}", force=True)
        .submit({"correction": "Press P."})
        .wait()
    )
    assert "That answer was private" in told.content


def test_two_deliveries_at_once_send_no_part_twice(bot: Bot) -> None:
    """Two jobs for one interaction, worked on at the same time."""
    question = long_answer(bot)
    bot.playground.faults.add(method="POST", path=HOOK, times=None, delay=0.5, processed=True)
    exchange = bot.bob().command("ask", prompt=question)
    exchange.redeliver()
    bot.until(lambda: len(exchange.messages) == 2)
    bot.until_idle(timeout=90)
    assert len(exchange.messages) == 2


def test_a_worker_that_lost_its_job_shows_nothing_more(bot: Bot) -> None:
    teach(bot)
    bot.stop_worker()
    exchange = bot.bob().command("ask", prompt=QUESTION)
    (job,) = bot.queue.lease(wait_s=5, visibility_s=30)
    assert bot.performer.perform(job.body, job.attempts, lambda: True).reason == "Abandoned"
    assert exchange.messages[0].loading
    bot.queue.release(job)
    bot.start_worker()
    assert exchange.wait().content.startswith("Press M.")


def test_what_was_shown_in_time_is_not_posted_again_later(bot: Bot) -> None:
    """The worker dies after the last message and before it is noted that this was the last."""
    teach(bot)
    exchange = bot.bob().command("ask", prompt=QUESTION)
    exchange.wait()
    bot.until_idle()
    key = f"{bot.services_scope().prefix}/outcomes/{exchange.id}.delivery.json"
    shown = bot.services.store.get(key).data
    bot.services.store.put(key, shown.replace(b'"finished":true', b'"finished":false'))
    bot.playground.advance(16 * 60)
    exchange.redeliver()
    bot.until_idle()
    assert sum("Press M." in message.text for message in bot.channel()) == 1


def test_progress_that_arrives_late_does_not_stay(bot: Bot) -> None:
    bot.playground.faults.add(method="PATCH", path=ORIGINAL, times=1, delay=4.0, processed=True)
    rows = "".join(f"Question number {n}?,Answer {n}\n" for n in range(600))
    exchange = bot.ada().command("train", file=File("many.csv", b"question,answer\n" + rows.encode()))
    bot.until(lambda: any("I learned" in m.text for m in exchange.messages), timeout=60)
    bot.until_idle(timeout=60)
    assert "I learned 600 new things" in exchange.messages[0].text


def test_a_late_answer_can_be_corrected_from_its_menu(bot: Bot) -> None:
    teach(bot)
    bot.stop_worker()
    bot.bob().command("ask", prompt=QUESTION)
    bot.playground.advance(16 * 60)
    bot.start_worker()
    bot.until(lambda: any("Press M." in message.text for message in bot.channel()))
    (posted,) = [message for message in bot.channel() if "Press M." in message.text]
    opened = bot.ada().message_command("Correct this answer", posted.id)
    assert "From now on" in opened.submit({"correction": "Press N."}).wait().content


def test_a_posting_whose_answer_was_lost_is_not_doubled(bot: Bot) -> None:
    teach(bot)
    bot.stop_worker()
    bot.bob().command("ask", prompt=QUESTION)
    bot.playground.advance(16 * 60)
    fault = bot.playground.faults.add(method="POST", path=r"/channels/\d+/messages$", reset="after", processed=True)
    bot.start_worker()
    bot.until_idle(timeout=60)
    assert fault.hits == 1
    assert sum("Press M." in message.text for message in bot.channel()) == 1


@pytest.mark.parametrize("subject", ["m../../x", "../../x", "m", "x"])
def test_a_forged_subject_is_answered_like_any_other_message(bot: Bot, subject: str) -> None:
    teach(bot)
    answer = bot.ada().command("ask", prompt=QUESTION).wait().message
    told = bot.ada().click(answer.id, f"correct:{subject}", force=True).wait().content
    assert "not an answer of mine" in told
    assert not bot.queue.dead()


@pytest.mark.parametrize("subject", ["m../../x", "../../x", "m", "x"])
def test_so_is_a_forged_form(bot: Bot, subject: str) -> None:
    teach(bot)
    answer = bot.ada().command("ask", prompt=QUESTION).wait().message
    opened = bot.ada().click(answer.id, "Correct")
    forged = bot.ada().submit(opened, {"correction": "x"}, mutate=lambda sent: forge(sent, f"correct:{subject}"))
    assert "not an answer of mine" in forged.wait().content
    assert not bot.queue.dead()


def forge(sent: dict[str, Any], custom_id: str) -> None:
    sent["data"]["custom_id"] = custom_id


def failing(bot: Bot, error: Exception, times: int) -> None:
    """Make /ask raise, the first `times` times."""
    answer = bot.services.answering.answer
    left = [times]

    def fail(*args: object, **more: object) -> object:
        if left[0] > 0:
            left[0] -= 1
            raise error
        return answer(*args, **more)  # type: ignore[arg-type]

    bot.services.answering.answer = fail  # type: ignore[method-assign,assignment]


def test_a_failure_tells_the_person_a_reference_that_is_in_the_log(
    bot: Bot, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    failing(bot, ValueError("somebody's words"), times=99)
    exchange = bot.bob().command("ask", prompt="a secret question")
    bot.until(lambda: bool(bot.queue.dead()), timeout=30)
    content = exchange.wait().content
    match = re.search(r"-# Reference: (\w{6})$", content)
    assert match is not None
    assert content.startswith("Something went wrong on my side.")
    assert match[1] == reference(exchange.id)
    (dead,) = bot.queue.dead()
    assert dead.reason == f"ValueError {match[1]}"
    given_up = next(record for record in caplog.records if record.message == "given up")
    assert given_up.__dict__["ref"] == match[1]
    for record in caplog.records:
        assert "somebody's words" not in str(record.__dict__)
        assert "secret question" not in str(record.__dict__)


def test_a_repeated_dead_letter_succeeds(bot: Bot) -> None:
    teach(bot)
    failing(bot, ValueError("a bug"), times=3)
    exchange = bot.bob().command("ask", prompt=QUESTION)
    bot.until(lambda: bool(bot.queue.dead()), timeout=30)
    (dead,) = bot.queue.dead()
    assert bot.queue.redrive(dead.id)
    bot.until(lambda: exchange.messages[0].text.startswith("Press M."))
    bot.until_idle()
    assert not bot.queue.dead()


def test_a_failure_that_passes_is_not_noticed(bot: Bot) -> None:
    teach(bot)
    failing(bot, ValueError("a bug"), times=2)
    assert bot.bob().command("ask", prompt=QUESTION).wait().content.startswith("Press M.")


def test_garbage_in_the_queue_is_buried(bot: Bot) -> None:
    bot.queue.send(b"not a job")
    bot.until(lambda: bool(bot.queue.dead()))
    assert bot.queue.dead()[0].reason == "MalformedJob"


def test_progress_is_shown_while_a_file_is_read(bot: Bot) -> None:
    rows = "".join(f"Question number {n}?,Answer {n}\n" for n in range(3000))
    exchange = bot.ada().command("train", file=File("many.csv", b"question,answer\n" + rows.encode()))
    assert "I learned 3000 new things" in exchange.wait(60).content
    shown = [request.body.decode() for request in bot.playground.requests if request.method == "PATCH"]
    assert "lines read" in shown[0]
    assert "I learned 3000" in shown[-1]


def test_stopping_a_worker_gives_its_job_to_the_next(tmp_path: Path) -> None:
    """SIGTERM while a job runs longer than the grace: it goes back to the queue at once."""
    release = threading.Event()
    entered = threading.Event()
    commands = registry()
    ask = commands.slash["ask"]
    work = ask.handler.work
    assert work is not None

    def slow(call: WorkCall[object]) -> Reply:
        entered.set()
        assert release.wait(20)
        return work(call)

    held = commands._replace(slash={**commands.slash, "ask": ask._replace(handler=ask.handler._replace(work=slow))})
    with Bot(tmp_path, commands=held, threads=1, lease_seconds=60) as bot:
        teach(bot)
        exchange = bot.bob().command("ask", prompt=QUESTION)
        assert entered.wait(10)
        stuck = bot.worker
        assert stuck is not None
        assert not stuck.stop(grace_s=0.2)
        assert bot.queue.depth().ready == 1
        release.set()
        bot.worker = None
        bot.start_worker()
        assert exchange.wait().content.startswith("Press M.")
        bot.until_idle()
