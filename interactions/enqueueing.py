"""Puts what was decided into the queue before it is answered. Knows no web framework: every host calls it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from interactions.core import sorry
from trainer import logs
from trainer.ports import BodyTooLarge, QueueUnavailable

if TYPE_CHECKING:
    from interactions.core import Response
    from trainer.ports import JobQueue

log = logging.getLogger(__name__)


def deliver(decided: Response, queue: JobQueue) -> Response:
    """Put the decision's job into the queue; the response to send then."""
    with logs.interaction(decided.interaction_id):
        if decided.failure:
            log.error("failed", extra=decided.failure)
        if decided.job is not None:
            try:
                queue.send(decided.job)
            except QueueUnavailable as error:
                log.error("not enqueued", extra=logs.places(error))  # noqa: TRY400 - its message may say too much
                decided = sorry(decided, "unavailable")
            except BodyTooLarge:
                log.warning("too large for the queue")
                decided = sorry(decided, "too_large")
        fields = {"status": decided.status, "command": decided.name, "deferred": decided.job is not None}
        log.info("interaction", extra=fields)
        return decided
