"""The few interfaces between what the bot knows and the world. Imports nothing of ours.

Each port has one contract suite in `tests/contract`, which every adapter passes unchanged. Errors of the world
reach callers only as the exceptions named here:

    PortError
    ├── InvalidKey             the caller named an object in a way no store accepts
    ├── ObjectNotFound         there is no such object
    ├── PreconditionFailed     a conditional write lost: somebody else wrote first
    ├── LeaseLost              the job was taken over by another worker, or is gone
    ├── BodyTooLarge           the queue does not take a job of this size
    └── Unavailable            the outside thing does not answer now; trying again later may help
        ├── StoreUnavailable
        ├── QueueUnavailable
        └── ModelUnavailable   says whether a retry can help
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, BinaryIO, Literal, NamedTuple, Protocol, TypeAlias, runtime_checkable

if TYPE_CHECKING:
    from array import array
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager


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


# --- object store ---------------------------------------------------------------------------------------------


class ObjectInfo(NamedTuple):
    """What a listing tells of an object."""

    key: str
    size: int
    """Bytes."""
    etag: str
    """Opaque, without quotes; changes whenever the content does."""
    modified_at: float
    """Seconds since the epoch, as the store counts them."""


class StoredObject(NamedTuple):
    """A whole object and the ETag to compare with when writing it again."""

    data: bytes
    etag: str


@runtime_checkable
class ObjectStore(Protocol):
    """Objects under keys, as S3 has them.

    A key is `/`-separated text of at most 900 UTF-8 bytes; `trainer.keys.check_key` says which are accepted, and
    every method raises `InvalidKey` for others. All methods may raise `StoreUnavailable`. Instances are safe to
    use from several threads, and any number of processes may use the same store.
    """

    def get(self, key: str) -> StoredObject:
        """The whole object. Raises `ObjectNotFound`."""
        ...

    def open_read(self, key: str) -> AbstractContextManager[BinaryIO]:
        """The object as a stream, in constant memory. Raises `ObjectNotFound`."""
        ...

    def head(self, key: str) -> ObjectInfo | None:
        """What is known of the object, or None if there is none."""
        ...

    def put(
        self,
        key: str,
        data: bytes,
        *,
        if_absent: bool = False,
        if_match: str | None = None,
        content_type: str = "application/octet-stream",
    ) -> str:
        """Write a whole object atomically; returns its new ETag.

        `if_absent` writes only if there is no such object; `if_match` only if its ETag is this one. Otherwise
        `PreconditionFailed`. When this returns, the object survives a crash of the process and of the machine.
        """
        ...

    def open_write(
        self, key: str, *, if_absent: bool = False, content_type: str = "application/octet-stream"
    ) -> AbstractContextManager[BinaryIO]:
        """Write an object as a stream, in constant memory.

        It appears whole when the `with` block ends, and not at all when the block raises. With `if_absent`, the
        end of the block raises `PreconditionFailed` if the object exists by then.
        """
        ...

    def list(self, prefix: str, *, start_after: str = "") -> Iterator[ObjectInfo]:
        """Objects whose key starts with `prefix` and is greater than `start_after`, in order of their UTF-8 bytes.

        Lazily paged: taking the first few costs one request.
        """
        ...

    def delete(self, key: str) -> None:
        """Remove the object; nothing happens if there is none."""
        ...

    def url(self, key: str, *, expires_s: int, filename: str) -> str | None:
        """A link that downloads the object as `filename` to whoever has it, for `expires_s` seconds.

        None if this store cannot be reached from outside.
        """
        ...

    def ping(self) -> None:
        """Raise `StoreUnavailable` unless the store answers."""
        ...


# --- job queue ------------------------------------------------------------------------------------------------


class Job(NamedTuple):
    """A job on lease."""

    id: str
    """The same for every delivery of the job."""
    body: bytes
    attempts: int
    """How many times it was handed out, this time included: 1 the first time."""
    receipt: str
    """Names this lease; stale once the lease has run out and another worker took the job."""


class DeadJob(NamedTuple):
    """A job that was given up."""

    id: str
    body: bytes
    reason: str
    """A fixed word or an exception's class name and a reference; never what people wrote."""
    buried_at: float
    """Seconds since the epoch."""


class QueueDepth(NamedTuple):
    """How many jobs there are; a distributed queue's numbers are approximate."""

    ready: int
    leased: int
    delayed: int
    dead: int


@runtime_checkable
class JobQueue(Protocol):
    """At-least-once delivery of small jobs, with leases.

    All methods may raise `QueueUnavailable`. Instances are safe to use from several threads, and any number of
    processes may use the same queue. A body is UTF-8 text without control characters below U+0020 but tab, line
    feed and carriage return (SQS takes no others).
    """

    max_body: int
    """The largest body it takes, in bytes."""

    def send(self, body: bytes, *, delay_s: float = 0) -> str:
        """Add a job, durably when this returns; returns its id. Raises `BodyTooLarge`."""
        ...

    def lease(self, *, wait_s: float, visibility_s: float, limit: int = 1) -> Sequence[Job]:
        """Take up to `limit` jobs that nobody else gets for `visibility_s` seconds.

        Waits up to `wait_s` seconds for the first one. Oldest first, roughly.
        """
        ...

    def extend(self, job: Job, *, visibility_s: float) -> None:
        """Keep the lease for `visibility_s` seconds from now. Raises `LeaseLost`."""
        ...

    def complete(self, job: Job) -> None:
        """The job is done and goes away. Raises `LeaseLost` if it had been taken over."""
        ...

    def release(self, job: Job, *, delay_s: float = 0) -> None:
        """Give the job back, to be handed out again after `delay_s` seconds. Raises `LeaseLost`."""
        ...

    def bury(self, job: Job, *, reason: str) -> None:
        """Move the job to the dead letters, where it stays with its reason. Raises `LeaseLost`."""
        ...

    def dead(self, *, limit: int = 100) -> Sequence[DeadJob]:
        """The dead letters, oldest first, roughly; looking at them changes nothing."""
        ...

    def redrive(self, job_id: str) -> bool:
        """Put a dead letter back as a new job, with its attempts counted from 0; False if there is none."""
        ...

    def discard(self, job_id: str) -> bool:
        """Delete a dead letter, with all that the queue itself keeps of it; False if there is none."""
        ...

    def depth(self) -> QueueDepth:
        """How many jobs there are."""
        ...

    def ping(self) -> None:
        """Raise `QueueUnavailable` unless the queue answers."""
        ...

    def close(self) -> None:
        """Close the connections: whoever made the queue does that when it is no longer used."""
        ...


# --- chat model -----------------------------------------------------------------------------------------------


class ChatMessage(NamedTuple):
    """One message of a conversation with a model."""

    role: Literal["system", "user", "assistant"]
    content: str


class ChatUsage(NamedTuple):
    """What an answer cost, in tokens; None where the server did not say."""

    input_tokens: int | None
    """All of them, those of the next two included."""
    output_tokens: int | None
    cached_tokens: int | None = None
    """Input that the server still had from an earlier request, which costs less."""
    cache_write_tokens: int | None = None
    """Input that it keeps for a later one, which may cost more."""


class ChatReply(NamedTuple):
    """A model's whole answer."""

    text: str
    model: str
    usage: ChatUsage
    truncated: bool
    """It stopped at the limit of `max_tokens`."""


OnText = Callable[[str], None]
"""Called with the whole text so far, each time that more of it has come."""


@runtime_checkable
class ChatModel(Protocol):
    """A model that answers a conversation. Safe to use from several threads."""

    name: str
    """The model in force, as `/healthz` shows it."""

    def reply(self, messages: Sequence[ChatMessage], *, max_tokens: int, on_text: OnText | None = None) -> ChatReply:
        """Answer, telling `on_text` as the text comes. Raises `ModelUnavailable`."""
        ...


# --- embedder -------------------------------------------------------------------------------------------------

Vector: TypeAlias = "array[float]"
"""What a text means, as a direction: an `array("f")` of 32-bit numbers whose squares add up to 1."""


@runtime_checkable
class Embedder(Protocol):
    """A model that tells which texts mean nearly the same. Safe to use from several threads."""

    name: str
    """The model in force, as `/healthz` shows it; vectors of models of other names cannot be compared."""
    size: int
    """How many numbers its vectors have; 0 as long as that is not known."""

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        """A vector for each text, in order: the product of two is near 1 if the texts mean the same.

        Takes any text, an empty one too; of a long one, the beginning counts. Raises `ModelUnavailable`.
        """
        ...


# --- speech ---------------------------------------------------------------------------------------------------


class Sound(NamedTuple):
    """Mono sound, whole."""

    pcm: bytes
    """16-bit samples, little-endian."""
    rate: int
    """Samples a second."""

    @property
    def seconds(self) -> float:
        """How long it is."""
        return len(self.pcm) / 2 / self.rate


@runtime_checkable
class Synthesizer(Protocol):
    """A voice that reads texts aloud. Safe to use from several threads."""

    name: str
    """The voice in force, as `/healthz` shows it; texts and answers in the log never are."""

    def speaks(self, language: str) -> bool:
        """Whether it has a voice for a language, such as `en` or `ru`. Asks nobody."""
        ...

    def speak(self, text: str, *, language: str, speed: float = 1.0, voice: str = "") -> Sound:
        """Read a sentence or a few.

        Args:
            text: without marks, with numbers in words.
            language: such as `en`.
            speed: from 0.5 to 2; 1 is as the voice does by itself.
            voice: which of several voices, by a name of its own; one that has no such voice uses its own.

        Raises `ModelUnavailable`, also for a language that it does not speak.
        """
        ...


class TranscriptPart(NamedTuple):
    """Some words and when they are said, in seconds from the beginning of the sound."""

    start_s: float
    end_s: float
    text: str


class Transcript(NamedTuple):
    """What is said in a sound."""

    text: str
    """Empty where nobody says anything."""
    language: str
    """Such as `en`; empty where the transcriber does not tell."""
    parts: tuple[TranscriptPart, ...]
    """In order; one for the whole where it does not tell more."""
    doubt: float = 0.0
    """How likely it is, 0 to 1, that the words were not said but made up of noise; 0 where it does not tell."""
    billed_s: float = 0.0
    """Seconds of sound that somebody is paid for; 0 where nobody is."""


@runtime_checkable
class Transcriber(Protocol):
    """A model that recognises speech. Safe to use from several threads."""

    name: str
    """The model in force, as `/healthz` shows it."""
    most_s: float
    """Seconds of sound that it takes at once."""
    local: bool
    """It works in this process, on one sound after the other, and finding out the language takes it time."""

    def transcribe(
        self,
        sound: Sound,
        *,
        language: str = "",
        languages: Sequence[str] = (),
        keywords: Sequence[str] = (),
        on_text: OnText | None = None,
    ) -> Transcript:
        """The words of a sound of 16 kHz; none for an empty one.

        Args:
            sound: at most `most_s` seconds.
            language: such as `ru`, where it is known; else it is found out.
            languages: which it may be, where it is not known; none for any.
            keywords: rare words that may be said, and how they are written.
            on_text: told the text as it comes, if the model tells it before it is finished.

        Raises `ModelUnavailable`, also for a sound that is not taken.
        """
        ...
