"""The rest of Discord's API: channels, commands, the server; rate limits and faults."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
import requests

from tests.discord import OpenApi, validate_all, validate_answer
from tests.unit.playground.bot import COMMANDS, Bot, deferred

if TYPE_CHECKING:
    from playground.server import Playground


@pytest.fixture
def channel(playground: Playground) -> str:
    return f"/channels/{playground.world.text_channel.id}/messages"


def _commands(bot: Bot, guild: str = "") -> str:
    return f"/applications/{bot.playground.identity.application_id}{guild}/commands"


def _code(response: requests.Response) -> tuple[int, int]:
    return response.status_code, response.json()["code"]


@pytest.mark.parametrize("path", ["/users/@me", "/gateway/bot", "/applications/@me", "/guilds/1"])
def test_the_bots_token_is_needed(bot: Bot, path: str) -> None:
    for headers in ({"Authorization": "Bot x"}, {"Authorization": bot.playground.identity.bot_token}):
        assert _code(bot.call("GET", path, headers=headers)) == (401, 0)
    assert bot.call("GET", path, token=False).json() == {"message": "401: Unauthorized", "code": 0}


def test_who_and_where_the_bot_is(bot: Bot, openapi_if_there: OpenApi | None) -> None:
    world = bot.playground.world
    me = bot.call("GET", "/users/@me").json()
    application = bot.call("GET", "/applications/@me").json()
    assert me["id"] == application["id"] == bot.playground.identity.application_id
    assert application["verify_key"] == bot.playground.identity.public_key
    assert bot.call("GET", "/gateway/bot").json()["url"].startswith("wss://")
    assert bot.call("GET", f"/guilds/{world.guild.id}").json()["owner_id"] == world.owner.id
    assert _code(bot.call("GET", "/guilds/1")) == (404, 10004)
    assert _code(bot.call("GET", f"/guilds/{world.foreign_guild.id}")) == (403, 50001)
    assert _code(bot.call("GET", "/guilds/x")) == (400, 50035)
    assert _code(bot.call("GET", "/nowhere")) == (404, 0)
    assert _code(bot.call("DELETE", "/gateway/bot")) == (405, 0)
    if openapi_if_there:
        validate_answer(openapi_if_there, bot.playground.requests[2])


def test_voice_states(bot: Bot, openapi_if_there: OpenApi | None) -> None:
    world = bot.playground.world
    user = world.user("Bob")
    path = f"/guilds/{world.guild.id}/voice-states/{user.id}"
    assert _code(bot.call("GET", path)) == (404, 10065)
    world.join_voice("Bob")
    assert bot.call("GET", path).json()["channel_id"] == world.voice_channel.id
    if openapi_if_there:
        validate_answer(openapi_if_there, bot.playground.requests[-1])
    world.leave_voice("Bob")
    assert _code(bot.call("GET", path)) == (404, 10065)
    assert _code(bot.call("GET", f"/guilds/{world.guild.id}/voice-states/@me")) == (404, 10065)


def test_messages_of_the_bot_in_a_channel(bot: Bot, channel: str, openapi_if_there: OpenApi | None) -> None:
    first = bot.call("POST", channel, json={"content": "one"}).json()
    reference = {"message_id": first["id"]}
    second = bot.call("POST", channel, json={"content": "two", "message_reference": reference}).json()
    assert (second["type"], second["message_reference"]["message_id"]) == (19, first["id"])
    edited = bot.call("PATCH", f"{channel}/{first['id']}", json={"content": "1"}).json()
    assert edited["edited_timestamp"] is not None
    assert [one["content"] for one in bot.call("GET", channel).json()] == ["two", "1"]
    assert bot.call("GET", channel, params={"before": second["id"]}).json()[0]["content"] == "1"
    assert bot.call("GET", channel, params={"after": first["id"]}).json()[0]["content"] == "two"
    assert len(bot.call("GET", channel, params={"limit": "1"}).json()) == 1
    assert bot.call("DELETE", f"{channel}/{first['id']}").status_code == 204
    if openapi_if_there:
        assert validate_all(openapi_if_there, bot.playground.requests) == len(bot.playground.requests)
    assert _code(bot.call("GET", f"{channel}/{first['id']}")) == (404, 10008)
    assert _code(bot.call("GET", channel, params={"limit": "101"})) == (400, 50035)
    assert _code(bot.call("POST", channel, json={"content": "x", "flags": 64})) == (400, 50035)
    lost = {"content": "x", "message_reference": {"message_id": "1"}}
    assert _code(bot.call("POST", channel, json=lost)) == (400, 50035)


def test_what_the_bot_cannot_do_in_channels(bot: Bot, channel: str) -> None:
    theirs = bot.playground.client("Bob").say("hi")
    assert bot.call("GET", f"{channel}/{theirs.id}").json()["author"]["global_name"] == "Bob"
    assert _code(bot.call("PATCH", f"{channel}/{theirs.id}", json={"content": "x"})) == (403, 50005)
    assert _code(bot.call("DELETE", f"{channel}/{theirs.id}")) == (403, 50001)
    foreign = f"/channels/{bot.playground.world.foreign_channel.id}/messages"
    assert _code(bot.call("POST", foreign, json={"content": "x"})) == (403, 50001)
    assert _code(bot.call("POST", "/channels/1/messages", json={"content": "x"})) == (404, 10003)


def test_private_replies_are_not_in_the_channel(bot: Bot, channel: str) -> None:
    bot.register()
    bot.handler = lambda payload: {"type": 4, "data": {"content": "secret", "flags": 64}}
    message = bot.playground.client().command("ask").wait(5, quiet=0).message
    assert bot.call("GET", channel).json() == []
    assert _code(bot.call("GET", f"{channel}/{message.id}")) == (404, 10008)


def test_whom_messages_ping(bot: Bot, channel: str) -> None:
    user = bot.playground.world.user("Bob")
    text = f"<@{user.id}> @everyone"
    loud = bot.call("POST", channel, json={"content": text}).json()
    assert ([one["id"] for one in loud["mentions"]], loud["mention_everyone"]) == ([user.id], True)
    silent = bot.call("POST", channel, json={"content": text, "allowed_mentions": {"parse": []}}).json()
    assert (silent["mentions"], silent["mention_everyone"]) == ([], False)
    kept = bot.playground.desk.messages
    assert kept[loud["id"]].pinged
    assert kept[loud["id"]].allowed_mentions_missing
    assert not kept[silent["id"]].pinged
    assert not kept[silent["id"]].allowed_mentions_missing


def test_commands_are_kept_as_discord_keeps_them(bot: Bot, openapi_if_there: OpenApi | None) -> None:
    wanted = copy.deepcopy(COMMANDS)
    wanted[0]["name_localizations"] = {"ru": "спросить"}
    wanted[0]["options"][0] |= {"required": False, "choices": []}
    first = bot.register(wanted).json()
    assert [one["name"] for one in first] == ["ask", "archive", "Correct this answer"]
    assert "required" not in first[0]["options"][0]
    assert first[1]["default_member_permissions"] == "32"
    again = bot.register(wanted).json()
    assert again == first
    wanted[0]["description"] = "Ask anything"
    changed = bot.register(wanted[:1]).json()
    assert [one["id"] for one in changed] == [first[0]["id"]]
    assert changed[0]["version"] != first[0]["version"]
    assert "name_localizations" not in bot.call("GET", _commands(bot)).json()[0]
    shown = bot.call("GET", _commands(bot), params={"with_localizations": "true"}).json()
    assert shown[0]["name_localizations"] == {"ru": "спросить"}
    if openapi_if_there:
        assert validate_all(openapi_if_there, bot.playground.requests) == len(bot.playground.requests)


def test_one_command_at_a_time(bot: Bot) -> None:
    path = _commands(bot)
    made = bot.call("POST", path, json=COMMANDS[0])
    assert (made.status_code, bot.call("POST", path, json=COMMANDS[0]).status_code) == (201, 200)
    one = f"{path}/{made.json()['id']}"
    assert bot.call("GET", one).json()["name"] == "ask"
    assert bot.call("DELETE", one).status_code == 204
    assert _code(bot.call("GET", one)) == (404, 10063)
    assert _code(bot.call("POST", path, json={"name": "X"})) == (400, 50035)


def test_commands_of_a_server_come_besides_the_global_ones(bot: Bot) -> None:
    guild = f"/guilds/{bot.playground.world.guild.id}"
    bot.register(COMMANDS[:1])
    bot.call("PUT", _commands(bot, guild), json=COMMANDS[1:2])
    assert [one["name"] for one in bot.call("GET", _commands(bot)).json()] == ["ask"]
    bot.playground.client().command("archive").wait(5, quiet=0)
    assert bot.payloads[0]["data"]["guild_id"] == bot.playground.world.guild.id
    assert _code(bot.call("PUT", _commands(bot, "/guilds/1"), json=[])) == (404, 10004)
    assert _code(bot.call("GET", "/applications/1/commands")) == (404, 10002)


def test_a_wrong_command_changes_nothing(bot: Bot) -> None:
    bot.register()
    refused = bot.register([*COMMANDS, {"name": "Wrong"}])
    assert _code(refused) == (400, 50035)
    assert set(refused.json()["errors"]) == {"3"}
    assert len(bot.call("GET", _commands(bot)).json()) == len(COMMANDS)


def test_two_hundred_new_commands_a_day(bot: Bot) -> None:
    first, many = ([{"name": f"{part}{n}", "description": "x"} for n in range(100)] for part in "ab")
    assert bot.register(first).status_code == 200
    assert bot.register(many).status_code == 200
    assert _code(bot.register()) == (400, 30034)
    assert bot.register(many).status_code == 200


def test_rate_limits_count_each_webhook(bot: Bot) -> None:
    bot.register()
    bot.handler = deferred
    playground = bot.playground
    one, two = (playground.client().command("ask", prompt=text) for text in "ab")
    playground.rate_limits.configure(limit=2, per=60)
    answers = [bot.edit(one.payload, json={"content": "x"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["X-RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
    limited = answers[-1]
    assert 0 < limited.json()["retry_after"] <= 60
    assert limited.json()["global"] is False
    assert 0 < int(limited.headers["Retry-After"]) <= 60
    assert limited.headers["X-RateLimit-Scope"] == "user"
    assert bot.edit(two.payload, json={"content": "x"}).status_code == 200
    playground.rate_limits.configure()
    assert bot.edit(one.payload, json={"content": "x"}).status_code == 200


def test_a_request_that_is_too_large(bot: Bot, channel: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("playground.http_front._Request.max_content_length", 100)
    assert _code(bot.call("POST", channel, json={"content": "x" * 101})) == (413, 40005)
    assert len(bot.playground.requests) == 0


def test_faults(bot: Bot, channel: str) -> None:
    faults = bot.playground.faults
    failing = faults.add(method="post", path="/channels/", status=503, headers={"Retry-After": "1"}, times=2, after=1)
    answers = [bot.call("POST", channel, json={"content": str(n)}) for n in range(4)]
    assert [answer.status_code for answer in answers] == [200, 503, 503, 200]
    assert answers[1].headers["Retry-After"] == "1"
    assert failing.hits == 2
    assert [request.faulty for request in bot.playground.requests] == [False, True, True, False]
    faults.add(path="/channels/", status=200, body="<html>", times=None)
    assert bot.call("GET", channel).text == "<html>"
    faults.clear()
    assert len(bot.call("GET", channel).json()) == 2


def test_faults_after_the_request_had_its_effect(bot: Bot, channel: str) -> None:
    bot.playground.faults.add(path="/channels/", status=502, processed=True)
    assert bot.call("POST", channel, json={"content": "kept"}).status_code == 502
    assert bot.call("GET", channel).json()[0]["content"] == "kept"


@pytest.mark.parametrize(("reset", "kept"), [("before", 0), (True, 0), ("after", 1)])
def test_connections_that_are_reset(bot: Bot, channel: str, reset: Any, kept: int) -> None:
    bot.playground.faults.add(method="POST", path="/channels/", reset=reset)
    with pytest.raises(requests.ConnectionError, match="reset"):
        bot.call("POST", channel, json={"content": "x"})
    assert bot.playground.requests[-1].status is None
    assert len(bot.call("GET", channel).json()) == kept


def test_a_delay_does_not_hold_up_the_end(bot: Bot, playground: Playground, channel: str) -> None:
    playground.faults.add(path="/channels/", delay=0.05)
    assert bot.call("GET", channel).status_code == 200


def test_the_record_of_requests(bot: Bot, channel: str) -> None:
    bot.call("POST", channel, files={"payload_json": (None, '{"content": "x"}'), "files[3]": ("a.txt", b"abc")})
    bot.call("POST", channel, data=b"{", headers={"Content-Type": "application/json"})
    sent, broken = bot.playground.requests
    assert (sent.method, sent.path, sent.json) == ("POST", f"/api/v10{channel}", {"content": "x"})
    assert [(file.key, file.filename, file.data) for file in sent.files] == [("3", "a.txt", b"abc")]
    assert sent.headers["User-Agent"].startswith("DiscordBot (")
    assert (broken.json, broken.status) == (None, 400)
