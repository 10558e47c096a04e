"""What is done about something that somebody said. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from voice_sidecar.conversation.commands import remark

if TYPE_CHECKING:
    from voice_sidecar.conversation.addressing import WakeNames

QUESTION_MOST: Final = 2000
"""Characters of a question: as many as can be typed."""

What = Literal["answer", "acknowledge", "stop", "thanks", "listening", "others"]
"""Answer it; say that we listen; fall silent; the same if we speak to them; nothing, as it is no question; nothing,
as it is not for us."""


class Situation(NamedTuple):
    """When somebody speaks."""

    alone: bool
    """They are the only one who is heard, so whatever they say is for us."""
    answering: bool
    """An answer to them is being given, or has just been: what they say needs no name."""
    speaking: bool
    """We were saying something when they spoke."""


class Decision(NamedTuple):
    """What is done."""

    what: What
    question: str = ""
    """What is to be answered: without our name."""


def decide(text: str, situation: Situation, names: WakeNames) -> Decision:
    """What is done about a text that somebody said.

    "Stop" and nothing else, said while we speak, is for us whoever says it: nobody else is to be stopped as likely.
    """
    called, rest = names.find(text)
    kind = remark(rest)
    ours = called or situation.alone or situation.answering
    if kind == "stop" and (ours or situation.speaking):
        return Decision("stop")
    if kind == "thanks" and ours:
        return Decision("thanks")
    if called and (not rest or kind == "listening"):
        return Decision("acknowledge")
    if kind:
        return Decision("listening")
    if not ours or not rest:
        return Decision("others")
    return Decision("answer", rest[:QUESTION_MOST])
