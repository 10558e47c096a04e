"""Characters that would make a text look like another one, or a file invalid, made visible or taken out. Pure."""

from __future__ import annotations

import re
from typing import Final

_UNSEEN: Final = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff\ufffe\uffff]"
)
"""Control characters but tab and line feed; what overrides the direction of writing (Unicode Technical Report 36);
spaces without width; and what is no character at all. Marks of direction and joiners stay: Arabic, Hebrew, Persian
and emoji need them, and they reach no further than the element they stand in."""
_PICTURES: Final = 0x2400
"""Where Unicode has pictures of the control characters."""
_NOT_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Source: XML 1.0, production 2 (Char)."""


def visible(text: str) -> str:
    """The text, with characters that are not seen but change what is seen shown as what they are, as `[U+202E]`."""
    return _UNSEEN.sub(_shown, text.replace("\r\n", "\n"))


def for_xml(text: str) -> str:
    """The text without what XML cannot hold."""
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)


def _shown(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < ord(" "):
        return chr(_PICTURES + code)
    if 0xD800 <= code <= 0xDFFF or code >= 0xFFFE:  # noqa: PLR2004 - half a character, or none
        return "\N{REPLACEMENT CHARACTER}"
    return f"[U+{code:04X}]"
