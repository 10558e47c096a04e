"""Each right of each function is needed: taken away, something that worked works no more. See test_rights, too."""

from __future__ import annotations

import itertools
import time
from typing import TYPE_CHECKING, Any, Final

import msgspec
import pytest

from interactions.jobs import pack
from tests import interactions_made as made
from tests.deploy import test_rights
from tests.deploy.stack import BATCHES, actions_of
from tests.deploy.test_stack import batch
from trainer import records
from trainer.datasets import forgotten_key
from trainer.privacy import Forgotten
from trainer.scope import Scope
from trainer.selection import mark_dataset

if TYPE_CHECKING:
    from tests.deploy.stack import Stack

ACK: Final = [("SendJobs", "sqs:SendMessage"), ("ReadSettings", "s3:GetObject"), ("ListNames", "s3:ListBucket")]
WORK: Final = [
    ("TakeJobs", "sqs:DeleteMessage"),
    ("TakeJobs", "sqs:ChangeMessageVisibility"),
    ("TakeJobs", "sqs:GetQueueAttributes"),
    ("BuryJobs", "sqs:GetQueueUrl"),
    ("BuryJobs", "sqs:SendMessage"),
    ("BuryJobs", "sqs:ReceiveMessage"),
    ("BuryJobs", "sqs:DeleteMessage"),
    ("BuryJobs", "sqs:ChangeMessageVisibility"),
    ("KeepObjects", "s3:GetObject"),
    ("KeepObjects", "s3:PutObject"),
    ("KeepObjects", "s3:DeleteObject"),
    ("ListObjects", "s3:ListBucket"),
    ("ReadSecrets", "ssm:GetParameter"),
]
TICK: Final = [
    ("FindDeadLetters", "sqs:GetQueueAttributes"),
    ("DropDeadLetters", "sqs:GetQueueUrl"),
    ("DropDeadLetters", "sqs:ReceiveMessage"),
    ("DropDeadLetters", "sqs:DeleteMessage"),
    ("DropDeadLetters", "sqs:ChangeMessageVisibility"),
    ("KeepObjects", "s3:GetObject"),
    ("KeepObjects", "s3:PutObject"),
    ("KeepObjects", "s3:DeleteObject"),
    ("ListObjects", "s3:ListBucket"),
    ("ReadSecrets", "ssm:GetParameter"),
]
VOICE: Final = ("OrderVoice", "sqs:SendMessage")
_people = itertools.count(600000000000000001)
_versions = itertools.count(1)


def grants(stack: Stack, role: str) -> set[tuple[str, str]]:
    """What a role may do, as it was deployed."""
    _, _, document = stack.policy(role)
    return {
        (statement["Sid"], action)
        for statement in document["Statement"]
        for action in actions_of(statement)
        if action not in BATCHES.values()
    }


@pytest.mark.parametrize(("role", "shown"), [("AckRole", ACK), ("WorkRole", [*WORK, VOICE]), ("TickRole", TICK)])
def test_every_right_is_tried(stack: Stack, role: str, shown: list[tuple[str, str]]) -> None:
    assert grants(stack, role) == set(shown) | test_rights.SHOWN[role]


def cold(stack: Stack, function: str) -> None:
    """The next call starts the function anew: what it had looked up is forgotten."""
    name, functions = f"trainger-test-{function}", stack.client("lambda")
    variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    variables["VERSION"] = str(next(_versions))
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})


# --- ack ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("sid", "action"), ACK)
def test_acknowledging(stack: Stack, sid: str, action: str) -> None:
    guild = stack.ada().place.channel.guild
    assert guild is not None
    mark_dataset(stack.store, Scope("guild", guild.id), "grants", "1")
    with stack.by_hand():
        before = acknowledged(stack)
        with stack.without("AckRole", sid, action):
            without = acknowledged(stack)
        drain(stack)

    assert before == {"SendJobs": True, "ReadSettings": True, "ListNames": True}
    assert without[sid] is False


def acknowledged(stack: Stack) -> dict[str, bool]:
    """What works of acknowledging."""
    asked = stack.bob().command("ask", prompt="Who?")
    stack.until(lambda: asked.status is not None)
    deferred = "thinking" in asked.describe() or "response=5" in asked.describe()
    # Who has a role, but none that may teach, is told so at once where the settings can be read.
    teaching = stack.bob(roles=["Others"]).command("select_dataset", {"name": "grants"}, force=True)
    stack.until(lambda: teaching.status is not None)
    typed = stack.ada().autocomplete("select_dataset", "name", "gra").wait().choices or []
    return {
        "SendJobs": deferred,
        "ReadSettings": "response=4" in teaching.describe(),
        "ListNames": "grants" in [choice["value"] for choice in typed],
    }


@pytest.mark.parametrize(
    ("resource", "unreadable"), [("/settings.json", "settings"), ("/instruction.json", "instruction")]
)
def test_acknowledging_reads_two_kinds_of_objects(stack: Stack, resource: str, unreadable: str) -> None:
    assert readable(stack) == {"settings": True, "instruction": True}
    with stack.without("AckRole", "ReadSettings", "s3:GetObject", resource):
        assert [kind for kind, is_readable in readable(stack).items() if not is_readable] == [unreadable]


def readable(stack: Stack) -> dict[str, bool]:
    """What of a server can be read while Discord waits."""
    with stack.by_hand():
        teaching = stack.bob(roles=["Others"]).command("select_dataset", {"name": "grants"}, force=True)
        stack.until(lambda: teaching.status is not None)
        form = stack.ada().click(stack.ada().say("Anything").id, "instruction-edit:", force=True)
        stack.until(lambda: form.status is not None)
        drain(stack)
    return {"settings": "response=4" in teaching.describe(), "instruction": form.modal is not None}


def drain(stack: Stack) -> None:
    """Do what lies in the queue of jobs."""
    while jobs := stack.queue.lease(wait_s=1, visibility_s=60, limit=4):
        stack.invoke("work", batch(*jobs))


# --- work -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("sid", "action"), WORK)
def test_working(stack: Stack, sid: str, action: str) -> None:
    with stack.by_hand():
        stack.client("sqs").purge_queue(QueueUrl=stack.outputs["JobsQueue"])
        assert worked(stack) == ""
        cold(stack, "work")
        with stack.without("WorkRole", sid, action):
            assert worked(stack) != ""
        stack.client("sqs").purge_queue(QueueUrl=stack.outputs["JobsQueue"])


def worked(stack: Stack) -> str:
    """What does not work of performing jobs; empty if all does."""
    person = str(next(_people))
    buried = performs(stack, b"poison")
    if buried:
        return f"bury: {buried}"
    taught = performs(stack, job_of(made.slash("train", {"text": f"Q: Who is {person}?\nA: I."}, user_id=person)))
    return f"teach: {taught}" if taught else forgets(stack, person)


def job_of(interaction: made.Json) -> bytes:
    return pack(made.encode(interaction))


def performs(stack: Stack, body: bytes) -> str:
    stack.send(body.decode())
    (job,) = stack.queue.lease(wait_s=10, visibility_s=60)
    well, said = stack.invoke("work", batch(job))
    if not well or said["batchItemFailures"]:
        return "failed"
    # What is settled is gone, and not merely hidden.
    return "" if sum(stack.queue.depth()[:3]) == 0 else "left"


def forgets(stack: Stack, person: str) -> str:
    """Somebody asks to be forgotten, of whom there is a dead letter, too."""
    key = forgotten_key(Scope("guild", made.GUILD), person)
    dead_letters(stack, person, next(_people))
    button = made.base(3, {"component_type": 2, "custom_id": "forget:all"}, user_id=person)
    problem = performs(stack, job_of({**button, "message": made.message()}))
    if problem:
        return f"forget: {problem}"
    if records.load(stack.store, key, Forgotten) is None:
        return "not forgotten"
    return "" if only_the_other_is_left(stack) else "dead letters"


def dead_letters(stack: Stack, *people: object) -> None:
    """Give up a command of each of these, and no others."""
    url, sqs = stack.outputs["DeadLettersQueue"], stack.client("sqs")
    sqs.purge_queue(QueueUrl=url)
    for person in people:
        interaction = made.slash("ask", {"prompt": "Who am I?"}, user_id=str(person))
        sqs.send_message(QueueUrl=url, MessageBody=job_of(interaction).decode())


def only_the_other_is_left(stack: Stack) -> bool:
    """Whether one dead letter of two is gone, and the other one is there for whoever looks next."""
    counted = stack.client("sqs").get_queue_attributes(
        QueueUrl=stack.outputs["DeadLettersQueue"],
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    )["Attributes"]
    return [int(count) for _, count in sorted(counted.items())] == [1, 0]


def test_ordering_voice(stack: Stack) -> None:
    assert ordered(stack) == 1
    with stack.without("WorkRole", *VOICE):
        assert ordered(stack) == 0


def ordered(stack: Stack) -> int:
    """How many orders a /join comes to, which nobody takes, so that it is answered all the same."""
    url, sqs = stack.outputs["VoiceQueue"], stack.client("sqs")
    sqs.purge_queue(QueueUrl=url)
    assert "My voice does not answer just now" in stack.bob().command("join").wait(60).content
    counted = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]
    return int(counted["ApproximateNumberOfMessages"])


# --- tick -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("sid", "action"), TICK)
def test_keeping_house(stack: Stack, sid: str, action: str) -> None:
    assert kept_house(stack) == ""
    cold(stack, "tick")
    with stack.without("TickRole", sid, action):
        assert kept_house(stack) != ""


def kept_house(stack: Stack) -> str:
    """What of keeping house does not work; empty if all does."""
    person = str(next(_people))
    scope = Scope("guild", made.GUILD)
    dead_letters(stack, person, next(_people))
    asked = Forgotten(user_id=person, interaction_id=made.snowflake(), at=time.time() - 100 * 86400)
    key = forgotten_key(scope, person)
    stack.store.put(key, msgspec.json.encode(asked))
    old = f"g{made.GUILD}/answers/{next(_people) - 599999999999999000}.json"
    stack.store.put(old, b"an old answer")
    well, _ = stack.invoke("tick", {})
    finished = records.load(stack.store, key, Forgotten)
    assert finished is not None
    checks: dict[str, Any] = {
        "failed": well,
        "old answer left": stack.store.head(old) is None,
        "forgetting unfinished": finished.finished,
        "dead letters": only_the_other_is_left(stack),
    }
    return ", ".join(problem for problem, right in checks.items() if not right)
