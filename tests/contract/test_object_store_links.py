"""What every `ObjectStore` promises of links, and of the times at which it does not answer."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
import requests

from tests.contract import stores
from trainer.ports import ObjectStore, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contract.stores import Site


@pytest.fixture
def store(store_site: Site) -> ObjectStore:
    return store_site.store


@pytest.mark.parametrize("filename", ["report.csv", 'Отчёт "за май".csv', "a/b\r\nX-Evil: 1"])
def test_a_link_downloads_under_the_name(store: ObjectStore, filename: str) -> None:
    store.put("g1/отчёт 1.csv", b"a,b\n")

    url = store.url("g1/отчёт 1.csv", expires_s=600, filename=filename)
    assert url is not None
    answer = requests.get(url, timeout=60, allow_redirects=False)
    assert (answer.status_code, answer.content) == (200, b"a,b\n")
    disposition = answer.headers["Content-Disposition"]
    assert disposition.startswith("attachment")
    assert "X-Evil" not in answer.headers
    if filename.startswith("Отчёт"):
        assert quote("Отчёт _за май_.csv") in disposition


def test_a_link_ends(store: ObjectStore) -> None:
    store.put("k", b"secret")

    url = store.url("k", expires_s=1, filename="k.txt")
    assert url is not None
    for _ in stores.until(60):
        answer = requests.get(url, timeout=60)
        if answer.status_code != 200:
            assert answer.status_code == 403
            assert b"secret" not in answer.content
            return


def test_a_link_to_one_object_gives_no_other(store: ObjectStore) -> None:
    stores.fill(store, ["mine.txt", "other.txt"])

    url = store.url("mine.txt", expires_s=600, filename="file.txt")
    gone = store.url("gone.txt", expires_s=600, filename="file.txt")
    assert url is not None
    assert gone is not None
    base, _, signature = url.partition("?") if "?" in url else url.rpartition(".")
    middle = len(base) - 5
    for changed in (
        url.replace("mine.txt", "other.txt") if "mine.txt" in url else url[:middle] + "XX" + url[middle + 2 :],
        url[:-9] + ("0" if url[-9] != "0" else "1") + url[-8:],
        url.replace(signature, ""),
    ):
        assert requests.get(changed, timeout=60).status_code in {400, 403}, changed
    assert requests.get(gone, timeout=60).status_code == 404


def test_says_when_it_answers(store: ObjectStore) -> None:
    store.ping()
    assert list(store.list("")) == []


@pytest.mark.parametrize("use", ["get", "open_read", "head", "put", "open_write", "list", "delete", "ping"])
def test_says_when_it_does_not_answer(store_site: Site, use: str) -> None:
    store = store_site.unreachable()
    uses: dict[str, Callable[[], object]] = {
        "get": lambda: store.get("private/name"),
        "open_read": lambda: store.open_read("private/name").__enter__(),
        "head": lambda: store.head("private/name"),
        "put": lambda: store.put("private/name", b"", if_absent=True),
        "open_write": lambda: write_stream(store, "private/name"),
        "list": lambda: list(store.list("private/")),
        "delete": lambda: store.delete("private/name"),
        "ping": store.ping,
    }
    with pytest.raises(StoreUnavailable) as raised:
        uses[use]()
    assert "private" not in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


def write_stream(store: ObjectStore, key: str) -> None:
    with store.open_write(key) as stream:
        stream.write(b"x")
