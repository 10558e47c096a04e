"""Metrics are read as Prometheus's own parser reads them."""

from __future__ import annotations

import asyncio
import json
from collections import Counter

import requests
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families

from voice_sidecar.ops.health import HealthServer
from voice_sidecar.ops.metrics import Metrics, Seen, total
from voice_sidecar.receiving.counters import Counters, Dropped
from voice_sidecar.receiving.dave import Reason


def counters(received: int) -> Counters:
    return Counters(
        received=received,
        heard=received - 1,
        lost=1,
        dropped=Counter({Dropped.NO_CONSENT: 3}),
        undecryptable=Counter({Reason.NO_KEY: 2}),
    )


def metrics_of(*receivers: Counters, speakers: int = 2) -> Metrics:
    seen = Seen(
        counters=lambda: receivers,
        speakers=lambda: speakers,
        calls=lambda: 1,
        connection=lambda: {"reconnect_4006": 4},
        gateway=lambda: True,
        queue_silent=lambda: 0.5,
    )
    return Metrics(seen)


def samples(text: str) -> dict[tuple[str, str], float]:
    """By name and the labels' values."""
    return {
        (sample.name, ",".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_what_the_parts_counted_is_shown_in_sum() -> None:
    shown = samples(generate_latest(metrics_of(counters(10), counters(5)).registry).decode())
    assert shown["trainger_voice_packets_total", "received"] == 15
    assert shown["trainger_voice_packets_total", "heard"] == 13
    assert shown["trainger_voice_packets_dropped_total", "no_consent"] == 6
    assert shown["trainger_voice_undecryptable_total", Reason.NO_KEY.value] == 4
    assert shown["trainger_voice_connection_events_total", "reconnect_4006"] == 4
    assert shown["trainger_voice_active_speakers", ""] == 2
    assert shown["trainger_voice_calls", ""] == 1
    assert shown["trainger_voice_gateway_up", ""] == 1
    assert shown["trainger_voice_queue_silent_seconds", ""] == 0.5


def test_a_turn_counts_the_stages_that_it_reached() -> None:
    metrics = metrics_of()
    metrics.turn("answered", {"turn_decided": 0.4, "transcript": 0.6, "first_token": 0.9, "first_audio": 1.1})
    metrics.turn("not_addressed", {"turn_decided": 0.4, "unknown stage": 9.0})
    shown = samples(generate_latest(metrics.registry).decode())
    assert shown["trainger_voice_turns_total", "answered"] == 1
    assert shown["trainger_voice_turns_total", "not_addressed"] == 1
    assert shown["trainger_voice_stage_seconds_count", "turn_decided"] == 2
    assert shown["trainger_voice_stage_seconds_count", "first_audio"] == 1
    assert abs(shown["trainger_voice_stage_seconds_sum", "first_audio"] - 1.1) < 1e-9
    assert not any("unknown" in labels for _, labels in shown)


def test_a_sum_leaves_what_it_is_made_of_as_it_was() -> None:
    one, two = counters(10), counters(20)
    assert total([one, two]).received == 30
    assert (one.received, one.dropped[Dropped.NO_CONSENT]) == (10, 3)


async def _asked(*, ok: bool) -> tuple[requests.Response, requests.Response, requests.Response]:
    async def health() -> dict[str, object]:
        return {"ok": ok, "gateway": "ok" if ok else "not connected"}

    server = HealthServer(0, health, metrics_of(counters(3)).registry)
    await server.start()
    try:
        get = [f"http://127.0.0.1:{server.port}{path}" for path in ("/healthz", "/metrics", "/else")]
        found = await asyncio.gather(*(asyncio.to_thread(requests.get, url, timeout=10) for url in get))
    finally:
        await server.stop()
    return found[0], found[1], found[2]


def test_health_and_metrics_are_served_on_loopback() -> None:
    health, metrics, other = asyncio.run(_asked(ok=True))
    assert (health.status_code, json.loads(health.text)) == (200, {"ok": True, "gateway": "ok"})
    assert metrics.status_code == 200
    assert metrics.headers["Content-Type"].startswith("text/plain; version=")
    assert samples(metrics.text)["trainger_voice_packets_total", "received"] == 3
    assert other.status_code == 404


def test_a_sidecar_that_is_not_well_answers_503() -> None:
    health, _, _ = asyncio.run(_asked(ok=False))
    assert health.status_code == 503
