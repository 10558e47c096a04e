"""What people do: the payloads that the application gets, and what Discord's client does not let them send."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
import requests
from werkzeug.wrappers import Response

from playground.cdn import File
from playground.clients import ExchangeTimeout
from playground.errors import Refused
from playground.server import Playground
from tests.unit.playground.bodies import button, label, modal, row, select, text_input, upload
from tests.unit.playground.bot import Bot, accepted, deferred

if TYPE_CHECKING:
    from playground.world import Where


@pytest.fixture(autouse=True)
def _registered(bot: Bot) -> None:
    bot.register()


def test_the_payload_of_a_command_in_a_server(bot: Bot) -> None:
    world = bot.playground.world
    client = bot.playground.client(locale="ru", roles=["Teachers"])
    exchange = client.command("ask", prompt="Как?", count=3, private=True)
    (payload,) = bot.payloads
    assert payload == exchange.payload
    assert payload["guild_id"] == payload["guild"]["id"] == world.guild.id
    assert payload["authorizing_integration_owners"] == {"0": world.guild.id}
    assert (payload["context"], payload["locale"], payload["version"]) == (0, "ru", 1)
    assert payload["attachment_size_limit"] == 10 * 1024 * 1024
    assert payload["entitlements"] == []
    assert payload["channel"]["id"] == payload["channel_id"] == world.text_channel.id
    assert "user" not in payload
    member = payload["member"]
    assert int(member["permissions"]) & 32
    assert world.role("Teachers").id in member["roles"]
    assert payload["data"]["type"] == 1
    assert payload["data"]["options"] == [
        {"name": "prompt", "type": 3, "value": "Как?"},
        {"name": "count", "type": 4, "value": 3},
        {"name": "private", "type": 5, "value": True},
    ]


@pytest.mark.parametrize(
    ("where", "context", "owners"),
    [("dm", 1, {"0": "0"}), ("private", 2, {"1": "user"}), ("elsewhere", 0, {"1": "user"})],
)
def test_other_places(bot: Bot, where: Where, context: int, owners: dict[str, str]) -> None:
    client = bot.playground.client("Bob", where=where)
    client.command("ask", prompt="x")
    (payload,) = bot.payloads
    shown = {key: client.user.id if owner == "user" else owner for key, owner in owners.items()}
    assert (payload["context"], payload["authorizing_integration_owners"]) == (context, shown)
    assert ("member" in payload) == (where == "elsewhere")
    assert ("guild_id" in payload) == (where == "elsewhere")
    if where != "elsewhere":
        assert payload["user"]["id"] == client.user.id


def test_ids_follow_from_names(playground: Playground) -> None:
    with Playground() as other:
        assert other.world.user("Bob").id == playground.world.user("Bob").id
        assert other.world.guild.id == playground.world.guild.id
        assert other.identity.application_id != playground.identity.application_id


def test_files_are_resolved_with_links_that_work(bot: Bot) -> None:
    file = File("my questions.csv", b"q,a\n", declared_size=1)
    bot.playground.client().command("ask", file=file)
    data = bot.payloads[0]["data"]
    attachment = data["resolved"]["attachments"][data["options"][0]["value"]]
    assert attachment["filename"] == "my_questions.csv"
    assert (attachment["size"], attachment["content_type"]) == (1, "text/csv; charset=utf-8")
    assert requests.get(attachment["url"], timeout=5).content == b"q,a\n"


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"prompt": "x" * 101}, "1 to 100 characters"),
        ({"prompt": ""}, "1 to 100 characters"),
        ({"prompt": 5}, "takes str"),
        ({"count": 6}, "from 1 to 5"),
        ({"count": True}, "takes int"),
        ({"file": "x"}, "takes File"),
        ({"nothing": "x"}, "no option nothing"),
    ],
)
def test_values_that_discords_client_does_not_send(bot: Bot, options: dict[str, Any], why: str) -> None:
    with pytest.raises(Refused, match=why):
        bot.playground.client().command("ask", options)
    assert bot.payloads == []


def test_hostile_values_can_be_forced(bot: Bot) -> None:
    def spoil(payload: dict[str, Any]) -> None:
        payload["surprise"] = 1

    bot.playground.client().command("ask", {"prompt": "x" * 7000}, force=True, mutate=spoil)
    assert len(bot.payloads[0]["data"]["options"][0]["value"]) == 7000
    assert bot.payloads[0]["surprise"] == 1


def test_who_may_use_a_command(bot: Bot) -> None:
    playground = bot.playground
    for client in (playground.client(), playground.client("Bob", manager=True)):
        assert client.command("archive").wait(5, quiet=0).error is None
    with pytest.raises(Refused, match="more permissions"):
        playground.client("Bob").command("archive")
    with pytest.raises(Refused, match="in a DM"):
        playground.client(where="dm").command("archive")
    with pytest.raises(Refused, match="installed"):
        playground.client(where="elsewhere").command("archive")
    with pytest.raises(Refused, match="no command"):
        playground.client().command("nope")
    assert playground.client("Bob").command("archive", force=True).wait(5, quiet=0).error is None


def test_only_administrators_see_commands_with_permissions_zero(bot: Bot) -> None:
    bot.register([{"name": "x", "description": "x", "default_member_permissions": "0"}])
    assert bot.playground.client().command("x").wait(5, quiet=0).error is None
    with pytest.raises(Refused, match="more permissions"):
        bot.playground.client("Bob", manager=True).command("x")


def test_autocomplete(bot: Bot) -> None:
    bot.handler = lambda payload: {"type": 8, "data": {"choices": [{"name": "One", "value": "1"}]}}
    exchange = bot.playground.client().autocomplete("ask", "name", "on", {"prompt": "x"})
    assert exchange.wait(1).choices == [{"name": "One", "value": "1"}]
    assert bot.payloads[0]["type"] == 4
    assert bot.payloads[0]["data"]["options"][-1] == {"name": "name", "type": 3, "value": "on", "focused": True}
    with pytest.raises(Refused, match="no choices"):
        bot.playground.client().autocomplete("ask", "prompt", "x")


def test_a_command_on_a_message(bot: Bot) -> None:
    message = bot.playground.client("Bob").say("The password is changed in the settings.")
    bot.playground.client().message_command("Correct this answer", message.id)
    data = bot.payloads[0]["data"]
    assert (data["type"], data["target_id"]) == (3, message.id)
    assert data["resolved"]["messages"][message.id]["content"] == message.content
    with pytest.raises(Refused, match="no message"):
        bot.playground.client().message_command("Correct this answer", "1")
    with pytest.raises(Refused, match="another channel"):
        bot.playground.client(where="dm").message_command("Correct this answer", message.id)


def test_users_roles_and_channels_are_resolved(bot: Bot) -> None:
    names = {6: "user", 7: "channel", 8: "role", 9: "any"}
    options = [{"type": kind, "name": name, "description": "x"} for kind, name in names.items()]
    bot.register([{"name": "who", "description": "x", "options": options}])
    client, world = bot.playground.client(), bot.playground.world
    client.command("who", user="Bob", channel="general", role="Teachers", any=world.bot.id)
    data = bot.payloads[0]["data"]
    values = {option["name"]: option["value"] for option in data["options"]}
    bob = world.user("Bob").id
    expected = {"user": bob, "channel": world.text_channel.id, "role": world.role("Teachers").id, "any": world.bot.id}
    assert values == expected
    assert data["resolved"]["users"][bob]["username"] == "bob"
    assert "user" not in data["resolved"]["members"][bob]
    assert data["resolved"]["channels"][world.text_channel.id]["name"] == "general"
    assert data["resolved"]["roles"][world.role("Teachers").id]["name"] == "Teachers"
    with pytest.raises(Refused, match="no channel"):
        client.command("who", channel="nowhere")


def _with_components(bot: Bot, *children: dict[str, Any], flags: int = 0) -> str:
    data = {"content": "x", "flags": flags, "components": [row(*children)]}
    bot.handler = lambda payload: {"type": 4, "data": data}
    return bot.playground.client().command("ask").wait(5, quiet=0).message.id


def test_a_click_by_label_and_by_custom_id(bot: Bot) -> None:
    message_id = _with_components(bot, button(custom_id="c:1"), button(custom_id="d", disabled=True, label="Old"))
    bot.handler = lambda payload: {"type": 7, "data": {"content": "thanks", "components": []}}
    exchange = bot.playground.client("Bob").click(message_id, "Correct")
    assert bot.payloads[-1]["data"]["custom_id"] == "c:1"
    assert bot.payloads[-1]["message"]["id"] == message_id
    reply = exchange.wait(5, quiet=0)
    assert (reply.message.id, reply.content, reply.message.components) == (message_id, "thanks", [])
    message_id = _with_components(bot, button(custom_id="c:1"), button(custom_id="d", disabled=True, label="Old"))
    with pytest.raises(Refused, match="disabled"):
        bot.playground.client().click(message_id, "Old")
    with pytest.raises(Refused, match="no button"):
        bot.playground.client().click(message_id, "x")
    bot.playground.client().click(message_id, "forged", force=True)
    assert bot.payloads[-1]["data"]["custom_id"] == "forged"


def test_only_its_reader_can_click_a_private_message(bot: Bot) -> None:
    message_id = _with_components(bot, button(), flags=64)
    with pytest.raises(Refused, match="Bob can see"):
        bot.playground.client("Bob").click(message_id, "Correct")
    assert bot.playground.client().click(message_id, "Correct").wait(5, quiet=0).error is None


def test_a_deferred_update_is_over_when_something_changed(bot: Bot) -> None:
    message_id = _with_components(bot, button())
    bot.handler = lambda payload: {"type": 6}
    exchange = bot.playground.client().click(message_id, "Correct")
    with pytest.raises(ExchangeTimeout):
        exchange.wait(0.1, quiet=0)
    bot.edit(exchange.payload, json={"content": "changed"})
    assert exchange.wait(5, quiet=0).content == "changed"


def test_choosing_in_a_select(bot: Bot) -> None:
    message_id = _with_components(bot, select())
    bot.playground.client().choose(message_id, "s", ["1"])
    assert bot.payloads[-1]["data"] | {"id": 0} == {"component_type": 3, "custom_id": "s", "id": 0, "values": ["1"]}
    with pytest.raises(Refused, match="no such option"):
        bot.playground.client().choose(message_id, "s", ["2"])
    with pytest.raises(Refused, match="1 to 1 values"):
        bot.playground.client().choose(message_id, "s", [])
    message_id = _with_components(bot, {"type": 5, "custom_id": "u"})
    bot.playground.client().choose(message_id, "u", ["Bob"])
    data = bot.payloads[-1]["data"]
    assert data["resolved"]["users"][data["values"][0]]["global_name"] == "Bob"


def test_a_form_is_filled_in_and_sent(bot: Bot) -> None:
    form = modal(label(text_input(custom_id="q", max_length=5)), label(upload(required=False, max_values=2)))
    bot.handler = lambda payload: {"type": 9, "data": form}
    opened = bot.playground.client().command("ask")
    assert opened.wait(1).modal == form
    bot.handler = lambda payload: {"type": 4, "data": {"content": "saved", "flags": 64}}
    with pytest.raises(Refused, match="1 to 5 characters"):
        opened.submit({"q": "too long"})
    with pytest.raises(Refused, match="1 to 5 characters"):
        opened.submit()
    with pytest.raises(Refused, match="no field"):
        opened.submit({"z": "x"})
    exchange = opened.submit({"q": "why", "f": [File("a.txt", b"x")]})
    first, second = bot.payloads[-1]["data"]["components"]
    assert first["component"]["value"] == "why"
    (file_id,) = second["component"]["values"]
    assert bot.payloads[-1]["data"]["resolved"]["attachments"][file_id]["filename"] == "a.txt"
    assert bot.payloads[-1]["type"] == 5
    reply = exchange.wait(5, quiet=0)
    assert (reply.content, reply.ephemeral) == ("saved", True)
    triggered = reply.message.json()["interaction_metadata"]["triggering_interaction_metadata"]
    assert triggered["id"] == opened.id


def test_a_form_opened_by_a_button_may_update_the_message(bot: Bot) -> None:
    message_id = _with_components(bot, button())
    bot.handler = lambda payload: {"type": 9, "data": modal(row(text_input(label="Text")))}
    opened = bot.playground.client().click(message_id, "Correct")
    bot.handler = lambda payload: {"type": 7, "data": {"content": "corrected"}}
    reply = opened.submit({"Text": "x"}).wait(5, quiet=0)
    assert (reply.message.id, reply.content) == (message_id, "corrected")
    assert bot.payloads[-1]["message"]["id"] == message_id
    with pytest.raises(Refused, match="no form"):
        bot.playground.client().click(message_id, "Correct").submit({"Text": "x"})


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Response(status=500), "the endpoint answered 500"),
        (Response(status=204), "the endpoint answered 204"),
        (Response("nonsense", content_type="application/json"), "the answer was refused"),
        (Response('{"type": 6}', content_type="application/json"), "the answer was refused"),
        (Response('{"type": 4, "data": {}}', content_type="application/json"), "the answer was refused"),
    ],
)
def test_answers_that_are_none(bot: Bot, answer: Response, reason: str) -> None:
    bot.handler = lambda payload: answer
    exchange = bot.playground.client().command("ask")
    reply = exchange.wait(1)
    assert (reply.error, reply.reason) == ("The application did not respond", reason)
    assert (exchange.refused is not None) == (reason == "the answer was refused")
    with pytest.raises(LookupError):
        _ = reply.message


def test_an_endpoint_that_is_not_there(bot: Bot) -> None:
    bot.playground.interactions_url = "http://127.0.0.1:9/interactions"
    reply = bot.playground.client().command("ask").wait(5, quiet=0)
    assert reply.error == "The application did not respond"
    assert reply.reason is not None
    assert "ConnectionError" in reply.reason
    bot.playground.interactions_url = None
    assert bot.playground.client().command("ask").wait(1).reason == "no interactions endpoint is set"


def test_an_endpoint_that_is_too_slow(bot: Bot) -> None:
    go_on = threading.Event()

    def late(payload: dict[str, Any]) -> dict[str, Any]:
        bot.playground.advance(3.5)
        go_on.set()
        return {"type": 5}

    bot.handler = late
    reply = bot.playground.client().command("ask").wait(1)
    assert go_on.is_set()
    assert reply.error == "The application did not respond"


@pytest.mark.parametrize("text", ["⏳ 3 of 10", "half a sent▌"])
def test_progress_and_streaming_are_not_the_end(bot: Bot, text: str) -> None:
    bot.handler = deferred
    exchange = bot.playground.client().command("ask")
    bot.edit(exchange.payload, json={"content": text})
    with pytest.raises(ExchangeTimeout, match="flags=0"):
        exchange.wait(0.1, quiet=0)
    bot.edit(exchange.payload, json={"content": "a sentence"})
    assert exchange.wait(5, quiet=0).content == "a sentence"


def test_the_same_interaction_can_come_twice(bot: Bot) -> None:
    exchange = bot.playground.client().command("ask")
    delivered = exchange.redeliver()
    assert delivered.status == 200
    assert bot.payloads[0] == bot.payloads[1]


def test_a_response_of_the_endpoint_after_the_callback_is_ignored(bot: Bot) -> None:
    def both(payload: dict[str, Any]) -> dict[str, Any]:
        assert bot.callback(payload, json={"type": 4, "data": {"content": "first"}}).status_code == 204
        return {"type": 4, "data": {"content": "second"}}

    bot.handler = both
    assert bot.playground.client().command("ask").wait(5, quiet=0).content == "first"


def test_the_endpoint_is_verified(bot: Bot) -> None:
    assert bot.playground.verify_endpoint() == []
    real = bot.playground.identity
    with Playground(interactions_url=bot.url) as stranger:
        assert stranger.identity.public_key != real.public_key
        assert stranger.verify_endpoint() == ["a PING is answered with 401, not with a PONG"]
        stranger.interactions_url = "http://127.0.0.1:9/"
        assert stranger.verify_endpoint() == ["the endpoint does not answer (ConnectionError)"]


def test_the_callback_may_come_later(bot: Bot) -> None:
    bot.handler = accepted
    exchange = bot.playground.client().command("ask")
    assert exchange.error is None
    assert not exchange.settled()
    bot.callback(exchange.payload, json={"type": 4, "data": {"content": "here"}})
    assert exchange.wait(5, quiet=0).content == "here"
