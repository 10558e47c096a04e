"""The light sender of SQS messages: its signatures against botocore's, and its manners towards a server."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import ssl
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.serving import make_ssl_devcert

from trainer.adapters import sqs_send
from trainer.adapters.sqs_send import Credentials, Place, SqsSender, message_text, place, signed_headers
from trainer.ports import BodyTooLarge, QueueUnavailable

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
AWS_URL = "https://sqs.eu-central-1.amazonaws.com/123456789012/jobs"
SENT = json.dumps({"MessageId": "the-id"})


class Answer(NamedTuple):
    """What the server does next."""

    status: int = 200
    body: str = SENT
    hang_up_after: bool = False
    """Close the connection without saying so in the answer, as a server does that has waited long enough."""
    silent_s: float = 0


class Server(ThreadingHTTPServer):
    """Answers as it is told, then with success, and notes what it was asked."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: list[Answer] = []
        self.requests: list[tuple[dict[str, str], dict[str, Any]]] = []
        self.connections = 0
        self.over = threading.Event()

    def place(self) -> Place:
        return place(f"http://127.0.0.1:{self.server_port}/000000000000/jobs", region="us-east-1")

    def get_request(self) -> tuple[socket.socket, Any]:
        self.connections += 1
        return super().get_request()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        server = cast("Server", self.server)
        body = self.rfile.read(int(self.headers["content-length"]))
        server.requests.append(({name.lower(): value for name, value in self.headers.items()}, json.loads(body)))
        answer = server.answers.pop(0) if server.answers else Answer()
        server.over.wait(answer.silent_s)
        data = answer.body.encode()
        self.send_response(answer.status)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)
        self.close_connection = answer.hang_up_after

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        pass


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def sender(server: Server) -> Iterator[SqsSender]:
    with contextlib.closing(SqsSender(server.place())) as sender:
        yield sender


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SESSION_TOKEN", "PROFILE", "REGION", "DEFAULT_REGION", "ENDPOINT_URL", "ENDPOINT_URL_SQS"):
        monkeypatch.delenv(f"AWS_{name}", raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    monkeypatch.setattr(sqs_send, "FIRST_PAUSE_S", 0.001)


KEYS = st.text("ABCDEFabcdef0123456789/+=", min_size=1, max_size=64)


@given(
    payload=st.binary(max_size=300),
    credentials=st.builds(Credentials, KEYS, KEYS, st.none() | KEYS),
    queue_url=st.sampled_from(
        [
            AWS_URL,
            "http://127.0.0.1:4566/000000000000/jobs",
            "http://[::1]:9324/1/jobs",
            "https://example.org:443/1/q",
        ]
    ),
    at=st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2037, 1, 1)),  # noqa: DTZ001 - UTC, see below
)
def test_signatures_are_botocores(payload: bytes, credentials: Credentials, queue_url: str, at: dt.datetime) -> None:
    at = at.replace(microsecond=0, tzinfo=dt.UTC)
    where = place(queue_url, region="us-east-1")
    ours = signed_headers(payload, where, credentials, at.timestamp())

    request = botocore.awsrequest.AWSRequest("POST", f"{where.endpoint_url}/", data=payload)
    for name in ("content-type", "x-amz-target"):
        request.headers[name] = ours[name]
    request.context["timestamp"] = request.headers["X-Amz-Date"] = at.strftime("%Y%m%dT%H%M%SZ")
    theirs = botocore.auth.SigV4Auth(botocore.credentials.Credentials(*credentials), "sqs", where.region)
    if credentials.token:
        request.headers["X-Amz-Security-Token"] = credentials.token
    to_sign = theirs.string_to_sign(request, theirs.canonical_request(request))

    assert ours["authorization"].endswith(f", Signature={theirs.signature(to_sign, request)}")
    assert f"Credential={theirs.scope(request)}," in ours["authorization"]
    assert ours["x-amz-date"] == request.headers["X-Amz-Date"]
    assert ours.get("x-amz-security-token") == request.headers.get("X-Amz-Security-Token")


def test_credentials_do_not_show() -> None:
    assert "secret" not in repr(Credentials("key", "secret", "secret token"))


@pytest.mark.parametrize(
    ("origin", "region"),
    [
        ("https://sqs.eu-central-1.amazonaws.com", "eu-central-1"),
        ("https://sqs.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("https://sqs-fips.us-west-2.amazonaws.com", "us-west-2"),
        ("https://vpce-0a.sqs.us-east-2.vpce.amazonaws.com", "us-east-2"),
        ("http://[::1]:4566", "given-1"),
        ("http://localhost", "given-1"),
    ],
)
def test_requests_go_to_the_host_and_region_of_the_queue(origin: str, region: str) -> None:
    where = place(f"{origin}/1/q", region="given-1")
    assert where == (f"{origin}/1/q", origin.startswith("https"), origin.partition("//")[2], region)
    assert where.endpoint_url == origin


def test_requests_go_to_the_endpoint_if_one_is_named() -> None:
    where = place(AWS_URL, endpoint_url="http://127.0.0.1:4566/")
    assert (where.queue_url, where.endpoint_url, where.region) == (AWS_URL, "http://127.0.0.1:4566", "eu-central-1")
    assert place("http://localhost:80/1/q", region="given-1").host == "localhost"


def test_the_environment_names_region_and_endpoint_as_for_boto3(monkeypatch: pytest.MonkeyPatch) -> None:
    local = "http://localhost:4566/1/q"
    monkeypatch.setenv("AWS_DEFAULT_REGION", "default-1")
    assert place(local).region == "default-1"
    monkeypatch.setenv("AWS_REGION", "region-1")
    assert place(local).region == "region-1"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://all:1")
    assert place(AWS_URL).host == "all:1"
    assert place(local).host == "localhost:4566"  # the store's server may be another one
    monkeypatch.setenv("AWS_ENDPOINT_URL_SQS", "http://queues:2")
    assert place(AWS_URL).host == place(local).host == "queues:2"
    assert place(local, endpoint_url="http://given:3").host == "given:3"


@pytest.mark.parametrize(
    "queue_url",
    [f"{AWS_URL}.fifo", "jobs", "", "ftp://example.org/1/jobs", "https://sqs.eu-central-1.amazonaws.com/"],
)
def test_what_is_no_standard_queue_is_refused(queue_url: str) -> None:
    with pytest.raises(ValueError, match="queue"):
        place(queue_url, region="us-east-1")
    with pytest.raises(ValueError, match="region"):
        place("http://localhost:4566/1/q")
    with pytest.raises(ValueError, match="path"):
        place(AWS_URL, endpoint_url="http://127.0.0.1:4566/path")


@pytest.mark.parametrize("body", [b"", b"\xff\xfe words", b"words\x00", b"words\x1b", "words\uffff".encode()])
def test_what_sqs_would_alter_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match="body") as caught:
        message_text(body, 100)
    assert "words" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_the_limit_is_in_bytes() -> None:
    assert message_text("жж".encode(), 4) == "жж"
    with pytest.raises(BodyTooLarge):
        message_text("жжж".encode(), 4)


@pytest.mark.parametrize(("delay_s", "sent_s"), [(0, 0), (0.2, 1), (30, 30), (5000, 900), (-1, 0)])
def test_what_is_sent(server: Server, sender: SqsSender, delay_s: float, sent_s: int) -> None:
    assert sender.send("вопрос".encode(), delay_s=delay_s) == "the-id"
    ((headers, body),) = server.requests
    assert body == {"QueueUrl": server.place().queue_url, "MessageBody": "вопрос", "DelaySeconds": sent_s}
    assert headers["x-amz-target"] == "AmazonSQS.SendMessage"
    assert headers["content-type"] == "application/x-amz-json-1.0"
    assert headers["host"] == f"127.0.0.1:{server.server_port}"


def test_the_connection_is_kept_unless_it_was_idle_for_long(
    server: Server, sender: SqsSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        sender.send(b"job")
    assert (len(server.requests), server.connections) == (3, 1)
    monkeypatch.setattr(sqs_send, "IDLE_S", 0)
    sender.send(b"job")
    assert server.connections == 2


def test_a_connection_that_was_closed_meanwhile_is_replaced(server: Server, sender: SqsSender) -> None:
    server.answers = [Answer(hang_up_after=True), Answer(hang_up_after=True)]
    for _ in range(3):
        assert sender.send(b"job") == "the-id"
    assert (len(server.requests), server.connections) == (3, 3)


@pytest.mark.parametrize(
    "answer",
    [
        Answer(503, "<html>busy</html>"),
        Answer(429, ""),
        Answer(400, json.dumps({"__type": "com.amazonaws.sqs#RequestThrottled"})),
        Answer(500, json.dumps({"__type": "InternalFailure", "message": "try again"})),
    ],
)
def test_passing_faults_are_tried_again(server: Server, sender: SqsSender, answer: Answer) -> None:
    server.answers = [answer, answer]
    assert sender.send(b"job") == "the-id"
    assert len(server.requests) == 3


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [
        (400, '{"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "words"}', "QueueDoesNotExist"),
        (403, '{"__type": "AccessDenied"}', "AccessDenied"),
        (403, "words", "HTTP 403"),
        (400, '{"__type": "words with spaces"}', "HTTP 400"),
        (400, "[]", "HTTP 400"),
        (200, "words", "JSONDecodeError"),
        (200, "{}", "KeyError"),
    ],
)
def test_lasting_faults_are_reported_by_code(
    server: Server, sender: SqsSender, status: int, body: str, code: str
) -> None:
    server.answers = [Answer(status, body)] * sqs_send.ATTEMPTS
    with pytest.raises(QueueUnavailable, match=code) as caught:
        sender.send(b"words")
    assert "words" not in str(caught.value)
    assert len(server.requests) == 1


def test_it_gives_up_after_some_attempts(server: Server, sender: SqsSender) -> None:
    server.answers = [Answer(503)] * 10
    with pytest.raises(QueueUnavailable, match="HTTP 503"):
        sender.send(b"job")
    assert len(server.requests) == sqs_send.ATTEMPTS


def test_it_gives_up_when_there_is_no_time_left(
    server: Server, sender: SqsSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqs_send, "BUDGET_S", 0.2)
    server.answers = [Answer(silent_s=60)]
    with pytest.raises(QueueUnavailable, match="TimeoutError"):
        sender.send(b"job")
    assert len(server.requests) == 1
    assert sender.send(b"job") == "the-id"


def test_the_session_token_of_a_function_is_used(
    server: Server, sender: SqsSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "the-token")
    sender.send(b"job")
    assert server.requests[0][0]["x-amz-security-token"] == "the-token"


@pytest.fixture
def _no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY"):
        monkeypatch.delenv(f"AWS_{name}")
    for name in ("FULL_URI", "RELATIVE_URI"):
        monkeypatch.delenv(f"AWS_CONTAINER_CREDENTIALS_{name}", raising=False)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.mark.usefixtures("_no_credentials")
def test_without_variables_botocores_chain_is_asked(server: Server, sender: SqsSender, tmp_path: Path) -> None:
    (tmp_path / "AWS_SHARED_CREDENTIALS_FILE").write_text(
        "[default]\naws_access_key_id = FROMFILE\naws_secret_access_key = x\naws_session_token = filed\n"
    )
    for _ in range(2):
        sender.send(b"job")
    headers = server.requests[1][0]
    assert "Credential=FROMFILE/" in headers["authorization"]
    assert headers["x-amz-security-token"] == "filed"


@pytest.mark.usefixtures("_no_credentials")
def test_without_any_credentials_it_says_so(
    server: Server, sender: SqsSender, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(QueueUnavailable, match="no AWS credentials"):
        sender.send(b"job")
    monkeypatch.setenv("AWS_PROFILE", "missing")
    with pytest.raises(QueueUnavailable, match="ProfileNotFound"):
        SqsSender(server.place()).send(b"job")
    assert server.requests == []


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[str, str]:
    """The files of a self-signed certificate for localhost, and of its key."""
    return make_ssl_devcert(str(tmp_path / "localhost"), host="localhost")


@pytest.fixture
def tls_server(server: Server, certificate: tuple[str, str]) -> Server:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    return server


def test_certificates_are_checked(
    tls_server: Server,
    certificate: tuple[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    where = place(f"https://localhost:{tls_server.server_port}/1/jobs", region="us-east-1")
    with pytest.raises(QueueUnavailable, match="SSLCertVerificationError"):
        SqsSender(where).send(b"job")
    assert tls_server.requests == []
    capfd.readouterr()  # the server prints that the client hung up
    monkeypatch.setenv("SSL_CERT_FILE", certificate[0])
    with contextlib.closing(SqsSender(where)) as sender:
        for _ in range(2):
            assert sender.send(b"job") == "the-id"


def test_sending_imports_little(server: Server) -> None:
    script = (
        "import sys\n"
        "from trainer.adapters.sqs_queue import SqsQueue\n"
        "queue = SqsQueue(sys.argv[1], region='us-east-1')\n"
        "print(queue.send(b'job'))\n"
        "queue.close()\n"
        "heavy = {'boto3', 'botocore', 'urllib3', 'requests', 'tenacity', 'asyncio'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    output = subprocess.run(
        [sys.executable, "-c", script, server.place().queue_url], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    assert output.split("\n") == ["the-id", "[]", ""]
