"""What AWS Lambda hands to a function, as AWS documents it."""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING, Any

from interactions import function_url
from tests import interactions_made as made

if TYPE_CHECKING:
    from trainer.ports import Job


class Context:
    """An invocation that has fifteen minutes, unless told otherwise."""

    def __init__(self, remaining_s: float = 900) -> None:
        self._remaining_ms = round(remaining_s * 1000)

    def get_remaining_time_in_millis(self) -> int:
        return self._remaining_ms


def request(
    body: bytes,
    *,
    path: str = "/interactions",
    method: str = "POST",
    in_base64: bool = False,
    headers: dict[str, str] | None = None,
) -> dict[str, Any]:
    """An event of a function URL, as AWS documents it."""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": "",
        "headers": {"host": "x.lambda-url.eu-west-1.on.aws", "content-type": "application/json"} | (headers or {}),
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "x",
            "domainName": "x.lambda-url.eu-west-1.on.aws",
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "127.0.0.1"},
            "requestId": "1",
            "routeKey": "$default",
            "stage": "$default",
            "timeEpoch": 1,
        },
        "body": base64.b64encode(body).decode() if in_base64 else body.decode(),
        "isBase64Encoded": in_base64,
    }


def signed(payload: made.Json, *, path: str = "/interactions", in_base64: bool = False) -> dict[str, Any]:
    """Such an event, from Discord."""
    body, signature, timestamp = made.signed(made.encode(payload), str(int(time.time())))
    return request(body, path=path, in_base64=in_base64, headers=signature_headers(signature, timestamp))


def signature_headers(signature: str, timestamp: str) -> dict[str, str]:
    """Those by which Discord signs."""
    return {function_url.SIGNATURE: signature, function_url.TIMESTAMP: timestamp}


def messages(*jobs: Job) -> dict[str, Any]:
    """What the platform hands over of these jobs."""
    return {
        "Records": [
            {
                "messageId": job.id,
                "receiptHandle": job.receipt,
                "body": job.body.decode(),
                "attributes": {"ApproximateReceiveCount": str(job.attempts)},
            }
            for job in jobs
        ]
    }
