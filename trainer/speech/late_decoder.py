"""A decoder that loads its libraries when the first recording comes: most workers never need them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from trainer.speech.audio_formats import AudioFacts
    from trainer.speech.audio_pcm import Samples
    from trainer.speech.decoding import Decoder


class SoundDecoder(Protocol):
    """What takes recordings apart; `trainer.speech.decoding.Decoder` says how."""

    def probe(self, path: Path, check: Callable[[], None] = ...) -> AudioFacts:
        """What the file says of itself."""
        ...

    def pcm(self, path: Path, *, most_s: float, check: Callable[[], None] = ...) -> Generator[Samples, None, None]:
        """The sound, in chunks of a second."""
        ...


def _unhurried() -> None:
    """The check of callers without a limit."""


class LateDecoder:
    """A `trainer.speech.decoding.Decoder`, made when it is first used. Safe to use from several threads.

    Args:
        ffmpeg: the deployer's own program, if there is one.

    Raises:
        FileNotFoundError: there is no such file.
    """

    def __init__(self, ffmpeg: Path | None = None) -> None:
        if ffmpeg is not None and not ffmpeg.is_file():
            raise FileNotFoundError(ffmpeg)
        self._ffmpeg = ffmpeg

    @cached_property
    def _decoder(self) -> Decoder:
        from trainer.speech.decoding import Decoder  # noqa: PLC0415 - brings numpy and PyAV

        return Decoder(self._ffmpeg)

    def probe(self, path: Path, check: Callable[[], None] = _unhurried) -> AudioFacts:
        """What the file says of itself. Raises `AudioRefused`."""
        return self._decoder.probe(path, check)

    def pcm(
        self, path: Path, *, most_s: float, check: Callable[[], None] = _unhurried
    ) -> Generator[Samples, None, None]:
        """The first audio track in chunks of a second. Raises `AudioRefused`."""
        return self._decoder.pcm(path, most_s=most_s, check=check)
