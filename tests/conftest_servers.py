"""The servers of `tests.servers`, and stores on them: each started when first asked for, once for the whole run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests import servers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mypy_boto3_s3 import S3Client

    from tests.contract.stores import Site
    from tests.servers import AwsServer, S3Server


@pytest.fixture(scope="session")
def seaweedfs_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """SeaweedFS, with its data in a temporary folder."""
    with servers.seaweedfs(tmp_path_factory.mktemp("seaweedfs")) as server:
        yield server


@pytest.fixture(scope="session")
def ministack_server() -> Iterator[AwsServer]:
    """ministack's S3 and SQS."""
    with servers.ministack() as server:
        yield server


@pytest.fixture(scope="session")
def moto_server() -> Iterator[AwsServer]:
    """moto's SQS."""
    with servers.moto() as server:
        yield server


@pytest.fixture(scope="session")
def seaweedfs_bucket(seaweedfs_server: S3Server) -> Iterator[S3Client]:
    """A bucket on SeaweedFS, and a client for it."""
    from tests.contract import stores

    with stores.bucket_of(seaweedfs_server) as client:
        yield client


@pytest.fixture(scope="session")
def ministack_bucket(ministack_server: AwsServer) -> Iterator[S3Client]:
    """A bucket on ministack, and a client for it."""
    from tests.contract import stores

    with stores.bucket_of(ministack_server) as client:
        yield client


@pytest.fixture(params=["folder", "seaweedfs", "ministack"])
def store_site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """An empty place for objects, with each adapter and server in turn."""
    from tests.contract import stores

    if request.param == "folder":
        with stores.folder_site(tmp_path) as site:
            yield site
    else:
        # ministack lists in S3's order, so the way of listing for Amazon is tried there.
        ordered = True if request.param == "ministack" else None
        with stores.bucket_site(request.getfixturevalue(f"{request.param}_bucket"), ordered=ordered) as site:
            yield site
