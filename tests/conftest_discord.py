"""Fixtures around the playground. A conftest loads them: `pytest_plugins = ["tests.conftest_discord"]`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from playground.server import Playground
from tests.discord import OpenApi, openapi_path

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def playground() -> Iterator[Playground]:
    """A fresh Discord that listens; its identity is kept nowhere."""
    with Playground() as running:
        yield running


@pytest.fixture(scope="session")
def openapi_if_there() -> OpenApi | None:
    """Discord's OpenAPI document, for tests that check more than that; other tests say that it is absent."""
    path = openapi_path()
    return OpenApi.load(path) if path.is_file() else None


@pytest.fixture(scope="session")
def discord_openapi() -> OpenApi:
    """Discord's official OpenAPI document; skips where it is absent."""
    path = openapi_path()
    if not path.is_file():
        pytest.skip(f"Discord's OpenAPI document is not at {path} (DISCORD_OPENAPI names another place)")
    return OpenApi.load(path)
