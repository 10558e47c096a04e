"""What decides, by itself: closes, removals, permissions, numbers of packets, what the gateway and the server say."""

from __future__ import annotations

import struct

import pytest

from voice_sidecar.connection import wire
from voice_sidecar.connection.closing import Next, Situation, after_close, why_removed
from voice_sidecar.connection.handshake import Handshake, OwnState, read_state
from voice_sidecar.connection.outcomes import CannotJoin, Lost, Refusal
from voice_sidecar.connection.permission import Place, refusal
from voice_sidecar.connection.rtp_clock import RtpClock
from voice_sidecar.connection.udp import discovery_request, read_discovery
from voice_sidecar.connection.wire import Binary, Credentials, Malformed, Text

CLOSES = {
    None: Next.RESUME,
    1001: Next.RESUME,
    1006: Next.RESUME,
    4000: Next.RESUME,
    4015: Next.RESUME,
    1000: Next.REJOIN,
    4004: Next.REJOIN,
    4006: Next.REJOIN,
    4009: Next.REJOIN,
    4014: Next.ASK_GATEWAY,
    4022: Next.ASK_GATEWAY,
    4017: Next.STOP,
    4021: Next.STOP,
}


@pytest.mark.parametrize("code", CLOSES)
def test_close_codes(code: int | None) -> None:
    assert after_close(code) is CLOSES[code]


def test_out_of_the_channel() -> None:
    kicked = Situation(in_guild=True, channel_exists=True, gateway_steady=True, voice_alive=True)
    assert why_removed(kicked) is Lost.KICKED
    assert why_removed(kicked._replace(channel_exists=False)) is Lost.CHANNEL_DELETED
    assert why_removed(kicked._replace(channel_exists=False, in_guild=False)) is Lost.GUILD_REMOVED
    assert why_removed(kicked._replace(gateway_steady=False)) is None
    assert why_removed(kicked._replace(voice_alive=False)) is None
    assert why_removed(kicked._replace(voice_alive=False, channel_exists=False)) is Lost.CHANNEL_DELETED


PLACES = {
    "all is well": (Place(), None),
    "unknown": (None, (Refusal.UNKNOWN_CHANNEL, ())),
    "text": (Place(voice=False, view=False), (Refusal.NOT_VOICE, ())),
    "nothing allowed": (
        Place(view=False, connect=False, speak=False),
        (Refusal.NO_PERMISSION, ("view_channel", "connect", "speak")),
    ),
    "mute": (Place(speak=False), (Refusal.NO_PERMISSION, ("speak",))),
    "full": (Place(limit=2, present=2), (Refusal.FULL, ())),
    "overfull": (Place(limit=2, present=5), (Refusal.FULL, ())),
    "a place left": (Place(limit=2, present=1), None),
    "full, but may enter": (Place(limit=2, present=2, enters_full=True), None),
    "full, but inside": (Place(limit=2, present=2, inside=True), None),
    "full and not allowed": (Place(limit=1, present=1, connect=False), (Refusal.NO_PERMISSION, ("connect",))),
    "stage, speaking is not asked for": (Place(stage=True, speak=False), None),
    "stage, may not ask": (
        Place(stage=True, request_to_speak=False),
        (Refusal.NO_PERMISSION, ("request_to_speak",)),
    ),
    "stage, need not ask": (Place(stage=True, request_to_speak=False, moderates_stage=True), None),
}


@pytest.mark.parametrize("name", PLACES)
def test_places(name: str) -> None:
    place, expected = PLACES[name]
    assert refusal(place) == expected


def test_refusals_say_what_is_missing() -> None:
    assert str(CannotJoin(Refusal.NO_PERMISSION, ("connect", "speak"))) == "no_permission: connect, speak"
    assert str(CannotJoin(Refusal.FULL)) == "full"


def test_packets_are_numbered_without_gaps() -> None:
    clock = RtpClock(sequence=65_534, timestamp=2**32 - 960)
    stamps = [clock.next(100 + 0.02 * number) for number in range(4)]
    assert stamps == [(65_534, 2**32 - 960), (65_535, 0), (0, 960), (1, 1920)]


def test_jitter_and_bursts_do_not_show() -> None:
    clock = RtpClock(sequence=0, timestamp=0)
    times = [0.0, 0.05, 0.06, 0.06, 0.14, 0.19, 0.19, 0.19, 0.19]
    assert [clock.next(time).timestamp for time in times] == [960 * number for number in range(9)]


def test_pauses_show_in_whole_packets() -> None:
    clock = RtpClock(sequence=0, timestamp=0)
    assert clock.next(5.0) == (0, 0)
    assert clock.next(6.021) == (1, 960 + 50 * 960)
    assert clock.next(6.04) == (2, 960 + 51 * 960)
    assert clock.next(3606.04)[0] == 3


def test_random_beginnings() -> None:
    assert len({RtpClock().next(0.0) for _ in range(20)}) > 1


def test_discovery() -> None:
    assert discovery_request(7) == struct.pack(">HHI", 1, 70, 7) + bytes(66)
    reply = struct.pack(">HHI64sH", 2, 70, 7, b"192.0.2.7", 50_004)
    assert read_discovery(reply, 7) == ("192.0.2.7", 50_004)
    assert read_discovery(struct.pack(">HHI64sH", 2, 70, 7, b"2001:db8::7", 1), 7) == ("2001:db8::7", 1)
    assert read_discovery(reply, 8) is None
    assert read_discovery(reply[:-1], 7) is None
    assert read_discovery(discovery_request(7), 7) is None
    for wrong in (b"", b"localhost", b"\xff\xfe", b"192.0.2.7\n"):
        assert read_discovery(struct.pack(">HHI64sH", 2, 70, 7, wrong, 1), 7) is None


def test_messages() -> None:
    assert wire.read_text('{"op":4,"d":{"a":1},"seq":9,"more":0}') == (Text(4, {"a": 1}), 9)
    assert wire.read_text('{"op":6,"d":null}') == (Text(6, None), None)
    assert wire.read_binary(b"\x01\x02\x19abc") == (Binary(25, b"abc"), 258)
    assert wire.write_text(Text(wire.Op.SPEAKING, {"speaking": 1})) == '{"op":5,"d":{"speaking":1}}'
    assert wire.write_binary(Binary(wire.Op.KEY_PACKAGE, b"kp")) == b"\x1akp"


@pytest.mark.parametrize("text", ["", "[]", '{"d":1}', '{"op":"4"}', '{"op":-1}', '{"op":4,"seq":70000}', b"\xff"])
def test_messages_that_are_none(text: str | bytes) -> None:
    with pytest.raises(Malformed):
        wire.read_text(text)


@pytest.mark.parametrize("data", [b"", b"\0\0"])
def test_binary_messages_that_are_none(data: bytes) -> None:
    with pytest.raises(Malformed):
        wire.read_binary(data)


@pytest.mark.parametrize("data", [None, {}, {"heartbeat_interval": 0}, {"heartbeat_interval": "5"}])
def test_hellos_that_are_none(data: object) -> None:
    with pytest.raises(Malformed) as problem:
        wire.read_hello(data)
    assert "5" not in str(problem.value)


def test_what_the_gateway_says_of_ourselves() -> None:
    assert read_state({"channel_id": None, "session_id": "s"}) == OwnState(None, "")
    assert read_state({"channel_id": "5", "session_id": "s", "mute": True}) == OwnState(5, "s", muted=True)
    assert read_state({"channel_id": "5", "session_id": "s", "suppress": True}) == OwnState(5, "s", suppressed=True)
    wrongs: list[object] = [
        None,
        [],
        {},
        {"channel_id": "x", "session_id": "s"},
        {"channel_id": "5"},
        {"channel_id": 5},
    ]
    for wrong in wrongs:
        assert read_state(wrong) is None


def test_both_halves_are_needed() -> None:
    both = Handshake()
    assert both.server({"token": "t", "endpoint": "e:443"})
    assert known(both) is None
    both.state(OwnState(5, "s"))
    assert known(both) == Credentials("s", "t", "e:443")
    assert not both.server({"token": "t", "endpoint": "e:443"})
    assert both.server({"token": "t", "endpoint": None})
    assert known(both) is None
    both.server({"token": "u", "endpoint": "f"})
    assert known(both) == Credentials("s", "u", "f")
    both.expect()
    assert known(both) is None


def known(handshake: Handshake) -> Credentials | None:
    return handshake.credentials


def test_secrets_are_not_shown() -> None:
    assert "hush" not in repr(Credentials("hush", "hush", "endpoint"))
