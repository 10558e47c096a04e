"""Who is heard, from when to when."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from tests.voice.calls.stage import ADA, BOB, GUILD, TEXT, VOICE, Stage, leaving_nothing, staged, until
from trainer.ports import StoreUnavailable
from trainer.settings import choose_transcripts
from trainer.voice_orders import Consent, SettingsChanged
from voice_sidecar.calls.consents import Consents
from voice_sidecar.calls.kept import scope_of

if TYPE_CHECKING:
    from pathlib import Path


def consent(user_id: int, *, agreed: bool) -> Consent:
    now = time.time()
    return Consent(guild_id=str(GUILD), user_id=str(user_id), agreed=agreed, at=now, expires=now + 60)


async def only_those_who_agreed(stage: Stage) -> None:
    stage.enter(BOB)
    await stage.joined()
    assert stage.calls.heard(GUILD, ADA)
    assert not stage.calls.heard(GUILD, BOB)


@leaving_nothing
async def test_others_are_not_heard_until_they_agree(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await only_those_who_agreed(stage)
        stage.agree(BOB)
        await stage.obeying.obey(consent(BOB, agreed=True))
        assert stage.calls.heard(GUILD, BOB)
        assert stage.connections.agreements == [GUILD, GUILD]


@leaving_nothing
async def test_a_registry_that_believes_everybody_fails_the_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Consents, "heard", lambda *_: True)
    async with staged(tmp_path) as stage:
        with pytest.raises(AssertionError):
            await only_those_who_agreed(stage)


@leaving_nothing
async def test_agreeing_counts_by_the_store_alone(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await only_those_who_agreed(stage)
        await stage.obeying.obey(consent(BOB, agreed=True))  # a late order: taken back since
        assert not stage.calls.heard(GUILD, BOB)


@leaving_nothing
async def test_taking_it_back_works_at_once_also_without_a_store(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.joined()
        stage.store.down = True
        task = asyncio.ensure_future(stage.obeying.obey(consent(ADA, agreed=False)))
        await asyncio.sleep(0)
        assert not stage.calls.heard(GUILD, ADA)
        assert (GUILD, ADA) in stage.connections.forgotten
        assert ADA in stage.conversation.revocations
        await task


@leaving_nothing
async def test_taking_it_back_does_not_wait_for_a_join(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.joined()
        async with stage.calls.lane(GUILD):
            await stage.obeying.obey(consent(ADA, agreed=False))
            assert not stage.calls.heard(GUILD, ADA)


@leaving_nothing
async def test_what_somebody_said_before_they_went_is_dropped_too(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.joined()
        stage.enter(BOB)
        stage.enter(ADA, None)
        assert stage.conversation.gone == [ADA]
        await stage.obeying.obey(consent(ADA, agreed=False))
        assert ADA in stage.conversation.revocations


@leaving_nothing
async def test_what_was_read_before_it_was_taken_back_is_not_believed(tmp_path: Path) -> None:
    answers: list[asyncio.Future[bool]] = []

    async def read(_guild: int, _user: int) -> bool:
        answers.append(asyncio.get_running_loop().create_future())
        return await answers[-1]

    changes: list[tuple[int, int, bool]] = []
    registry = Consents(read, lambda *change: changes.append(change))
    came = asyncio.ensure_future(registry.came(GUILD, [ADA]))
    await until(lambda: answers)
    await registry.told(GUILD, ADA, agreed=False)
    answers[0].set_result(True)
    await came
    assert not registry.heard(GUILD, ADA)
    assert changes == []


@leaving_nothing
async def test_whoever_went_and_came_back_is_asked_about_anew(tmp_path: Path) -> None:
    answers: list[asyncio.Future[bool]] = []

    async def read(_guild: int, _user: int) -> bool:
        answers.append(asyncio.get_running_loop().create_future())
        return await answers[-1]

    registry = Consents(read, lambda *_: None)
    first = asyncio.ensure_future(registry.came(GUILD, [ADA]))
    await until(lambda: len(answers) == 1)
    registry.went(GUILD, ADA)
    second = asyncio.ensure_future(registry.came(GUILD, [ADA]))
    await until(lambda: len(answers) == 2)
    answers[0].set_result(True)
    await first
    assert not registry.heard(GUILD, ADA)
    answers[1].set_result(True)
    await second
    assert registry.heard(GUILD, ADA)
    assert registry.all_heard(GUILD) == {ADA}
    registry.clear(GUILD)
    assert not registry.heard(GUILD, ADA)


@leaving_nothing
async def test_lost_orders_are_made_up_for(tmp_path: Path) -> None:
    store, changes = {ADA: True, BOB: False}, []

    async def read(_guild: int, user: int) -> bool:
        return store[user]

    registry = Consents(read, lambda guild, user, agreed: changes.append((user, agreed)))
    await registry.came(GUILD, [ADA, BOB])
    fresh = asyncio.ensure_future(registry.keep_fresh(again_s=0.01, retry_s=0.01))
    store.update({ADA: False, BOB: True})
    await until(lambda: registry.heard(GUILD, BOB) and not registry.heard(GUILD, ADA))
    assert set(changes) == {(ADA, True), (ADA, False), (BOB, True)}
    fresh.cancel()
    await asyncio.gather(fresh, return_exceptions=True)


@leaving_nothing
async def test_what_is_not_known_counts_as_no_and_is_soon_asked_again(tmp_path: Path) -> None:
    down = True

    async def read(_guild: int, _user: int) -> bool:
        if down:
            raise StoreUnavailable("down")
        return True

    registry = Consents(read, lambda *_: None)
    await registry.came(GUILD, [ADA])
    assert not registry.heard(GUILD, ADA)
    fresh = asyncio.ensure_future(registry.keep_fresh(again_s=1000, retry_s=0.01))
    await asyncio.sleep(0.03)
    assert not registry.heard(GUILD, ADA)
    down = False
    await until(lambda: registry.heard(GUILD, ADA))
    down = True
    await registry.read_again()
    assert registry.heard(GUILD, ADA)  # what is known stays so
    fresh.cancel()
    await asyncio.gather(fresh, return_exceptions=True)


@leaving_nothing
async def test_whoever_joins_us_while_the_store_is_down_is_told_so(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        stage.enter(ADA)
        order = stage.join_order()
        stage.store.down_for = ("preferences",)
        await stage.obeying.obey(order)
        assert stage.reply(order).text == (
            f"I'm in <#{VOICE}>, but I don't hear you yet: press **Agree** below my notice."
        )
        again = stage.leave_order()
        again = stage.leave_order()
        stage.store.down_for = ()
        await stage.obeying.obey(again)


@leaving_nothing
async def test_newcomers_are_not_written_to(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.joined()
        for user_id in range(100, 120):
            stage.enter(user_id)
        stage.agree(500)
        stage.enter(500)
        await until(lambda: stage.calls.heard(GUILD, 500))
        assert len(stage.rest.posts) == 1


# --- the notice ---------------------------------------------------------------------------------------------------


@leaving_nothing
async def test_coming_back_soon_makes_the_old_notice_hold_again(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.joined()
        await stage.obeying.obey(stage.leave_order())
        assert stage.rest.shown[1].buttons == ()
        await stage.joined()
        assert len(stage.rest.posts) == 1
        assert len(stage.rest.shown[1].buttons) == 3


@leaving_nothing
async def test_coming_back_late_needs_a_new_notice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with staged(tmp_path) as stage:
        clock = 0.0
        stage.notices._clock = lambda: clock
        await stage.joined()
        await stage.obeying.obey(stage.leave_order())
        clock = 301.0
        await stage.joined()
        assert len(stage.rest.posts) == 2


@leaving_nothing
async def test_a_notice_that_somebody_deleted_is_posted_again(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.joined()
        stage.rest.shown.clear()
        await stage.obeying.obey(stage.leave_order())
        await stage.joined()
        assert len(stage.rest.posts) == 2


@leaving_nothing
async def test_where_the_channels_chat_is_closed_it_stands_where_join_was_typed(tmp_path: Path) -> None:
    from voice_sidecar.calls.rest import NotDone

    async with staged(tmp_path) as stage:
        stage.rest.post_error = {VOICE: NotDone("refused", 403, 50013)}
        await stage.joined()
        assert [where for where, _ in stage.rest.posts] == [TEXT]


@leaving_nothing
async def test_the_notice_follows_the_servers_choice_about_transcripts(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.joined()
        changed = SettingsChanged(guild_id=str(GUILD), expires=time.time() + 60)
        await stage.obeying.obey(changed)
        assert stage.rest.edits == []
        choose_transcripts(stage.store, scope_of(GUILD), "5", 7)
        await stage.obeying.obey(changed)
        assert "kept for 7 days" in stage.rest.shown[1].text
        assert "From now on" in stage.rest.texts(VOICE)[-1]
        choose_transcripts(stage.store, scope_of(GUILD), "6", 0)
        await stage.obeying.obey(changed)
        assert "not written down" in stage.rest.shown[1].text
        assert len(stage.rest.posts) == 2
        await stage.obeying.obey(stage.leave_order())
        choose_transcripts(stage.store, scope_of(GUILD), "7", 7)
        await stage.obeying.obey(changed)
        assert "I have left" in stage.rest.shown[1].text


# --- /ask speak:True ------------------------------------------------------------------------------------------------


@leaving_nothing
async def test_what_is_to_be_said_is_said_once_to_those_with_us(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        await stage.joined()
        order = stage.say_order()
        for _ in range(2):
            assert (await stage.obeying.obey(order)).do == "complete"
        await until(lambda: stage.conversation.said)
        await asyncio.sleep(0.01)
        assert stage.conversation.said == [("Tea.", "en")]


@leaving_nothing
async def test_nothing_is_said_to_those_elsewhere_or_too_late(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        assert (await stage.obeying.obey(stage.say_order())).do == "complete"
        await stage.joined()
        assert (await stage.obeying.obey(stage.say_order(BOB))).do == "complete"
        assert (await stage.obeying.obey(stage.say_order(ends_in=-1))).do == "complete"
        stage.store.down = True
        assert (await stage.obeying.obey(stage.say_order())).do == "release"
        await asyncio.sleep(0.01)
        assert stage.conversation.said == []
