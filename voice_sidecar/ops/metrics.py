"""The sidecar's metrics, for Prometheus. No label is ever taken from what people or Discord send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from voice_sidecar.receiving.counters import Counters

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from prometheus_client.core import Metric

STAGES: Final = ("turn_decided", "transcript", "first_token", "first_audio")
BUCKETS: Final = (0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 8.0, 13.0)
"""Seconds. People notice differences below a second, and leave after ten."""


class Seen:
    """What the parts that count show at this moment; each is asked when the metrics are read.

    Args:
        counters: of the receivers of all connections, those that are closed included.
        speakers: how many people are speaking.
        calls: how many voice connections there are.
        connection: what the connections counted: reconnects, transitions and so on, by name.
        gateway: whether the gateway connections stand.
        queue_silent: seconds since the queue of orders last answered.
    """

    def __init__(
        self,
        *,
        counters: Callable[[], Iterable[Counters]],
        speakers: Callable[[], int],
        calls: Callable[[], int],
        connection: Callable[[], Mapping[str, int]],
        gateway: Callable[[], bool],
        queue_silent: Callable[[], float],
    ) -> None:
        self.counters = counters
        self.speakers = speakers
        self.calls = calls
        self.connection = connection
        self.gateway = gateway
        self.queue_silent = queue_silent


class _Packets(Collector):
    """Reads the counters that the parts keep anyway."""

    def __init__(self, seen: Seen) -> None:
        self._seen = seen

    def collect(self) -> Iterable[Metric]:
        """All families, made of one look at the counters."""
        sums = total(self._seen.counters())
        packets = CounterMetricFamily("trainger_voice_packets", "Packets by what became of them", labels=["what"])
        for what in ("received", "heard", "lost", "concealed", "held", "plain"):
            packets.add_metric([what], getattr(sums, what))
        yield packets
        dropped = CounterMetricFamily(
            "trainger_voice_packets_dropped", "Packets not used, by reason", labels=["reason"]
        )
        for reason, count in sums.dropped.items():
            dropped.add_metric([reason.value], count)
        yield dropped
        sealed = CounterMetricFamily(
            "trainger_voice_undecryptable", "Frames that did not open, by reason", labels=["reason"]
        )
        for why, count in sums.undecryptable.items():
            sealed.add_metric([why.value], count)
        yield sealed
        events = CounterMetricFamily(
            "trainger_voice_connection_events", "What connections went through", labels=["event"]
        )
        for name, count in self._seen.connection().items():
            events.add_metric([name], count)
        yield events
        yield GaugeMetricFamily("trainger_voice_active_speakers", "People speaking now", value=self._seen.speakers())
        yield GaugeMetricFamily("trainger_voice_calls", "Voice channels joined now", value=self._seen.calls())
        up = int(self._seen.gateway())
        yield GaugeMetricFamily("trainger_voice_gateway_up", "Whether the gateway connections stand", value=up)
        silent = self._seen.queue_silent()
        yield GaugeMetricFamily(
            "trainger_voice_queue_silent_seconds", "Since the queue of orders last answered", value=silent
        )


class Metrics:
    """Everything that is measured, in a registry of its own.

    Args:
        seen: what is read from others.
    """

    def __init__(self, seen: Seen) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(_Packets(seen))
        self._stages = Histogram(
            "trainger_voice_stage_seconds",
            "From the end of a person's speech to each stage of the answer",
            ["stage"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._turns = Counter("trainger_voice_turns", "Turns by how they ended", ["outcome"], registry=self.registry)
        for stage in STAGES:
            self._stages.labels(stage)

    def turn(self, outcome: str, stages: Mapping[str, float]) -> None:
        """Counts a turn.

        Args:
            outcome: one of a few fixed words.
            stages: seconds from the end of speech, of the stages in `STAGES` that were reached.
        """
        self._turns.labels(outcome).inc()
        for stage in STAGES:
            if stage in stages:
                self._stages.labels(stage).observe(stages[stage])


def total(counters: Iterable[Counters]) -> Counters:
    """The sum of several receivers' counters."""
    sums = Counters()
    for one in counters:
        for name in ("received", "heard", "lost", "concealed", "held", "plain", "malformed_events"):
            setattr(sums, name, getattr(sums, name) + getattr(one, name))
        sums.dropped.update(one.dropped)
        sums.undecryptable.update(one.undecryptable)
    return sums
