"""What Discord accepts as the components of a message: rows of buttons and selects, or the second version. Pure.

Limits: Discord's documentation, components/reference.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from playground.forms import Fields

ROW: Final = 1
BUTTON: Final = 2
STRING_SELECT: Final = 3
TEXT_INPUT: Final = 4
SELECTS: Final = frozenset({3, 5, 6, 7, 8})
SECTION: Final = 9
TEXT_DISPLAY: Final = 10
THUMBNAIL: Final = 11
MEDIA_GALLERY: Final = 12
FILE: Final = 13
SEPARATOR: Final = 14
LABEL: Final = 18
CONTAINER: Final = 17

LINK_BUTTON: Final = 5
PREMIUM_BUTTON: Final = 6

MAX_ROWS: Final = 5
MAX_BUTTONS: Final = 5
MAX_CUSTOM_ID: Final = 100
MAX_LABEL: Final = 80
MAX_BUTTON_URL: Final = 512
MAX_OPTIONS: Final = 25
MAX_OPTION_TEXT: Final = 100
MAX_PLACEHOLDER: Final = 150
MAX_V2: Final = 40
MAX_V2_TEXT: Final = 4000
MAX_MEDIA: Final = 10
MAX_MEDIA_URL: Final = 2048
MAX_MEDIA_TEXT: Final = 1024
MAX_SECTION_TEXTS: Final = 3
MAX_ID: Final = 2**31 - 1
MAX_COLOR: Final = 0xFFFFFF


def walk(components: object) -> Iterator[Mapping[str, Any]]:
    """Every component within a message or a modal, in order, containers before their contents."""
    if not isinstance(components, list):
        return
    for component in components:
        if isinstance(component, Mapping):
            yield component
            yield from walk(component.get("components"))
            for name in ("accessory", "component"):
                yield from walk([component.get(name)])


def check_components(message: Fields, *, second_version: bool) -> None:
    """Note what is wrong with the components of a message."""
    allowed = {ROW, SECTION, TEXT_DISPLAY, MEDIA_GALLERY, FILE, SEPARATOR, CONTAINER} if second_version else {ROW}
    for component in message.objects("components", high=MAX_V2 if second_version else MAX_ROWS):
        _check_one(component, allowed)
    listed = list(walk(message.value.get("components")))
    if second_version and len(listed) > MAX_V2:
        message.fail("components", "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED", f"The maximum is {MAX_V2}.")
    texts = [component.get("content") for component in listed if component.get("type") == TEXT_DISPLAY]
    if sum(len(text) for text in texts if isinstance(text, str)) > MAX_V2_TEXT:
        message.fail("components", "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED", f"Text exceeds {MAX_V2_TEXT}.")
    check_unique_ids(message)


def check_unique_ids(owner: Fields) -> None:
    """Note custom ids and numeric ids that two components share."""
    for name, code in (("custom_id", "COMPONENT_CUSTOM_ID_DUPLICATED"), ("id", "COMPONENT_ID_DUPLICATED")):
        seen: set[object] = set()
        for component in walk(owner.value.get("components")):
            value = component.get(name)
            if not value or not isinstance(value, str | int):
                continue
            if value in seen:
                owner.fail("components", code, f"Component {name.replace('_', ' ')} cannot be duplicated")
            seen.add(value)


def _check_one(component: Fields, allowed: set[int]) -> None:
    kind = component.choice("type", sorted(allowed), required=True)
    component.integer("id", low=0, high=MAX_ID)
    if kind == ROW:
        _check_row(component)
    elif kind == SECTION:
        _check_section(component)
    elif kind == TEXT_DISPLAY:
        component.string("content", low=1, high=MAX_V2_TEXT, required=True)
    elif kind == MEDIA_GALLERY:
        for item in component.objects("items", low=1, high=MAX_MEDIA, required=True):
            check_media(item, "media")
            item.string("description", low=1, high=MAX_MEDIA_TEXT)
    elif kind == FILE:
        check_media(component, "file", attachment=True)
    elif kind == SEPARATOR:
        component.boolean("divider")
        component.choice("spacing", (1, 2))
    elif kind == CONTAINER:
        component.integer("accent_color", low=0, high=MAX_COLOR)
        for child in component.objects("components", low=1, high=MAX_V2, required=True):
            _check_one(child, allowed - {CONTAINER})


def check_media(owner: Fields, name: str, *, attachment: bool = False) -> None:
    """Note what is wrong with a link to media; some places take only files of the same message."""
    media = owner.object(name, required=True)
    url = media.string("url", low=1, high=MAX_MEDIA_URL, required=True) if media else None
    schemes = ("attachment://",) if attachment else ("http://", "https://", "attachment://")
    if media and url and not url.lower().startswith(schemes):
        media.fail("url", "URL_TYPE_INVALID_SCHEME", "Scheme is not one of the accepted ones.")


def _check_section(section: Fields) -> None:
    for text in section.objects("components", low=1, high=MAX_SECTION_TEXTS, required=True):
        text.choice("type", (TEXT_DISPLAY,), required=True)
        text.string("content", low=1, high=MAX_V2_TEXT, required=True)
    accessory = section.object("accessory", required=True)
    if accessory is None:
        return
    if accessory.choice("type", (BUTTON, THUMBNAIL), required=True) == BUTTON:
        check_button(accessory)
    else:
        check_media(accessory, "media")


def _check_row(row: Fields) -> None:
    children = row.objects("components", low=1, high=MAX_BUTTONS, required=True)
    for child in children:
        kind = child.choice("type", (BUTTON, *sorted(SELECTS)), required=True)
        if kind == BUTTON:
            check_button(child)
        elif kind is not None:
            check_select(child)
            if len(children) > 1:
                row.fail("components", "COMPONENT_LAYOUT_WIDTH_EXCEEDED", "The components' total width exceeds 5.")


def check_button(button: Fields) -> None:
    """Note what is wrong with a button."""
    style = button.choice("style", (1, 2, 3, 4, 5, 6), required=True)
    button.string("label", high=MAX_LABEL)
    button.boolean("disabled")
    button.integer("id", low=0, high=MAX_ID)
    button.string("url", high=MAX_BUTTON_URL)
    button.string("custom_id", low=1, high=MAX_CUSTOM_ID)
    button.snowflake("sku_id")
    _check_emoji(button)
    if style == LINK_BUTTON:
        if not button.has("url"):
            button.fail("url", "BASE_TYPE_REQUIRED", "This field is required")
        if button.has("custom_id"):
            button.fail("custom_id", "COMPONENT_CUSTOM_ID_FORBIDDEN", "A link button cannot have a custom id")
    elif style == PREMIUM_BUTTON:
        button.snowflake("sku_id", required=True)
    elif style is not None:
        if not button.has("custom_id"):
            button.fail("custom_id", "BASE_TYPE_REQUIRED", "This field is required")
        if button.has("url"):
            button.fail("url", "COMPONENT_URL_FORBIDDEN", "A custom id and url cannot both be specified")
    if style not in {PREMIUM_BUTTON, None} and not button.value.get("label") and not button.has("emoji"):
        button.fail("", "BUTTON_COMPONENT_INVALID_EMPTY", "A button must have a label or an emoji")


def _check_emoji(owner: Fields) -> None:
    if emoji := owner.object("emoji"):
        emoji.string("name", high=32, required=not emoji.has("id"))
        emoji.snowflake("id")


def check_select(select: Fields, *, modal: bool = False) -> None:
    """Note what is wrong with a select of any kind."""
    select.string("custom_id", low=1, high=MAX_CUSTOM_ID, required=True)
    select.string("placeholder", high=MAX_PLACEHOLDER)
    select.boolean("required")
    select.boolean("disabled")
    select.integer("id", low=0, high=MAX_ID)
    if modal and select.value.get("disabled"):
        select.fail("disabled", "COMPONENT_DISABLED_IN_MODAL", "A component of a modal cannot be disabled")
    low = select.integer("min_values", low=0, high=MAX_OPTIONS)
    high = select.integer("max_values", low=1, high=MAX_OPTIONS)
    check_range(select, low, high)
    select.items("default_values", high=MAX_OPTIONS)
    if select.value.get("type") == STRING_SELECT:
        options = check_options(select, "options", low=1, high=MAX_OPTIONS)
        if low is not None and options and low > options:
            select.fail("min_values", "SELECT_MIN_VALUES_ABOVE_OPTIONS", "More values than options are required")


def check_range(owner: Fields, low: int | None, high: int | None) -> None:
    """Note a minimum above the maximum; both are 1 unless said."""
    if low is not None and low > (high if high is not None else max(low, 1)):
        owner.fail("min_values", "NUMBER_TYPE_RANGE", "min_values should not be above max_values.")


def check_options(owner: Fields, name: str, *, low: int, high: int) -> int:
    """Note what is wrong with the options of a choice; returns how many there are."""
    options = owner.objects(name, low=low, high=high, required=True)
    seen: set[str] = set()
    for option in options:
        option.string("label", low=1, high=MAX_OPTION_TEXT, required=True)
        option.string("description", high=MAX_OPTION_TEXT)
        option.boolean("default")
        _check_emoji(option)
        value = option.string("value", low=1, high=MAX_OPTION_TEXT, required=True)
        if value in seen:
            option.fail("value", "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED", "The option value is already used")
        if value is not None:
            seen.add(value)
    return len(options)
