"""The transcriber port on `faster-whisper`: Whisper in this process, on the processor. No sound leaves the machine.

Whisper works in windows of half a minute. It gets one at a time, cut at a pause by whoever asks, and never the text
of the one before: that is how it falls into repeating itself.
"""

from __future__ import annotations

import os
import threading
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from trainer.adapters.whisper_weights import assembled, packaged
from trainer.ports import ModelUnavailable, Transcript, TranscriptPart, current_cancellation
from trainer.speech.made_up import Judged, doubt_of, without_made_up

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from trainer.ports import OnText, Sound

    Numbers: TypeAlias = NDArray[np.float32]

RATE: Final = 16_000
WINDOW_S: Final = 30.0
BEAM: Final = 5
TEMPERATURES: Final = (0.0, 0.4, 0.8)
"""Tried one after the other where the text repeats itself or is improbable."""
THREADS_MOST: Final = 4
"""More do not make the small models faster."""
HUB_MODEL: Final = "base"
"""What a hub is asked for where nothing is named and the packages with the weights are not installed."""
KEYWORDS_FROM: Final = 200_000_000
"""Bytes of weights from which on keywords are passed on. They make the base model worse: of a Russian reading's words
it got 15.5 % wrong, 17.4 % when told its names, and 18.8 % when told 50 other words."""
KEYWORDS_MOST: Final = 20
TOKENS_A_SECOND: Final = 12
"""More than the fastest speakers need in any language; what loops is stopped there."""
_TOKENS_LEAST: Final = 24
_TOKENS_MOST: Final = 200

_working: Final = threading.Lock()


class WhisperTranscriber:
    """A Whisper model. Instances with the same settings share one copy, which the first call loads.

    Args:
        model: a folder with a model as faster-whisper takes it; or the name of one at the hub, which is downloaded
            the first time; or empty, for the base model of the installed packages.
        cache: where models are kept.
        threads: processor threads; 0 for as many as there are cores, up to `THREADS_MOST`.
    """

    most_s = WINDOW_S
    local = True

    def __init__(self, model: str = "", *, cache: Path, threads: int = 0) -> None:
        self._model = str(Path(model).expanduser().absolute()) if is_folder(model) else model
        self._cache = cache
        self._threads = threads or min(os.cpu_count() or 1, THREADS_MOST)
        self.name = f"whisper-{Path(model).name.removeprefix('whisper-') if model else HUB_MODEL}"

    def transcribe(
        self,
        sound: Sound,
        *,
        language: str = "",
        languages: Sequence[str] = (),
        keywords: Sequence[str] = (),
        on_text: OnText | None = None,
    ) -> Transcript:
        """The words of a sound. Raises `ModelUnavailable`, also where the package is not installed."""
        if not sound.pcm:
            return Transcript("", "", ())
        if sound.rate != RATE or len(sound.pcm) % 2 or sound.seconds > self.most_s:
            raise ModelUnavailable("refused", retryable=False)
        with _working:  # one at a time: memory is bounded, and the cores are busy with one
            current_cancellation().check()  # waiting for the others may have taken long
            model = _loaded(self._model, self._cache, self._threads)
            import numpy as np  # noqa: PLC0415 - the model has brought it

            samples = np.frombuffer(sound.pcm, "<i2").astype(np.float32) / np.float32(32_768)
            try:
                spoken = _language(model, samples, language, languages)
                judged = self._recognise(model, samples, spoken, keywords)
            except (RuntimeError, ValueError):  # what the libraries raise, which may quote what was said
                raise ModelUnavailable("server", retryable=False) from None
            finally:
                model.forget()
        parts = without_made_up(judged)
        text = " ".join(part.part.text for part in parts)
        if on_text is not None and text:
            on_text(text)
        said = sum(len(part.part.text) for part in parts)
        doubt = sum(part.doubt * len(part.part.text) for part in parts) / said if said else 0.0
        return Transcript(text, spoken, tuple(part.part for part in parts), doubt)

    def _recognise(self, model: _Model, samples: Numbers, language: str, keywords: Sequence[str]) -> list[Judged]:
        seconds = len(samples) / RATE
        tokens = _TOKENS_LEAST + int(seconds * TOKENS_A_SECOND)
        segments, _ = model.whisper.transcribe(
            samples,
            language=language,
            beam_size=BEAM,
            best_of=1,
            temperature=TEMPERATURES,
            condition_on_previous_text=False,
            max_new_tokens=tokens if tokens < _TOKENS_MOST else None,
            hotwords=", ".join(list(keywords)[:KEYWORDS_MOST]) if keywords and model.takes_keywords else None,
        )
        judged = []
        for segment in segments:  # each is recognised when it is asked for
            current_cancellation().check()
            text = " ".join(segment.text.split())
            start = min(max(float(segment.start), 0.0), seconds)
            part = TranscriptPart(start, min(max(float(segment.end), start), seconds), text)
            judged.append(Judged(part, doubt_of(segment.avg_logprob, segment.no_speech_prob, text)))
        return judged


class _Model:
    """A loaded model. What its encoder made of a window is remembered until `forget`.

    The encoder is most of the work, and finding out the language and recognising the words look at the same window.
    """

    def __init__(self, whisper: Any, *, takes_keywords: bool) -> None:  # noqa: ANN401 - the package has no types
        self.whisper = whisper
        self.takes_keywords = takes_keywords
        self._encode: Callable[[Numbers], Any] = whisper.encode
        self._seen: tuple[Numbers, Any] | None = None
        whisper.encode = self._encoded

    def forget(self) -> None:
        """Let go of what was said last."""
        self._seen = None

    def _encoded(self, window: Numbers) -> Any:  # noqa: ANN401 - as above
        import numpy as np  # noqa: PLC0415 - the model has brought it

        if self._seen is None or not np.array_equal(self._seen[0], window):
            self._seen = (window, self._encode(window))
        return self._seen[1]


def _language(model: _Model, samples: Numbers, language: str, languages: Sequence[str]) -> str:
    """The language to recognise: the given one if the model knows it, else the likeliest of those it may be."""
    known = set(model.whisper.supported_languages)
    if language in known:
        return language
    among = known & set(languages) or known
    if len(among) == 1:
        return str(among.pop())
    # Without the last frame, which is beyond the sound: recognising leaves it out, and the windows must be the same.
    window = model.whisper.feature_extractor(samples)[..., :-1]
    _, _, shares = model.whisper.detect_language(features=window)
    return str(max((share, name) for name, share in shares if name in among)[1])


@cache
def _loaded(model: str, cache_folder: Path, threads: int) -> _Model:
    """The model in memory: half a second and 150 MB for the base model, when its weights are there."""
    try:
        import faster_whisper  # noqa: PLC0415 - an optional package, and half a second to load
    except ImportError:
        raise ModelUnavailable("missing", retryable=False) from None
    folder = _weights(model, cache_folder, faster_whisper)
    try:
        whisper = faster_whisper.WhisperModel(
            str(folder), device="cpu", compute_type="int8", cpu_threads=threads, local_files_only=True
        )
        size = (folder / "model.bin").stat().st_size
    except (OSError, RuntimeError, ValueError):  # not a model, or a broken one
        raise ModelUnavailable("missing", retryable=False) from None
    return _Model(whisper, takes_keywords=size >= KEYWORDS_FROM)


def _weights(model: str, cache_folder: Path, faster_whisper: Any) -> Path:  # noqa: ANN401 - the package has no types
    """The folder with the weights, downloaded if they are nowhere else."""
    if not model and packaged():
        return assembled(cache_folder)
    if model and Path(model).is_dir():
        return Path(model)
    if is_folder(model):
        raise ModelUnavailable("missing", retryable=False)
    hub = {"size_or_id": model or HUB_MODEL, "cache_dir": str(cache_folder / "hub")}
    try:
        try:
            found = faster_whisper.download_model(**hub, local_files_only=True)
        except OSError:  # nothing is asked of the hub for what is here
            found = faster_whisper.download_model(**hub)
    except ValueError:  # no such model
        raise ModelUnavailable("missing", retryable=False) from None
    except Exception:  # noqa: BLE001 - whatever the hub's client and the network raise
        raise ModelUnavailable("connection", retryable=True) from None
    return Path(found)


def is_folder(model: str) -> bool:
    """Whether this names a folder, and not a model at a hub, which may be called `owner/name`."""
    return model.startswith((".", "~", os.sep)) or "\\" in model or Path(model).is_absolute()
