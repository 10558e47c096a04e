"""Secrets from SSM's Parameter Store, on ministack."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from interactions import aws_secrets
from trainer.configuration import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers import AwsServer


@pytest.fixture
def environment(ministack_server: AwsServer, monkeypatch: pytest.MonkeyPatch) -> AwsServer:
    for name, value in ministack_server.environment().items():
        monkeypatch.setenv(name, value)
    for name in aws_secrets.NAMES:
        monkeypatch.delenv(name, raising=False)
    return ministack_server


@pytest.fixture
def ssm(environment: AwsServer) -> Iterator[Any]:
    # Types of this client are not among the development packages.
    session: Any = boto3.session.Session()
    with contextlib.closing(session.client("ssm")) as client:
        yield client


def test_the_secrets_below_a_path_are_read(ssm: Any) -> None:
    for name in ("OPENAI_API_KEY", "DISCORD_TOKEN", "DISCORD_API_BASE_URL"):
        ssm.put_parameter(Name=f"/trainger/some/{name}", Type="SecureString", Value=f"the {name}")
    ssm.put_parameter(Name="/trainger/someone/TRAINGER_LINK_SECRET", Type="SecureString", Value="another's")

    found = aws_secrets.read("/trainger/some")

    # Whoever may write parameters decides about nothing but secrets.
    assert found == {"OPENAI_API_KEY": "the OPENAI_API_KEY", "DISCORD_TOKEN": "the DISCORD_TOKEN"}


def test_an_empty_path(environment: AwsServer) -> None:
    assert aws_secrets.read("/trainger/nothing-here") == {}


def test_wrong_credentials(environment: AwsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")

    with pytest.raises(ConfigurationError, match=r"TRAINGER_SECRETS: SSM answers [A-Za-z]+$"):
        aws_secrets.read("/trainger/some")


def test_no_answer(environment: AwsServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")

    with pytest.raises(ConfigurationError, match="TRAINGER_SECRETS: SSM does not answer: EndpointConnectionError"):
        aws_secrets.read("/trainger/some")
