"""`python -m voice_sidecar --doctor`: what the sidecar needs, each thing tried, and how to mend what is missing."""

from __future__ import annotations

import math
import subprocess
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np

from trainer.configuration_errors import ConfigurationError
from trainer.ports import ModelUnavailable, PortError
from trainer.ports.speech import Sound
from voice_sidecar.turns.endpoint import choose
from voice_sidecar.turns.weights import WeightsMissing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from trainer.ports import JobQueue, ObjectStore, Transcriber
    from trainer.speech.speaking import Speaker


class Finding(NamedTuple):
    """What a check came to.

    Attributes:
        name: Of the check.
        ok: Whether it is as it should be.
        text: What was found; where it is not ok, a sentence on how to mend it.
        needed: False where the sidecar works without it.
    """

    name: str
    ok: bool
    text: str
    needed: bool = True


class Broken(Exception):
    """A check failed; the message says how to mend it."""


class Check(NamedTuple):
    """Something to try."""

    name: str
    run: Callable[[], str]
    """What was found; raises `Broken`."""
    needed: bool = True


class Vad(Protocol):
    """The voice activity model, as far as it is tried here."""

    def probability(self, window: bytes) -> float:
        """How likely it is that there is voice in 512 samples of 16 bits."""
        ...


def examine(checks: Iterable[Check]) -> Iterator[Finding]:
    """Runs the checks in order; a check that ends in a way nobody foresaw counts as failed, without its words."""
    for check in checks:
        try:
            yield Finding(check.name, ok=True, text=check.run(), needed=check.needed)
        except Broken as problem:
            yield Finding(check.name, ok=False, text=str(problem), needed=check.needed)
        except Exception as error:  # noqa: BLE001 - the doctor goes on, whatever one organ does
            text = f"ended with {type(error).__name__}, which nobody expected: please report it"
            yield Finding(check.name, ok=False, text=text, needed=check.needed)


def render(finding: Finding) -> str:
    """A finding in a line."""
    mark = "OK  " if finding.ok else ("BAD " if finding.needed else "note")
    return f"{mark} {finding.name}: {finding.text}"


def healthy(findings: Iterable[Finding]) -> bool:
    """Whether everything that is needed is there."""
    return all(finding.ok or not finding.needed for finding in findings)


def opus() -> str:
    """Encodes and decodes a tone."""
    try:
        import opuslib_next  # type: ignore[import-untyped]  # noqa: PLC0415 - what is tried is whether it is there
        from opuslib_next.api.info import get_version_string  # type: ignore[import-untyped]  # noqa: PLC0415
    except Exception:  # noqa: BLE001 - it looks for the library when it is imported
        raise Broken(
            "libopus is not there. Install voice_sidecar/requirements.txt, whose opuslib-next-bundled has it."
        ) from None
    encoder, decoder = opuslib_next.Encoder(48_000, 1, "voip"), opuslib_next.Decoder(48_000, 1)
    tone = (8_000 * np.sin(2 * math.pi * 440 * np.arange(4_800) / 48_000)).astype("<i2")
    heard = b"".join(
        decoder.decode(encoder.encode(tone[at : at + 960].tobytes(), 960), 960) for at in range(0, 4_800, 960)
    )
    loudness = float(np.sqrt(np.mean(np.square(np.frombuffer(heard, "<i2").astype(np.float64)))))
    if loudness < 1_000:  # noqa: PLR2004 - the tone has 5,657
        raise Broken("libopus decodes to silence: the installed one is broken. Install it again.")
    version = get_version_string()
    text = version.decode() if isinstance(version, bytes) else str(version)
    return f"encodes and decodes ({text})"


def dave() -> str:
    """Makes a key package, as every encrypted call begins."""
    try:
        import davey  # noqa: PLC0415 - what is tried is whether it is there
    except ImportError:
        raise Broken("davey, which encrypts calls, is not there. Install voice_sidecar/requirements.txt.") from None
    package = davey.DaveSession(davey.DAVE_PROTOCOL_VERSION, 1, 1).get_serialized_key_package()
    if not package:
        raise Broken("davey makes no key package: install davey 0.1.7 again.")
    return f"davey {davey.__version__}, protocol version {davey.DAVE_PROTOCOL_VERSION}"


def voice_activity(vad: Callable[[], Vad]) -> Callable[[], str]:
    """Loads the voice activity model and lets it listen to silence."""

    def run() -> str:
        try:
            model = vad()
        except WeightsMissing as problem:
            raise Broken(f"{problem}. Install voice_sidecar/requirements.txt.") from None
        silence = max(model.probability(bytes(1024)) for _ in range(4))
        if silence > 0.5:  # noqa: PLR2004 - more likely speech than not
            raise Broken("the voice activity model takes silence for speech. Install its package again.")
        return "silence is silence"

    return run


def end_of_turn() -> str:
    """Whether there is more than silence to tell that somebody has finished."""
    found = choose()
    if found is None:
        raise Broken("silence alone ends a turn. requirements/turns.txt has a model that hears it, to be quicker.")
    return found.name


def ffmpeg(program: str) -> Callable[[], str]:
    """Asks the program that was named for its version, or the libraries that are used without one."""

    def run() -> str:
        if not program:
            import av  # noqa: PLC0415 - only looked at here

            return f"the libraries of PyAV {av.__version__}"
        try:
            told = subprocess.run([program, "-version"], capture_output=True, timeout=10, check=True)  # noqa: S603 - the deployer's own
        except (OSError, subprocess.SubprocessError):
            raise Broken("path_to_ffmpeg names no program that works. Correct it, or leave it empty.") from None
        return told.stdout.decode(errors="replace").splitlines()[0]

    return run


def recognition(make: Callable[[], Transcriber | None]) -> Callable[[], str]:
    """Has a second of silence recognised."""

    def run() -> str:
        try:
            transcriber = make()
        except ConfigurationError as error:
            raise Broken(f"{error}.") from None
        if transcriber is None:
            raise Broken(
                "nothing recognises speech. Set OPENAI_API_KEY or OPENAI_BASE_URL, or install "
                "requirements/local-speech.txt; TRAINGER_STT chooses."
            )
        try:
            transcriber.transcribe(Sound(bytes(32_000), 16_000), language="en")
        except ModelUnavailable as error:
            raise Broken(f"{transcriber.name} does not work ({error.reason}): see TRAINGER_STT.") from None
        return transcriber.name

    return run


def voices(make: Callable[[], Speaker | None]) -> Callable[[], str]:
    """Has a word said in English and in Russian."""

    def run() -> str:
        try:
            speaker = make()
        except ConfigurationError as error:
            raise Broken(f"{error}.") from None
        if speaker is None:
            raise Broken("there is no voice. TRAINGER_TTS chooses; requirements/local-speech.txt has two of them.")
        said = []
        for language, word in (("en", "Hello."), ("ru", "Привет.")):
            try:
                spoken = next(speaker.say(word, language))
            except (ModelUnavailable, StopIteration):
                raise Broken(f"no voice speaks “{language}” now ({speaker.name}): see TRAINGER_TTS.") from None
            said.append(f"{language}: {spoken.voice}")
        return ", ".join(said)

    return run


def store(make: Callable[[], ObjectStore]) -> Callable[[], str]:
    """Asks the object store."""

    def run() -> str:
        try:
            make().ping()
        except ConfigurationError as error:
            raise Broken(f"{error}.") from None
        except PortError:
            raise Broken("the object store does not answer: see TRAINGER_STORE.") from None
        return "answers"

    return run


def queue(make: Callable[[], JobQueue]) -> Callable[[], str]:
    """Asks the voice queue."""

    def run() -> str:
        try:
            try:
                opened = make()
            except ConfigurationError as error:
                raise Broken(f"{error}.") from None
            try:
                opened.ping()
            finally:
                opened.close()
        except PortError:
            raise Broken("the queue of voice commands does not answer: see TRAINGER_VOICE_QUEUE.") from None
        return "answers"

    return run
