"""What voice connections went through, for metrics. Every name is fixed here, and none came over the network."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from threading import Lock
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from voice_sidecar.connection.outcomes import Lost, Why


class Unsendable(StrEnum):
    """Why a packet was not sent."""

    NO_SESSION = "no_session"
    NO_KEY = "no_key"  # end-to-end encryption is agreed on, and there is no key yet
    HUSHED = "hushed"  # nobody would hear it: in a stage's audience, or muted
    NONCES = "nonces"
    NETWORK = "network"


class Refused(StrEnum):
    """Group messages that were not taken."""

    STRANGER = "stranger"  # would let in somebody who was never announced
    PROPOSALS = "proposals"
    COMMIT = "commit"
    WELCOME = "welcome"
    SENDER = "sender"
    MALFORMED = "malformed"


@dataclass(slots=True)
class Counters:
    """All that was counted since the process began, over all connections.

    Attributes:
        sessions: Voice sessions that came to stand, the first of each connection included.
        reconnects: New sessions, by what made them necessary.
        resumes: Sessions that went on after their websocket broke.
        lost: Connections that ended unasked.
        transitions: DAVE transitions that were executed.
        commits: Commits and welcomes that the group took.
        recoveries: Times that we asked to be added to the group anew.
        refused: Group messages that were not taken.
        keepalives: UDP keepalives sent.
        datagrams: UDP packets received.
        sent: Voice packets sent.
        unsendable: Voice packets that were not.
        malformed: Voice gateway messages that could not be read.
        lock: Held to change `sent` and `unsendable`, as each connection's sound is sent by a thread of its own.
    """

    sessions: int = 0
    reconnects: Counter[Why] = field(default_factory=Counter)
    resumes: int = 0
    lost: Counter[Lost] = field(default_factory=Counter)
    transitions: int = 0
    commits: int = 0
    recoveries: int = 0
    refused: Counter[Refused] = field(default_factory=Counter)
    keepalives: int = 0
    datagrams: int = 0
    sent: int = 0
    unsendable: Counter[Unsendable] = field(default_factory=Counter)
    malformed: int = 0
    lock: Lock = field(default_factory=Lock, repr=False, compare=False)
