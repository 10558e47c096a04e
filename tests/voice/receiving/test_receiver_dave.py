"""End-to-end encryption over time: members come and go, versions change, keys are late."""

from __future__ import annotations

import pytest

from tests.voice.call import ADA, ADAS, BOT, DORA, Call
from tests.voice.room import DaveyMember, LibdaveMember, Room
from tests.voice.talker import Talker, decoded, same, session, spoken
from voice_sidecar.receiving import dave
from voice_sidecar.receiving.dave import Reason


def test_somebody_joins_in_mid_speech() -> None:
    call = Call()
    ada = call.talker(ADA, ADAS)
    frames = spoken(60)
    call.members[ADA].switches_at_once = False
    call.hear(*[ada.say(frame) for frame in frames[:20]])
    dora = LibdaveMember(DORA)
    call.room.join(dora, committer=1)
    call.event(29, {"transition_id": 5})
    call.hear(*[ada.say(frame) for frame in frames[20:30]])  # still with the key of old
    late = ada.say(frames[30])
    call.members[ADA].switch()
    call.event(22, {"transition_id": 5})
    call.hear(ada.say(frames[31]), late, *[ada.say(frame) for frame in frames[32:45]])
    call.room.leave(dora)
    call.event(29, {"transition_id": 6})
    call.event(13, {"user_id": str(DORA)})
    call.members[ADA].switch()
    call.hear(*[ada.say(frame) for frame in frames[45:]])
    assert same(call.sound(), decoded(frames))
    assert call.counters.lost == call.counters.concealed == 0


def test_the_first_frames_of_a_new_group_may_be_out_of_order() -> None:
    """Libraries refuse what is older than the first frame that they opened with a key: so order comes first."""
    call = Call()
    ada = call.talker(ADA, ADAS)
    frames = spoken(20)
    call.hear(*[ada.say(frame) for frame in frames[:10]])
    call.room.join(LibdaveMember(DORA))
    call.event(29, {"transition_id": 5})
    call.event(22, {"transition_id": 5})
    one, two, *others = [ada.say(frame) for frame in frames[10:]]
    call.hear(two, one, *others)
    assert same(call.sound(), decoded(frames))
    assert not call.counters.undecryptable


def test_frames_that_come_before_the_welcome_wait_for_it() -> None:
    call = Call(version=0)
    call.event(4, session(version=1))
    ada = call.talker(ADA, ADAS)
    bot, call.bot = call.bot, DaveyMember(BOT)
    call.room.join(*call.members.values(), bot)
    frames = spoken(30)
    call.hear(*[ada.say(frame) for frame in frames[:15]])
    assert not call.chunks
    call.bot = bot
    call.event(30, {"transition_id": 0})
    call.hear(*[ada.say(frame) for frame in frames[15:]])
    assert same(call.sound(), decoded(frames))


def test_frames_whose_key_never_comes_are_counted() -> None:
    call = Call()
    call.members[ADA] = LibdaveMember(ADA)
    Room().join(call.members[ADA], LibdaveMember(99))
    stranger = call.talker(ADA, ADAS)
    call.hear(*[stranger.say(frame) for frame in spoken(10)])
    call.wait(2)
    assert call.counters.undecryptable == {Reason.WRONG_KEY: 10}
    call.bot.session = None
    call.hear(*[stranger.say(frame) for frame in spoken(10)])
    call.wait(2)
    assert call.counters.undecryptable == {Reason.WRONG_KEY: 10, Reason.NO_KEY: 10}
    assert call.counters.heard == 0


def plain_frames_are_taken_in_transitions_only() -> None:
    call = Call(version=0)
    frames = spoken(50)
    plain = call.talker(ADA, ADAS, plain=True)
    call.hear(*[plain.say(frame) for frame in frames[:10]])
    call.event(24, {"epoch": 1, "protocol_version": 1})  # an upgrade begins
    call.room.join(*call.members.values(), call.bot)
    call.event(30, {"transition_id": 3})
    call.hear(*[plain.say(frame) for frame in frames[10:20]])
    call.event(22, {"transition_id": 3})
    call.hear(*[plain.say(frame) for frame in frames[20:25]])  # on their way when it was executed
    plain.seal = call.members[ADA].seal
    call.hear(*[plain.say(frame) for frame in frames[25:35]])
    call.event(21, {"transition_id": 4, "protocol_version": 0})  # a downgrade
    plain.seal = lambda frame: frame
    call.hear(*[plain.say(frame) for frame in frames[35:40]])
    call.event(22, {"transition_id": 4})
    call.hear(*[plain.say(frame) for frame in frames[40:]])
    assert same(call.sound(), decoded(frames))
    assert call.counters.plain == 40

    call = Call(version=1)
    plain = call.talker(ADA, ADAS, plain=True)
    call.hear(*[plain.say(frame) for frame in frames])
    call.wait(2)
    assert not call.chunks
    assert call.counters.undecryptable == {Reason.PLAINTEXT: 50}


def test_plain_frames_in_transitions() -> None:
    plain_frames_are_taken_in_transitions_only()


@pytest.mark.parametrize("allowed", [True, False])
def test_a_receiver_that_takes_all_or_no_plain_frames_fails_the_check(
    allowed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dave.Transitions, "plain_allowed", lambda *_: allowed)
    with pytest.raises(AssertionError):
        plain_frames_are_taken_in_transitions_only()


class LibdaveOpener:
    """The group as Discord's own library keeps it."""

    def __init__(self, member: LibdaveMember) -> None:
        self.member = member

    def open(self, user_id: int, frame: bytes) -> bytes:
        return self.member.open(user_id, frame)


def test_the_library_can_be_another() -> None:
    call = Call()
    dora, davey_user = LibdaveMember(DORA), DaveyMember(55)
    call.room.join(dora, davey_user)
    call.opener = LibdaveOpener(dora)
    call.consenting = {ADA, 55}
    ada = call.talker(ADA, ADAS)
    call.event(5, {"user_id": "55", "ssrc": 5_005, "speaking": 1})
    other = Talker(5_005, call.sealer, seal=davey_user.seal)
    for one, two in zip(spoken(10), spoken(10, seed=3), strict=True):
        call.hear(ada.say(one), other.say(two))
    assert same(call.sound(), decoded(spoken(10)))
    assert same(call.sound(55), decoded(spoken(10, seed=3)))
