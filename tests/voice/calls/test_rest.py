"""What is sent to Discord: every request is one that Discord documents."""

from __future__ import annotations

import asyncio
import logging
import socket
from typing import TYPE_CHECKING, Any

import pytest

from playground.rules_callbacks import COMMAND
from tests.discord import validate_all
from tests.voice.calls.stage import ADA, GUILD, ScriptedPlaces, leaving_nothing, run
from trainer.adapters.file_store import FileStore
from trainer.answers import AnswerRecord, Source, answer_shown_in
from trainer.i18n import translator
from voice_sidecar.calls import wording
from voice_sidecar.calls.kept import Kept, scope_of
from voice_sidecar.calls.messages import Message
from voice_sidecar.calls.rest import USER_AGENT, NotDone, Rest
from voice_sidecar.calls.transcripts import Transcripts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from playground.exchanges import Interaction
    from playground.server import Playground
    from tests.discord import OpenApi


@pytest.fixture
def discord(playground: Playground, openapi_if_there: OpenApi | None) -> Iterator[Playground]:
    """A Discord; whatever is sent to it must be as Discord's own document says."""
    yield playground
    if openapi_if_there is not None:
        validate_all(openapi_if_there, playground.requests)


def with_rest(discord: Playground, play: Callable[[Rest], Awaitable[None]], **more: Any) -> None:
    async def played() -> None:
        rest = Rest(discord.api_url, discord.identity.bot_token, **more)
        try:
            await play(rest)
        finally:
            await rest.close()

    run(played())


def asked(discord: Playground) -> Interaction:
    """Somebody typed a command, which was deferred."""
    world = discord.world
    interaction = discord.desk.open(COMMAND, world.owner, world.place("guild", world.owner, None))
    interaction.sent_at = discord.desk.clock.now()
    discord.desk.respond(interaction.id, interaction.token, {"type": 5}, [])
    return interaction


async def reply(discord: Playground, rest: Rest, interaction: Interaction, **more: float) -> None:
    await rest.edit_reply(discord.identity.application_id, interaction.token, Message("I'm in @everyone"), **more)


def test_a_reply_is_shown_without_the_bots_token_and_pings_nobody(discord: Playground) -> None:
    interaction = asked(discord)

    async def play(rest: Rest) -> None:
        await reply(discord, rest, interaction)

    with_rest(discord, play)
    (request,) = discord.requests
    assert request.headers["User-Agent"] == USER_AGENT
    assert "Authorization" not in request.headers
    assert request.json == {"content": "I'm in @everyone", "components": [], "allowed_mentions": {"parse": []}}
    assert interaction.original is not None
    assert interaction.original.text == "I'm in @everyone"


def test_the_notice_is_posted_and_changed(discord: Playground) -> None:
    channel = discord.world.voice_channel
    t = translator("en")

    async def play(rest: Rest) -> None:
        message_id = await rest.post(int(channel.id), wording.notice(t, asked_by=ADA, days=7), key="a")
        (message,) = discord.desk.in_channel(channel)
        assert message.id == str(message_id)
        assert message.find("voice:agree") is not None
        await rest.edit(int(channel.id), message_id, wording.notice_over(t))
        (message,) = discord.desk.in_channel(channel)
        assert "I have left" in message.text
        assert message.find("voice:agree") is None

    with_rest(discord, play)
    assert {request.headers["Authorization"] for request in discord.requests} == {f"Bot {discord.identity.bot_token}"}


def test_a_message_whose_answer_was_lost_is_not_posted_twice(discord: Playground) -> None:
    channel = discord.world.text_channel
    discord.faults.add(method="POST", path="/messages", reset="after")

    async def play(rest: Rest) -> None:
        await rest.post(int(channel.id), Message("Hello"), key="a")

    with_rest(discord, play)
    assert len(discord.requests) == 2
    assert len(discord.desk.in_channel(channel)) == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 502},
        {"status": 503, "headers": {"Retry-After": "0"}},
        {"status": 500, "body": "<html>"},
        {"status": 429, "body": {"message": "slow down", "retry_after": 0.05, "global": False}},
        {"status": 429, "body": b"", "headers": {"Retry-After": "0.1"}},
        {"reset": "before"},
    ],
)
def test_what_passes_is_waited_for(discord: Playground, fault: dict[str, Any]) -> None:
    interaction = asked(discord)
    discord.faults.add(method="PATCH", **fault)

    async def play(rest: Rest) -> None:
        await reply(discord, rest, interaction)

    with_rest(discord, play)
    assert len(discord.requests) == 2
    assert interaction.original is not None
    assert interaction.original.text == "I'm in @everyone"


def test_a_limit_that_is_used_up_is_waited_for(playground: Playground) -> None:
    discord = playground  # its refusal lacks the code that Discord's document wants
    discord.rate_limits.configure(limit=2, per=0.3)
    channel = discord.world.text_channel

    async def play(rest: Rest) -> None:
        for number in range(4):
            await rest.post(int(channel.id), Message("Hello"), key=str(number))

    with_rest(discord, play)
    assert len(discord.desk.in_channel(channel)) == 4


def test_a_webhook_that_is_not_known_yet_is_waited_for(discord: Playground) -> None:
    discord.unready_for(0.3)
    interaction = asked(discord)

    async def play(rest: Rest) -> None:
        await reply(discord, rest, interaction)

    with_rest(discord, play)
    assert interaction.original is not None
    assert interaction.original.text == "I'm in @everyone"


def failing(discord: Playground, reason: str, play: Callable[[Rest], Awaitable[object]], **more: Any) -> NotDone:
    met: list[NotDone] = []

    async def played(rest: Rest) -> None:
        with pytest.raises(NotDone) as caught:
            await play(rest)
        assert caught.value.reason == reason
        met.append(caught.value)

    with_rest(discord, played, **more)
    return met[0]


def test_a_webhook_that_stays_unknown_is_given_up(discord: Playground) -> None:
    discord.unready_for(60)
    interaction = asked(discord)
    failing(discord, "gone", lambda rest: reply(discord, rest, interaction), not_ready_s=0.2)


def test_an_old_token_is_expired(discord: Playground) -> None:
    interaction = asked(discord)
    discord.advance(16 * 60)
    failing(discord, "expired", lambda rest: reply(discord, rest, interaction))
    assert len(discord.requests) == 1


def test_a_channel_that_is_closed_to_us_refuses(discord: Playground) -> None:
    channel = int(discord.world.foreign_channel.id)
    error = failing(discord, "refused", lambda rest: rest.post(channel, Message("Hello"), key="a"))
    assert error.code == 50001
    assert len(discord.requests) == 1


def test_a_message_that_was_deleted_is_gone(discord: Playground) -> None:
    channel = int(discord.world.text_channel.id)
    failing(discord, "gone", lambda rest: rest.edit(channel, 5, Message("Hello")))
    assert len(discord.requests) == 1


def test_a_discord_that_stays_away_is_given_up(discord: Playground) -> None:
    interaction = asked(discord)
    discord.faults.add(method="PATCH", status=502, times=None)
    failing(discord, "unavailable", lambda rest: reply(discord, rest, interaction, deadline_s=0.5))


def test_a_discord_that_never_answers_is_not_waited_for(discord: Playground) -> None:
    interaction = asked(discord)
    discord.faults.add(method="PATCH", delay=30, times=None)
    failing(discord, "unavailable", lambda rest: reply(discord, rest, interaction, deadline_s=0.3))


def test_too_long_a_pause_is_not_waited_for(discord: Playground) -> None:
    interaction = asked(discord)
    discord.faults.add(method="PATCH", status=429, body={"retry_after": 100.0}, times=None)
    failing(discord, "unavailable", lambda rest: reply(discord, rest, interaction, deadline_s=5))
    assert len(discord.requests) == 1


def test_redirects_are_not_followed(discord: Playground) -> None:
    interaction = asked(discord)
    discord.faults.add(method="PATCH", status=302, headers={"Location": f"{discord.url}/elsewhere"})
    failing(discord, "refused", lambda rest: reply(discord, rest, interaction))


def test_an_answer_that_makes_no_sense_is_none(discord: Playground) -> None:
    channel = int(discord.world.text_channel.id)
    discord.faults.add(method="POST", status=200, body="<html>")
    failing(discord, "unavailable", lambda rest: rest.post(channel, Message("Hello"), key="a"))


def test_neither_words_nor_tokens_reach_log_or_error(
    discord: Playground, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    interaction = asked(discord)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setattr(type(discord), "api_url", f"http://127.0.0.1:{free.getsockname()[1]}/api/v10")
        error = failing(discord, "unavailable", lambda rest: reply(discord, rest, interaction, deadline_s=2))
    logged = caplog.text + "".join(str(vars(record)) for record in caplog.records) + repr(error)
    assert "Discord did not answer" in logged
    assert interaction.token not in logged
    assert discord.identity.bot_token not in logged
    assert "everyone" not in logged
    assert error.__cause__ is None


@pytest.mark.parametrize("token", ["", "..", "."])
def test_a_token_cannot_lead_elsewhere(discord: Playground, token: str) -> None:
    async def play(rest: Rest) -> None:
        with pytest.raises(ValueError, match="path"):
            await rest.edit_reply("1", token, Message("Hello"))

    with_rest(discord, play)


def test_half_a_letter_does_not_keep_a_message_from_being_sent(discord: Playground) -> None:
    channel = discord.world.text_channel

    async def play(rest: Rest) -> None:
        await rest.post(int(channel.id), Message("a\ud800b"), key="a")

    with_rest(discord, play)
    assert discord.desk.in_channel(channel)[0].text == "a?b"


# --- transcripts ----------------------------------------------------------------------------------------------------


def record() -> AnswerRecord:
    return AnswerRecord(
        id="77",
        dataset="default",
        question="When is tea?",
        text="At five.",
        kind="trained",
        author=str(ADA),
        created_at=1.0,
        sources=[Source("text", author="5", at=1.5)],
    )


def test_a_transcript_can_be_corrected_by_its_message(discord: Playground, tmp_path: Path) -> None:
    channel = discord.world.voice_channel
    store = FileStore(tmp_path)
    kept = Kept(store)

    async def play(rest: Rest) -> None:
        for _ in range(2):
            assert await Transcripts(rest, kept, ScriptedPlaces()).show(GUILD, int(channel.id), record())

    with_rest(discord, play)
    kept.close()
    (message,) = discord.desk.in_channel(channel)
    assert message.text.startswith("> <@1>: When is tea?\nAt five.")
    assert answer_shown_in(store, scope_of(GUILD), message.id) == "77"
    for custom_id in ("up:77", "down:77", "correct:77"):
        assert message.find(custom_id) is not None


def test_a_transcript_that_cannot_be_shown_is_not(discord: Playground, tmp_path: Path) -> None:
    from tests.voice.calls.stage import FailingStore

    channel = int(discord.world.voice_channel.id)
    store: Any = FailingStore(FileStore(tmp_path))
    kept = Kept(store)
    places = ScriptedPlaces()

    async def play(rest: Rest) -> None:
        transcripts = Transcripts(rest, kept, places)
        places.closed_chats = {channel}
        assert not await transcripts.show(GUILD, channel, record())
        places.closed_chats = set()
        assert not await transcripts.show(GUILD, int(discord.world.foreign_channel.id), record())
        store.down = True
        assert await transcripts.show(GUILD, channel, record())

    with_rest(discord, play)
    kept.close()


@leaving_nothing
async def test_a_room_shows_what_its_conversation_keeps(tmp_path: Path) -> None:
    from tests.voice.calls.stage import VOICE, staged

    async with staged(tmp_path) as stage:
        await stage.joined()
        rest: Any = stage.rest
        await Transcripts(rest, stage.kept, stage.places).of(stage.conversation.room).answered(record())
        assert stage.rest.texts(VOICE)[-1].startswith("> <@1>: When is tea?")


def test_closing_without_a_request_is_fine() -> None:
    asyncio.run(Rest("http://127.0.0.1:1/api/v10/", "token").close())
