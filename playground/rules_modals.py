"""What Discord accepts as a modal. Pure.

Limits: Discord's documentation, interactions/receiving-and-responding and components/reference.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from playground.rules_components import (
    LABEL,
    MAX_CUSTOM_ID,
    MAX_ID,
    ROW,
    SELECTS,
    TEXT_DISPLAY,
    TEXT_INPUT,
    check_options,
    check_range,
    check_select,
    check_unique_ids,
)

if TYPE_CHECKING:
    from playground.forms import Fields

FILE_UPLOAD: Final = 19
RADIO_GROUP: Final = 21
CHECKBOX_GROUP: Final = 22
CHECKBOX: Final = 23

MAX_TITLE: Final = 45
MAX_COMPONENTS: Final = 5
MAX_LABEL: Final = 45
MAX_DESCRIPTION: Final = 100
MAX_TEXT: Final = 4000
MAX_PLACEHOLDER: Final = 100
MAX_UPLOADS: Final = 10
MAX_GROUP: Final = 10
_FILE_TYPE: Final = re.compile(r"image|video|audio|\.[A-Za-z0-9]+")


def check_modal(modal: Fields) -> None:
    """Note what is wrong with a modal."""
    modal.string("custom_id", low=1, high=MAX_CUSTOM_ID, required=True)
    modal.string("title", low=1, high=MAX_TITLE, required=True)
    for component in modal.objects("components", low=1, high=MAX_COMPONENTS, required=True):
        component.integer("id", low=0, high=MAX_ID)
        kind = component.choice("type", (ROW, TEXT_DISPLAY, LABEL), required=True)
        if kind == TEXT_DISPLAY:
            component.string("content", low=1, high=MAX_TEXT, required=True)
        elif kind == LABEL:
            _check_label(component)
        elif kind == ROW:
            for child in component.objects("components", low=1, high=1, required=True):
                child.choice("type", (TEXT_INPUT,), required=True)
                child.string("label", low=1, high=MAX_LABEL, required=True)
                _check_text_input(child)
    check_unique_ids(modal)


def _check_label(label: Fields) -> None:
    label.string("label", low=1, high=MAX_LABEL, required=True)
    label.string("description", low=1, high=MAX_DESCRIPTION)
    child = label.object("component", required=True)
    if child is None:
        return
    kinds = (*sorted(SELECTS), TEXT_INPUT, FILE_UPLOAD, RADIO_GROUP, CHECKBOX_GROUP, CHECKBOX)
    kind = child.choice("type", kinds, required=True)
    child.integer("id", low=0, high=MAX_ID)
    if kind == TEXT_INPUT:
        if child.has("label"):
            child.fail("label", "TEXT_INPUT_LABEL_IN_LABEL", "A text input within a label has no label of its own")
        _check_text_input(child)
    elif kind == FILE_UPLOAD:
        _check_file_upload(child)
    elif kind in SELECTS:
        check_select(child, modal=True)
    elif kind is not None:
        _check_boxes(child, int(kind))


def _check_text_input(text: Fields) -> None:
    text.string("custom_id", low=1, high=MAX_CUSTOM_ID, required=True)
    text.choice("style", (1, 2), required=True)
    text.boolean("required")
    low = text.integer("min_length", low=0, high=MAX_TEXT)
    high = text.integer("max_length", low=1, high=MAX_TEXT)
    if low is not None and high is not None and low > high:
        text.fail("min_length", "NUMBER_TYPE_RANGE", "min_length should not be above max_length.")
    text.string("value", high=MAX_TEXT if high is None else high)
    text.string("placeholder", high=MAX_PLACEHOLDER)


def _check_file_upload(upload: Fields) -> None:
    upload.string("custom_id", low=1, high=MAX_CUSTOM_ID, required=True)
    upload.boolean("required")
    low = upload.integer("min_values", low=0, high=MAX_UPLOADS)
    high = upload.integer("max_values", low=1, high=MAX_UPLOADS)
    check_range(upload, low, high)
    check_file_types(upload)


def check_file_types(owner: Fields) -> None:
    """Note kinds of files that Discord does not know: image, video, audio, or a dot and an extension."""
    for index, kind in enumerate(owner.items("file_types", high=10) or ()):
        if not isinstance(kind, str) or _FILE_TYPE.fullmatch(kind) is None:
            owner.errors.add((*owner.path, "file_types", str(index)), "BASE_TYPE_CHOICES", "Unknown kind of file.")


def _check_boxes(boxes: Fields, kind: int) -> None:
    boxes.string("custom_id", low=1, high=MAX_CUSTOM_ID, required=True)
    if kind == CHECKBOX:
        boxes.boolean("default")
        return
    boxes.boolean("required")
    check_options(boxes, "options", low=2 if kind == RADIO_GROUP else 1, high=MAX_GROUP)
    if kind == CHECKBOX_GROUP:
        low = boxes.integer("min_values", low=0, high=MAX_GROUP)
        high = boxes.integer("max_values", low=1, high=MAX_GROUP)
        check_range(boxes, low, high)
