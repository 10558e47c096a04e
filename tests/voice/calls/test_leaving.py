"""/leave, being thrown out, moved, left alone; and what is written then."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.voice.calls.stage import (
    ADA,
    AWAY,
    BOB,
    CAROL,
    GUILD,
    MUSIC_BOT,
    SECOND,
    TEXT,
    VOICE,
    chunk,
    leaving_nothing,
    staged,
    until,
)
from trainer.voice_calls import call_state
from voice_sidecar.calls.calls import Settings
from voice_sidecar.connection.outcomes import Hushed, Lost

if TYPE_CHECKING:
    from pathlib import Path


@leaving_nothing
async def test_leaving_tidies_up(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.joined()
        reply = await stage.answer(stage.leave_order())
        assert reply.text == f"I left <#{VOICE}>."
        assert stage.connections.left == [GUILD]
        assert stage.conversation.closed
        assert call_state(stage.store, str(GUILD)) is None
        assert not stage.calls.heard(GUILD, ADA)
        assert stage.rest.shown[1].text == "I listened here. I have left, and hear nothing any more."
        assert stage.rest.shown[1].buttons == ()
        assert len(stage.rest.posts) == 1


@leaving_nothing
async def test_where_we_are_not_there_is_nothing_to_leave(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        reply = await stage.answer(stage.leave_order())
        assert reply.text == "I'm in no voice channel."


@leaving_nothing
async def test_who_is_let_by_the_http_side_sends_us_away_from_wherever_they_are(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.joined()
        reply = await stage.answer(stage.leave_order(BOB))
        assert reply.text == f"I left <#{VOICE}>."


@leaving_nothing
async def test_a_connection_that_does_not_end_well_does_not_keep_the_call(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.joined()

        async def fails(guild_id: int) -> None:
            raise RuntimeError("words of people")

        stage.connections.leave = fails  # type: ignore[method-assign]
        await stage.obeying.obey(stage.leave_order())
        assert len(stage.calls) == 0
        assert call_state(stage.store, str(GUILD)) is None


@leaving_nothing
async def test_a_conversation_that_does_not_end_well_does_not_keep_us(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.joined()
        stage.conversation.error = RuntimeError("words of people")
        stage.calls.on_chunks(stage.connections.lines[GUILD], [chunk(ADA)])
        await stage.obeying.obey(stage.leave_order())
        assert stage.connections.left == [GUILD]


# --- nobody there ---------------------------------------------------------------------------------------------------


@leaving_nothing
async def test_an_empty_channel_is_left_and_that_is_said(tmp_path: Path) -> None:
    async with staged(tmp_path, Settings(empty_s=0.05)) as stage:
        await stage.joined()
        stage.enter(MUSIC_BOT)
        stage.enter(ADA, None)
        await until(lambda: stage.connections.left)
        await until(lambda: len(stage.rest.posts) == 2)
        assert "nobody is here" in stage.rest.texts(VOICE)[-1]
        assert stage.rest.shown[1].buttons == ()
        assert call_state(stage.store, str(GUILD)) is None


@leaving_nothing
async def test_whoever_comes_back_keeps_us(tmp_path: Path) -> None:
    async with staged(tmp_path, Settings(empty_s=0.1)) as stage:
        await stage.joined()
        stage.enter(ADA, None)
        await asyncio.sleep(0.03)
        stage.enter(ADA)
        await asyncio.sleep(0.15)
        assert stage.calls.call(GUILD) is not None
        assert stage.calls.heard(GUILD, ADA)


@leaving_nothing
async def test_whoever_comes_back_at_the_last_moment_keeps_us(tmp_path: Path) -> None:
    async with staged(tmp_path, Settings(empty_s=0.05)) as stage:
        await stage.joined()
        async with stage.calls.lane(GUILD):
            stage.enter(ADA, None)
            await asyncio.sleep(0.1)  # it is decided, and has to wait for its turn
            stage.enter(ADA)
        await asyncio.sleep(0.02)
        assert stage.calls.call(GUILD) is not None
        stage.enter(ADA, None)
        await until(lambda: stage.connections.left)


@leaving_nothing
async def test_where_nobody_agreed_we_do_not_stay_for_ever(tmp_path: Path) -> None:
    async with staged(tmp_path, Settings(unheard_s=0.05)) as stage:
        await stage.joined()
        stage.enter(CAROL)
        await asyncio.sleep(0.1)
        assert stage.calls.call(GUILD) is not None
        stage.enter(ADA, None)
        await until(lambda: stage.connections.left)
        await until(lambda: len(stage.rest.posts) == 2)
        assert "nobody here agreed" in stage.rest.texts(VOICE)[-1]


# --- what others do with us -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lost", "told"),
    [
        (Lost.KICKED, None),
        (Lost.CHANNEL_DELETED, None),
        (Lost.GUILD_REMOVED, None),
        (Lost.GAVE_UP, "My connection broke"),
        (Lost.REFUSED, "My connection broke"),
    ],
)
@leaving_nothing
async def test_a_lost_connection_ends_the_call_for_good(tmp_path: Path, lost: Lost, told: str | None) -> None:
    async with staged(tmp_path) as stage:
        await stage.joined()
        line = stage.connections.lines.pop(GUILD)
        stage.calls.on_lost(GUILD, lost)
        stage.calls.on_chunks(line, [chunk(ADA)])
        assert stage.calls.call(GUILD) is None
        await until(lambda: len(stage.calls) == 0 and stage.conversation.closed and stage.rest.edits)
        assert stage.conversation.heard == []
        if told is not None:
            await until(lambda: len(stage.rest.posts) == 2)
            assert told in stage.rest.texts(VOICE)[-1]
        assert call_state(stage.store, str(GUILD)) is None
        assert len(stage.rest.posts) == (2 if told else 1)
        stage.come_back()
        await asyncio.sleep(0.02)
        assert len(stage.connections.joins) == 1


@leaving_nothing
async def test_losing_what_there_is_not_changes_nothing(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.calls.on_lost(GUILD, Lost.KICKED)
        stage.calls.on_moved(GUILD, SECOND)
        stage.calls.on_people(GUILD)


@leaving_nothing
async def test_a_call_that_began_since_is_not_ended_by_what_was_lost_before(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.joined()
        async with stage.calls.lane(GUILD):
            stage.connections.lines.clear()
            stage.calls.on_lost(GUILD, Lost.KICKED)
            stage.calls.on_lost(GUILD, Lost.KICKED)
            task = asyncio.ensure_future(stage.obeying.obey(stage.join_order()))
            await asyncio.sleep(0.02)
        await task
        await asyncio.sleep(0.02)
        assert stage.calls.call(GUILD) is not None


@leaving_nothing
async def test_moved_by_somebody_we_listen_there_anew(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.joined()
        stage.enter(BOB, SECOND)
        stage.agree(BOB)
        before = stage.conversation
        stage.connections.lines[GUILD].channel_id = SECOND
        stage.calls.on_moved(GUILD, SECOND)
        stage.calls.on_chunks(stage.connections.lines[GUILD], [chunk(ADA)])
        await until(lambda: len(stage.conversations) == 2 and stage.calls.heard(GUILD, BOB))
        await until(lambda: len(stage.rest.posts) == 2)
        assert before.closed
        assert before.heard == []
        assert not stage.calls.heard(GUILD, ADA)
        assert stage.rest.posts[1][0] == SECOND
        await until(lambda: stage.calls.call(GUILD))
        state = call_state(stage.store, str(GUILD))
        assert state is not None
        assert state.channel_id == str(SECOND)


@leaving_nothing
async def test_moved_there_and_back_at_once_the_conversation_goes_on(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.joined()
        stage.calls.on_moved(GUILD, SECOND)  # the line is where it was by the time anybody looks
        await until(lambda: stage.calls.call(GUILD))
        assert len(stage.conversations) == 1
        assert not stage.conversation.closed


@leaving_nothing
async def test_being_moved_to_where_nobody_can_speak_ends_the_call(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.joined()
        stage.connections.lines[GUILD].channel_id = AWAY
        stage.calls.on_moved(GUILD, AWAY)
        await until(lambda: len(stage.rest.posts) == 2)
        assert "nobody can speak" in stage.rest.texts(VOICE)[-1]
        assert stage.connections.left == [GUILD]


@leaving_nothing
async def test_our_own_moves_are_no_news(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.joined()
        stage.enter(ADA, None)
        stage.enter(BOB, SECOND)
        gate = stage.connections.gates[GUILD] = asyncio.Event()
        task = asyncio.ensure_future(stage.obeying.obey(stage.join_order(BOB)))
        await until(lambda: len(stage.connections.joins) == 2)
        stage.calls.on_moved(GUILD, SECOND)
        stage.calls.on_chunks(stage.connections.lines[GUILD], [chunk(ADA)])
        gate.set()
        await task
        assert len(stage.conversations) == 2
        assert stage.conversations[0].heard == []


@leaving_nothing
async def test_a_server_that_is_gone_is_not_written_to(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.joined()
        stage.calls.guild_removed(GUILD)
        await until(lambda: call_state(stage.store, str(GUILD)) is None and stage.conversation.closed)
        await until(lambda: len(stage.calls) == 0)
        assert len(stage.rest.posts) == 1
        stage.calls.guild_removed(GUILD)
        await asyncio.sleep(0.02)


@pytest.mark.parametrize(("why", "said"), [(Hushed.AUDIENCE, "audience"), (Hushed.MUTED, "muted me")])
@leaving_nothing
async def test_that_nobody_hears_us_is_written(tmp_path: Path, why: Hushed, said: str) -> None:
    async with staged(tmp_path, Settings(hushed_s=0)) as stage:
        await stage.joined()
        stage.places.closed_chats = {VOICE}
        stage.connections.lines[GUILD].hushed = why
        for _ in range(3):
            stage.calls.on_people(GUILD)
        await until(lambda: len(stage.rest.posts) == 2)
        assert said in stage.rest.texts(TEXT)[-1]
        stage.calls.on_people(GUILD)
        await asyncio.sleep(0.02)
        assert len(stage.rest.posts) == 2
        stage.connections.lines[GUILD].hushed = None
        stage.calls.on_people(GUILD)
        stage.connections.lines[GUILD].hushed = why
        stage.calls.on_people(GUILD)
        await until(lambda: len(stage.rest.posts) == 3)


@leaving_nothing
async def test_what_may_be_written_nowhere_is_not(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.joined()
        stage.places.closed_chats = {VOICE, TEXT}
        call = stage.calls.call(GUILD)
        assert call is not None
        await call.room.tell("Hello")
        assert len(stage.rest.posts) == 1
