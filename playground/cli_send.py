"""`python -m playground '/ask prompt:…'`: does what a person would do, and prints the reply."""

from __future__ import annotations

import argparse
import base64
import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import requests

from playground.command_text import Typed, parse_command
from playground.environment import playground_url
from playground.errors import Refused
from playground.options import parse_value
from playground.rendering import render_choices, render_message, render_modal
from playground.rules_commands import ATTACHMENT, STRING
from playground.world import OWNER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ANSWERED: Final = 0
FAILED: Final = 1
USAGE: Final = 2
_POLL_S: Final = 5.0
_HTTP_OK: Final = 200
_REFUSED: Final = 422
_NO_ANSWER: Final = (
    "The playground does not answer at {url}. Start it with: make run\n"
    "(If it runs elsewhere, set TRAINGER_PLAYGROUND_URL.)"
)


class _Usage(Exception):
    """The command line asks for something that is not there."""


class _Session:
    """Talks to the running playground."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.trust_env = False  # loopback needs no proxy

    def get(self, path: str, **params: str) -> Any:  # noqa: ANN401 - JSON can be anything
        """GET JSON."""
        return self._read(self.session.get(f"{self.url}{path}", params=params, timeout=60))

    def act(self, act: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON can be anything
        """Do something. Raises `Refused` if Discord's client would not do it."""
        return self._read(self.session.post(f"{self.url}/playground/interactions", json=act, timeout=60))

    def _read(self, answer: requests.Response) -> Any:  # noqa: ANN401 - JSON can be anything
        try:
            body = answer.json()
        except ValueError:
            raise _Usage(f"{self.url} is not a playground: it answered {answer.status_code}") from None
        if answer.status_code == _REFUSED:
            raise Refused(body["refused"])
        if answer.status_code != _HTTP_OK:
            raise _Usage(f"{self.url} answered {answer.status_code}: {body}")
        return body


def parser() -> argparse.ArgumentParser:
    """The command line's options."""
    made = argparse.ArgumentParser(
        prog="python -m playground",
        description="Send a slash command, as Discord would, to a running server and print the reply.",
        epilog="python -m playground serve --help  tells how to run a playground of its own.",
    )
    made.add_argument("command", nargs="?", help="'/ask prompt:How do I …?'; a file option takes file:@path")
    made.add_argument("--message", nargs=2, metavar=("COMMAND", "ID"), help="run a command from a message's menu")
    made.add_argument("--click", nargs=2, metavar=("BUTTON", "ID"), help="click a message's button")
    made.add_argument("--fill", action="append", default=[], metavar="FIELD=VALUE", help="fill in the form it opens")
    made.add_argument("--complete", metavar="OPTION", help="show what an option offers for what was typed")
    made.add_argument("--user", default=OWNER, help=f"who you are; by default {OWNER}, who owns the server")
    made.add_argument("--manager", action="store_true", help="you may manage the server")
    made.add_argument("--locale", default="en-US", help="the language of your Discord, such as ru")
    place = made.add_mutually_exclusive_group()
    place.add_argument("--dm", action="store_true", help="in the bot's direct messages")
    place.add_argument("--user-install", action="store_true", help="in a private channel, installed to you only")
    made.add_argument("--json", action="store_true", help="print everything as JSON")
    made.add_argument("--timeout", type=float, default=120.0, help="seconds to wait for the whole reply")
    return made


def main(arguments: Sequence[str]) -> int:
    """Run; returns the exit code."""
    made = parser()
    options = made.parse_args(arguments)
    if sum(one is not None for one in (options.command, options.message, options.click)) != 1:
        made.error("give one command, --message or --click")
    url = playground_url()
    try:
        return _run(_Session(url), options)
    except Refused as refused:
        print(f"Discord refuses: {refused}", file=sys.stderr)
        return FAILED
    except (_Usage, OSError) as error:
        if isinstance(error, requests.RequestException):
            print(_NO_ANSWER.format(url=url), file=sys.stderr)
        else:
            print(error, file=sys.stderr)
        return USAGE


def _run(session: _Session, options: argparse.Namespace) -> int:
    with session.session:
        who = {
            "user": options.user,
            "manager": True if options.manager else None,
            "locale": options.locale,
            "where": "dm" if options.dm else "private" if options.user_install else "guild",
        }
        fields = _fields(options.fill)
        deadline = time.monotonic() + options.timeout
        exchange = _wait(session, session.act({**who, **_first_act(session, options, who["where"])}), deadline)
        if exchange["modal"] is not None and fields:
            submission = {"do": "submit", "exchange": exchange["interaction_id"], "fields": fields}
            exchange = _wait(session, session.act({**who, **submission}), deadline)
    return _show(exchange, as_json=options.json)


def _first_act(session: _Session, options: argparse.Namespace, where: str) -> dict[str, Any]:
    if options.message:
        return {"do": "message_command", "name": options.message[0], "message_id": options.message[1]}
    if options.click:
        return {"do": "click", "name": options.click[0], "message_id": options.click[1]}
    typed = parse_command(options.command, session.get("/playground/commands", where=where))
    if options.complete is None:
        return {"do": "command", "name": typed.name, "options": _values(typed)}
    rest = {name: text for name, text in typed.options.items() if name != options.complete}
    partial = typed.options.get(options.complete, "")
    return {"do": "autocomplete", "name": typed.name, "options": rest, "focused": options.complete, "typed": partial}


def _values(typed: Typed) -> dict[str, Any]:
    definitions = {definition["name"]: definition for definition in typed.chosen.options}
    values: dict[str, Any] = {}
    for name, text in typed.options.items():
        definition = definitions[name]
        if definition["type"] == ATTACHMENT:
            if not text.startswith("@"):
                raise _Usage(f"{name} takes a file: {name}:@path")
            values[name] = _file(text[1:])
        else:
            values[name] = (
                text
                if definition["type"] == STRING and not definition.get("choices")
                else parse_value(definition, text)
            )
    return values


def _file(name: str) -> dict[str, str]:
    path = Path(name).expanduser()
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _Usage(f"cannot read {name}: {error.strerror}") from None
    return {"filename": path.name, "data": base64.b64encode(data).decode()}


def _fields(given: Sequence[str]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for one in given:
        name, found, value = one.partition("=")
        if not found:
            raise _Usage(f"--fill takes field=value, not {one!r}")
        fields[name] = _file(value[1:]) if value.startswith("@") else value
    return fields


def _wait(session: _Session, exchange: dict[str, Any], deadline: float) -> dict[str, Any]:
    while not exchange["settled"] and (left := deadline - time.monotonic()) > 0:
        path = f"/playground/exchanges/{exchange['interaction_id']}"
        exchange = session.get(path, wait=f"{min(left, _POLL_S):.2f}")
    return exchange


def _show(exchange: dict[str, Any], *, as_json: bool) -> int:
    if as_json:
        print(json.dumps(exchange, ensure_ascii=False, indent=1))
        return ANSWERED if exchange["settled"] and not exchange["error"] else FAILED
    if exchange["modal"] is not None:
        print(render_modal(exchange["modal"]))
    if exchange["choices"] is not None:
        print(render_choices(exchange["choices"]))
    color = sys.stdout.isatty()
    print("\n\n".join(render_message(message, color=color) for message in exchange["messages"]), end="")
    print("\n" if exchange["messages"] else "", end="")
    if exchange["error"]:
        print(f"{exchange['error']} ({exchange['reason']})", file=sys.stderr)
        if exchange["refused"]:
            print(json.dumps(exchange["refused"], ensure_ascii=False), file=sys.stderr)
        return FAILED
    if not exchange["settled"]:
        print("The reply was not complete in time.", file=sys.stderr)
        return FAILED
    return ANSWERED
