"""Fixtures that several files of the whole product's tests share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.evaluation_place import Place, chat_models, taught_place
from tests.e2e.spoken import Ear, Mouth, equip
from trainer.speech.speaking import Speaker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.bot import Bot
    from tests.openai_server import OpenAiServer


@pytest.fixture
def taught(tmp_path: Path) -> Iterator[Place]:
    with taught_place(tmp_path) as here:
        yield here


@pytest.fixture
def models() -> Iterator[OpenAiServer]:
    with chat_models() as server:
        yield server


@pytest.fixture
def ear(bot: Bot) -> Ear:
    ear = Ear()
    equip(bot, transcriber=ear)
    return ear


@pytest.fixture
def mouth(bot: Bot) -> Mouth:
    mouth = Mouth()
    equip(bot, speaker=Speaker([mouth]))
    return mouth
