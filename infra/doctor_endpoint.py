"""The doctor's requests to the endpoint: as Discord makes them, and as Discord must not.

Discord alone can sign for an application. Whoever runs the endpoint may let it trust a second key, the probe's, which
is good for a PING and for nothing else (`interactions.core`): with its private half the doctor sees a signed PING
answered. With a playground, it takes the playground's key.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
import statistics
import time
from http import HTTPStatus
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final, NamedTuple
from urllib.parse import urlsplit, urlunsplit

import certifi
import requests
from nacl.signing import SigningKey

from infra.doctor_findings import Aside, Broken, Check, shown
from interactions.discord_session import new_session, unauthorized

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LIMIT_S: Final = 3.0
"""So long Discord waits."""
TIMEOUT_S: Final = 10.0
TRIES: Final = 5
DAYS_LEAST: Final = 7
"""A certificate that ends sooner is not being renewed: those who renew do so weeks before."""
DAY_S: Final = 86_400
PING: Final = b'{"type":1}'
COMMAND: Final = b'{"type":2}'
"""No command: an endpoint that would take one from the probe says that this is malformed, and does nothing."""
WHO_SIGNS: Final = (
    "not tried, for Discord alone signs for your application. To let the endpoint trust a second key for this alone: "
    "`python -m infra.doctor --new-key FILE`"
)


class Key(NamedTuple):
    """What the doctor signs with."""

    signing: SigningKey
    playground: bool = False
    """Whether it is the playground's, which may sign everything."""


class _Answer(NamedTuple):
    status: int
    content_type: str
    body: bytes
    seconds: float


class Endpoint:
    """A running endpoint.

    Args:
        url: where it is, with or without `/interactions`.
        key: what to sign with; None where there is nothing.
        real: whether a real application is configured here, so that the endpoint should serve one.
        limit_s: so long Discord waits.
        clock: seconds since the epoch.

    Raises:
        ValueError: the URL is none.
    """

    def __init__(
        self,
        url: str,
        key: Key | None = None,
        *,
        real: bool = True,
        limit_s: float = LIMIT_S,
        clock: Callable[[], float] = time.time,
    ) -> None:
        parts = urlsplit(url.strip())
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
            raise ValueError("the URL must be like https://trainger.example.org")
        path = parts.path.rstrip("/").removesuffix("/interactions").rstrip("/")
        self.base = urlunsplit((parts.scheme, parts.netloc, path, "", ""))
        self.interactions = f"{self.base}/interactions"
        self.local = _is_here(parts.hostname)
        self._host, self._port = parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
        self._secure = parts.scheme == "https"
        self._key = key
        self._real = real
        self._limit_s = limit_s
        self._clock = clock
        self._authorities = os.environ.get("SSL_CERT_FILE") or certifi.where()
        self._session = new_session()
        self._seconds: list[float] = []

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def checks(self) -> list[Check]:
        """What is to be tried, in the order in which one failing explains the next."""
        bounded = [Check("probe", self.probe)] if self._key is not None and not self._key.playground else []
        return [
            Check("certificate", self.certificate),
            Check("signed PING", self.signed_ping),
            *bounded,
            Check("bad signature", self.bad_signature),
            Check("missing headers", self.missing_headers),
            Check("latency", self.latency),
            Check("health", self.health),
            Check("metrics", self.metrics),
        ]

    def certificate(self) -> str:
        """Whether Discord would trust it, and for how long."""
        if not self._secure:
            if self.local:
                raise Aside("none is needed on this machine; Discord needs https")
            raise Broken("Discord takes https alone. Put a proxy with a certificate, or a tunnel, before it.")
        context = ssl.create_default_context(cafile=self._authorities)
        try:
            with (
                socket.create_connection((self._host, self._port), TIMEOUT_S) as plain,
                context.wrap_socket(plain, server_hostname=self._host) as secured,
            ):
                shown_by_server = secured.getpeercert() or {}
        except ssl.SSLCertVerificationError as error:
            raise Broken(f"is not trusted: {error.verify_message}. Discord would refuse it, too.") from None
        except OSError as error:
            raise Broken(
                f"no secure connection ({type(error).__name__}). Is the host's name right, and port open?"
            ) from None
        days = (ssl.cert_time_to_seconds(str(shown_by_server["notAfter"])) - self._clock()) / DAY_S
        if days < DAYS_LEAST:
            raise Broken(f"ends in {max(0, int(days))} days, and has not been renewed. Look after what renews it.")
        return f"trusted, for {int(days)} more days"

    def signed_ping(self) -> str:
        """Whether a PING is answered as Discord wants it."""
        if self._key is None:
            raise Aside(WHO_SIGNS)
        for answer in (answers := self._try(PING, self._signed(PING))):
            if answer.status == HTTPStatus.UNAUTHORIZED:
                if self._key.playground:
                    raise Broken(
                        "the playground's key is not trusted. Does another one run? Stop both, and `make run`."
                    )
                public = self._key.signing.verify_key.encode().hex()
                raise Broken(
                    f"the probe's key is not trusted. Set TRAINGER_PROBE_PUBLIC_KEY={public} where the endpoint runs."
                )
            if answer.status != HTTPStatus.OK:
                raise _unexpected(answer)
            if not answer.content_type.startswith("application/json") or _json(answer.body) != {"type": 1}:
                raise Broken(
                    'is not answered with {"type":1}, as JSON: that is no Trainger, or something changes it.'
                )
        return _times("PONG", answers)

    def probe(self) -> str:
        """Whether the probe's key is good for nothing but a PING."""
        (answer,) = self._try(COMMAND, self._signed(COMMAND), times=1)
        if answer.status != HTTPStatus.UNAUTHORIZED:
            raise Broken(
                "the endpoint takes commands from the probe's key. DISCORD_PUBLIC_KEY must be what the developer "
                "portal shows, and TRAINGER_PROBE_PUBLIC_KEY the probe's."
            )
        return "its key signs a PING and nothing else"

    def bad_signature(self) -> str:
        """Whether a signature of somebody else's is refused: Discord tries that now and then."""
        stranger = SigningKey.generate()
        stamp = str(int(self._clock()))
        forged = _headers(stranger.sign(stamp.encode() + PING).signature.hex(), stamp)
        answers = self._try(PING, forged) + self._try(PING, _headers("00" * 64, stamp), times=1)
        return _times("401", [_refused(answer, "a wrong signature") for answer in answers])

    def missing_headers(self) -> str:
        """Whether a request without a signature is refused."""
        answers = self._try(PING, {"Content-Type": "application/json"})
        return _times("401", [_refused(answer, "no signature") for answer in answers])

    def latency(self) -> str:
        """Whether the answers came in time."""
        if not self._seconds:
            raise Aside("nothing was answered")
        typical, slowest = statistics.median(self._seconds), max(self._seconds)
        found = f"median {_ms(typical)}, slowest {_ms(slowest)} of {len(self._seconds)}, from here"
        if slowest >= self._limit_s:
            raise Broken(
                f"{found}: Discord waits {_ms(self._limit_s)} and no longer. Is the machine overloaded, or far away? "
                "On AWS, more ackMemory makes cold starts shorter."
            )
        return f"{found}; Discord waits {_ms(self._limit_s)}"

    def health(self) -> str:
        """Whether the endpoint's store and queue answer it, and what it works with."""
        answer = self._get("/healthz")
        state = _json(answer.body)
        if answer.status not in {HTTPStatus.OK, HTTPStatus.SERVICE_UNAVAILABLE} or not isinstance(state, dict):
            raise _unexpected(answer)
        silent = [part for part in ("store", "queue") if part in state and state[part] != "ok"]
        if silent or not state.get("ok"):
            names = {"store": "TRAINGER_STORE", "queue": "TRAINGER_QUEUE"}
            see = ", ".join(names[part] for part in silent) or "its log"
            raise Broken(f"its {' and '.join(silent) or 'health'} does not answer: see {see} where the endpoint runs")
        if self._real and state.get("discord") == "playground":
            raise Broken("it serves a playground: DISCORD_PUBLIC_KEY is not set where it runs")
        return _state(state)

    def metrics(self) -> str:
        """Whether the numbers are open to everybody."""
        answer = self._get("/metrics")
        if answer.status == HTTPStatus.NOT_FOUND:
            return "not shown to us"
        if answer.status != HTTPStatus.OK:
            raise Aside(f"/metrics answers {answer.status}")
        if self.local:
            return "shown, since we ask from the same machine"
        raise Aside("open to everybody. TRAINGER_METRICS=local, and a proxy that names its clients, close them.")

    def _signed(self, body: bytes) -> dict[str, str]:
        if self._key is None:
            raise Aside(WHO_SIGNS)
        stamp = str(int(self._clock()))
        return _headers(self._key.signing.sign(stamp.encode() + body).signature.hex(), stamp)

    def _try(self, body: bytes, headers: Mapping[str, str], *, times: int = TRIES) -> list[_Answer]:
        answers = [self._send("POST", "/interactions", body, headers) for _ in range(times)]
        self._seconds += [answer.seconds for answer in answers]
        return answers

    def _get(self, path: str) -> _Answer:
        return self._send("GET", path, None, {})

    def _send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> _Answer:
        started = time.perf_counter()
        try:
            answer = self._session.request(
                method,
                self.base + path,
                data=body,
                headers=dict(headers),
                timeout=TIMEOUT_S,
                allow_redirects=False,
                auth=unauthorized,
                # Named in each request: the environment's variables would win over the session's.
                verify=self._authorities,
            )
        except requests.Timeout:
            raise Broken(
                f"no answer within {TIMEOUT_S:.0f} s. Does it run, and does a firewall let it be reached?"
            ) from None
        except requests.exceptions.SSLError:
            raise Broken("no secure connection: see `certificate`") from None
        except requests.RequestException as error:
            raise Broken(f"cannot be reached ({type(error).__name__}). Does it run, and is the URL right?") from None
        seconds = time.perf_counter() - started
        return _Answer(answer.status_code, answer.headers.get("Content-Type", ""), answer.content, seconds)


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _headers(signature: str, stamp: str) -> dict[str, str]:
    return {
        "Content-Type": "application/json",
        "X-Signature-Ed25519": signature,
        "X-Signature-Timestamp": stamp,
    }


def _refused(answer: _Answer, what: str) -> _Answer:
    if answer.status == HTTPStatus.UNAUTHORIZED:
        return answer
    if answer.status == HTTPStatus.OK:
        raise Broken(f"a request with {what} is TAKEN: anybody can give commands, and Discord removes the endpoint.")
    raise _unexpected(answer)


def _unexpected(answer: _Answer) -> Broken:
    """What the statuses of something that stands between, or instead of Trainger, tell."""
    match answer.status:
        case 301 | 302 | 303 | 307 | 308:
            hint = "it leads elsewhere, and Discord does not follow: give the address it leads to"
        case 403:
            hint = "something before it refuses: a firewall, or a function URL that is not open to everybody"
        case 404 | 405:
            hint = "there is no Trainger at this address: is the path right, and does the proxy pass it on?"
        case 429:
            hint = "something before it limits requests, and Discord's come from few addresses: let them through"
        case status if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            hint = "see the log of the endpoint, and of the proxy before it"
        case _:
            hint = "is it Trainger?"
    return Broken(f"answers {answer.status}: {hint}")


def _json(body: bytes) -> Any:  # noqa: ANN401 - JSON can be anything
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _state(state: Mapping[str, Any]) -> str:
    """What `/healthz` tells, in a line."""
    said = [f"{part} {shown(state[part])}" for part in ("store", "queue") if part in state]
    jobs, models = state.get("jobs"), state.get("models")
    if isinstance(jobs, dict):
        said += [f"{shown(jobs.get('ready'))} jobs wait"]
        if jobs.get("dead"):
            said += [f"{shown(jobs['dead'])} were given up (python -m interactions.dead lists them)"]
    voice = state.get("voice")
    if isinstance(voice, dict) and isinstance(orders := voice.get("orders"), dict):
        said += [f"{shown(orders.get('ready'))} orders wait for the voice sidecar"]
    if isinstance(models, dict):
        said += [f"{shown(name)}: {shown(model)}" for name, model in models.items()]
    return "; ".join(said)


def _times(what: str, answers: list[_Answer]) -> str:
    seconds = [answer.seconds for answer in answers]
    return f"{what}, median {_ms(statistics.median(seconds))}, slowest {_ms(max(seconds))} of {len(seconds)}"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"
