"""Our membership in a call's end-to-end encrypted group (DAVE): what the voice gateway says, and what we answer.

No I/O: messages in, messages out. MLS itself is `davey`'s. What it does not do, or does otherwise than Discord's own
library, is done here:

- The external sender (op 25) may come before the session (op 4), twice, or in the middle of a group: it is kept, and
  used with the group that is formed next.
- Only people whom the voice server announced (ops 5, 11, 12) are let in: neither proposals nor a group with others in
  it are taken.
- No exception of the library ends the connection. Proposals that are not understood are left aside: either the commit
  for them is not understood as well, or nothing comes of them. After a commit or welcome that is not understood we
  ask to be added anew (op 31), and after several of those the voice session is given up.

The library's session is used by the event loop and by the thread that plays; a lock sees to it that never both are.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar

import davey

from voice_sidecar.connection import wire
from voice_sidecar.connection.counters import Counters, Refused
from voice_sidecar.connection.wire import Binary, Message, Op, Text
from voice_sidecar.receiving import events

if TYPE_CHECKING:
    from collections.abc import Callable

MAX_VERSION: Final[int] = davey.DAVE_PROTOCOL_VERSION
_T = TypeVar("_T")


class NotReady(Exception):
    """There is no key to seal with."""


class _Failed(Exception):
    """The library refused."""


@dataclass(slots=True)
class Answer:
    """What follows a message.

    Attributes:
        send: To the voice gateway, in this order.
        taken: For ops 29 and 30: the transition that the group has taken.
        broken: The group does not come about in this voice session.
    """

    send: list[Message] = field(default_factory=list)
    taken: int | None = None
    broken: bool = False


class Group:
    """The group of one voice connection, over all its voice sessions.

    Args:
        user_id: Our own.
        channel_id: The channel, which names the group; it may be changed, and counts from the next group on.
        counters: To count in.
    """

    MOST_RECOVERIES: Final = 5
    """In a row, before the voice session is given up."""

    def __init__(self, user_id: int, channel_id: int, counters: Counters) -> None:
        self.channel_id = channel_id
        self._user_id = user_id
        self._counters = counters
        self._lock = threading.Lock()
        self._session: davey.DaveSession | None = None
        self._sender: bytes | None = None
        self._members: set[int] = set()
        self._announced: set[int] = set()
        self._recoveries = 0

    def begin(self) -> None:
        """A voice session begins: nothing is left of the one before it."""
        with self._lock:
            self._session = None
        self._sender = None
        self._members.clear()
        self._announced.clear()
        self._recoveries = 0

    @property
    def ready(self) -> bool:
        """Whether there are keys to seal and to open with."""
        with self._lock:
            return self._session is not None and self._session.ready

    @property
    def others(self) -> frozenset[int]:
        """Who else is in the call, by what was announced."""
        return frozenset(self._members - {self._user_id})

    @property
    def privacy_code(self) -> str | None:
        """What members can compare to know that nobody is in between; None without a group."""
        with self._lock:
            return self._session.voice_privacy_code if self._session is not None else None

    def seal(self, frame: bytes) -> bytes:
        """Seals an Opus packet for the group. From any thread.

        Raises:
            NotReady: If there is no key yet. Never is anything given out in the clear.
        """
        with self._lock:
            session = self._session
            if session is None or not session.ready:
                raise NotReady
            try:
                return _library(lambda: session.encrypt_opus(frame))
            except _Failed:
                raise NotReady from None

    def decrypt(self, user_id: int, media_type: davey.MediaType, frame: bytes, /) -> bytes:
        """Opens a member's frame, in the terms of the library, for `receiving.dave.DaveyOpener`."""
        with self._lock:
            if self._session is None:
                raise ValueError("NoDecryptorForUser")
            return self._session.decrypt(user_id, media_type, frame)

    def take(self, message: Text) -> Answer:
        """Takes a JSON message; most do not concern the group."""
        try:
            return self._take(message)
        except (events.MalformedEvent, wire.Malformed):
            self._counters.refused[Refused.MALFORMED] += 1
            return Answer()

    def take_binary(self, message: Binary) -> Answer:
        """Takes a binary message."""
        match message.op:
            case Op.EXTERNAL_SENDER:
                return self._external_sender(message.payload)
            case Op.PROPOSALS:
                return self._proposals(message.payload)
            case Op.ANNOUNCE_COMMIT | Op.WELCOME:
                return self._new_epoch(message)
        return Answer()

    def _take(self, message: Text) -> Answer:
        if message.op == Op.CLIENTS_CONNECT:
            for user_id in wire.read_clients(message.data).user_ids:
                self._announce(user_id)
            return Answer()
        match events.parse_event(message.op, message.data):
            case events.SessionDescribed(dave_protocol_version=version):
                with self._lock:
                    self._session = None
                return self._form(version) if version else Answer()
            case events.Speaking(user_id=user_id) | events.SourcesAnnounced(user_id=user_id):
                self._announce(user_id)
            case events.MemberLeft(user_id=user_id):
                self._members.discard(events.user_number(user_id))
            case events.TransitionPrepared(transition_id=0):
                self._counters.transitions += 1
            case events.TransitionPrepared(transition_id=transition):
                return Answer([_transition_ready(transition)])
            case events.TransitionExecuted():
                self._counters.transitions += 1
            case events.EpochPrepared(epoch=1, protocol_version=version) if version:
                return self._form(version)
        return Answer()

    def _announce(self, user_id: str) -> None:
        number = events.user_number(user_id)
        self._members.add(number)
        self._announced.add(number)

    def _form(self, version: int) -> Answer:
        """A new group, which we ask to be a member of."""
        try:
            with self._lock:
                if self._session is None:
                    self._session = _library(lambda: davey.DaveSession(version, self._user_id, self.channel_id))
                else:
                    session = self._session
                    _library(lambda: session.reinit(version, self._user_id, self.channel_id))
                self._use_sender(self._session)
                session = self._session
                package = _library(session.get_serialized_key_package)
        except _Failed:
            return Answer(broken=True)
        return Answer([Binary(Op.KEY_PACKAGE, package)])

    def _use_sender(self, session: davey.DaveSession) -> bool:
        """False if the library refuses it."""
        sender = self._sender
        if sender is None:
            return True
        try:
            _library(lambda: session.set_external_sender(sender))
        except _Failed:
            self._counters.refused[Refused.SENDER] += 1
            return False
        return True

    def _external_sender(self, payload: bytes) -> Answer:
        before, self._sender = self._sender, payload
        with self._lock:
            session = self._session
            in_use = session is None or session.ready or payload == before or self._use_sender(session)
        if not in_use:
            self._sender = before
        return Answer()

    def _proposals(self, payload: bytes) -> Answer:
        kinds = {0: davey.ProposalsOperationType.append, 1: davey.ProposalsOperationType.revoke}
        kind = kinds.get(payload[0]) if payload else None
        if kind is None:
            self._counters.refused[Refused.MALFORMED] += 1
            return Answer()
        expected = sorted(self._members | {self._user_id})
        try:
            with self._lock:
                session = self._need_session()
                made = _library(lambda: session.process_proposals(kind, payload[1:], expected))
        except _Failed as problem:
            stranger = "UnexpectedUser" in str(problem)
            self._counters.refused[Refused.STRANGER if stranger else Refused.PROPOSALS] += 1
            return Answer()
        return Answer([Binary(Op.COMMIT_WELCOME, made.commit + (made.welcome or b""))] if made else [])

    def _new_epoch(self, message: Binary) -> Answer:
        if len(message.payload) < 2:  # noqa: PLR2004  # the transition's 16 bits
            self._counters.refused[Refused.MALFORMED] += 1
            return Answer()
        transition = int.from_bytes(message.payload[:2], "big")
        welcome = message.op == Op.WELCOME
        try:
            with self._lock:
                session = self._need_session()
                take: Callable[[bytes], None] = session.process_welcome if welcome else session.process_commit
                _library(lambda: take(message.payload[2:]))
                members = {int(user_id) for user_id in session.get_user_ids()}
        except _Failed:
            self._counters.refused[Refused.WELCOME if welcome else Refused.COMMIT] += 1
            return self._recover(transition)
        if members - self._announced - {self._user_id}:
            self._counters.refused[Refused.STRANGER] += 1
            return self._recover(transition)
        self._recoveries = 0
        self._counters.commits += 1
        return Answer([_transition_ready(transition)] if transition else [], taken=transition)

    def _recover(self, transition: int) -> Answer:
        """What came cannot be taken: out of the group, and in again."""
        if self._session is None:
            return Answer()
        self._recoveries += 1
        if self._recoveries > self.MOST_RECOVERIES:
            return Answer(broken=True)
        self._counters.recoveries += 1
        again = self._form(self._session.protocol_version)
        again.send.insert(0, Text(Op.INVALID_COMMIT_WELCOME, {"transition_id": transition}))
        return again

    def _need_session(self) -> davey.DaveSession:
        if self._session is None:
            raise _Failed("NoSession")
        return self._session


def _transition_ready(transition: int) -> Message:
    return Text(Op.TRANSITION_READY, {"transition_id": transition})


def _library(call: Callable[[], _T]) -> _T:
    """Calls the library; whatever it raises becomes `_Failed`."""
    try:
        return call()
    except Exception as error:  # noqa: BLE001  # it raises ValueError today; nothing of it may end a connection
        raise _Failed(str(error)) from None
    except BaseException as error:
        # A panic of the library is no Exception in Python.
        if type(error).__name__ != "PanicException":
            raise
        raise _Failed("panic") from None
