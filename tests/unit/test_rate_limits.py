from __future__ import annotations

import json
import math
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from interactions.discord_api import DiscordApi
from interactions.discord_errors import (
    DiscordError,
    DiscordUnavailable,
    Gone,
    RateLimited,
    Refused,
    TokenExpired,
)
from interactions.rate_limits import (
    RateLimits,
    Route,
    Setback,
    judge,
    retry_after,
)
from tests.unit import test_discord_api as wire

if TYPE_CHECKING:
    from tests.unit.test_discord_api import Clock, Server

# A real server with scripted answers, a clock that sleeping moves, and the API between them.
server, clock, api = wire.server, wire.clock, wire.api
TOKEN, OK = wire.TOKEN, wire.OK

WEBHOOK = Route("POST", "/webhooks/{app}/{token}", "/webhooks/42/secret", "digest", bot=False)
CHANNEL = Route("POST", "/channels/{channel}/messages", "/channels/5/messages", "5", bot=True)


def headers(remaining: object, reset_after: object, bucket: str | None = "abc") -> dict[str, str]:
    told = {"X-RateLimit-Remaining": str(remaining), "X-RateLimit-Reset-After": str(reset_after)}
    return told | ({"X-RateLimit-Bucket": bucket} if bucket else {})


# --- buckets ------------------------------------------------------------------------------------------------------


def test_nothing_is_limited_before_discord_says_so() -> None:
    assert [RateLimits().reserve(WEBHOOK, now=0.0) for _ in range(3)] == [0, 0, 0]


@pytest.mark.parametrize("bucket", ["abc", None])
def test_each_reservation_takes_one_and_an_empty_bucket_is_waited_for(bucket: str | None) -> None:
    limits = RateLimits()
    limits.observe(WEBHOOK, headers(2, 1.5, bucket), now=10.0)
    assert [limits.reserve(WEBHOOK, now=10.5) for _ in range(3)] == [0, 0, 1.0]
    assert limits.reserve(WEBHOOK, now=11.5) == 0
    assert limits.reserve(WEBHOOK, now=11.5) == 0


def test_buckets_are_kept_apart_by_webhook() -> None:
    limits = RateLimits()
    limits.observe(WEBHOOK, headers(0, 5), now=0.0)
    assert limits.reserve(WEBHOOK._replace(major="other"), now=0.0) == 0


def test_routes_that_name_one_bucket_share_it() -> None:
    limits = RateLimits()
    edit = WEBHOOK._replace(method="PATCH", template="/webhooks/{app}/{token}/messages/@original")
    limits.observe(edit, headers(3, 5), now=0.0)
    limits.observe(WEBHOOK, headers(0, 5), now=0.1)
    assert limits.reserve(edit, now=0.1) == pytest.approx(5.0)


def test_responses_that_overtake_each_other_do_not_fill_the_bucket() -> None:
    limits = RateLimits()
    limits.observe(WEBHOOK, headers(1, 5), now=0.0)
    limits.observe(WEBHOOK, headers(4, 4.9), now=0.1)
    assert [limits.reserve(WEBHOOK, now=0.2) == 0 for _ in range(2)] == [True, False]
    limits.observe(WEBHOOK, headers(4, 5), now=4.0)  # a new window
    assert [limits.reserve(WEBHOOK, now=4.1) == 0 for _ in range(5)] == [True] * 4 + [False]


@pytest.mark.parametrize("bad", ["", "many", "nan", "inf", "-1"])
def test_headers_that_make_no_sense_are_passed_over(bad: str) -> None:
    limits = RateLimits()
    limits.observe(WEBHOOK, headers(bad, 5), now=0.0)
    limits.observe(WEBHOOK, headers(0, bad), now=0.0)
    limits.observe(WEBHOOK, {}, now=0.0)
    assert limits.reserve(WEBHOOK, now=0.0) == 0


def test_a_429_closes_the_route_or_the_whole_bot() -> None:
    limits = RateLimits()
    other = CHANNEL._replace(major="6")
    limits.refused(CHANNEL, Setback(RateLimited(429, None, 2), "limited", 2), now=0.0)
    assert (limits.reserve(CHANNEL, now=0.5), limits.reserve(other, now=0.5)) == (1.5, 0)
    limits.refused(CHANNEL, Setback(RateLimited(429, None, 9), "limited", 9, everywhere=True), now=0.0)
    limits.refused(CHANNEL, Setback(RateLimited(429, None, 1), "limited", 1, everywhere=True), now=0.0)
    assert (limits.reserve(other, now=0.5), limits.reserve(WEBHOOK, now=0.5)) == (8.5, 0)


def test_webhooks_of_long_ago_are_forgotten() -> None:
    limits = RateLimits()
    for number in range(5000):
        limits.observe(WEBHOOK._replace(major=str(number)), headers(4, 1), now=float(number))
    assert len(limits._buckets) <= 1001


def test_threads_never_take_more_than_there_is() -> None:
    limits = RateLimits()
    limits.observe(WEBHOOK, headers(100, 60), now=0.0)
    taken: list[float] = []

    def take() -> None:
        taken.extend(limits.reserve(WEBHOOK, now=1.0) for _ in range(50))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert taken.count(0) == 100


# --- what answers mean --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "header", "expected"),
    [
        (0.25, "1", 0.25),
        (0.0, "1", 0.0),
        (None, "3", 3.0),
        (-1.0, "3", 3.0),
        (math.nan, "3", 3.0),
        (None, "Wed, 21 Oct 2026 07:28:00 GMT", 1.0),
        (None, None, 1.0),
    ],
)
def test_how_long_to_wait(body: float | None, header: str | None, expected: float) -> None:
    assert retry_after({"Retry-After": header} if header else {}, body) == expected


@pytest.mark.parametrize(
    ("status", "code", "expected", "kind"),
    [
        (401, 50027, TokenExpired, "final"),
        (401, 0, TokenExpired, "final"),
        (404, 10062, TokenExpired, "final"),
        (404, 10015, Gone, "final"),
        (403, 50013, Refused, "final"),
        (413, 40005, Refused, "final"),
        (408, 0, DiscordUnavailable, "broken"),
        (500, 0, DiscordUnavailable, "broken"),
        (429, 0, RateLimited, "limited"),
    ],
)
def test_kinds_of_answers(status: int, code: int, expected: type[DiscordError], kind: str) -> None:
    setback = judge(WEBHOOK, status, {}, json.dumps({"code": code, "message": "private words"}).encode())
    assert (type(setback.error), setback.error.status, setback.error.code) == (expected, status, code or None)
    assert setback.kind == kind
    assert "private" not in str(setback.error)


def test_the_same_answers_mean_another_thing_elsewhere() -> None:
    assert isinstance(judge(CHANNEL, 401, {}, b"{}").error, Refused)
    awaiting = WEBHOOK._replace(awaited=frozenset({10015}))
    assert judge(awaiting, 404, {}, b'{"code": 10015}').kind == "not_ready"
    assert judge(WEBHOOK, 429, {"X-RateLimit-Global": "true"}, b"<html>").everywhere


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff", b"[]", b'{"code": "?"}', b'{"code": 0, "errors": [1]}'])
def test_bodies_that_make_no_sense_are_passed_over(body: bytes) -> None:
    setback = judge(WEBHOOK, 400, {}, body)
    assert isinstance(setback.error, Refused)
    assert setback.error.paths == ()


def test_form_errors_tell_where_and_never_what() -> None:
    failed = {"_errors": [{"code": "BASE_TYPE_MAX_LENGTH", "message": "private words"}]}
    errors = {"content": failed, "components": {"0": {"label": failed}}} | failed
    setback = judge(WEBHOOK, 400, {}, json.dumps({"code": 50035, "errors": errors}).encode())
    assert isinstance(setback.error, Refused)
    assert setback.error.paths == (
        "content BASE_TYPE_MAX_LENGTH",
        "components.0.label BASE_TYPE_MAX_LENGTH",
        "BASE_TYPE_MAX_LENGTH",
    )
    assert "content BASE_TYPE_MAX_LENGTH" in str(setback.error)
    assert "private" not in str(setback.error)


# --- rate limits on the wire-----------------------------------------------------------------------------------------


def test_waits_as_long_as_a_429_says(server: Server, api: DiscordApi, clock: Clock) -> None:
    server.script = [(429, {"retry_after": 1.25, "global": False}, {"Retry-After": "2"}), OK]
    assert api.follow_up(TOKEN, {"content": "x"}) == "77"
    assert clock.slept == [1.25]


def test_gives_up_a_429_that_lasts_longer_than_the_deadline(server: Server, api: DiscordApi, clock: Clock) -> None:
    server.script = [(429, {"retry_after": 61.5})]
    with pytest.raises(RateLimited) as caught:
        api.follow_up(TOKEN, {"content": "x"})
    assert caught.value.retry_after == 61.5
    assert clock.slept == []
    # The limit is remembered: the next call does not even ask.
    with pytest.raises(RateLimited):
        api.follow_up(TOKEN, {"content": "x"})
    assert len(server.seen) == 1


def test_a_429_without_end_ends_at_the_deadline(server: Server, api: DiscordApi, clock: Clock) -> None:
    server.script = [(429, {"retry_after": 0.0})]
    with pytest.raises(RateLimited):
        api.within(10).edit_original(TOKEN, {"content": "x"})
    assert sum(clock.slept) <= 10
    assert len(server.seen) < 20


def test_an_empty_bucket_is_waited_for_before_sending(server: Server, api: DiscordApi, clock: Clock) -> None:
    empty = {"X-RateLimit-Bucket": "abc", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset-After": "3.5"}
    server.script = [(200, {"id": "1"}, empty), (200, {"id": "2"})]
    api.follow_up(TOKEN, {"content": "x"})
    assert api.follow_up("another-token", {"content": "x"}) == "2"
    assert clock.slept == []
    api.follow_up(TOKEN, {"content": "x"})
    assert clock.slept == [3.5]


def test_a_global_limit_holds_for_the_bot_but_not_for_webhooks(server: Server, api: DiscordApi, clock: Clock) -> None:
    server.script = [(429, {"retry_after": 90.0, "global": True}), OK]
    with pytest.raises(RateLimited):
        api.get_application()
    with pytest.raises(RateLimited):
        api.get_commands()
    assert api.edit_original(TOKEN, {"content": "x"}) == "77"
    assert len(server.seen) == 2


# --- the race after a deferral ------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [10015, 10008])
def test_waits_until_discord_knows_the_webhook(server: Server, api: DiscordApi, clock: Clock, code: int) -> None:
    server.script = [*[(404, {"code": code})] * 5, OK]
    assert api.edit_original(TOKEN, {"content": "x"}) == "77"
    assert clock.slept == [0.25, 0.5, 1.0, 2.0, 2.0]


def test_after_ten_seconds_the_webhook_is_gone(server: Server, api: DiscordApi, clock: Clock) -> None:
    server.script = [(404, {"code": 10015, "message": "Unknown Webhook"})]
    with pytest.raises(Gone) as caught:
        api.follow_up(TOKEN, {"content": "x"})
    assert (caught.value.status, caught.value.code) == (404, 10015)
    assert sum(clock.slept) == pytest.approx(10.0)
    assert len(server.seen) == len(clock.slept) + 1


def test_a_deleted_further_message_is_gone_at_once(server: Server, api: DiscordApi, clock: Clock) -> None:
    server.script = [(404, {"code": 10008})]
    with pytest.raises(Gone):
        api.edit_message(TOKEN, "99", {"content": "x"})
    assert clock.slept == []


# --- trouble on the wire -------------------------------------------------------------------------------------------


def test_server_errors_are_tried_again_with_growing_waits(server: Server, api: DiscordApi, clock: Clock) -> None:
    server.script = [(500, b""), (502, b"<html>"), (503, {}, {"Retry-After": "7"}), OK]
    assert api.follow_up(TOKEN, {"content": "x"}) == "77"
    assert [int(second) for second in clock.slept[:2]] in ([0, 1], [1, 1])
    assert clock.slept[2] == 7.0


def test_server_errors_without_end_make_it_unavailable(server: Server, api: DiscordApi, clock: Clock) -> None:
    server.script = [(503, {})]
    with pytest.raises(DiscordUnavailable) as caught:
        api.edit_original(TOKEN, {"content": "x"})
    assert caught.value.status == 503
    assert len(server.seen) == 5


@pytest.mark.parametrize("trouble", ["reset", "cut", "hang"])
def test_calls_that_may_be_repeated_survive_lost_answers(server: Server, api: DiscordApi, trouble: str) -> None:
    server.script = [trouble, trouble, trouble, OK]
    assert api.edit_original(TOKEN, {"content": "x"}) == "77"
    server.script = [trouble, trouble, trouble, OK]
    assert api.create_message("5", {"content": "x"}, key="k") == "77"


def test_a_follow_up_whose_answer_is_lost_is_sent_once_more(server: Server, api: DiscordApi) -> None:
    server.script = ["reset", OK]
    assert api.follow_up(TOKEN, {"content": "x"}) == "77"
    server.seen.clear()
    server.script = ["reset"]
    with pytest.raises(DiscordUnavailable) as caught:
        api.follow_up(TOKEN, {"content": "x"})
    assert caught.value.status is None
    assert len(server.seen) == 2


def test_an_acknowledgement_that_got_through_unnoticed_counts(server: Server, api: DiscordApi) -> None:
    twice = (400, {"code": 40060, "message": "Interaction has already been acknowledged."})
    server.script = ["reset", twice]
    api.respond("9", TOKEN, {"type": 5})
    server.script = [twice]
    with pytest.raises(Refused):
        api.respond("9", TOKEN, {"type": 5})


def test_a_refused_connection_is_tried_again_even_for_a_follow_up(clock: Clock) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with DiscordApi(url, "42", clock=clock, sleep=clock.sleep) as api, pytest.raises(DiscordUnavailable):
            api.follow_up(TOKEN, {"content": "x"})
    assert len(clock.slept) == 4
