from __future__ import annotations

import hashlib
import io
import ipaddress
import socket
import ssl
import struct
import threading
import time
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from interactions.attachments import (
    AllowedOrigins,
    AttachmentRefused,
    AttachmentUnavailable,
    Fetched,
    Target,
    _Download,
    _is_public,
    fetch,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    Behaviour = Callable[[socket.socket], None]

CDN = AllowedOrigins.parse("cdn.discordapp.com, media.discordapp.net")
SIGNED = "https://cdn.discordapp.com/attachments/1/2/faq.csv?ex=6553f100&is=6553e2f0&hm=abc&"


def answer(body: bytes = b"", *headers: str, status: str = "200 OK", length: int | None = None) -> Behaviour:
    head = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers]
    return lambda peer: peer.sendall("\r\n".join([*head, "", ""]).encode() + body)


def reset(peer: socket.socket) -> None:
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nno more than half")
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


class Server:
    """Does to each connection, in turn, what it is told; the last is repeated. Bytes on a socket, no HTTP library."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.script: list[Behaviour] = []
        self.requests: list[bytes] = []
        self.stopping = threading.Event()
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]  # where clients are sent
        self._threads = [threading.Thread(target=self._serve)]
        self._threads[0].start()

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _serve(self) -> None:
        while True:
            peer, _ = self._listener.accept()
            if self.stopping.is_set():
                peer.close()
                return
            thread = threading.Thread(target=self._answer, args=[peer])
            self._threads.append(thread)
            thread.start()

    def _answer(self, peer: socket.socket) -> None:
        peer.settimeout(10)
        with closing(peer), suppress(OSError):
            if self._context:
                peer = self._context.wrap_socket(peer, server_side=True)
            request = b""
            while b"\r\n\r\n" not in request and (data := peer.recv(4096)):
                request += data
            self.requests.append(request)
            (self.script.pop(0) if len(self.script) > 1 else self.script[0])(peer)
            peer.close()

    def trickle(self, first: bytes, byte: bytes) -> Behaviour:
        """Send a byte every little while, so that no single read ever times out."""

        def behave(peer: socket.socket) -> None:
            peer.sendall(first)
            while not self.stopping.wait(0.02):
                peer.sendall(byte)

        return behave

    def close(self) -> None:
        self.stopping.set()
        socket.create_connection(self._listener.getsockname()).close()
        for thread in self._threads:
            thread.join()
        self._listener.close()


@pytest.fixture
def server() -> Iterator[Server]:
    with closing(Server()) as running:
        yield running


def get(
    server: Server,
    into: Path | io.BytesIO | None = None,
    *,
    path: str = "/attachments/1/2/faq.csv",
    max_bytes: int = 1000,
    timeout_s: float = 5,
) -> Fetched:
    return fetch(
        f"{server.origin}{path}",
        into=into or io.BytesIO(),
        max_bytes=max_bytes,
        timeout_s=timeout_s,
        origins=AllowedOrigins([server.origin]),
        sleep=lambda _: None,
    )


def fetch_named(addresses: Callable[[str, int], Sequence[str]]) -> Fetched:
    return fetch(
        SIGNED, into=io.BytesIO(), max_bytes=1, timeout_s=5, origins=CDN, resolve=addresses, sleep=lambda _: None
    )


def refusal(server: Server, path: str = "/a", timeout_s: float = 5) -> str:
    with pytest.raises(AttachmentRefused) as caught:
        get(server, path=path, timeout_s=timeout_s)
    assert caught.value.reason in str(caught.value)
    return caught.value.reason


# --- fetching -----------------------------------------------------------------------------------------------------


def test_fetches_into_a_file_or_a_stream(server: Server, tmp_path: Path) -> None:
    body = bytes(range(200)) * 5
    server.script = [answer(body)]
    expected = Fetched(1000, hashlib.sha256(body).hexdigest())
    assert get(server, tmp_path / "faq.csv") == expected
    assert (tmp_path / "faq.csv").read_bytes() == body
    stream = io.BytesIO()
    stream.write(b"before ")
    assert get(server, stream) == expected
    assert stream.getvalue() == b"before " + body
    request = server.requests[0].decode()
    assert request.startswith("GET /attachments/1/2/faq.csv HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{server.port}\r\n" in request
    assert "Accept-Encoding: identity\r\n" in request


@pytest.mark.parametrize(
    "raw",
    [
        b"HTTP/1.1 200 OK\r\n\r\nrows",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Encoding: identity\r\nContent-Length: 4\r\n\r\nrows",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nr\r\n3\r\nows\r\n0\r\n\r\n",
    ],
)
def test_all_ways_to_end_a_body(server: Server, raw: bytes) -> None:
    server.script = [lambda peer: peer.sendall(raw)]
    stream = io.BytesIO()
    assert get(server, stream).size == 4
    assert stream.getvalue() == b"rows"


def test_an_empty_attachment_is_one(server: Server) -> None:
    server.script = [answer(b"")]
    assert get(server, io.BytesIO()).size == 0


@pytest.mark.parametrize("first", [reset, answer(b"", status="503 Busy"), answer(b"no more than half", length=100)])
def test_trouble_in_the_middle_begins_again_from_zero(server: Server, tmp_path: Path, first: Behaviour) -> None:
    server.script = [first, first, answer(b"whole")]
    assert get(server, tmp_path / "a").size == 5
    assert (tmp_path / "a").read_bytes() == b"whole"
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    "trouble", [reset, answer(status="500 No"), answer(status="429 Many"), answer(b"x", length=9)]
)
def test_trouble_without_end_is_unavailable_and_leaves_no_file(
    server: Server, tmp_path: Path, trouble: Behaviour
) -> None:
    server.script = [trouble]
    with pytest.raises(AttachmentUnavailable):
        get(server, tmp_path / "a")
    assert len(server.requests) == 3
    assert not (tmp_path / "a").exists()


def test_nobody_listening_is_unavailable(server: Server) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        server.port = unused.getsockname()[1]
        with pytest.raises(AttachmentUnavailable) as caught:
            get(server, path="/secret-name.txt?hm=signature")
    assert "secret" not in str(caught.value)
    assert "signature" not in str(caught.value)


def test_a_sink_that_cannot_be_written_is_no_trouble_of_the_network(server: Server, tmp_path: Path) -> None:
    server.script = [answer(b"x")]
    with pytest.raises(FileNotFoundError):
        get(server, tmp_path / "missing" / "a")
    assert server.requests == []


def test_a_body_larger_than_allowed_is_refused_whatever_is_declared(server: Server, tmp_path: Path) -> None:
    def endless(peer: socket.socket) -> None:
        peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            peer.sendall(b"x" * 4096)

    server.script = [answer(b"", length=1001)]
    assert refusal(server) == "too_large"
    server.script = [endless]
    assert refusal(server) == "too_large"
    with pytest.raises(AttachmentRefused):
        get(server, tmp_path / "a")
    assert not (tmp_path / "a").exists()
    server.script = [answer(b"12345" * 300, length=1000)]  # the declared part is what arrives
    assert get(server, io.BytesIO()).size == 1000


def test_a_slow_server_is_left_at_the_deadline(server: Server) -> None:
    for first, byte in (
        (b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nX-Header: ", b"x"),
        (b"", b"H"),
    ):
        server.script = [server.trickle(first, byte)]
        assert refusal(server, timeout_s=0.2) == "slow"
    assert refusal(server, timeout_s=0) == "slow"


def test_a_silent_server_is_left_at_the_deadline(server: Server) -> None:
    def silent(_peer: socket.socket) -> None:
        server.stopping.wait(10)

    server.script = [silent]
    assert refusal(server, timeout_s=0.2) == "slow"


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "304 Same", "307 Elsewhere", "308 Elsewhere"])
def test_redirects_are_not_followed(server: Server, status: str) -> None:
    server.script = [answer(b"", f"Location: {server.origin}/other", status=status)]
    assert refusal(server) == "redirect"
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", ["404 No", "403 No", "410 Gone", "401 No", "206 Part"])
def test_not_found_or_expired(server: Server, status: str) -> None:
    server.script = [answer(status=status)]
    assert refusal(server) == "not_found"
    assert refusal(server, "/a?ex=1") == "expired"
    assert refusal(server, "/a?ex=ffffffff") == "not_found"


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate, gzip", "identity, gzip"])
def test_compressed_bodies_are_not_unpacked(server: Server, encoding: str) -> None:
    server.script = [answer(b"\x1f\x8b", f"Content-Encoding: {encoding}")]
    assert refusal(server) == "encoding"


def test_urls_of_elsewhere_are_refused_before_anything_is_sent(server: Server) -> None:
    with pytest.raises(AttachmentRefused, match="origin"):
        fetch(f"{server.origin}/a", into=io.BytesIO(), max_bytes=1, timeout_s=5, origins=CDN)
    assert server.requests == []


# --- names that resolve to private addresses ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["10.1.2.3"], ["169.254.169.254"], ["::1"], ["8.8.8.8", "192.168.0.1"], []]
)
def test_a_public_name_with_a_private_address_is_refused(addresses: Sequence[str]) -> None:
    with pytest.raises(AttachmentRefused, match="private_address"):
        fetch_named(lambda _host, _port: addresses)


def test_a_name_that_does_not_resolve_is_unavailable() -> None:
    def fails(host: str, port: int) -> list[str]:
        assert (host, port) == ("cdn.discordapp.com", 443)
        raise socket.gaierror(socket.EAI_AGAIN, "try again")

    with pytest.raises(AttachmentUnavailable):
        fetch_named(fails)


PUBLIC = "8.8.8.8 162.159.133.233 2606:4700::1 64:ff9b::808:808 ::ffff:8.8.8.8"
NOT_PUBLIC = """
    0.0.0.0 100.64.0.1 224.0.0.1 255.255.255.255 fe80::1 fe80::1%eth0 fc00::1 ff02::1 :: ::ffff:127.0.0.1
    64:ff9b::7f00:1 2002:7f00:1:: 2001:0:4136:e378:8000:63bf:80ff:fffe
"""


def test_public_addresses() -> None:
    assert [address for address in PUBLIC.split() if not _is_public(ipaddress.ip_address(address))] == []
    assert [address for address in NOT_PUBLIC.split() if _is_public(ipaddress.ip_address(address))] == []


def test_the_checked_address_is_the_one_spoken_to_under_the_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TLS is verified for the name while the connection goes to the address that was checked."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "cdn.discordapp.com")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("cdn.discordapp.com")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    authority = tmp_path / "authority.pem"
    authority.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret = tmp_path / "key.pem"
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority, secret)
    monkeypatch.setattr("interactions.attachments._is_public", lambda address: True)
    with closing(Server(context)) as server:
        server.script = [answer(b"rows")]

        def download(host: str) -> Fetched:
            target = Target("https", host, server.port, "/a", configured=False)
            deadline = time.monotonic() + 5
            return _Download(target, None, 10, deadline, lambda *_: ["127.0.0.1"], str(authority)).attempt(
                io.BytesIO(), 0
            )

        assert download("cdn.discordapp.com").size == 4
        assert f"Host: cdn.discordapp.com:{server.port}\r\n".encode() in server.requests[0]
        with pytest.raises(AttachmentUnavailable):
            download("media.discordapp.net")
        assert len(server.requests) == 1
