"""Discord's refusals: an HTTP status and a JSON body with a code.

Codes and texts: Discord's documentation, topics/opcodes-and-status-codes.
"""

from __future__ import annotations

from typing import Any


class DiscordError(Exception):
    """A request that Discord refuses.

    Attributes:
        status: HTTP status.
        code: Discord's JSON error code; 0 for plain HTTP errors.
        message: Discord's words.
        errors: for code 50035, a tree of field names ending in `_errors`.
    """

    def __init__(self, status: int, code: int, message: str, errors: dict[str, Any] | None = None) -> None:
        super().__init__(f"{status} {code} {message}")
        self.status = status
        self.code = code
        self.message = message
        self.errors = errors

    def body(self) -> dict[str, Any]:
        """The JSON that goes over the wire."""
        body: dict[str, Any] = {"message": self.message, "code": self.code}
        if self.errors is not None:
            body["errors"] = self.errors
        return body


class Refused(Exception):
    """Something that Discord's client would not let a person send; the text says why."""


def invalid_form(errors: dict[str, Any]) -> DiscordError:
    """Fields that break a rule."""
    return DiscordError(400, 50035, "Invalid Form Body", errors)


def unauthorized() -> DiscordError:
    """No bot token, or a wrong one."""
    return DiscordError(401, 0, "401: Unauthorized")


def not_found() -> DiscordError:
    """No such route."""
    return DiscordError(404, 0, "404: Not Found")


def unknown_channel() -> DiscordError:
    """No such channel."""
    return DiscordError(404, 10003, "Unknown Channel")


def unknown_guild() -> DiscordError:
    """No such server."""
    return DiscordError(404, 10004, "Unknown Guild")


def unknown_message() -> DiscordError:
    """No such message, or it was deleted, or only somebody else sees it."""
    return DiscordError(404, 10008, "Unknown Message")


def unknown_webhook() -> DiscordError:
    """The interaction has no webhook (yet)."""
    return DiscordError(404, 10015, "Unknown Webhook")


def unknown_interaction() -> DiscordError:
    """A first response that came too late, or for an interaction that never was."""
    return DiscordError(404, 10062, "Unknown interaction")


def unknown_command() -> DiscordError:
    """No such application command."""
    return DiscordError(404, 10063, "Unknown application command")


def unknown_voice_state() -> DiscordError:
    """The person is in no voice channel."""
    return DiscordError(404, 10065, "Unknown Voice State")


def too_large() -> DiscordError:
    """A file or a request above the limit."""
    return DiscordError(413, 40005, "Request entity too large")


def already_acknowledged() -> DiscordError:
    """A second first response."""
    return DiscordError(400, 40060, "Interaction has already been acknowledged.")


def missing_access() -> DiscordError:
    """A channel where the bot is not."""
    return DiscordError(403, 50001, "Missing Access")


def cannot_edit_others() -> DiscordError:
    """Somebody else's message."""
    return DiscordError(403, 50005, "Cannot edit a message authored by another user")


def empty_message() -> DiscordError:
    """A message with nothing in it."""
    return DiscordError(400, 50006, "Cannot send an empty message")


def invalid_webhook_token() -> DiscordError:
    """A token that is wrong or older than 15 minutes."""
    return DiscordError(401, 50027, "Invalid Webhook Token")


def invalid_json() -> DiscordError:
    """A body that is not JSON."""
    return DiscordError(400, 50109, "The request body contains invalid JSON.")


def too_many_follow_ups() -> DiscordError:
    """The sixth follow-up where the application is only installed to the user."""
    return DiscordError(400, 40094, "This interaction has reached the maximum number of follow-up messages")
