"""Messages that the sidecar writes, and their JSON. Pure.

Source: https://discord.com/developers/docs/components/reference#button
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

CONTENT_MOST: Final = 2000
"""Characters of a message's text."""
_ROW: Final = 1
_BUTTON: Final = 2
_IN_A_ROW: Final = 5
_STYLES: Final = {"primary": 1, "secondary": 2, "success": 3, "danger": 4}

Json = dict[str, object]


class Button(NamedTuple):
    """A button below a message. The HTTP side answers it, by its custom id: `<handler>:<what it is about>`."""

    custom_id: str
    label: str = ""
    style: Literal["primary", "secondary", "success", "danger"] = "secondary"
    emoji: str = ""


class Message(NamedTuple):
    """What is written. It pings nobody, whatever its text says."""

    text: str
    buttons: tuple[Button, ...] = ()

    def json(self) -> Json:
        """Discord's form, both of a new message and of a changed one."""
        rows = [self.buttons[at : at + _IN_A_ROW] for at in range(0, len(self.buttons), _IN_A_ROW)]
        return {
            "content": self.text[:CONTENT_MOST],
            "components": [{"type": _ROW, "components": [_button(one) for one in row]} for row in rows],
            "allowed_mentions": {"parse": []},
        }


def _button(button: Button) -> Json:
    shown: Json = {"type": _BUTTON, "style": _STYLES[button.style], "custom_id": button.custom_id}
    if button.label:
        shown["label"] = button.label
    if button.emoji:
        shown["emoji"] = {"name": button.emoji}
    return shown
