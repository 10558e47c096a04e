"""A voice's sound as it is sent: 48 kHz, as loud as every other voice, without a click at its ends."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Final

import av
import av.filter
import numpy as np
from av.audio.frame import AudioFrame

from trainer.speech.audio_levels import loudness
from trainer.speech.audio_pcm import FULL_SCALE, QUIETEST
from voice_sidecar.playback.opus import FRAME, RATE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from trainer.ports.speech import Sound

LOWEST_RATE: Final = 8_000
HIGHEST_RATE: Final = 48_000
CEILING: Final = 0.8
"""Of full scale: no sample is beyond it. What Opus makes of it may be a little louder, but not beyond full scale."""
MOST_GAIN: Final = 30.0
"""dB. A voice that is quieter is mostly noise, which nobody wants to hear louder."""

_PIECES_A_S: Final = 10  # a tenth of a second is worked on at a time, so that little work comes between two packets
_SHORTEST_A_S: Final = 50  # 20 ms
_FADE_S: Final = 0.003
_LEAD_S: Final = 0.04
_BEGINS: Final = 0.005
"""Of the loudest sample: 46 dB below it."""
_LIMITER: Final = f"limit={CEILING}:attack=2:release=50:level=disabled:latency=1"


def without_lead(sound: Sound) -> Sound:
    """The sound without the silence that it begins with: some voices put a third of a second there.

    A little of it is left, as quiet consonants begin words. What is nothing but silence stays.
    """
    samples = np.abs(np.frombuffer(sound.pcm, "<i2", len(sound.pcm) // 2).astype(np.int32))
    loudest = int(samples.max(initial=0))
    if not loudest:
        return sound
    begins = int(np.argmax(samples >= loudest * _BEGINS))
    skipped = max(0, begins - round(_LEAD_S * sound.rate))
    return sound._replace(pcm=sound.pcm[2 * skipped :]) if skipped else sound


def prepared(sound: Sound, target: float) -> Iterator[NDArray[np.int16]]:
    """The sound at 48 kHz and at a loudness, a little at a time; silence stays silence.

    Loudness is changed by one gain for the whole, so that nothing pumps; peaks beyond `CEILING` are turned down
    around them by a limiter that looks ahead, and not cut.

    Args:
        sound: of 8 to 48 kHz.
        target: dBFS, as `trainer.speech.audio_levels` measures it.

    Yields:
        Pieces of any length. Together they are as long as the sound, to a sample, but at least 20 ms: the
        resampler makes nothing of a few samples.
    """
    samples = np.frombuffer(sound.pcm, "<i2", len(sound.pcm) // 2)
    if not len(samples):
        return
    heard = loudness(samples)
    gain = 0.0 if heard == QUIETEST else min(target - heard, MOST_GAIN)
    wave = samples.astype(np.float32)
    wave -= wave.mean()
    wave = np.pad(wave, (0, max(sound.rate // _SHORTEST_A_S - len(wave), 0)))
    wave *= 10 ** (gain / 20) / FULL_SCALE
    _fade(wave, sound.rate)
    graph = _graph(sound.rate)
    step = sound.rate // _PIECES_A_S
    for start in range(0, len(wave), step):
        frame = AudioFrame.from_ndarray(wave[None, start : start + step], format="flt", layout="mono")
        frame.sample_rate = sound.rate
        graph.push(frame)
        yield from _pulled(graph)
    graph.push(None)
    yield from _pulled(graph)


def framed(pieces: Iterator[NDArray[np.int16]], delay: int) -> Iterator[NDArray[np.int16]]:
    """The same samples, and at least `delay` of silence, as rows of `FRAME`: shape (n, FRAME), n at least 1.

    A codec gives the last `delay` samples out with the frame after them, so that there has to be one.
    """
    rest = np.empty(0, np.int16)
    for piece in pieces:
        rest = np.concatenate((rest, piece))
        whole = len(rest) // FRAME * FRAME
        if whole:
            yield rest[:whole].reshape(-1, FRAME)
            rest = rest[whole:]
    missing = -(len(rest) + delay) % FRAME + delay
    yield np.pad(rest, (0, missing)).reshape(-1, FRAME)


def _fade(wave: NDArray[np.float32], rate: int) -> None:
    """In and out, in place: where a voice was cut, the step would be a click."""
    count = min(int(rate * _FADE_S), len(wave) // 2)
    ramp = np.sin(np.linspace(0, np.pi / 2, count, endpoint=False, dtype=np.float32)) ** 2
    wave[:count] *= ramp
    wave[len(wave) - count :] *= ramp[::-1]


def _graph(rate: int) -> av.filter.Graph:
    """FFmpeg's resampler and limiter."""
    graph = av.filter.Graph()
    graph.threads = 1  # else each graph starts threads of its own, which have nothing to do
    source = graph.add_abuffer(sample_rate=rate, format="flt", layout="mono", time_base=Fraction(1, rate))
    resampler = graph.add("aresample", str(RATE))
    limiter = graph.add("alimiter", _LIMITER)
    form = graph.add("aformat", f"sample_fmts=flt:channel_layouts=mono:sample_rates={RATE}")
    graph.link_nodes(source, resampler, limiter, form, graph.add("abuffersink")).configure()
    return graph


def _pulled(graph: av.filter.Graph) -> Iterator[NDArray[np.int16]]:
    while True:
        try:
            frame = graph.pull()
        except (av.BlockingIOError, av.EOFError):
            return
        yield np.rint(frame.to_ndarray().reshape(-1) * (FULL_SCALE - 1)).astype(np.int16)
