"""After a restart."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.voice.calls.stage import (
    ADA,
    AWAY,
    BOB,
    GUILD,
    MUSIC_BOT,
    OTHER,
    TEXT,
    VOICE,
    cannot,
    leaving_nothing,
    staged,
    until,
)
from trainer.voice_calls import CallState, call_state, save_call_state
from voice_sidecar.calls.rest import NotDone
from voice_sidecar.connection.outcomes import Refusal

if TYPE_CHECKING:
    from pathlib import Path

    from tests.voice.calls.stage import Stage


def note(stage: Stage, channel_id: int = VOICE, guild_id: int = GUILD) -> None:
    state = CallState(channel_id=str(channel_id), text_channel_id=str(TEXT), joined_by=str(ADA), at=1.0)
    save_call_state(stage.store, str(guild_id), state)


@leaving_nothing
async def test_where_people_still_are_it_goes_on_silently(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.joined()
        await stage.restart()
        assert not stage.calls.heard(GUILD, ADA)
        stage.come_back()
        await until(lambda: stage.calls.heard(GUILD, ADA) and stage.rest.edits)
        assert len(stage.connections.joins) == 2
        assert len(stage.rest.posts) == 1  # the old notice holds
        call = stage.calls.call(GUILD)
        assert call is not None
        assert call.called_by == ADA
        await stage.obeying.obey(stage.leave_order())
        assert stage.rest.shown[1].buttons == ()


@pytest.mark.parametrize(("locale", "said"), [("en-US", "I hear nothing"), ("ru", "ничего не слышу")])
@leaving_nothing
async def test_meanwhile_the_notice_does_not_say_that_we_listen(tmp_path: Path, locale: str, said: str) -> None:
    async with staged(tmp_path) as stage:
        stage.places.language = locale
        await stage.joined()
        listening = stage.rest.shown[1]
        await stage.calls.close()
        await stage.notices.stopped()
        assert said in stage.rest.shown[1].text
        assert stage.rest.shown[1].buttons == ()
        await stage.restart()
        stage.come_back()
        await until(lambda: stage.calls.call(GUILD) and stage.rest.shown[1].buttons == listening.buttons)
        assert len(stage.rest.posts) == 1


@leaving_nothing
async def test_a_notice_that_is_over_is_not_changed_at_the_end(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.joined()
        await stage.obeying.obey(stage.leave_order())
        left = stage.rest.shown[1]
        await stage.notices.stopped()
        assert stage.rest.shown[1] == left
        await stage.joined()
        stage.rest.edit_error = NotDone("refused", 403, 50013)
        await stage.notices.stopped()  # what Discord does not take is no reason not to end


@leaving_nothing
async def test_killed_before_the_notice_stood_it_is_posted_then(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        note(stage)
        stage.enter(ADA)
        stage.agree(ADA)
        stage.come_back()
        await until(lambda: stage.calls.call(GUILD) and stage.rest.posts)


@leaving_nothing
async def test_where_nobody_is_left_it_is_over(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.joined()
        await stage.restart()
        stage.enter(ADA, None)
        stage.enter(MUSIC_BOT)
        stage.come_back()
        await until(lambda: call_state(stage.store, str(GUILD)) is None and stage.rest.edits)
        assert len(stage.connections.joins) == 1
        assert stage.rest.shown[1].buttons == ()


@leaving_nothing
async def test_a_channel_that_is_gone_or_for_people_who_are_away_is_left_alone(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        for channel_id in (999, AWAY):
            stage.enter(ADA, AWAY)
            note(stage, channel_id)
            stage.come_back()
            await until(lambda: call_state(stage.store, str(GUILD)) is None)
        assert stage.connections.joins == []


@leaving_nothing
async def test_it_is_tried_again_and_then_given_up_with_a_word(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        note(stage)
        stage.enter(ADA)
        stage.connections.errors = [cannot(Refusal.TIMEOUT)] * 3
        stage.come_back()
        await until(lambda: stage.rest.posts)
        assert len(stage.connections.joins) == 3
        assert "could not come back" in stage.rest.texts(VOICE)[-1]
        assert call_state(stage.store, str(GUILD)) is None


@leaving_nothing
async def test_what_would_not_change_is_not_tried_again(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        note(stage)
        stage.enter(ADA)
        stage.connections.errors = [cannot(Refusal.NO_PERMISSION, "connect")]
        stage.come_back()
        await until(lambda: stage.rest.posts)
        assert len(stage.connections.joins) == 1


@leaving_nothing
async def test_a_second_try_may_do(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        note(stage)
        stage.enter(ADA)
        stage.connections.errors = [cannot(Refusal.GATEWAY_DOWN)]
        stage.come_back()
        await until(lambda: stage.calls.call(GUILD))
        await until(lambda: stage.rest.posts)


@leaving_nothing
async def test_a_store_that_wakes_up_late_is_waited_for(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        note(stage)
        stage.enter(ADA)
        get, failures = stage.kept.state, [True]

        async def late(guild_id: int) -> CallState | None:
            if failures.pop():
                failures.append(False)
                stage.store.down = True
                try:
                    return await get(guild_id)
                finally:
                    stage.store.down = False
            failures.append(False)
            return await get(guild_id)

        stage.kept.state = late  # type: ignore[method-assign]
        stage.come_back()
        await until(lambda: stage.calls.call(GUILD))
        await until(lambda: stage.rest.posts)


@leaving_nothing
async def test_servers_of_others_and_going_calls_are_left_alone(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        note(stage, guild_id=OTHER)
        stage.places.foreign = {OTHER}
        stage.enter(BOB, VOICE, OTHER)
        stage.come_back(OTHER)
        await stage.joined()
        stage.come_back(GUILD)
        stage.places.unknown = set()
        await asyncio.sleep(0.03)
        assert stage.connections.joins == [(GUILD, VOICE)]
        assert call_state(stage.store, str(OTHER)) is not None


@leaving_nothing
async def test_few_at_a_time(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        guilds = [number << 22 for number in range(100, 110)]
        gate = asyncio.Event()
        for guild_id in guilds:
            stage.places.channels[guild_id] = {VOICE: [ADA]}
            stage.connections.gates[guild_id] = gate
            note(stage, guild_id=guild_id)
        from voice_sidecar.calls.coming_back import ComingBack

        coming = ComingBack(stage.calls, stage.places, stage.kept, stage.notices, at_once=3)
        for guild_id in guilds:
            coming.guild_available(guild_id)
        await until(lambda: len(stage.connections.joins) == 3)
        await asyncio.sleep(0.02)
        assert len(stage.connections.joins) == 3
        gate.set()
        await until(lambda: len(stage.calls) == 10 and len(stage.rest.posts) == 10)


@leaving_nothing
async def test_a_join_asked_for_meanwhile_comes_after_it(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        note(stage)
        stage.enter(ADA)
        gate = stage.connections.gates[GUILD] = asyncio.Event()
        stage.come_back()
        await until(lambda: stage.connections.joins)
        order = stage.join_order()
        task = asyncio.ensure_future(stage.obeying.obey(order))
        gate.set()
        await task
        assert "with you already" in stage.reply(order).text
        assert len(stage.connections.joins) == 1
