"""The secret that signs links to files: made once, and the same for all processes that use its folder."""

from __future__ import annotations

import contextlib
import os
import secrets
from typing import TYPE_CHECKING, Final

from trainer.configuration import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

SECRET_BYTES: Final = 32


def kept_secret(path: Path) -> bytes:
    """The secret in this file, which is made if there is none. Raises `ConfigurationError`."""
    try:
        if not path.exists():
            _make(path)
        secret = path.read_bytes()
    except OSError as error:
        raise ConfigurationError(f"the secret for links can be neither read nor made: {error.strerror}") from None
    if len(secret) < SECRET_BYTES:
        raise ConfigurationError(f"{path.name} is damaged: delete it, and a new one is made")
    return secret


def _make(path: Path) -> None:
    """Make the file whole or not at all; of several processes that do so at once, one makes it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.with_name(f".{path.name}-{os.getpid()}-{secrets.token_hex(4)}")
    fd = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(secrets.token_bytes(SECRET_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(made, path)
    finally:
        made.unlink()
