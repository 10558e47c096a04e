"""Who the playground's application is: its signing key, ids and secrets, the same over restarts."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import secrets
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from nacl.exceptions import CryptoError
from nacl.signing import SigningKey

from playground.snowflakes import is_snowflake


@dataclass(frozen=True)
class Identity:
    """Keys and ids of the application.

    Attributes:
        signing_key: signs interactions, as Discord's key of the application does.
        application_id: also the id of the bot's user.
        bot_token: what the bot authorizes itself with.
        cdn_secret: signs links to attachments.
    """

    signing_key: SigningKey
    application_id: str
    bot_token: str
    cdn_secret: str

    @property
    def public_key(self) -> str:
        """The key that interactions are verified with, in hexadecimal."""
        return self.signing_key.verify_key.encode().hex()


@dataclass(frozen=True)
class _Ids:
    application_id: str
    bot_token: str
    cdn_secret: str


def new_identity() -> Identity:
    """A fresh one, kept nowhere."""
    ids = _new_ids()
    return Identity(SigningKey.generate(), ids.application_id, ids.bot_token, ids.cdn_secret)


def load_identity(directory: Path) -> Identity:
    """The identity that is kept in this directory, made if there is none.

    Raises:
        ValueError: a file there is not what was written.
        OSError: the directory cannot be read or written.
    """
    directory.mkdir(parents=True, exist_ok=True)
    key_text = _keep(directory / "signing.key", SigningKey.generate().encode().hex())
    try:
        key = SigningKey(bytes.fromhex(key_text.strip()))
    except (ValueError, CryptoError):
        raise ValueError(f"{directory / 'signing.key'} is not a signing key; remove it to make a new one") from None
    ids_text = _keep(directory / "identity.json", json.dumps(asdict(_new_ids()), indent=1))
    ids = _read_ids(ids_text)
    if ids is None:
        raise ValueError(f"{directory / 'identity.json'} is damaged; remove it to make a new one")
    return Identity(key, ids.application_id, ids.bot_token, ids.cdn_secret)


def write_private(path: Path, text: str) -> None:
    """Replace a file atomically; only its owner may read it."""
    temporary = _temporary(path, text)
    temporary.replace(path)


def _new_ids() -> _Ids:
    application_id = str(1_000_000_000_000_000_000 + secrets.randbelow(10**17))
    head = base64.b64encode(application_id.encode()).decode().rstrip("=")
    token = f"{head}.{secrets.token_urlsafe(4)}.{secrets.token_urlsafe(28)}"
    return _Ids(application_id, token, secrets.token_hex(32))


def _read_ids(text: str) -> _Ids | None:
    try:
        read = json.loads(text)
    except ValueError:
        return None
    names = _Ids.__dataclass_fields__.keys()
    if not isinstance(read, dict) or read.keys() != names or not all(isinstance(one, str) for one in read.values()):
        return None
    ids = _Ids(**read)
    return ids if is_snowflake(ids.application_id) and ids.bot_token and ids.cdn_secret else None


def _keep(path: Path, text: str) -> str:
    """What the file holds; it is written first if there is none. Two processes that start at once agree."""
    with contextlib.suppress(FileNotFoundError):
        return path.read_text()
    temporary = _temporary(path, text)
    try:
        with contextlib.suppress(FileExistsError):
            os.link(temporary, path)
    finally:
        temporary.unlink()
    return path.read_text()


def _temporary(path: Path, text: str) -> Path:
    """A new file beside `path`, which mkstemp makes readable to its owner alone."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return Path(name)
