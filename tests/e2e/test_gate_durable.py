"""A test in front of a change goes on whatever happens, and what was judged is what counts."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tests.e2e.gated import (
    QUIET_S,
    ada_of,
    correct,
    days,
    force,
    gate_runs,
    held,
    labels,
    prepare,
    select,
    selected,
    teach,
    turn_on,
)
from tests.e2e.redelivery import deliver_again
from trainer.evaluation import gate
from trainer.evaluation.claims import Active
from trainer.evaluation.keys import active_key
from trainer.evaluation.store import Runs
from trainer.selection import Selecting

if TYPE_CHECKING:
    from tests.bot import Bot


def test_somebody_else_chose_meanwhile(bot: Bot) -> None:
    """What was judged takes the place of what it was compared with, and of nothing else."""
    prepare(bot)
    correct(bot, days(), dataset="support")
    reply = held(bot)
    grace = bot.playground.client("Grace", manager=True)
    assert "and selected from now on" in select(bot, "support", grace).wait(quiet=QUIET_S).content
    told = force(bot.ada(), reply).wait(quiet=QUIET_S)
    assert f"Meanwhile <@{grace.user.id}> has selected “support”, so I left it at that." in told.content
    assert selected(bot) == "support"
    # The way that the conflict offers passes the gate, too: in private, and what others read stays.
    insisted = bot.ada().click(told.message.id, "Select “events” all the same").wait(quiet=QUIET_S)
    assert "“events” was not selected." in insisted.messages[-1].text
    assert insisted.messages[-1].ephemeral
    assert insisted.messages[0].text == told.content
    assert selected(bot) == "support"


def test_somebody_chose_while_it_was_tested(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    correct(bot, days())
    teach(bot, days(), dataset="events")
    turn_on(bot)
    judge = gate.Gate.judge

    def unchecked(*given: Any, **more: Any) -> gate.GateVerdict:
        verdict = judge(*given, **more)
        grace = ada_of(bot)._replace(user_id=bot.playground.client("Grace").user.id)
        Selecting(bot.services.store).select(grace, "2000000000000000000", "support", typed_at=9e9)
        return verdict

    monkeypatch.setattr(gate.Gate, "judge", unchecked)
    told = select(bot, "events").wait(quiet=QUIET_S)
    assert "has selected “support”, so I left it at that." in told.content
    assert selected(bot) == "support"


def test_a_second_delivery_changes_nothing_and_says_the_same(bot: Bot) -> None:
    prepare(bot)
    exchange = select(bot, "events")
    first = exchange.wait(quiet=QUIET_S).content
    runs = gate_runs(bot)
    deliver_again(bot, exchange)
    assert [message.text for message in exchange.messages if message.text][-1] == first
    assert gate_runs(bot) == runs
    forced = force(bot.ada(), exchange.reply())
    told = forced.wait(quiet=QUIET_S).content
    deliver_again(bot, forced)
    assert forced.wait(quiet=QUIET_S).content == told
    correct(bot, days(), dataset="support")
    passed = select(bot, "support")
    said = passed.wait(quiet=QUIET_S).content
    assert "Tested first" in said
    deliver_again(bot, passed)
    assert passed.wait(quiet=QUIET_S).content == said


@pytest.mark.parametrize("place", ["first", "second", "compared"])
def test_a_killed_worker_changes_nothing(bot: Bot, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    """It dies while the first side answers, while the second does, or when both have, before it has said so."""
    prepare(bot)
    bot.stop_worker()
    exchange = select(bot, "events")
    saved: list[int] = []
    save = Runs.save_shard

    class Killed(BaseException):
        pass

    def die(*_: Any, **__: Any) -> Any:
        raise Killed

    def save_some(*given: Any, **more: Any) -> None:
        if len(saved) == (place == "second"):
            raise Killed
        saved.append(1)
        save(*given, **more)

    with monkeypatch.context() as patched:
        if place == "compared":
            patched.setattr(gate, "verdict_of", die)
        else:
            patched.setattr(Runs, "save_shard", save_some)
        (job,) = bot.queue.lease(wait_s=5, visibility_s=60)
        with pytest.raises(Killed):
            bot.performer.perform(job.body, job.attempts)
        bot.queue.release(job)
    bot.start_worker()
    assert "7 worse" in exchange.wait(quiet=QUIET_S).content
    assert gate_runs(bot) == 2


def test_a_worker_that_must_end_hands_it_on(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(bot)
    bot.stop_worker()
    exchange = select(bot, "events")
    (job,) = bot.queue.lease(wait_s=5, visibility_s=60)
    verdict = bot.performer.perform(job.body, job.attempts, must_stop=lambda: True)
    assert (verdict.do, verdict.reason) == ("retry", "HandOn")
    bot.queue.release(job)
    bot.start_worker()
    assert "7 worse" in exchange.wait(quiet=QUIET_S).content


def test_another_test_is_waited_for_but_not_for_ever(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(bot)
    key, store = active_key(bot.services_scope()), bot.services.store
    store.put(key, msgspec.json.encode(Active(run="5", owner="x", until=time.time() + 60)))
    monkeypatch.setattr(gate, "TURN_S", 0.1)
    exchange = select(bot, "events")
    bot.until(lambda: "another test that is running" in exchange.reply().content)
    assert gate_runs(bot) == 2
    store.delete(key)
    assert "7 worse" in exchange.wait(quiet=QUIET_S).content
    store.put(key, msgspec.json.encode(Active(run="5", owner="x", until=time.time() + 60)))
    monkeypatch.setattr(gate, "BUSY_MOST_S", -1.0)
    teach(bot, days(shift=2), dataset="support")
    told = select(bot, "support").wait(quiet=QUIET_S)
    assert "“support” was not selected." in told.content
    assert "another test was running all the time" in told.content
    assert labels(told.message) == ["Do it all the same…", "Leave it"]
    done = force(bot.ada(), told).wait(quiet=QUIET_S)
    assert "did it although it could not be tested" in done.content
    assert selected(bot) == "support"
