"""/privacy: what is kept of people, why, how long and who sees it; with the switches that are theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from interactions.definitions import Handler, Options, SlashCommand
from interactions.outbound import Button, Defer, DeferUpdate, Reply
from interactions.wording import plain
from trainer.consent import REQUEST_DAYS, change_preferences, choose_voice, preferences
from trainer.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Mapping

    from interactions.call import AckCall, WorkCall
    from interactions.payloads import ComponentData
    from trainer.consent import Preferences
    from trainer.i18n import Translator
    from trainer.retention import Policy

PAGES: Final = 3
SWITCHED: Final[Mapping[str, Mapping[str, object]]] = {
    "memory-on": {"remember_conversations": True},
    "memory-off": {"remember_conversations": False},
    "learn-ask": {"train_on_my_messages": "ask"},
    "learn-always": {"train_on_my_messages": "always"},
    "learn-never": {"train_on_my_messages": "never"},
    "voice-on": {"voice": True},
    "voice-off": {"voice": False},
}
"""What a switch's button says, as its custom id has it: the new state, so that a second delivery changes nothing."""


class Facts(NamedTuple):
    """What the text depends on."""

    in_server: bool
    chat_host: str
    """Where questions are sent to; empty if there is no language model."""
    policy: Policy
    embeddings_host: str = ""
    """Where questions are turned into vectors; empty if that happens here or not at all."""
    transcription_host: str = ""
    """Where recordings are recognised; empty likewise."""
    speech_hosts: tuple[str, ...] = ()
    """Where answers are read out."""
    voice: bool = False
    """Whether there is a voice to talk with in channels."""
    transcript_days: int = 0
    """How long what is said to it there is kept; 0: not at all."""


def acknowledge(_: AckCall[Options]) -> Defer:
    """Only for the person's own eyes: it shows their switches."""
    return Defer(ephemeral=True)


def acknowledge_press(_: AckCall[ComponentData]) -> DeferUpdate:
    """The same message turns the page, or shows the switch as it is now."""
    return DeferUpdate()


def work(call: WorkCall[Options]) -> Reply:
    """The first page."""
    store, actor = call.services.store, call.actor
    return _page(call, 1, preferences(store, actor.scope, actor.user_id))


def work_press(call: WorkCall[ComponentData]) -> Reply:
    """Another page, or a switch. Whoever presses changes their own switches alone."""
    store, scope, user_id = call.services.store, call.actor.scope, call.actor.user_id
    page, _, switch = call.subject.partition(":")
    number = int(page) if page in {str(one) for one in range(1, PAGES + 1)} else 1
    wanted = SWITCHED.get(switch)
    if wanted is None:
        return _page(call, number, preferences(store, scope, user_id))
    if "voice" in wanted:
        return _page(call, number, _switch_voice(call, on=bool(wanted["voice"])))
    switches = change_preferences(store, scope, user_id, lambda before: msgspec.structs.replace(before, **wanted))
    if not switches.remember_conversations:
        from trainer import conversations  # noqa: PLC0415 - acknowledging does without

        conversations.forget(store, scope, user_id)
    return _page(call, number, switches)


def _switch_voice(call: WorkCall[ComponentData], *, on: bool) -> Preferences:
    """Agree to be heard, or no longer; the voice sidecar knows at once."""
    scope, user_id = call.actor.scope, call.actor.user_id
    switches = choose_voice(call.services.store, scope, user_id, call.interaction.id, on=on)
    if call.services.voice is not None and scope.kind == "guild":
        call.services.voice.tell_consent(scope.id, user_id)
    return switches


def page_text(t: Translator, number: int, facts: Facts) -> str:
    """One page. Every number in it comes from what the code does. Pure."""
    match number:
        case 1:
            return "\n".join(_kept(t, facts))
        case 2:
            return "\n".join(_seen(t, facts))
        case _:
            return "\n".join(_yours(t, facts))


def _page(call: WorkCall[Options] | WorkCall[ComponentData], number: int, switches: Preferences) -> Reply:
    from trainer.settings import scope_settings  # noqa: PLC0415 - acknowledging does without

    services, t, in_server = call.services, call.t, call.actor.scope.kind == "guild"
    days = scope_settings(services.store, call.actor.scope).voice_transcript_days if in_server else 0
    facts = Facts(
        in_server,
        services.chat_host,
        services.policy,
        services.embeddings_host,
        services.transcription_host,
        services.speech_hosts,
        voice=in_server and services.voice is not None,
        transcript_days=min(days, services.policy.answer_days),
    )
    text = f"{page_text(t, number, facts)}\n" + t(N_("-# Page {number} of {pages}"), number=number, pages=PAGES)
    return Reply(text, buttons=_buttons(t, number, switches, in_server=facts.in_server), private=True)


def _kept(t: Translator, facts: Facts) -> list[str]:
    from trainer import retention  # noqa: PLC0415 - acknowledging does without
    from trainer.conversations import IDLE_S  # noqa: PLC0415 - as above

    def days(count: int) -> str:
        return t.plural("{count} day", "{count} days", count)

    lines = [
        t(N_("**What I keep, why, and how long**")),
        t(
            N_(
                "• **What you teach me**, files and corrections, to answer from it: until you delete it with "
                "`/forget_me`."
            )
        ),
        t(
            N_("• **Your questions and my answers**, so that they can be corrected and rated: {days}."),
            days=days(facts.policy.answer_days),
        ),
        t(N_("• **Your votes and comments**, to get better: as long as the answers.")),
        t(
            N_(
                "• **Our last exchanges** in a channel, so that I understand a follow-up question: used for "
                "{minutes} minutes, gone after {days} at most. You can switch that off."
            ),
            minutes=IDLE_S // 60,
            days=days(retention.CONVERSATION_DAYS),
        ),
        t(
            N_(
                "• **Replies as I showed them**, in case something fails meanwhile: {days}. What I could not show: "
                "{more}."
            ),
            days=days(retention.OUTCOME_DAYS),
            more=days(retention.NOTICE_DAYS),
        ),
        *([_spoken(t, facts)] if facts.voice else []),
        t(N_("• **How often you use me**, to hold back floods: {days}."), days=days(retention.LIMIT_DAYS)),
        t(
            N_(
                "• **Commands that I could not do**, so that they can be done once what is wrong is mended: until "
                "then, or `/forget_me`."
            )
        ),
        t(N_("• **These switches**: until `/forget_me`. A note that you asked me to forget you: for good.")),
    ]
    if facts.in_server:
        text = N_(
            "• **Who asked to teach me a message of yours**, without its text, until you decide: {days} at most."
        )
        lines.append(t(text, days=days(REQUEST_DAYS)))
    text = N_(
        "Remove me from your account, and what is in our direct messages goes {days} later. When a server "
        "removes me, Discord does not tell me: ask its managers or whoever runs me."
    )
    return [*lines, t(text, days=days(facts.policy.uninstalled_days))]


def _seen(t: Translator, facts: Facts) -> list[str]:
    lines = [t(N_("**Who sees it**"))]
    if facts.in_server:
        lines += [
            t(
                N_(
                    "• Everybody in this server gets answers from what was taught here, with the name of who "
                    "taught it."
                )
            ),
            t(N_("• Managers also see uploaded files, archives, comments and how answers are rated.")),
        ]
    else:
        lines.append(t(N_("• What is in our direct messages is for you alone.")))
    lines += [
        t(N_("• Whoever runs me has the storage. My logs hold ids and numbers, never what people write.")),
        t(N_("**Outside services**")),
        t(N_("• Discord carries everything between us, under its own privacy policy.")),
    ]
    if facts.chat_host:
        text = N_(
            "• A language model at {host} words my answers: it gets the question, our last exchanges, the message "
            "that you ask about, and the examples that fit. It gets corrections, too, to say in a line what they "
            "teach. I tell it nobody's name and no ids."
        )
        lines.append(t(text, host=plain(facts.chat_host)))
    else:
        lines.append(t(N_("• No language model is connected: what you write goes to no other service.")))
    if facts.embeddings_host:
        text = N_(
            "• A service at {host} tells me which questions mean the same: it gets yours and those that were taught. "
            "I tell it nobody's name and no ids."
        )
        lines.append(t(text, host=plain(facts.embeddings_host)))
    return [*lines, *_heard_and_said(t, facts)]


def _spoken(t: Translator, facts: Facts) -> str:
    """What is kept of what somebody says to the bot in voice channels."""
    if not facts.transcript_days:
        return t(N_("• **What you say to me in a voice channel**: neither the sound nor the words."))
    return t.plural(
        "• **What you ask me in a voice channel**, never as sound, with my answers, as this server's managers chose: "
        "{count} day.",
        "• **What you ask me in a voice channel**, never as sound, with my answers, as this server's managers chose: "
        "{count} days.",
        facts.transcript_days,
    )


def _heard_and_said(t: Translator, facts: Facts) -> list[str]:
    if facts.transcription_host:
        text = N_(
            "• Recordings that you ask with, or have transcribed, go to {host}, which tells me what is said. I keep "
            "none of them."
        )
        lines = [t(text, host=plain(facts.transcription_host))]
    else:
        lines = [t(N_("• Recordings that you ask with go to no other service, and I keep none of them."))]
    if facts.voice and facts.transcription_host:
        text = N_("• So does what you say in a voice channel where I am, but only if you agreed to be heard.")
        lines.append(t(text))
    if facts.speech_hosts:
        hosts = ", ".join(plain(host) for host in facts.speech_hosts)
        lines.append(t(N_("• Answers that you have read out may go to {hosts}, which says them."), hosts=hosts))
    return lines


def _yours(t: Translator, facts: Facts) -> list[str]:
    from trainer.retention import CONVERSATION_DAYS, OUTCOME_DAYS  # noqa: PLC0415 - acknowledging does without

    def days(count: int) -> str:
        return t.plural("{count} day", "{count} days", count)

    lines = [
        t(N_("**What you can do**")),
        t(N_("• `/export_me` gives you a copy of everything of yours here.")),
        t(N_("• `/forget_me` deletes it, for good. Each server, and our direct messages, are apart.")),
        t(
            N_(
                "• Answers that others got from what you taught lose your words at once, and what else repeats them "
                "goes within {days}. Corrections that others made of answers to you stay, with the question in them. "
                "Decisions that you took for others stay without your name."
            ),
            days=days(max(OUTCOME_DAYS, CONVERSATION_DAYS)),
        ),
    ]
    if facts.in_server:
        text = N_(
            "• An archive made before cannot be changed: one that may hold something of yours goes {days} later."
        )
        lines.append(t(text, days=days(facts.policy.uninstalled_days)))
    lines += [
        t(N_("• Messages in Discord are not mine to delete. A command that failed may wait for whoever runs me.")),
        t(N_("**Your switches**")),
        t(N_("• Memory: follow-up questions build on what you asked before.")),
    ]
    if facts.in_server:
        lines.append(t(N_("• Learning: what happens when somebody uses “Train on this” on a message of yours.")))
        text = N_("• Voice: whether I may listen to you in a voice channel. Sound is never kept.")
        lines.append(t(text))
    return lines


def _buttons(t: Translator, page: int, switches: Preferences, *, in_server: bool) -> tuple[Button, ...]:
    """Pages in the first row, switches in the second."""
    turns = [
        Button(f"privacy:{page - 1}", t(N_("Back"))) if page > 1 else None,
        Button(f"privacy:{page + 1}", t(N_("Next")), style="primary") if page < PAGES else None,
    ]
    if page != PAGES:
        return tuple(button for button in turns if button is not None)
    if switches.remember_conversations:
        memory = Button(f"privacy:{page}:memory-off", t(N_("Memory: on")), style="success")
    else:
        memory = Button(f"privacy:{page}:memory-on", t(N_("Memory: off")))
    learning = {
        "ask": Button(f"privacy:{page}:learn-always", t(N_("Learning: ask me"))),
        "always": Button(f"privacy:{page}:learn-never", t(N_("Learning: always")), style="success"),
        "never": Button(f"privacy:{page}:learn-ask", t(N_("Learning: never")), style="danger"),
    }[switches.train_on_my_messages]
    if switches.voice:
        voice = Button(f"privacy:{page}:voice-off", t(N_("Voice: on")), style="success")
    else:
        voice = Button(f"privacy:{page}:voice-on", t(N_("Voice: off")))
    shown = [*turns, memory, *([learning, voice] if in_server else [])]
    return tuple(button for button in shown if button is not None)


COMMANDS = (
    SlashCommand(
        name="privacy",
        description=N_("What I keep of you, why and how long, and your switches"),
        handler=Handler(acknowledge, work),
    ),
)
BUTTONS = {"privacy": Handler(acknowledge_press, work_press)}
