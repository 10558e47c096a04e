"""A room for runs, and fast waits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.evaluation.rooms import Room

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    made = Room(tmp_path)
    yield made
    made.close()
