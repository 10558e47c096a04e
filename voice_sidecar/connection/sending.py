"""Encoded sound on its way out: RTP, end-to-end encryption, transport encryption. From any thread."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NamedTuple

from voice_sidecar.connection.counters import Counters, Unsendable
from voice_sidecar.connection.group import NotReady
from voice_sidecar.connection.rtp_clock import RtpClock
from voice_sidecar.receiving.rtp import pack_header
from voice_sidecar.receiving.transport import Mode, NoncesUsedUp, Sealer

if TYPE_CHECKING:
    from collections.abc import Callable


class Route(NamedTuple):
    """Where packets go: the socket's `send`, and our source number in this session."""

    send: Callable[[bytes], None]
    ssrc: int


class Sender:
    """Sends packets of 20 ms, if there is a way and a key.

    Args:
        protect: End-to-end encryption; raises `group.NotReady` while it is agreed on and has no key.
        clock: Seconds that never go back.
        counters: To count in.
        rtp: Numbers the packets, over all sessions.
    """

    def __init__(
        self,
        protect: Callable[[bytes], bytes],
        clock: Callable[[], float],
        counters: Counters,
        *,
        rtp: RtpClock | None = None,
    ) -> None:
        self.hushed = False
        self._protect = protect
        self._clock = clock
        self._counters = counters
        self._rtp = rtp or RtpClock()
        self._lock = threading.Lock()
        self._route: Route | None = None
        self._sealer: Sealer | None = None
        self._key: tuple[Mode, bytes] | None = None
        self.used_up = False

    def attach(self, route: Route, mode: Mode, key: bytes) -> None:
        """A session stands. A key that was used before goes on with the nonces after those that it used."""
        with self._lock:
            if self._sealer is None or self._key != (mode, key):
                self._sealer = Sealer(mode, key)
                self._key = (mode, key)
                self.used_up = False
            self._route = route

    def detach(self) -> None:
        """The session is over; once this returns, its socket is not used any more."""
        with self._lock:
            self._route = None

    @property
    def attached(self) -> bool:
        """Whether a session stands."""
        return self._route is not None

    def send(self, packet: bytes) -> bool:
        """Sends one packet; False if it could not be, and is gone."""
        with self._lock:
            problem = self._send(packet)
        with self._counters.lock:
            if problem is None:
                self._counters.sent += 1
            else:
                self._counters.unsendable[problem] += 1
        return problem is None

    def _send(self, packet: bytes) -> Unsendable | None:
        if self._route is None or self._sealer is None:
            return Unsendable.NO_SESSION
        if self.hushed:
            return Unsendable.HUSHED
        try:
            media = self._protect(packet)
        except NotReady:
            return Unsendable.NO_KEY
        stamp = self._rtp.next(self._clock())
        header = pack_header(sequence=stamp.sequence, timestamp=stamp.timestamp, ssrc=self._route.ssrc)
        try:
            self._route.send(self._sealer.seal(header, media))
        except NoncesUsedUp:
            self.used_up = True
            return Unsendable.NONCES
        except OSError:
            return Unsendable.NETWORK
        return None
