"""Filling in a modal as a person would, with the checks of Discord's client. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from playground.cdn import File
from playground.errors import Refused
from playground.rules_components import LABEL, ROW, SELECTS, STRING_SELECT, TEXT_DISPLAY, TEXT_INPUT
from playground.rules_modals import CHECKBOX, CHECKBOX_GROUP, FILE_UPLOAD, RADIO_GROUP

MAX_TEXT: Final = 4000
Filled = str | bool | Sequence[str] | File | Sequence[File]


class ModalField(NamedTuple):
    """One thing to fill in."""

    custom_id: str
    label: str
    kind: int
    component: Mapping[str, Any]

    @property
    def required(self) -> bool:
        """Whether it must be filled in."""
        return self.component.get("required", True) is not False and self.kind != CHECKBOX

    @property
    def value(self) -> str:
        """The text that is there at first."""
        return str(self.component.get("value") or "")


def modal_fields(modal: Mapping[str, Any]) -> list[ModalField]:
    """What there is to fill in, in order."""
    found = []
    for component in modal["components"]:
        if component["type"] == LABEL:
            inner = component["component"]
            found.append(ModalField(inner["custom_id"], component["label"], inner["type"], inner))
        elif component["type"] == ROW:
            inner = component["components"][0]
            found.append(ModalField(inner["custom_id"], inner["label"], inner["type"], inner))
    return found


def by_custom_id(modal: Mapping[str, Any], values: Mapping[str, Filled]) -> dict[str, Filled]:
    """The values under the custom ids of their fields, which may be named by label. Raises `Refused`."""
    fields = modal_fields(modal)
    found: dict[str, Filled] = {}
    for name, value in values.items():
        named = [field for field in fields if field.custom_id == name]
        named = named or [field for field in fields if field.label.casefold() == name.casefold()]
        if not named:
            raise Refused(f"the form has no field {name!r}; it has: {', '.join(field.custom_id for field in fields)}")
        found[named[0].custom_id] = value
    return found


def submitted(
    modal: Mapping[str, Any],
    values: Mapping[str, Filled],
    upload: Callable[[File], str],
    *,
    force: bool = False,
) -> list[dict[str, Any]]:
    """The `components` of the submission.

    Args:
        modal: as Discord gave it ids.
        values: by custom id; what is missing keeps the value that the form came with.
        upload: keeps a file and returns its id.
        force: send it whatever it is.

    Raises:
        Refused: Discord's client would not send it.
    """
    shown: list[dict[str, Any]] = []
    for component in modal["components"]:
        if component["type"] == TEXT_DISPLAY:
            shown.append({"type": TEXT_DISPLAY, "id": component["id"]})
            continue
        labelled = component["type"] == LABEL
        inner = component["component"] if labelled else component["components"][0]
        value = values.get(inner["custom_id"])
        if not force:
            _check(inner, value)
        filled = _filled(inner, value, upload)
        place = {"component": filled} if labelled else {"components": [filled]}
        shown.append({"type": component["type"], "id": component["id"], **place})
    return shown


def _many(value: Filled | None) -> list[str | File]:
    if value is None or isinstance(value, bool):
        return []
    return [value] if isinstance(value, str | File) else list(value)


def _filled(inner: Mapping[str, Any], value: Filled | None, upload: Callable[[File], str]) -> dict[str, Any]:
    kind = inner["type"]
    answer: dict[str, Any] = {"type": kind, "id": inner["id"], "custom_id": inner["custom_id"]}
    if kind == TEXT_INPUT:
        answer["value"] = value if isinstance(value, str) else str(inner.get("value") or "")
    elif kind == FILE_UPLOAD:
        answer["values"] = [upload(file) for file in _many(value) if isinstance(file, File)]
    elif kind == RADIO_GROUP:
        answer["value"] = value if isinstance(value, str) else None
    elif kind == CHECKBOX:
        answer["value"] = bool(inner.get("default")) if value is None else value in {True, "true"}
    else:
        answer["values"] = [one for one in _many(value) if isinstance(one, str)]
    return answer


def _check(inner: Mapping[str, Any], value: Filled | None) -> None:
    name, kind = inner["custom_id"], inner["type"]
    required = inner.get("required", True) is not False
    if kind == TEXT_INPUT:
        text = value if value is not None else inner.get("value") or ""
        if not isinstance(text, str):
            raise Refused(f"{name} takes text")
        low = inner.get("min_length") or (1 if required else 0)
        high = inner.get("max_length") or MAX_TEXT
        if (text or required) and not low <= len(text) <= high:
            raise Refused(f"{name} takes {low} to {high} characters, not {len(text)}")
        return
    if kind == CHECKBOX:
        return
    given = _many(value)
    if not given and not required:
        return
    low = inner.get("min_values", 1)
    high = inner.get("max_values") or (len(inner["options"]) if kind == CHECKBOX_GROUP else 1)
    if not low <= len(given) <= high:
        raise Refused(f"{name} takes {low} to {high} values, not {len(given)}")
    if kind == FILE_UPLOAD and not all(isinstance(one, File) for one in given):
        raise Refused(f"{name} takes files")
    if kind in {STRING_SELECT, RADIO_GROUP, CHECKBOX_GROUP}:
        known = {option["value"] for option in inner["options"]}
        if not known.issuperset(one for one in given if isinstance(one, str)):
            raise Refused(f"{name} takes: {', '.join(sorted(known))}")


def check_selection(component: Mapping[str, Any], values: Sequence[str]) -> None:
    """Raise `Refused` unless these may be chosen in a message's select."""
    name = component["custom_id"]
    low, high = component.get("min_values", 1), component.get("max_values", 1)
    if not low <= len(values) <= high:
        raise Refused(f"{name} takes {low} to {high} values, not {len(values)}")
    if component["type"] == STRING_SELECT and not {option["value"] for option in component["options"]} >= set(values):
        raise Refused(f"{name} has no such option")
    if component["type"] not in SELECTS:
        raise Refused(f"{name} is not a select")
