"""A voice channel's end-to-end encrypted group, with members of two kinds: Discord's own library, and davey."""

from __future__ import annotations

from typing import Protocol

import dave
import davey

from tests.voice.mls import DeliveryService, proposals_payload, split_commit, vector
from voice_sidecar.receiving.dave import Reason, Undecryptable


class Member(Protocol):
    user_id: int

    def begin(self, channel_id: int, external_sender: bytes) -> None: ...
    def key_package(self) -> bytes: ...
    def commit(self, proposals: bytes, expected: set[int]) -> bytes: ...
    def committed(self, commit: bytes, expected: set[int]) -> None: ...
    def welcomed(self, welcome: bytes, expected: set[int]) -> None: ...
    def seal(self, frame: bytes) -> bytes: ...
    def open(self, user_id: int, frame: bytes) -> bytes: ...


class LibdaveMember:
    """Discord's own implementation. A new key is used for sending when `switch` is called, as op 22 asks."""

    def __init__(self, user_id: int) -> None:
        self.user_id = user_id
        self.problems: list[str] = []
        self.session = dave.Session(lambda *what: self.problems.append(str(what)))
        self.encryptor = dave.Encryptor()
        self.encryptor.assign_ssrc_to_codec(1, dave.Codec.opus)
        self.decryptors: dict[int, dave.Decryptor] = {}
        self.switches_at_once = True

    def begin(self, channel_id: int, external_sender: bytes) -> None:
        self.session.init(1, channel_id, str(self.user_id), None)
        self.session.set_external_sender(external_sender)

    def key_package(self) -> bytes:
        package = self.session.get_marshalled_key_package()
        assert package is not None
        return package

    def commit(self, proposals: bytes, expected: set[int]) -> bytes:
        payload = self.session.process_proposals(proposals, {str(user_id) for user_id in expected})
        assert payload is not None, self.problems
        return payload

    def committed(self, commit: bytes, expected: set[int]) -> None:
        assert isinstance(self.session.process_commit(commit), dict), self.problems
        self._new_keys(expected)

    def welcomed(self, welcome: bytes, expected: set[int]) -> None:
        roster = self.session.process_welcome(welcome, {str(user_id) for user_id in expected})
        assert roster is not None, self.problems
        self._new_keys(expected)

    def _new_keys(self, members: set[int]) -> None:
        for user_id in members - {self.user_id}:
            ratchet = self.session.get_key_ratchet(str(user_id))
            assert ratchet is not None
            self.decryptors.setdefault(user_id, dave.Decryptor()).transition_to_key_ratchet(ratchet)
        if self.switches_at_once:
            self.switch()

    def switch(self) -> None:
        self.encryptor.set_key_ratchet(self.session.get_key_ratchet(str(self.user_id)))

    def seal(self, frame: bytes) -> bytes:
        sealed = self.encryptor.encrypt(dave.MediaType.audio, 1, frame)
        assert sealed is not None
        return sealed

    def open(self, user_id: int, frame: bytes) -> bytes:
        decryptor = self.decryptors.get(user_id)
        if decryptor is None:
            raise Undecryptable(Reason.NO_KEY)
        opened = decryptor.decrypt(dave.MediaType.audio, frame)
        if opened is None:
            raise Undecryptable(Reason.WRONG_KEY)
        return opened


class DaveyMember:
    """The library that the sidecar uses."""

    def __init__(self, user_id: int) -> None:
        self.user_id = user_id
        self.session: davey.DaveSession | None = None

    @property
    def group(self) -> davey.DaveSession:
        assert self.session is not None
        return self.session

    def begin(self, channel_id: int, external_sender: bytes) -> None:
        self.session = davey.DaveSession(1, self.user_id, channel_id)
        self.session.set_external_sender(external_sender)

    def key_package(self) -> bytes:
        return self.group.get_serialized_key_package()

    def commit(self, proposals: bytes, expected: set[int]) -> bytes:
        made = self.group.process_proposals(davey.ProposalsOperationType.append, proposals[1:], sorted(expected))
        assert made is not None
        return made.commit + (made.welcome or b"")

    def committed(self, commit: bytes, expected: set[int]) -> None:
        self.group.process_commit(commit)

    def welcomed(self, welcome: bytes, expected: set[int]) -> None:
        self.group.process_welcome(welcome)

    def seal(self, frame: bytes) -> bytes:
        return self.group.encrypt_opus(frame)

    def open(self, user_id: int, frame: bytes) -> bytes:
        return self.group.decrypt(user_id, davey.MediaType.audio, frame)


class Room:
    """Runs the group of a channel: who is in it, and what the voice server sends when that changes."""

    def __init__(self, channel_id: int = 4242) -> None:
        self.channel_id = channel_id
        self.server = DeliveryService(channel_id)
        self.epoch = 0
        self.leaves: list[Member | None] = []

    @property
    def members(self) -> list[Member]:
        return [member for member in self.leaves if member is not None]

    def join(self, *joining: Member, committer: int = 0) -> None:
        """Adds members one after another; `committer` counts those who are in the group already."""
        for member in joining:
            member.begin(self.channel_id, self.server.external_sender())
            if self.leaves:
                self._change(self.server.add(self.epoch, member.key_package()), committer, joins=member)
            else:
                self.leaves.append(member)

    def leave(self, member: Member) -> None:
        leaf = self.leaves.index(member)
        proposal = self.server.remove(self.epoch, leaf)
        self.leaves[leaf] = None
        self._change(proposal, 0)

    def _change(self, proposal: bytes, committer: int, joins: Member | None = None) -> None:
        staying = self.members
        expected = {member.user_id for member in staying} | ({joins.user_id} if joins else set())
        payload = proposals_payload(proposal)
        commits = [member.commit(payload, expected) for member in staying]
        commit, welcome = split_commit(commits[committer])
        for member in staying:
            member.committed(commit, expected)
        self.epoch += 1
        if joins:
            assert welcome is not None
            if None in self.leaves:
                self.leaves[self.leaves.index(None)] = joins
            else:
                self.leaves.append(joins)
            joins.welcomed(welcome, expected)


__all__ = ["DaveyMember", "LibdaveMember", "Member", "Room", "vector"]
