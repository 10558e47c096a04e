"""Which object keys are accepted. Pure."""

from __future__ import annotations

import unicodedata
from typing import Final

from trainer.ports import InvalidKey

MAX_KEY_BYTES: Final = 900
"""S3 allows 1024 bytes for a key; a bucket prefix needs room too."""
MAX_SEGMENT_BYTES: Final = 200
"""File systems allow 255 bytes for a name; escaping may need some of them."""


def check_key(key: str) -> None:
    """Raise `InvalidKey` unless every store takes `key` and no store can be led outside by it.

    Accepted: 1 to 900 UTF-8 bytes, in Unicode normal form C, in segments of 1 to 200 bytes separated by `/`,
    none of them `.` or `..`, without control characters, backslashes, surrogates or unassigned characters.
    """
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        raise InvalidKey("a key must be valid Unicode") from None
    if not 0 < size <= MAX_KEY_BYTES:
        raise InvalidKey(f"a key has 1 to {MAX_KEY_BYTES} bytes")
    if not unicodedata.is_normalized("NFC", key):
        raise InvalidKey("a key must be in Unicode normal form C")
    if "\\" in key or any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"} for char in key):
        raise InvalidKey("a key must not hold control characters or backslashes")
    for segment in key.split("/"):
        if segment in {"", ".", ".."} or len(segment.encode()) > MAX_SEGMENT_BYTES:
            raise InvalidKey("a key's segments must not be empty, dots or over 200 bytes long")
