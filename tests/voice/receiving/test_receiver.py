"""The whole way: datagrams of a voice server in, 16 kHz sound out."""

from __future__ import annotations

import pytest

from tests.voice.call import ADA, ADAS, CAROL, CAROLS, Call
from tests.voice.talker import Talker, decoded, same, session, spoken
from voice_sidecar.receiving import receiver, rtp
from voice_sidecar.receiving.counters import Dropped
from voice_sidecar.receiving.jitter import JitterBuffer, Settings
from voice_sidecar.receiving.opus import SILENCE
from voice_sidecar.receiving.replay import NonceMemory, SequenceWindow
from voice_sidecar.receiving.speaker import Sound
from voice_sidecar.receiving.transport import Mode, Sealer

both = pytest.mark.parametrize("mode", list(Mode))


def says_it_all(mode: Mode, version: int) -> None:
    """All ways in which the server frames packets sound as spoken, while sequence and timestamp wrap."""
    call = Call(mode, version=version)
    ada = call.talker(ADA, ADAS, plain=not version)
    ada.sequence, ada.timestamp = 65_530, 2**32 - 7 * 960
    frames = spoken(40)
    for n, frame in enumerate(frames):
        call.hear(ada.say(frame, extended=n % 2 == 1, padding=(0, 0, 1, 7, 255)[n % 5]))
    call.wait(0.1)
    assert same(call.sound(), decoded(frames))
    assert [chunk.position for chunk in call.chunks[:40]] == [320 * n for n in range(40)]
    assert call.counters.lost == call.counters.concealed == 0
    assert not call.counters.undecryptable
    assert not +call.counters.dropped


@both
@pytest.mark.parametrize("version", [0, 1])
def test_every_packet_sounds_as_it_was_spoken(mode: Mode, version: int) -> None:
    says_it_all(mode, version)


@both
@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize("wrong", ["padding stays", "extension stays", "extension goes twice"])
def test_a_receiver_with_that_step_wrong_fails_the_check(
    mode: Mode, version: int, wrong: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = rtp.media_of

    def media_of(header: rtp.RtpHeader, opened: bytes) -> bytes:
        if wrong == "padding stays":
            return opened[header.extension_size :]
        if wrong == "extension stays":
            return right(header._replace(extension_size=0), opened)
        return right(header, opened)[header.extension_size :]

    monkeypatch.setattr(rtp, "media_of", media_of)
    with pytest.raises(AssertionError):
        says_it_all(mode, version)


def reordered_and_doubled() -> None:
    """Packets that overtake each other, the first ones too, and come twice, sound as if nothing had happened."""
    call = Call()
    ada = call.talker(ADA, ADAS)
    frames = spoken(24)
    datagrams = [ada.say(frame) for frame in frames]
    resent = Talker(ADAS, call.sealer, sequence=100, timestamp=5_000)
    for at in range(0, 24, 3):
        call.hear(datagrams[at + 1], datagrams[at], datagrams[at], datagrams[at + 2], datagrams[at + 1], every=0.01)
        resent.sequence, resent.timestamp = 100 + at, 5_000 + at * 960
        call.hear(resent.packet(b"the server sends it again"), every=0)
    call.wait(0.06)
    assert same(call.sound(), decoded(frames))
    assert call.counters.dropped[Dropped.REPLAYED] == 16
    assert call.counters.dropped[Dropped.DUPLICATE] == 8
    assert not call.counters.undecryptable


def test_order_and_duplicates() -> None:
    reordered_and_doubled()


def test_a_receiver_without_memory_fails_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as forgetful:
        forgetful.setattr(NonceMemory, "fresh", lambda *_: True)
        with pytest.raises(AssertionError):
            reordered_and_doubled()
    with monkeypatch.context() as forgetful:
        forgetful.setattr(SequenceWindow, "admit", lambda _self, sequence: sequence)
        with pytest.raises(AssertionError):
            reordered_and_doubled()


def test_a_receiver_that_waits_for_nothing_fails_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiver, "Settings", lambda: Settings(reorder_wait=0))
    with pytest.raises(AssertionError):
        reordered_and_doubled()


def loss_is_concealed_in_its_place() -> None:
    call = Call()
    ada = call.talker(ADA, ADAS)
    for n, frame in enumerate(spoken(50, fec=True)):
        datagram = ada.say(frame)
        if n % 7 != 5:
            call.hear(datagram)
        else:
            call.now += 0.02
    call.wait(0.1)
    heard = [chunk for chunk in call.chunks if chunk.sound is not Sound.SILENCE]
    assert [chunk.position for chunk in heard] == [320 * n for n in range(50)]
    assert {chunk.position // 320 for chunk in heard if chunk.sound is Sound.CONCEALED} == set(range(5, 49, 7))
    assert call.counters.lost == call.counters.concealed == 7
    assert call.counters.heard == 43


def test_lost_packets_are_stood_in_for_and_positions_stay_true() -> None:
    loss_is_concealed_in_its_place()


def test_a_receiver_that_closes_the_gaps_fails_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(JitterBuffer, "_gap_before", lambda *_: 0)
    with pytest.raises(AssertionError):
        loss_is_concealed_in_its_place()


def test_silence_in_both_forms_ends_a_sentence() -> None:
    call = Call()
    ada = call.talker(ADA, ADAS)
    frames = spoken(10)
    sealed_silence = [ada.packet(call.members[ADA].seal(SILENCE)) for _ in range(2)]
    ada.sequence, ada.timestamp = 100, 5_000
    datagrams = [ada.say(frame) for frame in frames]
    ada.sequence, ada.timestamp = 110, 5_000 + 960 * 10
    call.hear(*datagrams, *[ada.say(SILENCE) for _ in range(3)], *[ada.packet(call.members[ADA].seal(SILENCE))] * 1)
    call.wait(1)
    assert sealed_silence[0][12:] != SILENCE
    sounds = [chunk.sound for chunk in call.chunks]
    assert sounds[:14] == [Sound.HEARD] * 10 + [Sound.SILENCE] * 4
    assert len(sounds) > 50  # silence goes on
    assert all(not any(chunk.pcm) for chunk in call.chunks[10:])


def test_two_people_at_once_are_two_streams() -> None:
    call = Call(consenting={ADA, CAROL})
    ada, carol = call.talker(ADA, ADAS), call.talker(CAROL, CAROLS)
    for one, two in zip(spoken(30), spoken(30, seed=3), strict=True):
        call.hear(ada.say(one), carol.say(two), every=0.01)
    assert same(call.sound(ADA), decoded(spoken(30)))
    assert same(call.sound(CAROL), decoded(spoken(30, seed=3)))
    assert call.sound(ADA) != call.sound(CAROL)


def test_a_source_passes_to_somebody_else_and_a_person_to_another_source() -> None:
    call = Call(consenting={ADA, CAROL})
    ada = call.talker(ADA, ADAS)
    call.hear(*[ada.say(frame) for frame in spoken(5)])
    call.event(13, {"user_id": str(ADA)})
    assert not call.receiver._speakers
    carol = call.talker(CAROL, ADAS)
    call.hear(*[carol.say(frame) for frame in spoken(5, seed=3)])
    again = call.talker(ADA, 9_009)
    call.hear(*[again.say(frame) for frame in spoken(5)])
    call.wait(0.1)
    assert same(call.sound(CAROL), decoded(spoken(5, seed=3)))
    assert [chunk.stream for chunk in call.chunks if chunk.sound is Sound.HEARD] == [1] * 5 + [2] * 5 + [3] * 5


def test_a_new_session_has_a_new_key_and_new_sources() -> None:
    call = Call(version=0)
    ada = call.talker(ADA, ADAS, plain=True)
    call.hear(*[ada.say(frame) for frame in spoken(5)])
    call.event(4, session(Mode.XCHACHA20, key=bytes(32)))
    call.event(5, {"user_id": str(ADA), "ssrc": ADAS, "speaking": 1})
    call.hear(*[ada.say(frame) for frame in spoken(5)])
    assert call.counters.dropped[Dropped.NOT_AUTHENTIC] == 5
    ada.sealer = Sealer(Mode.XCHACHA20, bytes(32))  # counts its nonces from 0 again
    call.hear(*[ada.say(frame) for frame in spoken(5)])
    call.wait(0.1)
    assert call.counters.heard == 10
    assert not call.counters.dropped[Dropped.REPLAYED]


def test_probes_of_padding_alone_are_no_loss() -> None:
    call = Call()
    ada = call.talker(ADA, ADAS)
    for frame in spoken(20):
        call.hear(ada.say(frame), ada.packet(b"", padding=200, ticks=0), every=0.01)
    assert same(call.sound(), decoded(spoken(20)))
    assert call.counters.lost == 0
