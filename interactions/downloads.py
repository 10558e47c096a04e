"""GET /files/<token>: what a link to a file leads to, for as long as the link holds.

A download may take long, and the threads that serve it are those that Discord waits for: a few go on at a time, and
none goes on for ever. While somebody does not take what has been sent, `interactions.serving` watches.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from flask import Flask, Response, request

from interactions.pace import PATIENCE, Pace, Patience
from trainer import logs
from trainer.i18n import N_, languages, translator
from trainer.links import NoFile
from trainer.ports import ObjectNotFound, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import BinaryIO

    from trainer.links import LinkedFile

AT_ONCE: Final = 3
PIECE: Final = 256 * 1024
RETRY_S: Final = 30

# What is downloaded is other people's data: it is not to be shown, guessed at, kept or told of on the way.
HEADERS: Final[Mapping[str, str]] = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}

_INVALID: Final = N_("There is no file behind this link.")
_EXPIRED: Final = N_("This link has expired. Please ask for the file again, with /getfile.")
_GONE: Final = N_("The file was deleted in the meantime.")
_BUSY: Final = N_("Too many files are being downloaded just now. Please try again in a minute.")
_UNAVAILABLE: Final = N_("My memory does not answer just now. Please try again in a minute.")
_REFUSALS: Final[Mapping[str, tuple[str, int]]] = {
    "invalid": (_INVALID, 404),
    "expired": (_EXPIRED, 410),
    "gone": (_GONE, 410),
}

log = logging.getLogger(__name__)


def add_downloads(app: Flask, links: Callable[[str], LinkedFile], *, patience: Patience = PATIENCE) -> None:
    """Add the route. `links` gives what a token leads to, or raises `NoFile`."""
    places = threading.BoundedSemaphore(AT_ONCE)

    @app.get("/files/<path:token>")
    def files(token: str) -> Response:
        try:
            file = links(token)
            if request.method == "HEAD":
                return _headed(Response(), file)
            if not places.acquire(blocking=False):
                return _say(_BUSY, 503)
            with ExitStack() as stack:
                stack.callback(places.release)
                stream = stack.enter_context(file.open())
                kept = stack.pop_all()
        except NoFile as refused:
            return _say(*_REFUSALS[refused.reason])
        except ObjectNotFound:
            return _say(*_REFUSALS["gone"])
        except StoreUnavailable:
            log.warning("a file was not sent: the store does not answer")
            return _say(_UNAVAILABLE, 503)
        response = Response(_pieces(stream, patience))
        response.call_on_close(kept.close)
        return _headed(response, file)


def _pieces(stream: BinaryIO, patience: Patience) -> Iterator[bytes]:
    """The file, up to where it is taken too slowly; whoever gets too little sees that by its length."""
    pace, sent = Pace(patience, time.monotonic()), 0
    while piece := _read(stream):
        if pace.too_slow(time.monotonic(), sent):
            log.info("a download was too slow", extra={"sent": sent})
            return
        yield piece
        sent += len(piece)


def _read(stream: BinaryIO) -> bytes:
    try:
        return stream.read(PIECE)
    except (OSError, StoreUnavailable) as error:
        # Servers log what is raised here with the address, which is a secret.
        log.warning("a file was not sent whole", extra=logs.places(error))
        return b""


def _headed(response: Response, file: LinkedFile) -> Response:
    response.headers.update(HEADERS)
    response.headers["Content-Type"] = "application/octet-stream"
    response.headers["Content-Disposition"] = file.disposition
    response.headers["Content-Length"] = str(file.size)
    return response


def _say(sentence: str, status: int) -> Response:
    """A sentence in the reader's language, as their browser tells it."""
    language = request.accept_languages.best_match(languages()) or "en"
    response = Response(translator(language)(sentence) + "\n", status=status, mimetype="text/plain")
    response.headers.update(HEADERS)
    if status == 503:  # noqa: PLR2004 - HTTP's "service unavailable"
        response.headers["Retry-After"] = str(RETRY_S)
    return response
