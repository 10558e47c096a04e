"""`GET /metrics`: what the HTTP door and the worker beside it count, for Prometheus.

No label is ever taken from what people or Discord send. This imports Prometheus's library, so the door imports it
only where something is counted: a function that acknowledges does without.
"""

from __future__ import annotations

import time
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from flask import Response, abort, request
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from trainer.ports import PortError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from flask import Flask
    from prometheus_client.core import Metric
    from werkzeug.datastructures import Headers

    from interactions import core
    from interactions.performing import Verdict
    from interactions.worker import Performs
    from trainer.ports import JobQueue

ACKNOWLEDGED_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0)
"""Discord waits three seconds, the network's share included."""
PERFORMED_S: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0)
"""A reply can be shown for fifteen minutes."""
FORWARDED: Final = ("Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "CF-Connecting-IP", "Via")
"""A request that has one of them came through a proxy, from somebody who may be anywhere."""


class Metrics:
    """Everything that is counted, in a registry of its own. Safe to use from several threads.

    Args:
        public: whether everybody may read it, or programs on this machine alone.
    """

    def __init__(self, *, public: bool = False) -> None:
        self.public = public
        self._registry = CollectorRegistry()
        self._acknowledged = Counter(
            "trainger_acknowledgements",
            "Requests of Discord's by type, and what they came to",
            ["type", "outcome"],
            registry=self._registry,
        )
        self._acknowledged_s = Histogram(
            "trainger_acknowledgement_seconds",
            "From having read a request of Discord's to having its answer",
            ["type"],
            buckets=ACKNOWLEDGED_S,
            registry=self._registry,
        )
        self._performed_s = Histogram(
            "trainger_job_seconds",
            "What doing a job took, by what became of it",
            ["verdict"],
            buckets=PERFORMED_S,
            registry=self._registry,
        )

    def watch(self, queue: JobQueue) -> None:
        """Ask this queue for its depth whenever the metrics are read."""
        self._registry.register(_Depth(queue))

    def acknowledged(self, decided: core.Response, answered: core.Response, seconds: float) -> None:
        """Count an interaction.

        Args:
            decided: what was to be answered if the queue takes the job.
            answered: what is answered.
            seconds: since the request had been read.
        """
        self._acknowledged.labels(decided.kind, _outcome(decided, answered)).inc()
        self._acknowledged_s.labels(decided.kind).observe(seconds)

    def took_event(self, answered: core.Response, seconds: float) -> None:
        """Count a webhook event; arguments as above."""
        self._acknowledged.labels("event", _outcome(answered, answered)).inc()
        self._acknowledged_s.labels("event").observe(seconds)

    def measured(self, performer: Performs) -> Performs:
        """The same performer, whose jobs are counted."""
        return _Measured(performer, self._performed_s)

    def text(self) -> bytes:
        """Everything as Prometheus reads it."""
        return generate_latest(self._registry)


def add_metrics(app: Flask, metrics: Metrics) -> None:
    """Add the route. To whom it is not shown, it is not there."""

    @app.get("/metrics")
    def read() -> Response:
        if not (metrics.public or is_local(request.remote_addr or "", request.host, request.headers)):
            abort(404)
        return Response(metrics.text(), content_type=CONTENT_TYPE_LATEST)


def is_local(peer: str, host: str, headers: Headers) -> bool:
    """Whether a request comes from a program on this machine, and for nobody else. Pure.

    Args:
        peer: the address that the connection comes from.
        host: what the request calls us. A name that leads here from elsewhere is no local one: proxies and tunnels
            pass it on, and a page in a browser on this machine may have had it resolved to this machine.
        headers: of the request.
    """
    try:
        called = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    return (
        _is_loopback(peer)
        and (called == "localhost" or _is_loopback(called))
        and not any(name in headers for name in FORWARDED)
    )


def _is_loopback(address: str) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return (mapped or parsed).is_loopback


def _outcome(decided: core.Response, answered: core.Response) -> str:
    if answered.status == 401:  # noqa: PLR2004 - HTTP's own numbers, here and below
        return "unauthorized"
    if answered.status >= 500:  # noqa: PLR2004
        return "unavailable"
    if answered.status >= 400:  # noqa: PLR2004
        return "malformed"
    if decided.job is not None:
        return "deferred" if answered.job is not None else "not_queued"
    return "failed" if decided.failure else "answered"


class _Depth(Collector):
    """Asks the queue when the metrics are read."""

    def __init__(self, queue: JobQueue) -> None:
        self._queue = queue

    def collect(self) -> Iterable[Metric]:
        """How many jobs there are; without numbers, where the queue does not answer."""
        jobs = GaugeMetricFamily("trainger_queue_jobs", "Jobs in the queue, by state", labels=["state"])
        up = GaugeMetricFamily("trainger_queue_up", "Whether the queue answers")
        try:
            depth = self._queue.depth()._asdict()
        except PortError:
            depth = {}
        for state, count in depth.items():
            jobs.add_metric([state], count)
        up.add_metric([], bool(depth))
        return [jobs, up]


class _Measured:
    """Performs what another does, and takes the time."""

    def __init__(self, performer: Performs, histogram: Histogram) -> None:
        self._performer = performer
        self._histogram = histogram

    def perform(
        self, body: bytes, attempts: int, abandoned: Callable[[], bool], must_stop: Callable[[], bool]
    ) -> Verdict:
        """Do a job. Raises nothing."""
        started = time.perf_counter()
        verdict = self._performer.perform(body, attempts, abandoned, must_stop)
        self._histogram.labels(verdict.do).observe(time.perf_counter() - started)
        return verdict
