"""Decoding with the FFmpeg libraries in the PyAV wheel, inside this process.

Files are hostile. FFmpeg gets an open file and never a name, may use the containers and decoders of `audio_formats`
alone, may open nothing else, and is asked packet by packet, so that the caller's limits hold in between.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, NoReturn

import av
import av.logging
import numpy as np
from av.audio.resampler import AudioResampler
from av.stream import Discard

from trainer.speech.audio_formats import (
    CONTAINERS,
    DECODERS,
    MAX_STREAMS,
    AudioFacts,
    check_sound,
    check_track,
    refusal_of,
)
from trainer.speech.audio_pcm import RATE, AudioRefused, unhurried

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.packet import Packet

    from trainer.speech.audio_pcm import Check, Samples

# FFmpeg quotes from files in what it logs; without a level it neither writes to stderr nor logs.
av.logging.set_level(None)

_OPTIONS: Final = {
    "format_whitelist": ",".join(sorted(CONTAINERS)),
    "codec_whitelist": ",".join(sorted(DECODERS)),
    "protocol_whitelist": "none",
    "max_streams": str(MAX_STREAMS),
}
_BAD_PACKETS: Final = 100
"""So many undecodable packets are passed over, as players do, or as many as were decoded, whichever is more."""


class _Source:
    """The file as FFmpeg reads it. The check runs with every read; once it raised, the file is at its end.

    FFmpeg reads on after an error, and PyAV prints the second exception of a callback, so none leaves this class;
    `raise_failure` does that when FFmpeg has returned.
    """

    def __init__(self, file: BinaryIO, check: Check) -> None:
        self._file = file
        self._check = check
        self._failure: Exception | None = None
        self.cut = False
        """FFmpeg could not read the file to its end."""

    def read(self, size: int) -> bytes:
        if self._failure is None:
            try:
                self._check()
                return self._file.read(size)
            except Exception as failure:  # noqa: BLE001 - it is raised again by `raise_failure`
                self._failure = failure
        return b""

    def seek(self, offset: int, whence: int = 0) -> int:
        try:
            return self._file.seek(offset, whence)
        except (OSError, ValueError):
            return -1  # a header may point beyond what any file can hold; FFmpeg takes this for a failure

    def tell(self) -> int:
        """Only its presence counts: it says that there is such a thing as a position."""
        return self._file.tell()

    def raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure


def probe(path: Path, check: Check = unhurried) -> AudioFacts:
    """What the file says of itself. The duration is that of all packets: what decoding will give, within 2 %.

    Raises:
        AudioRefused: `unsupported`, `broken`, `empty` or `encrypted`.
    """
    with _opened(path, check) as (container, source):
        name = container.format.name.split(",", maxsplit=1)[0]
        stream = _track(container)
        if stream is None:
            return AudioFacts(name, None, None, 0, 0)
        context = stream.codec_context
        # Counting is much faster than decoding, and headers of cut and of streamed files are wrong.
        ticks = sum(max(packet.duration or 0, 0) for packet in _packets(container, stream, source, check))
        seconds = float(ticks * stream.time_base) if ticks and stream.time_base else None
        return AudioFacts(
            name, context.codec.canonical_name, seconds, context.sample_rate, context.layout.nb_channels
        )


def decode(path: Path, check: Check = unhurried) -> Generator[Samples, None, None]:
    """The first audio track as mono `RATE`, in chunks of about a second at most. Endless if the file is.

    Raises:
        AudioRefused: `unsupported`, `broken`, `no_audio_track`, `empty` or `encrypted`; `broken` and `empty` possibly
            after chunks have come.
    """
    with _opened(path, check) as (container, source):
        stream = _track(container)
        if stream is None:
            raise AudioRefused("no_audio_track")
        good = bad = 0
        resampler = _Resampler()
        for packet in _packets(container, stream, source, check):
            try:
                frames = stream.codec_context.decode(packet)
            except av.FFmpegError:
                bad += 1
                if bad > max(_BAD_PACKETS, good):
                    raise AudioRefused("broken") from None
                continue
            for frame in frames:
                good += 1
                check_sound(frame.sample_rate, frame.layout.nb_channels)
                yield from resampler.feed(frame)
        yield from resampler.flush()
        if bad > good or (source.cut and not good):
            raise AudioRefused("broken")
        if not good:
            raise AudioRefused("empty")


class _Resampler:
    """Any frames to mono `RATE`; their form may change on the way, as in chained Ogg files."""

    _WANTED: Final = ("s16", "mono", RATE)

    def __init__(self) -> None:
        self._form = self._WANTED
        self._resampler = AudioResampler()

    def feed(self, frame: AudioFrame) -> Iterator[Samples]:
        form = (frame.format.name, frame.layout.name, frame.sample_rate)
        if form != self._form:
            yield from self.flush()
            # Frames of a second: each has its cost in Python.
            self._form = form
            self._resampler = AudioResampler(format="s16", layout="mono", rate=RATE, frame_size=RATE)
        # Gaps in the timestamps are not filled: a hostile file has them of years.
        frame.pts = None
        yield from map(_samples, [frame] if form == self._WANTED else self._resampler.resample(frame))

    def flush(self) -> Iterator[Samples]:
        """What the filter holds back."""
        if self._form != self._WANTED:
            yield from map(_samples, self._resampler.resample(None))


def _samples(frame: AudioFrame) -> Samples:
    return frame.to_ndarray().reshape(-1).astype(np.int16, copy=False)


@contextmanager
def _opened(path: Path, check: Check) -> Iterator[tuple[InputContainer, _Source]]:
    with path.open("rb") as file:
        source = _Source(file, check)
        try:
            container = av.open(
                source, "r", container_options=_OPTIONS, metadata_errors="replace", io_open=_open_nothing
            )
        except av.FFmpegError:
            source.raise_failure()
            raise refusal_of(path) from None
        with container:
            source.raise_failure()
            yield container, source


def _track(container: InputContainer) -> AudioStream | None:
    """The first audio track, checked; the others are never read. None if there is none."""
    tracks = container.streams.audio
    if not tracks:
        return None
    track = tracks[0]
    context = track.codec_context
    if context is None:
        raise AudioRefused("unsupported")  # FFmpeg knows no decoder
    check_track(
        context.codec.canonical_name,
        context.codec_tag,
        context.sample_rate,
        context.layout.nb_channels,
        has_key="enc_key_id" in track.metadata,
    )
    for stream in container.streams:
        if stream.index != track.index:
            stream.discard = Discard.all
    return track


def _packets(
    container: InputContainer, stream: AudioStream, source: _Source, check: Check
) -> Iterator[Packet[AudioStream]]:
    """The track's packets as far as the file is readable. The last one is empty and flushes the decoder."""
    try:
        for packet in container.demux(stream):
            check()
            source.raise_failure()
            yield packet
    except av.FFmpegError:
        source.raise_failure()
        source.cut = True


def _open_nothing(_url: str, _flags: int, _options: dict[str, str]) -> NoReturn:
    """No accepted container names other files; this is the second lock."""
    raise PermissionError
