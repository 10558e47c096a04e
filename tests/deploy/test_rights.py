"""Rights that the platform uses for a function, and those of rare moments, tried by acting as the function's role.

And all that a voice sidecar may do, which runs somewhere else as a user of its own.
"""

from __future__ import annotations

import contextlib
import itertools
import time
from typing import TYPE_CHECKING, Any, Final

import boto3
import pytest
from botocore.exceptions import ClientError

from interactions import batches
from interactions.performing import Verdict
from tests.deploy.stack import actions_of, less
from trainer.adapters.s3_store import S3Store
from trainer.adapters.s3_writing import PART_BYTES
from trainer.adapters.sqs_queue import SqsQueue
from trainer.ports import Job, PortError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tests.deploy.stack import Stack


FUNCTIONS: Final = {"AckRole": "ack", "WorkRole": "work", "TickRole": "tick"}
LOGS: Final = ("logs:CreateLogStream", "logs:PutLogEvents")
HANDING_ON: Final = ("TakeJobs", "sqs:SendMessage")
TAKING: Final = ("TakeJobs", "sqs:ReceiveMessage")
ABORTING: Final = ("KeepObjects", "s3:AbortMultipartUpload")
SHOWN: Final = {
    "AckRole": {("Logs", action) for action in LOGS},
    "WorkRole": {*(("Logs", action) for action in LOGS), HANDING_ON, TAKING, ABORTING},
    "TickRole": {*(("Logs", action) for action in LOGS), ABORTING},
}
"""What is shown here, and not in test_grants."""
SIDECAR: Final = [
    ("TakeOrders", "sqs:ReceiveMessage"),
    ("TakeOrders", "sqs:DeleteMessage"),
    ("TakeOrders", "sqs:ChangeMessageVisibility"),
    ("TakeOrders", "sqs:GetQueueAttributes"),
    ("KeepObjects", "s3:GetObject"),
    ("KeepObjects", "s3:PutObject"),
    ("KeepObjects", "s3:DeleteObject"),
    ABORTING,
    ("ListObjects", "s3:ListBucket"),
]
_numbers = itertools.count(1)


@contextlib.contextmanager
def acting(stack: Stack, credentials: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Whatever connects to AWS while the block runs does so with these credentials; yields what makes clients."""
    with monkeypatch.context() as patched, contextlib.ExitStack() as opened:
        for name, value in credentials.items():
            patched.setenv(name, value)

        def client(service: str) -> Any:
            made = boto3.session.Session().client(service)  # type: ignore[call-overload] # any
            opened.callback(made.close)
            return made

        yield client


def is_allowed(call: Callable[[], object]) -> bool:
    try:
        call()
    except ClientError as error:
        if error.response["Error"]["Code"] in {"AccessDenied", "AccessDeniedException"}:
            return False
        raise
    return True


def works(act: Callable[[], object]) -> bool:
    """Whether the product's own code does something, which must not fail for another reason."""
    try:
        act()
    except PortError as error:
        if any(code in str(error) for code in ("AccessDenied", "403")):
            return False
        raise
    return True


# --- the platform ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", LOGS)
@pytest.mark.parametrize("role", FUNCTIONS)
def test_keeping_a_log(stack: Stack, role: str, action: str, monkeypatch: pytest.MonkeyPatch) -> None:
    group = f"/aws/lambda/trainger-test-{FUNCTIONS[role]}"
    others = f"/aws/lambda/trainger-test-{FUNCTIONS[next(each for each in FUNCTIONS if each != role)]}"
    there = f"tests/{next(_numbers)}"
    for name in (group, others):
        stack.client("logs").create_log_stream(logGroupName=name, logStreamName=there)
    event = {"timestamp": int(time.time() * 1000), "message": "a line"}
    with acting(stack, stack.credentials(role), monkeypatch) as client:
        logs = client("logs")

        def keeps(name: str) -> bool:
            if action == "logs:CreateLogStream":
                new = f"tests/{next(_numbers)}"
                return is_allowed(lambda: logs.create_log_stream(logGroupName=name, logStreamName=new))
            return is_allowed(lambda: logs.put_log_events(logGroupName=name, logStreamName=there, logEvents=[event]))

        assert keeps(group)
        assert not keeps(others)
        with stack.without(role, "Logs", action):
            assert not keeps(group)


def test_taking_jobs(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    with stack.by_hand(), acting(stack, stack.credentials("WorkRole"), monkeypatch) as client:
        sqs = client("sqs")

        def takes(queue: str) -> bool:
            return is_allowed(lambda: sqs.receive_message(QueueUrl=stack.outputs[queue]))

        assert takes("JobsQueue")
        assert not takes("VoiceQueue")
        with stack.without("WorkRole", *TAKING):
            assert not takes("JobsQueue")


# --- rare moments ---------------------------------------------------------------------------------------------


class HandsOn:
    """Does no job, as its time is up."""

    def perform(
        self, body: bytes, attempts: int, abandoned: Callable[[], bool], must_stop: Callable[[], bool]
    ) -> Verdict:
        return Verdict("again", "HandOn", 0.0)


def test_handing_a_job_on(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    def handed_on() -> tuple[bool, list[bytes]]:
        """Whether the platform is told that the job is done, and the jobs that there are then."""
        stack.client("sqs").purge_queue(QueueUrl=stack.outputs["JobsQueue"])
        stack.send("takes long")
        (job,) = stack.queue.lease(wait_s=10, visibility_s=60)
        with acting(stack, stack.credentials("WorkRole"), monkeypatch):
            queue = SqsQueue(stack.outputs["JobsQueue"])
            with contextlib.closing(queue):
                failed = batches.work_off([job], queue, HandsOn(), lease_s=60, remaining_s=lambda: 900)
        left = stack.queue.lease(wait_s=0, visibility_s=60, limit=10)
        return failed == [], [each.body for each in left]

    with stack.by_hand():
        assert handed_on() == (True, [b"takes long"])
        with stack.without("WorkRole", *HANDING_ON):
            # Nothing is lost: the job itself stays, and comes again when its lease has run out.
            assert handed_on() == (False, [])
        stack.client("sqs").purge_queue(QueueUrl=stack.outputs["JobsQueue"])


@pytest.mark.parametrize("role", ["WorkRole", "TickRole"])
def test_an_upload_that_breaks_off_leaves_nothing(stack: Stack, role: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with acting(stack, stack.credentials(role), monkeypatch) as client:
        assert leftovers(stack, client("s3")) == 0
        with stack.without(role, *ABORTING):
            assert leftovers(stack, client("s3")) == 1


def leftovers(stack: Stack, client: Any) -> int:
    """The parts that are left of an upload that breaks off."""
    bucket, key = stack.outputs["StoreBucket"], f"g1/uploads/{next(_numbers)}"
    with contextlib.suppress(EOFError), S3Store(bucket, client=client).open_write(key) as stream:
        stream.write(bytes(PART_BYTES + 1))
        stream.flush()
        raise EOFError
    s3 = stack.client("s3")
    left = [each for each in s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []) if each["Key"] == key]
    for each in left:
        s3.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=each["UploadId"])
    return len(left)


# --- the sidecar ----------------------------------------------------------------------------------------------


def test_every_right_of_the_sidecar_is_tried(stack: Stack) -> None:
    statements = stack.sidecar_policy()["Statement"]
    assert {(each["Sid"], action) for each in statements for action in actions_of(each)} == set(SIDECAR)


@pytest.mark.parametrize(("sid", "action"), SIDECAR)
def test_a_sidecar(stack: Stack, sid: str, action: str, monkeypatch: pytest.MonkeyPatch) -> None:
    document = stack.sidecar_policy()
    with stack.sidecar(document) as user:
        assert set(managed(stack, user, monkeypatch).values()) == {True}
    with stack.sidecar(less(document, sid, action)) as user:
        assert managed(stack, user, monkeypatch)[action] is False


def managed(stack: Stack, user: Mapping[str, str], monkeypatch: pytest.MonkeyPatch) -> dict[str, bool]:
    """What of a sidecar's work succeeds."""
    url, bucket = stack.outputs["VoiceQueue"], stack.outputs["StoreBucket"]
    deleted, changed = order(stack), order(stack)
    order(stack, taken=False)
    stack.store.put("g1/voice/there.json", b"{}")
    with acting(stack, user, monkeypatch) as client:
        s3 = client("s3")
        store = S3Store(bucket, client=s3, ordered=True)
        with contextlib.closing(SqsQueue(url)) as queue:
            return {
                "sqs:GetQueueAttributes": works(queue.ping),
                "sqs:ReceiveMessage": works(lambda: queue.lease(wait_s=0, visibility_s=60)),
                "sqs:ChangeMessageVisibility": works(lambda: queue.extend(changed, visibility_s=60)),
                "sqs:DeleteMessage": works(lambda: queue.complete(deleted)),
                "s3:GetObject": works(lambda: store.get("g1/voice/there.json")),
                "s3:PutObject": works(lambda: store.put("g1/voice/claimed.json", b"{}")),
                "s3:ListBucket": works(lambda: list(store.list("g1/voice/"))),
                "s3:AbortMultipartUpload": begun_is_ended(stack, s3),
                "s3:DeleteObject": works(lambda: store.delete("g1/voice/there.json")),
            }


def begun_is_ended(stack: Stack, s3: Any) -> bool:
    """Whether an upload that somebody began can be given up."""
    where = {"Bucket": stack.outputs["StoreBucket"], "Key": "g1/voice/broken"}
    begun = stack.client("s3").create_multipart_upload(**where)
    return is_allowed(lambda: s3.abort_multipart_upload(**where, UploadId=begun["UploadId"]))


def order(stack: Stack, *, taken: bool = True) -> Job:
    """An order to the sidecar, which somebody has taken, or not."""
    stack.client("sqs").send_message(QueueUrl=stack.outputs["VoiceQueue"], MessageBody="an order")
    if not taken:
        return Job("", b"", 0, "")
    (answer,) = stack.client("sqs").receive_message(
        QueueUrl=stack.outputs["VoiceQueue"], VisibilityTimeout=300, WaitTimeSeconds=5
    )["Messages"]
    return Job(answer["MessageId"], answer["Body"].encode(), 1, answer["ReceiptHandle"])
