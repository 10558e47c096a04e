from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_sidecar.receiving.jitter import Frame, JitterBuffer, Lost, NotYet, Opened, Settings, Silence, Slot
from voice_sidecar.receiving.opus import SILENCE, SLOT

if TYPE_CHECKING:
    from collections.abc import Sequence

T0 = 500.0


class Keys:
    """Opens everything but what is `bad`, and `sealed` once there is a key."""

    def __init__(self) -> None:
        self.here = False
        self.opened: list[bytes] = []

    def __call__(self, media: bytes, arrived: float, may_wait: bool) -> Opened | None:
        if media == b"bad":
            return None
        if media.startswith(b"sealed") and not self.here:
            if may_wait:
                raise NotYet
            return None
        self.opened.append(media)
        return Opened(media, 2880 if media.startswith(b"long") else SLOT)


class Stream:
    """A buffer, and somebody who sends to it every 20 ms."""

    def __init__(self, settings: Settings | None = None, *, number: int = 0, timestamp: int = 0) -> None:
        self.keys = Keys()
        self.buffer = JitterBuffer(self.keys, settings)
        self.number, self.timestamp, self.at = number, timestamp, T0

    def make(self, media: bytes, ticks: int = SLOT) -> tuple[int, int, bytes]:
        packet = (self.number, self.timestamp & 0xFFFFFFFF, media)
        self.number += 1
        self.timestamp += ticks
        return packet

    def put(self, packet: tuple[int, int, bytes], at: float | None = None) -> list[Slot]:
        self.at = self.at + 0.02 if at is None else at
        self.buffer.push(*packet, self.at)
        return self.buffer.pop(self.at)

    def say(self, *medias: bytes) -> list[Slot]:
        return [slot for media in medias for slot in self.put(self.make(media))]

    def begin(self) -> list[Slot]:
        """Four packets: the first ones wait a little, as they may be out of order."""
        slots = self.say(b"0", b"1", b"2", b"3") + self.buffer.pop(self.at + 0.001)
        assert payloads(slots) == [b"0", b"1", b"2", b"3"]
        return slots


def payloads(slots: Sequence[Slot]) -> list[bytes | None]:
    return [slot.payload if isinstance(slot, Frame) else None for slot in slots]


def kinds(slots: Sequence[Slot]) -> str:
    return "".join({Frame: "f", Lost: "l", Silence: "s"}[type(slot)] for slot in slots)


def contiguous(slots: Sequence[Slot]) -> bool:
    return all(one.position + one.ticks == two.position for one, two in itertools.pairwise(slots))


def test_packets_in_order_are_given_at_once() -> None:
    stream = Stream()
    stream.begin()
    for n in range(4, 100):
        (slot,) = stream.say(b"%d" % n)
        assert slot == Frame(n * SLOT, SLOT, b"%d" % n)


def test_a_packet_that_is_late_by_a_little_is_waited_for() -> None:
    stream = Stream()
    stream.begin()
    first, second, third = (stream.make(media) for media in (b"a", b"b", b"c"))
    assert stream.put(second) == []
    assert stream.put(third) == []
    assert payloads(stream.put(first)) == [b"a", b"b", b"c"]
    assert stream.buffer.lost == 0


def test_the_first_packets_may_be_out_of_order() -> None:
    stream = Stream()
    first, second = stream.make(b"a"), stream.make(b"b")
    assert stream.put(second, T0) == []
    assert stream.put(first, T0 + 0.01) == []
    assert stream.buffer.next_deadline() == pytest.approx(T0 + 0.06)
    slots = stream.buffer.pop(T0 + 0.06)
    assert payloads(slots) == [b"a", b"b"]
    assert slots[0].position == 0


def test_a_lost_packet_is_given_up_and_concealed_with_the_one_after_it() -> None:
    stream = Stream()
    stream.begin()
    stream.make(b"lost")
    assert stream.put(stream.make(b"a")) == []
    assert stream.say(b"b", b"c") == []
    deadline = stream.buffer.next_deadline()
    assert deadline is not None
    slots = stream.buffer.pop(deadline)
    assert slots[0] == Lost(4 * SLOT, SLOT, b"a")
    assert payloads(slots[1:]) == [b"a", b"b", b"c"]
    assert contiguous(slots)
    assert stream.buffer.lost == 1
    assert stream.buffer.pop(deadline) == []


def test_two_gaps_are_two_waits() -> None:
    stream = Stream()
    stream.begin()
    stream.make(b"lost")
    stream.say(b"a")
    stream.make(b"lost")
    slots = stream.say(b"b", b"c")
    assert slots == []
    slots = stream.say(b"d") + stream.buffer.pop(stream.at + 0.001)
    assert kinds(slots) == "lf"
    assert kinds(stream.say(b"e") + stream.buffer.pop(stream.at + 0.021)) == "lffff"
    assert stream.buffer.lost == 2


def test_a_long_loss_is_guessed_for_a_while_then_silent_then_recovered() -> None:
    stream = Stream()
    stream.begin()
    for _ in range(20):
        stream.make(b"lost")
    stream.at += 0.4
    stream.say(b"a")
    slots = stream.buffer.pop(stream.at + 0.06)
    assert kinds(slots) == "l" * 5 + "s" * 14 + "lf"
    assert [slot.following for slot in slots if isinstance(slot, Lost)] == [None] * 5 + [b"a"]
    assert slots[-1].position == 24 * SLOT
    assert stream.buffer.lost == 20


def test_a_packet_that_cannot_be_used_is_not_waited_for() -> None:
    stream = Stream()
    stream.begin()
    assert stream.say(b"bad") == []
    assert stream.say(b"a") == [Lost(4 * SLOT, SLOT, b"a"), Frame(5 * SLOT, SLOT, b"a")]
    assert stream.buffer.lost == 0  # it came


def test_padding_alone_has_its_number_and_no_time() -> None:
    stream = Stream()
    stream.begin()
    assert stream.put(stream.make(b"", ticks=0)) == []
    assert stream.say(b"a") == [Frame(4 * SLOT, SLOT, b"a")]


def test_late_packets_and_duplicates_have_no_place() -> None:
    stream = Stream()
    stream.begin()
    lost = stream.make(b"too late")
    after = stream.make(b"a")
    stream.put(after)
    assert not stream.buffer.push(*after, stream.at)
    assert kinds(stream.buffer.pop(stream.at + 0.06)) == "lf"
    assert not stream.buffer.push(*lost, stream.at + 0.07)
    assert not stream.buffer.push(*after, stream.at + 0.07)


def test_too_many_waiting_packets_end_the_wait() -> None:
    stream = Stream(Settings(most_waiting=4))
    stream.begin()
    stream.make(b"lost")
    packets = [stream.make(b"%d" % n) for n in range(5)]
    assert [kinds(stream.put(packet, stream.at)) for packet in packets] == ["", "", "", "", "lfffff"]


@pytest.mark.parametrize("start", [2**32 - 2 * SLOT, 2**32 - 1, 2**32 - 500])
def test_timestamps_wrap(start: int) -> None:
    stream = Stream(timestamp=start)
    slots = stream.begin() + stream.say(*[b"x"] * 20)
    assert kinds(slots) == "f" * 24
    assert contiguous(slots)


def test_longer_packets_take_their_time() -> None:
    stream = Stream()
    stream.begin()
    slots = stream.put(stream.make(b"long", ticks=2880)) + stream.say(b"a")
    assert [(slot.position, slot.ticks) for slot in slots] == [(3840, 2880), (6720, 960)]


def test_the_five_frames_of_silence_then_silence_as_time_passes() -> None:
    stream = Stream()
    stream.begin()
    assert kinds(stream.say(*[SILENCE] * 5)) == "sssss"
    end = stream.at
    assert stream.buffer.pop(end + 0.05) == []
    given = stream.buffer.pop(end + 0.061)
    assert kinds(given) == "ss"  # all that is due, at once
    assert kinds(stream.buffer.pop(end + 1.001)) == "s" * 47
    assert kinds(stream.buffer.pop(end + 99)) == "s" * 51
    assert stream.buffer.pop(end + 100) == []
    assert stream.buffer.next_deadline() is None


def test_a_pause_with_timestamps_that_go_on() -> None:
    stream = Stream()
    stream.begin()
    stream.say(*[SILENCE] * 5)
    stream.timestamp += 25 * SLOT
    before = stream.buffer.pop(stream.at + 0.3)
    assert kinds(before) == "s" * 14
    after = stream.put(stream.make(b"a"), stream.at + 0.52)
    assert kinds(after) == "s" * 11 + "f"  # what is missing of the 25
    assert contiguous(before + after)
    assert after[-1].position == (4 + 5 + 25) * SLOT


def test_a_pause_of_minutes_is_a_jump() -> None:
    stream = Stream()
    stream.begin()
    stream.say(*[SILENCE] * 5)
    stream.timestamp += 6000 * SLOT
    before = stream.buffer.pop(stream.at + 120)
    after = stream.put(stream.make(b"a"), stream.at + 120.02)
    assert len(before) == 100
    assert after == [Frame((4 + 5 + 6000) * SLOT, SLOT, b"a")]


def test_a_pause_in_which_timestamps_stand_still() -> None:
    stream = Stream()
    stream.begin()
    stream.say(*[SILENCE] * 5)
    before = stream.buffer.pop(stream.at + 0.52)
    after = stream.put(stream.make(b"a"), stream.at + 0.52)
    assert kinds(before + after) == "s" * 25 + "f"
    assert contiguous(before + after)


def test_a_loss_in_a_pause_is_not_guessed() -> None:
    stream = Stream()
    stream.begin()
    stream.say(SILENCE, SILENCE, SILENCE)
    stream.make(SILENCE)
    stream.make(SILENCE)
    stream.timestamp += 10 * SLOT
    stream.buffer.pop(stream.at + 0.1)
    stream.put(stream.make(b"a"), stream.at + 0.3)
    slots = stream.buffer.pop(stream.at + 0.06)
    assert kinds(slots) == "s" * 8 + "f"
    assert stream.buffer.lost == 2


def test_a_stall_of_the_network_loses_no_word() -> None:
    stream = Stream()
    stream.begin()
    stalled = [stream.make(b"%d" % n) for n in range(10)]
    at = stream.at
    silence = stream.buffer.pop(at + 0.2)
    assert kinds(silence) == "s" * 9
    burst = [slot for packet in stalled for slot in stream.put(packet, at + 0.21)]
    assert payloads(burst) == [b"%d" % n for n in range(10)]
    assert contiguous(silence + burst)


@pytest.mark.parametrize("leap", [10**7, 2**31 - 1, -5, -(2**31)])
def test_timestamps_that_cannot_be_are_replaced_by_the_clock(leap: int) -> None:
    stream = Stream()
    stream.begin()
    stream.timestamp += leap
    slots = stream.say(b"a", b"b")
    assert payloads(slots)[-2:] == [b"a", b"b"]
    assert slots[-1].position <= 8 * SLOT


def test_a_sender_that_starts_anew() -> None:
    stream = Stream()
    stream.begin()
    stream.number += 100_000
    stream.timestamp += 123_456_789
    stream.put(stream.make(b"a"), stream.at + 1)
    slots = stream.buffer.pop(stream.at + 0.06)
    assert kinds(slots)[-1] == "f"
    assert stream.buffer.lost == 0
    assert 4 * SLOT + 47_000 <= slots[-1].position <= 4 * SLOT + 49_000


def test_a_frame_waits_for_its_key_and_those_behind_it_wait_too() -> None:
    stream = Stream()
    assert stream.say(*[b"sealed"] * 10, b"x") == []
    assert stream.buffer.next_deadline() == pytest.approx(T0 + 0.02 + 1.0)
    stream.keys.here = True
    assert kinds(stream.buffer.pop(stream.at)) == "f" * 11


def test_a_key_that_never_comes() -> None:
    stream = Stream()
    stream.begin()
    stream.say(b"sealed")
    assert stream.say(b"x") == []
    deadline = stream.buffer.next_deadline()
    assert deadline is not None
    assert stream.buffer.pop(deadline - 0.01) == []
    assert kinds(stream.buffer.pop(deadline)).startswith("lfs")


def test_frames_without_a_key_are_bounded() -> None:
    stream = Stream(Settings(most_waiting=10))
    for _ in range(1_000):
        stream.put(stream.make(b"sealed"), T0)
    stream.keys.here = True
    assert len(stream.buffer.pop(T0 + 0.1)) <= 30  # the last ones, and silence for what went


class Sent(NamedTuple):
    kind: str
    delay: float


SENT = st.lists(
    st.builds(
        Sent,
        kind=st.sampled_from(
            ["frame"] * 6 + ["silence", "lost", "bad", "padding", "pause", "still", "sealed", "twice"]
        ),
        delay=st.floats(0, 0.3),
    ),
    max_size=80,
)


@given(SENT)
def test_whatever_comes_is_given_in_order_once_on_one_time_line(sent: list[Sent]) -> None:
    stream = Stream(timestamp=2**32 - 3_000)
    arrivals: list[tuple[float, tuple[int, int, bytes]]] = []
    clock = T0
    for place, (kind, delay) in enumerate(sent):
        clock += 0.02
        if kind == "pause":
            stream.timestamp += 60 * SLOT
        if kind in {"pause", "still"}:
            clock += 1.2
            continue
        media = {"silence": SILENCE, "bad": b"bad", "padding": b"", "sealed": b"sealed%d" % place}
        packet = stream.make(media.get(kind, b"%d" % place), ticks=0 if kind == "padding" else SLOT)
        if kind != "lost":
            arrivals += [(clock + delay, packet)] * (2 if kind == "twice" else 1)
    arrivals.sort(key=lambda arrival: arrival[0])
    slots: list[Slot] = []
    accepted: list[tuple[int, bytes]] = []
    for at, packet in arrivals:
        while (deadline := stream.buffer.next_deadline()) is not None and deadline <= at:
            slots += stream.buffer.pop(deadline)
            after = stream.buffer.next_deadline()
            assert after is None or after > deadline  # time goes on
        if stream.buffer.push(*packet, at):
            accepted.append((packet[0], packet[2]))
        slots += stream.buffer.pop(at)
    while (deadline := stream.buffer.next_deadline()) is not None:
        slots += stream.buffer.pop(deadline)
    given = [slot.payload for slot in slots if isinstance(slot, Frame)]
    assert given == [media for _, media in sorted(accepted) if media.isdigit()]
    assert all(one.position + one.ticks <= two.position for one, two in itertools.pairwise(slots))
    assert all(slot.ticks > 0 for slot in slots)
