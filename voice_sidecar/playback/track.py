"""An utterance: how far it is, and what was heard of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from voice_sidecar.parts import Heard
from voice_sidecar.playback.phrases import AUDIBLE, PACKETS_A_S, Packet, Phrase, before, spoken_part

if TYPE_CHECKING:
    from collections.abc import Callable


class Due(NamedTuple):
    """A packet, and where it comes from."""

    packet: Packet
    track: Track | None = None
    """None for silence between sounds."""
    at: tuple[int, int] = (0, 0)
    """Phrase and packet."""


class Track:
    """An utterance: its phrases, how far it is, how far it was heard.

    Args:
        on_first: told the time at which its first audible packet was sent.
        on_end: told what was heard of it when nothing more will be.
    """

    def __init__(
        self,
        on_first: Callable[[float], None] = lambda _: None,
        on_end: Callable[[Heard], None] = lambda _: None,
    ) -> None:
        self.phrases: list[Phrase] = []
        self.finished = False
        """No phrase follows."""
        self._ended: Heard | None = None
        self._on_first: Callable[[float], None] | None = on_first
        self._on_end = on_end
        self._next = (0, 0)
        """What is sent next; its packet may not be made yet."""
        self._heard = (0, 0)
        """What comes after the furthest packet that was sent."""

    @property
    def ended(self) -> bool:
        """It was played, or stopped: nothing of it is sent any more."""
        return self._ended is not None

    def due(self) -> Due | None:
        """The next packet; None if it is not made yet."""
        phrase, packet = self._next
        if phrase < len(self.phrases) and packet < len(self.phrases[phrase].packets):
            return Due(self.phrases[phrase].packets[packet], self, self._next)
        return None

    def advance(self) -> bool:
        """Goes to the next phrase if one is done with. True if that was the last one."""
        phrase, packet = self._next
        while phrase < len(self.phrases):
            if self.phrases[phrase].source is not None or packet < len(self.phrases[phrase].packets):
                return False
            phrase, packet = self._next = (phrase + 1, 0)
        return self.finished

    def sent(self, due: Due, now: float) -> None:
        """A packet of it was sent; possibly one of before it was turned back or ended."""
        if self.ended:
            return
        following = (due.at[0], due.at[1] + 1)
        self._heard = max(self._heard, following)
        if self._next == due.at:
            self._next = following
        if self._on_first is not None and due.packet.level >= AUDIBLE:
            self._on_first(now)
            self._on_first = None

    def turn_back(self, packets: int) -> None:
        """Goes on a little earlier in its phrase."""
        phrase, packet = self._next
        if phrase < len(self.phrases):
            self._next = (phrase, before(self.phrases[phrase].packets, packet, packets))

    def heard(self) -> Heard:
        """What was heard of it so far, or until it ended."""
        if self._ended is not None:
            return self._ended
        last, sent = self._heard
        counts = [
            (phrase, sent if index == last else len(phrase.packets))
            for index, phrase in enumerate(self.phrases[: last + 1])
        ]
        shares = [(phrase, phrase.share(count)) for phrase, count in counts]
        texts = [spoken_part(phrase.text, share) for phrase, share in shares]
        whole = self.finished and len(shares) == len(self.phrases) and all(share >= 1 for _, share in shares)
        seconds = sum(count for _, count in counts) / PACKETS_A_S
        return Heard(" ".join(filter(None, texts)), seconds, whole)

    def left_s(self) -> float:
        """Seconds that are yet to be played of the phrases that there are."""
        phrase, packet = self._next
        left = sum(one.length for one in self.phrases[phrase:]) - packet
        return max(0, left) / PACKETS_A_S

    def end(self) -> Heard:
        """Drops what is left of it."""
        if self._ended is None:
            self._ended = self.heard()
            self.phrases = []
            self._on_end(self._ended)
        return self._ended
