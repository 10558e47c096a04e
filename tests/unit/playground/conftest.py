"""The playground, and a stand-in for an application's endpoint."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.playground.bot import Bot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playground.server import Playground


@pytest.fixture
def bot(playground: Playground) -> Iterator[Bot]:
    """An application whose endpoint the playground sends interactions to."""
    with Bot(playground) as running:
        playground.interactions_url = running.url
        yield running
