"""Writing S3 objects: conditions, streams in parts, and answers that were lost on the way."""

from __future__ import annotations

import io
import logging
import uuid
from contextlib import suppress
from typing import TYPE_CHECKING, Final, TypedDict, cast

from trainer.adapters.s3_client import retries, s3_errors
from trainer.ports import ObjectNotFound, PortError, PreconditionFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import ReadableBuffer
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

PART_BYTES: Final = 8 * 1024 * 1024
"""S3 takes parts from 5 MiB on, and at most 10,000 of them: objects of up to 80 GiB."""

_WRITE_ID: Final = "write-id"

_log = logging.getLogger(__name__)


class Condition(TypedDict, total=False):
    """The condition of a write, as S3 takes it."""

    IfNoneMatch: str
    IfMatch: str


class Target:
    """The object that one write is for.

    A conditional write whose answer is lost is sent again by botocore, and then loses against itself. So it carries
    an id of its own, by which it is recognised.
    """

    def __init__(self, client: S3Client, bucket: str, name: str, content_type: str, condition: Condition) -> None:
        self.client = client
        self.bucket = bucket
        self.name = name
        self.content_type = content_type
        self.condition = condition
        self.metadata = {_WRITE_ID: uuid.uuid4().hex} if condition else {}

    def put(self, data: bytes | bytearray) -> str:
        """Write the object by one request; returns its ETag."""
        return self.finish(
            lambda: self.client.put_object(
                Bucket=self.bucket,
                Key=self.name,
                Body=cast("bytes", data),  # botocore takes both, its stubs do not
                ContentType=self.content_type,
                Metadata=self.metadata,
                **self.condition,
            )["ETag"]
        )

    def finish(self, write: Callable[[], str]) -> str:
        """Make the request that makes the object appear; returns its ETag."""
        from botocore.exceptions import ClientError  # noqa: PLC0415 - keeps boto3 out until it is used

        try:
            with s3_errors():
                try:
                    etag = write()
                except ClientError as error:
                    lost = self.condition and retries(error)
                    landed = self._landed() if lost else None
                    if landed is None:
                        raise
                    etag = landed
        except ObjectNotFound:
            # If-Match on a missing object: 404 by S3's description, 412 by others.
            raise PreconditionFailed("the object is gone") from None
        return etag.strip('"')

    def _landed(self) -> str | None:
        """The object's ETag if it is what this write wrote."""
        with suppress(PortError), s3_errors():
            head = self.client.head_object(Bucket=self.bucket, Key=self.name)
            if head["Metadata"].get(_WRITE_ID) == self.metadata[_WRITE_ID]:
                return head["ETag"]
        return None


class Upload(io.RawIOBase):
    """Takes an object's bytes, keeping one part of them in memory."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._part = bytearray()
        self._upload_id: str | None = None
        self._sent: list[CompletedPartTypeDef] = []
        self._discarded = False

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        """Append to the object; may take less than all of `data`, and says how much."""
        view = memoryview(data).cast("B")
        if self._discarded:
            return len(view)  # what a buffer above still holds when the block has failed
        if len(self._part) == PART_BYTES:  # only now is it sure not to be the whole object
            self._send_part()
        taken = view[: PART_BYTES - len(self._part)]
        self._part += taken
        return len(taken)

    def commit(self) -> None:
        """Make the object appear. Raises `PreconditionFailed`."""
        if self._upload_id is None:
            self._target.put(self._part)
            return
        self._send_part()
        self._target.finish(self._complete)
        self._upload_id = None

    def discard(self) -> None:
        """Take no more bytes, and let S3 forget the parts that it has."""
        self._discarded = True
        self._part = bytearray()
        if self._upload_id is not None:
            target, upload_id, self._upload_id = self._target, self._upload_id, None
            try:
                with s3_errors():
                    target.client.abort_multipart_upload(Bucket=target.bucket, Key=target.name, UploadId=upload_id)
            except PortError as error:
                # Raising it would hide why the upload was given up. A rule of the bucket clears such parts away.
                _log.warning("an unfinished upload stays in the bucket", extra={"reason": str(error)})

    def _send_part(self) -> None:
        target = self._target
        with s3_errors():
            if self._upload_id is None:
                self._upload_id = target.client.create_multipart_upload(
                    Bucket=target.bucket, Key=target.name, ContentType=target.content_type, Metadata=target.metadata
                )["UploadId"]
            number = len(self._sent) + 1
            answer = target.client.upload_part(
                Bucket=target.bucket,
                Key=target.name,
                UploadId=self._upload_id,
                PartNumber=number,
                Body=cast("bytes", self._part),  # as it is: making bytes of it would keep the part twice
            )
        self._sent.append({"ETag": answer["ETag"], "PartNumber": number})
        self._part = bytearray()

    def _complete(self) -> str:
        target = self._target
        assert self._upload_id is not None  # noqa: S101 - for the type checker: `commit` has looked
        return target.client.complete_multipart_upload(
            Bucket=target.bucket,
            Key=target.name,
            UploadId=self._upload_id,
            MultipartUpload={"Parts": self._sent},
            **target.condition,
        )["ETag"]
