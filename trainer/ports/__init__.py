"""The few interfaces between what the bot knows and the world. Imports nothing of ours.

Each port has one contract suite in `tests/contract`, which every adapter passes unchanged. Errors of the world
reach callers only as the exceptions named here:

    PortError
    ├── InvalidKey             the caller named an object in a way no store accepts
    ├── ObjectNotFound         there is no such object
    ├── PreconditionFailed     a conditional write lost: somebody else wrote first
    ├── LeaseLost              the job was taken over by another worker, or is gone
    ├── BodyTooLarge           the queue does not take a job of this size
    ├── Cancelled              whoever asked does not want it any more; only where they said so (`cancelling`)
    └── Unavailable            the outside thing does not answer now; trying again later may help
        ├── StoreUnavailable
        ├── QueueUnavailable
        └── ModelUnavailable   says whether a retry can help
"""

from trainer.ports.cancelling import Cancellation, current_cancellation
from trainer.ports.errors import (
    BodyTooLarge,
    Cancelled,
    InvalidKey,
    LeaseLost,
    ModelUnavailable,
    ObjectNotFound,
    PortError,
    PreconditionFailed,
    QueueUnavailable,
    StoreUnavailable,
    Unavailable,
)
from trainer.ports.jobs import DeadJob, Job, JobQueue, QueueDepth
from trainer.ports.models import ChatMessage, ChatModel, ChatReply, ChatUsage, Embedder, OnText, Vector
from trainer.ports.speech import Sound, Synthesizer, Transcriber, Transcript, TranscriptPart
from trainer.ports.storage import ObjectInfo, ObjectStore, StoredObject

__all__ = [
    "BodyTooLarge",
    "Cancellation",
    "Cancelled",
    "ChatMessage",
    "ChatModel",
    "ChatReply",
    "ChatUsage",
    "DeadJob",
    "Embedder",
    "InvalidKey",
    "Job",
    "JobQueue",
    "LeaseLost",
    "ModelUnavailable",
    "ObjectInfo",
    "ObjectNotFound",
    "ObjectStore",
    "OnText",
    "PortError",
    "PreconditionFailed",
    "QueueDepth",
    "QueueUnavailable",
    "Sound",
    "StoreUnavailable",
    "StoredObject",
    "Synthesizer",
    "Transcriber",
    "Transcript",
    "TranscriptPart",
    "Unavailable",
    "Vector",
    "current_cancellation",
]
