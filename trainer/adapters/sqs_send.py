"""Sends one message to an SQS queue, with little to import: this is on the acknowledging path.

One signed HTTP request over the standard library, in SQS's JSON protocol
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-making-api-requests-json.html).
boto3's client costs a fresh process hundreds of milliseconds, and botocore's signer alone more than all of this
module; a test compares the signatures made here with botocore's. Differences from boto3: certificates are checked
against the system's trust store (`SSL_CERT_FILE` is honoured), and proxy variables are not read.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import math
import os
import random
import re
import time
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

from trainer.ports import BodyTooLarge, QueueUnavailable

if TYPE_CHECKING:
    import ssl

    from botocore.session import Session

MESSAGE_LIMIT: Final = 256 * 1024
"""Bytes. SQS takes 1 MiB since August 2025, but a queue made earlier, or a compatible server, only this."""
MAX_BODY: Final = MESSAGE_LIMIT - 1024
"""Bytes. The rest is for the attributes that a message gets when it is buried."""
MAX_DELAY_S: Final = 900
CONNECT_TIMEOUT_S: Final = 1.0
READ_TIMEOUT_S: Final = 2.0
BUDGET_S: Final = 2.5
"""For all attempts together: Discord waits three seconds for the acknowledgement."""
ATTEMPTS: Final = 3
FIRST_PAUSE_S: Final = 0.05
IDLE_S: Final = 20.0
"""A connection unused for longer is not trusted: a frozen function misses that the other side hung up."""

_CONTENT_TYPE: Final = "application/x-amz-json-1.0"
_TARGET: Final = "AmazonSQS.SendMessage"
_THROTTLED: Final = frozenset({"RequestThrottled", "ThrottlingException", "Throttling", "KmsThrottled"})
# Named one by one: a negated class over all of Unicode takes forty times as long to compile, at every cold start.
_FORBIDDEN: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_REGION: Final = re.compile(r"\bsqs(?:-fips)?\.([a-z0-9-]+)\.(?:vpce\.)?(?:amazonaws\.com|api\.aws)")
_STALE: Final = (ConnectionError, http.client.BadStatusLine)


class Credentials(NamedTuple):
    """What a request is signed with."""

    access_key: str
    secret_key: str
    token: str | None

    def __repr__(self) -> str:
        return "Credentials(…)"


class Place(NamedTuple):
    """Where a queue's requests go."""

    queue_url: str
    secure: bool
    host: str
    """With the port unless it is the scheme's own, as in the Host header."""
    region: str

    @property
    def endpoint_url(self) -> str:
        """The server's origin."""
        return f"{'https' if self.secure else 'http'}://{self.host}"


class _Answer(NamedTuple):
    status: int
    body: bytes


def place(queue_url: str, *, endpoint_url: str | None = None, region: str | None = None) -> Place:
    """Where requests for this queue go.

    The endpoint: the given one, else `AWS_ENDPOINT_URL_SQS`, else the host in the queue's URL, unless that is AWS's
    and `AWS_ENDPOINT_URL` names another. The region: the one that AWS's host names, else the given one, else
    `AWS_REGION` or `AWS_DEFAULT_REGION`.

    Raises:
        ValueError: it is no URL of a standard queue, or there is no region.
    """
    if queue_url.endswith(".fifo"):
        # One group would make all jobs wait for each other, and what is repeated is recognised by its content.
        raise ValueError("a FIFO queue: jobs need a standard queue")
    named = _REGION.search(urlsplit(queue_url).hostname or "")
    region = named.group(1) if named else region
    region = region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")
    endpoint_url = endpoint_url or os.environ.get("AWS_ENDPOINT_URL_SQS")
    endpoint_url = endpoint_url or (os.environ.get("AWS_ENDPOINT_URL") if named else None)
    parts = urlsplit(endpoint_url or queue_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or not urlsplit(queue_url).path.strip("/"):
        raise ValueError("not the URL of an SQS queue")
    if endpoint_url and parts.path.strip("/"):
        raise ValueError("an endpoint URL with a path")
    if not region:
        raise ValueError("the queue's URL names no region, and none is configured")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if parts.port not in {None, 443 if parts.scheme == "https" else 80}:
        host = f"{host}:{parts.port}"
    return Place(queue_url, parts.scheme == "https", host, region)


def message_text(body: bytes, max_body: int) -> str:
    """The body as SQS takes it. Raises `BodyTooLarge`, and ValueError for what SQS would alter or refuse."""
    if len(body) > max_body:
        raise BodyTooLarge(f"{len(body)} bytes; the queue takes {max_body}")
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise ValueError("a job's body is not UTF-8") from None  # the cause would carry the body
    if not text or _FORBIDDEN.search(text):
        raise ValueError("a job's body is empty or has control characters")
    return text


def signed_headers(payload: bytes, where: Place, credentials: Credentials, at: float) -> dict[str, str]:
    """The headers of a SendMessage request, with its signature.

    AWS Signature Version 4, https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html

    Args:
        payload: the request's body.
        where: the queue.
        credentials: of who sends.
        at: seconds since the epoch; servers refuse requests that are more than some minutes off.
    """
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at))
    headers = {"content-type": _CONTENT_TYPE, "host": where.host, "x-amz-date": stamp, "x-amz-target": _TARGET}
    if credentials.token:
        headers["x-amz-security-token"] = credentials.token
    names = sorted(headers)
    listed = ";".join(names)
    canonical = "\n".join(
        ["POST", "/", "", *(f"{name}:{headers[name]}" for name in names), "", listed, _sha256(payload)]
    )
    scope = f"{stamp[:8]}/{where.region}/sqs/aws4_request"
    to_sign = f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{_sha256(canonical.encode())}"
    key = f"AWS4{credentials.secret_key}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
    headers["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope}, SignedHeaders={listed}, Signature={signature}"
    )
    return headers


class SqsSender:
    """SendMessage over connections that stay open. Safe to use from several threads, and after a fork.

    Credentials come from the environment, as in a serverless function; where it has none, from botocore's whole
    chain (profiles, container and instance roles), imported only then.
    """

    def __init__(self, where: Place, *, max_body: int = MAX_BODY) -> None:
        self._where = where
        self._max_body = max_body
        self._idle: dict[int, list[tuple[http.client.HTTPConnection, float]]] = {}
        self._tls: ssl.SSLContext | None = None
        self._session: Session | None = None

    def send(self, body: bytes, *, delay_s: float = 0) -> str:
        """Send a message, delivered after `delay_s` seconds (at most 900); returns its id.

        A message can arrive twice if the answer to the first attempt was lost.

        Raises:
            BodyTooLarge: it has more than `max_body` bytes.
            QueueUnavailable: with the error's code.
            ValueError: the body is no text that SQS takes.
        """
        payload = json.dumps(
            {
                "QueueUrl": self._where.queue_url,
                "MessageBody": message_text(body, self._max_body),
                "DelaySeconds": min(math.ceil(max(delay_s, 0)), MAX_DELAY_S),
            },
            ensure_ascii=False,
        ).encode()
        # A loop of our own: tenacity takes as long to import as everything else here.
        deadline = time.monotonic() + BUDGET_S
        pause = FIRST_PAUSE_S
        failure: str | None = None
        for attempt in range(1, ATTEMPTS + 1):
            try:
                answer = self._post(payload, deadline)
                failure = _failure(answer)
                retryable = _is_retryable(answer.status, failure)
                if failure is None:
                    return str(json.loads(answer.body)["MessageId"])
            except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
                # A certificate that does not hold is a ValueError too, and so is an answer that is no JSON.
                failure = type(error).__name__
                retryable = not isinstance(error, ValueError | KeyError | TypeError)
            wait = pause * random.uniform(0.5, 1)  # noqa: S311 - spreads retries, guards nothing
            if not retryable or attempt == ATTEMPTS or time.monotonic() + wait >= deadline:
                break
            time.sleep(wait)
            pause *= 3
        raise QueueUnavailable(f"SendMessage: {failure}")

    def close(self) -> None:
        """Close the idle connections of this process."""
        idle = self._own_idle()
        while idle:
            idle.pop()[0].close()

    def _post(self, payload: bytes, deadline: float) -> _Answer:
        headers = signed_headers(payload, self._where, self._credentials(), time.time())
        reused = self._reusable()
        if reused is not None:
            try:
                return self._exchange(reused, payload, headers, deadline)
            except _STALE:
                pass  # the other side had closed it meanwhile
        return self._exchange(self._connect(deadline), payload, headers, deadline)

    def _exchange(
        self, connection: http.client.HTTPConnection, payload: bytes, headers: dict[str, str], deadline: float
    ) -> _Answer:
        try:
            if connection.sock is not None:
                connection.sock.settimeout(_within(READ_TIMEOUT_S, deadline))
            connection.request("POST", "/", payload, headers)
            response = connection.getresponse()
            answer = _Answer(response.status, response.read())
        except BaseException:
            connection.close()
            raise
        if response.will_close:
            connection.close()
        else:
            self._own_idle().append((connection, time.time()))
        return answer

    def _connect(self, deadline: float) -> http.client.HTTPConnection:
        timeout = _within(CONNECT_TIMEOUT_S, deadline)
        if self._where.secure:
            import ssl  # noqa: PLC0415 - only where it is needed

            self._tls = self._tls or ssl.create_default_context()
            connection: http.client.HTTPConnection = http.client.HTTPSConnection(
                self._where.host, timeout=timeout, context=self._tls
            )
        else:
            connection = http.client.HTTPConnection(self._where.host, timeout=timeout)
        try:
            connection.connect()
        except BaseException:
            connection.close()
            raise
        return connection

    def _reusable(self) -> http.client.HTTPConnection | None:
        idle = self._own_idle()
        while True:
            try:
                connection, since = idle.pop()
            except IndexError:
                return None
            if abs(time.time() - since) < IDLE_S:  # not the monotonic clock: it may stand still in a frozen function
                return connection
            connection.close()

    def _own_idle(self) -> list[tuple[http.client.HTTPConnection, float]]:
        return self._idle.setdefault(os.getpid(), [])

    def _credentials(self) -> Credentials:
        access_key, secret_key = os.environ.get("AWS_ACCESS_KEY_ID"), os.environ.get("AWS_SECRET_ACCESS_KEY")
        if access_key and secret_key:
            return Credentials(access_key, secret_key, os.environ.get("AWS_SESSION_TOKEN"))
        import botocore.session  # noqa: PLC0415 - a tenth of a second, and not needed in a function
        from botocore.exceptions import BotoCoreError  # noqa: PLC0415

        self._session = self._session or botocore.session.get_session()
        try:
            found = self._session.get_credentials()
            frozen = found.get_frozen_credentials() if found else None
        except BotoCoreError as error:
            raise QueueUnavailable(f"SendMessage: {type(error).__name__}") from None
        if frozen is None or not frozen.access_key or not frozen.secret_key:
            raise QueueUnavailable("SendMessage: no AWS credentials")
        return Credentials(frozen.access_key, frozen.secret_key, frozen.token)


def _within(timeout_s: float, deadline: float) -> float:
    return max(min(timeout_s, deadline - time.monotonic()), 0.001)


def _failure(answer: _Answer) -> str | None:
    """The error's code, without its message: that repeats what was sent."""
    if answer.status == http.client.OK:
        return None
    try:
        code = str(json.loads(answer.body)["__type"]).rpartition("#")[2]
    except (ValueError, KeyError, TypeError):
        code = ""
    return code if re.fullmatch(r"[\w.-]{1,80}", code) else f"HTTP {answer.status}"


def _is_retryable(status: int, code: str | None) -> bool:
    return (
        status >= http.client.INTERNAL_SERVER_ERROR or status == http.client.TOO_MANY_REQUESTS or code in _THROTTLED
    )


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
