"""A person's client as far as end-to-end encryption goes: Discord's own library, led by the voice gateway."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import dave

from tests.voice.discord.checks import looks_sealed
from tests.voice.discord.sealing import SILENCE

Send = Callable[[int, object], None]


class CannotOpen(ValueError):
    """A sealed frame that the library cannot open."""


class LibdaveClient:
    """One client in one call.

    Args:
        version: The protocol's version of the call on joining.
        send: Takes an opcode, and bytes for a binary message or else JSON.
    """

    def __init__(self, user_id: int, channel_id: int, version: int, send: Send) -> None:
        self.user_id = user_id
        self.version = version
        self.late_frames = 0
        """So many frames are still sealed with the old key after each op 22."""
        self.problems: list[str] = []
        self._channel_id = channel_id
        self._send = send
        self._session = dave.Session(lambda *what: self.problems.append(": ".join(map(str, what))))
        self._external_sender: bytes | None = None
        self._initialised = False
        self._recognised = {user_id}
        self._encryptor = dave.Encryptor()
        self._encryptor.assign_ssrc_to_codec(1, dave.Codec.opus)
        self._decryptors: dict[int, dave.Decryptor] = {}
        self._pending: dict[int, tuple[int, dave.IKeyRatchet | None]] = {}
        self._next_key: dave.IKeyRatchet | None = None
        self._upgrade = 0
        self._late = 0
        if version:
            self._begin(version)

    def receive(self, op: int, data: Mapping[str, Any]) -> None:
        """A JSON message."""
        if op == 11:
            self._recognised.update(map(int, data["user_ids"]))
        elif op == 13:
            self._recognised.discard(int(data["user_id"]))
        elif op == 21:
            self._pending[data["transition_id"]] = (data["protocol_version"], None)
            if data["transition_id"] == 0:
                self._execute(0)
            else:
                self._send(23, {"transition_id": data["transition_id"]})
        elif op == 22:
            self._execute(data["transition_id"])
        elif op == 24 and data["epoch"] == 1:
            self._upgrade = data["protocol_version"]
            self._begin(data["protocol_version"])

    def receive_binary(self, op: int, payload: bytes) -> None:
        if op == 25:
            self._external_sender = payload
            if self._initialised:
                self._session.set_external_sender(payload)
        elif op == 27:
            made = self._session.process_proposals(payload, self._recognised_names())
            if made is not None:
                self._send(28, made)
        elif op == 29:
            if isinstance(self._session.process_commit(payload[2:]), dict):
                self._joined(int.from_bytes(payload[:2], "big"))
            else:
                self._refuse(int.from_bytes(payload[:2], "big"))
        elif op == 30:
            if self._session.process_welcome(payload[2:], self._recognised_names()) is not None:
                self._joined(int.from_bytes(payload[:2], "big"))
            else:
                self._refuse(int.from_bytes(payload[:2], "big"))

    def seal(self, frame: bytes) -> bytes:
        """Raises AssertionError without a key."""
        if self.version == 0:
            return frame
        if self._late:
            self._late -= 1
            if not self._late:
                sealed = self._encrypt(frame)
                self._switch()
                return sealed
        return self._encrypt(frame)

    def _encrypt(self, frame: bytes) -> bytes:
        sealed = self._encryptor.encrypt(dave.MediaType.audio, 1, frame)
        assert sealed is not None, f"{self.user_id} has no key: {self.problems}"
        return sealed

    def open(self, user_id: int, frame: bytes) -> bytes:
        """The Opus packet of a frame. Raises `CannotOpen`."""
        if frame == SILENCE or not looks_sealed(frame):
            return frame
        decryptor = self._decryptors.get(user_id)
        if decryptor is None:
            raise CannotOpen("no key")
        opened = decryptor.decrypt(dave.MediaType.audio, frame)
        if opened is None:
            raise CannotOpen("wrong key, or opened before")
        return opened

    def _begin(self, version: int) -> None:
        self._session.reset()
        self._session.init(version, self._channel_id, str(self.user_id), None)
        self._initialised = True
        if self._external_sender is not None:
            self._session.set_external_sender(self._external_sender)
        package = self._session.get_marshalled_key_package()
        assert package is not None, self.problems
        self._send(26, package)

    def _recognised_names(self) -> set[str]:
        return {str(user_id) for user_id in self._recognised}

    def _refuse(self, transition_id: int) -> None:
        self._send(31, {"transition_id": transition_id})
        self._begin(self._upgrade or self.version)

    def _joined(self, transition_id: int) -> None:
        for user_id in self._recognised - {self.user_id}:
            ratchet = self._session.get_key_ratchet(str(user_id))
            if ratchet is not None:
                self._decryptors.setdefault(user_id, dave.Decryptor()).transition_to_key_ratchet(ratchet)
        # The group may be further on when this key is used.
        own = self._session.get_key_ratchet(str(self.user_id))
        self._pending[transition_id] = (self._upgrade or self.version, own)
        if transition_id:
            self._send(23, {"transition_id": transition_id})
        else:
            self._execute(0)

    def _execute(self, transition_id: int) -> None:
        if transition_id not in self._pending:
            return
        self.version, key = self._pending.pop(transition_id)
        if self.version == self._upgrade:
            self._upgrade = 0
        if key is None:
            return
        self._next_key = key
        if self.late_frames and self._encryptor.has_key_ratchet():
            self._late = self.late_frames
        else:
            self._switch()

    def _switch(self) -> None:
        self._encryptor.set_key_ratchet(self._next_key)
        self._next_key, self._late = None, 0
