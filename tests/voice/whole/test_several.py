"""Several servers at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.voice.discord import until
from tests.voice.discord.running import in_loop
from tests.voice.whole.stage import NOON, THERE, WHEN, WHERE, stage

if TYPE_CHECKING:
    from pathlib import Path


@in_loop
async def test_two_servers_at_once(tmp_path: Path) -> None:
    """People in two servers talk with it at the same time, about what each server taught."""
    async with stage(tmp_path) as it:
        elsewhere = it.emulator.add_guild("Elsewhere")
        channel = elsewhere.add_voice_channel("Voice there")
        eve = elsewhere.add_human(21, "Eve")
        secret = "In the other hall."
        it.desk.teach_pair(elsewhere, WHEN, secret)
        await until(it.up, "the sidecar sees both")
        await asyncio.gather(it.begin(), it.begin(eve, channel=channel))
        await asyncio.gather(it.answers(it.ada, WHEN, NOON), it.answers(eve, WHEN, secret))
        elsewhere.kick_bot()
        await until(lambda: len(it.sidecar.calls) == 1, "one call is left")
        await it.answers(it.ada, WHERE, THERE)
        assert it.reader.said.count(secret) == 1
