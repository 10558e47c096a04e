"""Whisper's weights in the installed packages: put together once, checked, and kept."""

from __future__ import annotations

import hashlib
import os
import time
from typing import TYPE_CHECKING

import pytest

from trainer.adapters import whisper_weights
from trainer.adapters.whisper_weights import BESIDE, PARTS, assembled, packaged
from trainer.ports import ModelUnavailable

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Packages like those with the weights; returns the hash of the whole."""
    for (name, file), data in zip(PARTS, (b"first half ", b"second half"), strict=True):
        path = tmp_path / "packages" / name / file
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
        (tmp_path / "packages" / name / "__init__.py").touch()
    for name in BESIDE:
        (tmp_path / "packages" / PARTS[1][0] / "data" / name).write_text("{}")
    monkeypatch.syspath_prepend(str(tmp_path / "packages"))
    return hashlib.sha256(b"first half second half").hexdigest()


class TestAssembling:
    """The model of the packages, put together."""

    def test_once(self, tmp_path: Path, parts: str) -> None:
        assert packaged()
        folder = assembled(tmp_path / "cache", sha256=parts)
        assert (folder / "model.bin").read_bytes() == b"first half second half"
        assert {file.name for file in folder.iterdir()} == {"model.bin", *BESIDE}
        (folder / "model.bin").write_bytes(b"the same file is used again")
        assert assembled(tmp_path / "cache", sha256=parts) == folder
        assert (folder / "model.bin").read_bytes() == b"the same file is used again"
        assert [path.name for path in (tmp_path / "cache").iterdir()] == ["whisper-base"]

    def test_what_is_not_what_it_should_be(self, tmp_path: Path, parts: str) -> None:
        with pytest.raises(ModelUnavailable) as caught:
            assembled(tmp_path / "cache", sha256=parts[::-1])
        assert (caught.value.reason, caught.value.retryable) == ("missing", False)
        assert not list((tmp_path / "cache").iterdir())

    def test_no_packages(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(whisper_weights, "find_spec", lambda _: None)
        assert not packaged()
        with pytest.raises(ModelUnavailable, match="missing"):
            assembled(tmp_path / "cache")

    def test_a_package_without_its_files(self, tmp_path: Path, parts: str) -> None:
        (tmp_path / "packages" / PARTS[0][0] / PARTS[0][1]).unlink()
        with pytest.raises(ModelUnavailable) as caught:
            assembled(tmp_path / "cache", sha256=parts)
        assert caught.value.retryable

    def test_another_process_was_first(self, tmp_path: Path, parts: str, monkeypatch: pytest.MonkeyPatch) -> None:
        cache = tmp_path / "cache"

        def copy(source: Path, target: Path) -> None:
            (cache / "whisper-base").mkdir(exist_ok=True)
            (cache / "whisper-base" / "model.bin").write_bytes(b"theirs")
            target.write_bytes(source.read_bytes())

        monkeypatch.setattr("trainer.adapters.whisper_weights.shutil.copyfile", copy)
        assert (assembled(cache, sha256=parts) / "model.bin").read_bytes() == b"theirs"
        assert [path.name for path in cache.iterdir()] == ["whisper-base"]

    def test_a_folder_that_cannot_be_put_in_its_place(self, tmp_path: Path, parts: str) -> None:
        cache = tmp_path / "cache"
        cache.mkdir()
        (cache / "whisper-base").write_text("a file")
        with pytest.raises(ModelUnavailable) as caught:
            assembled(cache, sha256=parts)
        assert (caught.value.reason, caught.value.retryable) == ("missing", True)

    def test_what_a_killed_process_left_is_deleted_after_a_while(self, tmp_path: Path, parts: str) -> None:
        cache = tmp_path / "cache"
        for name, age in ((".whisper-base-old", 7_200), (".whisper-base-new", 60)):
            (cache / name).mkdir(parents=True)
            (cache / name / "model.bin").touch()
            os.utime(cache / name, (time.time() - age,) * 2)
        assembled(cache, sha256=parts)
        assert {path.name for path in cache.iterdir()} == {"whisper-base", ".whisper-base-new"}
