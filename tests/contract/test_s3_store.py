"""What `S3Store` alone has to do: lost answers, foreign objects, requests, configuration."""

from __future__ import annotations

import contextlib
import secrets
import subprocess
import sys
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest
from botocore.stub import Stubber

from tests.contract import stores
from tests.contract.flaky_proxy import Fault, FlakyProxy, flaky_proxy
from trainer.adapters.s3_client import connect
from trainer.adapters.s3_store import S3Store
from trainer.ports import PreconditionFailed, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mypy_boto3_s3 import S3Client

    from tests.servers import S3Server

MIB = 1024 * 1024


@pytest.fixture
def client(seaweedfs_bucket: S3Client) -> S3Client:
    return seaweedfs_bucket


@pytest.fixture
def amazon_like(ministack_bucket: S3Client) -> S3Client:
    return ministack_bucket


@pytest.fixture
def prefix() -> str:
    return f"s3/{secrets.token_hex(8)}"


@pytest.fixture
def flaky(
    client: S3Client, seaweedfs_server: S3Server, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[FlakyProxy, S3Store]]:
    """A store behind a proxy that loses things."""
    stores.use_credentials(monkeypatch, seaweedfs_server)
    with (
        flaky_proxy(seaweedfs_server.endpoint_url) as proxy,
        contextlib.closing(S3Store(stores.BUCKET, prefix, endpoint_url=proxy.endpoint_url)) as store,
    ):
        yield proxy, store


@contextlib.contextmanager
def counted(client: S3Client) -> Iterator[list[str]]:
    """The operations requested meanwhile."""
    seen: list[str] = []

    def note(model: Any, **_: object) -> None:
        seen.append(model.name)

    client.meta.events.register("before-call.s3", note, unique_id="counted")
    try:
        yield seen
    finally:
        client.meta.events.unregister("before-call.s3", unique_id="counted")


def write_stream(store: S3Store, data: bytes, *, if_absent: bool = False, fail: bool = False) -> None:
    with store.open_write("k", if_absent=if_absent) as stream:
        stream.write(data)
        if fail:
            raise ZeroDivisionError


# --- answers lost on the way ----------------------------------------------------------------------------------


def test_a_creation_whose_answer_was_lost_is_not_taken_for_somebody_elses(flaky: tuple[FlakyProxy, S3Store]) -> None:
    proxy, store = flaky
    proxy.fail_next("PUT", Fault.LOSE_ANSWER)

    etag = store.put("k", b"mine", if_absent=True)
    assert store.get("k") == (b"mine", etag)
    with pytest.raises(PreconditionFailed):
        store.put("k", b"mine", if_absent=True)


def test_a_swap_whose_answer_was_lost_is_not_taken_for_somebody_elses(flaky: tuple[FlakyProxy, S3Store]) -> None:
    proxy, store = flaky
    before = store.put("k", b"before")
    proxy.fail_next("PUT", Fault.LOSE_ANSWER)

    after = store.put("k", b"after", if_match=before)
    assert store.get("k") == (b"after", after)


def test_a_creation_that_was_lost_loses_to_somebody_elses(
    flaky: tuple[FlakyProxy, S3Store], client: S3Client
) -> None:
    proxy, store = flaky
    # Even the same bytes: only one of the two may think that it created the object.
    other = S3Store(stores.BUCKET, store._before, client=client)
    proxy.fail_next("PUT", Fault.LOSE_REQUEST, then=lambda: other.put("k", b"same", if_absent=True))

    with pytest.raises(PreconditionFailed):
        store.put("k", b"same", if_absent=True)
    assert store.get("k").data == b"same"


@pytest.mark.parametrize("fault", [Fault.LOSE_ANSWER, Fault.LOSE_REQUEST])
def test_a_stream_survives_a_lost_end(flaky: tuple[FlakyProxy, S3Store], fault: Fault) -> None:
    proxy, store = flaky
    data = secrets.token_bytes(9 * MIB)

    with store.open_write("k", if_absent=True) as stream:
        stream.write(data)
        stream.flush()
        proxy.fail_next("POST", fault)
    assert store.get("k").data == data
    with pytest.raises(PreconditionFailed):
        write_stream(store, data, if_absent=True)


@pytest.mark.parametrize("whole", [True, False])
def test_a_download_that_ends_in_the_middle_is_an_error(flaky: tuple[FlakyProxy, S3Store], *, whole: bool) -> None:
    proxy, store = flaky
    store.put("k", b"x" * MIB)

    def read() -> None:
        if whole:
            store.get("k")
        else:
            with store.open_read("k") as stream:
                stream.read()

    proxy.fail_next("GET", Fault.CUT_BODY)
    with pytest.raises(StoreUnavailable):
        read()
    read()


# --- what it asks for -----------------------------------------------------------------------------------------


def test_the_first_few_cost_one_request(amazon_like: S3Client, prefix: str) -> None:
    store = S3Store(stores.BUCKET, prefix, client=amazon_like, ordered=True)
    stores.fill(store, [f"a/{number:04}" for number in range(1001)])

    with counted(amazon_like) as operations:
        assert [info.key for info in islice(store.list("a/"), 3)] == ["a/0000", "a/0001", "a/0002"]
        assert operations == ["ListObjectsV2"]
        assert [info.key for info in store.list("a/", start_after="a/0998")] == ["a/0999", "a/1000"]
        assert operations == ["ListObjectsV2"] * 2
        assert len(list(store.list(""))) == 1001
        assert operations == ["ListObjectsV2"] * 4


def test_elsewhere_a_listing_costs_a_request_for_each_level(client: S3Client, prefix: str) -> None:
    store = S3Store(stores.BUCKET, prefix, client=client)
    stores.fill(store, ["a/b/1", "a/b/2", "c/d/3", "e"])

    with counted(client) as operations:
        assert [info.key for info in islice(store.list(""), 2)] == ["a/b/1", "a/b/2"]
        assert operations == ["ListObjectsV2"] * 3
        assert [info.key for info in store.list("a/b/")] == ["a/b/1", "a/b/2"]
        assert operations == ["ListObjectsV2"] * 4


def test_small_streams_are_one_request_and_failed_ones_leave_no_parts(client: S3Client, prefix: str) -> None:
    store = S3Store(stores.BUCKET, prefix, client=client)

    with counted(client) as operations:
        write_stream(store, b"x" * (8 * MIB))
        assert operations == ["PutObject"]
        with pytest.raises(ZeroDivisionError):
            write_stream(store, b"x" * (17 * MIB), fail=True)
        assert operations[1:] == ["CreateMultipartUpload", "UploadPart", "UploadPart", "AbortMultipartUpload"]
    assert client.list_multipart_uploads(Bucket=stores.BUCKET, Prefix=prefix).get("Uploads", []) == []


def test_content_types_are_kept(client: S3Client, prefix: str) -> None:
    store = S3Store(stores.BUCKET, prefix, client=client)
    store.put("put", b"{}", content_type="application/json")
    with store.open_write("stream", content_type="text/csv") as stream:
        stream.write(b"x" * (9 * MIB))

    types = [
        client.head_object(Bucket=stores.BUCKET, Key=f"{prefix}/{key}")["ContentType"] for key in ("put", "stream")
    ]
    assert types == ["application/json", "text/csv"]


# --- what it finds --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ordered", [True, False])
def test_objects_of_others_are_not_listed(amazon_like: S3Client, prefix: str, *, ordered: bool) -> None:
    for name in (f"{prefix}/", f"{prefix}/folder/", f"{prefix}/folder//x", f"{prefix}/folder/a", f"{prefix}-2/b"):
        amazon_like.put_object(Bucket=stores.BUCKET, Key=name)
    store = S3Store(stores.BUCKET, f"/{prefix}/", client=amazon_like, ordered=ordered)

    assert [info.key for info in store.list("")] == ["folder/a"]
    store.put("folder/c", b"", if_absent=True)
    assert amazon_like.head_object(Bucket=stores.BUCKET, Key=f"{prefix}/folder/c")["ContentLength"] == 0


def test_without_a_prefix_keys_are_names(amazon_like: S3Client) -> None:
    bucket = secrets.token_hex(8)
    amazon_like.create_bucket(Bucket=bucket)
    store = S3Store(bucket, client=amazon_like)

    store.ping()
    store.put("a/b", b"1")
    assert amazon_like.get_object(Bucket=bucket, Key="a/b")["Body"].read() == b"1"
    assert [info.key for info in store.list("", start_after="a")] == ["a/b"]


def test_says_what_is_wrong_without_saying_what_was_asked(client: S3Client, seaweedfs_server: S3Server) -> None:
    nowhere = S3Store("no-such-bucket", client=client)
    with contextlib.closing(stores.hasty_client(seaweedfs_server.endpoint_url)) as stranger:
        refused = S3Store(stores.BUCKET, client=stranger)
        for store, code in ((nowhere, "NoSuchBucket"), (refused, "403")):
            uses: list[Callable[[], object]] = [store.ping, partial(store.get, "private/name")]
            for use in uses:
                with pytest.raises(StoreUnavailable, match=code) as raised:
                    use()
                assert "private" not in str(raised.value)
                assert "nothing" not in str(raised.value)


def test_a_conflict_between_writers_is_a_lost_condition(client: S3Client) -> None:
    store = S3Store("bucket", client=client)
    with Stubber(client) as stub:
        stub.add_client_error("put_object", "ConditionalRequestConflict", http_status_code=409)
        with pytest.raises(PreconditionFailed):
            store.put("k", b"", if_absent=True)
        stub.add_client_error("put_object", "NoSuchKey", http_status_code=404)
        with pytest.raises(PreconditionFailed):
            store.put("k", b"", if_match="etag")
        stub.add_client_error("put_object", "SlowDown", http_status_code=503)
        with pytest.raises(StoreUnavailable, match="503 SlowDown"):
            store.put("k", b"")


def test_an_upload_that_cannot_be_aborted_keeps_its_first_error(
    client: S3Client, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    store = S3Store(stores.BUCKET, prefix, client=client)
    with Stubber(client) as stub:
        stub.add_response("create_multipart_upload", {"UploadId": "id"})
        stub.add_client_error("upload_part", "EntityTooLarge", http_status_code=400)
        stub.add_client_error("abort_multipart_upload", "AccessDenied", http_status_code=403)
        with pytest.raises(StoreUnavailable, match="EntityTooLarge"):
            write_stream(store, b"x" * (9 * MIB))
    assert [record.__dict__["reason"] for record in caplog.records] == ["S3 answered 403 AccessDenied"]
    assert prefix not in caplog.text


# --- how it connects ------------------------------------------------------------------------------------------


def test_nothing_is_imported_before_the_first_use() -> None:
    script = (
        "import sys; from trainer.adapters.s3_store import S3Store; S3Store('bucket', 'prefix', endpoint_url='http://x');"
        "print([name for name in sys.modules if name.partition('.')[0] in {'boto3', 'botocore', 's3transfer'}])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_finds_the_endpoint_in_the_environment(
    client: S3Client, seaweedfs_server: S3Server, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores.use_credentials(monkeypatch, seaweedfs_server)
    # A name, because for addresses botocore puts the bucket in the path anyway.
    monkeypatch.setenv("AWS_ENDPOINT_URL", seaweedfs_server.endpoint_url.replace("127.0.0.1", "localhost"))
    with contextlib.closing(S3Store(stores.BUCKET, prefix)) as store:
        store.put("k", b"found")
        assert S3Store(stores.BUCKET, prefix, client=client).get("k").data == b"found"
        url = store.url("k", expires_s=10**9, filename="k")
    assert url is not None
    assert url.startswith(f"{seaweedfs_server.endpoint_url.replace('127.0.0.1', 'localhost')}/{stores.BUCKET}/")
    assert "X-Amz-Expires=604800" in url


def test_at_amazon_it_relies_on_what_amazon_promises(
    seaweedfs_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    stores.use_credentials(monkeypatch, seaweedfs_server)
    with contextlib.closing(connect(None, "eu-central-1")) as amazon:
        store = S3Store("bucket", "prefix", client=amazon)
        url = store.url("k", expires_s=60, filename="k")
        assert url is not None
        assert url.startswith("https://bucket.s3.eu-central-1.amazonaws.com/prefix/k?")
        with Stubber(amazon) as stub:
            stub.add_response("list_objects_v2", {"Contents": []}, {"Bucket": "bucket", "Prefix": "prefix/a"})
            assert list(store.list("a")) == []


def test_a_configuration_that_cannot_work_is_no_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")
    with pytest.raises(StoreUnavailable, match="ProfileNotFound"):
        S3Store("bucket", region="us-east-1").ping()
