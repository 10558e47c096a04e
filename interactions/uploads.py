"""Uploaded files: fetched from Discord once, kept as they came, and lent to the work as temporary files."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from interactions.attachments import fetch, safe_filename
from interactions.scratch import scratch
from trainer.datasets import original_key
from trainer.privacy import remember_upload
from trainer.tree import original_name_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from interactions.attachments import AllowedOrigins
    from interactions.payloads import Attachment
    from trainer.ports import ObjectStore
    from trainer.scope import Scope

MAX_BYTES: Final = 25 * 1024 * 1024
"""What /train takes: two and a half times what everybody may upload to Discord."""
TIMEOUT_S: Final = 60.0


class Uploads:
    """Fetches attachments into the store and out of it."""

    def __init__(
        self,
        store: ObjectStore,
        origins: AllowedOrigins,
        *,
        max_bytes: int = MAX_BYTES,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._store = store
        self._origins = origins
        self._timeout_s = timeout_s
        self.max_bytes = max_bytes

    @contextmanager
    def fetch(
        self,
        scope: Scope,
        attachment: Attachment,
        *,
        keep: bool = True,
        owner: str = "",
        max_bytes: int | None = None,
    ) -> Iterator[Path]:
        """The attachment as a temporary file, gone when the block ends.

        The first time, it is downloaded and kept: Discord's links expire, and a job may be done again later. `owner`
        is who uploaded it, so that they can have it deleted. What may not be kept is always downloaded: its id may be
        a person's word, which must not lead to what others uploaded.
        Raises `AttachmentRefused` and `AttachmentUnavailable`.
        """
        key = original_key(scope, attachment.id)
        with scratch() as folder:
            path = folder / "upload"
            if not keep or self._store.head(key) is None:
                fetch(
                    attachment.url,
                    into=path,
                    max_bytes=self.max_bytes if max_bytes is None else max_bytes,
                    timeout_s=self._timeout_s,
                    origins=self._origins,
                )
                if keep:
                    if owner:
                        remember_upload(self._store, scope, owner, attachment.id, attachment.filename)
                        name = safe_filename(attachment.filename)
                        self._store.put(original_name_key(scope, attachment.id, name), b"")
                    with path.open("rb") as source, self._store.open_write(key) as target:
                        shutil.copyfileobj(source, target)
            else:
                with self._store.open_read(key) as kept, path.open("wb") as copy:
                    shutil.copyfileobj(kept, copy)
            yield path
