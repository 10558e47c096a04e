"""What a deployer is told when the sidecar ends by itself."""

from __future__ import annotations

import errno
from typing import Any
from unittest.mock import Mock

import aiohttp
import discord
import pytest

from trainer.configuration import Configuration
from voice_sidecar.__main__ import main
from voice_sidecar.ops.endings import NOT_NOW, NOTHING_SET, ending

HERE = Configuration(token="a secret")
WORDS = "what somebody said"


def closed(code: int) -> discord.ConnectionClosed:
    return discord.ConnectionClosed(Mock(close_code=code), shard_id=0)


def answered(status: int) -> discord.HTTPException:
    return discord.HTTPException(Mock(status=status, reason=WORDS), WORDS)


def no_gateway() -> discord.GatewayNotFound:
    return discord.GatewayNotFound()  # type: ignore[no-untyped-call] # of discord.py


def unreached() -> aiohttp.ClientConnectorError:
    key: Any = Mock(host="discord.com", port=443, ssl=True)
    return aiohttp.ClientConnectorError(key, OSError(errno.ECONNREFUSED, WORDS))


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (discord.LoginFailure(WORDS), NOTHING_SET, "does not accept DISCORD_TOKEN"),
        (closed(4004), NOTHING_SET, "does not accept DISCORD_TOKEN"),
        (closed(4010), NOTHING_SET, "--shard-ids and --shard-count: Discord does not know such a shard"),
        (closed(4011), NOTHING_SET, "wants it to have more shards"),
        (closed(4012), NOT_NOW, "closed the gateway connection: code 4012"),
        (answered(503), NOT_NOW, "does not let the sidecar in: status 503"),
        (no_gateway(), NOT_NOW, "does not say where its gateway is"),
        (unreached(), NOT_NOW, "is not reached at https://discord.com/api/v10"),
        (TimeoutError(), NOT_NOW, "is not reached at https://discord.com/api/v10"),
        (OSError(errno.EADDRINUSE, "Address already in use"), NOTHING_SET, "the port 8081 (TRAINGER_SIDECAR_PORT)"),
    ],
)
def test_what_is_told(error: Exception, code: int, told: str) -> None:
    found = ending(error, HERE)
    assert found is not None
    assert found.code == code
    assert told in found.text
    assert WORDS not in found.text
    assert "secret" not in found.text


@pytest.mark.parametrize("error", [ValueError(WORDS), OSError(errno.EIO, WORDS)])
def test_what_should_never_happen_has_no_sentence(error: Exception) -> None:
    assert ending(error, HERE) is None


def test_shard_ids_that_are_no_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--shard-ids", "0;1"])
    assert ended.value.code == NOTHING_SET
    assert "shard ids are numbers with commas between, such as 0,1" in capsys.readouterr().err
