"""What the doctor asks Discord, and what it makes of the answers; a playground answers, or fails as it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from infra.doctor_discord import SERVERS_A_PAGE, TALKING, WRITING, Discord, invite
from infra.doctor_findings import Finding, examine
from interactions.local import register_commands
from trainer.configuration import read

if TYPE_CHECKING:
    from playground.server import Playground

BASE = "https://bot.example.org"
ENOUGH = sum(WRITING.values()) + sum(TALKING.values())


def look(playground: Playground, **changed: str) -> dict[str, Finding]:
    playground.interactions_url = playground.interactions_url or f"{BASE}/interactions"
    discord = Discord(read(playground.environment() | changed, {}), BASE)
    try:
        return {finding.name: finding for finding in examine(discord.checks())}
    finally:
        discord.close()


def application(playground: Playground, **changed: Any) -> None:
    """What Discord says of the application from now on."""
    said = {
        "id": playground.identity.application_id,
        "name": "Trainger",
        "verify_key": playground.identity.public_key,
        "interactions_endpoint_url": f"{BASE}/interactions",
        "event_webhooks_url": f"{BASE}/events",
        "event_webhooks_status": 2,
        "event_webhooks_types": ["APPLICATION_AUTHORIZED", "APPLICATION_DEAUTHORIZED", "ENTITLEMENT_CREATE"],
    }
    playground.faults.add(path="/applications/@me$", status=200, body=said | changed, times=None)


def servers(playground: Playground, *permissions: object) -> None:
    """In which servers the bot is from now on."""
    said = [{"id": str(number), "permissions": bits} for number, bits in enumerate(permissions)]
    playground.faults.add(path="/users/@me/guilds", status=200, body=said)


def test_all_is_well(playground: Playground) -> None:
    application(playground)
    servers(playground, str(ENOUGH), str(1 << 3), str(ENOUGH | 1 << 5))
    register_commands(read(playground.environment(), {}))
    found = look(playground)
    assert {finding.state for finding in found.values()} == {"ok"}
    assert "all 3" in found["servers"].text
    assert found["invite"].text == invite(playground.identity.application_id, voice=True)
    assert f"permissions={ENOUGH}" in found["invite"].text
    assert playground.identity.bot_token not in str(found)


def test_the_playground_itself(playground: Playground) -> None:
    discord = Discord(read({}, playground.environment()), BASE)
    playground.interactions_url = f"{BASE}/interactions"
    found = {finding.name: finding.state for finding in examine(discord.checks())}
    discord.close()
    assert found == {"application": "ok", "events": "note", "servers": "note", "commands": "bad", "invite": "note"}


@pytest.mark.parametrize(
    ("changed", "word"),
    [
        ({"DISCORD_TOKEN": ""}, "is not set"),
        ({"DISCORD_TOKEN": "wrong-secret"}, "refuses the token"),
        ({"DISCORD_TOKEN": "wrong-secret\x0b-parted"}, "characters"),
        ({"DISCORD_APPLICATION_ID": "12345678901234567"}, "DISCORD_APPLICATION_ID is"),
        ({"DISCORD_PUBLIC_KEY": "ab" * 32}, "DISCORD_PUBLIC_KEY is not that"),
        ({"DISCORD_API_BASE_URL": "http://127.0.0.1:9/api"}, "cannot be reached"),
        ({"DISCORD_API_BASE_URL": "not an address"}, "cannot be reached"),
    ],
)
def test_credentials_that_do_not_fit(playground: Playground, changed: dict[str, str], word: str) -> None:
    found = look(playground, **changed)
    assert found["application"].state == "bad"
    assert word in found["application"].text
    assert "secret" not in str(found)
    if "TOKEN" in str(changed) or "BASE_URL" in str(changed):
        assert found["servers"] == Finding("servers", "note", "not looked at: see `application`")


@pytest.mark.parametrize(
    ("entered", "word"),
    [
        (None, f"Enter {BASE}/interactions"),
        ("", "no Interactions Endpoint URL"),
        ("https://old.example.org/interactions", "Discord sends interactions to https://old.example.org"),
        (BASE, "Discord sends interactions to"),
        ("https://[", "Discord sends interactions to"),
    ],
)
def test_an_endpoint_that_discord_does_not_know(playground: Playground, entered: str | None, word: str) -> None:
    application(playground, interactions_endpoint_url=entered)
    found = look(playground)["application"]
    assert found.state == "bad"
    assert word in found.text


@pytest.mark.parametrize("entered", [f"{BASE}/interactions/", "https://BOT.example.org/interactions"])
def test_one_that_it_knows_by_another_spelling(playground: Playground, entered: str) -> None:
    application(playground, interactions_endpoint_url=entered)
    assert look(playground)["application"].state == "ok"


@pytest.mark.parametrize(
    "changed",
    [
        {"event_webhooks_url": None},
        {"event_webhooks_url": "https://old.example.org/events"},
        {"event_webhooks_status": 3},
        {"event_webhooks_types": ["APPLICATION_AUTHORIZED"]},
        {"event_webhooks_types": None},
    ],
)
def test_events_that_do_not_come(playground: Playground, changed: dict[str, Any]) -> None:
    application(playground, **changed)
    found = look(playground)["events"]
    assert found.state == "note"
    assert f"enter {BASE}/events" in found.text


def test_servers_that_give_too_little(playground: Playground) -> None:
    application(playground)
    servers(playground, str(ENOUGH & ~(1 << 20)), *["0"] * 6, None, "many")
    found = look(playground)["servers"]
    assert found.state == "bad"
    assert (
        "0 lacks Connect; 1 lacks View Channels, Send Messages, Send Messages in Threads, Attach Files" in found.text
    )
    assert "and 4 more" in found.text
    servers(playground, str(ENOUGH & ~sum(TALKING.values())))
    assert look(playground, TRAINGER_VOICE_QUEUE="none")["servers"].state == "ok"
    servers(playground)
    nowhere = look(playground)["servers"]
    assert (nowhere.state, "the link below" in nowhere.text) == ("note", True)


def test_many_servers_come_in_pages(playground: Playground) -> None:
    application(playground)
    servers(playground, *[str(ENOUGH)] * SERVERS_A_PAGE)
    servers(playground, "0")
    found = look(playground)["servers"]
    assert found.state == "bad"
    asked = [request.query for request in playground.requests if request.path.endswith("/guilds")]
    assert [query.get("after") for query in asked] == [None, str(SERVERS_A_PAGE - 1)]
    for _ in range(5):
        servers(playground, *[str(ENOUGH)] * SERVERS_A_PAGE)
    assert "the first 1000" in look(playground)["servers"].text


def test_commands_that_differ(playground: Playground) -> None:
    found = look(playground)["commands"]
    assert found.state == "bad"
    assert "+ /ask" in found.text
    assert "register_commands.py" in found.text
    register_commands(read(playground.environment(), {}))
    assert look(playground)["commands"].state == "ok"


@pytest.mark.parametrize(
    ("status", "body", "word"),
    [
        (500, None, "Discord answers 500 to /applications/@me"),
        (429, None, "patience"),
        (200, "<html>", "DISCORD_API_BASE_URL"),
        (200, [], "DISCORD_API_BASE_URL"),
    ],
)
def test_a_discord_that_is_not_well(playground: Playground, status: int, body: object, word: str) -> None:
    playground.faults.add(path="/applications/@me$", status=status, body=body)
    found = look(playground)["application"]
    assert found.state == "bad"
    assert word in found.text


def test_a_list_that_is_none(playground: Playground) -> None:
    application(playground)
    playground.faults.add(path="/commands", status=200, body={})
    assert "DISCORD_API_BASE_URL" in look(playground)["commands"].text
