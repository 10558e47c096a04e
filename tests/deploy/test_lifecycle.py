"""A stack's changes: another setting, back to the deployment before, and its end, which leaves what people taught."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

import pytest
from botocore.exceptions import ClientError

from tests import servers
from tests.deploy.conftest import HOST
from tests.deploy.stack import Stack

GUIDE: Final = (Path(__file__).parents[2] / ".github" / "deploying.md").read_text(encoding="utf-8")
FUNCTIONS = ("ack", "work", "tick")


def test_a_stack_changes_goes_back_and_ends(osls: Path, project: Path) -> None:
    with servers.ministack() as aws, Stack(aws, osls, project, HOST) as stack:
        (first,) = re.findall(r"Timestamp: (\d+)", stack.osls("deploy", "list"))

        said = stack.deploy(logLevel="WARNING")

        assert f"interactions endpoint URL: {stack.outputs['InteractionsUrl']}" in said
        assert [level(stack, name) for name in FUNCTIONS] == ["WARNING"] * 3

        stack.osls("rollback", "--timestamp", first)

        assert [level(stack, name) for name in FUNCTIONS] == ["INFO"] * 3
        taught = stack.ada().command("train", text="Q: Who?\nA: Me.").wait(120)
        assert "I learned 1 new thing" in taught.content
        before = [each.key for each in stack.store.list("")]

        stack.osls("remove")

        with pytest.raises(ClientError, match="does not exist"):
            stack.client("cloudformation").describe_stacks(StackName="trainger-test")
        assert stack.client("lambda").list_functions()["Functions"] == []
        assert stack.client("sqs").list_queues().get("QueueUrls", []) == []
        assert before
        assert [each.key for each in stack.store.list("")] == before


def test_data_goes_with_the_stack_where_that_is_asked_for(osls: Path, project: Path) -> None:
    with servers.ministack() as aws, Stack(aws, osls, project, HOST) as stack:
        stack.deploy(data="Delete")

        stack.osls("remove", data="Delete")

        assert stack.client("s3").list_buckets()["Buckets"] == []


def test_the_role_that_ci_takes_may_deploy(osls: Path, project: Path) -> None:
    """By the rights that the guide gives it. What CloudFormation does in its name, ministack does not look at."""
    trust, rights = (json.loads(each) for each in re.findall(r"```json\n(.+?)```", GUIDE, re.DOTALL))
    assert trust["Statement"][0]["Action"] == "sts:AssumeRoleWithWebIdentity"
    with servers.ministack() as aws, Stack(aws, osls, project, HOST) as stack:
        # Its policy refuses plain HTTP, and here there is no other.
        stack.client("s3").delete_bucket_policy(Bucket=stack.outputs["ServerlessDeploymentBucketName"])
        with stack.user("ci", rights) as credentials:
            said = stack.deploy(credentials=credentials, logLevel="WARNING")
        assert "Service deployed" in said
        assert [level(stack, name) for name in FUNCTIONS] == ["WARNING"] * 3
        with (
            stack.user("nobody", {**rights, "Statement": rights["Statement"][1:]}) as credentials,
            pytest.raises(AssertionError),
        ):
            stack.deploy(credentials=credentials, logLevel="ERROR")


def level(stack: Stack, function: str) -> str:
    """A function's level of logging."""
    found = stack.client("lambda").get_function_configuration(FunctionName=f"trainger-test-{function}")
    return str(found["Environment"]["Variables"]["TRAINGER_LOG_LEVEL"])
