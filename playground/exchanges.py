"""Interactions as Discord keeps them: what was sent, what came back, and what of it people see."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from playground.rules_callbacks import AUTOCOMPLETE, CHOICES, DEFERRED_UPDATE, MODAL

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playground.messages import Message
    from playground.world import Place, User

RESPONSE_S: Final = 3.0
TOKEN_S: Final = 15 * 60.0
NO_ANSWER: Final = "The application did not respond"
PROGRESS_MARK: Final = "⏳"
STREAMING_MARK: Final = "▌"


@dataclass(eq=False)
class Interaction:
    """One interaction and everything that belongs to it. Its desk's lock guards it.

    Attributes:
        kind: Discord's type of interaction.
        payload: what was POSTed to the application.
        sent_at: on the playground's clock, seconds since the epoch.
        source: the message whose component was used, if one was.
        focused_type: for autocomplete, the type of the option being typed.
        opened_by: for a submitted modal, the interaction that opened it.
        response: the type of the first response, once there is one.
        responded_at: on the machine's monotonic clock.
        original: the first response's message.
        follow_ups: later ones.
        modal: what the application opened.
        choices: what it offered to an autocomplete.
        failed: why nothing more can come, in a word; `refused` has Discord's refusal if that was it.
    """

    id: str
    token: str
    kind: int
    user: User
    place: Place
    payload: dict[str, Any]
    sent_at: float
    source: Message | None = None
    focused_type: int | None = None
    opened_by: Interaction | None = None
    response: int | None = None
    responded_at: float = 0.0
    deferred: bool = False
    first_follow_up_fills: bool = False
    original: Message | None = None
    follow_ups: list[Message] = field(default_factory=list)
    modal: dict[str, Any] | None = None
    choices: list[dict[str, Any]] | None = None
    failed: str | None = None
    refused: dict[str, Any] | None = None
    status: int | None = None
    response_ms: float | None = None
    changed_at: float = field(default_factory=time.monotonic)
    changes: int = 0

    @property
    def messages(self) -> list[Message]:
        """What the application has said and not deleted."""
        said = [self.original] if self.original else []
        return [message for message in (*said, *self.follow_ups) if not message.deleted]

    @property
    def on_message(self) -> bool:
        """Whether it may update a message with a component."""
        return self.source is not None

    def error(self, now: float) -> str | None:
        """What Discord's client shows instead of an answer, at this time of the playground's clock."""
        if self.response is not None:
            return None
        if self.failed is not None or now - self.sent_at > RESPONSE_S:
            return NO_ANSWER
        return None

    def settled(self, now: float, quiet_s: float) -> bool:
        """Whether this is how it stays: complete, and unchanged for so long."""
        if self.error(now) is not None:
            return True
        if self.response is None:
            return False
        if self.response in {MODAL, CHOICES} or self.kind == AUTOCOMPLETE:
            return True
        if any(unfinished(message) for message in self.messages):
            return False
        if self.response == DEFERRED_UPDATE and not self.changes:
            return False
        return time.monotonic() - self.changed_at >= quiet_s

    def touch(self) -> None:
        """Note that something of it changed."""
        self.changed_at = time.monotonic()
        self.changes += 1

    def metadata(self, owners: Mapping[str, str]) -> dict[str, Any]:
        """`interaction_metadata` of the messages that answer it."""
        shown: dict[str, Any] = {
            "id": self.id,
            "type": self.kind,
            "user": self.user.json(),
            "authorizing_integration_owners": dict(owners),
        }
        if self.opened_by is not None:
            shown["triggering_interaction_metadata"] = self.opened_by.metadata(owners)
        elif self.source is not None:
            shown["interacted_message_id"] = self.source.id
        return shown


def unfinished(message: Message) -> bool:
    """Whether a message shows that more is to come: thinking, progress, or text still being written."""
    return message.loading or message.content.startswith(PROGRESS_MARK) or message.content.endswith(STREAMING_MARK)
