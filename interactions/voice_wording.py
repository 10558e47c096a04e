"""What people are told of being heard in voice channels. Every number and host in it is what the code does. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from interactions.outbound import Button
from interactions.wording import plain
from trainer.i18n import N_

if TYPE_CHECKING:
    from trainer.i18n import Translator

AGREE: Final = "voice:agree"
KEPT: Final = "voice:kept"
LEAVE: Final = "voice:leave"
REVOKE: Final = "voice:revoke"
"""Custom ids. The first three stand below the notice that the sidecar posts when it joins."""


class VoiceFacts(NamedTuple):
    """What the text depends on."""

    transcript_days: int
    """How long spoken questions are kept here; 0: they are not."""
    memory_minutes: int
    """How long the last exchanges are used for follow-up questions."""
    transcription_host: str = ""
    """Where speech is recognised; empty if that happens here."""
    chat_host: str = ""
    """Where questions are sent to; empty if there is no language model."""
    speech_hosts: tuple[str, ...] = ()
    """Where answers are turned into speech."""


def kept_text(t: Translator, facts: VoiceFacts) -> str:
    """What the button “What is kept?” answers."""
    lines = [
        t(N_("**What I do with what I hear in voice channels**")),
        t(
            N_(
                "• I listen only to who agreed: by calling me with `/join`, by the button, or in `/privacy`. What "
                "others say is thrown away before it is made into sound."
            )
        ),
        t(N_("• Sound is never kept: it is in memory for as long as it takes to understand it.")),
        heard_line(t, facts),
        words_line(t, facts),
    ]
    if facts.chat_host:
        text = N_("• What you ask goes to the language model at {host}, as with `/ask`.")
        lines.append(t(text, host=plain(facts.chat_host)))
    if facts.speech_hosts:
        hosts = ", ".join(plain(host) for host in facts.speech_hosts)
        lines.append(t(N_("• What I say may go to {hosts}, which turns it into speech."), hosts=hosts))
    text = N_(
        "• That you agreed, and when, is kept until `/forget_me`; who called me, while I am there. Take your consent "
        "back in `/privacy`, or right here."
    )
    lines.append(t(text))
    return "\n".join(lines)


def heard_line(t: Translator, facts: VoiceFacts) -> str:
    """Who recognises speech."""
    if facts.transcription_host:
        text = N_("• Once you agreed, what you say goes to {host}, which tells me the words.")
        return t(text, host=plain(facts.transcription_host))
    return t(N_("• Once you agreed, what you say is recognised where I run, and goes to no other service for that."))


def words_line(t: Translator, facts: VoiceFacts) -> str:
    """What becomes of the words."""
    if facts.transcript_days:
        return t.plural(
            "• This server's managers chose to keep what you ask me, with my answers: for {count} day. I also write "
            "them into the voice channel's chat. `/forget_me` deletes what I keep.",
            "• This server's managers chose to keep what you ask me, with my answers: for {count} days. I also write "
            "them into the voice channel's chat. `/forget_me` deletes what I keep.",
            facts.transcript_days,
        )
    return t.plural(
        "• The words are not stored. I remember our last exchanges for follow-up questions: for {count} minute at "
        "most, and no longer than I am in the channel.",
        "• The words are not stored. I remember our last exchanges for follow-up questions: for {count} minutes at "
        "most, and no longer than I am in the channel.",
        facts.memory_minutes,
    )


def agreed_text(t: Translator) -> str:
    """To who just agreed."""
    return t(
        N_(
            "Thank you: from now on I listen to you in the voice channels of this server, whenever I am there with "
            "you. Sound is never kept. You can take it back at any moment, with the button or in `/privacy`: that "
            "counts at once."
        )
    )


def revoked_text(t: Translator) -> str:
    """To who just took it back."""
    return t(
        N_("I no longer listen to you in the voice channels of this server. What you say is thrown away unheard.")
    )


def agreed_buttons(t: Translator) -> tuple[Button, ...]:
    """Below what somebody is told who agreed."""
    return (
        Button(REVOKE, t(N_("Don't listen to me")), style="danger"),
        Button(KEPT, t(N_("What is kept?"))),
    )


def revoked_buttons(t: Translator) -> tuple[Button, ...]:
    """Below what somebody is told who took it back."""
    return (Button(AGREE, t(N_("Listen to me")), style="success"),)
