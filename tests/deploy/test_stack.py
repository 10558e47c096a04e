"""The deployed stack as Discord, people and deployers use it."""

from __future__ import annotations

import http.client
import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from interactions.events import AUTHORIZED, DEAUTHORIZED
from trainer import records
from trainer.installation import Clock, clock_key

if TYPE_CHECKING:
    from tests.deploy.stack import Stack
    from trainer.ports import Job

QUESTION = "How do I reset my password?"
ANSWER = "Press “Forgot password” on the sign-in page."


def request(stack: Stack, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None) -> Any:
    """An HTTP request to the function URL: status and JSON."""
    url = urlsplit(stack.url)
    connection = http.client.HTTPConnection(url.hostname or "", url.port or 0, timeout=120)
    try:
        connection.request(method, f"{url.path}{path}", body, {"Content-Type": "application/json"} | (headers or {}))
        response = connection.getresponse()
        return response.status, json.loads(response.read() or b"null")
    finally:
        connection.close()


def test_a_signed_interaction_goes_in_and_the_reply_comes_out(stack: Stack) -> None:
    taught = stack.ada().command("train", text=f"Q: {QUESTION}\nA: {ANSWER}").wait(120)
    assert "I learned 1 new thing" in taught.content

    asked = stack.bob().command("ask", prompt="I forgot my password, what can I do?")

    assert asked.wait(120).content.startswith(ANSWER)
    assert asked.status == 200


def test_what_is_not_signed_is_refused(stack: Stack) -> None:
    assert request(stack, "POST", "/interactions", b'{"type":1}')[0] == 401
    headers = {"X-Signature-Ed25519": "0" * 128, "X-Signature-Timestamp": "1"}
    assert request(stack, "POST", "/interactions", b'{"type":1}', headers)[0] == 401


def test_health(stack: Stack) -> None:
    assert request(stack, "GET", "/healthz") == (200, {"ok": True, "store": "ok"})
    assert request(stack, "GET", "/.env")[0] == 404


def test_the_bucket_refuses_plain_http(stack: Stack) -> None:
    assert stack.health_over_plain_http == 503


def test_suggestions_come_from_the_bucket(stack: Stack) -> None:
    stack.ada().command("train", text="Q: Who? A: Me.", dataset="recipes").wait(120)

    suggested = stack.ada().autocomplete("select_dataset", "name", "rec").wait().choices or []

    assert "recipes" in [choice["value"] for choice in suggested]


def batch(*jobs: Job) -> dict[str, Any]:
    """The event by which the platform hands over jobs."""
    return {
        "Records": [
            {
                "messageId": job.id,
                "receiptHandle": job.receipt,
                "body": job.body.decode(),
                "attributes": {"ApproximateReceiveCount": str(job.attempts)},
            }
            for job in jobs
        ]
    }


def test_poison_is_among_the_dead_letters_and_the_others_of_its_batch_are_done(stack: Stack) -> None:
    with stack.by_hand():
        asked = stack.bob().command("ask", prompt=QUESTION)
        stack.send("poison of a batch")
        stack.until(lambda: stack.queue.depth().ready == 2)
        jobs = [job for _ in range(2) for job in stack.queue.lease(wait_s=5, visibility_s=60, limit=1)]
        assert stack.invoke("work", batch(*jobs)) == (True, {"batchItemFailures": []})

        assert asked.wait(120).content
        assert stack.queue.depth()[:3] == (0, 0, 0)
    reasons = {dead.body: dead.reason for dead in stack.queue.dead()}
    assert reasons[b"poison of a batch"] == "MalformedJob"


def test_poison_is_buried_through_the_platform_where_an_alarm_looks(stack: Stack) -> None:
    stack.send("poison through the platform")

    def is_buried() -> bool:
        return any(dead.body == b"poison through the platform" for dead in stack.queue.dead())

    stack.until(is_buried)
    stack.until(lambda: stack.queue.depth()[:3] == (0, 0, 0))
    alarms = stack.client("cloudwatch").describe_alarms()["MetricAlarms"]
    watched = [alarm["Dimensions"][0]["Value"] for alarm in alarms if "given up" in alarm["AlarmDescription"]]
    assert watched == [stack.outputs["DeadLettersQueue"].rpartition("/")[2]]
    assert all(alarm["AlarmActions"] == [stack.outputs["AlarmsTopic"]] for alarm in alarms)


def test_a_batch_that_partly_fails_leaves_only_what_failed(stack: Stack) -> None:
    with stack.by_hand():
        good = stack.bob().command("ask", prompt=QUESTION)
        stack.until(lambda: stack.queue.depth().ready == 1)
        (first,) = stack.queue.lease(wait_s=5, visibility_s=60)
        second = first._replace(id="00000000-0000-0000-0000-000000000000", receipt="not-a-receipt")
        assert stack.invoke("work", batch(first, second)) == (
            True,
            {"batchItemFailures": [{"itemIdentifier": second.id}]},
        )

        assert good.wait(120).content
    assert stack.queue.depth()[:3] == (0, 0, 0)


def test_of_a_batch_from_the_platform_only_what_failed_comes_again(stack: Stack) -> None:
    person = "876543210987654320"
    stack.store.put(clock_key(person), b"not a record")
    with stack.by_hand():
        good = stack.bob().command("ask", prompt=QUESTION)
        assert event(stack, DEAUTHORIZED, person) == (204, None)
        stack.until(lambda: stack.queue.depth().ready == 2)
    assert good.wait(120).content
    # The one that failed is still there, and hidden for a while.
    stack.until(lambda: stack.queue.depth()[:3] == (0, 1, 0))
    assert stack.store.get(clock_key(person)).data == b"not a record"

    stack.store.delete(clock_key(person))

    stack.until(lambda: clock_of(stack, person) is True)
    stack.until(lambda: stack.queue.depth()[:3] == (0, 0, 0))


def test_what_discord_says_of_installations_is_noted(stack: Stack) -> None:
    person = "876543210987654321"

    assert event(stack, DEAUTHORIZED, person) == (204, None)

    stack.until(lambda: clock_of(stack, person) is True)
    assert event(stack, AUTHORIZED, person) == (204, None)
    stack.until(lambda: clock_of(stack, person) is False)


def event(stack: Stack, kind: str, person: str) -> Any:
    """A webhook event, signed as Discord signs it."""
    now = datetime.now(UTC)
    data = {"user": {"id": person, "username": "eve"}}
    payload = {"version": 1, "type": 1, "event": {"type": kind, "timestamp": now.isoformat(), "data": data}}
    body, stamp = json.dumps(payload).encode(), str(int(now.timestamp()))
    signature = stack.playground.identity.signing_key.sign(stamp.encode() + body).signature.hex()
    headers = {"X-Signature-Ed25519": signature, "X-Signature-Timestamp": stamp}
    return request(stack, "POST", "/events", body, headers)


def clock_of(stack: Stack, person: str) -> bool | None:
    """Whether somebody's clock runs; None if there is none."""
    clock = records.load(stack.store, clock_key(person), Clock)
    return None if clock is None else clock.running


def test_a_tick_keeps_house(stack: Stack) -> None:
    old = "g42/answers/100.json"
    stack.store.put(old, b"an answer of 2015")

    assert stack.invoke("tick", {"source": "aws.events"}) == (True, None)

    assert stack.store.head(old) is None


def test_deploying_again_changes_nothing_and_says_what_to_enter(stack: Stack) -> None:
    before = state(stack)

    said = stack.deploy()

    assert "No changes to deploy. Deployment skipped." in said
    assert f"interactions endpoint URL: {stack.outputs['InteractionsUrl']}" in stack.osls("info")

    assert state(stack) == before


def state(stack: Stack) -> Any:
    events = stack.client("cloudformation").describe_stack_events(StackName="trainger-test")["StackEvents"]
    functions = stack.client("lambda").list_functions()["Functions"]
    return len(events), sorted((each["FunctionName"], each["CodeSha256"], each["LastModified"]) for each in functions)
