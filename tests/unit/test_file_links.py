"""Signed links to a folder's objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from trainer.adapters.file_links import FileLinks, LinkRefused, SignedFile
from trainer.adapters.file_store import FileStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def test_without_an_address_there_are_no_links(tmp_path: Path) -> None:
    store = FileStore(tmp_path)
    assert store.url("k", expires_s=60, filename="k") is None
    with pytest.raises(LinkRefused) as refused:
        store.resolve("anything")
    assert refused.value.reason == "invalid"
    assert FileStore(store._root, url_base="http://x").url("k", expires_s=60, filename="k") is None


@pytest.fixture
def links() -> FileLinks:
    return FileLinks("https://bot.example/base/", b"secret")


def token_of(url: str) -> str:
    return url.removeprefix("https://bot.example/base/files/")


def test_a_link_says_what_it_is_for(links: FileLinks) -> None:
    url = links.make(SignedFile("g1/Отчёт.csv", "../Отчёт.csv"), expires_s=60)
    assert links.resolve(token_of(url)) == SignedFile("g1/Отчёт.csv", "_Отчёт.csv")
    assert "/" not in token_of(url)


def test_links_end(links: FileLinks) -> None:
    for expires_s in (0, -1):
        with pytest.raises(LinkRefused) as refused:
            links.resolve(token_of(links.make(SignedFile("k", "k"), expires_s=expires_s)))
        assert refused.value.reason == "expired"


def forgeries(links: FileLinks) -> Iterator[str]:
    token = token_of(links.make(SignedFile("k", "k"), expires_s=60))
    body, _, signature = token.rpartition(".")
    yield from (
        "",
        ".",
        "x",
        "я",
        token[:-1],
        token[1:],
        body,
        f"{body}.",
        f"{body}..{signature}",
        f".{token}",
        token * 2,
    )
    yield token_of(FileLinks("https://bot.example/base", b"other").make(SignedFile("k", "k"), expires_s=60))
    yield from (token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :] for at in range(len(body)))


def test_forged_links_are_refused(links: FileLinks) -> None:
    for forged in forgeries(links):
        with pytest.raises(LinkRefused) as refused:
            links.resolve(forged)
        assert refused.value.reason == "invalid", forged


def test_links_need_a_secret() -> None:
    with pytest.raises(ValueError, match="secret"):
        FileLinks("https://bot.example", b"")
