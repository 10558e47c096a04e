"""What became of all packets, for metrics. Every name is fixed here: nothing that came over the network is one."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from voice_sidecar.receiving.dave import Reason


class Dropped(StrEnum):
    """Why a datagram went no further."""

    NOT_MEDIA = "not_media"  # keepalives, RTCP
    NOT_AUDIO = "not_audio"  # video and retransmissions
    MALFORMED = "malformed"
    NO_SESSION = "no_session"  # before the voice gateway gave a key
    NO_CONSENT = "no_consent"  # never opened
    NOT_AUTHENTIC = "not_authentic"
    REPLAYED = "replayed"
    DUPLICATE = "duplicate"
    OUT_OF_PLACE = "out_of_place"
    LATE = "late"
    BAD_OPUS = "bad_opus"
    HOLD_FULL = "hold_full"
    HOLD_EXPIRED = "hold_expired"  # of a source that nobody claimed


@dataclass(slots=True)
class Counters:
    """All that was counted since the receiver was made.

    Attributes:
        received: Datagrams.
        heard: Packets whose sound was given out.
        lost: Packets that never came.
        concealed: 20 ms slots that were guessed.
        held: Packets that had to wait until it was known whose they are.
        plain: Frames that came unsealed, where they may.
        malformed_events: Voice gateway messages that could not be read.
        dropped: By reason.
        undecryptable: Frames that did not open, by reason.
    """

    received: int = 0
    heard: int = 0
    lost: int = 0
    concealed: int = 0
    held: int = 0
    plain: int = 0
    malformed_events: int = 0
    dropped: Counter[Dropped] = field(default_factory=Counter)
    undecryptable: Counter[Reason] = field(default_factory=Counter)
