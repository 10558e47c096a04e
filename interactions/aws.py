"""The entry points of AWS Lambda: `ack` answers Discord, `work` performs jobs, `tick` keeps house.

Each function is made ready once, while it starts. `ack` imports neither a web framework nor AWS's libraries, unless
something is looked up; it has the application's public key and no secret.
"""

from __future__ import annotations

import logging
import os
import time
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import msgspec

from interactions import core, events, function_url, installation_jobs
from interactions.enqueueing import deliver
from interactions.wiring import configured, make_door
from trainer import bootstrap, logs
from trainer.ports import PortError, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from interactions.performing import Performer, Verdict
    from trainer.configuration import Configuration
    from trainer.ports import JobQueue, ObjectStore
    from trainer.services import Services

SECRETS: Final = "TRAINGER_SECRETS"
TRY_EVENT_S: Final = 30.0
TICK_RESERVE_S: Final = 60.0
"""Before the end nothing more is swept: what was begun ends in order, and the next time goes on."""

log = logging.getLogger(__name__)


class Context(Protocol):
    """What Lambda tells of an invocation."""

    def get_remaining_time_in_millis(self) -> int:
        """Until the function is ended."""
        ...


def ack(event: object, context: object) -> dict[str, Any]:
    """Answer one request to the function's URL."""
    del context
    try:
        request = function_url.read(event)
    except function_url.NotHttp:
        return function_url.answer(_say(400, "This is no HTTP request."))
    return function_url.answer(_answer(request))


def work(event: object, context: Context) -> dict[str, Any]:
    """Perform a batch of jobs; names those that must stay in the queue."""
    from interactions import batches  # noqa: PLC0415 - acknowledging does without

    room = _room()
    failed = batches.work_off(
        batches.read(event),
        room.queue,
        room,
        lease_s=room.configuration.lease_seconds,
        remaining_s=lambda: context.get_remaining_time_in_millis() / 1000,
    )
    return batches.answer(failed)


def tick(event: object, context: Context) -> None:
    """Delete what was kept long enough, for as long as there is time."""
    del event
    from interactions.housekeeping import clean, tidy  # noqa: PLC0415 - acknowledging does without

    services = _services()
    clean(services, time.time(), lambda: context.get_remaining_time_in_millis() < TICK_RESERVE_S * 1000)
    tidy(services, time.time())


class _Front(NamedTuple):
    """What acknowledging needs."""

    door: core.Door
    queue: JobQueue
    store: Callable[[], ObjectStore]


class _Room(NamedTuple):
    """What performing needs; also performs the jobs that events become."""

    configuration: Configuration
    store: ObjectStore
    queue: JobQueue
    performer: Performer

    def perform(
        self, body: bytes, attempts: int, abandoned: Callable[[], bool], must_stop: Callable[[], bool]
    ) -> Verdict:
        """Do a job. Raises nothing."""
        change = installation_jobs.unpack(body)
        if change is None:
            return self.performer.perform(body, attempts, abandoned, must_stop)
        return _note(self.store, change, attempts)


@cache
def _front() -> _Front:
    configuration = configured()
    logs.set_up(configuration.log_level)
    store = cache(lambda: bootstrap.make_store(configuration))
    return _Front(make_door(configuration), bootstrap.make_queue(configuration), store)


@cache
def _configuration() -> Configuration:
    path = os.environ.get(SECRETS, "")
    logs.set_up()
    if path:
        from interactions import aws_secrets  # noqa: PLC0415 - acknowledging has none

        aws_secrets.load(path)
    configuration = configured()
    logs.set_up(configuration.log_level)
    return configuration


@cache
def _queue() -> JobQueue:
    return bootstrap.make_queue(_configuration())


@cache
def _services() -> Services:
    return bootstrap.make_services(_configuration(), _queue())


@cache
def _room() -> _Room:
    from interactions.scratch import remove_left_over  # noqa: PLC0415 - acknowledging does without
    from interactions.wiring import make_performer  # noqa: PLC0415

    # A process that was ended in the middle may have left somebody's recording behind.
    remove_left_over(time.time())
    configuration, services = _configuration(), _services()
    return _Room(configuration, services.store, _queue(), make_performer(configuration, services))


def _answer(request: function_url.Request) -> core.Response:
    front = _front()
    match request.method, request.path:
        case "POST", "/interactions":
            decided = core.receive(request.body, request.signature, request.timestamp, door=front.door)
            return deliver(decided, front.queue)
        case "POST", "/events":
            return _take(request, front)
        case "GET" | "HEAD", "/healthz":
            return _health(front)
        case _, "/interactions" | "/events" | "/healthz":
            return _say(405, "This address takes other requests.")
    return _say(404, "Discord sends interactions to /interactions.")


def _take(request: function_url.Request, front: _Front) -> core.Response:
    """The answer to an event, after its job has been put into the queue: this function may write nothing else."""
    decided = events.receive(
        request.body, request.signature, request.timestamp, key=front.door.public_key, now=time.time()
    )
    if decided.ignored_age_s is not None:
        log.warning("event ignored: its time is wrong", extra={"age_s": round(decided.ignored_age_s)})
    if decided.change is not None:
        try:
            front.queue.send(installation_jobs.pack(decided.change))
        except PortError as error:
            log.error("event not taken", extra=logs.places(error))  # noqa: TRY400 - its message may say too much
            return events.not_now()
        log.info("event", extra={"installed": decided.change.installed})
    return decided.response


def _health(front: _Front) -> core.Response:
    """Whether the store answers; of the queue this function may ask nothing, which its alarms watch."""
    try:
        front.store().ping()
    except StoreUnavailable as error:
        log.warning("does not answer", extra={"error": type(error).__name__})
        return _json(503, {"ok": False, "store": "does not answer"})
    return _json(200, {"ok": True, "store": "ok"})


def _note(store: ObjectStore, change: events.Installation, attempts: int) -> Verdict:
    """Start or stop the clock of somebody's own scope."""
    from interactions.performing import DONE, TRIES_MOST, Verdict  # noqa: PLC0415 - acknowledging does without
    from trainer.installation import set_clock  # noqa: PLC0415

    try:
        set_clock(store, change.user_id, change.at, running=not change.installed)
    except Exception as error:  # noqa: BLE001 - whatever happens, the other jobs of the batch go on
        log.error("event not noted", extra=logs.places(error))  # noqa: TRY400 - its message may say too much
        reason = type(error).__name__
        return Verdict("bury", reason) if attempts >= TRIES_MOST else Verdict("retry", reason, TRY_EVENT_S)
    return DONE


def _say(status: int, sentence: str) -> core.Response:
    return _json(status, {"error": sentence})


def _json(status: int, said: dict[str, object]) -> core.Response:
    return core.Response(status, msgspec.json.encode(said))


_READY: Final[dict[str, Callable[[], object]]] = {"ack": _front, "work": _room, "tick": _services}


def _make_ready() -> None:
    """What Lambda does while a function starts has a whole processor and keeps nobody waiting."""
    handler = os.environ.get("_HANDLER", "")
    if handler.startswith(f"{__name__}."):
        _READY.get(handler.removeprefix(f"{__name__}."), int)()


_make_ready()
