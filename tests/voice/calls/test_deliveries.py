"""Orders that are delivered twice, late, to the wrong one, or while something does not answer."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from tests.voice.calls.stage import ADA, BOB, GUILD, VOICE, leaving_nothing, staged
from trainer.voice_calls import claim, claimed
from voice_sidecar.calls.rest import NotDone

if TYPE_CHECKING:
    from pathlib import Path

    from voice_sidecar.calls.rest import Reason


@leaving_nothing
async def test_a_second_delivery_changes_nothing(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        order = await stage.joined()
        assert (await stage.obeying.obey(order)).do == "complete"
        stage.reply(order)
        assert len(stage.connections.joins) == 1
        await stage.obeying.obey(stage.leave_order())
        assert (await stage.obeying.obey(order)).do == "complete"
        assert len(stage.calls) == 0


@leaving_nothing
async def test_two_deliveries_at_once_are_one(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.enter(ADA)
        order = stage.join_order()
        await asyncio.gather(stage.obeying.obey(order), stage.obeying.obey(order))
        stage.reply(order)
        assert len(stage.connections.joins) == 1


@leaving_nothing
async def test_what_the_worker_answered_is_not_done(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.enter(ADA)
        order = stage.join_order()
        claim(stage.store, str(GUILD), order.id, "worker")
        assert (await stage.obeying.obey(order)).do == "complete"
        assert stage.connections.joins == []
        assert stage.rest.replies == {}


@leaving_nothing
async def test_a_second_delivery_goes_on_where_the_process_was_killed(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.enter(ADA)
        order = stage.join_order()
        assert claim(stage.store, str(GUILD), order.id, "sidecar") == "sidecar"
        await stage.restart()
        assert (await stage.obeying.obey(order)).do == "complete"
        assert "I hear you" in stage.reply(order).text


@pytest.mark.parametrize(("taken_on", "replies"), [(True, 1), (False, 0)])
@leaving_nothing
async def test_too_late_an_order_is_dropped_but_nobody_is_left_waiting(
    tmp_path: Path, taken_on: bool, replies: int
) -> None:
    async with staged(tmp_path) as stage:
        stage.enter(ADA)
        order = stage.join_order(ends_in=-1)
        if taken_on:
            claim(stage.store, str(GUILD), order.id, "sidecar")
        for _ in range(2):
            assert (await stage.obeying.obey(order)).do == "complete"
        assert [one.text for one in stage.rest.replies[order.token]] == [
            "Something interrupted me. Please try again."
        ] * replies
        assert stage.connections.joins == []
        # Of what nobody took on, the worker takes the consent back.
        assert await stage.kept.agreed(GUILD, ADA) is not taken_on


@leaving_nothing
async def test_too_late_the_consent_for_a_call_that_is_to_go_on_holds(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.joined(BOB)
        stage.enter(ADA)
        order = stage.join_order(ends_in=-1)
        claim(stage.store, str(GUILD), order.id, "sidecar")
        await stage.restart()
        await stage.obeying.obey(order)
        assert "interrupted" in stage.reply(order).text
        assert await stage.kept.agreed(GUILD, ADA)


@leaving_nothing
async def test_an_order_that_waited_too_long_for_its_turn_is_answered(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.enter(ADA)
        order = stage.join_order()
        async with stage.calls.lane(GUILD):
            task = asyncio.ensure_future(stage.obeying.obey(order))
            await asyncio.sleep(0.05)
            stage.now = lambda: time.time() + 61
        await task
        assert "interrupted" in stage.reply(order).text


@leaving_nothing
async def test_orders_for_servers_of_others_are_given_back(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.places.foreign = {GUILD}
        verdict = await stage.obeying.obey(stage.join_order())
        assert (verdict.do, verdict.delay_s) == ("release", 0.5)
        assert claimed(stage.store, str(GUILD), "1") is None
        assert (await stage.obeying.obey(stage.join_order(ends_in=-1))).do == "complete"


@leaving_nothing
async def test_what_the_gateway_has_not_told_yet_is_waited_for(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.places.unknown = {GUILD}
        order = stage.join_order()
        assert (await stage.obeying.obey(order)).do == "release"
        assert claimed(stage.store, str(GUILD), order.id) is None


@leaving_nothing
async def test_a_reply_that_cannot_be_shown_now_is_shown_later(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.joined()
        order = stage.leave_order()
        stage.rest.reply_errors = [NotDone("unavailable", 502)]
        assert (await stage.obeying.obey(order)).do == "release"
        stage.now = lambda: time.time() + 100  # later than the order is of use: it was done in time
        assert (await stage.obeying.obey(order)).do == "complete"
        assert stage.reply(order).text == f"I left <#{VOICE}>."


@pytest.mark.parametrize("reason", ["expired", "gone", "refused"])
@leaving_nothing
async def test_a_reply_that_can_never_be_shown_is_given_up(tmp_path: Path, reason: Reason) -> None:
    async with staged(tmp_path) as stage:
        stage.enter(ADA)
        stage.rest.reply_errors = [NotDone(reason, 404)]
        order = stage.join_order()
        assert (await stage.obeying.obey(order)).do == "complete"
        assert await stage.kept.done(GUILD, order.id)
        assert stage.calls.call(GUILD) is not None


@leaving_nothing
async def test_without_the_store_nothing_is_begun(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.enter(ADA)
        order = stage.join_order()
        stage.store.down = True
        assert (await stage.obeying.obey(order)).do == "release"
        assert stage.connections.joins == []
        stage.now = lambda: time.time() + 61
        assert (await stage.obeying.obey(order)).do == "complete"


@leaving_nothing
async def test_what_only_a_restart_would_need_may_fail(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.store.down_for = ("call.json", "notice.json", "settings.json")
        await stage.joined()
        await stage.obeying.obey(stage.leave_order())
        assert len(stage.calls) == 0


@leaving_nothing
async def test_nothing_is_begun_once_we_stop(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.enter(ADA)
        stage.obeying.stopping = True
        order = stage.join_order()
        assert await stage.obeying.obey(order) == ("release", 0.0)
        assert stage.connections.joins == []


@leaving_nothing
async def test_whoever_waits_for_an_order_that_was_given_up_is_told(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        order = stage.join_order(locale="en-GB")
        await stage.obeying.give_up(order)
        assert "Something went wrong" in stage.reply(order).text
        await stage.obeying.give_up(stage.say_order())
