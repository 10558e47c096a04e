"""Whatever comes over the network, the receiver goes on, keeps little, and hears those who speak properly."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.voice.call import ADA, ADAS, Call
from tests.voice.talker import Talker, decoded, same, session, spoken
from voice_sidecar.receiving.counters import Dropped
from voice_sidecar.receiving.dave import Reason
from voice_sidecar.receiving.events import MalformedEvent, parse_event, user_number

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
FIELDS = ("user_id", "ssrc", "audio_ssrc", "mode", "secret_key", "dave_protocol_version", "transition_id", "epoch")


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.binary(max_size=80) | st.tuples(st.integers(0, 10_000), st.integers(0, 255)), max_size=30))
def test_datagrams_of_all_kinds_between_true_ones(noise: list[bytes | tuple[int, int]]) -> None:
    call = Call(version=0)
    ada = call.talker(ADA, ADAS, plain=True)
    frames = spoken(30)
    datagrams = [ada.say(frame, extended=True, padding=4) for frame in frames]
    for n, datagram in enumerate(datagrams):
        if n < len(noise):
            what = noise[n]
            if isinstance(what, bytes):
                call.hear(what, every=0)
            else:
                changed = bytearray(datagram)
                changed[what[0] % len(changed)] ^= what[1]
                if bytes(changed) != datagram:
                    call.hear(bytes(changed), every=0)
        call.hear(datagram)
    call.wait(3)
    assert same(call.sound(), decoded(frames))


def plain_payloads(call: Call) -> Talker:
    return call.talker(ADA, ADAS, plain=True)


@settings(max_examples=60)
@given(st.lists(st.binary(max_size=60), max_size=30), st.sampled_from([0, 1]))
def test_media_that_authenticates_but_is_no_sound(medias: list[bytes], version: int) -> None:
    call = Call(version=version)
    talker = plain_payloads(call)
    call.hear(*[talker.packet(media) for media in medias])
    call.wait(3)
    true = Talker(ADAS, call.sealer, seal=call.members[ADA].seal if version else None, sequence=talker.sequence)
    true.timestamp = talker.timestamp
    for frame in spoken(3):
        call.hear(true.say(frame))
    call.wait(1)
    assert call.counters.heard >= 3


@given(st.integers(0, 40), JSON | st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=6))
def test_any_voice_gateway_message_is_survived(op: int, data: Any) -> None:
    call = Call(version=0)
    call.event(op, data)
    call.event(4, session(version=0))
    ada = call.talker(ADA, ADAS, plain=True)
    call.hear(*[ada.say(frame) for frame in spoken(5)])
    assert same(call.sound(), decoded(spoken(5)))


@pytest.mark.parametrize(
    ("op", "data"),
    [
        (4, {"mode": "aead_xchacha20_poly1305_rtpsize", "secret_key": [0] * 31}),
        (4, {"mode": "aead_xchacha20_poly1305_rtpsize", "secret_key": [256] * 32}),
        (4, {"mode": "xsalsa20_poly1305", "secret_key": [0] * 32}),
        (5, {"user_id": 11, "ssrc": 1}),
        (5, {"user_id": "11", "ssrc": -1}),
        (5, {"user_id": "0", "ssrc": 1}),
        (5, {"user_id": "18446744073709551616", "ssrc": 1}),
        (5, {"user_id": "١١", "ssrc": 1}),
        (5, None),
        (22, {"transition_id": 65_536}),
    ],
)
def test_messages_that_cannot_be_are_counted(op: int, data: object) -> None:
    call = Call(version=0)
    call.event(op, data)
    assert call.counters.malformed_events == 1


def test_other_messages_are_none_of_its_business() -> None:
    call = Call(version=0)
    for op in (0, 1, 2, 3, 6, 8, 9, 11, 14, 15, 18, 20, 23, 25, 26, 27, 28, 31, 99):
        call.event(op, {"anything": 1})
    call.event(12, {"user_id": str(ADA), "audio_ssrc": 0})
    call.event(24, {"epoch": 7, "protocol_version": 1})
    assert call.counters.malformed_events == 0
    assert call.receiver.transitions.version == 0


def test_errors_quote_nothing() -> None:
    with pytest.raises(MalformedEvent) as problem:
        parse_event(4, {"mode": "m", "secret_key": ["hunter2"]})
    assert "hunter2" not in str(problem.value)
    with pytest.raises(MalformedEvent) as problem:
        user_number("hunter2")
    assert "hunter2" not in str(problem.value)
    assert "123" not in repr(parse_event(4, {"mode": "m", "secret_key": [123] * 32}))


def test_what_is_no_audio_is_counted_and_dropped() -> None:
    call = Call()
    ada = call.talker(ADA, ADAS)
    call.hear(b"\x80\xc8" + bytes(30), bytes(8), b"\x9f\x78" + bytes(12), ada.packet(b"video", payload_type=101))
    assert call.counters.dropped == {Dropped.NOT_MEDIA: 2, Dropped.MALFORMED: 1, Dropped.NOT_AUDIO: 1}


def test_packets_before_there_is_a_key() -> None:
    call = Call(version=0)
    ada = call.talker(ADA, ADAS, plain=True)
    call.event(4, {"mode": "unknown", "secret_key": [0] * 32})
    call.event(5, {"user_id": str(ADA), "ssrc": ADAS})
    call.hear(ada.say(spoken(1)[0]))
    assert call.counters.dropped == {Dropped.NO_SESSION: 1}


def test_authentic_packets_with_impossible_padding_or_extension() -> None:
    call = Call(version=0)
    call.talker(ADA, ADAS)
    for first, media in ((0xA0, b"media\x00"), (0xA0, b"\xff"), (0x90, b"\x00")):
        header = struct.pack(">BBHII", first, 0x78, 1, 1, ADAS) + (b"\xbe\xde\x00\x02" if first == 0x90 else b"")
        call.hear(call.sealer.seal(header, media))
    assert call.counters.dropped == {Dropped.MALFORMED: 3}


def test_a_leap_of_the_sequence_is_one_packet_less() -> None:
    call = Call()
    ada = call.talker(ADA, ADAS)
    frames = spoken(20)
    call.hear(*[ada.say(frame) for frame in frames[:10]])
    ada.skip(20_000)
    call.hear(*[ada.say(frame) for frame in frames[10:]])
    call.wait(0.1)
    assert call.counters.dropped[Dropped.OUT_OF_PLACE] == 1
    assert call.counters.heard == 19
    assert call.counters.lost == 0


def test_late_packets_are_counted() -> None:
    call = Call()
    ada = call.talker(ADA, ADAS)
    first, late, *others = [ada.say(frame) for frame in spoken(12)]
    call.hear(first, *others, late)
    assert call.counters.dropped[Dropped.LATE] == 1


def test_broken_opus_costs_its_own_place_only() -> None:
    call = Call()
    ada = call.talker(ADA, ADAS)
    frames = list(spoken(20))
    valid_start = frames[10][:1] + b"\xff" * 3  # a length by its first byte, nonsense within
    for n, frame in enumerate(frames):
        call.hear(ada.say({10: b"\x03", 15: valid_start}.get(n, frame)))
    call.wait(0.1)
    positions = [chunk.position for chunk in call.chunks][:20]
    assert positions == [320 * n for n in range(20)]
    assert call.counters.dropped[Dropped.BAD_OPUS] >= 1
    assert call.counters.heard >= 18


def test_claims_without_end_are_bounded() -> None:
    call = Call()
    for ssrc in range(3_000):
        call.event(5, {"user_id": "99", "ssrc": ssrc})
    assert len(call.receiver._users) == 2_048


def test_reasons_are_a_closed_list() -> None:
    assert {reason.value for reason in Reason} == {"no_key", "wrong_key", "plaintext", "malformed", "failed"}
