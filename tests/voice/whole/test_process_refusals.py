"""What a deployer is told when the process cannot do its work, and how it ends when Discord does not help."""

from __future__ import annotations

import signal
import socket
from typing import TYPE_CHECKING

import pytest

from tests.voice.discord.rest import Fault
from tests.voice.discord.running import in_loop
from tests.voice.whole.processes import town

if TYPE_CHECKING:
    from pathlib import Path

    from tests.voice.whole.processes import Process


def refusal(process: Process) -> str:
    """The one line that says what is wrong; anything else is as it must be."""
    (told,) = [line for line in process.lines if not line.startswith("{")]
    return told


@in_loop
async def test_a_wrong_token(tmp_path: Path) -> None:
    async with town(tmp_path) as it:
        process = await it.start(DISCORD_TOKEN="another")
        assert await process.ended() == 2
        assert refusal(process) == "trainger: Discord does not accept DISCORD_TOKEN"


@in_loop
async def test_a_token_that_is_taken_back(tmp_path: Path) -> None:
    async with town(tmp_path) as it:
        it.settle()
        process = await it.start()
        await process.well()
        it.emulator.token = "a new one"
        it.emulator.drop_gateway(resumable=False)
        assert await process.ended() == 2
        assert refusal(process) == "trainger: Discord does not accept DISCORD_TOKEN"
        it.emulator.violations.remove("gateway: another token than the bot's")


@pytest.mark.parametrize(
    ("settings", "arguments", "told"),
    [
        ({"DISCORD_TOKEN": ""}, [], "set DISCORD_TOKEN in .env"),
        ({}, ["--shard-ids", "2", "--shard-count", "2"], "--shard-ids and --shard-count: shard ids are from 0 to 1"),
        ({"TRAINGER_VOICE_QUEUE": "none"}, [], "TRAINGER_VOICE_QUEUE is none"),
        ({"TRAINGER_SIDECAR_PORT": "taken"}, [], "the port {port} (TRAINGER_SIDECAR_PORT)"),
    ],
)
@in_loop
async def test_settings_that_cannot_be(
    tmp_path: Path, settings: dict[str, str], arguments: list[str], told: str
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        given = {name: port if value == "taken" else value for name, value in settings.items()}
        async with town(tmp_path) as it:
            process = await it.start(*arguments, **given)
            assert await process.ended() == 2
            assert told.format(port=port) in refusal(process)


@in_loop
async def test_discord_that_is_out_of_order(tmp_path: Path) -> None:
    """Whoever starts the process again and again gets it up once Discord is."""
    async with town(tmp_path) as it:
        it.emulator.rest.faults += [Fault("GET", "/users/@me", 403, {"code": 0, "message": "Cloudflare"})]
        process = await it.start()
        assert await process.ended() == 1
        assert refusal(process) == "trainger: Discord does not let the sidecar in: status 403"


@in_loop
async def test_discord_that_is_not_there(tmp_path: Path) -> None:
    async with town(tmp_path) as it:
        process = await it.start(DISCORD_API_BASE_URL="http://127.0.0.1:1/api/v10")
        assert await process.ended() == 1
        assert refusal(process) == "trainger: Discord is not reached at http://127.0.0.1:1/api/v10"


@in_loop
async def test_told_to_end_while_discord_does_not_answer(tmp_path: Path) -> None:
    """A server that takes connections and says nothing."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/api/v10"
        async with town(tmp_path) as it:
            process = await it.start(DISCORD_API_BASE_URL=url)
            await process.logged("logging in")
            health = await process.health()
            assert (health["status"], health["ok"], health["gateway"]) == (503, False, "not connected")
            assert await process.stop(signal.SIGTERM) == 0
            assert [line for line in process.lines if not line.startswith("{")] == []
