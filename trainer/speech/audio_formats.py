"""Which files are taken for sound: a list of containers and codecs, and limits to what their headers may say.

FFmpeg knows some 350 formats, many of which name other files or addresses to be read (`hls`, `concat`, `dash`, `sdp`,
`image2`), make up sound from a script (`lavfi`), or have not been looked at for decades. What people send is never
opened as one of these, whatever it is called and whatever it starts with.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from trainer.speech.audio_pcm import AudioRefused

if TYPE_CHECKING:
    from pathlib import Path

CONTAINERS: Final = frozenset(
    {"aac", "aiff", "amr", "avi", "caf", "flac", "matroska", "mov", "mp3", "ogg", "w64", "wav"}
)
"""FFmpeg's demuxers; `matroska` is WebM too, `mov` is MP4, M4A and 3GP too. None of them opens other files."""

CODECS: Final = frozenset(
    {
        "aac",
        "ac3",
        "adpcm_ima_qt",
        "adpcm_ima_wav",
        "adpcm_ms",
        "alac",
        "amr_nb",
        "amr_wb",
        "eac3",
        "flac",
        "mp1",
        "mp2",
    }
    | {"mp3", "opus", "speex", "vorbis", "pcm_alaw", "pcm_mulaw", "pcm_u8", "pcm_s8"}
    | {f"pcm_{kind}{order}" for kind in ("s16", "s24", "s32", "f32", "f64") for order in ("le", "be")}
)
"""FFmpeg's names of codecs, whichever decoder is behind them."""
DECODERS: Final = CODECS | {"amrnb", "amrwb", "libopus", "libvorbis", "mp1float", "mp2float", "mp3float"}
"""The names of decoders. Those of video are missing, so that opening a film decodes no picture."""

SAMPLE_RATES: Final = range(4_000, 384_001)
"""A resampler's memory grows with the rate; headers can say four billion."""
MAX_CHANNELS: Final = 16
MAX_STREAMS: Final = 64
_ENCRYPTED_TAGS: Final = frozenset({"enca", "drms", "aavd"})
"""How MP4 calls a protected track: Common Encryption, FairPlay, Audible."""

_HEAD: Final = re.compile(
    rb"OggS|fLaC|ID3|\xff[\xe0-\xff]|\x1aE\xdf\xa3|caff|#!AMR|riff\x2e\x91|"
    rb"(?:RIFF|RIFX|RF64)....(?:WAVE|AVI )|FORM....AIF[FC]|....(?:ftyp|moov|mdat|wide|free|skip)",
    re.DOTALL,
)


class AudioFacts(NamedTuple):
    """What a file says of itself, without decoding it."""

    container: str
    """FFmpeg's name, such as `ogg`, `mov`, `matroska`, `mp3`."""
    codec: str | None
    """FFmpeg's name, such as `opus`; None without an audio track."""
    duration_s: float | None
    """Of the audio track, if that can be known. A hostile file lies."""
    sample_rate: int
    """A second; 0 without an audio track."""
    channels: int

    @property
    def has_audio(self) -> bool:
        """Whether there is a track to decode."""
        return self.codec is not None


def check_track(codec: str | None, tag: str, sample_rate: int, channels: int, *, has_key: bool = False) -> None:
    """Raise `AudioRefused` unless a track is one that may be decoded."""
    if has_key or tag in _ENCRYPTED_TAGS:
        raise AudioRefused("encrypted")
    if codec not in CODECS:
        raise AudioRefused("unsupported")
    check_sound(sample_rate, channels)


def check_sound(sample_rate: int, channels: int) -> None:
    """Raise `AudioRefused` for a rate or a number of channels that no recording has."""
    if sample_rate not in SAMPLE_RATES or not 1 <= channels <= MAX_CHANNELS:
        raise AudioRefused("unsupported")


def refusal_of(path: Path) -> AudioRefused:
    """Why a file that FFmpeg does not open is refused, by its first bytes."""
    with path.open("rb") as file:
        head = file.read(16)
    if not head:
        return AudioRefused("empty")
    return AudioRefused("broken" if _HEAD.match(head) else "unsupported")
