"""Where the variables of a running playground are written, and how a command finds it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from dotenv import dotenv_values

DEFAULT_DIRECTORY: Final = Path("data/playground")
DEFAULT_PORT: Final = 8082
URL_VARIABLE: Final = "TRAINGER_PLAYGROUND_URL"


def environment_file(directory: Path) -> Path:
    """The file in a playground's directory."""
    return directory / "playground.env"


def playground_url() -> str:
    """The running playground: named by the environment, by its file under the current folder, or by default."""
    if named := os.environ.get(URL_VARIABLE):
        return named.rstrip("/")
    written = dotenv_values(environment_file(DEFAULT_DIRECTORY)).get(URL_VARIABLE)
    return (written or f"http://127.0.0.1:{DEFAULT_PORT}").rstrip("/")
