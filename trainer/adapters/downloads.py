"""The name under which a browser saves a downloaded object. Pure."""

from __future__ import annotations

import unicodedata
from typing import Final
from urllib.parse import quote

MAX_NAME_CHARS: Final = 120
FALLBACK_NAME: Final = "download"
_FORBIDDEN: Final = frozenset('/\\:*?"<>|;%')
"""Separators of paths and of header fields, and what common file systems refuse."""


def safe_filename(wanted: str) -> str:
    """A name that no system takes for a path, a command or a header; `download` if nothing is left of `wanted`."""
    shown = "".join(
        "_"
        if char in _FORBIDDEN or unicodedata.category(char) in {"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"}
        else char
        for char in wanted
    )
    shown = shown.strip(" .")
    if len(shown) > MAX_NAME_CHARS:
        stem, dot, ending = shown.rpartition(".")
        kept = f".{ending}" if dot and len(ending) < MAX_NAME_CHARS // 2 else ""
        shown = f"{(stem if kept else shown)[: MAX_NAME_CHARS - len(kept)].rstrip(' .')}{kept}"
    return shown or FALLBACK_NAME


def content_disposition(filename: str) -> str:
    """The header that makes a browser save the answer as `filename` (RFC 6266, names beyond ASCII by RFC 8187)."""
    name = safe_filename(filename)
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    header = f'attachment; filename="{plain}"'
    return header if plain == name else f"{header}; filename*=UTF-8''{quote(name, safe='')}"
