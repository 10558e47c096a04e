"""The object stores that the contract suite runs on, and hands to reach into them."""

from __future__ import annotations

import secrets
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from tests.servers import free_ports
from trainer.adapters.downloads import content_disposition
from trainer.adapters.file_links import LinkRefused
from trainer.adapters.file_store import FileStore
from trainer.adapters.s3_client import connect
from trainer.adapters.s3_store import S3Store
from trainer.ports import ObjectNotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from mypy_boto3_s3 import S3Client

    from tests.servers import AwsServer
    from trainer.ports import ObjectStore

BUCKET: Final = "trainger-contract"

TRICKY_KEYS: Final = (
    *("a", "a/b", "a/b/c", "a-b", "a.b", "a0", "A", "A/b", "a b", "a+b", "a%2fb", "a%2Fb", "a&b=c", "a~", "a*"),
    *(
        "q?x",
        "q#x",
        "q\"<>|:'",
        "con",
        "con.txt",
        "nul/x",
        "x.",
        "x./y",
        ".hidden",
        "..x/y",
        "x,y;z",
        "[x]{y}^`@$!()",
    ),
    *("é", "a/é", "я", "датасет/Вопросы и ответы.json", "\uffe6", "\U0001f600", "한국어/日本語"),
    *("s" * 79, "s" * 80, "s" * 80 + "-", "s" * 80 + "/t", "s" * 81, "S" * 200, "я" * 100, "я" * 100 + "/я"),
    *("l/" * 100 + "end", "/".join(["Д" * 40] * 10)),
)
"""Accepted keys that file systems, URLs and directory-like stores find hard to keep apart or in order."""


@dataclass(frozen=True)
class Site:
    """A place to keep objects, empty at first."""

    store: ObjectStore
    reopen: Callable[[], ObjectStore]
    """Another instance on the same objects, as another process would have."""
    unreachable: Callable[[], ObjectStore]
    """A store that does not answer."""


@contextmanager
def folder_site(directory: Path) -> Iterator[Site]:
    """A folder, with an HTTP server that serves its links."""

    @Request.application
    def serve(request: Request) -> Response:
        try:
            file = store.resolve(request.path.removeprefix("/files/"))
            found = store.get(file.key)
        except LinkRefused as refused:
            return Response(refused.reason, status=403)
        except ObjectNotFound:
            return Response(status=404)
        return Response(found.data, headers={"Content-Disposition": content_disposition(file.filename)})

    def unreachable() -> ObjectStore:
        blocked = directory / "blocked"
        blocked.write_bytes(b"a file where the folder should be")
        return FileStore(blocked)

    server = make_server("127.0.0.1", 0, serve, threaded=True)
    url_base, url_secret = f"http://127.0.0.1:{server.server_port}/", secrets.token_bytes(32)

    def reopen() -> FileStore:
        return FileStore(directory / "store", url_base=url_base, url_secret=url_secret)

    store = reopen()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Site(store, reopen, unreachable)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def bucket_of(server: AwsServer) -> Iterator[S3Client]:
    """A client as the product makes it, and a bucket on the server."""
    with pytest.MonkeyPatch.context() as patch:
        use_credentials(patch, server)
        client = connect(server.endpoint_url, server.region)
    client.create_bucket(Bucket=BUCKET)
    yield client
    client.close()


@contextmanager
def bucket_site(client: S3Client, *, ordered: bool | None) -> Iterator[Site]:
    """A part of the bucket that no other test uses."""
    prefix = f"test/{secrets.token_hex(8)}"
    opened: list[S3Client] = []

    def reopen() -> S3Store:
        return S3Store(BUCKET, prefix, client=client, ordered=ordered)

    def unreachable() -> S3Store:
        opened.append(hasty_client(f"http://127.0.0.1:{free_ports(1)[0]}"))
        return S3Store(BUCKET, prefix, client=opened[-1])

    yield Site(reopen(), reopen, unreachable)
    for each in opened:
        each.close()


def hasty_client(endpoint_url: str, *, attempts: int = 1) -> S3Client:
    """A client with made-up credentials that gives up soon."""
    import boto3
    from botocore.config import Config

    config = Config(retries={"mode": "standard", "total_max_attempts": attempts}, s3={"addressing_style": "path"})
    session = boto3.session.Session("nobody", "nothing", region_name="us-east-1")
    return session.client("s3", endpoint_url=endpoint_url, config=config)


def use_credentials(patch: pytest.MonkeyPatch, server: AwsServer) -> None:
    """Let boto3 find the server's credentials, and nothing of this machine's own configuration."""
    for name, value in server.environment().items():
        if name != "AWS_ENDPOINT_URL":
            patch.setenv(name, value)
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        patch.delenv(name, raising=False)
    patch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    patch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    patch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def fill(store: ObjectStore, keys: Iterable[str]) -> None:
    """Write an object under each key; its content is the key."""
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda key: store.put(key, key.encode()), keys))


def small_world() -> list[str]:
    """Every key of up to 4 of the characters `a-/0`, in the order that a store lists them: 117 of them."""
    texts = [""]
    for _ in range(4):
        texts += [text + char for text in texts for char in "a-/0"]
    return sorted({text for text in texts if text and all(text.split("/"))}, key=str.encode)


def until(seconds: float) -> Iterator[None]:
    """Polls: yields until the deadline, then fails the test."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        yield
        time.sleep(0.05)
    pytest.fail(f"it did not happen within {seconds} s")
