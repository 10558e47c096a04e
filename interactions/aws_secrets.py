"""Secrets of a function: read from SSM's Parameter Store when it starts, so that they stand in no template.

`TRAINGER_SECRETS` names a path, such as `/trainger/prod`; the parameters below it are called as the variables that
they stand for: `/trainger/prod/DISCORD_TOKEN`. A real variable wins.
"""

from __future__ import annotations

import contextlib
import os
from typing import Final

from trainer.configuration import ConfigurationError

NAMES: Final = ("DISCORD_TOKEN", "OPENAI_API_KEY", "TRAINGER_LINK_SECRET")
"""What is taken from there; whoever may write parameters decides about nothing else."""


def load(path: str) -> None:
    """Put the secrets below a path into the environment. Raises `ConfigurationError`."""
    for name, value in read(path).items():
        os.environ.setdefault(name, value)


def read(path: str) -> dict[str, str]:
    """The secrets below a path that are there. Raises `ConfigurationError`."""
    import boto3  # noqa: PLC0415 - acknowledging does without
    from botocore.config import Config  # noqa: PLC0415
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

    found: dict[str, str] = {}
    try:
        client = boto3.session.Session().client(
            "ssm", config=Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard"})
        )
        with contextlib.closing(client):
            for name in NAMES:
                with contextlib.suppress(client.exceptions.ParameterNotFound):
                    answer = client.get_parameter(Name=f"{path}/{name}", WithDecryption=True)
                    found[name] = answer["Parameter"]["Value"]
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "unknown")
        raise ConfigurationError(f"TRAINGER_SECRETS: SSM answers {code}") from None
    except BotoCoreError as error:
        raise ConfigurationError(f"TRAINGER_SECRETS: SSM does not answer: {type(error).__name__}") from None
    return found
