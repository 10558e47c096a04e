"""Says one thing after the other: sentences are made into sound while those before them are played.

No more of them than `ahead` allows, as what is never heard costs as much.
What is said may have to wait, or to pause, while somebody speaks: that is `barge_in`'s to decide.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import aclosing
from typing import TYPE_CHECKING, Final, NamedTuple

from trainer.ports import Cancellation, Cancelled, ModelUnavailable
from voice_sidecar.conversation.ahead import Ahead
from voice_sidecar.conversation.models import BudgetUsed

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator

    from trainer.speech.speaking import Spoken
    from voice_sidecar.conversation.barge_in import BargeIn
    from voice_sidecar.conversation.tools import Tools
    from voice_sidecar.parts import Heard, Playback, Utterance

PREPARED_MOST: Final = 32
"""Short sentences that are kept as sound."""
LOOK_S: Final = 0.5
"""Between looks at how much was played: it may be paused."""

log = logging.getLogger(__name__)


class Piece(NamedTuple):
    """A sentence or a few that are to be said."""

    text: str
    language: str
    own: bool = False
    """It is no part of the answer, so nobody is to remember it."""


class Said(NamedTuple):
    """What became of something that was to be said."""

    heard: Heard
    failed: bool
    """No voice answered."""
    shortened: bool
    """It was too long, and its rest was not said."""


class _Fed(NamedTuple):
    failed: bool = False
    shortened: bool = False


class _Making(NamedTuple):
    """Sound that is made for an utterance."""

    turn_id: str
    utterance: Utterance
    cancellation: Cancellation
    ahead: Ahead

    async def time(self) -> None:
        """Waits until it is time for the next sentence."""
        while True:
            wait_s = self.ahead.wait_s(self.utterance.left_s())
            if wait_s <= 0:
                return
            await asyncio.sleep(min(wait_s, LOOK_S))


class Speech(NamedTuple):
    """What is to be said, and what is to be known about it.

    Attributes:
        asker: Whom it is said to; None: to all.
        turn_id: Whose cost it is.
        pieces: What is said, as it gets ready.
        rest: Makes the sentence that stands for the rest of what is too long.
        on_audio: Told when the first audible packet was sent.
    """

    asker: int | None
    turn_id: str
    pieces: AsyncGenerator[Piece, None]
    rest: Callable[[], Awaitable[Piece | None]]
    on_audio: Callable[[float], None]


class Mouth:
    """Speaks in one call. All methods are called in the event loop; one `say` at a time.

    Args:
        playback: the connection's.
        tools: the voice.
        barge_in: told what is said, and asked whether it has to wait.
    """

    def __init__(self, playback: Playback, tools: Tools, barge_in: BargeIn) -> None:
        self._playback = playback
        self._tools = tools
        self._barge_in = barge_in
        self._utterance: Utterance | None = None
        self._sounds = 0
        """Given to the utterance."""
        self._asker: int | None = None
        self._on_audio: Callable[[float], None] | None = None
        self.audio_at: float | None = None
        """When something of what is being said was heard first; None: nothing was."""
        self._prepared: dict[tuple[str, str], list[Spoken]] = {}
        self._ending: set[asyncio.Task[None]] = set()

    @property
    def speaking(self) -> bool:
        """There is sound to be played, or it is paused."""
        return self._utterance is not None and self._sounds > 0

    @property
    def heard(self) -> bool:
        """Words of what is being said were heard, our own sentences apart."""
        return self._utterance is not None and bool(self._utterance.heard().text)

    def ready(self, asker: int | None, on_audio: Callable[[float], None] | None = None) -> None:
        """Something will be said soon: silence is sent until then, without which its beginning would not be heard."""
        self._asker, self._on_audio = asker, on_audio
        if self._utterance is None:
            self._sounds, self.audio_at = 0, None
            self._utterance = self._playback.begin(first_packet=self._first_packet)

    def unready(self) -> None:
        """Nothing will be said after all."""
        utterance, self._utterance = self._utterance, None
        if utterance is None:
            return
        utterance.finish()
        if self._sounds:
            ending = asyncio.get_running_loop().create_task(self._played(utterance))
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)

    def stop(self) -> None:
        """Falls silent; what is left is not said."""
        self._playback.stop()
        self._barge_in.over()
        self._utterance = None

    def close(self) -> None:
        """Falls silent for good."""
        self.stop()
        for ending in self._ending:
            ending.cancel()

    async def prepare(self, text: str, language: str) -> None:
        """Make sound of something that will have to be said at once. If that fails it is not said at once."""
        if self._tools.say is None or (text, language) in self._prepared:
            return
        say = self._tools.say
        self._prepared[text, language] = []
        loop = asyncio.get_running_loop()
        try:
            spoken = await loop.run_in_executor(
                self._tools.pools.speaking, lambda: list(say(text, language, self._tools.new_id()))
            )
        except Exception as error:  # noqa: BLE001 - it is a courtesy
            log.warning("sentence not prepared", extra={"error": type(error).__name__})
            del self._prepared[text, language]
            return
        self._prepared[text, language] = spoken
        while len(self._prepared) > PREPARED_MOST:
            del self._prepared[next(iter(self._prepared))]

    def fill(self, text: str, language: str) -> bool:
        """Say a prepared sentence where nothing of an answer is ready; whether it was said.

        It is not, if something is said already, or somebody is speaking.
        """
        spoken = self._prepared.get((text, language))
        if not spoken or self._utterance is None or self._sounds:
            return False
        if self._barge_in.begin(self._asker, self._tools.clock()):
            self._barge_in.over()
            return False
        for one in spoken:
            self._add(self._utterance, "", one)
        return True

    async def say(self, speech: Speech) -> Said:
        """Say something; returns when it was played, or stopped."""
        self.ready(speech.asker, speech.on_audio)
        utterance = self._utterance
        assert utterance is not None  # noqa: S101 - it is ready
        over = asyncio.ensure_future(utterance.done())
        cancellation = Cancellation()
        feeding = asyncio.ensure_future(self._feed(speech, utterance, cancellation))
        try:
            await asyncio.wait({over, feeding}, return_when=asyncio.FIRST_COMPLETED)
            fed = feeding.result() if feeding.done() else _Fed()
            utterance.finish()
            heard = await over
        finally:
            cancellation.cancel()
            feeding.cancel()
            over.cancel()
            if self._utterance is utterance:
                self._utterance = None
                self._barge_in.over()
        return Said(heard, fed.failed, fed.shortened)

    async def _feed(self, speech: Speech, utterance: Utterance, cancellation: Cancellation) -> _Fed:
        """Gives the utterance its sounds."""
        most_s = left_s = self._tools.settings.spoken_most_s
        making = _Making(speech.turn_id, utterance, cancellation, Ahead())
        async with aclosing(speech.pieces) as pieces:
            async for piece in pieces:
                try:
                    async for spoken in self._spoken(piece, making):
                        if spoken.sound.seconds > left_s and left_s < most_s:
                            async for last in self._spoken(await speech.rest(), making):
                                self._add(utterance, "", last)
                            return _Fed(shortened=True)
                        left_s -= spoken.sound.seconds
                        self._add(utterance, "" if piece.own else spoken.text, spoken)
                except Cancelled:
                    return _Fed()  # it was stopped
                except Exception as error:  # noqa: BLE001 - whatever is wrong with the voice, the call goes on
                    if not isinstance(error, (ModelUnavailable, BudgetUsed)):
                        log.warning("nothing said", extra={"error": type(error).__name__})
                    return _Fed(failed=True)
        return _Fed()

    async def _spoken(self, piece: Piece | None, making: _Making) -> AsyncIterator[Spoken]:
        """The sounds of a piece, when it is time. Raises `ModelUnavailable`, `BudgetUsed` and `Cancelled`."""
        if piece is None:
            return
        prepared = self._prepared.get((piece.text, piece.language))
        if prepared:
            for one in prepared:
                yield one
            return
        if self._tools.say is None:
            raise ModelUnavailable("missing", retryable=False)
        say = self._tools.say
        loop = asyncio.get_running_loop()
        pool = self._tools.pools.speaking
        sentences: Iterator[Spoken] = await loop.run_in_executor(
            pool, lambda: iter(say(piece.text, piece.language, making.turn_id))
        )

        def following() -> Spoken | None:
            with making.cancellation.scope():
                return next(sentences, None)

        while True:
            await making.time()
            began_at = self._tools.clock()
            spoken = await loop.run_in_executor(pool, following)
            if spoken is None:
                return
            making.ahead.made(self._tools.clock() - began_at)
            yield spoken

    def _add(self, utterance: Utterance, words: str, spoken: Spoken) -> None:
        if self._utterance is not utterance:
            return  # it was stopped
        if not self._sounds and self._barge_in.begin(self._asker, self._tools.clock()):
            self._playback.pause()
        self._sounds += 1
        utterance.add(words, spoken.sound)

    async def _played(self, utterance: Utterance) -> None:
        await utterance.done()
        if self._utterance is None:
            self._barge_in.over()

    def _first_packet(self, at: float) -> None:
        self.audio_at = at
        if self._on_audio is not None:
            self._on_audio(at)
