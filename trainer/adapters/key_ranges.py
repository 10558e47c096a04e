"""Which ranges of keys a listing takes. Pure."""

from __future__ import annotations

from trainer.keys import MAX_KEY_BYTES
from trainer.ports import InvalidKey


def check_range(prefix: str, start_after: str) -> None:
    """Raise `InvalidKey` for bounds that no key can come near, which stores understand differently."""
    for bound in (prefix, start_after):
        try:
            size = len(bound.encode())
        except UnicodeEncodeError:
            raise InvalidKey("a bound of keys must be valid Unicode") from None
        if size > MAX_KEY_BYTES or any(char < " " for char in bound):
            raise InvalidKey(f"a bound of keys has at most {MAX_KEY_BYTES} bytes and no control characters")
