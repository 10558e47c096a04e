"""The checks of the other files can fail: each variant here does one thing wrong, and is found out.

Each scenario is first run as it should be. More variants are beside their tests: without keepalives, without the gate
against plaintext, without the list of those who were announced.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

import pytest

from tests.voice.connection.sidecar import QUICK, both_hear, channel_with, sidecar
from tests.voice.discord import Rules, TookTooLong, VoiceChannel, until
from tests.voice.discord.running import in_loop
from voice_sidecar.connection import keeper
from voice_sidecar.connection.closing import Next
from voice_sidecar.connection.group import Answer, Group
from voice_sidecar.connection.outcomes import Lost
from voice_sidecar.connection.rtp_clock import RtpClock, Stamp
from voice_sidecar.connection.wire import Binary, Op
from voice_sidecar.receiving.transport import Sealer

if TYPE_CHECKING:
    from collections.abc import Callable

Variant = AbstractContextManager[Any]


def restarted_nonces() -> Variant:
    seal = Sealer.seal

    def wrong(sealer: Sealer, header: bytes, payload: bytes) -> bytes:
        sealer._next %= 4
        return seal(sealer, header, payload)

    return patch.object(Sealer, "seal", wrong)


def sequence_with_gaps() -> Variant:
    number = RtpClock.next

    def wrong(clock: RtpClock, now: float) -> Stamp:
        number(clock, now)
        return number(clock, now)

    return patch.object(RtpClock, "next", wrong)


def op_25_only_after_op_4() -> Variant:
    take = Group.take_binary

    def wrong(group: Group, message: Binary) -> Answer:
        if message.op == Op.EXTERNAL_SENDER and group._session is None:
            return Answer()
        return take(group, message)

    return patch.object(Group, "take_binary", wrong)


def no_recovery() -> Variant:
    return patch.object(Group, "_recover", lambda *_: Answer())


def every_removal_is_a_kick() -> Variant:
    return patch.object(keeper, "why_removed", lambda _: Lost.KICKED)


def never_resumes() -> Variant:
    return patch.object(keeper, "after_close", lambda _: Next.REJOIN)


async def talks(rules: Rules, happens: Callable[[VoiceChannel], None] | None = None) -> list[str]:
    """Joins, lets something happen, and lets both talk. What went wrong."""
    async with (
        channel_with("Ada", "Carol", rules=rules) as (emulator, channel, [ada, _]),
        sidecar(emulator, patience=replace(QUICK, group=60.0)) as it,
    ):
        line = await it.connections.join(channel.guild.id, channel.id)
        problems = []
        try:
            if happens is not None:
                await channel.guild.bot_in(channel)
                voice, before = channel.guild.voice, it.counters.sessions + it.counters.resumes
                happens(channel)
                await until(
                    lambda: it.counters.sessions + it.counters.resumes > before or it.lost,  # at once
                    "it is back, or lost",
                )
                if channel.guild.voice is not voice:
                    problems.append("another session")
            await channel.guild.bot_in(channel, within=3)
            await until(lambda: line.ready, "there are keys", within=1)
            await both_hear(it, line, ada)
        except TookTooLong as problem:
            problems.append(str(problem))
        problems += [f"lost: {lost}" for _, lost in it.lost]
    return problems + emulator.violations


def break_off(channel: VoiceChannel) -> None:
    channel.guild.close_voice(4015)


def be_dropped(channel: VoiceChannel) -> None:
    channel.guild.close_voice(4006)
    channel.guild.place(channel.guild.discord.bot_id, None)


SCENARIOS: dict[str, tuple[Callable[[], Rules], Callable[[VoiceChannel], None] | None, set[str]]] = {
    "plain": (Rules, None, set()),
    "op 25 first": (lambda: Rules(early_external_sender=True), None, set()),
    "damaged welcome": (lambda: Rules(corrupt_welcomes=1), None, set()),
    "resumed": (Rules, break_off, set()),
    "dropped": (Rules, be_dropped, {"another session"}),
}
WRONG: dict[str, tuple[str, Callable[[], Variant], str]] = {
    "nonces that begin anew": ("plain", restarted_nonces, "was used twice"),
    "gaps in the sequence": ("plain", sequence_with_gaps, "sequence went from"),
    "op 25 is dropped before op 4": ("op 25 first", op_25_only_after_op_4, ""),
    "no op 31": ("damaged welcome", no_recovery, "waited"),
    "joining again instead of resuming": ("resumed", never_resumes, "another session"),
    "whoever is dropped stays away": ("dropped", every_removal_is_a_kick, "lost: kicked"),
}


@pytest.mark.parametrize("scenario", SCENARIOS)
@in_loop
async def test_as_it_should_be(scenario: str) -> None:
    rules, happens, expected = SCENARIOS[scenario]
    assert set(await talks(rules(), happens)) == expected


@pytest.mark.parametrize("wrong", WRONG)
@in_loop
async def test_wrong_variants_are_found_out(wrong: str) -> None:
    scenario, variant, complaint = WRONG[wrong]
    rules, happens, expected = SCENARIOS[scenario]
    with variant():
        problems = set(await talks(rules(), happens)) - expected
    assert any(complaint in problem for problem in problems), problems
