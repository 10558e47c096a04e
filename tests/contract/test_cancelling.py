"""What becomes of what was asked of a model once nobody wants it any more: the provider is hung up on."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING

import httpx2
import pytest

from tests.endless_server import EndlessServer
from tests.openai_audio import OpenAiAudioServer
from tests.openai_server import OpenAiServer
from tests.voice.discord.certificate import make_authority
from trainer.adapters.openai_chat import OpenAiChat
from trainer.adapters.openai_client import hang_up
from trainer.adapters.openai_synthesizer import OpenAiSynthesizer
from trainer.adapters.openai_transcriber import OpenAiTranscriber
from trainer.ports import Cancellation, Cancelled, ChatMessage, ModelUnavailable, Sound, current_cancellation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PATIENCE_S = 60.0
ASKED = [ChatMessage("system", "Be kind."), ChatMessage("user", "Расскажи мне о кошках.")]


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as threads:
        yield threads


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.005)


class TestChat:
    @pytest.mark.parametrize("pieces", [None, 5, 0])
    def test_the_connection_is_closed_whatever_is_being_waited_for(
        self, threads: ThreadPoolExecutor, pieces: int | None
    ) -> None:
        """While words come, while none come after some, and before the first."""
        cancellation = Cancellation()
        told: list[str] = []
        with (
            EndlessServer(pieces) as server,
            closing(OpenAiChat(api_key="k", base_url=server.base_url, model="m", timeout_s=10 * PATIENCE_S)) as chat,
        ):

            def ask() -> tuple[str, bool, int | None, int | None]:
                with cancellation.scope():
                    reply = chat.reply(ASKED, max_tokens=9_999, on_text=told.append)
                return reply.text, reply.truncated, reply.usage.input_tokens, reply.usage.output_tokens

            answer = threads.submit(ask)
            until(lambda: server.requests and len(told) >= (3 if pieces is None else pieces))
            assert not server.hung_up.is_set()
            cancellation.cancel()
            text, truncated, read, written = answer.result(PATIENCE_S)
            assert server.hung_up.wait(PATIENCE_S)
        assert text == (told[-1] if told else "")
        assert truncated
        assert read == 13  # 49 bytes: a letter of Russian is two
        assert written == -(-len(f"{text} " if text else "") // 4)

    def test_what_is_told_that_nobody_wants_it_stops_at_once(self) -> None:
        cancellation = Cancellation()
        told: list[str] = []

        def listen(text: str) -> None:
            told.append(text)
            cancellation.cancel()

        with (
            EndlessServer() as server,
            closing(OpenAiChat(api_key="k", base_url=server.base_url, model="m")) as chat,
        ):
            with cancellation.scope():
                reply = chat.reply(ASKED, max_tokens=9_999, on_text=listen)
            assert server.hung_up.wait(PATIENCE_S)
        assert told == [reply.text] == ["word0"]

    def test_nothing_is_asked_that_nobody_wants(self) -> None:
        with OpenAiServer() as server, closing(OpenAiChat(api_key="k", base_url=server.base_url, model=None)) as chat:
            cancellation = Cancellation()
            cancellation.cancel()
            with cancellation.scope(), pytest.raises(Cancelled):
                chat.reply(ASKED, max_tokens=50)
            assert not server.chats
            assert chat.reply(ASKED, max_tokens=50).text  # outside of it

    def test_a_whole_answer_stays_whole(self) -> None:
        with OpenAiServer() as server, closing(OpenAiChat(api_key="k", base_url=server.base_url, model=None)) as chat:
            server.reply_with("One.")
            cancellation = Cancellation()
            with cancellation.scope():
                reply = chat.reply(ASKED, max_tokens=50)
                cancellation.cancel()
            assert (reply.text, reply.truncated) == ("One.", False)

    def test_nothing_is_tried_again_that_nobody_wants(self, threads: ThreadPoolExecutor) -> None:
        cancellation = Cancellation()
        with OpenAiServer() as server, closing(OpenAiChat(api_key="k", base_url=server.base_url, model="m")) as chat:
            server.fail(status=503, headers={"Retry-After": "20"})

            def ask() -> None:
                with cancellation.scope():
                    chat.reply(ASKED, max_tokens=50)

            answer = threads.submit(ask)
            until(lambda: server.chats)
            cancellation.cancel()
            with pytest.raises(Cancelled):
                answer.result(PATIENCE_S)
            assert len(server.chats) == 1

    def test_others_are_not_hung_up_on(self) -> None:
        """The same connection is another's by then."""
        cancellation = Cancellation()
        with OpenAiServer() as server, closing(OpenAiChat(api_key="k", base_url=server.base_url, model=None)) as chat:
            server.reply_with("One two three.")
            with cancellation.scope():
                chat.reply(ASKED, max_tokens=50)
            told: list[str] = []

            def listen(text: str) -> None:
                told.append(text)
                cancellation.cancel()

            assert chat.reply(ASKED, max_tokens=50, on_text=listen).text == "One two three."
        assert len(told) == 3


class TestVoice:
    @pytest.mark.parametrize("pieces", [None, 3, 0])
    def test_the_connection_is_closed(self, threads: ThreadPoolExecutor, pieces: int | None) -> None:
        cancellation = Cancellation()
        with (
            EndlessServer(pieces) as server,
            closing(OpenAiSynthesizer(api_key="k", base_url=server.base_url, timeout_s=10 * PATIENCE_S)) as voice,
        ):

            def speak() -> Sound:
                with cancellation.scope():
                    return voice.speak("Hello there.", language="en")

            sound = threads.submit(speak)
            until(lambda: server.requests and server.sent >= (3 if pieces is None else pieces))
            assert not server.hung_up.is_set()
            cancellation.cancel()
            with pytest.raises(Cancelled) as raised:
                sound.result(PATIENCE_S)
            assert server.hung_up.wait(PATIENCE_S)
        assert (raised.value.model, raised.value.characters) == ("gpt-4o-mini-tts", 12)
        assert raised.value.seconds <= server.sent * 0.1 + 0.001
        assert "Hello" not in repr(raised.value)

    def test_nothing_is_asked_that_nobody_wants(self) -> None:
        with (
            OpenAiAudioServer() as server,
            closing(OpenAiSynthesizer(api_key="k", base_url=server.base_url)) as voice,
        ):
            cancellation = Cancellation()
            cancellation.cancel()
            with cancellation.scope(), pytest.raises(Cancelled) as raised:
                voice.speak("Hello there.", language="en")
            assert not server.spoken
            assert not raised.value.model


@pytest.mark.parametrize("form", ["speech", "words"])
def test_a_connection_that_is_dropped_in_the_middle_is_no_answer(form: str) -> None:
    with EndlessServer(3, drops=True) as server:
        voice = OpenAiSynthesizer(api_key="k", base_url=server.base_url, max_retries=0)
        transcriber = OpenAiTranscriber(api_key="k", base_url=server.base_url, max_retries=0)
        asked: dict[str, Callable[[], object]] = {
            "speech": lambda: voice.speak("Hello there.", language="en"),
            "words": lambda: transcriber.transcribe(Sound(b"\1\0" * 16_000, 16_000)),
        }
        with closing(voice), closing(transcriber), pytest.raises(ModelUnavailable) as raised:
            asked[form]()
    assert (raised.value.reason, raised.value.retryable) == ("connection", True)
    assert raised.value.__context__ is None


class TestRecogniser:
    def test_nothing_is_sent_that_nobody_wants(self) -> None:
        with (
            OpenAiAudioServer() as server,
            closing(OpenAiTranscriber(api_key="k", base_url=server.base_url)) as transcriber,
        ):
            cancellation = Cancellation()
            cancellation.cancel()
            with cancellation.scope(), pytest.raises(Cancelled):
                transcriber.transcribe(Sound(b"\1\0" * 16_000, 16_000))
            assert not server.heard

    def test_nothing_is_sent_again_that_nobody_wants(self, threads: ThreadPoolExecutor) -> None:
        cancellation = Cancellation()
        with (
            OpenAiAudioServer() as server,
            closing(OpenAiTranscriber(api_key="k", base_url=server.base_url)) as transcriber,
        ):
            server.fail(status=503, headers={"Retry-After": "20"})

            def ask() -> None:
                with cancellation.scope():
                    transcriber.transcribe(Sound(b"\1\0" * 16_000, 16_000))

            words = threads.submit(ask)
            until(lambda: server.heard)
            cancellation.cancel()
            with pytest.raises(Cancelled):
                words.result(PATIENCE_S)
            assert len(server.heard) == 1


class TestCancellation:
    def test_it_is_of_the_thread_that_asks(self, threads: ThreadPoolExecutor) -> None:
        outer, inner = Cancellation(), Cancellation()
        with outer.scope():
            with inner.scope():
                assert current_cancellation() is inner
            assert current_cancellation() is outer
            assert threads.submit(current_cancellation).result(PATIENCE_S) is not outer
        assert current_cancellation() is not outer
        current_cancellation().check()

    def test_whoever_comes_late_is_told_at_once_and_who_left_is_not(self) -> None:
        cancellation = Cancellation()
        told: list[str] = []
        with cancellation.hanging_up(lambda: told.append("left")):
            pass
        with cancellation.hanging_up(lambda: told.append("there")):
            cancellation.cancel()
            cancellation.cancel()
        with cancellation.hanging_up(lambda: told.append("late")):
            pass
        assert told == ["there", "late"]

    def test_a_wait_ends_with_it(self, threads: ThreadPoolExecutor) -> None:
        cancellation, waiting = Cancellation(), threading.Event()

        def wait() -> None:
            waiting.set()
            cancellation.sleep(10 * PATIENCE_S)

        over = threads.submit(wait)
        assert waiting.wait(PATIENCE_S)
        cancellation.cancel()
        over.result(PATIENCE_S)


class _Stream:
    """As the HTTP client gives a connection's socket."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection

    def get_extra_info(self, name: str) -> socket.socket:
        assert name == "socket"
        return self.connection


def _coming(connection: socket.socket) -> httpx2.Response:
    """An answer that is not read to its end."""
    extensions = {"network_stream": _Stream(connection)}
    return httpx2.Response(200, stream=httpx2.ByteStream(b"word"), extensions=extensions)


class TestHangingUp:
    def test_whoever_reads_is_told_at_once(self) -> None:
        here, there = socket.socketpair()
        with here, there:
            hang_up(_coming(here))
            assert here.recv(1) == there.recv(1) == b""

    def test_an_answer_that_was_read_has_no_connection_of_its_own_any_more(self) -> None:
        """It is kept for the next request, which may be another's and on its way."""
        here, there = socket.socketpair()
        response = _coming(here)
        response.read()
        with here, there:
            hang_up(response)
            there.sendall(b"another's")
            assert here.recv(99) == b"another's"

    def test_what_came_sealed_is_not_read_as_it_is(self, tmp_path: Path, threads: ThreadPoolExecutor) -> None:
        authority, context = make_authority(tmp_path)
        here, there = socket.socketpair()
        accepted = threads.submit(context.wrap_socket, there, server_side=True)
        connection = ssl.create_default_context(cafile=str(authority)).wrap_socket(here, server_hostname="localhost")
        with connection, accepted.result(PATIENCE_S) as server:
            server.sendall(b"word")
            hang_up(_coming(connection))
            assert connection.recv(99) in {b"word", b""}
