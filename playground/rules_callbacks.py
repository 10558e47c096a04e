"""What Discord accepts as the first response to an interaction. Pure.

Source: Discord's documentation, interactions/receiving-and-responding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from playground.errors import empty_message
from playground.forms import Fields, FormErrors, form
from playground.rules_messages import EPHEMERAL, Upload, Use, check_message
from playground.rules_modals import check_modal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Kinds of interactions.
PING: Final = 1
COMMAND: Final = 2
COMPONENT: Final = 3
AUTOCOMPLETE: Final = 4
MODAL_SUBMIT: Final = 5

# Kinds of responses.
PONG: Final = 1
MESSAGE: Final = 4
DEFERRED_MESSAGE: Final = 5
DEFERRED_UPDATE: Final = 6
UPDATE: Final = 7
CHOICES: Final = 8
MODAL: Final = 9

MAX_CHOICES: Final = 25
MAX_CHOICE: Final = 100
MAX_NUMBER: Final = 2**53

_ALLOWED: Final = {
    PING: (PONG,),
    COMMAND: (MESSAGE, DEFERRED_MESSAGE, MODAL),
    COMPONENT: (MESSAGE, DEFERRED_MESSAGE, DEFERRED_UPDATE, UPDATE, MODAL),
    AUTOCOMPLETE: (CHOICES,),
    MODAL_SUBMIT: (MESSAGE, DEFERRED_MESSAGE),
}
_KNOWN: Final = (PONG, MESSAGE, DEFERRED_MESSAGE, DEFERRED_UPDATE, UPDATE, CHOICES, MODAL)


def allowed_responses(interaction: int, *, on_message: bool) -> tuple[int, ...]:
    """The kinds of responses to this kind of interaction.

    A modal that a component of a message opened may also update that message.
    """
    allowed = _ALLOWED[interaction]
    if interaction == MODAL_SUBMIT and on_message:
        return (*allowed, DEFERRED_UPDATE, UPDATE)
    return allowed


def check_callback(
    body: object,
    uploads: Sequence[Upload],
    *,
    interaction: int,
    on_message: bool,
    size_limit: int,
    flags_before: int = 0,
    focused_type: int | None = None,
) -> int:
    """Raise `DiscordError` unless Discord takes this response; returns its type.

    Args:
        body: the JSON of the response.
        uploads: its files.
        interaction: the type of the interaction.
        on_message: whether the interaction came from a message's component, or from a modal that one opened.
        size_limit: bytes that each file may have.
        flags_before: of the message that the component belongs to.
        focused_type: for autocomplete, the type of the option being typed.
    """
    errors = FormErrors()
    fields = form(body, errors)
    kind = fields.choice("type", _KNOWN, required=True)
    errors.raise_if_any()
    if kind not in allowed_responses(interaction, on_message=on_message):
        fields.fail("type", "INTERACTION_RESPONSE_TYPE_INVALID", "This response does not fit this interaction.")
        errors.raise_if_any()
    data = fields.object("data", required=kind in {CHOICES, MODAL})
    errors.raise_if_any()
    if kind in {MESSAGE, UPDATE}:
        _check_message_data(
            data,
            uploads,
            use=Use.REPLY if kind == MESSAGE else Use.EDIT,
            size_limit=size_limit,
            flags_before=flags_before if kind == UPDATE else 0,
        )
    elif kind == DEFERRED_MESSAGE and data is not None:
        flags = data.integer("flags", low=0, high=MAX_NUMBER) or 0
        if flags & ~EPHEMERAL:
            data.fail("flags", "BASE_TYPE_CHOICES", "Only the ephemeral flag may be set on a deferred response.")
    elif kind == CHOICES and data is not None:
        check_choices(data, focused_type)
    elif kind == MODAL and data is not None:
        check_modal(data)
    errors.raise_if_any()
    return int(kind or 0)


def _check_message_data(
    data: Fields | None, uploads: Sequence[Upload], *, use: Use, size_limit: int, flags_before: int
) -> None:
    """The message lies below `data`, so its errors do, too."""
    if data is None:
        if use is Use.REPLY and not uploads:
            raise empty_message()
        return
    check_message(data.value, uploads, use=use, size_limit=size_limit, flags_before=flags_before, path=data.path)


def check_choices(data: Fields, focused_type: int | None) -> None:
    """Note what is wrong with the choices that an autocomplete offers."""
    text, whole = 3, 4
    for choice in data.objects("choices", high=MAX_CHOICES, required=True):
        choice.string("name", low=1, high=MAX_CHOICE, required=True)
        check_localizations(choice, "name_localizations", high=MAX_CHOICE)
        if focused_type in {text, None}:
            choice.string("value", high=MAX_CHOICE, required=True)
        elif focused_type == whole:
            choice.integer("value", low=-MAX_NUMBER, high=MAX_NUMBER, required=True)
        else:
            choice.number("value", low=-MAX_NUMBER, high=MAX_NUMBER, required=True)


LOCALES: Final = frozenset(
    [
        "id",
        "da",
        "de",
        "en-GB",
        "en-US",
        "es-ES",
        "es-419",
        "fr",
        "hr",
        "it",
        "lt",
        "hu",
        "nl",
        "no",
        "pl",
        "pt-BR",
        "ro",
        "fi",
        "sv-SE",
        "vi",
        "tr",
        "cs",
        "el",
        "bg",
        "ru",
        "uk",
        "hi",
        "th",
        "zh-CN",
        "ja",
        "zh-TW",
        "ko",
    ]
)


def check_localizations(owner: Fields, name: str, *, high: int) -> Mapping[str, Any]:
    """Note what is wrong with texts by locale; returns them."""
    texts = owner.object(name)
    if texts is None:
        return {}
    for locale in texts.value:
        if locale not in LOCALES:
            texts.fail(locale, "ENUM_TYPE_COERCE", "The value is not a locale.")
        else:
            texts.string(locale, low=1, high=high, required=True)
    return texts.value
