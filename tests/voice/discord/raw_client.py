"""Websockets without a library's ideas of what may be sent: for what a proper client never does."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
from typing import TYPE_CHECKING, Any

import aiohttp

from tests.voice.discord.gateway import INTENTS

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.voice.discord.channels import VoiceChannel
    from tests.voice.discord.emulator import Discord
    from tests.voice.discord.guild import Guild


class Closed(Exception):
    """The websocket was closed."""

    def __init__(self, code: int | None) -> None:
        super().__init__(code)
        self.code = code


class RawSocket:
    """One websocket to either gateway. Binary messages are read as {"op": …, "seq": …, "d": bytes}."""

    def __init__(self, websocket: aiohttp.ClientWebSocketResponse) -> None:
        self.websocket = websocket
        self.received: list[dict[str, Any]] = []

    async def send(self, op: int, data: object) -> None:
        await self.websocket.send_str(json.dumps({"op": op, "d": data}))

    async def send_binary(self, op: int, payload: bytes) -> None:
        await self.websocket.send_bytes(bytes([op]) + payload)

    async def receive(self) -> dict[str, Any]:
        """The next message. Raises `Closed`."""
        message = await asyncio.wait_for(self.websocket.receive(), 10)
        if message.type is aiohttp.WSMsgType.TEXT:
            read: dict[str, Any] = json.loads(message.data)
        elif message.type is aiohttp.WSMsgType.BINARY:
            sequence, op = struct.unpack_from(">HB", message.data)
            read = {"op": op, "seq": sequence, "d": message.data[3:]}
        else:
            raise Closed(self.websocket.close_code)
        self.received.append(read)
        return read

    async def until(self, wanted: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
        """Reads on to the message that is wanted."""
        while not wanted(message := await self.receive()):
            pass
        return message

    async def op(self, op: int) -> Any:
        """The content of the next message with an opcode."""
        return (await self.until(lambda message: message["op"] == op))["d"]

    async def event(self, name: str) -> Any:
        """The content of the next event of a name."""
        return (await self.until(lambda message: message.get("t") == name))["d"]

    async def close_code(self) -> int | None:
        """Reads on to the end."""
        try:
            while True:
                await self.receive()
        except Closed as closed:
            return closed.code


@contextlib.asynccontextmanager
async def connected(emulator: Discord, url: str) -> AsyncIterator[RawSocket]:
    connector = aiohttp.TCPConnector(ssl=emulator.ssl_context())
    async with aiohttp.ClientSession(connector=connector) as session, session.ws_connect(url) as websocket:
        yield RawSocket(websocket)


def gateway(
    emulator: Discord, query: str = "?v=10&encoding=json"
) -> contextlib.AbstractAsyncContextManager[RawSocket]:
    return connected(emulator, emulator.gateway_url + query)


def identity(emulator: Discord, **changes: object) -> dict[str, Any]:
    """The content of the gateway's op 2."""
    properties = {"os": "linux", "browser": "raw", "device": "raw"}
    return {"token": emulator.token, "intents": INTENTS, "properties": properties} | changes


@contextlib.asynccontextmanager
async def joined(
    emulator: Discord, guild: Guild, channel: VoiceChannel
) -> AsyncIterator[tuple[RawSocket, dict[str, Any]]]:
    """The gateway, after op 4 was answered, and the content of the voice gateway's op 0."""
    async with gateway(emulator) as raw:
        await raw.send(2, identity(emulator))
        await raw.event("GUILD_CREATE")
        asked = {"guild_id": str(guild.id), "channel_id": str(channel.id), "self_mute": False, "self_deaf": False}
        await raw.send(4, asked)
        state = await raw.event("VOICE_STATE_UPDATE")
        server = await raw.event("VOICE_SERVER_UPDATE")
        yield (
            raw,
            {
                "server_id": str(guild.id),
                "user_id": str(emulator.bot_id),
                "session_id": state["session_id"],
                "token": server["token"],
                "max_dave_protocol_version": 1,
            },
        )


def voice(emulator: Discord, guild: Guild, query: str = "?v=8") -> contextlib.AbstractAsyncContextManager[RawSocket]:
    return connected(emulator, f"wss://{guild.voice_server.endpoint}/{query}")


async def described(raw: RawSocket, ready: dict[str, Any], mode: str) -> tuple[socket.socket, dict[str, Any]]:
    """IP discovery, op 1, and the content of op 4. The caller closes the UDP socket."""
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.setblocking(False)
    udp.connect((ready["ip"], ready["port"]))
    address, port = await discover(udp, ready["ssrc"])
    await raw.send(1, {"protocol": "udp", "data": {"address": address, "port": port, "mode": mode}})
    return udp, await raw.op(4)


async def discover(udp: socket.socket, ssrc: int) -> tuple[str, int]:
    """IP discovery."""
    loop = asyncio.get_running_loop()
    await loop.sock_sendall(udp, struct.pack(">HHI", 1, 70, ssrc) + bytes(66))
    answer = await asyncio.wait_for(loop.sock_recv(udp, 2048), 10)
    assert (len(answer), answer[:8]) == (74, struct.pack(">HHI", 2, 70, ssrc))
    return answer[8 : answer.index(0, 8)].decode(), int.from_bytes(answer[-2:], "big")
