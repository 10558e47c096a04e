"""The answer to one turn while it is found: its pieces as they get ready, and what is said where there is none."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING

from trainer.i18n import translator
from trainer.ports import Cancellation, Cancelled, ModelUnavailable, StoreUnavailable
from voice_sidecar.conversation import wording
from voice_sidecar.conversation.asking import Found, OverLimit, Question
from voice_sidecar.conversation.mouth import Piece
from voice_sidecar.conversation.phrases import Phrases
from voice_sidecar.conversation.tongues import voice_for
from voice_sidecar.conversation.turn import Outcome

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Sequence

    from trainer.conversations import Turn
    from voice_sidecar.conversation.outages import Part
    from voice_sidecar.conversation.tools import Tools
    from voice_sidecar.conversation.turn import SpokenTurn

log = logging.getLogger(__name__)


def own_sentence(sentence: str, language: str) -> Piece:
    """A sentence of ours in somebody's language, or in English."""
    t = translator(language)
    return Piece(t(sentence), t.language, own=True)


class Answer:
    """What is said to a turn. Made and used in the event loop; the question is answered in a thread.

    Args:
        turn: what was asked.
        former: what was said before, as this process remembers it.
        tools: who answers.
        failed: told that a part failed; whether that is to be said.
        works: told that a part works.
    """

    def __init__(
        self,
        turn: SpokenTurn,
        former: Sequence[Turn],
        tools: Tools,
        failed: Callable[[Part], bool],
        works: Callable[[Part], None],
    ) -> None:
        self.outcome = Outcome.ANSWERED
        """What becomes of the turn, if nobody interrupts."""
        self._turn = turn
        self._tools = tools
        self._failed = failed
        self._works = works
        self._loop = asyncio.get_running_loop()
        self._ready: asyncio.Queue[Piece | None] = asyncio.Queue()
        self._cancellation = Cancellation()
        question = Question(
            turn.id,
            turn.user_id,
            turn.question,
            former,
            lambda: not turn.gone and turn.cut not in {Outcome.REPLACED, Outcome.CONTINUED},
            turn.last,
            turn.first_id,
        )
        self._running = tools.pools.answering.submit(self._ask, question)
        self._running.add_done_callback(lambda _: self._put(None))
        self.found: asyncio.Future[Found] = asyncio.wrap_future(self._running)
        """Raises what `Asks.ask` raises."""
        self.found.add_done_callback(lambda found: found.cancelled() or found.exception())

    def cancel(self) -> None:
        """Nobody wants to hear more of it: what is not asked never is, and the model that writes it is stopped."""
        self._running.cancel()
        self._cancellation.cancel()

    async def pieces(self) -> AsyncGenerator[Piece, None]:
        """What is said, as it gets ready."""
        while (piece := await self._ready.get()) is not None:
            if self._turn.token_at is None:
                self._turn.token_at = self._tools.clock()
            yield piece
        sentence = await self._sentence()
        if sentence:
            yield own_sentence(sentence, self._turn.language)

    async def rest(self) -> Piece | None:
        """What is said in place of the rest of an answer that is too long."""
        try:
            found = await asyncio.shield(self.found)
        except Exception:  # noqa: BLE001 - it is told elsewhere
            return None
        keeps = self._tools.keeps
        written = found.record is not None and keeps is not None and keeps.shows()
        sentence = wording.REST_IN_CHAT if written else wording.REST_BY_ASKING
        return own_sentence(sentence, self._turn.language)

    async def _sentence(self) -> str:
        """What we say ourselves, behind an answer or in place of it."""
        part: Part
        await asyncio.wait({self.found})
        if self.found.cancelled():
            return ""
        try:
            found = self.found.result()
        except Cancelled:
            return ""
        except OverLimit as over:
            self.outcome = Outcome.LIMITED
            return wording.TOO_MANY if over.full.limit.owner == "scope" else wording.TOO_FAST
        except Exception as error:  # noqa: BLE001 - whatever it is, the call goes on
            self.outcome = Outcome.FAILED
            part = "model" if isinstance(error, ModelUnavailable) else "store"
            if not isinstance(error, (ModelUnavailable, StoreUnavailable)):
                # Its message may hold people's words.
                log.error("not answered", extra={"error": type(error).__name__})  # noqa: TRY400 - no traceback
            return wording.SPOKEN[part] if self._failed(part) else ""
        self._works("store")
        if found.answer.fell_back:
            return wording.WORD_FOR_WORD if self._failed("model") else ""
        if found.answer.kind == "generated":
            self._works("model")
        if not found.answer.text.strip():
            self.outcome = Outcome.UNKNOWN
            return wording.UNKNOWN
        return ""

    def _ask(self, question: Question) -> Found:
        """In a thread."""
        phrases = Phrases()

        def on_text(so_far: str) -> None:
            for phrase in phrases.feed(so_far):
                self._say(phrase, written_for_them=True)

        with self._cancellation.scope():
            found = self._tools.ask.ask(question, on_text)
        text = found.answer.text
        if phrases.given and not text.startswith(phrases.given):
            again = own_sentence(wording.AGAIN, self._turn.language)
            self._put(again)
        for phrase in phrases.finish(text):
            self._say(phrase, written_for_them=found.answer.kind == "generated")
        return found

    def _say(self, phrase: str, *, written_for_them: bool) -> None:
        self._put(Piece(phrase, voice_for(phrase, self._turn.language, written_for_them=written_for_them)))

    def _put(self, piece: Piece | None) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
            self._loop.call_soon_threadsafe(self._ready.put_nowait, piece)
