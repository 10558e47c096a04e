"""Two processes side by side, each with a shard of its own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from tests.voice.discord import until
from tests.voice.discord.running import in_loop
from tests.voice.whole.listening import Listener, says
from tests.voice.whole.processes import answered, town
from tests.voice.whole.stage import NOON, THERE, WHEN, WHERE

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("own", [False, True], ids=["one queue for both", "a queue each"])
@in_loop
async def test_each_has_its_own_servers(tmp_path: Path, own: bool) -> None:
    settings = {"TRAINGER_VOICE_SHARDS": "2"}
    if own:
        settings["TRAINGER_VOICE_QUEUE"] = f"sqlite:{tmp_path / 'voice-{shard}.sqlite3'}"
    async with town(tmp_path, **settings) as it:
        places = [it.settle(shard=shard, shards=2, user_id=11 + shard) for shard in (0, 1)]
        processes = await asyncio.gather(
            *(it.start("--shard-ids", str(shard), "--shard-count", "2") for shard in (0, 1))
        )
        await asyncio.gather(*(process.well() for process in processes))
        for shard, process in enumerate(processes):
            assert (await process.health())["shards"] == {"ids": [shard], "count": 2}
        await asyncio.gather(*(it.begin(human, channel) for _, channel, human in places))
        listeners = [Listener(human) for _, _, human in places]
        await asyncio.gather(says(places[0][2], WHERE), says(places[1][2], WHEN))
        await asyncio.gather(listeners[0].hears(THERE), listeners[1].hears(NOON))
        await asyncio.gather(*(answered(process, 1) for process in processes))
        assert sorted(it.providers.recognised) == sorted([WHERE, WHEN])
        said = await it.desk.leave(places[1][2])
        assert said == f"I left <#{places[1][1].id}>."
        await until(lambda: places[1][0].bot_channel is None, "it is out")
        assert places[0][0].bot_channel is places[0][1]
        assert [(await process.health())["calls"] for process in processes] == [1, 0]
        assert await asyncio.gather(*(process.stop() for process in processes)) == [0, 0]
