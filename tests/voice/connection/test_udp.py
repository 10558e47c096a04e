"""Datagrams that waited while the event loop was busy."""

from __future__ import annotations

import asyncio
import socket

from tests.voice.discord import until
from tests.voice.discord.running import in_loop
from voice_sidecar.connection.counters import Counters
from voice_sidecar.connection.udp import UdpSocket

HERE = "127.0.0.1"


@in_loop
async def test_all_that_wait_are_taken_before_a_timer_runs() -> None:
    """Else a timer would find that nothing was said for long, which is not true."""
    seen: list[bytes | str] = []
    counters = Counters()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((HERE, 0))
        ours = await UdpSocket.open(HERE, server.getsockname()[1], seen.append, counters)
        try:
            ours.send(b"here")
            _, address = server.recvfrom(10)
            asyncio.get_running_loop().call_later(0, seen.append, "timer")
            datagrams = [bytes([number]) for number in range(60)]
            for datagram in datagrams:
                server.sendto(datagram, address)
            await until(lambda: "timer" in seen, "the timer runs")
            assert seen == [*datagrams, "timer"]
            assert counters.datagrams == 60
        finally:
            ours.close()


@in_loop
async def test_what_takes_one_may_close_it() -> None:
    seen: list[bytes] = []

    def close(datagram: bytes) -> None:
        seen.append(datagram)
        ours.close()

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((HERE, 0))
        ours = await UdpSocket.open(HERE, server.getsockname()[1], close, Counters())
        ours.send(b"here")
        _, address = server.recvfrom(10)
        server.sendto(b"first", address)
        await until(lambda: seen, "it comes")
        server.sendto(b"second", address)
        await asyncio.sleep(0.05)
        assert seen == [b"first"]
