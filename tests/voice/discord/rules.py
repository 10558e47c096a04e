"""How the emulator behaves where Discord's behaviour varies, is unknown, or goes wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from random import Random

AES = "aead_aes256_gcm_rtpsize"
XCHACHA = "aead_xchacha20_poly1305_rtpsize"


class Committer(Enum):
    """Whose commit the voice server takes when several members of a group made one."""

    FIRST = "first"
    BOT = "bot"
    HUMAN = "human"


@dataclass
class Network:
    """What happens to datagrams on their way to the bot. The same seed gives the same accidents."""

    loss: float = 0.0
    """The share of datagrams that vanish."""
    duplicates: float = 0.0
    """The share that arrive twice."""
    late: float = 0.0
    """The share that arrive after their successors."""
    lateness: float = 0.05
    """By how many seconds those are late."""
    jitter: float = 0.0
    """Each is late by up to that many seconds."""
    seed: int = 1
    _random: Random | None = field(default=None, repr=False)

    def journeys(self) -> list[float]:
        """For each copy of a datagram that arrives, after how many seconds."""
        if self._random is None:
            self._random = Random(self.seed)
        chance = self._random.random
        if chance() < self.loss:
            return []
        delay = self.jitter * chance() if self.jitter else 0.0
        if chance() < self.late:
            delay += self.lateness
        return [delay, delay + self.jitter] if chance() < self.duplicates else [delay]


@dataclass
class Rules:
    """May be changed at any time."""

    modes: tuple[str, ...] = (AES, XCHACHA)
    """The transport encryption that the voice server offers, in its order."""
    gateway_heartbeat: float = 41.25
    voice_heartbeat: float = 13.75
    first_transition_is_zero: bool = False
    """The first group of a call is begun with transition 0, which is executed at once."""
    early_external_sender: bool = False
    """Op 25 comes before op 4, which the whitepaper allows."""
    repeated_external_sender: bool = False
    """Op 25 comes twice."""
    repeated_messages: bool = False
    """Ops 11, 5 and 22 come twice."""
    committer: Committer = Committer.FIRST
    corrupt_welcomes: int = 0
    """So many of the welcomes to the bot to come are damaged."""
    corrupt_commits: int = 0
    """So many of the commits to come are damaged on their way to the bot."""
    speaking_on_join: bool = True
    """Op 5 tells a newcomer the SSRCs of those who spoke before. Discord often does not."""
    client_connect: bool = False
    """Op 12 follows op 11, as for video calls."""
    deaf_after: float | None = 60.0
    """Without a datagram from the bot for so many seconds, it is sent none."""
    patience: float = 5.0
    """Seconds until a transition is executed though not all are ready, and until any commit will do."""
    resumable: float = 10.0
    """Seconds for which a voice session outlives its websocket."""
    session_lives: float = 60.0
    """Seconds for which a gateway session, and with it the bot's place in voice channels, outlives its websocket."""
    close_before_server: bool = True
    """When the bot is moved, its old voice websocket is closed before the new voice server is announced."""
    network: Network = field(default_factory=Network)
