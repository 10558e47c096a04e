"""Fixtures of the whole suite."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.bot import Bot
from tests.discord import validate_all

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.discord import OpenApi

pytest_plugins = ["tests.conftest_servers", "tests.conftest_discord"]


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """The developer's own settings must not decide about a test."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "DISCORD_PUBLIC_KEY", "DISCORD_TOKEN", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")


@pytest.fixture
def bot(tmp_path: Path, openapi_if_there: OpenApi | None) -> Iterator[Bot]:
    """The whole product, with a playground for Discord."""
    with Bot(tmp_path) as running:
        yield running
        if openapi_if_there is not None:
            # Everything that a test made the product send to Discord is as Discord's own document says.
            assert validate_all(openapi_if_there, running.playground.requests) > 0
