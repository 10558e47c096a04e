"""Our membership in a group, message by message; the others have Discord's own library."""

from __future__ import annotations

import struct
import threading

import davey
import pytest

from tests.voice.mls import DeliveryService, proposals_payload, split_commit
from tests.voice.room import LibdaveMember
from voice_sidecar.connection.counters import Counters, Refused
from voice_sidecar.connection.group import Group, NotReady
from voice_sidecar.connection.wire import Binary, Message, Op, Text
from voice_sidecar.receiving.dave import DaveyOpener, Undecryptable

ADA, BOT, CHANNEL = 11, 22, 4242
FRAME = b"\xfc" + bytes(range(60))


class Scene:
    """A group that Ada, with libdave, makes of herself and the bot."""

    def __init__(self) -> None:
        self.counters = Counters()
        self.group = Group(BOT, CHANNEL, self.counters)
        self.server = DeliveryService(CHANNEL)
        self.ada = LibdaveMember(ADA)
        self.ada.begin(CHANNEL, self.server.external_sender())

    def described(self, version: int = 1) -> bytes:
        """Op 4; the key package that follows."""
        data = {"mode": "m", "secret_key": [0] * 32, "dave_protocol_version": version}
        return package_of(self.group.take(Text(4, data)).send)

    def announce(self, *user_ids: int) -> None:
        assert self.group.take(Text(11, {"user_ids": [str(user_id) for user_id in user_ids]})).send == []

    def introduce(self) -> None:
        assert self.group.take_binary(Binary(25, self.server.external_sender())).send == []

    def welcome(self, package: bytes) -> bytes:
        payload = proposals_payload(self.server.add(0, package))
        commit, welcome = split_commit(self.ada.commit(payload, {ADA, BOT}))
        self.ada.committed(commit, {ADA, BOT})
        assert welcome is not None
        return welcome

    def join(self, transition: int = 0) -> list[Message]:
        package = self.described()
        self.introduce()
        self.announce(ADA)
        answer = self.group.take_binary(Binary(30, struct.pack(">H", transition) + self.welcome(package)))
        assert answer.taken == transition
        return answer.send


def is_ready(scene: Scene) -> bool:
    return scene.group.ready


def package_of(messages: list[Message]) -> bytes:
    message = messages[-1]
    assert isinstance(message, Binary)
    assert message.op == Op.KEY_PACKAGE
    return message.payload


@pytest.mark.parametrize("transition", [0, 7])
def test_welcomed(transition: int) -> None:
    scene = Scene()
    ready = [Text(23, {"transition_id": 7})] if transition else []
    assert scene.join(transition) == ready
    assert scene.group.ready
    assert scene.ada.open(BOT, scene.group.seal(FRAME)) == FRAME
    assert DaveyOpener(lambda: scene.group).open(ADA, scene.ada.seal(FRAME)) == FRAME
    assert scene.group.others == {ADA}
    assert scene.group.privacy_code


def test_the_external_sender_may_come_before_the_session() -> None:
    scene = Scene()
    scene.introduce()
    scene.announce(ADA)
    package = scene.described()
    scene.group.take_binary(Binary(30, b"\0\0" + scene.welcome(package)))
    assert scene.group.ready


def test_another_external_sender_counts_from_the_next_group_on() -> None:
    scene = Scene()
    scene.join()
    scene.server = DeliveryService(CHANNEL)
    scene.introduce()
    assert is_ready(scene)
    scene.ada = LibdaveMember(ADA)
    scene.ada.begin(CHANNEL, scene.server.external_sender())
    answer = scene.group.take(Text(24, {"epoch": 1, "protocol_version": 1, "transition_id": 0}))
    assert is_ready(scene) is False
    scene.group.take_binary(Binary(30, b"\0\0" + scene.welcome(package_of(answer.send))))
    assert is_ready(scene)


def test_an_external_sender_that_is_none_is_not_kept() -> None:
    scene = Scene()
    package = scene.described()
    scene.introduce()
    assert scene.group.take_binary(Binary(25, b"garbage")).send == []
    assert scene.counters.refused == {Refused.SENDER: 1}
    scene.announce(ADA)
    scene.group.take_binary(Binary(30, b"\0\0" + scene.welcome(package)))
    assert scene.group.ready


def test_a_group_with_a_stranger_in_it_is_left() -> None:
    scene = Scene()
    package = scene.described()
    scene.introduce()
    answer = scene.group.take_binary(Binary(30, b"\0\x05" + scene.welcome(package)))  # nobody announced Ada
    assert answer.send[0] == Text(31, {"transition_id": 5})
    assert package_of(answer.send) != package
    assert (answer.taken, scene.group.ready) == (None, False)
    assert scene.counters.refused == {Refused.STRANGER: 1}


def test_those_who_left_are_no_strangers_until_they_are_removed() -> None:
    scene = Scene()
    package = scene.described()
    scene.introduce()
    scene.announce(ADA)
    scene.group.take(Text(13, {"user_id": str(ADA)}))
    assert scene.group.others == frozenset()
    assert scene.group.take_binary(Binary(30, b"\0\0" + scene.welcome(package))).taken == 0


def test_proposals_to_add_somebody_who_left_are_refused() -> None:
    scene = Scene()
    scene.described()
    scene.introduce()
    package = scene.ada.key_package()
    scene.announce(ADA)
    scene.group.take(Text(13, {"user_id": str(ADA)}))
    assert scene.group.take_binary(Binary(27, proposals_payload(scene.server.add(0, package)))).send == []
    scene.announce(ADA)
    [commit] = scene.group.take_binary(Binary(27, proposals_payload(scene.server.add(0, package)))).send
    assert commit.op == Op.COMMIT_WELCOME


def test_recovering_ends_after_a_while() -> None:
    scene = Scene()
    scene.described()
    scene.introduce()
    for _ in range(Group.MOST_RECOVERIES):
        assert not scene.group.take_binary(Binary(30, b"\0\x01nonsense")).broken
    assert scene.group.take_binary(Binary(30, b"\0\x01nonsense")).broken
    scene.group.begin()
    package = scene.described()
    scene.introduce()
    scene.announce(ADA)
    assert scene.group.take_binary(Binary(30, b"\0\0" + scene.welcome(package))).taken == 0


@pytest.mark.parametrize("op", [25, 27, 29, 30])
@pytest.mark.parametrize("payload", [b"", b"\0", b"\x01\x02", bytes(40)])
def test_anything_before_the_session(op: int, payload: bytes) -> None:
    scene = Scene()
    answer = scene.group.take_binary(Binary(op, payload))
    assert (answer.send, answer.broken, answer.taken) == ([], False, None)
    scene.described()


def test_a_version_that_the_library_does_not_have() -> None:
    scene = Scene()
    data = {"mode": "m", "secret_key": [0] * 32, "dave_protocol_version": 9}
    assert scene.group.take(Text(4, data)).broken


def test_without_a_key_nothing_is_sealed_and_nothing_is_opened() -> None:
    scene = Scene()
    for _ in range(2):
        with pytest.raises(NotReady):
            scene.group.seal(FRAME)
        with pytest.raises(Undecryptable):
            DaveyOpener(lambda: scene.group).open(ADA, FRAME + bytes(20))
        with pytest.raises(ValueError, match="NoDecryptor"):
            scene.group.decrypt(ADA, davey.MediaType.audio, FRAME)
        assert scene.group.privacy_code is None or scene.group.privacy_code
        if scene.group._session is None:
            scene.described()


def test_version_0_has_no_group() -> None:
    scene = Scene()
    data = {"mode": "m", "secret_key": [0] * 32, "dave_protocol_version": 0}
    assert scene.group.take(Text(4, data)).send == []
    assert not scene.group.ready
    assert scene.group.take(Text(21, {"transition_id": 3, "protocol_version": 0})).send == [
        Text(23, {"transition_id": 3})
    ]
    assert scene.group.take(Text(24, {"epoch": 2, "protocol_version": 1})).send == []


def test_malformed_messages_are_counted() -> None:
    scene = Scene()
    for op, data in ((11, {}), (5, {"user_id": "x", "ssrc": 1}), (24, []), (11, {"user_ids": ["0"]})):
        assert scene.group.take(Text(op, data)).send == []
    assert scene.counters.refused == {Refused.MALFORMED: 4}


def test_two_threads_at_once() -> None:
    """The library must not be entered twice: one thread seals while the loop opens."""
    scene = Scene()
    scene.join()
    sealed = [scene.ada.seal(FRAME) for _ in range(500)]
    ours: list[bytes] = []
    thread = threading.Thread(target=lambda: ours.extend(scene.group.seal(FRAME) for _ in range(500)))
    thread.start()
    opener = DaveyOpener(lambda: scene.group)
    assert {opener.open(ADA, frame) for frame in sealed} == {FRAME}
    thread.join()
    assert {scene.ada.open(BOT, frame) for frame in ours} == {FRAME}
