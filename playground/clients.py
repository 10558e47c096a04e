"""People using Discord: they run commands, click, choose, fill in forms, and see what comes back."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from playground.delivery import Delivered, deliver
from playground.errors import Refused
from playground.messages import Message, number
from playground.modal_fields import Filled, by_custom_id, check_selection, submitted
from playground.options import Value, check_access, check_values, choose
from playground.payloads import SELECTED, Actor, Payloads
from playground.rules_callbacks import AUTOCOMPLETE, COMMAND, COMPONENT, MODAL_SUBMIT
from playground.rules_commands import MESSAGE
from playground.rules_components import BUTTON, LINK_BUTTON, SELECTS
from playground.world import OWNER, Channel, User, Where

if TYPE_CHECKING:
    from playground.cdn import Attachment
    from playground.exchanges import Interaction
    from playground.server import Playground

QUIET_S: Final = 0.6
_POLL_S: Final = 0.05
Mutate = Callable[[dict[str, Any]], None]


class ExchangeTimeout(TimeoutError):
    """The answer was not complete in time."""


class Reply(NamedTuple):
    """How an exchange ended.

    Attributes:
        messages: the original response and the follow-ups that are there.
        error: what Discord's client shows instead; None if the application answered.
        reason: why, for `error`.
        modal: the form that it opened, if it did.
        choices: what it offered to an autocomplete, if it was one.
    """

    messages: list[Message]
    error: str | None
    reason: str | None
    modal: dict[str, Any] | None
    choices: list[dict[str, Any]] | None

    @property
    def message(self) -> Message:
        """The first message. Raises LookupError if there is none."""
        if not self.messages:
            raise LookupError(self.error or "the application said nothing")
        return self.messages[0]

    @property
    def content(self) -> str:
        """The text of all messages."""
        return "\n".join(message.text for message in self.messages)

    @property
    def ephemeral(self) -> bool:
        """Whether only the person sees all of it."""
        return bool(self.messages) and all(message.ephemeral for message in self.messages)

    @property
    def files(self) -> list[Attachment]:
        """The attachments of all messages."""
        return [attachment for message in self.messages for attachment in message.attachments]


class Exchange:
    """One thing that a person did, and what the application makes of it."""

    def __init__(self, client: Client, interaction: Interaction) -> None:
        self.client = client
        self.interaction = interaction
        self._desk = client.playground.desk

    @property
    def id(self) -> str:
        """The interaction's id."""
        return self.interaction.id

    @property
    def payload(self) -> dict[str, Any]:
        """What was POSTed to the application."""
        return self.interaction.payload

    @property
    def status(self) -> int | None:
        """The HTTP status of the endpoint's answer; None if there was no answer."""
        return self.interaction.status

    @property
    def response_ms(self) -> float | None:
        """How long the endpoint took to answer, in milliseconds."""
        return self.interaction.response_ms

    @property
    def error(self) -> str | None:
        """What Discord's client shows instead of an answer, so far."""
        with self._desk.changed:
            return self.interaction.error(self._desk.clock.now())

    @property
    def refused(self) -> dict[str, Any] | None:
        """Discord's refusal of the endpoint's answer, if it was refused."""
        return self.interaction.refused

    @property
    def messages(self) -> list[Message]:
        """The original response and the follow-ups, as they are now."""
        with self._desk.changed:
            return self.interaction.messages

    @property
    def modal(self) -> dict[str, Any] | None:
        """The form that it opened."""
        return self.interaction.modal

    def settled(self, quiet: float = QUIET_S) -> bool:
        """Whether the answer is complete and has not changed for so many seconds."""
        with self._desk.changed:
            return self.interaction.settled(self._desk.clock.now(), quiet)

    def reply(self) -> Reply:
        """What there is now, complete or not."""
        with self._desk.changed:
            found = self.interaction
            error = found.error(self._desk.clock.now())
            reason = (found.failed or "nothing came within 3 seconds") if error else None
            return Reply(found.messages, error, reason, found.modal, found.choices)

    def wait(self, timeout: float = 30.0, *, quiet: float = QUIET_S) -> Reply:
        """What there is when it is complete.

        Complete is an error, a form, choices; or messages of which none is thinking, shows progress or is still being
        written, when nothing changed for `quiet` seconds. After a deferred update, something must change first.

        Raises:
            ExchangeTimeout: it is not complete after `timeout` seconds.
        """
        deadline = time.monotonic() + timeout
        with self._desk.changed:
            while not self.interaction.settled(self._desk.clock.now(), quiet):
                left = deadline - time.monotonic()
                if left <= 0:
                    raise ExchangeTimeout(f"not complete after {timeout} s: {self.describe()}")
                self._desk.changed.wait(min(left, _POLL_S))
            return self.reply()

    def describe(self) -> str:
        """What there is now, in a line."""
        reply = self.reply()
        shown = [f"{message.content!r} flags={message.flags}" for message in reply.messages]
        return f"response={self.interaction.response} status={self.status} error={reply.error} messages={shown}"

    def redeliver(self) -> Delivered:
        """POST the same interaction once more, signed anew; its answer is given back and not applied."""
        return self.client.playground.send(json.dumps(self.payload).encode())

    def submit(self, fields: Mapping[str, Filled] | None = None, *, force: bool = False) -> Exchange:
        """Fill in the form that it opened, by custom id or label, and send it."""
        return self.client.submit(self, fields, force=force)


class Client:
    """Somebody at a place, who does things there.

    Args:
        playground: where.
        user: their name; they exist from then on.
        manager: whether they may manage the server; by default only its owner may.
        locale: the language of their client.
        where: see `playground.world.Where`.
        roles: names of further roles that they have.
        channel: which one; by default the first.
    """

    def __init__(
        self,
        playground: Playground,
        *,
        user: str = OWNER,
        manager: bool | None = None,
        locale: str = "en-US",
        where: Where = "guild",
        roles: Sequence[str] = (),
        channel: Channel | None = None,
    ) -> None:
        self.playground = playground
        world = playground.desk.world
        self.user: User = world.user(user)
        may_manage = user == OWNER if manager is None else manager
        self.actor = Actor(self.user, may_manage, locale, tuple(roles))
        self.place = world.place(where, self.user, channel)
        self._payloads = Payloads(playground.desk)

    def command(
        self,
        name: str,
        options: Mapping[str, Value] | None = None,
        *,
        force: bool = False,
        mutate: Mutate | None = None,
        **more: Value,
    ) -> Exchange:
        """Run a slash command. `File` is the value of an attachment option.

        With `force`, what Discord's client would not send is sent all the same; `mutate` changes the payload before
        it is signed. Raises `Refused`.
        """
        chosen = choose(self._available(), name)
        given = {**(options or {}), **more}
        if not force:
            self._check_access(chosen.command)
        values = check_values(chosen.options, given, partial=force)
        interaction = self._open(COMMAND)
        data = self._payloads.command(chosen, values, interaction)
        return self._send(interaction, data, mutate)

    def autocomplete(
        self, name: str, focused: str, typed: str, options: Mapping[str, Value] | None = None
    ) -> Exchange:
        """Type into an option that offers choices. Raises `Refused`."""
        chosen = choose(self._available(), name)
        self._check_access(chosen.command)
        values = check_values(chosen.options, {**(options or {}), focused: typed}, partial=True)
        definition = next(one for one, _ in values if one["name"] == focused)
        if not definition.get("autocomplete"):
            raise Refused(f"{focused} offers no choices")
        interaction = self._open(AUTOCOMPLETE)
        interaction.focused_type = definition["type"]
        return self._send(interaction, self._payloads.command(chosen, values, interaction, focused=focused))

    def message_command(
        self, name: str, message_id: str, *, force: bool = False, mutate: Mutate | None = None
    ) -> Exchange:
        """Run a command from a message's menu. Raises `Refused`."""
        chosen = choose(self._available(), name, MESSAGE)
        if not force:
            self._check_access(chosen.command)
        message = self._message(message_id, force=force)
        interaction = self._open(COMMAND)
        return self._send(interaction, self._payloads.message_command(chosen, message), mutate)

    def click(self, message_id: str, button: str, *, force: bool = False, mutate: Mutate | None = None) -> Exchange:
        """Click a message's button, named by custom id or label. Raises `Refused`."""
        message = self._message(message_id, force=force)
        found = message.find(button)
        if found is None and force:
            found = {"type": BUTTON, "custom_id": button, "id": 1}
        if found is None or found["type"] != BUTTON or found.get("style") == LINK_BUTTON:
            raise Refused(f"the message has no button {button!r}")
        if found.get("disabled") and not force:
            raise Refused(f"the button {button!r} is disabled")
        data = {"component_type": BUTTON, "custom_id": found["custom_id"], "id": found["id"]}
        return self._send(self._open(COMPONENT, source=message), data, mutate)

    def choose(self, message_id: str, custom_id: str, values: Sequence[str], *, force: bool = False) -> Exchange:
        """Choose in a message's select; users, roles and channels go by name or id. Raises `Refused`."""
        message = self._message(message_id, force=force)
        found = message.find(custom_id)
        if found is None or found["type"] not in SELECTS:
            raise Refused(f"the message has no select {custom_id!r}")
        if not force:
            check_selection(found, values)
        interaction = self._open(COMPONENT, source=message)
        resolved: dict[str, dict[str, Any]] = {}
        data = {"component_type": found["type"], "custom_id": custom_id, "id": found["id"], "values": list(values)}
        if kind := SELECTED.get(found["type"]):
            data["values"] = [self._payloads.mention(kind, one, interaction, resolved) for one in values]
            data["resolved"] = resolved
        return self._send(interaction, data)

    def submit(
        self,
        opened: Exchange,
        fields: Mapping[str, Filled] | None = None,
        *,
        force: bool = False,
        mutate: Mutate | None = None,
    ) -> Exchange:
        """Fill in the form that an exchange opened, by custom id or label, and send it. Raises `Refused`."""
        modal = opened.modal
        if modal is None:
            raise Refused("no form was opened")
        shown = {**modal, "components": number(modal["components"])}
        interaction = self._open(MODAL_SUBMIT, source=opened.interaction.source)
        interaction.opened_by = opened.interaction
        resolved: dict[str, dict[str, Any]] = {}
        components = submitted(
            shown,
            by_custom_id(shown, fields or {}),
            lambda file: self._payloads.upload(file, interaction, resolved),
            force=force,
        )
        data: dict[str, Any] = {"custom_id": modal["custom_id"], "components": components}
        if resolved:
            data["resolved"] = resolved
        return self._send(interaction, data, mutate)

    def say(self, content: str) -> Message:
        """Write a message in the channel."""
        return self.playground.desk.say(self.user, self.place.channel, content)

    # --- inside -----------------------------------------------------------------------------------------------

    def _available(self) -> list[dict[str, Any]]:
        guild = self.place.channel.guild
        return self.playground.desk.commands.available(guild.id if guild else None)

    def _check_access(self, command: Mapping[str, Any]) -> None:
        check_access(
            command,
            context=self.place.context,
            permissions=self._payloads.permissions(self.actor, self.place.channel),
            user_install=self.place.user_install_only,
        )

    def _message(self, message_id: str, *, force: bool) -> Message:
        desk = self.playground.desk
        with desk.changed:
            message = desk.messages.get(message_id)
            if message is None or message.deleted:
                raise Refused(f"there is no message {message_id}")
            asked = desk.interactions.get(message.interaction_id or "")
            if message.ephemeral and not force and (asked is None or asked.user != self.user):
                raise Refused(f"there is no message {message_id} that {self.user.name} can see")
            if message.channel.id != self.place.channel.id and not force:
                raise Refused(f"message {message_id} is in another channel")
            return message

    def _open(self, kind: int, *, source: Message | None = None) -> Interaction:
        interaction = self.playground.desk.open(kind, self.user, self.place)
        interaction.source = source
        return interaction

    def _send(self, interaction: Interaction, data: Mapping[str, Any], mutate: Mutate | None = None) -> Exchange:
        desk = self.playground.desk
        with desk.changed:
            interaction.payload = self._payloads.envelope(interaction, self.actor, data)
            if mutate is not None:
                mutate(interaction.payload)
            interaction.sent_at = desk.clock.now()
        deliver(desk, self.playground.interactions_url, interaction)
        return Exchange(self, interaction)
