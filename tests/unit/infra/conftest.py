"""Fixtures of backups."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.infra.backups import Site, create

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Callable[[str], Site]]:
    made = []

    def make(name: str) -> Site:
        made.append(Site(tmp_path / name))
        return made[-1]

    yield make
    for each in made:
        each.queue.close()


@pytest.fixture
def archive(site: Callable[[str], Site]) -> bytes:
    """A backup of what `Site.fill` makes."""
    old = site("old")
    old.fill()
    return create(old.place)
