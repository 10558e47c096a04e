"""What a person does, as JSON: the command line and web pages send it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from playground.cdn import File
from playground.errors import Refused
from playground.world import OWNER

if TYPE_CHECKING:
    from playground.clients import Exchange
    from playground.modal_fields import Filled
    from playground.options import Value
    from playground.server import Playground


class Uploaded(msgspec.Struct, forbid_unknown_fields=True):
    """A file; its data is base64 in JSON."""

    filename: str
    data: bytes
    content_type: str | None = None

    def file(self) -> File:
        """The file itself."""
        return File(self.filename, self.data, self.content_type)


class Act(msgspec.Struct, forbid_unknown_fields=True):
    """One thing that somebody does.

    Attributes:
        do: what.
        name: of a command, or the custom id or label of a component.
        options: of a command.
        message_id: of the message with the component, or that the command is about.
        values: chosen in a select.
        exchange: for a submission, the id of the exchange that opened the form.
        fields: what is filled in, by custom id or label.
        focused: the option that is typed into; typed: the text so far.
    """

    do: Literal["command", "message_command", "click", "choose", "submit", "autocomplete"]
    name: str = ""
    user: str = OWNER
    manager: bool | None = None
    locale: str = "en-US"
    where: Literal["guild", "dm", "private", "elsewhere"] = "guild"
    roles: list[str] = []
    options: dict[str, str | int | float | bool | Uploaded] = {}
    message_id: str = ""
    values: list[str] = []
    exchange: str = ""
    fields: dict[str, str | bool | list[str] | Uploaded] = {}
    focused: str = ""
    typed: str = ""
    force: bool = False


def perform(playground: Playground, act: Act, opened: Exchange | None) -> Exchange:
    """Do it. Raises `Refused`."""
    client = playground.client(act.user, manager=act.manager, locale=act.locale, where=act.where, roles=act.roles)
    if act.do == "command":
        options: dict[str, Value] = {
            name: value.file() if isinstance(value, Uploaded) else value for name, value in act.options.items()
        }
        return client.command(act.name, options, force=act.force)
    if act.do == "message_command":
        return client.message_command(act.name, act.message_id, force=act.force)
    if act.do == "click":
        return client.click(act.message_id, act.name, force=act.force)
    if act.do == "choose":
        return client.choose(act.message_id, act.name, act.values, force=act.force)
    if act.do == "autocomplete":
        plain = {name: value for name, value in act.options.items() if not isinstance(value, Uploaded)}
        return client.autocomplete(act.name, act.focused, act.typed, plain)
    if opened is None:
        raise Refused("there is no exchange that opened a form")
    fields: dict[str, Filled] = {
        name: value.file() if isinstance(value, Uploaded) else value for name, value in act.fields.items()
    }
    return client.submit(opened, fields, force=act.force)
