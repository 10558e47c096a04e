"""What of a voice connection outlasts its sessions: the receiver with its timer, the group, and the sender."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from voice_sidecar.connection.group import Answer, Group
from voice_sidecar.connection.outcomes import describe
from voice_sidecar.connection.sending import Route, Sender
from voice_sidecar.connection.wire import Binary, Malformed, Op, Text
from voice_sidecar.receiving import events
from voice_sidecar.receiving.dave import DaveyOpener
from voice_sidecar.receiving.receiver import Receiver
from voice_sidecar.receiving.transport import Mode

if TYPE_CHECKING:
    from collections.abc import Callable

    from voice_sidecar.connection.counters import Counters
    from voice_sidecar.receiving.speaker import Chunk

_log = logging.getLogger(__name__)


class Media:
    """Sound in both directions, for one voice connection. In the event loop, but for `sender`.

    Args:
        user_id: Our own.
        channel_id: The channel.
        heard: Whether a person agreed to be heard.
        on_chunks: Given what was heard.
        counters: To count in.

    Attributes:
        speaking: Whether we are to be shown as speaking.
    """

    _LOOK: Final = 0.03
    """Seconds; half of the shortest time after which the receiver wants to be asked."""

    def __init__(
        self,
        user_id: int,
        channel_id: int,
        heard: Callable[[int], bool],
        on_chunks: Callable[[list[Chunk]], None],
        counters: Counters,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self.group = Group(user_id, channel_id, counters)
        self.receiver = Receiver(heard, DaveyOpener(lambda: self.group))
        self.sender = Sender(self._protect, self._loop.time, counters)
        self.speaking = False
        self._on_chunks = on_chunks
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def ready(self) -> bool:
        """Whether what is sent now would be sent, and understood."""
        if not self.sender.attached or self.sender.hushed:
            return False
        return self.receiver.transitions.version == 0 or self.group.ready

    @property
    def lacks_group(self) -> bool:
        """Whether somebody is there with whom we should share keys, and do not."""
        return self.receiver.transitions.version != 0 and bool(self.group.others) and not self.group.ready

    def _protect(self, frame: bytes) -> bytes:
        """Version 0 is the only case in which anything leaves unsealed."""
        return frame if self.receiver.transitions.version == 0 else self.group.seal(frame)

    def datagram(self, datagram: bytes) -> None:
        """A datagram came."""
        if not self._closed:
            self._give(self.receiver.feed(datagram, self._loop.time()))

    def text(self, message: Text) -> Answer:
        """A JSON message came."""
        self._give(self.receiver.feed_event(message.op, message.data, self._loop.time()))
        return self.group.take(message)

    def binary(self, message: Binary) -> Answer:
        """A binary message came."""
        answer = self.group.take_binary(message)
        if answer.taken is not None:
            data = {"transition_id": answer.taken}
            self._give(self.receiver.feed_event(message.op, data, self._loop.time()))
        return answer

    def attach(self, route: Route, description: object) -> None:
        """A session stands, as its op 4 describes it.

        Raises:
            Malformed: If it describes what is not known here.
        """
        try:
            described = events.parse_event(Op.SESSION_DESCRIPTION, description)
            assert isinstance(described, events.SessionDescribed)  # noqa: S101  # that opcode has no other type
            mode = Mode(described.mode)
        except ValueError:
            raise Malformed("a session description that cannot be read") from None
        self.sender.attach(route, mode, bytes(described.secret_key))

    def detach(self) -> None:
        """The session is over."""
        self.sender.detach()

    def close(self) -> None:
        """The connection is over: nothing is given out any more."""
        self._closed = True
        self.sender.detach()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give(self, chunks: list[Chunk]) -> None:
        if self._closed:
            return
        self._arm()
        if not chunks:
            return
        try:
            self._on_chunks(chunks)
        except Exception as error:  # noqa: BLE001  # whoever listens may fail; the connection goes on
            _log.error("What was heard could not be handled: %s", describe(error))

    def _arm(self) -> None:
        """Sees to it that what is due by time alone is given out.

        Not by asking for the next deadline after each packet, which with many speakers would cost more than packets
        do: the timer looks often enough to be set to each deadline before it comes.
        """
        if self._timer is None:
            self._timer = self._loop.call_later(self._LOOK, self._tick)

    def _tick(self) -> None:
        self._timer = None
        now = self._loop.time()
        deadline = self.receiver.next_deadline()
        if deadline is None:
            return
        if deadline > now:
            self._timer = self._loop.call_at(min(deadline, now + self._LOOK), self._tick)
            return
        self._give(self.receiver.tick(now))
