"""How bench/voice shows what it found."""

from __future__ import annotations

from bench.voice import loads, remembered, spread
from bench.voice_world import Load


def test_milliseconds() -> None:
    shown = spread([0.01, 0.02, 0.03])
    assert shown["times"] == 3
    assert [round(float(shown[name] or 0), 3) for name in ("p50", "p95", "worst")] == [20, 29, 30]


def test_loads_side_by_side() -> None:
    ours = [Load(10, 0.4, 2000, 3, 0.0042)]
    theirs = [Load(10, 0.2, 2000, 1, 0.0)]
    row = loads(ours, theirs)["10"]
    assert row["core %"] == 40
    assert row["core % a speaker"] == 4
    assert row["packets"] == 2000
    assert row["not heard"] == 3
    assert row["people's side late ms"] == 4
    assert row["discord.py's hook: core %"] == 20
    assert row["not decoded"] == 1


def test_an_hour() -> None:
    row = remembered({"packets": 1000, "turns": 7, "before": 10.0, "after": 11.5, "cpu": 0.25})
    assert row["turns"] == 7
    assert (row["MiB after 3 minutes"], row["MiB at the end"]) == (10.0, 11.5)
    assert row["µs a packet"] == 250
