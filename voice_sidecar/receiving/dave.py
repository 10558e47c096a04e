"""The end-to-end encryption of a speaker's frames (DAVE), and when a frame may come without.

Who may send what, in the order in which it is asked here:

- The three bytes of silence come in the clear at all times: servers and some clients send them so.
- A frame that looks sealed has to open with its speaker's key, in any version: after a downgrade, some still come.
- Any other frame is taken in version 0 (stage channels), for ten seconds after a downgrade is announced, as senders
  may hear of its beginning before us, and for ten seconds after an upgrade, in which frames from before may still be
  on their way. Otherwise somebody between us and the speaker made it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

import davey

from voice_sidecar.receiving import opus

if TYPE_CHECKING:
    from collections.abc import Callable

_MARKER: Final = b"\xfa\xfa"
_TAG_SIZE: Final = 8
_SMALLEST_TRAILER: Final = _TAG_SIZE + 1 + 1 + len(_MARKER)  # tag, nonce, the trailer's size, marker
_LONGEST_NONCE: Final = 5  # bytes of ULEB128 for 32 bits


class Reason(StrEnum):
    """Why a frame cannot be opened."""

    NO_KEY = "no_key"  # the group is not formed, or the speaker is not in it
    WRONG_KEY = "wrong_key"  # sealed by somebody else, in another epoch, or opened before
    PLAINTEXT = "plaintext"  # not sealed though it must be
    MALFORMED = "malformed"  # a trailer that no sender of audio writes
    FAILED = "failed"  # the library refused for another reason


class Undecryptable(ValueError):
    """A frame that stays closed."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class FrameOpener(Protocol):
    """A member's view of the group: opens what another member sealed."""

    def open(self, user_id: int, frame: bytes) -> bytes:
        """Opens a sealed frame of that member.

        Raises:
            Undecryptable: With the reason.
        """
        ...


class _Session(Protocol):
    @property
    def ready(self) -> bool: ...

    def decrypt(self, user_id: int, media_type: davey.MediaType, packet: bytes, /) -> bytes: ...


class DaveyOpener:
    """The group as `davey` keeps it.

    Args:
        session: Gives the session of the moment, or None: voice connections replace it.
    """

    _REASONS: Final = (("NoDecryptorForUser", Reason.NO_KEY), ("NoValidCryptorFound", Reason.WRONG_KEY))

    def __init__(self, session: Callable[[], _Session | None]) -> None:
        self._session = session

    def open(self, user_id: int, frame: bytes) -> bytes:
        """See `FrameOpener.open`."""
        session = self._session()
        if session is None or not session.ready:
            raise Undecryptable(Reason.NO_KEY)
        try:
            return session.decrypt(user_id, davey.MediaType.audio, frame)
        except ValueError as error:
            text = str(error)
            reason = next((reason for name, reason in self._REASONS if name in text), Reason.FAILED)
            raise Undecryptable(reason) from None
        except BaseException as error:
            # A panic of the library is no Exception in Python; one frame of one member must not end the process.
            if type(error).__name__ != "PanicException":
                raise
            raise Undecryptable(Reason.FAILED) from None


def looks_sealed(frame: bytes) -> bool:
    """Whether a frame ends as sealed ones do. One in a million Opus packets does by chance."""
    return (
        len(frame) >= _SMALLEST_TRAILER
        and frame.endswith(_MARKER)
        and _SMALLEST_TRAILER <= frame[-len(_MARKER) - 1] <= len(frame)
    )


def check_trailer(frame: bytes) -> None:
    """Checks what comes before the marker: tag, nonce, and nothing else, as Opus is sealed as a whole.

    Other codecs leave ranges in the clear; with those a member could make a frame that trips a library.

    Raises:
        Undecryptable: If it is anything else.
    """
    end = len(frame) - len(_MARKER) - 1
    nonce = frame[len(frame) - frame[end] + _TAG_SIZE : end]
    ends_once = nonce and nonce[-1] < 0x80 and all(byte >= 0x80 for byte in nonce[:-1])  # noqa: PLR2004  # ULEB128
    if not ends_once or len(nonce) > _LONGEST_NONCE:
        raise Undecryptable(Reason.MALFORMED)


class Transitions:
    """Whether frames may come unsealed, by what the voice gateway announced."""

    GRACE: Final = 10.0  # seconds, as in Discord's own library
    _MOST_PENDING: Final = 16

    def __init__(self) -> None:
        self.version = 0
        self.executed = 0
        self._pending: dict[int, int] = {}
        self._upgrade: int | None = None
        self._plain_until = float("-inf")

    def describe(self, version: int) -> None:
        """A session begins with this version (op 4)."""
        self.version = version
        self._pending.clear()
        self._upgrade = None
        self._plain_until = float("-inf")

    def prepare(self, transition_id: int, version: int, now: float) -> None:
        """A transition to a version is announced (op 21)."""
        self._pending[transition_id] = version
        if version == 0:
            self._plain_until = max(self._plain_until, now + self.GRACE)
        while len(self._pending) > self._MOST_PENDING:
            del self._pending[next(iter(self._pending))]
        if transition_id == 0:
            self.execute(0, now)

    def prepare_epoch(self, version: int) -> None:
        """A new group is announced, with the version that its first epoch will have (op 24)."""
        self._upgrade = version

    def announce(self, transition_id: int, now: float) -> None:
        """A commit or a welcome came (ops 29 and 30): what it leads to begins with its transition."""
        self.prepare(transition_id, self.version if self._upgrade is None else self._upgrade, now)

    def execute(self, transition_id: int, now: float) -> None:
        """A transition begins (op 22). One that nobody announced ends an upgrade, the safe way to be wrong."""
        version = self._pending.pop(transition_id, self.version if self._upgrade is None else self._upgrade)
        if version and not self.version:
            self._plain_until = now + self.GRACE
        if version and version == self._upgrade:
            self._upgrade = None
        self.version = version
        self.executed += 1

    def plain_allowed(self, now: float) -> bool:
        """Whether a frame may come unsealed at this time."""
        return self.version == 0 or now < self._plain_until


def open_frame(frame: bytes, user_id: int, *, opener: FrameOpener, plain_allowed: bool) -> bytes:
    """The Opus packet in a frame, by the rules above.

    Raises:
        Undecryptable: If there is none to be had.
    """
    if frame == opus.SILENCE:
        return frame
    if looks_sealed(frame):
        check_trailer(frame)
        return opener.open(user_id, frame)
    if not plain_allowed:
        raise Undecryptable(Reason.PLAINTEXT)
    return frame
