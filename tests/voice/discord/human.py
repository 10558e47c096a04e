"""A person: in a voice channel with Discord's own end-to-end encryption, who speaks and hears."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import cycle
from typing import TYPE_CHECKING, NamedTuple

import opuslib_next  # type: ignore[import-untyped]

from tests.voice.discord.calls import new_ssrc
from tests.voice.discord.checks import FRAME, looks_sealed
from tests.voice.discord.libdave_client import CannotOpen, LibdaveClient
from tests.voice.discord.sealing import EXTENSION, SILENCE, RtpPacket
from tests.voice.discord.waiting import until

if TYPE_CHECKING:
    from tests.voice.discord.calls import Call
    from tests.voice.discord.channels import VoiceChannel
    from tests.voice.discord.guild import Guild

SLOT = 0.02  # seconds


class Heard(NamedTuple):
    """One packet of a bot that somebody could open."""

    at: float
    """When it arrived, as `time.monotonic()` has it."""
    user_id: int
    sequence: int
    timestamp: int
    packet: bytes
    """Opus."""
    sealed: bool
    """It was end-to-end encrypted."""


class Unheard(NamedTuple):
    """One that they could not."""

    at: float
    user_id: int
    sequence: int
    reason: str


def encode(pcm: bytes) -> list[bytes]:
    """Opus packets of 48 kHz stereo s16le. The last is filled up with silence."""
    encoder = opuslib_next.Encoder(48_000, 2, "voip")
    size = 4 * FRAME
    whole = pcm + bytes(-len(pcm) % size)
    return [encoder.encode(whole[at : at + size], FRAME) for at in range(0, len(whole), size)]


def decode(packets: Sequence[bytes]) -> bytes:
    """48 kHz stereo s16le of Opus packets."""
    decoder = opuslib_next.Decoder(48_000, 2)
    return b"".join(decoder.decode(packet, FRAME) for packet in packets)


class Human:
    """Made by `Guild.add_human`.

    Attributes:
        heard: What came from bots, in the order of arrival.
        sequence: Of the next packet; wraps at 16 bits.
        timestamp: Of the next packet; wraps at 32 bits.
        late_frames: So many frames are sealed with the old key after each change of keys.
    """

    is_bot = False

    def __init__(self, guild: Guild, user_id: int, name: str) -> None:
        self.guild = guild
        self.user_id = user_id
        self.name = name
        self.ssrc = new_ssrc()
        self.sequence = 100
        self.timestamp = 5_000
        self.late_frames = 0
        self.heard: list[Heard] = []
        self.unheard: list[Unheard] = []
        self.speakers: dict[int, int] = {}
        """The last op 5 of bots, by user id."""
        self.channel: VoiceChannel | None = None
        self.dave: LibdaveClient | None = None
        self._joins = 0

    # In and out of channels

    async def join(self, channel: VoiceChannel, *, wait: bool = True) -> None:
        """Also moves. Waits until the group of the channel has settled, unless told not to."""
        if self.channel is not None:
            self._leave_call()
        self.channel = channel
        self.guild.place(self.user_id, channel)
        call = channel.call
        self._joins += 1
        self.dave = LibdaveClient(self.user_id, channel.id, call.version, partial(self._send, self._joins))
        self.dave.late_frames = self.late_frames
        call.join(self)
        if wait:
            await self.settled()

    async def move(self, channel: VoiceChannel, *, wait: bool = True) -> None:
        await self.join(channel, wait=wait)

    async def leave(self, *, wait: bool = True) -> None:
        channel = self._in_call()
        self._leave_call()
        self.guild.place(self.user_id, None)
        if wait:
            await until(channel.call.group.settled, "the group of the channel settles")

    async def settled(self) -> None:
        """Waits until everybody in the channel has the same keys."""
        await until(self._in_call().call.group.settled, "the group of the channel settles")

    def mute(self, *, by_self: bool = False, by_server: bool = False, deaf: bool = False) -> None:
        """Shows them muted or deaf, or no longer."""
        self.guild.change_voice_state(self.user_id, self_mute=by_self, mute=by_server, self_deaf=deaf)

    def _in_call(self) -> VoiceChannel:
        assert self.channel is not None, f"{self.name} is in no channel"
        return self.channel

    def _leave_call(self) -> None:
        channel, self.channel, self.dave = self._in_call(), None, None
        channel.call.leave(self)

    # Speaking

    async def speak(
        self,
        sound: Sequence[bytes] | bytes,
        *,
        pace: float = SLOT,
        announce: bool = True,
        extended: Sequence[bool] = (True,),
        padding: Sequence[int] = (0, 0, 0, 4),
        silence: int = 5,
        silence_sealed: bool = False,
    ) -> None:
        """Says something.

        Args:
            sound: Opus packets, or 48 kHz stereo s16le.
            pace: Seconds from one packet to the next; 0 is as fast as the loop goes.
            announce: Whether op 5 says so, before and after.
            extended: Which packets have a header extension; repeated.
            padding: How many bytes of padding packets have; repeated.
            silence: How many frames of silence end it.
            silence_sealed: Whether those are end-to-end encrypted, as some clients do.
        """
        packets = encode(sound) if isinstance(sound, bytes) else sound
        if announce:
            self.announce(1)
        begin = time.monotonic()
        shapes = zip(cycle(extended), cycle(padding), strict=False)
        for index, packet in enumerate([*packets, *[SILENCE] * silence]):
            await asyncio.sleep(max(0.0, begin + index * pace - time.monotonic()) if pace else 0)
            with_extension, pad = next(shapes)
            plain = index >= len(packets) and not silence_sealed
            self.send(packet if plain else self.seal(packet), extended=with_extension, padding=pad)
        if announce:
            self.announce(0)

    def announce(self, flags: int) -> None:
        """Op 5 to the others."""
        self._in_call().call.announce_speaking(self, flags)

    def seal(self, packet: bytes) -> bytes:
        """End-to-end encryption as the call has it."""
        assert self.dave is not None
        return self.dave.seal(packet)

    def send(self, media: bytes, *, extended: bool = True, padding: int = 0, ticks: int = FRAME) -> RtpPacket:
        """One packet of what may be anything."""
        packet = RtpPacket(
            self.ssrc,
            self.sequence & 0xFFFF,
            self.timestamp & 0xFFFFFFFF,
            media,
            EXTENSION if extended else b"",
            padding,
        )
        self.skip(1, ticks)
        self.send_packet(packet)
        return packet

    def send_packet(self, packet: RtpPacket) -> None:
        """A packet as it is, such as one that was sent before."""
        self._in_call().call.forward(self, packet)

    def skip(self, packets: int, ticks: int = FRAME) -> None:
        """So many packets are lost before they reach anybody."""
        self.sequence = self.sequence + packets & 0xFFFF
        self.timestamp = self.timestamp + packets * ticks & 0xFFFFFFFF

    # Hearing

    def hear(self, packet: RtpPacket, user_id: int) -> None:
        now = time.monotonic()
        assert self.dave is not None
        try:
            opened = self.dave.open(user_id, packet.media)
        except CannotOpen as error:
            self.unheard.append(Unheard(now, user_id, packet.sequence, str(error)))
            return
        sealed = looks_sealed(packet.media)
        self.heard.append(Heard(now, user_id, packet.sequence, packet.timestamp, opened, sealed))

    def heard_packets(self, *, silence: bool = False) -> list[bytes]:
        """The Opus packets that were heard, without the frames of silence."""
        return [one.packet for one in self.heard if silence or one.packet != SILENCE]

    def heard_sound(self) -> bytes:
        """48 kHz stereo s16le of it."""
        return decode(self.heard_packets())

    # What the voice server tells them

    def tell(self, op: int, data: Mapping[str, object]) -> None:
        if op == 5:
            self.speakers[int(str(data["user_id"]))] = int(str(data["speaking"]))
        elif self.dave is not None:
            self.dave.receive(op, data)

    def tell_binary(self, op: int, payload: bytes) -> None:
        if self.dave is not None:
            self.dave.receive_binary(op, payload)

    def _send(self, join: int, op: int, data: object) -> None:
        """Takes a while, as all that people send does: what the server is about goes on first."""
        asyncio.get_running_loop().call_soon(self._sent, join, op, data)

    def _sent(self, join: int, op: int, data: object) -> None:
        if self.channel is not None and join == self._joins:
            answer(self.channel.call, self.user_id, op, data)


def answer(call: Call, user_id: int, op: int, data: object) -> bool:
    """What anybody sends about the group of their call; False if it is about something else."""
    group = call.group
    if isinstance(data, bytes):
        if op == 26:
            group.key_package(user_id, data)
        elif op == 28:
            group.commit(user_id, data)
        else:
            return False
        return True
    if op not in (23, 31) or not isinstance(data, Mapping) or not isinstance(data.get("transition_id"), int):
        return False
    (group.ready if op == 23 else group.invalid)(user_id, data["transition_id"])
    return True
