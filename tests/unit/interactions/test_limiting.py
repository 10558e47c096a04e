"""How somebody is told that they do too much, and how a reply is whispered or sent in as many parts as may be."""

from __future__ import annotations

import math

import pytest

from interactions.limiting import MOMENT_S, refusal, wait_sentence
from interactions.outbound import Defer, DeferUpdate, Reply
from interactions.performing import _as_acknowledged
from interactions.publishing import FOLLOW_UPS_MOST, MESSAGES_MOST, messages_most
from trainer.i18n import translator
from trainer.limits import LIMITS, Full
from trainer.scope import Scope

T = translator("en-US")


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0.01, "Please wait 1 second."),
        (1, "Please wait 1 second."),
        (1.2, "Please wait 2 seconds."),
        (40, "Please wait 40 seconds."),
        (MOMENT_S, "Please wait 90 seconds."),
        (MOMENT_S + 1, "Please wait 2 minutes."),
        (3600, "Please wait 60 minutes."),
        (90 * 60 + 1, "Please wait 2 hours."),
        (24 * 3600, "Please wait 24 hours."),
    ],
)
def test_the_wait_is_told_and_never_too_short(seconds: float, told: str) -> None:
    assert wait_sentence(T, seconds) == told
    number = int(told.split()[2])
    unit = {"second": 1, "minute": 60, "hour": 3600}[told.split()[3].rstrip("s.")]
    assert number * unit >= math.floor(seconds)


def test_each_kind_of_limit_has_its_own_reason() -> None:
    said = {refusal(T, Full(limit, 40)) for limit in LIMITS}
    assert said == {
        "You are too fast for me. Please wait 40 seconds.",
        "So many people here need me just now that I cannot keep up. Please wait 40 seconds.",
        "That is more than I can take in from here in one day. Please wait 40 seconds.",
    }


def test_how_it_was_acknowledged_decides_how_it_is_whispered() -> None:
    reply = Reply("no", whisper="instead")
    public = _as_acknowledged(reply, Defer())
    assert (public.whisper, public.private) == ("instead", False)
    private = _as_acknowledged(reply, Defer(ephemeral=True))
    assert (private.whisper, private.private) == ("no", True)
    assert _as_acknowledged(reply, DeferUpdate()).whisper == "beside"
    assert _as_acknowledged(Reply("yes"), Defer()).whisper == "no"


def test_a_reply_has_no_more_messages_than_discord_takes() -> None:
    for scope in (Scope("guild", "1"), Scope("user", "1")):
        assert 1 <= messages_most(scope) <= MESSAGES_MOST
    assert messages_most(Scope("user", "1")) <= 1 + FOLLOW_UPS_MOST
