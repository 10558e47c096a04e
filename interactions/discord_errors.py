"""How a call to Discord fails.

DiscordError              says the HTTP status and Discord's code, never what was sent
├── TokenExpired          the interaction's token is no longer valid (15 min), or the answer came too late (3 s)
├── Gone                  what the call is about is not there
├── Refused               Discord takes the request for wrong: repeating it would change nothing
│   └── MissingToken      the call needs a bot token and none is configured: nothing was sent
└── DiscordUnavailable    no answer, or a server error, after retries
└── RateLimited       waiting for the limit would take longer than the deadline
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


class DiscordError(Exception):
    """Base of what a call raises. Neither message nor context carries a token, a URL or what people wrote.

    Attributes:
        status: the HTTP status; None if there was no answer.
        code: Discord's own error code; None if it gave none.
    """

    def __init__(self, status: int | None = None, code: int | None = None, detail: str = "") -> None:
        said = f"HTTP {status}" if status else "no answer"
        super().__init__(f"Discord: {said}{f', code {code}' if code else ''}{f': {detail}' if detail else ''}")
        self.status = status
        self.code = code


class TokenExpired(DiscordError):
    """The interaction's token is no longer valid."""


class Gone(DiscordError):
    """The message, channel or webhook is not there."""


class Refused(DiscordError):
    """Discord takes the request for wrong.

    Attributes:
        paths: for code 50035, where in the payload and which check, as `data.content BASE_TYPE_MAX_LENGTH`.
    """

    def __init__(self, status: int | None, code: int | None, paths: Sequence[str] = (), detail: str = "") -> None:
        super().__init__(status, code, detail or ", ".join(paths[:10]))
        self.paths = tuple(paths)


class MissingToken(Refused):
    """The call needs a bot token and there is none."""

    def __init__(self) -> None:
        super().__init__(None, None, detail="the call needs a bot token (DISCORD_TOKEN)")


class DiscordUnavailable(DiscordError):
    """Discord does not answer now, or answers with a server error."""


class RateLimited(DiscordUnavailable):
    """Too many requests, for longer than the call may wait.

    Attributes:
        retry_after: seconds until it may be tried again.
    """

    def __init__(self, status: int | None, code: int | None, after: float) -> None:
        super().__init__(status, code, f"too many requests, again in {after:.1f} s")
        self.retry_after = after
