from __future__ import annotations

import contextlib

import davey
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.voice.room import DaveyMember, LibdaveMember, Room
from tests.voice.talker import spoken
from voice_sidecar.receiving import dave, opus
from voice_sidecar.receiving.dave import DaveyOpener, Reason, Transitions, Undecryptable

ADA, BOT, CAROL = 11, 22, 33


def pair() -> tuple[Room, LibdaveMember, DaveyMember]:
    """A group of somebody with Discord's own library, and us."""
    room, ada, bot = Room(), LibdaveMember(ADA), DaveyMember(BOT)
    room.join(ada, bot)
    return room, ada, bot


def opened(bot: DaveyMember, frame: bytes, user_id: int = ADA, *, plain_allowed: bool = False) -> bytes:
    return dave.open_frame(frame, user_id, opener=DaveyOpener(lambda: bot.session), plain_allowed=plain_allowed)


def reason(bot: DaveyMember, frame: bytes, user_id: int = ADA) -> Reason:
    with pytest.raises(Undecryptable) as problem:
        opened(bot, frame, user_id)
    return problem.value.reason


@pytest.mark.parametrize("committer", [0, 1])
def test_frames_of_discords_own_library_open(committer: int) -> None:
    room, ada, bot = pair()
    carol = LibdaveMember(CAROL)
    room.join(carol, committer=committer)
    for frame in spoken(5):
        assert opened(bot, ada.seal(frame)) == frame
        assert opened(bot, carol.seal(frame), CAROL) == frame
        assert carol.open(BOT, bot.seal(frame)) == frame


def test_frames_open_once_and_in_any_order_after_the_first() -> None:
    _, ada, bot = pair()
    frames = spoken(7)
    sealed = [ada.seal(frame) for frame in frames]
    for place in (1, 4, 2, 6, 5, 3):
        assert opened(bot, sealed[place]) == frames[place]
    assert reason(bot, sealed[5]) is Reason.WRONG_KEY
    # Why frames are put in order before they are opened: what is older than the first one is lost.
    assert reason(bot, sealed[0]) is Reason.WRONG_KEY


def test_frames_of_the_epoch_before_still_open() -> None:
    room, ada, bot = pair()
    ada.switches_at_once = False  # the transition is announced, not executed
    room.join(LibdaveMember(CAROL))
    assert opened(bot, ada.seal(b"a frame of old")) == b"a frame of old"
    late = ada.seal(b"a late frame of old")
    ada.switch()
    assert opened(bot, ada.seal(b"a frame of now")) == b"a frame of now"
    assert opened(bot, late) == b"a late frame of old"


def test_a_frame_under_somebody_elses_name_stays_closed() -> None:
    room, ada, bot = pair()
    room.join(LibdaveMember(CAROL))
    assert reason(bot, ada.seal(b"I am Carol"), CAROL) is Reason.WRONG_KEY


def test_who_left_has_no_key() -> None:
    room, ada, bot = pair()
    carol = LibdaveMember(CAROL)
    room.join(carol)
    room.leave(carol)
    assert reason(bot, carol.seal(b"still here"), CAROL) is Reason.NO_KEY
    assert opened(bot, ada.seal(b"go on")) == b"go on"


def test_without_a_group_there_is_no_key() -> None:
    _, ada, bot = pair()
    sealed = ada.seal(b"some frame")
    alone = DaveyMember(BOT)
    assert reason(alone, sealed) is Reason.NO_KEY
    alone.session = davey.DaveSession(1, BOT, 1)
    assert reason(alone, sealed) is Reason.NO_KEY
    assert reason(bot, sealed, CAROL) is Reason.NO_KEY


def test_silence_comes_in_both_forms() -> None:
    _, ada, bot = pair()
    assert ada.seal(opus.SILENCE) != opus.SILENCE  # Discord's library seals it
    assert opened(bot, ada.seal(opus.SILENCE)) == opus.SILENCE
    assert opened(bot, opus.SILENCE) == opus.SILENCE
    assert opened(bot, bot.seal(opus.SILENCE)) == opus.SILENCE  # ours does not


def test_plain_frames_only_where_they_may_come() -> None:
    _, _, bot = pair()
    frame = spoken(1)[0]
    assert reason(bot, frame) is Reason.PLAINTEXT
    assert opened(bot, frame, plain_allowed=True) == frame


def test_a_sealed_frame_has_to_open_even_where_plain_ones_may_come() -> None:
    _, ada, bot = pair()
    sealed = ada.seal(b"some frame")
    assert opened(bot, sealed, plain_allowed=True) == b"some frame"
    with pytest.raises(Undecryptable, match="wrong_key"):
        opened(bot, sealed, plain_allowed=True)


def test_ranges_in_the_clear_are_refused() -> None:
    _, ada, bot = pair()
    sealed = ada.seal(b"a frame of some length")
    size = sealed[-3]
    for extra in (b"\x00\x01", b"\xff", b"\x00\xff\xff\xff\xff\x7f"):
        forged = sealed[:-3] + extra + bytes([size + len(extra)]) + sealed[-2:]
        assert dave.looks_sealed(forged)
        assert reason(bot, forged) is Reason.MALFORMED


def unchecked(frame: bytes, user_id: int, *, opener: DaveyOpener, plain_allowed: bool) -> bytes:
    """What the library itself makes of a frame."""
    return opener.open(user_id, frame)


@given(st.binary(max_size=60), st.integers(0, 80))
def test_any_frame_opens_or_is_refused(head: bytes, size: int) -> None:
    bot = FUZZED[2]
    for frame in (head + bytes([size]) + b"\xfa\xfa", head):
        for open_frame in (dave.open_frame, unchecked):
            with contextlib.suppress(Undecryptable):
                got = open_frame(frame, ADA, opener=DaveyOpener(lambda: bot.session), plain_allowed=False)
                assert got == opus.SILENCE


FUZZED = pair()


class PanicException(BaseException):
    """Named as the bridge between Rust and Python names a panic."""


class Breaking:
    ready = True

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def decrypt(self, user_id: int, media_type: davey.MediaType, packet: bytes, /) -> bytes:
        raise self.error


@pytest.mark.parametrize("error", [PanicException("index out of range"), ValueError("Failed to decrypt: Other")])
def test_a_library_that_breaks_costs_a_frame(error: BaseException) -> None:
    with pytest.raises(Undecryptable, match="failed"):
        DaveyOpener(lambda: Breaking(error)).open(ADA, b"frame")


def test_stopping_the_process_is_no_broken_frame() -> None:
    with pytest.raises(KeyboardInterrupt):
        DaveyOpener(lambda: Breaking(KeyboardInterrupt())).open(ADA, b"frame")


# When frames may come unsealed.


def begun(version: int) -> Transitions:
    transitions = Transitions()
    transitions.describe(version)
    return transitions


def test_version_0_is_plain_and_others_are_not() -> None:
    assert Transitions().plain_allowed(0)
    assert begun(0).plain_allowed(5)
    assert not begun(1).plain_allowed(5)


def test_an_upgrade_takes_plain_frames_until_a_while_after_it() -> None:
    transitions = begun(0)
    transitions.prepare_epoch(1)
    assert transitions.plain_allowed(100)
    transitions.announce(7, 101)
    assert transitions.plain_allowed(101)
    transitions.execute(7, 102)
    assert transitions.version == 1
    assert transitions.plain_allowed(111.9)
    assert not transitions.plain_allowed(112)


def test_an_upgrade_with_transition_0_is_executed_with_its_welcome() -> None:
    transitions = begun(0)
    transitions.prepare_epoch(1)
    transitions.announce(0, 50)
    assert transitions.version == 1
    assert not transitions.plain_allowed(61)


def test_a_downgrade_takes_plain_frames_from_its_announcement_on() -> None:
    transitions = begun(1)
    transitions.prepare(3, 0, 20)
    assert transitions.version == 1
    assert transitions.plain_allowed(21)
    assert not transitions.plain_allowed(31)  # it did not come
    transitions.execute(3, 40)
    assert transitions.version == 0
    assert transitions.plain_allowed(1_000)


def test_a_new_group_of_the_same_version_changes_nothing() -> None:
    transitions = begun(1)
    transitions.prepare_epoch(1)
    transitions.prepare(0, 1, 10)
    assert transitions.version == 1
    transitions.announce(4, 11)
    transitions.execute(4, 12)
    assert transitions.version == 1
    assert not transitions.plain_allowed(12)


def test_transitions_that_nobody_announced() -> None:
    transitions = begun(1)
    transitions.execute(9, 10)
    assert not transitions.plain_allowed(10)
    transitions = begun(0)
    transitions.prepare_epoch(1)
    transitions.execute(9, 10)
    assert transitions.version == 1


def test_a_new_session_begins_anew() -> None:
    transitions = begun(1)
    transitions.prepare(3, 0, 20)
    transitions.describe(1)
    assert not transitions.plain_allowed(20)
    transitions.execute(3, 21)
    assert transitions.version == 1


def test_announcements_without_end_are_bounded() -> None:
    transitions = begun(1)
    for transition_id in range(1, 1_000):
        transitions.prepare(transition_id, 0, -100)
    transitions.execute(1, 10)
    assert transitions.version == 1  # long forgotten
    transitions.execute(999, 10)
    assert transitions.version == 0
