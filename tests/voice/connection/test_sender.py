"""Packets on their way out, without a network: which go, with which numbers, and which do not."""

from __future__ import annotations

import pytest

from voice_sidecar.connection.counters import Counters, Unsendable
from voice_sidecar.connection.group import NotReady
from voice_sidecar.connection.rtp_clock import RtpClock
from voice_sidecar.connection.sending import Route, Sender
from voice_sidecar.receiving.rtp import parse_header
from voice_sidecar.receiving.transport import KEY_SIZE, LAST_NONCE, Mode, Opener, aes_is_available

FRAME = b"\xfc" + bytes(range(60))
KEY = bytes(range(KEY_SIZE))
OTHER_KEY = bytes(KEY_SIZE)
MODES = [Mode.XCHACHA20, *([Mode.AES256_GCM] if aes_is_available() else [])]


class Scene:
    def __init__(self) -> None:
        self.counters = Counters()
        self.now = 5.0
        self.wire: list[bytes] = []
        self.protected = True
        self.sender = Sender(self.protect, lambda: self.now, self.counters, rtp=RtpClock(sequence=9, timestamp=0))

    def protect(self, frame: bytes) -> bytes:
        if not self.protected:
            raise NotReady
        return b"sealed " + frame

    def attach(self, key: bytes = KEY, mode: Mode = Mode.XCHACHA20, ssrc: int = 77) -> None:
        self.sender.attach(Route(self.wire.append, ssrc), mode, key)

    def opened(self, key: bytes = KEY, mode: Mode = Mode.XCHACHA20) -> list[tuple[int, int, bytes, int]]:
        """Sequence, source, media and nonce of all that was sent."""
        opener, packets = Opener(mode, key), []
        for datagram in self.wire:
            header = parse_header(datagram)
            media, nonce = opener.open(datagram, header.size)
            packets.append((header.sequence, header.ssrc, media, nonce))
        return packets


@pytest.mark.parametrize("mode", MODES)
def test_sealed_twice_and_numbered(mode: Mode) -> None:
    scene = Scene()
    scene.attach(mode=mode)
    assert [scene.sender.send(FRAME) for _ in range(3)] == [True] * 3
    assert scene.opened(mode=mode) == [(9 + n, 77, b"sealed " + FRAME, n) for n in range(3)]
    assert scene.counters.sent == 3


def test_without_a_session() -> None:
    scene = Scene()
    assert not scene.sender.send(FRAME)
    scene.attach()
    assert scene.sender.attached
    scene.sender.detach()
    assert not scene.sender.send(FRAME)
    assert (scene.wire, scene.counters.unsendable) == ([], {Unsendable.NO_SESSION: 2})


def test_without_a_key_no_number_is_used() -> None:
    scene = Scene()
    scene.attach()
    scene.sender.send(FRAME)
    scene.protected = False
    assert not scene.sender.send(FRAME)
    scene.protected = True
    scene.sender.send(FRAME)
    assert [sequence for sequence, *_ in scene.opened()] == [9, 10]
    assert scene.counters.unsendable == {Unsendable.NO_KEY: 1}


def test_hushed() -> None:
    scene = Scene()
    scene.attach()
    scene.sender.hushed = True
    assert not scene.sender.send(FRAME)
    assert scene.counters.unsendable == {Unsendable.HUSHED: 1}


def test_the_same_key_again_goes_on_with_its_nonces() -> None:
    scene = Scene()
    for _ in range(3):
        scene.attach()
        scene.sender.send(FRAME)
        scene.sender.detach()
    assert [nonce for *_, nonce in scene.opened()] == [0, 1, 2]


def test_another_key_begins_anew() -> None:
    scene = Scene()
    scene.attach()
    scene.sender.send(FRAME)
    scene.wire.clear()
    scene.attach(OTHER_KEY, ssrc=78)
    scene.sender.send(FRAME)
    assert scene.opened(OTHER_KEY) == [(10, 78, b"sealed " + FRAME, 0)]


def test_used_up_nonces() -> None:
    scene = Scene()
    scene.attach()
    assert scene.sender._sealer is not None
    scene.sender._sealer._next = LAST_NONCE
    assert [scene.sender.send(FRAME), scene.sender.send(FRAME)] == [True, False]
    assert scene.sender.used_up
    scene.attach()
    assert not scene.sender.send(FRAME)
    scene.attach(OTHER_KEY)
    assert (scene.sender.used_up, scene.sender.send(FRAME)) == (False, True)


def test_a_network_that_fails() -> None:
    scene = Scene()

    def fails(datagram: bytes) -> None:
        raise ConnectionRefusedError

    scene.sender.attach(Route(fails, 77), Mode.XCHACHA20, KEY)
    assert not scene.sender.send(FRAME)
    scene.attach()
    scene.sender.send(FRAME)
    assert [nonce for *_, nonce in scene.opened()] == [1], "a nonce is not used twice, whatever became of the packet"
    assert scene.counters.unsendable == {Unsendable.NETWORK: 1}
