"""Calls on real connections, against the emulator: what is said at the gateway, and what comes of it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Any

from tests.voice.calls.stage import ScriptedConversation
from tests.voice.connection.sidecar import QUICK, USER_IDS, available, channel_with, library_for_tests
from tests.voice.discord import Discord, payloads, permissions, until
from tests.voice.discord.running import in_loop
from tests.voice.talker import spoken
from trainer.adapters.file_store import FileStore
from trainer.consent import choose_voice
from trainer.voice_calls import call_state
from trainer.voice_orders import Join, Leave
from voice_sidecar.calls.calls import Calls, Settings
from voice_sidecar.calls.client_cache import ClientCache, attach
from voice_sidecar.calls.coming_back import ComingBack
from voice_sidecar.calls.kept import Kept, scope_of
from voice_sidecar.calls.notices import Notices
from voice_sidecar.calls.obeying import Obeying
from voice_sidecar.calls.places import Spot
from voice_sidecar.calls.rest import Rest
from voice_sidecar.connection.client import make_client
from voice_sidecar.connection.connections import Connections
from voice_sidecar.parts import Person

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.voice.discord import Guild, Human, VoiceChannel
    from voice_sidecar.calls.needs import Line
    from voice_sidecar.parts import Room

ADA, BOB = USER_IDS["Ada"], USER_IDS["Bob"]


class Wired:
    """Everything but models, together."""

    def __init__(self, emulator: Discord, folder: Path, settings: Settings | None = None, **shards: Any) -> None:
        self.emulator = emulator
        self.store = FileStore(folder)
        self.client = make_client(emulator.api_base_url, tls=emulator.ssl_context(), **shards)
        self.places = ClientCache(self.client)
        self.kept = Kept(self.store)
        self.rest = Rest(emulator.api_base_url, emulator.token)
        self.notices = Notices(self.rest, self.kept, self.places)
        self.conversations: list[ScriptedConversation] = []
        self.calls = Calls(self.places, self._begin, self.kept, self.notices, settings)
        self.obeying = Obeying(self.calls, self.kept, self.rest, self.places, self.notices)
        attach(self.client, self.calls, ComingBack(self.calls, self.places, self.kept, self.notices))
        connections = Connections(
            self.client,
            heard=self.calls.heard,
            on_chunks=self.calls.on_chunks,
            on_lost=self.calls.on_lost,
            on_moved=self.calls.on_moved,
            on_people=self.calls.on_people,
            patience=QUICK,
        )
        self.calls.start(connections)
        self._orders = 0

    def _begin(self, room: Room, line: Line) -> ScriptedConversation:
        self.conversations.append(ScriptedConversation(room, line))
        return self.conversations[-1]

    def _asked(self, guild: Guild, user_id: int) -> dict[str, Any]:
        self._orders += 1
        return {
            "id": str(time.time_ns()),
            "application_id": str(self.emulator.bot_id),
            "token": f"token-{self._orders}",
            "guild_id": str(guild.id),
            "user_id": str(user_id),
            "channel_id": "1",
            "locale": "en-US",
            "at": time.time(),
            "expires": time.time() + 60,
        }

    async def join(self, guild: Guild, user_id: int) -> str:
        order = Join(**self._asked(guild, user_id))
        choose_voice(self.store, scope_of(guild.id), str(user_id), order.id, on=True)
        assert (await self.obeying.obey(order)).do == "complete"
        return self.emulator.edits[-1].content

    async def leave(self, guild: Guild, user_id: int) -> str:
        assert (await self.obeying.obey(Leave(**self._asked(guild, user_id)))).do == "complete"
        return self.emulator.edits[-1].content

    async def close(self) -> None:
        await self.calls.close()
        await self.client.close()
        await self.rest.close()
        self.kept.close()


@contextlib.asynccontextmanager
async def wired(
    emulator: Discord, folder: Path, settings: Settings | None = None, **shards: Any
) -> AsyncIterator[Wired]:
    with library_for_tests():
        it = Wired(emulator, folder, settings, **shards)
        running = asyncio.create_task(it.client.start(emulator.token))
        try:
            mine = [guild_id for guild_id in emulator.guilds if it.places.mine(guild_id)]
            await until(lambda: all(available(it.client, one) for one in mine), "the guilds are there")
            yield it
        finally:
            await it.close()
            await asyncio.gather(running, return_exceptions=True)


@contextlib.asynccontextmanager
async def in_call(folder: Path, settings: Settings | None = None) -> AsyncIterator[tuple[Wired, VoiceChannel, Human]]:
    """A call into which Ada, who is alone in the channel, asked us."""
    async with channel_with("Ada") as (emulator, channel, [ada]), wired(emulator, folder, settings) as it:
        await it.join(channel.guild, ADA)
        await channel.guild.bot_in(channel)
        yield it, channel, ada


def texts(emulator: Discord, channel: VoiceChannel) -> list[str]:
    return [message.content for message in emulator.sent_messages if message.channel_id == channel.id]


@in_loop
async def test_joined_heard_and_left(tmp_path: Path) -> None:
    async with channel_with("Ada", "Bob") as (emulator, channel, [ada, bob]), wired(emulator, tmp_path) as it:
        guild = channel.guild
        assert await it.join(guild, ADA) == f"I'm in <#{channel.id}>, and I hear you. I hear others once they agree."
        await guild.bot_in(channel)
        (notice,) = texts(emulator, channel)
        assert notice.startswith("**I listen here")
        (conversation,) = it.conversations
        for human in (bob, ada):
            await human.speak(spoken(10))
        await until(lambda: conversation.heard, "Ada is heard")
        await asyncio.sleep(0.1)
        assert {chunk.user_id for chunk in conversation.heard} == {ADA}
        assert await it.leave(guild, BOB) == f"I left <#{channel.id}>."
        await until(lambda: guild.bot_channel is None, "we are out")
        assert texts(emulator, channel) == ["I listened here. I have left, and hear nothing any more."]
    assert emulator.violations == []


@in_loop
async def test_thrown_out_it_is_over(tmp_path: Path) -> None:
    async with in_call(tmp_path) as (it, channel, _):
        guild = channel.guild
        guild.kick_bot()
        await until(lambda: len(it.calls) == 0 and it.conversations[0].closed, "the call is over")
        await until(lambda: call_state(it.store, str(guild.id)) is None, "nothing is kept of it")
        await asyncio.sleep(0.3)
        assert guild.bot_channel is None
    assert it.emulator.violations == []


@in_loop
async def test_moved_by_a_moderator_it_goes_on_there(tmp_path: Path) -> None:
    async with channel_with("Ada", absent=["Bob"]) as (emulator, one, [_, bob]):
        guild = one.guild
        two = guild.add_voice_channel("Two")
        await bob.join(two)
        async with wired(emulator, tmp_path) as it:
            choose_voice(it.store, scope_of(guild.id), str(BOB), "5", on=True)
            await it.join(guild, ADA)
            await guild.bot_in(one)
            guild.move_bot(two)
            await guild.bot_in(two)
            await until(lambda: it.calls.heard(guild.id, BOB), "those who are there are heard")
            await until(lambda: texts(emulator, two), "and they are told")
            assert not it.calls.heard(guild.id, ADA)
            assert [one.closed for one in it.conversations] == [True, False]
            await until(lambda: it.calls.call(guild.id) is not None, "it goes on")
            assert f"<#{two.id}>" in await it.join(guild, BOB)
        assert emulator.violations == []


@in_loop
async def test_left_alone_we_leave(tmp_path: Path) -> None:
    async with in_call(tmp_path, Settings(empty_s=0.2)) as (it, channel, ada):
        await ada.leave()
        await until(lambda: channel.guild.bot_channel is None, "we are out")
        await until(lambda: len(texts(it.emulator, channel)) == 2, "we said so")
        assert "nobody is here" in texts(it.emulator, channel)[1]
    assert it.emulator.violations == []


@in_loop
async def test_restarted_it_goes_on(tmp_path: Path) -> None:
    async with channel_with("Ada") as (emulator, channel, _):
        guild = channel.guild
        async with wired(emulator, tmp_path) as it:
            await it.join(guild, ADA)
            await guild.bot_in(channel)
        assert call_state(it.store, str(guild.id)) is not None
        async with wired(emulator, tmp_path) as it:
            await guild.bot_in(channel)
            await until(lambda: it.calls.heard(guild.id, ADA), "Ada is heard again")
            await until(lambda: it.calls.call(guild.id) is not None, "the call goes on")
        assert len(texts(emulator, channel)) == 1
        assert emulator.violations == []


@in_loop
async def test_missing_permissions_are_named(tmp_path: Path) -> None:
    async with channel_with("Ada") as (emulator, channel, _), wired(emulator, tmp_path) as it:
        guild = channel.guild
        channel.deny(permissions.SPEAK)
        await until(lambda: not may(it, guild, channel).speak, "it is known")
        assert "this permission: **Speak**" in await it.join(guild, ADA)
        channel.deny(permissions.SEND_MESSAGES)
        await until(lambda: may(it, guild, channel).speak, "it is known")
        said = await it.join(guild, ADA)
        assert "No audio is stored" in said  # there is no chat to write the notice into
        assert texts(emulator, channel) == []
    assert emulator.violations == []


def may(it: Wired, guild: Guild, channel: VoiceChannel) -> Any:
    there = it.client.get_guild(guild.id)
    assert there is not None
    found = there.get_channel(channel.id)
    assert found is not None
    return found.permissions_for(there.me)


@in_loop
async def test_removed_from_the_server_it_is_over(tmp_path: Path) -> None:
    async with in_call(tmp_path) as (it, channel, _):
        guild = channel.guild
        guild.delete()
        await until(lambda: len(it.calls) == 0, "the call is over")
        await until(lambda: call_state(it.store, str(guild.id)) is None, "nothing is kept of it")
        assert not it.places.known(guild.id)


@in_loop
async def test_what_the_cache_says(tmp_path: Path) -> None:
    async with Discord() as emulator:
        guild = emulator.add_guild(shard=1, shards=2)
        other = emulator.add_guild(shard=0, shards=2)
        guild.locale, guild.bot_nick = "ru", "Тренер"
        text, channel = guild.add_text_channel(), guild.add_voice_channel()
        away, stage = guild.add_voice_channel("Away"), guild.add_voice_channel("Stage", stage=True)
        await guild.add_human(ADA, "Ada").join(channel)
        await guild.add_human(BOB, "Bob").join(stage)
        async with wired(emulator, tmp_path, shard_ids=[1], shard_count=2) as it:
            places = it.places
            update = {key: value for key, value in payloads.guild_create(guild).items() if key != "voice_states"}
            guild.dispatch("GUILD_UPDATE", update | {"afk_channel_id": str(away.id)})
            await until(lambda: places.spot(guild.id, away.id) == Spot(away=True), "it is known")
            assert places.mine(guild.id)
            assert not places.mine(other.id)
            assert places.known(guild.id)
            assert not places.known(other.id)
            assert places.where(guild.id, ADA) == channel.id
            assert places.where(guild.id, BOB) == stage.id
            assert places.where(guild.id, 5) is None
            assert places.spot(guild.id, channel.id) == Spot()
            assert places.spot(guild.id, text.id) is None
            assert places.spot(guild.id, 5) is None
            assert places.people(guild.id, channel.id) == {ADA: Person(ADA, "Ada")}
            assert places.people(guild.id, stage.id) == {BOB: Person(BOB, "Bob", muted=True)}
            assert places.people(guild.id, 5) == {}
            assert places.may_write(guild.id, text.id)
            assert places.may_write(guild.id, channel.id)
            assert not places.may_write(guild.id, 5)
            assert places.manages(guild.id, guild.owner_id)
            assert not places.manages(guild.id, ADA)
            assert not places.manages(guild.id, 5)
            assert (places.locale(guild.id), places.bot_name(guild.id)) == ("ru", "Тренер")
            text.deny(permissions.SEND_MESSAGES)
            await until(lambda: not places.may_write(guild.id, text.id), "it is known")
            guild.fail()
            await until(lambda: not places.known(guild.id), "it is known")
            assert places.mine(guild.id)
            assert places.where(guild.id, ADA) is None
            assert places.spot(guild.id, channel.id) is None
            assert places.people(guild.id, channel.id) == {}
            assert not places.may_write(guild.id, text.id)
            assert not places.manages(guild.id, guild.owner_id)
            assert (places.locale(guild.id), places.bot_name(guild.id)) == ("en-US", "Trainger")


@in_loop
async def test_in_the_audience_of_a_stage_people_are_told(tmp_path: Path) -> None:
    allowed = permissions.ALL_THAT_A_VOICE_BOT_NEEDS | 1 << 32
    async with (
        channel_with("Ada", stage=True, allowed=allowed) as (emulator, stage, _),
        wired(emulator, tmp_path, Settings(hushed_s=0.1)) as it,
    ):
        await it.join(stage.guild, ADA)
        await until(lambda: len(texts(emulator, stage)) == 2, "it is written")
        assert "audience of this stage" in texts(emulator, stage)[1]
