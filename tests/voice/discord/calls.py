"""The call in a voice channel: who is in it, and what the voice server passes from one to the others."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

from tests.voice.discord.group import Group

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.voice.discord.rules import Rules
    from tests.voice.discord.sealing import RtpPacket
    from tests.voice.discord.seats import Caller

_SSRCS = count(10_001)


def new_ssrc() -> int:
    return next(_SSRCS)


class Call:
    """One call.

    Args:
        version: 0 in stage channels.
    """

    def __init__(self, channel_id: int, rules: Rules, complain: Callable[[str], None], version: int) -> None:
        self.channel_id = channel_id
        self.rules = rules
        self.callers: dict[int, Caller] = {}
        self.speaking: dict[int, int] = {}
        """The last op 5 of everybody, by user id."""
        self.group = Group(channel_id, rules, complain, version)

    @property
    def version(self) -> int:
        return self.group.version

    def join(self, caller: Caller) -> None:
        others = list(self.callers.values())
        self.callers[caller.user_id] = caller
        for other in others:
            self._announce(other, [caller])
        if others:
            self._announce(caller, others)
        if self.rules.speaking_on_join:
            for other in others:
                if other.user_id in self.speaking:
                    self._tell_speaking(caller, other)
        self.group.join(caller)

    def leave(self, caller: Caller) -> None:
        """Does nothing if somebody else has taken that place."""
        if self.callers.get(caller.user_id) is not caller:
            return
        del self.callers[caller.user_id]
        self.speaking.pop(caller.user_id, None)
        for other in self.callers.values():
            other.tell(13, {"user_id": str(caller.user_id)})
        self.group.leave(caller.user_id)

    def announce_speaking(self, caller: Caller, flags: int) -> None:
        self.speaking[caller.user_id] = flags
        for other in self.callers.values():
            if other is not caller:
                self._tell_speaking(other, caller)

    def forward(self, caller: Caller, packet: RtpPacket) -> None:
        """To all bots from people, and to all people from bots: nobody looks at what people say to each other."""
        for other in self.callers.values():
            if other is not caller and (other.is_bot or caller.is_bot):
                other.hear(packet, caller.user_id)

    def close(self) -> None:
        self.group.close()

    def _announce(self, told: Caller, callers: list[Caller]) -> None:
        for _ in range(2 if self.rules.repeated_messages else 1):
            told.tell(11, {"user_ids": [str(caller.user_id) for caller in callers]})
        if self.rules.client_connect:
            for caller in callers:
                ids = {"audio_ssrc": caller.ssrc, "video_ssrc": 0, "rtx_ssrc": 0}
                told.tell(12, {"user_id": str(caller.user_id), **ids})

    def _tell_speaking(self, told: Caller, caller: Caller) -> None:
        data = {"user_id": str(caller.user_id), "ssrc": caller.ssrc, "speaking": self.speaking[caller.user_id]}
        for _ in range(2 if self.rules.repeated_messages else 1):
            told.tell(5, data)
