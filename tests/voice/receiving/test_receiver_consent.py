"""Who is heard, and from when to when."""

from __future__ import annotations

import pytest

from tests.voice.call import ADA, ADAS, CAROL, CAROLS, Call
from tests.voice.talker import Talker, decoded, same, spoken
from voice_sidecar.receiving.counters import Dropped
from voice_sidecar.receiving.hold import Hold


def only_those_who_agreed() -> None:
    """Nothing of Carol's is opened, decoded, or kept."""
    call = Call(consenting={ADA})
    ada, carol = call.talker(ADA, ADAS), call.talker(CAROL, CAROLS)
    for frame in spoken(20):
        call.hear(ada.say(frame), carol.say(frame), every=0.01)
    call.wait(3)
    assert same(call.sound(), decoded(spoken(20)))
    assert {chunk.user_id for chunk in call.chunks} == {ADA}
    assert set(call.opened) == {ADA}
    assert call.counters.dropped[Dropped.NO_CONSENT] == 20
    assert set(call.receiver._speakers) == {ADAS}
    assert not call.receiver._unclaimed.held_keys()


def test_only_those_who_agreed_are_heard() -> None:
    only_those_who_agreed()


def test_a_receiver_that_does_not_ask_fails_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Call, "_heard", lambda _self, user_id: True)
    with pytest.raises(AssertionError):
        only_those_who_agreed()


def test_packets_of_others_do_not_even_reach_the_transport_cipher(monkeypatch: pytest.MonkeyPatch) -> None:
    call = Call(consenting=())
    ada = call.talker(ADA, ADAS)
    assert call.receiver._transport is not None
    monkeypatch.setattr(call.receiver._transport, "open", lambda *_: pytest.fail("opened"))
    call.hear(*[ada.say(frame) for frame in spoken(5)])
    assert call.counters.dropped[Dropped.NO_CONSENT] == 5


def test_revoking_is_immediate() -> None:
    call = Call()
    ada = call.talker(ADA, ADAS)
    frames = spoken(20)
    call.hear(*[ada.say(frame) for frame in frames[:10]])
    ada.say(frames[10])
    call.hear(ada.say(frames[11]))  # waits for the one before it
    given = len(call.chunks)
    call.consenting.clear()
    call.wait(5)
    call.hear(*[ada.say(frame) for frame in frames[12:]])
    call.wait(5)
    assert len(call.chunks) == given
    assert not call.receiver._speakers
    call.consenting.add(ADA)
    call.receiver.agreed()
    call.hear(*[ada.say(frame) for frame in frames[:5]])
    call.wait(0.1)
    assert [chunk.stream for chunk in call.chunks[given : given + 5]] == [2] * 5


def test_forgetting_somebody_leaves_nothing() -> None:
    call = Call()
    ada = call.talker(ADA, ADAS)
    call.hear(*[ada.say(frame) for frame in spoken(5)])
    call.receiver.forget(ADA)
    assert not call.receiver._speakers
    assert call.receiver.next_deadline() is None


OWNERS = [
    (5, {"user_id": str(ADA), "ssrc": ADAS, "speaking": 1, "delay": 0}),
    (12, {"user_id": str(ADA), "audio_ssrc": ADAS, "video_ssrc": 0, "rtx_ssrc": 0, "streams": []}),
]


def heard_from_the_first_word(op: int, data: object) -> None:
    """Who spoke already when we came is heard once we learn who they are, with all that they said since."""
    call = Call()
    ada = call.talker(ADA, ADAS, known=False)
    frames = spoken(40)
    call.hear(*[ada.say(frame) for frame in frames[:30]])
    assert not call.chunks
    assert call.asked == []
    call.event(op, data)
    assert len(call.chunks) == 30
    call.hear(*[ada.say(frame) for frame in frames[30:]])
    assert same(call.sound(), decoded(frames))
    assert call.counters.held == 30


@pytest.mark.parametrize(("op", "data"), OWNERS)
def test_an_unknown_source_is_held_and_heard_from_its_first_word(op: int, data: object) -> None:
    heard_from_the_first_word(op, data)


def test_a_receiver_that_holds_nothing_fails_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Hold, "add", lambda *_: 1)
    with pytest.raises(AssertionError):
        heard_from_the_first_word(*OWNERS[0])


def test_an_unknown_source_that_is_somebody_who_did_not_agree() -> None:
    call = Call()
    carol = call.talker(CAROL, CAROLS, known=False)
    call.hear(*[carol.say(frame) for frame in spoken(10)])
    call.event(5, {"user_id": str(CAROL), "ssrc": CAROLS, "speaking": 1})
    assert not call.chunks
    assert call.counters.dropped[Dropped.NO_CONSENT] == 10
    assert not call.receiver._unclaimed.held_keys()


def test_what_was_said_before_agreeing_is_not_heard_after_it() -> None:
    call = Call(consenting=())
    ada = call.talker(ADA, ADAS, known=False)
    frames = spoken(20)
    call.hear(*[ada.say(frame) for frame in frames[:10]])
    call.consenting.add(ADA)
    call.receiver.agreed()
    call.event(5, {"user_id": str(ADA), "ssrc": ADAS, "speaking": 1})
    call.hear(*[ada.say(frame) for frame in frames[10:]])
    call.wait(0.1)
    assert same(call.sound(), decoded(frames[10:]))


def test_unknown_sources_are_bounded_in_number_size_and_time() -> None:
    call = Call()
    for ssrc in range(30):
        stranger = Talker(ssrc, call.sealer)
        call.hear(*[stranger.packet(b"who am I") for _ in range(110)], every=0)
    assert len(call.receiver._unclaimed.held_keys()) == 16
    assert call.counters.dropped[Dropped.HOLD_FULL] == 30 * 110 - 1_600
    call.wait(2)
    assert call.receiver._unclaimed.held_keys() == []
    assert call.counters.dropped[Dropped.HOLD_EXPIRED] == 1_600
