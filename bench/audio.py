"""Decoding what people send and encoding what is answered, beside an FFmpeg program doing the same.

The program is the one that `FFMPEG_PATH` names or that is found on the PATH; without one, only ours is measured. Its
start counts, as one would pay for it with each file. Preparing an hour is measured beside pydub's search for silence.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from functools import partial
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Final, NamedTuple, cast

import av
import numpy as np

from bench.report import Aim, Result, table_of
from trainer.speech.audio_activity import Activity
from trainer.speech.audio_ffmpeg import command
from trainer.speech.audio_levels import normalise
from trainer.speech.audio_pcm import RATE, regroup
from trainer.speech.audio_segments import segment_of
from trainer.speech.decoding import Decoder
from trainer.speech.encoding import write_audio
from trainer.speech.splitting import split

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from av.audio.stream import AudioStream

    from bench.report import Value
    from trainer.speech.audio_pcm import Samples
    from trainer.speech.encoding import AudioFormat

MINUTE_S: Final = 60
RUNS: Final = 5


class Kind(NamedTuple):
    """A format and its demuxer in FFmpeg's words."""

    container: str
    codec: str
    rate: int
    layout: str
    demuxer: str


KINDS: Final = {
    "voice message (ogg/opus, mono)": Kind("ogg", "libopus", 48_000, "mono", "ogg"),
    "mp3, 44.1 kHz stereo": Kind("mp3", "libmp3lame", 44_100, "stereo", "mp3"),
    "m4a (aac), 44.1 kHz stereo": Kind("ipod", "aac", 44_100, "stereo", "mov"),
    "webm (opus), stereo": Kind("webm", "libopus", 48_000, "stereo", "matroska"),
    "flac, 44.1 kHz stereo": Kind("flac", "flac", 44_100, "stereo", "flac"),
    "wav, 44.1 kHz stereo": Kind("wav", "pcm_s16le", 44_100, "stereo", "wav"),
    "wav, 16 kHz mono": Kind("wav", "pcm_s16le", 16_000, "mono", "wav"),
}


def measure() -> Result:
    """Decode and encode a minute, prepare an hour for recognition."""
    ffmpeg = os.environ.get("FFMPEG_PATH") or shutil.which("ffmpeg")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        decoding, ratio = decode_all(folder, ffmpeg)
        encoding = encode_all(folder, ffmpeg)
        preparing, grown = prepare_an_hour(folder)
    notes = ["RTF: seconds of work for a second of sound, median of runs in turns."]
    if ffmpeg is None:
        notes.append("The program is absent here: FFMPEG_PATH names one.")
    aims = [Aim("decoding, slowest format, RTF", max(row["ours RTF"] for row in decoding.values()), "at most", 0.02)]
    aims.append(Aim("memory added by an hour in pieces of 30 s, MiB", grown, "at most", 32))
    if ratio is not None:
        aims.append(Aim("decoding, time beside the program's, median of formats", ratio, "at most", 1.5))
    tables = (
        table_of("Decoding a minute to mono 16 kHz", "format", decoding),
        table_of("Encoding a minute of mono 24 kHz", "format", encoding),
        table_of("Preparing an hour of speech", "step", preparing),
    )
    about = "Sound in and out in this process, beside an FFmpeg program that is started for each file."
    return Result(about, tables, tuple(aims), tuple(notes))


def decode_all(folder: Path, ffmpeg: str | None) -> tuple[dict[str, dict[str, float]], float | None]:
    """Ours and the program's time for each format; the median of ours divided by theirs."""
    rows: dict[str, dict[str, float]] = {}
    for number, (name, kind) in enumerate(KINDS.items()):
        path = folder / f"{number}"
        write(path, kind, talk(MINUTE_S))
        ways: list[Callable[[], object]] = [partial(decode, path)]
        if ffmpeg:
            ways.append(partial(run, command(Path(ffmpeg), path, kind.demuxer)))
        ours, *theirs = timed(ways)
        rows[name] = {"ours ms": ours * 1000, "ours RTF": ours / MINUTE_S}
        if theirs:
            rows[name] |= {"program ms": theirs[0] * 1000, "ours / program": ours / theirs[0]}
    return rows, median(row["ours / program"] for row in rows.values()) if ffmpeg else None


def encode_all(folder: Path, ffmpeg: str | None) -> dict[str, dict[str, Value]]:
    """Times and sizes of both formats, at the same bit rates."""
    rate = 24_000
    sound = np.repeat(talk(MINUTE_S), 3)[::2]
    raw = folder / "raw"
    raw.write_bytes(sound.tobytes())
    forms: dict[AudioFormat, str] = {
        "ogg": "-c:a libopus -application voip -b:a 32k -ar 48000",
        "mp3": "-c:a libmp3lame -b:a 48k",
    }
    rows: dict[str, dict[str, Value]] = {}
    for form, options in forms.items():
        mine, other = folder / f"ours.{form}", folder / f"theirs.{form}"
        ways: list[Callable[[], object]] = [partial(write_audio, [sound], mine, rate=rate, form=form)]
        if ffmpeg:
            line = f"-nostdin -v quiet -y -f s16le -ar {rate} -ac 1 -i {raw} {options} {other}"
            ways.append(partial(run, [ffmpeg, *line.split()]))
        ours, *theirs = timed(ways)
        rows[form] = {"ours ms": ours * 1000, "ours RTF": ours / MINUTE_S, "ours KiB": mine.stat().st_size / 1024}
        if theirs:
            rows[form] |= {"program ms": theirs[0] * 1000, "program KiB": other.stat().st_size / 1024}
    return rows


def prepare_an_hour(folder: Path) -> tuple[Mapping[str, Mapping[str, Value]], float]:
    """Decode, judge, split and normalise, as a transcription does; the time of each, and MiB that memory grew by."""
    path = folder / "hour.ogg"
    write_audio((talk(MINUTE_S) for _ in range(60)), path, rate=RATE)
    minute = talk(MINUTE_S)
    steps: dict[str, Callable[[], object]] = {
        "decode": partial(decode, path),
        "judge": lambda: count(Activity().watch(minute for _ in range(60))),
        "split into 30 s": lambda: count(piece.samples for piece in split(regroup([minute] * 60, RATE), most_s=30)),
        "normalise": lambda: count(map(normalise, regroup([minute] * 60, 30 * RATE))),
    }
    rows: dict[str, dict[str, Value]] = {}
    for name, step in steps.items():
        (seconds,) = timed([step], runs=1)
        rows[name] = {"s": seconds, "RTF": seconds / 3600}
    child = [sys.executable, "-m", "bench.audio_hour", str(path)]
    done = subprocess.run(child, stdout=subprocess.PIPE, check=True, cwd=Path(__file__).parents[1])
    together = json.loads(done.stdout)
    rows["all together"] = {"s": together["s"], "RTF": together["s"] / 3600, **together}
    (seconds,) = timed([partial(pydub_silence, minute)], runs=1)
    rows["pydub's silence, from a minute"] = {"s": seconds * 60, "RTF": seconds / MINUTE_S}
    return rows, together["MiB more"]


def pydub_silence(samples: Samples) -> object:
    from pydub.silence import detect_silence  # after trainer.speech.audio_segments has silenced its warnings

    return detect_silence(segment_of(samples), min_silence_len=200, silence_thresh=-50)


def timed(ways: Sequence[Callable[[], object]], *, runs: int = RUNS) -> list[float]:
    """Median seconds of each, in turns so that all meet the same machine."""
    seconds: list[list[float]] = [[] for _ in ways]
    for _ in range(runs):
        for way, spent in zip(ways, seconds, strict=True):
            started = time.perf_counter()
            way()
            spent.append(time.perf_counter() - started)
    return [median(spent) for spent in seconds]


def decode(path: Path) -> int:
    return count(Decoder().pcm(path, most_s=3_700))


def run(line: list[str]) -> None:
    subprocess.run(line, stdout=subprocess.PIPE, check=True)


def count(chunks: Iterable[Samples]) -> int:
    return sum(len(chunk) for chunk in chunks)


def talk(seconds: int) -> Samples:
    """Noise in the rhythm of speech, with a pause every few seconds: codecs find it as hard as a voice, or harder."""
    at = np.arange(seconds * RATE) / RATE
    rhythm = np.clip(np.sin(2 * np.pi * 2 * at), 0, 1) * (at % 7 < 6)
    wave = np.random.default_rng(1).standard_normal(len(at))
    samples: Samples = (np.convolve(wave, np.hanning(9), "same") * rhythm * 900).astype(np.int16)
    return samples


def write(path: Path, kind: Kind, samples: Samples) -> None:
    with av.open(str(path), "w", format=kind.container) as container:
        stream = cast("AudioStream", container.add_stream(kind.codec, rate=kind.rate, layout=kind.layout))
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = RATE
        container.mux([*stream.encode(frame), *stream.encode(None)])
