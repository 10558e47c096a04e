"""A store in a folder, and the indexes over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from trainer.adapters.file_store import FileStore
from trainer.library import Library

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "store")


@pytest.fixture
def library(store: FileStore, tmp_path: Path) -> Iterator[Library]:
    made = Library(store, tmp_path / "cache")
    yield made
    made.close()


@pytest.fixture
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("trainer.training.CHUNK", 40)
    monkeypatch.setattr("trainer.training.INLINE_MOST", 20)
