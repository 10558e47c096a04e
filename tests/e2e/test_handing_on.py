"""Work that takes longer than its worker goes on in another one, and the person sees none of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from interactions.failures import HandOn
from interactions.outbound import Button, Reply
from interactions.registry import registry
from tests.bot import Bot
from trainer.answering import Answering
from trainer.evaluation import delivery, running
from trainer.evaluation.cases import Case, Check
from trainer.evaluation.results import Run

if TYPE_CHECKING:
    from pathlib import Path

    from interactions.call import WorkCall
    from interactions.registry import Registry
    from trainer.answers import Answer
    from trainer.evaluation.delivery import Progress

COUNT = 60


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "LOOK_S", 0.05)
    monkeypatch.setattr(delivery, "LOOK_S", 0.1)


def measure(call: WorkCall[Any]) -> Reply:
    """A run as a command works it off."""
    runner, scope, run_id = call.services.evaluation, call.actor.scope, call.interaction.id
    assert runner is not None
    draft = Run(
        id=run_id,
        author=call.actor.user_id,
        created_at=time.time(),
        subject=runner.subject(scope, "default"),
        cases=0,
        source="file",
    )
    cases = [
        Case(id=f"c{n}", question=f"What is thing {n}?", checks=(Check("exact", (f"Answer {n}",)),))
        for n in range(COUNT)
    ]

    def tell(progress: Progress) -> None:
        call.tools.progress(f"⏳ {progress.done} of {progress.total}", (Button(f"stop:{run_id}", "Stop"),))

    run = runner.runs.begin(scope, draft, cases)
    outcome = runner.run(scope, run, progress=tell, must_stop=call.tools.must_stop)
    if outcome.state == "stopped":
        raise HandOn(progressed=outcome.stored > 0, delay_s=outcome.delay_s)
    passed = sum(result.verdict == "passed" for result in runner.runs.results(scope, run_id))
    return Reply(f"{outcome.state}: {passed} of {outcome.done} passed")


def measuring() -> Registry:
    """The commands, but that asking measures instead."""
    commands = registry()
    ask = commands.slash["ask"]
    return commands._replace(
        slash={**commands.slash, "ask": ask._replace(handler=ask.handler._replace(work=measure))}
    )


class Slow(Answering):
    """Takes a moment for each answer."""

    def answer(self, *given: Any, **more: Any) -> Answer:
        time.sleep(0.1)
        return super().answer(*given, **more)


def slow(bot: Bot) -> None:
    services = bot.services
    answering = Slow(services.library, None, "")
    runner = running.Runner(services.store, services.library, answering, lasts_s=1.0)
    bot.stop_worker()
    bot.services = services._replace(evaluation=runner)
    bot.start_worker()


def shards(bot: Bot, run_id: str) -> int:
    runner = bot.services.evaluation
    assert runner is not None
    return len(runner.runs.shards(bot.services_scope(), run_id))


def test_a_run_goes_on_when_its_worker_is_stopped(tmp_path: Path) -> None:
    with Bot(tmp_path, commands=measuring(), embeddings="none") as bot:
        bot.ada().command("train", text="Q: What is thing 7? A: Answer 7\n\nQ: What is thing 9? A: Answer 9").wait()
        slow(bot)
        exchange = bot.ada().command("ask", prompt="Measure!")
        bot.until(lambda: shards(bot, exchange.id) >= 1)
        bot.stop_worker()
        there = shards(bot, exchange.id)
        assert 1 <= there < COUNT // 10
        (job,) = bot.queue.lease(wait_s=5, visibility_s=0.01)
        assert job.attempts == 1
        bot.start_worker()
        assert exchange.wait(timeout=60).content == f"finished: 2 of {COUNT} passed"
        bot.until_idle()
        assert len(exchange.messages) == 1
        shown = [request.body.decode() for request in bot.playground.requests if request.method == "PATCH"]
        assert any(f"stop:{exchange.id}" in body for body in shown)
        assert f"stop:{exchange.id}" not in shown[-1]
        assert not bot.queue.dead()


def test_a_run_that_takes_longer_than_a_job_may_is_split(tmp_path: Path) -> None:
    with Bot(tmp_path, commands=measuring(), embeddings="none") as bot:
        slow(bot)
        assert bot.worker is not None
        bot.worker._job_s = 0.6
        exchange = bot.ada().command("ask", prompt="Measure!")
        assert exchange.wait(timeout=60).content == f"finished: 0 of {COUNT} passed"
        bot.until_idle()
        assert not bot.queue.dead()
