"""Any sound that people send, as a stream of mono 16 kHz samples within limits.

decoder = Decoder()
for second in decoder.pcm(path, most_s=3600, check=time_limit(600)): ...
"""

from __future__ import annotations

from contextlib import closing
from time import monotonic
from typing import TYPE_CHECKING, Final

import numpy as np

from trainer.speech import audio_av, audio_ffmpeg
from trainer.speech.audio_pcm import RATE, AudioRefused, regroup, unhurried

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from trainer.speech.audio_formats import AudioFacts
    from trainer.speech.audio_pcm import Check, Samples
    from trainer.speech.audio_segments import AudioSegment

GRACE_S: Final = 1.0
"""Codecs add some silence, so a recording of exactly the limit decodes to a little more."""


class Decoder:
    """Decodes with the libraries in the PyAV wheel or, if one is named, with a program of the deployer's own.

    In both cases PyAV looks at the file first, so the same files are taken. Safe to use from several threads.
    """

    def __init__(self, ffmpeg: Path | None = None) -> None:
        """Decode with `ffmpeg` if given. Raises `FileNotFoundError` if there is no such file."""
        if ffmpeg is not None and not ffmpeg.is_file():
            raise FileNotFoundError(ffmpeg)
        self._ffmpeg = ffmpeg
        if ffmpeg is not None:
            from trainer.speech.audio_segments import use_ffmpeg  # noqa: PLC0415 - brings pydub

            use_ffmpeg(ffmpeg)

    def probe(self, path: Path, check: Check = unhurried) -> AudioFacts:
        """What the file says of itself, without decoding it.

        Raises:
            AudioRefused: `unsupported`, `broken`, `empty` or `encrypted`.
        """
        return audio_av.probe(path, check)

    def pcm(self, path: Path, *, most_s: float, check: Check = unhurried) -> Generator[Samples, None, None]:
        """The first audio track in chunks of a second, the last one shorter; close it if you stop early.

        A file that says it is longer than `most_s` seconds is refused before anything comes; one that lies, when it
        has gone beyond. `check` runs at least with every packet, and what it raises comes out here.

        Raises:
            AudioRefused: for any of its reasons; `too_long`, `broken` and `empty` possibly after chunks have come.
        """
        facts = self.probe(path, check)
        if not facts.has_audio:
            raise AudioRefused("no_audio_track")
        if facts.duration_s is not None and facts.duration_s > most_s + GRACE_S:
            raise AudioRefused("too_long")
        chunks = (
            audio_av.decode(path, check)
            if self._ffmpeg is None
            else audio_ffmpeg.decode(self._ffmpeg, path, facts.container, check)
        )
        count = 0
        with closing(chunks):
            for chunk in regroup(chunks, RATE):
                count += len(chunk)
                if count > (most_s + GRACE_S) * RATE:
                    raise AudioRefused("too_long")
                yield chunk

    def segment(self, path: Path, *, most_s: float, check: Check = unhurried) -> AudioSegment:
        """The whole sound at once: 32 kB a second. Raises as `pcm`."""
        from trainer.speech.audio_segments import segment_of  # noqa: PLC0415 - only who wants segments loads pydub

        return segment_of(np.concatenate(list(self.pcm(path, most_s=most_s, check=check))))


def time_limit(seconds: float, check: Check = unhurried, *, clock: Callable[[], float] = monotonic) -> Check:
    """A check that raises `AudioRefused("too_slow")` when so many seconds have passed from now; runs `check` too."""
    deadline = clock() + seconds

    def within() -> None:
        check()
        if clock() > deadline:
            raise AudioRefused("too_slow")

    return within
