"""Fetching what people attached: from Discord's CDN and nowhere else, in bounded time and space.

A payload's word about an attachment (name, type, size, even the URL) is data from outside. What is fetched is decided
by `AllowedOrigins`; how much and for how long, by the caller's limits, enforced while reading.

`urllib3`'s connections are used directly, below `requests`: they follow no redirect, read no proxy or password from
the environment, keep no cookies, and let the address be chosen (and checked) before anything is sent and the socket
be shut at the deadline, even while a server trickles its headers.
"""

from __future__ import annotations

import hashlib
import http.client
import ipaddress
import logging
import re
import socket
import threading
import time
import unicodedata
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, Final, Literal, NamedTuple
from urllib.parse import parse_qs, quote, urlsplit

import tenacity
import urllib3
from certifi import where as bundled_authorities
from urllib3.connection import HTTPConnection, HTTPSConnection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from urllib3 import BaseHTTPResponse

    Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_log = logging.getLogger(__name__)
logging.getLogger("urllib3.connection").setLevel(logging.ERROR)  # its warnings carry whole URLs: names, signatures

_TRIES: Final = 3
_IDLE_S: Final = 15.0
"""A connection on which nothing comes for so long is given up and tried again."""
_CHUNK: Final = 64 * 1024
_LONGEST_URL: Final = 4096
_LONGEST_NAME: Final = 120
_LONGEST_EXTENSION: Final = 16
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")

Reason = Literal["origin", "redirect", "too_large", "expired", "not_found", "encoding", "slow", "private_address"]


class AttachmentRefused(Exception):
    """This attachment will not be had, now or later. The message never carries the URL.

    Attributes:
        reason: `origin` the URL is not on an allowed origin; `redirect` the server points elsewhere; `too_large`;
            `expired` the URL's signature is no longer valid; `not_found`; `encoding` the body is compressed though
            that was not asked for; `slow` the time was up; `private_address` a public name resolves to an address
            inside a private network.
    """

    def __init__(self, reason: Reason) -> None:
        super().__init__(f"the attachment is refused: {reason}")
        self.reason: Reason = reason


class AttachmentUnavailable(Exception):
    """The server did not deliver, and trying again later may help."""


class Fetched(NamedTuple):
    """What arrived."""

    size: int
    """Bytes."""
    sha256: str
    """Hexadecimal."""


class Target(NamedTuple):
    """An allowed URL, taken apart."""

    scheme: str
    host: str
    """Lower case; an IPv6 address stands without its brackets."""
    port: int
    path: str
    """With its query."""
    configured: bool
    """Allowed by an entry with a scheme: the deployer named this very origin, so a private address is meant."""


_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_LAST_PORT: Final = 65535
_URL = re.compile(
    r"(?P<scheme>https?)://(?P<host>[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\])"
    r"(?::(?P<port>[1-9][0-9]{0,4}))?(?P<path>/[^\\#]*)?"
)
_NAME = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?")
# Escapes that are malformed, or hide a control character, a slash or a backslash.
_BAD_ESCAPE = re.compile(r"%(?![0-9a-f]{2})|%(?:[01][0-9a-f]|7f|2f|5c)", re.IGNORECASE)


class AllowedOrigins:
    """Where attachments may come from."""

    def __init__(self, entries: Sequence[str]) -> None:
        """Take host names (https on its usual port), or origins such as `http://127.0.0.1:9000`.

        Raises:
            ValueError: an entry is neither.
        """
        self._names: set[str] = set()
        self._origins: set[tuple[str, str, int]] = set()
        for entry in entries:
            url = _URL.fullmatch(entry.lower())
            if url and url["path"] in (None, "/") and _port(url) <= _LAST_PORT:
                self._origins.add((url["scheme"], url["host"], _port(url)))
            elif _NAME.fullmatch(entry.lower()):
                self._names.add(entry.lower())
            else:
                raise ValueError(f"neither a host name nor an origin like http://127.0.0.1:9000: {entry!r}")

    @classmethod
    def parse(cls, text: str) -> AllowedOrigins:
        """The value of DISCORD_CDN_HOSTS: entries with commas between. Raises ValueError."""
        return cls([entry.strip() for entry in text.split(",") if entry.strip()])

    def allows(self, url: str) -> bool:
        """Whether the URL may be fetched."""
        return self.match(url) is not None

    def match(self, url: str) -> Target | None:
        """The URL taken apart, or None if it may not be fetched.

        Only the plain form that Discord sends passes: lower-case scheme and host, no user, no fragment, no
        backslash, control, space or bidirectional character, and no escape that hides one. What this refuses needs
        no second guess about how another parser would read it.
        """
        if len(url) > _LONGEST_URL or not url.isprintable() or " " in url:
            return None
        parts = _URL.fullmatch(url)
        if parts is None or not parts["path"] or _BAD_ESCAPE.search(parts["path"]):
            return None
        scheme, host, port = parts["scheme"], parts["host"], _port(parts)
        configured = (scheme, host, port) in self._origins
        if not configured and not (scheme == "https" and port == _DEFAULT_PORTS[scheme] and host in self._names):
            return None
        path = quote(parts["path"], safe="".join(map(chr, range(0x21, 0x7F))))
        return Target(scheme, host.strip("[]"), port, path, configured)


def _port(url: re.Match[str]) -> int:
    return int(url["port"]) if url["port"] else _DEFAULT_PORTS[url["scheme"]]


def expires_at(url: str) -> datetime | None:
    """When a signed CDN URL stops working (its `ex` parameter), or None if it does not say."""
    try:
        values = parse_qs(urlsplit(url).query).get("ex", [])
    except ValueError:
        return None
    if len(values) != 1 or not re.fullmatch(r"[0-9a-fA-F]{1,10}", values[0]):
        return None
    try:
        return datetime.fromtimestamp(int(values[0], 16), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def safe_filename(name: str) -> str:
    """A name fit to be shown and to be given to a file: one line, no path, nothing invisible, at most 120 bytes.

    Composed (NFC); control, bidirectional and unassigned characters are dropped, separators and characters that
    file systems or Markdown treat specially become `_`; the extension stays. Never empty. Applying it again changes
    nothing.
    """
    text = "".join(" " if char.isspace() else char for char in unicodedata.normalize("NFC", name))
    text = "".join(char for char in text if unicodedata.category(char)[0] != "C")
    text = re.sub(r"[/\\:*?\"<>|`]", "_", text)
    text = re.sub(r" +", " ", unicodedata.normalize("NFC", text)).strip(". ")
    extension = PurePosixPath(text).suffix
    if len(extension.encode()) > _LONGEST_EXTENSION or not extension[1:].isalnum():
        extension = ""
    stem = text.removesuffix(extension) if extension else text
    stem = stem.encode()[: _LONGEST_NAME - len(extension.encode())].decode(errors="ignore").strip(". ")
    if re.fullmatch(r"(?i)(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", stem):
        stem = f"_{stem}"  # names that Windows keeps for devices
    return f"{stem or 'file'}{extension}"


def fetch(
    url: str,
    *,
    into: Path | BinaryIO,
    max_bytes: int,
    timeout_s: float,
    origins: AllowedOrigins,
    resolve: Callable[[str, int], Sequence[str]] | None = None,
    authorities: str | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Fetched:
    """Download an attachment, in constant memory.

    Args:
        url: as the payload has it.
        into: a file to write (removed again if this fails), or a seekable stream, written from where it stands.
        max_bytes: the most that is accepted, whatever the server declares.
        timeout_s: for everything together: tries, waits, headers and body.
        origins: where it may come from.
        resolve: addresses of a host name, for tests; the system's resolver if None.
        authorities: a file of certificate authorities; the bundled ones if None.
        sleep: waits between tries.

    Resolving a name is the one thing that the system's own limits bound instead of `timeout_s`.

    Raises:
        AttachmentRefused: it will not be had; see its reasons.
        AttachmentUnavailable: resets, timeouts and server errors, three times.
        OSError: `into` cannot be written.
    """
    target = origins.match(url)
    if target is None:
        raise AttachmentRefused("origin")
    deadline = time.monotonic() + timeout_s
    download = _Download(
        target, expires_at(url), max_bytes, deadline, resolve or _resolve, authorities or bundled_authorities()
    )
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(AttachmentUnavailable),
        wait=tenacity.wait_exponential_jitter(multiplier=0.2, max=2, jitter=0.2),
        stop=tenacity.stop_after_attempt(_TRIES),
        before_sleep=lambda state: _log.warning("attachment retry", extra={"tries": state.attempt_number}),
        sleep=lambda wait: sleep(max(0.0, min(wait, deadline - time.monotonic()))),
        reraise=True,
    )
    with _sink(into) as sink:
        return retrying(download.attempt, sink, sink.tell())


@contextmanager
def _sink(into: Path | BinaryIO) -> Iterator[BinaryIO]:
    if not isinstance(into, Path):
        yield into
        return
    try:
        with into.open("wb") as file:
            yield file
    except BaseException:
        into.unlink(missing_ok=True)
        raise


@dataclass
class _Download:
    """One attachment's download, with its limits."""

    target: Target
    expires: datetime | None
    max_bytes: int
    deadline: float
    resolve: Callable[[str, int], Sequence[str]]
    authorities: str
    tries: int = 0

    def attempt(self, sink: BinaryIO, start: int) -> Fetched:
        """Download from the beginning, once."""
        sink.seek(start)
        sink.truncate()
        digest = hashlib.sha256()
        size = 0
        with self._response() as response:
            while chunk := self._read(response):
                size += len(chunk)
                if size > self.max_bytes:
                    raise AttachmentRefused("too_large")
                digest.update(chunk)
                sink.write(chunk)
        return Fetched(size, digest.hexdigest())

    def _left(self) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise AttachmentRefused("slow")
        return left

    @contextmanager
    def _network(self) -> Iterator[None]:
        try:
            yield
        except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError) as error:
            if time.monotonic() >= self.deadline:
                raise AttachmentRefused("slow") from None
            raise AttachmentUnavailable(f"the attachment did not arrive: {type(error).__name__}") from None

    def _connection(self) -> HTTPConnection:
        """A connection, not opened yet, to an address that may be spoken to."""
        target, timeout = self.target, min(_IDLE_S, self._left())
        host = target.host
        if not target.configured:
            addresses = self.resolve(host, target.port)
            if not addresses or not all(_is_public(ipaddress.ip_address(address)) for address in addresses):
                raise AttachmentRefused("private_address")
            host = addresses[self.tries % len(addresses)]
            self.tries += 1
        if target.scheme == "http":
            return HTTPConnection(host, target.port, timeout=timeout)
        return HTTPSConnection(
            host,
            target.port,
            timeout=timeout,
            server_hostname=target.host,  # the certificate is verified for the name, not for the address
            cert_reqs="CERT_REQUIRED",
            ca_certs=self.authorities,
        )

    @contextmanager
    def _response(self) -> Iterator[BaseHTTPResponse]:
        """The server's answer, its headers found good and its body not read yet."""
        with ExitStack() as stack:
            with self._network():
                connection = self._connection()
                stack.callback(connection.close)
                connection.connect()
            # Timeouts of a socket begin anew with each byte; at the deadline the connection is cut whatever it does.
            guard = threading.Timer(self._left() + 0.01, _shut, [connection.sock])
            guard.daemon = True
            stack.callback(guard.cancel)
            guard.start()
            headers = {"Host": self._host_header(), "Accept-Encoding": "identity", "User-Agent": "Trainger"}
            with self._network():
                connection.request(
                    "GET", self.target.path, headers=headers, preload_content=False, decode_content=False
                )
                response = connection.getresponse()
            stack.callback(response.close)
            self._check(response)
            yield response

    def _read(self, response: BaseHTTPResponse) -> bytes:
        with self._network():
            chunk = response.read1(_CHUNK)
        self._left()
        return chunk or b""

    def _host_header(self) -> str:
        host = f"[{self.target.host}]" if ":" in self.target.host else self.target.host
        usual = self.target.port == _DEFAULT_PORTS[self.target.scheme]
        return host if usual else f"{host}:{self.target.port}"

    def _check(self, response: BaseHTTPResponse) -> None:
        """Refuse by the status and the headers what need not be read."""
        status = response.status
        if status >= http.HTTPStatus.INTERNAL_SERVER_ERROR or status in (
            http.HTTPStatus.TOO_MANY_REQUESTS,
            http.HTTPStatus.REQUEST_TIMEOUT,
        ):
            raise AttachmentUnavailable(f"the attachment did not arrive: HTTP {status}")
        if 300 <= status < 400:  # noqa: PLR2004 - the class of redirects
            raise AttachmentRefused("redirect")
        if status != http.HTTPStatus.OK:
            expired = self.expires is not None and self.expires <= datetime.now(UTC)
            raise AttachmentRefused("expired" if expired else "not_found")
        if response.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
            raise AttachmentRefused("encoding")
        declared = response.headers.get("Content-Length", "")
        if declared.isdecimal() and int(declared) > self.max_bytes:
            raise AttachmentRefused("too_large")


def _shut(sock: socket.socket) -> None:
    with suppress(OSError):  # it may be closed already
        # The plain method: that of a TLS socket would take its state away from under the reading thread.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)


def _resolve(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


def _is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet, also where it carries another one inside."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return _is_public(inner)
    return address.is_global and not address.is_multicast
