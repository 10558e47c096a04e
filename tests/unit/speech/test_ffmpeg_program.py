"""Decoding with a program: its command line, a real one where there is one, and ones that misbehave."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from tests.unit.speech.files import KINDS, write
from tests.unit.speech.sounds import tone
from trainer.speech.audio_ffmpeg import command
from trainer.speech.audio_pcm import RATE, AudioRefused, level
from trainer.speech.decoding import Decoder, time_limit

FFMPEG = os.environ.get("FFMPEG_PATH") or shutil.which("ffmpeg")


def test_the_command_line(tmp_path: Path) -> None:
    """The container is forced, only files are opened, and the name is no option and no protocol."""
    arguments = command(Path("/opt/ffmpeg"), tmp_path / "-i concat:a|b.mp3", "mov")
    assert arguments[:5] == ["/opt/ffmpeg", "-nostdin", "-hide_banner", "-v", "quiet"]
    before, after = arguments[: arguments.index("-i")], arguments[arguments.index("-i") :]
    assert before[before.index("-protocol_whitelist") + 1] == "file"
    assert before[before.index("-f") + 1] == "mov"
    assert after[1] == f"file:{tmp_path / '-i concat:a|b.mp3'}"
    assert after[after.index("-map") + 1] == "0:a:0"
    assert (after[after.index("-ac") + 1], after[after.index("-ar") + 1]) == ("1", "16000")
    assert after[-1] == "pipe:1"


@pytest.mark.skipif(FFMPEG is None, reason="there is no ffmpeg on this machine, nor does FFMPEG_PATH name one")
@pytest.mark.parametrize("name", KINDS)
def test_a_real_one_gives_what_the_libraries_give(name: str, tmp_path: Path) -> None:
    assert FFMPEG is not None
    path = write(tmp_path / name, KINDS[name], tone(2.5))
    ours = np.concatenate(list(Decoder().pcm(path, most_s=60)))
    theirs = np.concatenate(list(Decoder(Path(FFMPEG)).pcm(path, most_s=60)))
    assert len(theirs) == pytest.approx(len(ours), abs=RATE // 20)
    assert level(theirs) == pytest.approx(level(ours), abs=0.5)


def stand_in(folder: Path, program: str) -> Path:
    """A Python program in place of FFmpeg."""
    script = folder / "ffmpeg"
    script.write_text(f"#!{sys.executable}\nimport os, sys, time\nout = sys.stdout.buffer\n{program}\n")
    script.chmod(0o755)
    return script


@pytest.fixture
def question(tmp_path: Path) -> Path:
    return write(tmp_path / "question.ogg", KINDS["voice-message.ogg"], tone(2))


posix = pytest.mark.skipif(os.name == "nt", reason="the stand-ins are scripts")


@posix
class TestPrograms:
    def test_what_it_writes(self, tmp_path: Path, question: Path) -> None:
        """As it comes, in chunks of a second; half a sample at the end is dropped."""
        ffmpeg = stand_in(tmp_path, "out.write(bytes([1, 2]) * 20_000 + b'x')")
        chunks = list(Decoder(ffmpeg).pcm(question, most_s=60))
        assert [len(chunk) for chunk in chunks] == [16_000, 4_000]
        assert set(np.concatenate(chunks).tolist()) == {0x0201}

    def test_what_it_is_told(self, tmp_path: Path, question: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """The arguments, and nothing of the environment but what a program needs."""
        monkeypatch.setenv("DISCORD_TOKEN", "secret")
        seen = tmp_path / "seen"
        ffmpeg = stand_in(
            tmp_path, f"open({str(seen)!r}, 'w').write(repr((sys.argv, dict(os.environ))))\nout.write(b'12')"
        )
        list(Decoder(ffmpeg).pcm(question, most_s=60))
        assert "'-f', 'ogg', '-i', 'file:" in seen.read_text()
        assert "secret" not in seen.read_text()
        assert "'PATH'" in seen.read_text()

    @pytest.mark.parametrize(
        ("program", "reason"),
        [
            ("", "empty"),
            ("sys.exit(1)", "broken"),
            ("out.write(bytes(50_000)); out.flush(); sys.exit(1)", "broken"),
            ("out.write(bytes(50_000)); out.flush(); os.kill(os.getpid(), 9)", "broken"),
            ("while True: out.write(bytes(100_000))", "too_long"),
        ],
    )
    def test_how_it_ends(self, program: str, reason: str, tmp_path: Path, question: Path) -> None:
        with pytest.raises(AudioRefused) as caught:
            list(Decoder(stand_in(tmp_path, program)).pcm(question, most_s=10, check=time_limit(60)))
        assert caught.value.reason == reason

    @pytest.mark.parametrize(
        "program",
        [
            "time.sleep(600)",
            "out.write(bytes(32_000)); out.flush(); time.sleep(600)",
            "out.close(); os.close(1); time.sleep(600)",
            # As a wrapper script does, which leaves its child behind when it alone is ended.
            "import subprocess; subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])",
        ],
    )
    def test_one_that_hangs_is_ended(self, program: str, tmp_path: Path, question: Path) -> None:
        threads = threading.active_count()
        with pytest.raises(AudioRefused) as caught:
            list(Decoder(stand_in(tmp_path, program)).pcm(question, most_s=10, check=time_limit(0.6)))
        assert caught.value.reason == "too_slow"
        assert threading.active_count() == threads

    def test_one_that_nobody_listens_to_any_more(self, tmp_path: Path, question: Path) -> None:
        """It is gone as soon as the caller stops, with the thread that read from it."""
        number = tmp_path / "number"
        ffmpeg = stand_in(
            tmp_path, f"open({str(number)!r}, 'w').write(str(os.getpid()))\nwhile True: out.write(bytes(100_000))"
        )
        threads = threading.active_count()
        with closing(Decoder(ffmpeg).pcm(question, most_s=60)) as pieces:
            next(pieces)
            process = int(number.read_text())
            os.kill(process, 0)
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)
        assert threading.active_count() == threads

    def test_one_that_cannot_be_run(self, tmp_path: Path, question: Path) -> None:
        ffmpeg = tmp_path / "ffmpeg"
        ffmpeg.write_text("no program")
        with pytest.raises(OSError):  # noqa: PT011 - the system says which
            list(Decoder(ffmpeg).pcm(question, most_s=60))

    def test_the_same_files_are_refused(self, tmp_path: Path) -> None:
        """The program is not even started for a file that the libraries refuse."""
        ran = tmp_path / "ran"
        ffmpeg = stand_in(tmp_path, f"open({str(ran)!r}, 'w')")
        playlist = tmp_path / "list.mp3"
        playlist.write_text("#EXTM3U\n#EXTINF:5,\nother.mp3\n")
        with pytest.raises(AudioRefused):
            list(Decoder(ffmpeg).pcm(playlist, most_s=60))
        assert not ran.exists()


def test_there_must_be_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Decoder(tmp_path / "ffmpeg")
