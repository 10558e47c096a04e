"""`python -m bench.audio_hour FILE`: prepare a recording as a transcription does; prints JSON.

A process of its own, as one can only ask for the most memory that a process ever had.
"""

from __future__ import annotations

import json
import re
import sys
import time
from contextlib import closing
from pathlib import Path

from trainer.speech.audio_activity import Activity
from trainer.speech.audio_levels import normalise
from trainer.speech.decoding import Decoder
from trainer.speech.splitting import split


def prepare(path: Path, most_s: float) -> int:
    """Decode, judge, split and normalise, piece by piece; returns how many pieces had sound."""
    with closing(Decoder().pcm(path, most_s=3_700)) as sound:
        return sum(len(normalise(piece.trimmed)) > 0 for piece in split(Activity().watch(sound), most_s=most_s))


def peak_mib() -> float:
    """The most memory this program ever had, as Linux says; `ru_maxrss` counts the parent's before `exec` too."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024  # type: ignore[index] # every process has it


def main() -> None:
    before = peak_mib()
    started = time.perf_counter()
    pieces = prepare(Path(sys.argv[1]), 30)
    print(json.dumps({"s": time.perf_counter() - started, "pieces": pieces, "MiB more": peak_mib() - before}))


if __name__ == "__main__":
    main()
