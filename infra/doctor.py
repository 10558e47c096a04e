"""Looks at a running endpoint, and at what it needs, from outside: `python -m infra.doctor URL`.

Each line is OK, or says what to do; a note is something to know. Exit codes: 0 well, 1 something is broken, 2 nothing
was looked at. What is configured here (`.env`, the environment) is taken for what is configured there. Nothing is
changed anywhere, and no secret is printed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nacl.exceptions import CryptoError
from nacl.signing import SigningKey

from infra.doctor_discord import Discord
from infra.doctor_endpoint import Endpoint, Key
from infra.doctor_findings import Aside, Broken, Check, examine, healthy, render, shown
from trainer import bootstrap
from trainer.configuration import ConfigurationError
from trainer.ports import PortError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from infra.doctor_findings import Finding
    from trainer.configuration import Configuration

PRIVATE_KEY: Final = "TRAINGER_PROBE_PRIVATE_KEY"
PUBLIC_KEY: Final = "TRAINGER_PROBE_PUBLIC_KEY"
PLAYGROUND_KEY: Final = bootstrap.PLAYGROUND_FILE.parent / "signing.key"
HIDDEN_LEAST: Final = 6
"""Shorter secrets are none, and would hide words."""
CHECKS: Final = (
    "certificate",
    "signed PING",
    "probe",
    "bad signature",
    "missing headers",
    "latency",
    "health",
    "metrics",
    "application",
    "events",
    "servers",
    "commands",
    "invite",
    "store",
    "queue",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Look, tell, and say by the exit code whether all is well."""
    options = _parse(arguments)
    try:
        if options.new_key is not None:
            return _new_key(options.new_key)
        configuration = bootstrap.configure()
        endpoint = Endpoint(options.url, _key(configuration), real=configuration.has_credentials)
    except (ConfigurationError, ValueError) as error:
        print(f"doctor: {error}", file=sys.stderr)  # noqa: T201 - a command line speaks to its user
        return 2
    findings = []
    for finding in _look(endpoint, configuration, options.skip):
        findings.append(finding._replace(text=_hidden(finding.text, configuration)))
        if not options.json:
            print(render(findings[-1]), flush=True)  # noqa: T201 - as above
    well = healthy(findings)
    if options.json:
        said = {"url": endpoint.base, "ok": well, "findings": [finding._asdict() for finding in findings]}
        print(json.dumps(said, ensure_ascii=False))  # noqa: T201 - as above
    return 0 if well else 1


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.doctor", description="Looks at a running Trainger.")
    parser.add_argument("url", nargs="?", help="where it is, such as https://trainger.example.org")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of lines")
    parser.add_argument(
        "--skip",
        metavar="CHECK",
        action="append",
        default=[],
        choices=CHECKS,
        help=f"leave a check out; may be repeated ({', '.join(CHECKS)})",
    )
    parser.add_argument(
        "--new-key",
        metavar="FILE",
        type=Path,
        help="make the probe's pair of keys, write the private half to a new file, and end",
    )
    options = parser.parse_args(arguments)
    if options.url is None and options.new_key is None:
        parser.error("the URL is missing")
    return options


def _look(endpoint: Endpoint, configuration: Configuration, skipped: Sequence[str]) -> Iterator[Finding]:
    discord = Discord(configuration, endpoint.base)
    keeping = [
        Check("store", lambda: _store(configuration, here=endpoint.local)),
        Check("queue", lambda: _queue(configuration, here=endpoint.local)),
    ]
    try:
        checks = [*endpoint.checks(), *discord.checks(), *keeping]
        yield from examine(check for check in checks if check.name not in skipped)
    finally:
        endpoint.close()
        discord.close()


def _store(configuration: Configuration, *, here: bool) -> str:
    where = configuration.store
    _look_for(where, "TRAINGER_STORE", here=here)
    try:
        bootstrap.make_store(configuration).ping()
    except ConfigurationError as error:
        raise Broken(str(error)) from None
    except PortError:
        raise Broken(
            f"{shown(where)} does not answer us: does it exist, and may the credentials of this machine list it?"
        ) from None
    return f"{shown(where)} answers"


def _queue(configuration: Configuration, *, here: bool) -> str:
    where = configuration.queue
    _look_for(where, "TRAINGER_QUEUE", here=here)
    try:
        with closing(bootstrap.make_queue(configuration)) as queue:
            queue.ping()
            depth = queue.depth()
    except ConfigurationError as error:
        raise Broken(str(error)) from None
    except PortError:
        raise Broken(
            f"{shown(where)} does not answer us: does it exist, and may the credentials of this machine read it?"
        ) from None
    dead = f"; {depth.dead} were given up: python -m interactions.dead lists them" if depth.dead else ""
    return f"{shown(where)} answers, {depth.ready} jobs wait{dead}"


def _look_for(where: str, name: str, *, here: bool) -> None:
    """Whether there is something to ask: what lies in files is made by asking for it, and is another machine's."""
    kind, _, path = where.partition(":")
    if kind not in {"file", "sqlite"}:
        return
    if not here:
        raise Aside(f"{name} names nothing here that the endpoint could share: `health` says how its own is")
    if not Path(path).exists():
        raise Broken(
            f"{shown(path)} is not there. Is this the folder that the endpoint runs in, and {name} the same?"
        )


def _key(configuration: Configuration) -> Key | None:
    """What to sign with. Raises ValueError."""
    text = os.environ.get(PRIVATE_KEY, "").strip()
    if text:
        return Key(_signing_key(text, f"{PRIVATE_KEY} must be the 64 hexadecimal digits that --new-key wrote"))
    if configuration.local and configuration.public_key and PLAYGROUND_KEY.is_file():
        text = PLAYGROUND_KEY.read_text(encoding="utf-8").strip()
        return Key(_signing_key(text, f"{PLAYGROUND_KEY} is not the playground's key"), playground=True)
    return None


def _signing_key(text: str, problem: str) -> SigningKey:
    try:
        return SigningKey(bytes.fromhex(text))
    except (CryptoError, ValueError, TypeError):
        raise ValueError(problem) from None


def _new_key(path: Path) -> int:
    """Writes the private half where nobody else may read it, and prints the public one. Raises ValueError."""
    key = SigningKey.generate()
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(key.encode().hex() + "\n")
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror or error}") from None
    print(f"{PUBLIC_KEY}={key.verify_key.encode().hex()}")  # noqa: T201 - a command line speaks to its user
    print(f"{path} has {PRIVATE_KEY}: keep it secret.", file=sys.stderr)  # noqa: T201 - as above
    return 0


def _hidden(text: str, configuration: Configuration) -> str:
    """The text without any secret that may have got into it by way of another machine's answer."""
    secrets = [configuration.token, configuration.openai_api_key, configuration.link_secret]
    secrets += [
        os.environ.get(name, "").strip() for name in (PRIVATE_KEY, "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
    ]
    for secret in secrets:
        if len(secret) >= HIDDEN_LEAST:
            text = text.replace(secret, "…")
    return text


if __name__ == "__main__":
    sys.exit(main())
