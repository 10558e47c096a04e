"""/join and /leave, with a sidecar that answers, and without one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from interactions.commands import voice
from interactions.housekeeping import clean, erase_server
from tests.e2e.sidecar import JOINED, LEFT, Sidecar
from tests.e2e.spoken import equip
from trainer import bootstrap, snowflakes, voice_calls, voice_line
from trainer.consent import choose_voice, preferences
from trainer.ports import QueueUnavailable, StoreUnavailable
from trainer.snowflakes import moment_of
from trainer.voice_calls import CallState, call_state, claim, claimed, do_once, save_call_state
from trainer.voice_orders import Join, Leave, decode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playground.clients import Client, Exchange
    from tests.bot import Bot
    from trainer.consent import Preferences
    from trainer.ports import ObjectStore

QUIET_S = 0.1
NOBODY = "My voice does not answer just now, so I can neither join nor leave a channel."


@pytest.fixture
def sidecar(bot: Bot) -> Iterator[Sidecar]:
    with Sidecar(bot) as running:
        yield running


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a sidecar, a worker does not wait for long."""
    monkeypatch.setattr(voice_line, "ANSWER_S", 0.3)


def switches(bot: Bot, client: Client) -> Preferences:
    return preferences(bot.services.store, bot.services_scope(), client.user.id)


def guild(bot: Bot) -> str:
    return bot.services_scope().id


def in_call(bot: Bot, *, joined_by: str = "1") -> None:
    """As a sidecar leaves it that joined."""
    world = bot.playground.world
    world.join_voice("Trainger")
    state = CallState(channel_id=world.voice_channel.id, text_channel_id="1", joined_by=joined_by, at=1.0)
    save_call_state(bot.services.store, guild(bot), state)


def whispered(exchange: Exchange) -> str:
    """What only the person sees, in place of "thinking…", which is deleted first."""
    deadline = time.monotonic() + 20
    while not (reply := exchange.wait(quiet=QUIET_S)).messages:
        assert time.monotonic() < deadline, "nothing was said"
    assert [message.ephemeral for message in reply.messages] == [True]
    return reply.content


# --- /join ----------------------------------------------------------------------------------------------------------


def test_the_sidecar_is_told_and_answers(bot: Bot, sidecar: Sidecar) -> None:
    bob = bot.bob(locale="ru")
    exchange = bob.command("join")
    reply = exchange.wait(quiet=QUIET_S)
    assert (reply.content, reply.ephemeral) == (JOINED, False)
    (order,) = sidecar.until_told(Join)
    assert (order.id, order.guild_id, order.user_id) == (exchange.id, guild(bot), bob.user.id)
    assert (order.channel_id, order.locale) == (bob.place.channel.id, "ru")
    assert order.application_id == bot.configuration.application_id
    assert 0 < order.expires - order.at <= 60


def test_whoever_calls_it_has_agreed_to_be_heard(bot: Bot, sidecar: Sidecar) -> None:
    bob = bot.bob()
    exchange = bob.command("join")
    exchange.wait(quiet=QUIET_S)
    now = switches(bot, bob)
    assert (now.voice, now.voice_by) == (True, exchange.id)
    assert abs(now.voice_at - time.time()) < 60
    assert not switches(bot, bot.ada()).voice


def test_a_second_delivery_joins_nothing_again(bot: Bot, sidecar: Sidecar) -> None:
    bob = bot.bob()
    exchange = bob.command("join")
    exchange.wait(quiet=QUIET_S)
    choose_voice(bot.services.store, bot.services_scope(), bob.user.id, str(int(exchange.id) + 1), on=False)
    edits = [request.path for request in bot.playground.requests if request.method == "PATCH"]
    # As if the outcome had not been kept any more.
    for info in bot.services.store.list(f"{bot.services_scope().prefix}/outcomes/"):
        bot.services.store.delete(info.key)
    exchange.redeliver()
    sidecar.until_quiet()
    assert len(sidecar.told(Join)) == 1
    assert [request.path for request in bot.playground.requests if request.method == "PATCH"] == edits
    assert not switches(bot, bob).voice


def test_without_a_sidecar_it_says_so_and_what_to_do(bot: Bot, nobody: None) -> None:
    bob = bot.bob()
    exchange = bob.command("join")
    told = whispered(exchange)
    assert NOBODY in told
    assert "python -m voice_sidecar --doctor" in told
    assert claimed(bot.services.store, guild(bot), exchange.id) == "worker"
    assert not switches(bot, bob).voice
    assert call_state(bot.services.store, guild(bot)) is None


def test_without_a_sidecar_in_russian(bot: Bot, nobody: None) -> None:
    told = whispered(bot.bob(locale="ru").command("join"))
    assert "Мой голос сейчас не отвечает" in told


def test_a_sidecar_that_comes_too_late_says_nothing(bot: Bot, nobody: None) -> None:
    exchange = bot.bob().command("join")
    whispered(exchange)
    with Sidecar(bot) as late:
        late.until_told(Join)
        late.until_quiet()
        assert late.replied == []
    assert NOBODY in whispered(exchange)


def test_without_a_sidecar_a_second_delivery_says_the_same(bot: Bot, nobody: None) -> None:
    exchange = bot.bob().command("join")
    first = whispered(exchange)
    exchange.redeliver()
    bot.until_idle()
    assert exchange.reply().content == first
    with Sidecar(bot) as late:
        late.until_quiet()
        assert len(late.told(Join)) == 1


def test_who_had_agreed_before_still_does_when_nobody_answers(bot: Bot, nobody: None) -> None:
    bob = bot.bob()
    choose_voice(bot.services.store, bot.services_scope(), bob.user.id, "1", on=True)
    whispered(bob.command("join"))
    assert switches(bot, bob).voice


def test_a_worker_that_died_while_it_waited(bot: Bot, nobody: None) -> None:
    """The order is out, and the consent with it, when another worker takes the command over."""
    bob = bot.bob()
    bot.stop_worker()
    exchange = bob.command("join")
    choose_voice(bot.services.store, bot.services_scope(), bob.user.id, exchange.id, on=True)
    bot.start_worker()
    whispered(exchange)
    assert not switches(bot, bob).voice


def test_a_queue_that_does_not_answer_is_a_sidecar_that_does_not(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise QueueUnavailable("no")

    monkeypatch.setattr(voice_line.VoiceLine, "send", broken)
    started = bot.bob().command("join")
    assert NOBODY in whispered(started)
    assert claimed(bot.services.store, guild(bot), started.id) == "worker"


@pytest.mark.parametrize("command", ["join", "leave"])
def test_voice_can_be_turned_off(bot: Bot, command: str) -> None:
    equip(bot, voice=None)
    told = whispered(bot.bob().command(command))
    assert "Voice is not running here" in told
    assert "Голос здесь не запущен" in whispered(bot.bob(locale="ru").command(command))


@pytest.mark.parametrize("command", ["join", "leave"])
def test_a_command_that_waited_too_long_is_not_done(
    bot: Bot, sidecar: Sidecar, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(voice, "LATE_S", -1e9)
    told = whispered(bot.bob().command(command))
    assert "I got to this too late" in told
    assert sidecar.orders == []
    assert not switches(bot, bot.bob()).voice
    assert "Я добрался до этого слишком поздно" in whispered(bot.bob(locale="ru").command(command))


def test_it_is_for_servers_where_the_bot_is(bot: Bot, sidecar: Sidecar) -> None:
    reply = bot.bob(where="dm").command("join", force=True).wait(quiet=QUIET_S)
    assert reply.ephemeral
    assert "only in servers where I am installed" in reply.content
    told = bot.bob(where="elsewhere", locale="ru").command("leave", force=True).wait(quiet=QUIET_S)
    assert "только на серверах" in told.content
    assert sidecar.orders == []


def test_joining_again_and_again_is_held_back(bot: Bot, sidecar: Sidecar) -> None:
    bob = bot.bob()
    for _ in range(10):
        bob.command("join").wait(quiet=0)
    assert "You are too fast for me." in whispered(bob.command("join"))


# --- a sidecar that ends before it has answered ---------------------------------------------------------------------


def taken_on(bot: Bot, command: str, **more: str) -> Exchange:
    """A command that a sidecar has claimed, which then was killed."""
    bot.stop_worker()
    exchange = bot.bob(**more).command(command)
    if command == "join":
        choose_voice(bot.services.store, bot.services_scope(), bot.bob().user.id, exchange.id, on=True)
    claim(bot.services.store, guild(bot), exchange.id, "sidecar")
    return exchange


@pytest.fixture
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voice_line, "SHOWN_S", 0.1)
    monkeypatch.setattr(voice, "ABANDONED_S", 0.0)


@pytest.mark.parametrize("command", ["join", "leave"])
def test_nobody_is_left_waiting_for_a_sidecar_that_was_killed(bot: Bot, no_patience: None, command: str) -> None:
    exchange = taken_on(bot, command)
    bot.start_worker()
    reply = exchange.wait(quiet=QUIET_S)
    assert (reply.content, reply.ephemeral) == ("Something interrupted me. Please try again.", False)
    assert not switches(bot, bot.bob()).voice
    exchange.redeliver()
    bot.until_idle()
    assert [message.content for message in exchange.reply().messages] == [reply.content]
    told = taken_on(bot, command, locale="ru")
    bot.start_worker()
    assert "Меня что-то прервало" in told.wait(quiet=QUIET_S).content


def test_whoever_is_to_say_that_it_came_to_nothing_says_it_even_if_that_fails_at_first(
    bot: Bot, no_patience: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store fails, or the worker is killed, once the command is noted as done."""
    exchange = taken_on(bot, "join")
    failing = [StoreUnavailable("not now")]

    def state(store: ObjectStore, guild_id: str) -> CallState | None:
        if failing:
            raise failing.pop()
        return call_state(store, guild_id)

    monkeypatch.setattr(voice_calls, "call_state", state)
    bot.start_worker()
    assert "interrupted" in exchange.wait(quiet=QUIET_S).content
    assert not failing
    assert not switches(bot, bot.bob()).voice


def test_a_sidecar_that_got_the_command_late_has_as_long_as_any(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worker was not there for two minutes; the sidecar is at it, and joining takes a while."""
    monkeypatch.setattr(voice_line, "SHOWN_S", 0.1)
    monkeypatch.setattr(snowflakes, "moment_of", lambda id_: (moment_of(id_) or 0.0) - 120.0)
    exchange = taken_on(bot, "join")
    bot.start_worker()
    bot.until(lambda: bot.queue.depth()[:3] == (0, 0, 1))
    assert [message.loading for message in exchange.messages] == [True]
    assert switches(bot, bot.bob()).voice


def test_what_it_agreed_to_holds_where_the_bot_is_to_come_back(bot: Bot, no_patience: None) -> None:
    in_call(bot)
    exchange = taken_on(bot, "join")
    bot.start_worker()
    assert "interrupted" in exchange.wait(quiet=QUIET_S).content
    assert switches(bot, bot.bob()).voice


def test_the_next_sidecar_has_time_to_go_on(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voice_line, "SHOWN_S", 0.1)
    exchange = taken_on(bot, "join")
    bot.start_worker()
    bot.until(lambda: bot.queue.depth()[:3] == (0, 0, 1))
    assert [message.loading for message in exchange.messages] == [True]
    bot.api.edit_original(exchange.interaction.token, {"content": JOINED})
    do_once(bot.services.store, guild(bot), exchange.id)
    exchange.redeliver()
    bot.until(lambda: bot.queue.depth()[:3] == (0, 0, 1))
    assert exchange.reply().content == JOINED


# --- /leave ---------------------------------------------------------------------------------------------------------


def test_who_is_in_the_channel_may_send_it_out(bot: Bot, sidecar: Sidecar) -> None:
    in_call(bot)
    bot.playground.world.join_voice("Bob")
    exchange = bot.bob().command("leave")
    reply = exchange.wait(quiet=QUIET_S)
    assert (reply.content, reply.ephemeral) == (LEFT, False)
    (order,) = sidecar.until_told(Leave)
    assert (order.id, order.user_id) == (exchange.id, bot.bob().user.id)
    assert call_state(bot.services.store, guild(bot)) is None


def test_managers_may_from_anywhere(bot: Bot, sidecar: Sidecar) -> None:
    in_call(bot)
    assert bot.ada().command("leave").wait(quiet=QUIET_S).content == LEFT


def test_members_may_not_from_elsewhere(bot: Bot, sidecar: Sidecar) -> None:
    in_call(bot)
    told = whispered(bot.bob().command("leave"))
    assert "I am in another voice channel than you." in told
    assert "Я в другом голосовом канале" in whispered(bot.bob(locale="ru").command("leave"))
    assert sidecar.orders == []


def test_where_discord_does_not_say_it_rather_leaves(bot: Bot, sidecar: Sidecar) -> None:
    in_call(bot)
    bot.playground.faults.add(method="GET", path="/voice-states/", status=403, times=None)
    assert bot.bob().command("leave").wait(quiet=QUIET_S).content == LEFT
    bot.playground.faults.clear()
    in_call(bot)
    bot.use_token(None)
    assert bot.bob().command("leave").wait(quiet=QUIET_S).content == LEFT


def test_where_it_is_not_the_sidecar_says_so(bot: Bot, sidecar: Sidecar) -> None:
    assert bot.bob().command("leave").wait(quiet=QUIET_S).content == LEFT


def test_leaving_without_a_sidecar(bot: Bot, nobody: None) -> None:
    in_call(bot)
    assert NOBODY in whispered(bot.ada().command("leave"))


# --- what is left ---------------------------------------------------------------------------------------------------


def test_housekeeping_deletes_what_nobody_took(bot: Bot, nobody: None) -> None:
    whispered(bot.bob().command("join"))
    queue = bootstrap.make_voice_queue(bot.configuration)
    try:
        clean(bot.services, time.time())
        assert queue.depth().ready == 1
        (job,) = queue.lease(wait_s=0, visibility_s=30)
        assert isinstance(decode(job.body), Join)
        queue.release(job)
        assert bot.services.voice is not None
        bot.services.voice._clock = lambda: time.time() + 61
        clean(bot.services, time.time() + 90_000)
        assert queue.depth() == (0, 0, 0, 0)
    finally:
        queue.close()
    assert not list(bot.services.store.list(f"{bot.services_scope().prefix}/voice/"))


def test_erasing_a_server_erases_where_the_bot_is(bot: Bot) -> None:
    in_call(bot, joined_by=bot.bob().user.id)
    claim(bot.services.store, guild(bot), bot.playground.desk.ids.next(), "worker")
    erase_server(bot.services, guild(bot), time.time() + 5)
    assert not list(bot.services.store.list(f"{bot.services_scope().prefix}/voice/"))
