"""Answers to interactions over HTTP: first responses, edits, follow-ups, and what Discord refuses."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.discord import OpenApi, validate_all, validate_request
from tests.unit.playground.bot import Bot, accepted, deferred

if TYPE_CHECKING:
    from playground.clients import Exchange
    from playground.server import Playground
    from playground.world import Where


def _code(response: requests.Response) -> tuple[int, int]:
    return response.status_code, response.json()["code"]


def _ask(bot: Bot, *, where: Where = "guild") -> Exchange:
    bot.register()
    return bot.playground.client(where=where).command("ask", prompt="x")


def test_an_inline_message_is_the_reply(bot: Bot) -> None:
    exchange = _ask(bot)
    reply = exchange.wait(5, quiet=0)
    assert (reply.content, reply.error, reply.ephemeral) == ("hello", None, False)
    assert exchange.status == 200
    message = bot.webhook(exchange.payload, "/messages/@original", "GET").json()
    assert message["interaction_metadata"]["id"] == exchange.id
    assert message["type"] == 20
    assert message["webhook_id"] == message["author"]["id"] == exchange.payload["application_id"]


def test_a_deferred_reply_is_loading_until_it_is_edited(bot: Bot) -> None:
    bot.handler = deferred
    exchange = _ask(bot)
    (loading,) = exchange.messages
    assert loading.loading
    assert loading.json()["flags"] == 128
    edited = bot.edit(exchange.payload, json={"content": "done"})
    assert edited.json()["flags"] == 0
    assert edited.json()["edited_timestamp"] is None
    again = bot.edit(exchange.payload, json={"content": "better"})
    assert again.json()["edited_timestamp"] is not None
    reply = exchange.wait(5, quiet=0)
    assert reply.content == "better"
    assert [revision.content for revision in reply.message.history] == ["done", "better"]


def test_the_callback_answers_204_or_what_it_made(bot: Bot) -> None:
    bot.handler = accepted
    exchange = _ask(bot)
    made = bot.callback(exchange.payload, "?with_response=true", json={"type": 5, "data": {"flags": 64}})
    body = made.json()
    assert body["interaction"]["response_message_loading"] is True
    assert body["interaction"]["response_message_ephemeral"] is True
    assert body["resource"]["type"] == 5
    other = bot.playground.client().command("ask", prompt="y")
    plain = bot.callback(other.payload, json={"type": 4, "data": {"content": "hi"}})
    assert (plain.status_code, plain.content) == (204, b"")
    assert other.wait(5, quiet=0).content == "hi"


def test_a_second_first_response_is_refused(bot: Bot) -> None:
    exchange = _ask(bot)
    assert _code(bot.callback(exchange.payload, json={"type": 5})) == (400, 40060)


def test_a_first_response_after_three_seconds_is_unknown(bot: Bot) -> None:
    bot.handler = accepted
    exchange = _ask(bot)
    bot.playground.advance(3.1)
    assert _code(bot.callback(exchange.payload, json={"type": 5})) == (404, 10062)
    assert exchange.wait(1).error == "The application did not respond"


def test_a_made_up_token_is_unknown(bot: Bot) -> None:
    bot.handler = accepted
    exchange = _ask(bot)
    forged = {**exchange.payload, "token": "x"}
    assert _code(bot.callback(forged, json={"type": 5})) == (404, 10062)
    assert _code(bot.edit(forged, json={"content": "x"})) == (401, 50027)
    elsewhere = {**exchange.payload, "application_id": "1"}
    assert _code(bot.edit(elsewhere, json={"content": "x"})) == (404, 10015)


def test_a_token_lasts_fifteen_minutes(bot: Bot) -> None:
    bot.handler = deferred
    exchange = _ask(bot)
    bot.playground.advance(14 * 60)
    assert bot.edit(exchange.payload, json={"content": "late"}).status_code == 200
    bot.playground.advance(61)
    assert _code(bot.edit(exchange.payload, json={"content": "later"})) == (401, 50027)
    assert _code(bot.webhook(exchange.payload, json={"content": "more"})) == (401, 50027)


def test_nothing_can_be_edited_before_the_first_response(bot: Bot) -> None:
    bot.handler = accepted
    exchange = _ask(bot)
    assert _code(bot.edit(exchange.payload, json={"content": "x"})) == (404, 10015)
    assert _code(bot.webhook(exchange.payload, json={"content": "x"})) == (404, 10015)


def test_the_webhook_may_be_unready_right_after_a_deferral(bot: Bot) -> None:
    bot.handler = deferred
    bot.playground.unready_for(60)
    exchange = _ask(bot)
    assert _code(bot.edit(exchange.payload, json={"content": "x"})) == (404, 10015)
    bot.playground.unready_for(0)
    assert bot.edit(exchange.payload, json={"content": "x"}).status_code == 200


def test_the_first_follow_up_fills_a_deferred_reply_and_keeps_it_private(bot: Bot) -> None:
    bot.handler = lambda payload: {"type": 5, "data": {"flags": 64}}
    exchange = _ask(bot)
    first = bot.webhook(exchange.payload, json={"content": "one"}).json()
    second = bot.webhook(exchange.payload, json={"content": "two"}).json()
    assert first["id"] == exchange.messages[0].id
    assert first["flags"] == 64
    assert second["interaction_metadata"]["original_response_message_id"] == first["id"]
    assert second["flags"] == 0
    assert exchange.wait(5, quiet=0).content == "one\ntwo"


def test_an_edited_deferral_is_not_filled_by_a_follow_up(bot: Bot) -> None:
    bot.handler = deferred
    exchange = _ask(bot)
    bot.edit(exchange.payload, json={"content": "one"})
    bot.webhook(exchange.payload, json={"content": "two", "flags": 64})
    reply = exchange.wait(5, quiet=0)
    assert [message.content for message in reply.messages] == ["one", "two"]
    assert [message.ephemeral for message in reply.messages] == [False, True]


def test_a_reply_is_complete_when_nothing_more_comes(bot: Bot) -> None:
    bot.handler = deferred
    exchange = _ask(bot)

    def write() -> None:
        bot.edit(exchange.payload, json={"content": "one"})
        bot.webhook(exchange.payload, json={"content": "two"})

    writer = threading.Thread(target=write)
    writer.start()
    assert exchange.wait(10).content == "one\ntwo"
    writer.join()


def test_deleted_answers_are_unknown(bot: Bot) -> None:
    exchange = _ask(bot)
    assert bot.webhook(exchange.payload, "/messages/@original", "DELETE").status_code == 204
    assert _code(bot.edit(exchange.payload, json={"content": "x"})) == (404, 10008)
    assert _code(bot.webhook(exchange.payload, "/messages/@original", "DELETE")) == (404, 10008)
    follow_up = bot.webhook(exchange.payload, json={"content": "two"}).json()
    assert bot.edit(exchange.payload, follow_up["id"], json={"content": "three"}).json()["content"] == "three"
    assert exchange.wait(5, quiet=0).content == "three"


def test_five_follow_ups_where_only_the_person_installed_it(bot: Bot) -> None:
    exchange = _ask(bot, where="elsewhere")
    for number in range(5):
        assert bot.webhook(exchange.payload, json={"content": str(number)}).status_code == 200
    assert _code(bot.webhook(exchange.payload, json={"content": "6"})) == (400, 40094)
    installed = bot.playground.client().command("ask", prompt="x")
    answers = [bot.webhook(installed.payload, json={"content": "x"}).status_code for _ in range(7)]
    assert answers == [200] * 7


def test_files_come_with_payload_json_and_go_by_signed_links(bot: Bot) -> None:
    bot.handler = deferred
    exchange = _ask(bot)
    described = {"content": "see", "attachments": [{"id": "0", "description": "a list"}]}
    files = {
        "payload_json": (None, json.dumps(described), "application/json"),
        "files[0]": ("rejected lines.csv", b"1,2\n", "text/csv"),
    }
    (attachment,) = bot.edit(exchange.payload, files=files).json()["attachments"]
    assert attachment["filename"] == "rejected_lines.csv"
    assert (attachment["size"], attachment["description"]) == (4, "a list")
    assert requests.get(attachment["url"], timeout=5).content == b"1,2\n"
    kept = bot.edit(exchange.payload, json={"content": "still"}).json()
    assert len(kept["attachments"]) == 1
    gone = bot.edit(exchange.payload, json={"content": "still", "attachments": []}).json()
    assert gone["attachments"] == []


def test_a_link_expires_and_cannot_be_forged(bot: Bot) -> None:
    bot.handler = lambda payload: {"type": 5}
    exchange = _ask(bot)
    url = bot.edit(exchange.payload, files={"files[0]": ("a.txt", b"x")}).json()["attachments"][0]["url"]
    assert requests.get(url, timeout=5).status_code == 200
    assert requests.get(url.replace("ex=", "ex=f"), timeout=5).status_code == 404
    assert requests.get(url.split("?")[0], timeout=5).status_code == 404
    bot.playground.advance(24 * 3600 + 1)
    expired = requests.get(url, timeout=5)
    assert (expired.status_code, expired.text) == (404, "This content is no longer available.")


def test_a_file_above_the_limit_is_too_large(bot: Bot) -> None:
    bot.handler = deferred
    bot.playground.desk.attachment_size_limit = 10
    exchange = _ask(bot)
    assert exchange.payload["attachment_size_limit"] == 10
    assert _code(bot.edit(exchange.payload, files={"files[0]": ("a", b"x" * 11)})) == (413, 40005)
    assert bot.edit(exchange.payload, files={"files[0]": ("a", b"x" * 10)}).status_code == 200


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"content": "x" * 2001}, 50035),
        ({"content": "   "}, 50006),
        ({"content": None}, 50006),
        ({"content": 5}, 50035),
        ([], 50035),
    ],
)
def test_bad_messages_are_refused_and_change_nothing(bot: Bot, body: object, code: int) -> None:
    exchange = _ask(bot)
    assert _code(bot.edit(exchange.payload, json=body)) == (400, code)
    assert _code(bot.webhook(exchange.payload, json=body)) == (400, code)
    assert exchange.wait(5, quiet=0).content == "hello"
    assert len(exchange.wait(5, quiet=0).message.history) == 1


def test_bodies_that_are_not_json(bot: Bot) -> None:
    exchange = _ask(bot)
    broken: dict[str, Any] = {"data": b"{", "headers": {"Content-Type": "application/json"}}
    assert _code(bot.edit(exchange.payload, **broken)) == (400, 50109)
    text: dict[str, Any] = {"data": b"hi", "headers": {"Content-Type": "text/plain"}}
    assert _code(bot.edit(exchange.payload, **text)) == (400, 50035)
    infinite: dict[str, Any] = {"data": b'{"content": NaN}', "headers": {"Content-Type": "application/json"}}
    assert _code(bot.edit(exchange.payload, **infinite)) == (400, 50109)
    form = {"payload_json": (None, "{", "application/json"), "files[0]": ("a", b"x")}
    assert _code(bot.edit(exchange.payload, files=form)) == (400, 50109)


def test_requests_need_discords_kind_of_user_agent(bot: Bot) -> None:
    exchange = _ask(bot)
    answer = bot.edit(exchange.payload, json={"content": "x"}, headers={"User-Agent": "python-requests/2"})
    assert answer.status_code == 403
    assert "application/json" not in answer.headers["Content-Type"]


def test_all_these_requests_and_answers_are_as_documented(bot: Bot, discord_openapi: OpenApi) -> None:
    bot.handler = deferred
    exchange = _ask(bot)
    button = {"type": 2, "style": 1, "label": "Correct", "custom_id": "c"}
    silent: dict[str, Any] = {"allowed_mentions": {"parse": []}}
    bot.edit(exchange.payload, json={"content": "one", "components": [{"type": 1, "components": [button]}], **silent})
    bot.edit(exchange.payload, json={"embeds": [{"title": "t", "fields": [{"name": "n", "value": "v"}]}]})
    bot.webhook(exchange.payload, json={"content": "two", "flags": 64})
    first = bot.edit(exchange.payload, files={"payload_json": (None, "{}"), "files[0]": ("a.txt", b"x")}).json()
    bot.webhook(exchange.payload, "/messages/@original", "GET")
    bot.webhook(exchange.payload, "/messages/@original", "DELETE")
    bot.webhook(exchange.payload, json={"content": ""})
    bot.edit(exchange.payload, "123", json={"content": "x"})
    bot.handler = accepted
    other = bot.playground.client().command("ask", prompt="y")
    bot.callback(other.payload, "?with_response=true", json={"type": 4, "data": {"content": "x"}})
    bot.callback(other.payload, json={"type": 5})
    requests.get(first["attachments"][0]["url"], timeout=5)
    assert validate_all(discord_openapi, bot.playground.requests) == 11


def test_a_request_with_a_mistyped_key_is_found(bot: Bot, playground: Playground, discord_openapi: OpenApi) -> None:
    exchange = _ask(bot)
    bot.edit(exchange.payload, json={"content": "x", "alowed_mentions": {"parse": []}})
    with pytest.raises(AssertionError, match="alowed_mentions"):
        validate_request(discord_openapi, playground.requests[-1])
    bot.edit(exchange.payload, json={"content": "x"}, params={"wayt": "true"})
    with pytest.raises(AssertionError, match="wayt"):
        validate_request(discord_openapi, playground.requests[-1])
