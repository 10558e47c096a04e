"""A reply as a person would see it, in a terminal. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from playground.modal_fields import modal_fields
from playground.rules_components import BUTTON, SELECTS, TEXT_DISPLAY, walk
from playground.rules_messages import EPHEMERAL

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DIM = "\x1b[2m"
RESET = "\x1b[0m"
_UNITS = ("bytes", "KiB", "MiB", "GiB")
_STEP = 1024


_SPACES = "\n\t\N{NO-BREAK SPACE}\N{NARROW NO-BREAK SPACE}\N{THIN SPACE}"


def printable(text: str) -> str:
    """Text without control characters, which could move the cursor or hide things; lines, tabs and spaces stay."""
    return "".join(one if one in _SPACES or one.isprintable() else "�" for one in text)


def size(count: int) -> str:
    """A number of bytes for people."""
    amount, unit = float(count), 0
    while amount >= _STEP and unit + 1 < len(_UNITS):
        amount, unit = amount / _STEP, unit + 1
    return f"{amount:.0f} {_UNITS[unit]}" if unit == 0 else f"{amount:.1f} {_UNITS[unit]}"


def render_message(message: Mapping[str, Any], *, color: bool) -> str:
    """One message: text, embeds, buttons, files, who sees it, and its id."""
    lines = [printable(line) for line in _lines(message)]
    if message["flags"] & EPHEMERAL:
        lines.append("(only you can see this)")
    note = f"message {message['id']}"
    lines.append(f"{DIM}{note}{RESET}" if color else note)
    return "\n".join(lines)


def _lines(message: Mapping[str, Any]) -> Iterator[str]:
    if message["content"]:
        yield message["content"]
    for embed in message["embeds"]:
        yield from (embed[name] for name in ("title", "description") if embed.get(name))
        yield from (f"{field['name']}: {field['value']}" for field in embed.get("fields") or ())
        if (footer := embed.get("footer")) and footer.get("text"):
            yield footer["text"]
    parts = list(walk(message["components"]))
    yield from (part["content"] for part in parts if part["type"] == TEXT_DISPLAY)
    buttons = [_button(part) for part in parts if part["type"] == BUTTON]
    if buttons:
        yield " ".join(buttons)
    for part in parts:
        if part["type"] in SELECTS:
            options = ", ".join(option["label"] for option in part.get("options") or ())
            yield f"[{part.get('placeholder') or part['custom_id']} ▾] {options}".rstrip()
    for attachment in message["attachments"]:
        spoken = attachment.get("waveform")
        sign, length = ("🎤", f", {attachment['duration_secs']:.1f} s") if spoken else ("📎", "")
        yield f"{sign} {attachment['filename']} ({size(attachment['size'])}{length}) {attachment['url']}"


def _button(part: Mapping[str, Any]) -> str:
    emoji = (part.get("emoji") or {}).get("name") or ""
    return f"[{' '.join(text for text in (emoji, part.get('label') or '') if text)}]"


def render_modal(modal: Mapping[str, Any]) -> str:
    """A form: its title and what there is to fill in."""
    lines = [printable(f"Form: {modal['title']}")]
    for field in modal_fields(modal):
        required = "" if field.required else " (optional)"
        lines.append(printable(f"  {field.custom_id}: {field.label}{required}"))
        if field.value:
            lines.append(printable(f"    now: {field.value}"))
    lines.append("Fill it in with --fill field=value for each field.")
    return "\n".join(lines)


def render_choices(choices: list[Mapping[str, Any]]) -> str:
    """What an autocomplete offers."""
    return "\n".join(printable(f"{choice['name']}\t{choice['value']}") for choice in choices) or "(no choices)"
