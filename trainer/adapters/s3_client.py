"""Connecting to S3, and what its errors mean to the port. boto3 is imported on the first use: it takes 0.2 s."""

from __future__ import annotations

from contextlib import contextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from trainer.ports import ObjectNotFound, PreconditionFailed, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.exceptions import ClientError
    from mypy_boto3_s3 import S3Client

CONNECT_TIMEOUT_S: Final = 5
READ_TIMEOUT_S: Final = 30
MAX_ATTEMPTS: Final = 3
"""The first one included; botocore waits longer after each, at most 20 seconds."""
MAX_CONNECTIONS: Final = 32

_NOT_FOUND: Final = frozenset({"NoSuchKey", "NotFound", "404"})
"""An answer to HEAD has no body, so botocore makes its status the code."""


def connect(endpoint_url: str | None, region: str | None) -> S3Client:
    """A client for AWS, or for the server at `endpoint_url`; credentials are found as boto3 finds them.

    Raises:
        StoreUnavailable: botocore finds the configuration wanting.
    """
    import boto3  # noqa: PLC0415 - see the module's description
    from botocore.config import Config  # noqa: PLC0415 - as above

    common = Config(
        signature_version="s3v4",  # botocore would sign links to some regions in a way that is on its way out
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=READ_TIMEOUT_S,
        retries={"mode": "standard", "total_max_attempts": MAX_ATTEMPTS},
        max_pool_connections=MAX_CONNECTIONS,
    )
    # By default botocore makes links to the global host, which sends those to other regions on, unsigned for there.
    amazon = Config(s3={"addressing_style": "virtual"})
    # Other servers have no host name for each bucket, and do not all know AWS's checksums in trailers.
    elsewhere = Config(
        s3={"addressing_style": "path"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    with s3_errors():
        session = boto3.session.Session(region_name=region)
        config = common.merge(elsewhere if endpoint_url else amazon)
        client = session.client("s3", endpoint_url=endpoint_url, config=config)
        if not endpoint_url and not is_aws(client):  # botocore found an endpoint in the environment or its files
            found = client.meta.endpoint_url
            client.close()
            client = session.client("s3", endpoint_url=found, config=common.merge(elsewhere))
    return client


def is_aws(client: S3Client) -> bool:
    """Whether this is Amazon's own S3, of which more is promised than of other servers."""
    host = urlsplit(client.meta.endpoint_url).hostname or ""
    return host.endswith((".amazonaws.com", ".amazonaws.com.cn"))


@contextmanager
def s3_errors() -> Iterator[None]:
    """Turn botocore's errors into the port's. Their texts are dropped, because URLs and keys are in them."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - see the module's description

    try:
        yield
    except ClientError as error:
        code, status = error_code(error), _status(error)
        if code in _NOT_FOUND:
            raise ObjectNotFound("there is no such object") from None
        if status == HTTPStatus.PRECONDITION_FAILED or code == "ConditionalRequestConflict":
            raise PreconditionFailed("somebody else wrote the object") from None
        raise StoreUnavailable(f"S3 answered {status} {code}") from None
    except BotoCoreError as error:
        raise StoreUnavailable(f"S3 does not answer: {type(error).__name__}") from None


def error_code(error: ClientError) -> str:
    """S3's word for the error."""
    return error.response.get("Error", {}).get("Code", "unknown")


def retries(error: ClientError) -> int:
    """How many attempts had failed before the one that this error ended."""
    return error.response.get("ResponseMetadata", {}).get("RetryAttempts", 0)


def _status(error: ClientError) -> int:
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
