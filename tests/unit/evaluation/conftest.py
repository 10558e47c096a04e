"""A room for runs, and fast waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.evaluation.rooms import Room
from trainer.evaluation import delivery, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    yield made
    made.close()


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looks at everything at once."""
    monkeypatch.setattr(running, "LOOK_S", 0.02)
    monkeypatch.setattr(delivery, "LOOK_S", 0.0)
    monkeypatch.setattr(delivery, "TICK_S", 0.02)
    monkeypatch.setattr(delivery, "TELL_S", 0.0)
