"""Signed links to the objects of a folder, which expire."""

from __future__ import annotations

import hashlib
import time
from typing import Final, Literal, NamedTuple

from itsdangerous import BadData, URLSafeSerializer

from trainer.adapters.downloads import safe_filename

_PURPOSE: Final = "trainger.files.v1"
"""Keeps a token that was signed with the same secret for something else from being taken for a link."""


class SignedFile(NamedTuple):
    """What a link gives: an object, and the name under which to save it."""

    key: str
    filename: str


class LinkRefused(Exception):
    """The link is none of ours, was changed, or is too old.

    Attributes:
        reason: which of these; `invalid` is for the first two.
    """

    def __init__(self, reason: Literal["expired", "invalid"]) -> None:
        super().__init__(f"the link is {reason}")
        self.reason: Literal["expired", "invalid"] = reason


class FileLinks:
    """Makes links below `url_base`, signed with `secret`, and reads them again."""

    def __init__(self, url_base: str, secret: bytes) -> None:
        if not secret:
            raise ValueError("links need a secret to sign them with")
        self._base = url_base.rstrip("/")
        self._serializer = URLSafeSerializer(
            secret, salt=_PURPOSE, signer_kwargs={"digest_method": hashlib.sha256, "key_derivation": "hmac"}
        )

    def make(self, file: SignedFile, *, expires_s: int) -> str:
        """A link that holds for `expires_s` seconds."""
        expires_at_ms = int((time.time() + expires_s) * 1000)
        token = self._serializer.dumps([file.key, safe_filename(file.filename), expires_at_ms])
        return f"{self._base}/files/{token}"

    def resolve(self, token: str) -> SignedFile:
        """What the link's token stands for. Raises `LinkRefused`."""
        try:
            key, filename, expires_at_ms = self._serializer.loads(token)
        except (BadData, ValueError):
            raise LinkRefused("invalid") from None
        if time.time() * 1000 >= expires_at_ms:
            raise LinkRefused("expired")
        return SignedFile(key, filename)
