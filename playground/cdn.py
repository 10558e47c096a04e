"""Attachments and their signed, expiring links, as Discord's CDN has them."""

from __future__ import annotations

import hashlib
import hmac
import mimetypes
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from playground.errors import DiscordError

if TYPE_CHECKING:
    from collections.abc import Callable

    from playground.clock import Clock

LIFETIME_S: Final = 24 * 3600
MAX_KEPT_BYTES: Final = 512 * 1024 * 1024
GONE: Final = "This content is no longer available."


@dataclass(frozen=True)
class File:
    """A file that somebody uploads.

    Attributes:
        filename: its name, as its sender says.
        data: what is in it.
        content_type: what its sender says it is; None: guessed by its name, as Discord does.
        declared_size: the size that the payload claims, in bytes; None: the true one.
    """

    filename: str
    data: bytes
    content_type: str | None = None
    declared_size: int | None = None


@dataclass(frozen=True)
class Attachment:
    """A file on the CDN."""

    id: str
    channel_id: str
    filename: str
    data: bytes
    content_type: str | None
    declared_size: int
    ephemeral: bool
    extra: tuple[tuple[str, Any], ...]
    """Further members: description, title, duration_secs, waveform."""
    url_of: Callable[[Attachment], str]

    @property
    def url(self) -> str:
        """A link that works for a day from now."""
        return self.url_of(self)

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.data)

    def json(self) -> dict[str, Any]:
        """As Discord shows an attachment."""
        url = self.url
        shown: dict[str, Any] = {
            "id": self.id,
            "filename": self.filename,
            "size": self.declared_size,
            "url": url,
            "proxy_url": url,
        }
        if self.content_type:
            shown["content_type"] = self.content_type
        if self.ephemeral:
            shown["ephemeral"] = True
        return shown | dict(self.extra)


class Cdn:
    """Keeps attachments in memory; the oldest go when there are too many. Safe to use from several threads."""

    def __init__(self, clock: Clock, secret: str) -> None:
        self._clock = clock
        self._secret = secret.encode()
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Attachment] = OrderedDict()
        self._bytes = 0
        self.base_url = ""
        """Scheme, host and port of the links; set when the server listens."""

    def add(
        self,
        attachment_id: str,
        channel_id: str,
        file: File,
        *,
        ephemeral: bool = False,
        extra: dict[str, Any] | None = None,
    ) -> Attachment:
        """Keep a file."""
        declared = len(file.data) if file.declared_size is None else file.declared_size
        content_type = file.content_type or guess_type(file.filename)
        described = tuple((extra or {}).items())
        added = Attachment(
            attachment_id,
            channel_id,
            safe_name(file.filename),
            file.data,
            content_type,
            declared,
            ephemeral,
            described,
            self._url,
        )
        with self._lock:
            self._kept[added.id] = added
            self._bytes += added.size
            while self._bytes > MAX_KEPT_BYTES and len(self._kept) > 1:
                self._bytes -= self._kept.popitem(last=False)[1].size
        return added

    def _url(self, attachment: Attachment) -> str:
        issued = int(self._clock.now())
        return self.sign(attachment, issued=issued, expires=issued + LIFETIME_S)

    def sign(self, attachment: Attachment, *, issued: int, expires: int) -> str:
        """A link to a file that works until `expires`, both in seconds since the epoch."""
        path = f"/attachments/{attachment.channel_id}/{attachment.id}/{quote(attachment.filename, safe='')}"
        query = f"ex={expires:x}&is={issued:x}&hm={self._mac(attachment.id, f'{expires:x}', f'{issued:x}')}"
        return f"{self.base_url}{path}?{query}&"

    def _mac(self, attachment_id: str, expires: str, issued: str) -> str:
        return hmac.new(self._secret, f"{attachment_id}:{expires}:{issued}".encode(), hashlib.sha256).hexdigest()

    def fetch(self, channel_id: str, attachment_id: str, filename: str, query: dict[str, str]) -> Attachment:
        """The file that a link leads to. Raises `DiscordError` 404 if it is unknown, forged or expired."""
        gone = DiscordError(404, 0, GONE)
        with self._lock:
            found = self._kept.get(attachment_id)
        if found is None or (found.channel_id, found.filename) != (channel_id, filename):
            raise gone
        expires, issued = query.get("ex", ""), query.get("is", "")
        expected = self._mac(attachment_id, expires, issued)
        if not hmac.compare_digest(expected.encode(), query.get("hm", "").encode()):
            raise gone
        if int(expires, 16) <= self._clock.now():  # the signature proves that it is a number
            raise gone
        return found


def safe_name(filename: str) -> str:
    """A file's name without folders, control characters and spaces."""
    base = filename.replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join("_" if character.isspace() else character for character in base if character.isprintable())
    return kept if kept.strip("._") else "unknown"


def guess_type(filename: str) -> str | None:
    """The type that a file's name suggests; text is taken to be UTF-8, as Discord does."""
    guessed = mimetypes.guess_type(filename)[0]
    if guessed and guessed.startswith("text/"):
        return f"{guessed}; charset=utf-8"
    return guessed
