"""Everything people send comes out as mono 16 kHz, in chunks, within limits."""

from __future__ import annotations

import tracemalloc
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from tests.unit.speech.files import KINDS, Kind, write
from tests.unit.speech.sounds import joined, pitch_of, tone
from trainer.speech import audio_av
from trainer.speech.audio_pcm import RATE, AudioRefused, Samples, level
from trainer.speech.decoding import Decoder, time_limit

if TYPE_CHECKING:
    from collections.abc import Callable


def decoded(path: Path, *, most_s: float = 60) -> Samples:
    return np.concatenate(list(Decoder().pcm(path, most_s=most_s)))


@pytest.mark.parametrize("name", KINDS)
def test_each_format(name: str, tmp_path: Path) -> None:
    """The length, the pitch and the loudness survive; the chunks are of a second."""
    path = write(tmp_path / name, KINDS[name], tone(2.5, hertz=440, dbfs=-20))
    chunks = list(Decoder().pcm(path, most_s=60))
    assert [len(chunk) for chunk in chunks[:-1]] == [RATE] * (len(chunks) - 1)
    assert 0 < len(chunks[-1]) <= RATE
    assert all(chunk.dtype == np.int16 for chunk in chunks)
    sound = np.concatenate(chunks)
    assert len(sound) / RATE == pytest.approx(2.5, abs=0.08)
    assert pitch_of(sound) == pytest.approx(440, abs=2)
    # A 5.1 mix for one channel weighs the channels.
    assert level(sound) == pytest.approx(-20, abs=3 if name == "5.1.wav" else 1)


@pytest.mark.parametrize("name", KINDS)
def test_what_a_file_says_of_itself(name: str, tmp_path: Path) -> None:
    kind = KINDS[name]
    facts = Decoder().probe(write(tmp_path / name, kind, tone(2.5)))
    assert facts.has_audio
    assert facts.codec == {"libopus": "opus", "libmp3lame": "mp3"}.get(kind.codec or "", kind.codec)
    assert facts.container in {
        kind.container,
        {"ipod": "mov", "mp4": "mov", "adts": "aac", "webm": "matroska"}.get(kind.container),
    }
    assert facts.sample_rate == kind.rate
    assert facts.channels == {"mono": 1, "stereo": 2, "5.1": 6}[kind.layout]
    assert facts.duration_s == pytest.approx(2.5, abs=0.1)


def test_the_name_means_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "really-an-mp3.wav", KINDS["song.mp3"], tone(1))
    assert Decoder().probe(path).codec == "mp3"
    assert len(decoded(path)) == pytest.approx(RATE, abs=1300)


def test_a_film_without_sound(tmp_path: Path) -> None:
    path = write(tmp_path / "silent.mp4", Kind("mp4", None, video="mpeg4"), tone(1))
    facts = Decoder().probe(path)
    assert not facts.has_audio
    assert facts.duration_s is None
    assert_refused("no_audio_track", path)
    with pytest.raises(AudioRefused) as caught:
        next(audio_av.decode(path))
    assert caught.value.reason == "no_audio_track"


def test_form_that_changes_on_the_way(tmp_path: Path) -> None:
    """MP3s put together with `cat` have another rate and other channels from some frame on."""
    one = write(tmp_path / "1.mp3", Kind("mp3", "libmp3lame", 44_100, "stereo"), tone(1.5, hertz=440))
    two = write(tmp_path / "2.mp3", Kind("mp3", "libmp3lame", 32_000, "mono"), tone(1.5, hertz=880))
    both = tmp_path / "both.mp3"
    both.write_bytes(one.read_bytes() + two.read_bytes())
    sound = decoded(both)
    assert len(sound) / RATE == pytest.approx(3, abs=0.2)
    assert pitch_of(sound[:RATE]) == pytest.approx(440, abs=3)
    assert pitch_of(sound[-RATE:]) == pytest.approx(880, abs=3)


def test_a_file_that_ends_in_the_middle(tmp_path: Path) -> None:
    """What is there is decoded, as players do."""
    path = write(tmp_path / "cut.mp3", KINDS["song.mp3"], tone(4))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert len(decoded(path)) / RATE == pytest.approx(2, abs=0.2)


@pytest.mark.parametrize("name", ["bare.aac", "browser.webm", "cd.flac", "16.wav", "film.avi"])
def test_files_that_end_anywhere(name: str, tmp_path: Path) -> None:
    """Also within a packet, which some containers call an error and others the end."""
    path = write(tmp_path / name, KINDS[name], tone(3))
    whole = path.read_bytes()
    lengths = []
    for tenths in range(4, 10):
        path.write_bytes(whole[: len(whole) * tenths // 10])
        lengths.append(len(decoded(path)) / RATE)
    assert lengths == sorted(lengths)
    assert 0.5 < lengths[0] < 1.3
    assert 2.2 < lengths[-1] < 3


def test_damage_in_the_middle_is_passed_over(tmp_path: Path) -> None:
    path = write(tmp_path / "hurt.flac", KINDS["cd.flac"], tone(4))
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 200] = bytes(200)
    path.write_bytes(content)
    assert len(decoded(path)) / RATE > 3


def test_as_a_segment(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ogg", KINDS["voice-message.ogg"], tone(1.5))
    segment = Decoder().segment(path, most_s=10)
    assert (segment.frame_rate, segment.channels, segment.sample_width) == (RATE, 1, 2)
    assert len(segment) == 1_500


class TestLimits:
    def test_exactly_as_long_as_allowed(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.m4a", KINDS["memo.m4a"], tone(3))
        assert len(decoded(path, most_s=3)) >= 3 * RATE

    def test_declared_as_too_long(self, tmp_path: Path) -> None:
        """Refused before the first chunk, as transcribing half of it would be for nothing."""
        path = write(tmp_path / "a.mp3", KINDS["song.mp3"], tone(5))
        pieces = Decoder().pcm(path, most_s=3)
        with pytest.raises(AudioRefused) as caught:
            next(pieces)
        assert caught.value.reason == "too_long"

    def test_longer_than_it_says(self, tmp_path: Path) -> None:
        """An MP4 whose table says that each frame takes one tick."""
        path = write(tmp_path / "liar.m4a", KINDS["memo.m4a"], tone(8), options={"use_editlist": "0"})
        content = path.read_bytes()
        delta = content.index(b"stts") + 16
        assert content[delta : delta + 4] == (1024).to_bytes(4, "big")
        path.write_bytes(content[:delta] + (1).to_bytes(4, "big") + content[delta + 4 :])
        duration = Decoder().probe(path).duration_s
        assert duration is not None
        assert duration < 1
        came: list[Samples] = []
        with pytest.raises(AudioRefused) as caught:
            came.extend(Decoder().pcm(path, most_s=2))
        assert caught.value.reason == "too_long"
        assert len(came) == 3

    @pytest.mark.parametrize("calls", [0, 1, 5, 50])
    def test_the_check_ends_it(self, calls: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        """What the check raises comes out as it is, whether FFmpeg is opening, reading or decoding then."""
        path = write(tmp_path / "a.mkv", KINDS["film.mkv"], tone(5))
        left = calls

        class Enough(Exception):
            pass

        def check() -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise Enough

        with pytest.raises(Enough):
            list(Decoder().pcm(path, most_s=60, check=check))
        assert left < 0
        assert capfd.readouterr() == ("", "")

    def test_time_limit(self) -> None:
        now = 100.0
        seen: list[float] = []
        check = time_limit(10, lambda: seen.append(now), clock=lambda: now)
        now = 110.0
        check()
        now = 110.1
        with pytest.raises(AudioRefused) as caught:
            check()
        assert caught.value.reason == "too_slow"
        assert seen == [110.0, 110.1]

    def test_memory_does_not_grow_with_the_length(self, tmp_path: Path) -> None:
        """Ten minutes are 19 MB of samples."""
        path = write(tmp_path / "long.flac", Kind("flac", "flac", RATE), np.tile(tone(10), 60))
        pieces = Decoder().pcm(path, most_s=3600)
        next(pieces)
        tracemalloc.start()
        try:
            seconds = 1 + sum(1 for _ in pieces)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert seconds == 600
        assert peak < 1_000_000


@pytest.fixture
def open_files() -> Callable[[], int]:
    folder = Path("/proc/self/fd")
    if not folder.is_dir():
        pytest.skip("this system does not list open files")
    return lambda: len(list(folder.iterdir()))


def test_no_file_stays_open(tmp_path: Path, open_files: Callable[[], int]) -> None:
    good = write(tmp_path / "a.ogg", KINDS["voice-message.ogg"], tone(5))
    bad = tmp_path / "b.ogg"
    bad.write_bytes(b"OggS" + bytes(500))
    before = open_files()
    decoded(good)
    with closing(Decoder().pcm(good, most_s=60)) as pieces:
        next(pieces)
    assert_refused("broken", bad)
    assert open_files() == before


def test_places_that_no_file_has(tmp_path: Path) -> None:
    """FFmpeg learns of them as of a failure, by a number."""
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    with path.open("rb") as file:
        source = audio_av._Source(file, lambda: None)
        assert source.seek(3) == 3
        assert source.seek(-1) == -1
        assert source.tell() == 3
        assert source.read(10) == b"45"


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Decoder().probe(tmp_path / "missing.ogg")


def assert_refused(reason: str, path: Path) -> None:
    with pytest.raises(AudioRefused) as caught:
        list(Decoder().pcm(path, most_s=60))
    assert caught.value.reason == reason
    assert str(caught.value) == reason


def test_joined_chunks_are_one_sound(tmp_path: Path) -> None:
    """Nothing is lost or doubled where the chunks meet: a lossless file at 16 kHz comes back bit by bit."""
    sound = joined(tone(1.3, hertz=300), tone(1.1, hertz=700))
    path = write(tmp_path / "16.flac", Kind("flac", "flac", RATE), sound)
    assert np.array_equal(decoded(path), sound)
