"""Files made to do harm: they are refused with a word, open nothing else, say nothing, and end."""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING

import av.logging
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.speech.files import KINDS, Kind, write
from tests.unit.speech.sounds import tone, voice
from trainer.speech import audio_av
from trainer.speech.audio_formats import CODECS, CONTAINERS, DECODERS
from trainer.speech.audio_pcm import AudioRefused
from trainer.speech.decoding import Decoder, time_limit

if TYPE_CHECKING:
    from pathlib import Path


def reason_of(path: Path) -> str:
    with pytest.raises(AudioRefused) as caught:
        list(Decoder().pcm(path, most_s=60, check=time_limit(60)))
    return caught.value.reason


SCRIPTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{other}\n#EXT-X-ENDLIST\n",
    "hls of a protocol": "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nconcat:{other}|{other}\n#EXT-X-ENDLIST\n",
    "concat": "ffconcat version 1.0\nfile {other}\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period><AdaptationSet><Representation>'
    "<BaseURL>{other}</BaseURL></Representation></AdaptationSet></Period></MPD>",
    "smil": '<smil><body><audio src="{other}"/></body></smil>',
    "pls": "[playlist]\nFile1={other}\nNumberOfEntries=1\n",
    "lavfi": "sine=frequency=440",
    "webvtt": "WEBVTT\n\n00:00.000 --> 00:01.000\nhello\n",
    "text": "Is this a song?\n" * 500,
}


@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.parametrize("suffix", [".mp3", ".m3u8", ".ogg"])
def test_scripts_that_name_other_files(name: str, suffix: str, tmp_path: Path) -> None:
    other = write(tmp_path / "other.mp3", KINDS["song.mp3"], tone(1))
    path = tmp_path / f"question{suffix}"
    path.write_text(SCRIPTS[name].format(other=other))
    assert reason_of(path) == "unsupported"


def test_the_scripts_would_work_elsewhere(tmp_path: Path) -> None:
    """The attack is a real one: FFmpeg without the list of containers does open the other file."""
    other = write(tmp_path / "other.mp3", KINDS["song.mp3"], tone(1))
    path = tmp_path / "question.mp3"
    path.write_text(SCRIPTS["concat"].format(other=other.name))
    with av.open(str(path), format="concat") as container:
        assert container.streams.audio[0].codec_context.codec.canonical_name == "mp3"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"\x00", "unsupported"),
        (b"OggS", "broken"),
        (b"OggS" + bytes(5_000), "broken"),
        (b"fLaC" + bytes(5_000), "broken"),
        (b"RIFF\x24\x00\x00\x00WAVEfmt ", "broken"),
        (b"\x1aE\xdf\xa3" + bytes(5_000), "broken"),
        (b"\x00\x00\x00\x20ftypisom" + bytes(5_000), "broken"),
        (b"\x89PNG\r\n\x1a\n" + bytes(5_000), "unsupported"),
        (b"PK\x03\x04" + bytes(5_000), "unsupported"),
        (b"%PDF-1.7\n" + bytes(5_000), "unsupported"),
        (b"MZ" + bytes(range(256)) * 20, "unsupported"),
    ],
)
def test_things_that_are_no_sound(content: bytes, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "question.ogg"
    path.write_bytes(content)
    assert reason_of(path) == reason


def test_a_wav_without_samples(tmp_path: Path) -> None:
    path = write(tmp_path / "a.wav", KINDS["16.wav"], tone(1))
    content = bytearray(path.read_bytes())
    at = content.index(b"data")
    content[at + 4 : at + 8] = bytes(4)
    path.write_bytes(content[: at + 8])
    assert reason_of(path) == "empty"


class TestHeadersThatLie:
    @pytest.mark.parametrize("rate", [0, 1, 3_999, 384_001, 2**31 - 1, 2**32 - 1])
    def test_sample_rate(self, rate: int, tmp_path: Path) -> None:
        path = write(tmp_path / "a.wav", KINDS["16.wav"], tone(1))
        content = bytearray(path.read_bytes())
        at = content.index(b"fmt ") + 8
        content[at + 4 : at + 8] = struct.pack("<I", rate)
        path.write_bytes(content)
        assert reason_of(path) in {"unsupported", "broken"}

    @pytest.mark.parametrize("channels", [0, 17, 255, 65_535])
    def test_channels(self, channels: int, tmp_path: Path) -> None:
        path = write(tmp_path / "a.wav", KINDS["16.wav"], tone(1))
        content = bytearray(path.read_bytes())
        at = content.index(b"fmt ") + 8
        content[at + 2 : at + 4] = struct.pack("<H", channels)
        path.write_bytes(content)
        assert reason_of(path) in {"unsupported", "broken"}

    @pytest.mark.parametrize("size", [2**62, 2**63 - 1, 2**64 - 1])
    def test_a_part_larger_than_any_file(self, size: int, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
        """FFmpeg wants to jump behind it, where no file reaches."""
        path = write(tmp_path / "a.m4a", KINDS["memo.m4a"], tone(1))
        content = path.read_bytes()
        at = content.index(b"mdat") - 4
        path.write_bytes(content[:at] + struct.pack(">I4sQ", 1, b"free", size) + content[at:])
        assert reason_of(path) == "broken"
        assert capfd.readouterr() == ("", "")

    def test_a_codec_that_nobody_knows(self, tmp_path: Path) -> None:
        path = write(tmp_path / "a.mkv", Kind("matroska", "wavpack", 44_100), tone(1))
        path.write_bytes(path.read_bytes().replace(b"A_WAVPACK4", b"A_UNKNOWN4"))
        assert reason_of(path) == "unsupported"

    @pytest.mark.parametrize("seconds", [2, 12])
    def test_frames_of_rubbish(self, seconds: int, tmp_path: Path) -> None:
        """A sound container with nothing decodable in it; a long one is not read to its end."""
        path = write(tmp_path / "a.m4a", KINDS["memo.m4a"], voice(seconds))
        content = bytearray(path.read_bytes())
        start, end = content.index(b"mdat") + 4, content.index(b"moov") - 4
        content[start:end] = b"\xff" * (end - start)
        path.write_bytes(content)
        assert reason_of(path) == "broken"


@pytest.mark.parametrize("name", ["browser.webm", "film.avi", "cd.flac", "bare.aac", "song.mp3", "film.mkv"])
def test_rubbish_in_the_second_half(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / name, KINDS[name], voice(3))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2] + os.urandom(3_000))
    seconds = sum(map(len, Decoder().pcm(path, most_s=60, check=time_limit(60)))) / 16_000
    assert 0.4 < seconds < 2.2


def test_the_second_lock(tmp_path: Path) -> None:
    """Were a container on the list that names other files, they would not be opened."""
    write(tmp_path / "other.mp3", KINDS["song.mp3"], tone(1))
    path = tmp_path / "list.txt"
    path.write_text(SCRIPTS["concat"].format(other="other.mp3"))
    with pytest.raises(PermissionError):
        av.open(str(path), format="concat", io_open=audio_av._open_nothing)


class TestProtected:
    @pytest.mark.parametrize("tag", [b"enca", b"drms", b"aavd"])
    def test_mp4(self, tag: bytes, tmp_path: Path) -> None:
        path = write(tmp_path / "a.m4a", KINDS["memo.m4a"], tone(1))
        content = path.read_bytes()
        at = content.index(b"mp4a", content.index(b"stsd"))
        path.write_bytes(content[:at] + tag + content[at + 4 :])
        assert reason_of(path) == "encrypted"

    def test_matroska(self, tmp_path: Path) -> None:
        """A track's name is replaced by ContentEncodings (RFC 9559, 5.1.4.1.31) of the same size, with a key's id."""
        title = "21 characters, ASCII."
        path = write(tmp_path / "a.webm", KINDS["browser.webm"], tone(1), title=title)

        def element(number: str, content: bytes) -> bytes:
            return bytes.fromhex(number) + bytes([0x80 | len(content)]) + content

        encryption = element("47e1", b"\x05") + element("47e2", b"key!")
        encoding = element("5033", b"\x01") + element("5035", encryption)
        encodings = element("6d80", element("6240", encoding))
        name = element("536e", title.encode())
        assert len(encodings) == len(name)
        content = path.read_bytes()
        assert content.count(name) == 1
        path.write_bytes(content.replace(name, encodings))
        assert reason_of(path) == "encrypted"


def test_codecs_that_are_not_taken(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mkv", Kind("matroska", "wavpack", 44_100), tone(1))
    assert reason_of(path) == "unsupported"


def test_containers_that_are_not_taken(tmp_path: Path) -> None:
    path = write(tmp_path / "a.mp3", Kind("mpegts", "aac"), tone(1))
    assert reason_of(path) == "unsupported"


def test_the_lists_hold_nothing_that_opens_files() -> None:
    assert not CONTAINERS & {"hls", "concat", "dash", "sdp", "rtsp", "rtp", "lavfi", "image2", "sap", "mpegts", "asf"}
    assert {av.Codec(name, "r").type for name in DECODERS if name in av.codecs_available} == {"audio"}
    assert set(DECODERS) >= CODECS


def test_nothing_is_said(tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    """FFmpeg has much to say about a damaged file, and would quote from it."""
    assert av.logging.get_level() is None
    path = write(tmp_path / "a.mp3", KINDS["song.mp3"], tone(3))
    content = bytearray(path.read_bytes())
    for at in range(500, len(content), 700):
        content[at : at + 60] = os.urandom(60)
    path.write_bytes(content)
    list(Decoder().pcm(path, most_s=60))
    path.write_bytes(b"OggS" + bytes(1_000))
    reason_of(path)
    assert capfd.readouterr() == ("", "")
    assert caplog.records == []


FUZZED = ["voice-message.ogg", "song.mp3", "memo.m4a", "browser.webm", "cd.flac", "24.wav", "film.mkv", "mac.aiff"]


@pytest.mark.parametrize("name", FUZZED)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_anyhow(name: str, data: st.DataObject, tmp_path: Path) -> None:
    """Bytes changed and the end cut off: some sound or a reason, and no more sound than was asked for."""
    original = tmp_path / f"whole-{name}"
    if not original.exists():
        write(original, KINDS[name], voice(2))
    content = bytearray(original.read_bytes())
    places = st.integers(0, len(content) - 1)
    for place, value in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), max_size=30)):
        content[place] = value
    # Headers are where it matters.
    for place, value in data.draw(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), max_size=5)):
        content[place] = value
    path = tmp_path / name
    path.write_bytes(content[: data.draw(st.one_of(st.just(len(content)), places))])
    count = 0
    try:
        for chunk in Decoder().pcm(path, most_s=10, check=time_limit(60)):
            count += len(chunk)
    except AudioRefused as refused:
        assert refused.reason != "too_slow"  # noqa: PT017 - both outcomes are right
    assert count <= 12 * 16_000
