"""What it takes to tell speech from noise, for each person who speaks in a voice channel."""

from __future__ import annotations

import time
from statistics import median
from typing import Final

import numpy as np

from bench.report import Table, p95
from voice_sidecar.turns.silero import SileroModel
from voice_sidecar.turns.vad import RATE, WINDOW

WINDOWS: Final = 2_000
SEED: Final = 20


def measure() -> Table:
    """Made-up noise, as loud as speech: silence would cost nothing."""
    stream = SileroModel().stream()
    chance = np.random.default_rng(SEED)
    windows = [chance.integers(-8_000, 8_000, WINDOW, dtype=np.int16).tobytes() for _ in range(WINDOWS)]
    times = []
    for window in windows:
        began = time.thread_time()
        stream.probability(window)
        times.append(1000 * (time.thread_time() - began))
    second = median(times) * RATE / WINDOW
    return Table(
        "Voice: telling speech from noise, one person who speaks without a pause",
        ("windows", "CPU ms a window, median", "p95", "CPU ms a second of sound", "people a core"),
        ((WINDOWS, median(times), p95(times), second, 1000 / second),),
    )
