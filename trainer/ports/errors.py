"""What goes wrong with outside things, as callers see it."""

from __future__ import annotations


class PortError(Exception):
    """Base of everything an adapter raises. The message never carries what people wrote, nor a secret."""


class InvalidKey(PortError):
    """An object key that no store accepts."""


class ObjectNotFound(PortError):
    """There is no object under this key."""


class PreconditionFailed(PortError):
    """A conditional write lost: the object exists already, is gone, or has another ETag."""


class LeaseLost(PortError):
    """The job's lease ran out and somebody else has it, or it is finished."""


class BodyTooLarge(PortError):
    """The queue does not take a job of this size."""


class Unavailable(PortError):
    """The outside thing does not answer now."""


class StoreUnavailable(Unavailable):
    """The object store does not answer now."""


class QueueUnavailable(Unavailable):
    """The job queue does not answer now."""


class ModelUnavailable(Unavailable):
    """A model does not answer.

    Attributes:
        reason: a fixed word for the log: `timeout`, `connection`, `rate_limited`, `credentials`, `refused`,
            `server`, `protocol`, `missing` (it is not installed).
        retryable: whether trying again later can help.
    """

    def __init__(self, reason: str, *, retryable: bool) -> None:
        super().__init__(f"the model does not answer: {reason}")
        self.reason = reason
        self.retryable = retryable


class Cancelled(PortError):
    """Nobody wanted it any more (see `trainer.ports.cancelling`), so it was stopped, or never begun.

    Attributes:
        model: who had been asked by then, and may have to be paid; empty: nobody.
        characters: how much it had been given.
        seconds: how much sound of it had come.
    """

    def __init__(self, model: str = "", *, characters: int = 0, seconds: float = 0.0) -> None:
        super().__init__("nobody wants it any more")
        self.model = model
        self.characters = characters
        self.seconds = seconds
