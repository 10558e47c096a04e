"""The stack, deployed by osls into a server that speaks AWS's protocols, and used through its function URL."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import time
from typing import TYPE_CHECKING, Any, Final, Self

import boto3

from interactions.local import register_commands
from playground.server import Playground
from trainer.adapters.s3_store import S3Store
from trainer.adapters.sqs_queue import SqsQueue
from trainer.configuration import Configuration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from playground.clients import Client
    from tests.servers import AwsServer

BATCHES: Final = {"sqs:ChangeMessageVisibility": "sqs:ChangeMessageVisibilityBatch"}
"""On AWS the right to the former is one to the latter, which has no right of its own; ministack wants it by name."""
ROLES: Final = ("AckRole", "WorkRole", "TickRole")
STAGE: Final = "test"
SERVICE: Final = "trainger"

HEALTH: Final = {"rawPath": "/healthz", "requestContext": {"http": {"method": "GET"}}}


class Stack:
    """A deployed stack; a context manager."""

    def __init__(self, aws: AwsServer, osls: Path, project: Path, machine: str) -> None:
        self._aws = aws
        self._osls = osls
        self._project = project
        self._machine = machine
        self._session = boto3.session.Session(aws.access_key, aws.secret_key, region_name=aws.region)
        self._open = contextlib.ExitStack()
        self.playground = Playground()

    def __enter__(self) -> Self:
        self._open.enter_context(self.playground)
        names = self.playground.environment()
        self.client("ssm").put_parameter(
            Name=f"/{SERVICE}/{STAGE}/DISCORD_TOKEN", Type="SecureString", Value=names["DISCORD_TOKEN"]
        )
        self.deploy()
        described = self.client("cloudformation").describe_stacks(StackName=f"{SERVICE}-{STAGE}")["Stacks"][0]
        self.outputs = {each["OutputKey"]: each["OutputValue"] for each in described["Outputs"]}
        self.playground.interactions_url = f"{self.url}/interactions"
        # Everything is plain HTTP here, which the bucket's policy refuses: that is seen, and then it has to go.
        self.health_over_plain_http = self.invoke("ack", HEALTH)[1]["statusCode"]
        self.client("s3").delete_bucket_policy(Bucket=self.outputs["StoreBucket"])
        for role in ROLES:
            name, policy, document = self.policy(role)
            self._put_policy(name, policy, with_batches(document))
        register_commands(
            Configuration(
                public_key=names["DISCORD_PUBLIC_KEY"],
                application_id=names["DISCORD_APPLICATION_ID"],
                token=names["DISCORD_TOKEN"],
                api_base_url=names["DISCORD_API_BASE_URL"],
            )
        )
        self.store = S3Store(self.outputs["StoreBucket"], client=self.client("s3"), ordered=True)
        self.queue = SqsQueue(self.outputs["JobsQueue"], endpoint_url=self._aws.endpoint_url, region=self._aws.region)
        self.queue._client = self.client("sqs")
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    @property
    def url(self) -> str:
        """The function's URL, by which ministack knows it on loopback."""
        name = self.outputs["AckLambdaFunctionUrl"].split("//")[1].split(".")[0]
        return f"{self._aws.endpoint_url}/_aws/lambda-url/{name}"

    def client(self, service: str) -> Any:
        """A boto3 client of the account's owner."""
        client = self._session.client(service, endpoint_url=self._aws.endpoint_url)  # type: ignore[call-overload] # any
        self._open.callback(client.close)
        return client

    def deploy(self, *, credentials: Mapping[str, str] | None = None, **more: str) -> str:
        """Deploy, with other parameters; what osls says."""
        return self.osls("deploy", credentials=credentials, **more)

    def osls(self, *command: str, credentials: Mapping[str, str] | None = None, **more: str) -> str:
        """Run osls, as the account's owner unless told otherwise; what it says."""
        names = self.playground.environment()
        parameters = {
            "architecture": self._machine,
            "publicKey": names["DISCORD_PUBLIC_KEY"],
            "applicationId": names["DISCORD_APPLICATION_ID"],
            "discordApi": names["DISCORD_API_BASE_URL"],
            "cdnHosts": names["DISCORD_CDN_HOSTS"],
        }
        return run_osls(self._osls, self._project, command, parameters | more, credentials or self._aws.environment())

    def ada(self, **more: Any) -> Client:
        """The server's owner."""
        return self.playground.client(**more)

    def bob(self, **more: Any) -> Client:
        """A member."""
        return self.playground.client("Bob", **more)

    def send(self, body: str) -> None:
        """Put something into the queue of jobs."""
        self.client("sqs").send_message(QueueUrl=self.outputs["JobsQueue"], MessageBody=body)

    def invoke(self, function: str, event: object) -> tuple[bool, Any]:
        """Call a function; whether it ended well, and what it said."""
        answer = self.client("lambda").invoke(
            FunctionName=f"{SERVICE}-{STAGE}-{function}", Payload=json.dumps(event).encode()
        )
        return "FunctionError" not in answer, json.loads(answer["Payload"].read() or b"null")

    def until(self, true: Callable[[], bool], *, timeout: float = 180) -> None:
        """Wait until something is so."""
        deadline = time.monotonic() + timeout
        while not true():
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.1)

    @contextlib.contextmanager
    def without(self, role: str, sid: str, action: str, resource: str = "") -> Iterator[None]:
        """Take a right away from a role while the block runs; see `less`."""
        name, policy, document = self.policy(role)
        self._put_policy(name, policy, less(document, sid, action, resource))
        try:
            yield
        finally:
            self._put_policy(name, policy, document)

    def policy(self, role: str) -> tuple[str, str, dict[str, Any]]:
        """The names of a role and of its policy, and what that says."""
        name = self._role_name(role)
        iam = self.client("iam")
        (policy,) = iam.list_role_policies(RoleName=name)["PolicyNames"]
        document = iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
        return name, policy, json.loads(document) if isinstance(document, str) else document

    def credentials(self, role: str) -> dict[str, str]:
        """The variables by which boto3 acts as a role."""
        arn = self.client("iam").get_role(RoleName=self._role_name(role))["Role"]["Arn"]
        given = self.client("sts").assume_role(RoleArn=arn, RoleSessionName="tests")["Credentials"]
        return self._aws.environment() | {
            "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
            "AWS_SESSION_TOKEN": given["SessionToken"],
        }

    def sidecar(self, document: Mapping[str, Any]) -> contextlib.AbstractContextManager[dict[str, str]]:
        """A voice sidecar's user, who may do what a policy says."""
        return self.user("voice-sidecar", document)

    @contextlib.contextmanager
    def user(self, name: str, document: Mapping[str, Any]) -> Iterator[dict[str, str]]:
        """A user who may do what a policy says, while the block runs: the variables by which boto3 acts as them."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        iam.put_user_policy(UserName=name, PolicyName="all", PolicyDocument=json.dumps(with_batches(document)))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        try:
            yield self._aws.environment() | {
                "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
                "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
            }
        finally:
            iam.delete_access_key(UserName=name, AccessKeyId=key["AccessKeyId"])
            iam.delete_user_policy(UserName=name, PolicyName="all")
            iam.delete_user(UserName=name)

    def sidecar_policy(self) -> dict[str, Any]:
        """What the policy says that is to be attached to a voice sidecar's user or role."""
        iam, arn = self.client("iam"), self.outputs["SidecarPolicy"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
        found: dict[str, Any] = json.loads(document) if isinstance(document, str) else document
        return found

    def _put_policy(self, name: str, policy: str, document: Mapping[str, Any]) -> None:
        self.client("iam").put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=json.dumps(document))

    def _role_name(self, role: str) -> str:
        """The name that a role of the template got."""
        found = self.client("cloudformation").describe_stack_resource(
            StackName=f"{SERVICE}-{STAGE}", LogicalResourceId=role
        )
        return str(found["StackResourceDetail"]["PhysicalResourceId"])

    @contextlib.contextmanager
    def by_hand(self) -> Iterator[None]:
        """The platform takes no jobs from the queue while the block runs."""
        aws = self.client("lambda")
        (mapping,) = aws.list_event_source_mappings(FunctionName=f"{SERVICE}-{STAGE}-work")["EventSourceMappings"]
        aws.update_event_source_mapping(UUID=mapping["UUID"], Enabled=False)
        try:
            yield
        finally:
            aws.update_event_source_mapping(UUID=mapping["UUID"], Enabled=True)


def actions_of(statement: Mapping[str, Any]) -> list[str]:
    """The actions that a statement allows."""
    actions = statement["Action"]
    return list(actions) if isinstance(actions, list) else [actions]


def with_batches(document: Mapping[str, Any]) -> dict[str, Any]:
    """A policy as ministack wants it."""
    statements = []
    for statement in document["Statement"]:
        actions = [each for each in actions_of(statement) if each not in BATCHES.values()]
        actions += [BATCHES[action] for action in actions if action in BATCHES]
        statements.append({**statement, "Action": actions})
    return {**document, "Statement": statements}


def less(document: Mapping[str, Any], sid: str, action: str, resource: str = "") -> dict[str, Any]:
    """A policy without one action of a statement; or only without that for a resource, named by its end."""
    statements = []
    for statement in document["Statement"]:
        actions, resources = actions_of(statement), statement["Resource"]
        if statement["Sid"] == sid:
            assert action in actions
            if resource:
                (left_out,) = (each for each in resources if each.endswith(resource))
                resources = [each for each in resources if each != left_out]
            else:
                actions = [each for each in actions if each not in {action, BATCHES.get(action)}]
        if actions:
            statements.append({**statement, "Action": actions, "Resource": resources})
    return {**document, "Statement": statements}


def run_osls(
    osls: Path, project: Path, command: Sequence[str], parameters: Mapping[str, str], environment: Mapping[str, str]
) -> str:
    """Run osls, or serverless@3, in a project's folder; what it says. Fails with that if it fails."""
    given = [each for name, value in parameters.items() for each in ("--param", f"{name}={value}")]
    clean = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "DISCORD_", "TRAINGER_"))
    }
    ran = subprocess.run(
        [str(osls), *command, "--stage", STAGE, *given],
        cwd=project,
        env=clean | dict(environment) | {"SLS_NOTIFICATIONS_MODE": "off", "SLS_TELEMETRY_DISABLED": "1"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr
