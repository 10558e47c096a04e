"""What the gateway says about our own voice connection in a guild, in whatever order it comes. Pure."""

from __future__ import annotations

from typing import NamedTuple

from voice_sidecar.connection.wire import Credentials


class OwnState(NamedTuple):
    """Our own voice state.

    Attributes:
        channel_id: Where we are; None outside of all channels.
        session_id: Names the voice session.
        suppressed: In a stage's audience.
        muted: By a moderator.
    """

    channel_id: int | None
    session_id: str
    suppressed: bool = False
    muted: bool = False


def read_state(data: object) -> OwnState | None:
    """Reads the `d` of VOICE_STATE_UPDATE; None if it is not one."""
    match data:
        case {"channel_id": None}:
            return OwnState(None, "")
        case {"channel_id": str() as channel_id, "session_id": str() as session_id, **rest} if channel_id.isdecimal():
            return OwnState(int(channel_id), session_id, bool(rest.get("suppress")), bool(rest.get("mute")))
    return None


class Handshake:
    """The two halves of what a voice session is opened with: our state, and the server."""

    def __init__(self) -> None:
        self._session_id: str | None = None
        self._server: tuple[str, str] | None = None

    def expect(self) -> None:
        """We ask anew: what came before does not count."""
        self._session_id = None
        self._server = None

    def state(self, state: OwnState) -> None:
        """VOICE_STATE_UPDATE: in a channel."""
        self._session_id = state.session_id

    def server(self, data: object) -> bool:
        """VOICE_SERVER_UPDATE. Without an endpoint, the server is gone and another one is being looked for.

        Returns:
            Whether it says anything else than before.
        """
        before = self._server
        match data:
            case {"token": str() as token, "endpoint": str() as endpoint} if endpoint:
                self._server = token, endpoint
            case _:
                self._server = None
        return self._server != before

    @property
    def credentials(self) -> Credentials | None:
        """What to open a session with, once both halves are there."""
        if self._session_id is None or self._server is None:
            return None
        token, endpoint = self._server
        return Credentials(self._session_id, token, endpoint)
