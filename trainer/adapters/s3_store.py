"""Objects in an S3 bucket: Amazon's, or any server's that speaks S3 with conditional writes."""

from __future__ import annotations

import io
import threading
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, BinaryIO, Final

from trainer.adapters.downloads import content_disposition
from trainer.adapters.key_ranges import check_range
from trainer.adapters.s3_client import connect, is_aws, s3_errors
from trainer.adapters.s3_listing import list_by_level, list_ordered
from trainer.adapters.s3_writing import Condition, Target, Upload
from trainer.keys import check_key
from trainer.ports import InvalidKey, ObjectInfo, ObjectNotFound, ObjectStore, StoredObject

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _typeshed import WriteableBuffer
    from botocore.response import StreamingBody
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import ObjectTypeDef

BUFFER_BYTES: Final = 256 * 1024
MAX_URL_S: Final = 7 * 24 * 3600
"""S3's limit for a signed link."""


class S3Store(ObjectStore):
    """The `ObjectStore` in a bucket. Nothing is imported or connected before the first use.

    Args:
        bucket: its name; it exists already.
        prefix: put before every key, with a `/` between.
        endpoint_url: another server than Amazon's.
        region: of the bucket; by default as boto3 finds it.
        client: to be used instead of one made here.
        ordered: whether the server lists in order of the keys' UTF-8 bytes, and resumes from a key in that order,
            as S3 promises. By default only Amazon is trusted to; listings of others cost a request for each level.
    """

    def __init__(
        self,
        bucket: str,
        prefix: str = "",
        *,
        endpoint_url: str | None = None,
        region: str | None = None,
        client: S3Client | None = None,
        ordered: bool | None = None,
    ) -> None:
        self._bucket = bucket
        self._before = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._endpoint_url = endpoint_url
        self._region = region
        self._client = client
        self._ordered = ordered
        self._connecting = threading.Lock()

    def get(self, key: str) -> StoredObject:
        """The whole object."""
        name = self._name(key)
        with s3_errors():
            answer = self._s3().get_object(Bucket=self._bucket, Key=name)
            with closing(answer["Body"]) as body:
                return StoredObject(body.read(), answer["ETag"].strip('"'))

    @contextmanager
    def open_read(self, key: str) -> Iterator[BinaryIO]:
        """The object as a stream."""
        name = self._name(key)
        with s3_errors():
            body = self._s3().get_object(Bucket=self._bucket, Key=name)["Body"]
        with io.BufferedReader(_Download(body), BUFFER_BYTES) as stream:
            yield stream

    def head(self, key: str) -> ObjectInfo | None:
        """What is known of the object."""
        name = self._name(key)
        try:
            with s3_errors():
                head = self._s3().head_object(Bucket=self._bucket, Key=name)
        except ObjectNotFound:
            return None
        return ObjectInfo(key, head["ContentLength"], head["ETag"].strip('"'), head["LastModified"].timestamp())

    def put(
        self,
        key: str,
        data: bytes,
        *,
        if_absent: bool = False,
        if_match: str | None = None,
        content_type: str = "application/octet-stream",
    ) -> str:
        """Write a whole object."""
        condition = Condition()
        if if_absent:
            condition["IfNoneMatch"] = "*"
        if if_match is not None:
            condition["IfMatch"] = f'"{if_match}"'
        return self._target(key, content_type, condition).put(data)

    @contextmanager
    def open_write(
        self, key: str, *, if_absent: bool = False, content_type: str = "application/octet-stream"
    ) -> Iterator[BinaryIO]:
        """Write an object as a stream."""
        upload = Upload(self._target(key, content_type, Condition(IfNoneMatch="*") if if_absent else Condition()))
        stream = io.BufferedWriter(upload, BUFFER_BYTES)
        try:
            yield stream
            if not stream.closed:
                stream.flush()
            upload.commit()
        finally:
            upload.discard()
            stream.close()

    def list(self, prefix: str, *, start_after: str = "") -> Iterator[ObjectInfo]:
        """The objects in order of their keys."""
        check_range(prefix, start_after)
        return self._list(self._before + prefix, self._before + start_after if start_after else "")

    def delete(self, key: str) -> None:
        """Remove the object."""
        name = self._name(key)
        with s3_errors():
            self._s3().delete_object(Bucket=self._bucket, Key=name)

    def url(self, key: str, *, expires_s: int, filename: str) -> str | None:
        """A signed link to the server; it ends earlier if the credentials do."""
        name = self._name(key)
        with s3_errors():
            return self._s3().generate_presigned_url(
                "get_object",
                Params={
                    "Bucket": self._bucket,
                    "Key": name,
                    "ResponseContentDisposition": content_disposition(filename),
                },
                ExpiresIn=min(expires_s, MAX_URL_S),
            )

    def ping(self) -> None:
        """Raise `StoreUnavailable` unless the bucket can be listed, which needs no right that use does not."""
        with s3_errors():
            self._s3().list_objects_v2(Bucket=self._bucket, Prefix=self._before, MaxKeys=1)

    def close(self) -> None:
        """Close the connections; the next use opens new ones."""
        with self._connecting:
            if self._client is not None:
                self._client.close()

    def _s3(self) -> S3Client:
        with self._connecting:
            if self._client is None:
                self._client = connect(self._endpoint_url, self._region)
            return self._client

    def _name(self, key: str) -> str:
        check_key(key)
        return self._before + key

    def _target(self, key: str, content_type: str, condition: Condition) -> Target:
        name = self._name(key)
        return Target(self._s3(), self._bucket, name, content_type, condition)

    def _list(self, prefix: str, start_after: str) -> Iterator[ObjectInfo]:
        client = self._s3()
        ordered = is_aws(client) if self._ordered is None else self._ordered
        listing = (list_ordered if ordered else list_by_level)(client, self._bucket, prefix, start_after)
        while (found := _next(listing)) is not None:
            key = found["Key"][len(self._before) :]
            try:
                check_key(key)
            except InvalidKey:
                continue  # somebody else's: the marker of an empty folder, for one
            yield ObjectInfo(key, found["Size"], found["ETag"].strip('"'), found["LastModified"].timestamp())


class _Download(io.RawIOBase):
    """The body of S3's answer as a raw stream that raises the port's errors."""

    def __init__(self, body: StreamingBody) -> None:
        self._body = body

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        view = memoryview(buffer).cast("B")
        with s3_errors():
            data = self._body.read(len(view))
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._body.close()
        super().close()


def _next(listing: Iterator[ObjectTypeDef]) -> ObjectTypeDef | None:
    """The next one, with errors of requesting a page, but not of whoever uses the listing, as the port's."""
    with s3_errors():
        return next(listing, None)
