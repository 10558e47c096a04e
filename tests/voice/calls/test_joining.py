"""/join: where, why not, and what is said."""

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
    OTHER,
    SECOND,
    TEXT,
    VOICE,
    cannot,
    chunk,
    leaving_nothing,
    staged,
)
from trainer.voice_calls import call_state, claimed
from voice_sidecar.calls.calls import Settings
from voice_sidecar.connection.outcomes import Refusal

if TYPE_CHECKING:
    from pathlib import Path


@leaving_nothing
async def test_whoever_asks_is_joined_heard_and_told(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        order = await stage.joined()
        assert stage.reply(order).text == f"I'm in <#{VOICE}>, and I hear you. I hear others once they agree."
        assert stage.reply(order).buttons == ()
        assert stage.connections.joins == [(GUILD, VOICE)]
        assert stage.calls.heard(GUILD, ADA)
        assert stage.connections.agreements == [GUILD]
        state = call_state(stage.store, str(GUILD))
        assert state is not None
        assert (state.channel_id, state.text_channel_id, state.joined_by) == (str(VOICE), str(TEXT), str(ADA))
        assert claimed(stage.store, str(GUILD), order.id) == "sidecar"
        assert await stage.kept.done(GUILD, order.id)
        room = stage.conversation.room
        assert (room.guild_id, room.channel_id, room.locale, room.bot_name) == (GUILD, VOICE, "en-US", "Trainger")
        stage.calls.on_chunks(stage.connections.lines[GUILD], [chunk(ADA)])
        assert stage.conversation.heard == [chunk(ADA)]


@leaving_nothing
async def test_the_notice_says_who_is_heard_and_what_is_kept(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.joined()
        ((channel, notice),) = stage.rest.posts
        assert channel == VOICE
        assert f"<@{ADA}> asked me in" in notice.text
        assert "dropped unopened" in notice.text
        assert "No audio is stored" in notice.text
        assert "not written down" in notice.text
        assert [(one.custom_id, one.label) for one in notice.buttons] == [
            ("voice:agree", "Agree"),
            ("voice:kept", "What is kept"),
            ("voice:leave", "Leave"),
        ]


@leaving_nothing
async def test_without_a_chat_to_write_in_the_reply_carries_the_notice(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.places.closed_chats = {VOICE, TEXT}
        order = await stage.joined()
        assert stage.rest.posts == []
        assert "No audio is stored" in stage.reply(order).text
        assert [one.custom_id for one in stage.reply(order).buttons] == [
            "voice:agree",
            "voice:kept",
            "voice:leave",
        ]


@pytest.mark.parametrize(
    ("where", "said"), [(None, "You are in no voice channel."), (AWAY, "nobody can speak there")]
)
@leaving_nothing
async def test_where_there_is_nothing_to_join(tmp_path: Path, where: int | None, said: str) -> None:
    async with staged(tmp_path) as stage:
        stage.enter(ADA, where)
        reply = await stage.answer(stage.join_order())
        assert said in reply.text
        assert stage.connections.joins == []


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (cannot(Refusal.NO_PERMISSION, "connect"), "this permission: **Connect**."),
        (cannot(Refusal.NO_PERMISSION, "view_channel", "speak"), "these permissions: **View Channel**, **Speak**."),
        (cannot(Refusal.NO_PERMISSION, "request_to_speak"), "**Request to Speak**"),
        (cannot(Refusal.NO_PERMISSION), "Discord does not let me in"),
        (cannot(Refusal.REFUSED), "Discord does not let me in"),
        (cannot(Refusal.FULL), "it is full"),
        (cannot(Refusal.UNKNOWN_CHANNEL), "it is gone"),
        (cannot(Refusal.TIMEOUT), "in time"),
        (cannot(Refusal.GATEWAY_DOWN), "in time"),
        (cannot(Refusal.LEFT), "sent me away"),
        (RuntimeError("words of people"), "the log knows more under"),
    ],
)
@leaving_nothing
async def test_why_joining_failed_is_said(tmp_path: Path, error: Exception, said: str) -> None:
    async with staged(tmp_path) as stage:
        stage.connections.errors = [error]
        stage.enter(ADA)
        reply = await stage.answer(stage.join_order())
        assert said in reply.text
        assert f"<#{VOICE}>" in reply.text or "sent me away" in said
        assert len(stage.calls) == 0
        assert stage.rest.posts == []
        assert call_state(stage.store, str(GUILD)) is None


@leaving_nothing
async def test_joining_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    async with staged(tmp_path, Settings(join_s=0.05)) as stage:
        stage.connections.gates[GUILD] = asyncio.Event()
        stage.enter(ADA)
        reply = await stage.answer(stage.join_order())
        assert "in time" in reply.text


@leaving_nothing
async def test_a_conversation_that_cannot_begin_is_no_call(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.begin_error = RuntimeError("no model")
        stage.enter(ADA)
        reply = await stage.answer(stage.join_order())
        assert "the log knows more" in reply.text
        assert stage.connections.left == [GUILD]


@leaving_nothing
async def test_asked_again_in_the_same_channel_we_stay(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.joined()
        stage.enter(BOB)
        reply = await stage.answer(stage.join_order(BOB))
        assert reply.text == f"I'm in <#{VOICE}> with you already, and I hear you."
        assert stage.calls.heard(GUILD, BOB)
        assert len(stage.connections.joins) == 1
        assert len(stage.rest.posts) == 1


@leaving_nothing
async def test_a_conversation_of_others_is_not_broken_off(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.joined()
        stage.enter(BOB, SECOND)
        reply = await stage.answer(stage.join_order(BOB))
        assert f"I'm in <#{VOICE}>, and people there are talking with me" in reply.text
        assert stage.connections.joins == [(GUILD, VOICE)]


@leaving_nothing
async def test_where_nobody_who_agreed_is_left_we_go_over(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.joined()
        stage.enter(CAROL)
        stage.enter(ADA, None)
        before = stage.conversation
        await stage.joined(BOB, SECOND)
        assert stage.connections.joins == [(GUILD, VOICE), (GUILD, SECOND)]
        assert before.closed
        assert stage.conversation is not before
        assert stage.conversation.room.channel_id == SECOND
        assert not stage.calls.heard(GUILD, ADA)
        assert [where for where, _ in stage.rest.posts] == [VOICE, SECOND]
        assert f"gone over to <#{SECOND}>" in stage.rest.shown[1].text
        assert stage.rest.shown[1].buttons == ()


@leaving_nothing
async def test_going_over_that_fails_leaves_us_where_we_are(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.joined()
        stage.enter(ADA, None)
        stage.enter(BOB, SECOND)
        stage.connections.errors = [cannot(Refusal.FULL)]
        reply = await stage.answer(stage.join_order(BOB))
        assert "it is full" in reply.text
        call = stage.calls.call(GUILD)
        assert call is not None
        assert call.room.channel_id == VOICE


@leaving_nothing
async def test_going_over_that_loses_the_connection_ends_the_call(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.joined()
        stage.enter(ADA, None)
        stage.enter(BOB, SECOND)
        stage.connections.gates[GUILD] = asyncio.Event()
        stage.connections.errors = [cannot(Refusal.TIMEOUT)]
        order = stage.join_order(BOB)
        task = asyncio.ensure_future(stage.obeying.obey(order))
        await asyncio.sleep(0.05)
        stage.connections.lines.clear()
        stage.connections.gates[GUILD].set()
        await task
        assert len(stage.calls) == 0
        assert stage.conversation.closed
        assert call_state(stage.store, str(GUILD)) is None


@leaving_nothing
async def test_a_connection_lost_while_we_settle_is_no_call(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.enter(ADA)
        here = stage.notices.here

        async def lost_meanwhile(*args: int) -> bool:
            stage.connections.lines.clear()
            return await here(*args)

        stage.notices.here = lost_meanwhile  # type: ignore[method-assign,assignment]
        reply = await stage.answer(stage.join_order())
        assert "Discord does not let me in" in reply.text
        assert len(stage.calls) == 0


@leaving_nothing
async def test_two_servers_at_once(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.joined()
        stage.enter(BOB, VOICE, OTHER)
        await stage.obeying.obey(stage.join_order(BOB, OTHER))
        assert len(stage.calls) == 2
        assert stage.calls.heard(OTHER, BOB)
        assert not stage.calls.heard(OTHER, ADA)
        assert not stage.calls.heard(GUILD, BOB)
        stage.calls.on_chunks(stage.connections.lines[OTHER], [chunk(BOB)])
        assert [one.heard for one in stage.conversations] == [[], [chunk(BOB)]]


@leaving_nothing
async def test_a_slow_join_does_not_keep_another_server_waiting(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        gate = stage.connections.gates[GUILD] = asyncio.Event()
        stage.enter(ADA)
        slow = asyncio.ensure_future(stage.obeying.obey(stage.join_order()))
        leave = stage.leave_order()
        after = asyncio.ensure_future(stage.obeying.obey(leave))
        stage.enter(BOB, VOICE, OTHER)
        await stage.obeying.obey(stage.join_order(BOB, OTHER))
        assert stage.calls.call(OTHER) is not None
        assert not slow.done()
        assert not after.done()
        assert claimed(stage.store, str(GUILD), leave.id) == "sidecar"  # so no worker says that we are dead
        gate.set()
        await slow
        await after
        assert stage.reply(leave).text == f"I left <#{VOICE}>."


@leaving_nothing
async def test_bots_are_nobody(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.enter(MUSIC_BOT)
        await stage.joined()
        assert set(stage.conversation.room.people()) == {ADA}
        assert set(stage.conversation.room.heard()) == {ADA}
