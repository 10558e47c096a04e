"""A bot's voice connection, as the voice server keeps it: numbered messages, the keys, and all that came of it."""

from __future__ import annotations

import asyncio
import json
import os
import struct
import time
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from tests.voice.discord.calls import new_ssrc
from tests.voice.discord.checks import PacketChecks
from tests.voice.discord.sealing import RtpPacket, Transport, Unsealed, read_rtp
from tests.voice.discord.waiting import Timers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.voice.discord.channels import VoiceChannel
    from tests.voice.discord.guild import Guild
    from tests.voice.discord.outbox import Outbox

Address = tuple[str, int]
UNNUMBERED = frozenset({2, 6, 8, 9})
DISCOVERY_SIZE = 74


class Sent(NamedTuple):
    """One packet of sound that the bot sent."""

    at: float
    """When it arrived, as `time.monotonic()` has it."""
    packet: RtpPacket
    nonce: int


class VoiceSession:
    """Made when a bot identifies itself to the voice gateway.

    Attributes:
        sent: The packets of sound that came.
        keepalives: When each came.
        speaking_states: The flags of each op 5.
        received: Each message of the client: its opcode, and JSON or bytes.
        close_code: With what the websocket ended, if it has.
    """

    is_bot = True

    def __init__(
        self,
        guild: Guild,
        channel: VoiceChannel,
        user_id: int,
        session_id: str,
        token: str,
        send: Callable[[bytes, Address], None],
    ) -> None:
        self.guild = guild
        self.channel = channel
        self.user_id = user_id
        self.session_id = session_id
        self.token = token
        self.ssrc = new_ssrc()
        self.key = os.urandom(32)
        self.transport: Transport | None = None
        self.address: Address | None = None
        self.discovered: Address | None = None
        self.outbox: Outbox | None = None
        self.over = False
        self.sequence = -1
        """Of the last numbered message."""
        self.sent: list[Sent] = []
        self.keepalives: list[float] = []
        self.heartbeats: list[float] = []
        self.speaking_states: list[int] = []
        self.received: list[tuple[int, object]] = []
        self.close_code: int | None = None
        self.resumed = 0
        self._send_datagram = send
        self._buffer: deque[tuple[int, str | bytes]] = deque(maxlen=1000)
        self._checks = PacketChecks(self.complain, self.ssrc)
        self._last_upstream = time.monotonic()
        self._timers = Timers()

    @property
    def mode(self) -> str | None:
        return self.transport.mode if self.transport else None

    def complain(self, what: str) -> None:
        self.guild.discord.complain(f"voice of {self.guild.name}: {what}")

    # Into the websocket

    def tell(self, op: int, data: Mapping[str, object] | None) -> None:
        message: dict[str, object] = {"op": op, "d": data}
        if op in UNNUMBERED:
            self._send(json.dumps(message))
        else:
            message["seq"] = self._next()
            self._send_buffered(json.dumps(message))

    def tell_binary(self, op: int, payload: bytes) -> None:
        number = self._next()
        self._send_buffered(struct.pack(">HB", number, op) + payload)

    def _next(self) -> int:
        self.sequence = self.sequence + 1 & 0xFFFF
        return self.sequence

    def _send_buffered(self, message: str | bytes) -> None:
        self._buffer.append((self.sequence, message))
        self._send(message)

    def _send(self, message: str | bytes) -> None:
        if self.outbox is not None:
            self.outbox.send(message)

    def resume(self, outbox: Outbox, acknowledged: int) -> None:
        """Goes on in another websocket, with all that is not acknowledged. -1 is nothing."""
        self.outbox = outbox
        self.resumed += 1
        self.tell(9, None)
        missed = list(self._buffer)
        numbers = [number for number, _ in missed]
        if acknowledged in numbers:
            missed = missed[numbers.index(acknowledged) + 1 :]
        for _, message in missed:
            self._send(message)

    # The call

    def describe(self, mode: str) -> None:
        """Op 4, and into the call."""
        call = self.channel.call
        self.transport = Transport(mode, self.key)
        self.address = self.discovered
        if call.rules.early_external_sender and call.version:
            call.group.introduce(self)
        description = {
            "mode": mode,
            "secret_key": list(self.key),
            "dave_protocol_version": call.version,
            "audio_codec": "opus",
            "video_codec": "H264",
            "media_session_id": os.urandom(16).hex(),
        }
        self.tell(4, description)
        call.join(self)

    def end(self) -> None:
        """Out of the call, for good."""
        if not self.over:
            self.over = True
            self.channel.call.leave(self)
            self._timers.cancel()

    def close(self, code: int) -> None:
        """Closes the websocket. The session can be resumed after 1006 and 4015, and after no other code."""
        if self.outbox is not None:
            self.close_code = code
            self.outbox.close(code)
            self.outbox = None
        if code in (1006, 4015):
            self._expire()
        else:
            self.end()

    def lost(self, code: int | None) -> None:
        """The client closed the websocket, or the connection broke. It may give the session up by that."""
        self.outbox = None
        self.close_code = 1006 if code is None else code
        if code in (1000, 1001, 4014):
            self.end()
        else:
            self._expire()

    def _expire(self) -> None:
        resumed = self.resumed

        def give_up() -> None:
            if self.resumed == resumed:
                self.end()

        self._timers.later(self.channel.call.rules.resumable, give_up)

    @property
    def ready(self) -> bool:
        """In the call, and with the keys of the group if there is anybody else."""
        call = self.channel.call
        if self.over or self.transport is None or not call.group.settled():
            return False
        return call.callers.get(self.user_id) is self

    # Datagrams to the client

    @property
    def deaf(self) -> bool:
        """Nothing is sent, as nothing came for too long."""
        limit = self.channel.call.rules.deaf_after
        return limit is not None and time.monotonic() - self._last_upstream > limit

    def hear(self, packet: RtpPacket, user_id: int) -> None:
        """See `calls.Caller`."""
        for delay in self.channel.call.rules.network.journeys():
            if delay:
                self._timers.later(delay, lambda: self._seal_and_send(*packet.parts()))
            else:
                self._seal_and_send(*packet.parts())

    def send_rtcp(self, payload_type: int = 200, ssrc: int = 1) -> None:
        """A report, sealed as those are: the clear part is eight bytes."""
        self._seal_and_send(struct.pack(">BBHI", 0x80, payload_type, 6, ssrc), bytes(20))

    def send_raw(self, datagram: bytes) -> None:
        """Anything, such as a packet that nobody sealed."""
        if self.address is not None:
            self._send_datagram(datagram, self.address)

    def _seal_and_send(self, header: bytes, payload: bytes) -> None:
        if self.transport is not None and self.address is not None and not self.deaf and not self.over:
            self._send_datagram(self.transport.seal(header, payload), self.address)

    # Datagrams from the client

    def discover(self, datagram: bytes, address: Address) -> None:
        """Answers IP discovery."""
        self._last_upstream = time.monotonic()
        self.discovered = address
        if self.transport is not None:
            self.address = address
        host = address[0].encode().ljust(64, b"\0")
        self._send_datagram(struct.pack(">HHI", 2, 70, self.ssrc) + host + struct.pack(">H", address[1]), address)

    def receive(self, datagram: bytes, address: Address) -> None:
        """Anything else."""
        now = time.monotonic()
        if self.over:
            return
        self._last_upstream = now
        if len(datagram) < 12 or datagram[0] & 0xC0 != 0x80:
            self.keepalives.append(now)
            return
        if 192 <= datagram[1] < 224:
            return
        if self.transport is None:
            self.complain("sound came before op 4")
            return
        try:
            packet, nonce = read_rtp(datagram, self.transport)
        except Unsealed as error:
            self.complain(f"a packet is {error}")
            return
        except struct.error:
            self.complain("a packet ends within its header")
            return
        self.address = address
        group = self.channel.call.group
        plain_allowed = asyncio.get_running_loop().time() < group.plain_until
        self._checks.check(packet, nonce, plain_allowed=plain_allowed, has_spoken=bool(self.speaking_states))
        self.sent.append(Sent(now, packet, nonce))
        state = self.guild.voice_states.get(self.user_id)
        if state is not None and not (state.mute or state.suppress):
            self.channel.call.forward(self, packet)
