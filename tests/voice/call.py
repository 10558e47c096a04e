"""A voice connection under test, with the other people in its channel."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from tests.voice.room import DaveyMember, LibdaveMember, Room
from tests.voice.talker import KEY, START, Talker, session
from voice_sidecar.receiving.dave import DaveyOpener, FrameOpener
from voice_sidecar.receiving.receiver import Receiver
from voice_sidecar.receiving.speaker import Chunk, Sound
from voice_sidecar.receiving.transport import Mode, Sealer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from voice_sidecar.receiving.counters import Counters

ADA, BOT, CAROL, DORA = 11, 22, 33, 44
ADAS, CAROLS = 1_001, 3_003


class Call:
    """A voice connection in a channel with Ada and Carol, who have Discord's own library. Time moves by hand."""

    def __init__(self, mode: Mode = Mode.XCHACHA20, *, version: int = 1, consenting: Iterable[int] = (ADA,)) -> None:
        self.consenting = set(consenting)
        self.asked: list[int] = []
        self.opened: list[int] = []
        self.room, self.bot = Room(), DaveyMember(BOT)
        self.members = {ADA: LibdaveMember(ADA), CAROL: LibdaveMember(CAROL)}
        self.receiver = Receiver(self._heard, self)
        self.opener: FrameOpener = DaveyOpener(lambda: self.bot.session)
        self.sealer = Sealer(mode, KEY)
        self.now = START
        self.chunks: list[Chunk] = []
        self.event(4, session(mode, version=version))
        if version:
            self.room.join(*self.members.values(), self.bot)
            self.event(30, {"transition_id": 0})

    def _heard(self, user_id: int) -> bool:
        self.asked.append(user_id)
        return user_id in self.consenting

    def open(self, user_id: int, frame: bytes) -> bytes:
        """The bot's view of the group; notes whose frames were opened."""
        self.opened.append(user_id)
        return self.opener.open(user_id, frame)

    def talker(self, user_id: int, ssrc: int, *, known: bool = True, plain: bool = False) -> Talker:
        if known:
            self.event(5, {"user_id": str(user_id), "ssrc": ssrc, "speaking": 1})
        return Talker(ssrc, self.sealer, seal=None if plain else self.members[user_id].seal)

    def event(self, op: int, data: object) -> None:
        self.chunks += self.receiver.feed_event(op, data, self.now)

    def hear(self, *datagrams: bytes, every: float = 0.02) -> None:
        for datagram in datagrams:
            self.chunks += self.receiver.feed(datagram, self.now)
            self.now += every

    def wait(self, seconds: float) -> None:
        end = self.now + seconds
        while (deadline := self.receiver.next_deadline()) is not None and deadline <= end:
            self.chunks += self.receiver.tick(deadline)
        self.now = end

    def sound(self, user_id: int = ADA) -> bytes:
        """All that was heard of somebody, without the silence after it."""
        mine = [chunk for chunk in self.chunks if chunk.user_id == user_id]
        for one, two in pairwise(mine):
            assert one.stream < two.stream or one.position + len(one.pcm) // 2 <= two.position
        return b"".join(chunk.pcm for chunk in mine if chunk.sound is not Sound.SILENCE)

    @property
    def counters(self) -> Counters:
        return self.receiver.counters
