"""What discord.py offers to whoever wants to hear, in a process of its own: its hook for datagrams, and libopus.

Each packet is opened as receiving extensions do: transport cipher, DAVE by davey, decoding to 48 kHz stereo by
discord.py's own decoder, in the thread of its socket. There is no order of packets, no concealment, no consent, no
voice activity. The first line of its standard input says who sends by which number; for each further one it prints
what it has spent and counted so far.
"""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import struct
import sys
import threading
import warnings
from typing import Any, Final

import aiohttp
import davey
import opuslib_next.api  # type: ignore[import-untyped]
import yarl
from nacl.secret import Aead

from bench.voice_usage import usage

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import discord
    from discord.gateway import DiscordWebSocket
    from discord.http import Route
    from discord.opus import Decoder

SILENCE: Final = b"\xf8\xff\xfe"


class Listener:
    """Opens and decodes what comes."""

    def __init__(self, client: discord.VoiceClient, users: dict[int, int]) -> None:
        self.counts = {"received": 0, "heard": 0, "dropped": 0}
        self._connection: Any = client._connection  # noqa: SLF001 - there is no other way to it
        self._users = users
        self._box = Aead(bytes(self._connection.secret_key))
        self._decoders: dict[int, Decoder] = {}
        self._connection.add_socket_listener(self._take)

    def _take(self, datagram: bytes) -> None:
        self.counts["received"] += 1
        if datagram[1] & 0x7F != 0x78:  # RTCP
            return
        try:
            self.counts["heard"] += self._hear(datagram)
        except (ValueError, KeyError, discord.opus.OpusError):
            self.counts["dropped"] += 1

    def _hear(self, datagram: bytes) -> bool:
        """Whether there was more than silence."""
        ssrc = struct.unpack_from(">I", datagram, 8)[0]
        clear = 12 + 4 * (datagram[0] & 0x0F)
        extension = 4 * struct.unpack_from(">H", datagram, clear + 2)[0] if datagram[0] & 0x10 else None
        clear += 0 if extension is None else 4
        opened = self._box.decrypt(datagram[clear:-4], datagram[:clear], datagram[-4:] + bytes(20))
        media = opened[extension or 0 : len(opened) - (opened[-1] if datagram[0] & 0x20 else 0)]
        silent = media == SILENCE
        if not silent:
            media = self._connection.dave_session.decrypt(self._users[ssrc], davey.MediaType.audio, media)
        if ssrc not in self._decoders:
            self._decoders[ssrc] = Decoder()  # type: ignore[no-untyped-call]
        self._decoders[ssrc].decode(media, fec=False)
        return not silent


async def main() -> None:
    """Joins the only voice channel that there is, and runs until its standard input ends."""
    discord.opus.load_opus(opuslib_next.api.libopus._name)  # noqa: SLF001 - the library of the wheel
    Route.BASE = os.environ["DISCORD_API_BASE_URL"]
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(os.environ["GATEWAY_URL"])
    connector = aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"]))
    intents = discord.Intents(guilds=True, voice_states=True)
    client = discord.Client(connector=connector, intents=intents, guild_ready_timeout=0.1)
    running = asyncio.create_task(client.start(os.environ["DISCORD_TOKEN"]))
    await asyncio.sleep(0)
    await asyncio.wait([running, asyncio.create_task(client.wait_until_ready())], return_when="FIRST_COMPLETED")
    [channel] = client.guilds[0].voice_channels
    voice: discord.VoiceClient = await channel.connect(timeout=20)
    loop, over = asyncio.get_running_loop(), asyncio.Event()

    def told() -> None:
        users = json.loads(sys.stdin.readline())["users"]
        listener = Listener(voice, {int(ssrc): user for ssrc, user in users.items()})
        print(json.dumps(usage() | listener.counts), flush=True)
        for _line in sys.stdin:
            print(json.dumps(usage() | listener.counts), flush=True)
        loop.call_soon_threadsafe(over.set)

    threading.Thread(target=told, daemon=True).start()
    await over.wait()
    await client.close()
    await asyncio.gather(running, return_exceptions=True)


if __name__ == "__main__":
    asyncio.run(main())
