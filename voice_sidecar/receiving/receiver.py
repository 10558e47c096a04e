"""From datagrams to one stream of 16 kHz sound a speaker, for those who agreed to be heard.

The order in which a packet is looked at, each step on what the one before it let through: RTP header, whose source it
is, consent, transport cipher, replay, extension and padding, duplicates, order, end-to-end cipher, Opus. Whoever did
not agree is told by the header alone: their packets are neither opened nor kept. What comes from a source that nobody
has claimed yet waits as it came, sealed, and meets the same steps once the source has a name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, assert_never

from voice_sidecar.receiving import dave, events, opus, rtp
from voice_sidecar.receiving.counters import Counters, Dropped
from voice_sidecar.receiving.hold import Hold
from voice_sidecar.receiving.jitter import Settings
from voice_sidecar.receiving.replay import NonceMemory, Refusal
from voice_sidecar.receiving.speaker import Chunk, Speaker
from voice_sidecar.receiving.transport import Mode, NotAuthentic, Opener

if TYPE_CHECKING:
    from collections.abc import Callable

_MOST_SOURCES: Final = 2048


class Receiver:
    """Everything that is heard in one voice connection. Not for several threads at a time.

    Args:
        heard: Whether a person agreed to be heard, at this moment. Asked for every packet, and again before anything
            that waits is given out: so revoking is immediate.
        opener: The end-to-end encrypted group.
        settings: Of the jitter buffers.
    """

    def __init__(
        self, heard: Callable[[int], bool], opener: dave.FrameOpener, *, settings: Settings | None = None
    ) -> None:
        self.counters = Counters()
        self.transitions = dave.Transitions()
        self._heard = heard
        self._opener = opener
        self._settings = settings or Settings()
        self._transport: Opener | None = None
        self._nonces = NonceMemory()
        self._users: dict[int, int] = {}  # by source
        self._speakers: dict[int, Speaker] = {}  # by source
        self._streams = 0
        self._unclaimed: Hold[tuple[rtp.RtpHeader, bytes]] = Hold(most_keys=16, most_items=100, longest=2.0)

    def feed(self, datagram: bytes, now: float) -> list[Chunk]:
        """Takes a datagram as it came from the socket.

        Args:
            datagram: Any bytes.
            now: Seconds of a clock that never goes back.

        Returns:
            The sound of its speaker that is due. See `tick` for what becomes due by time alone.
        """
        self.counters.received += 1
        if rtp.kind_of(datagram) is not rtp.Kind.RTP:
            return self._drop(Dropped.NOT_MEDIA)
        try:
            header = rtp.parse_header(datagram)
        except rtp.MalformedPacket:
            return self._drop(Dropped.MALFORMED)
        if header.payload_type != rtp.AUDIO_PAYLOAD_TYPE:
            return self._drop(Dropped.NOT_AUDIO)
        if self._transport is None:
            return self._drop(Dropped.NO_SESSION)
        user_id = self._users.get(header.ssrc)
        if user_id is None:
            self.counters.held += 1
            return self._drop(Dropped.HOLD_FULL, self._unclaimed.add(header.ssrc, (header, datagram), now))
        if not self._take(self._transport, user_id, header, datagram, now):
            return []
        return self._speakers[header.ssrc].give(now)

    def feed_event(self, op: int, data: object, now: float) -> list[Chunk]:
        """Takes a voice gateway message: all may be fed, those that matter are picked.

        Args:
            op: Its opcode.
            data: Its `d`. For the binary ops 29 and 30, once the group took them: `{"transition_id": …}`.
            now: As for `feed`.

        Returns:
            The sound that waited for this.
        """
        try:
            event = events.parse_event(op, data)
            return [] if event is None else self._apply(event, now)
        except events.MalformedEvent:
            self.counters.malformed_events += 1
            return []

    def tick(self, now: float) -> list[Chunk]:
        """The sound of all speakers that is due by time alone: after gaps, and in pauses."""
        self._drop(Dropped.HOLD_EXPIRED, self._unclaimed.expire(now))
        chunks: list[Chunk] = []
        for ssrc in list(self._speakers):
            speaker = self._speakers[ssrc]
            if self._heard(speaker.user_id):
                chunks += speaker.give(now)
            else:
                self._forget_source(ssrc)
        return chunks

    def next_deadline(self) -> float | None:
        """When to call `tick`; None if only a packet or an event can change anything."""
        deadlines = [speaker.jitter.next_deadline() for speaker in self._speakers.values()]
        deadlines.append(self._unclaimed.next_deadline())
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def forget(self, user_id: int) -> None:
        """Lets go of all that is kept of a person's sound, at once: they took their consent back."""
        for ssrc in [ssrc for ssrc, owner in self._users.items() if owner == user_id]:
            self._forget_source(ssrc)

    def agreed(self) -> None:
        """Somebody agreed just now: what waits without a name may be theirs, from before that, and is let go."""
        for ssrc in self._unclaimed.held_keys():
            self._drop(Dropped.NO_CONSENT, len(self._unclaimed.take(ssrc)))

    def _drop(self, reason: Dropped, count: int = 1) -> list[Chunk]:
        if count:
            self.counters.dropped[reason] += count
        return []

    def _take(self, transport: Opener, user_id: int, header: rtp.RtpHeader, datagram: bytes, arrived: float) -> bool:
        """Opens a packet of a known person, if they agreed. True if their stream has something new."""
        ssrc = header.ssrc
        if not self._heard(user_id):
            self._drop(Dropped.NO_CONSENT)
            self._forget_source(ssrc)
            return False
        try:
            opened, nonce = transport.open(datagram, header.size)
            if not self._nonces.fresh(ssrc, nonce):
                self._drop(Dropped.REPLAYED)
                return False
            media = rtp.media_of(header, opened)
        except NotAuthentic:
            self._drop(Dropped.NOT_AUTHENTIC)
            return False
        except rtp.MalformedPacket:
            self._drop(Dropped.MALFORMED)
            return False
        speaker = self._speaker(ssrc, user_id)
        index = speaker.window.admit(header.sequence)
        if isinstance(index, Refusal):
            self._drop(Dropped.DUPLICATE if index is Refusal.DUPLICATE else Dropped.OUT_OF_PLACE)
            return False
        speaker.take(index, header.timestamp, media, arrived)
        return True

    def _open_frame(self, user_id: int, media: bytes, arrived: float) -> bytes:
        plain_allowed = self.transitions.plain_allowed(arrived)
        frame = dave.open_frame(media, user_id, opener=self._opener, plain_allowed=plain_allowed)
        if frame is media and frame != opus.SILENCE:
            self.counters.plain += 1
        return frame

    def _speaker(self, ssrc: int, user_id: int) -> Speaker:
        speaker = self._speakers.get(ssrc)
        if speaker is None:
            self._streams += 1
            speaker = self._speakers[ssrc] = Speaker(
                user_id, self._streams, self._open_frame, self._settings, self.counters
            )
        return speaker

    def _forget_source(self, ssrc: int) -> None:
        self._speakers.pop(ssrc, None)
        self._unclaimed.take(ssrc)

    def _apply(self, event: events.Event, now: float) -> list[Chunk]:
        match event:
            case events.SessionDescribed():
                self._begin_session(event)
            case events.Speaking():
                return self._claim(event.ssrc, events.user_number(event.user_id), now)
            case events.SourcesAnnounced():
                if event.audio_ssrc:
                    return self._claim(event.audio_ssrc, events.user_number(event.user_id), now)
            case events.MemberLeft():
                self._leave(events.user_number(event.user_id))
            case events.TransitionPrepared():
                self.transitions.prepare(event.transition_id, event.protocol_version, now)
            case events.TransitionExecuted():
                self.transitions.execute(event.transition_id, now)
            case events.EpochPrepared():
                if event.epoch == 1:
                    self.transitions.prepare_epoch(event.protocol_version)
            case events.KeysChanged():
                self.transitions.announce(event.transition_id, now)
                return self.tick(now)
            case _:
                assert_never(event)
        return []

    def _begin_session(self, event: events.SessionDescribed) -> None:
        """A new session has a new key, and new sources."""
        for ssrc in [*self._speakers, *self._unclaimed.held_keys()]:
            self._forget_source(ssrc)
        self._users.clear()
        self._nonces = NonceMemory()
        self._transport = None
        self.transitions.describe(event.dave_protocol_version)
        try:
            self._transport = Opener(Mode(event.mode), bytes(event.secret_key))
        except ValueError:
            raise events.MalformedEvent("a mode that is not known here") from None

    def _claim(self, ssrc: int, user_id: int, now: float) -> list[Chunk]:
        """A source has a name: what waited for it is looked at."""
        if self._users.get(ssrc) == user_id:
            return []
        waiting = self._unclaimed.take(ssrc)
        self._forget_source(ssrc)
        self._users[ssrc] = user_id
        while len(self._users) > _MOST_SOURCES:
            oldest = next(iter(self._users))
            del self._users[oldest]
            self._forget_source(oldest)
        if self._transport is None:
            return []
        new = [self._take(self._transport, user_id, *item, arrived) for arrived, item in waiting]
        return self._speakers[ssrc].give(now) if any(new) else []

    def _leave(self, user_id: int) -> None:
        self.forget(user_id)
        self._users = {ssrc: owner for ssrc, owner in self._users.items() if owner != user_id}
