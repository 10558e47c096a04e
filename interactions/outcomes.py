"""What came out of a job, kept before it is shown, and how far showing it has come.

The outcome is written once. A second delivery of the job finds it and shows the same, without doing the work again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from interactions.outbound import Reply
from trainer import records
from trainer.ports import ObjectNotFound, PreconditionFailed, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainer.ports import ObjectStore
    from trainer.scope import Scope

CLAIM_S: Final = 60.0
"""After so long, whoever claimed a part is taken for dead: longer than sending one may take."""


class _Kept(Reply, frozen=True):
    """An outcome as it is stored."""

    author: str = ""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """Which messages of an outcome are out."""

    messages: list[str] = []
    """Message ids, in order of the parts."""
    way: Literal["reply", "channel", "notice"] = "reply"
    finished: bool = False
    sending: int = -1
    """The part that somebody is sending now and that cannot be sent again without doubling it; -1 for none."""
    since: float = 0
    """When they began, in seconds since the epoch."""
    v: int = 1


class ShownElsewhere(Unavailable):
    """Another worker is showing the same reply at this moment."""


class Track:
    """How far showing one outcome has come. Of several workers, one at a time sends a part that could be doubled."""

    def __init__(self, store: ObjectStore, scope: Scope, interaction_id: str, clock: Callable[[], float]) -> None:
        self._store = store
        self._key = _key(scope, interaction_id, "delivery")
        self._clock = clock
        self._etag: str | None = None
        self.delivery = Delivery()
        try:
            stored = store.get(self._key)
        except ObjectNotFound:
            return
        self.delivery, self._etag = records.decode(stored.data, Delivery), stored.etag

    def claim(self, part: int) -> None:
        """Only we send this part from now on. Raises `ShownElsewhere`."""
        now = self._clock()
        if self.delivery.sending == part and now - self.delivery.since < CLAIM_S:
            raise ShownElsewhere("another worker shows this reply")
        self._write(sending=part, since=now)

    def sent(self, part: int, message_id: str) -> None:
        """This part is out."""
        messages = [*self.delivery.messages[:part], message_id, *self.delivery.messages[part + 1 :]]
        ours = self.delivery.sending == part
        if messages != self.delivery.messages or ours:
            # A claim on another part is somebody else's.
            released = {"sending": -1, "since": 0.0} if ours else {}
            self._write(messages=messages, **released)

    def give_up_claim(self) -> None:
        """The part was not sent, as far as we know."""
        if self.delivery.sending >= 0:
            self._write(sending=-1, since=0.0)

    def go(self, way: Literal["reply", "channel", "notice"]) -> None:
        """The rest goes this way."""
        if way != self.delivery.way:
            self._write(way=way)

    def finish(self) -> None:
        """Everything is out."""
        self._write(finished=True, sending=-1, since=0.0)

    def _write(self, **changes: object) -> None:
        changed = msgspec.structs.replace(self.delivery, **changes)
        try:
            self._etag = self._store.put(
                self._key,
                msgspec.json.encode(changed),
                if_absent=self._etag is None,
                if_match=self._etag,
                content_type=records.JSON_TYPE,
            )
        except PreconditionFailed:
            raise ShownElsewhere("another worker shows this reply") from None
        self.delivery = changed


def load_outcome(store: ObjectStore, scope: Scope, interaction_id: str) -> Reply | None:
    """The outcome of an interaction, if an earlier delivery of its job got so far."""
    return records.load(store, _key(scope, interaction_id, "outcome"), Reply)


def save_outcome(store: ObjectStore, scope: Scope, interaction_id: str, outcome: Reply, *, author: str = "") -> Reply:
    """Keep an outcome; the first one stands and is returned. `author` is whose it is, so that it can be found."""
    kept = _Kept(**{name: getattr(outcome, name) for name in outcome.__struct_fields__}, author=author)
    stands = records.save_once(store, _key(scope, interaction_id, "outcome"), kept)
    return Reply(**{name: getattr(stands, name) for name in Reply.__struct_fields__})


def _key(scope: Scope, interaction_id: str, what: str) -> str:
    return f"{scope.prefix}/outcomes/{interaction_id}.{what}.json"
