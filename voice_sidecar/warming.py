"""Loads what answers need before anybody has asked: models on this machine, the way to others, what was taught.

Each is loaded once, by whoever needs it first; else that would be the first question, which would wait for seconds.
"""

from __future__ import annotations

import logging
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Final

from trainer.ports import Sound
from trainer.settings import scope_settings
from trainer.speech.audio_pcm import RATE

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainer.scope import Scope
    from trainer.services import Services
    from voice_sidecar.conversation.tools import Pools

_SILENCE: Final = Sound(bytes(RATE), RATE)
"""Half a second."""

log = logging.getLogger(__name__)


def warm_models(services: Services, pools: Pools) -> None:
    """Have the models on this machine loaded, by the threads that will use them. Returns at once.

    As the process starts, and not in a call: it takes seconds in which packets may be lost. Nothing is asked of
    providers: that costs money, and they are warm; but their package takes a second to load. What fails is told in
    the log alone.
    """
    if services.chat_host or services.transcription_host:
        pools.answering.submit(_quietly, partial(import_module, "openai"))
    transcriber, embedder = services.transcriber, services.embedder
    if transcriber is not None and transcriber.local:
        pools.recognising.submit(_quietly, lambda: transcriber.transcribe(_SILENCE, language="en"))
    if embedder is not None and not services.embeddings_host:
        pools.answering.submit(_quietly, lambda: embedder.embed(["?"]))


def warm_knowledge(services: Services, scope: Scope, pools: Pools) -> None:
    """Have what a server was taught loaded. Returns at once; what fails is told in the log alone."""
    library, store = services.library, services.store
    pools.answering.submit(_quietly, lambda: library.index(scope, scope_settings(store, scope).dataset))


def _quietly(load: Callable[[], object]) -> None:
    try:
        load()
    except Exception as error:  # noqa: BLE001 - whoever asks first will find out, and tell
        log.info("not loaded in advance", extra={"error": type(error).__name__})
