"""What the doctor's checks come to, and how they are run and shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

State = Literal["ok", "bad", "note"]
MARKS: Final[Mapping[State, str]] = {"ok": "OK  ", "bad": "BAD ", "note": "note"}
SHOWN_MOST: Final = 200
"""Characters of what another machine said."""


class Finding(NamedTuple):
    """What a check came to: it is well; it is not, and the text says what to do; or it works without."""

    name: str
    state: State
    text: str


class Broken(Exception):
    """A check failed; the message says what to do."""


class Aside(Exception):
    """There is nothing to find fault with, but something to know, or it could not be looked at; the message says."""


class Check(NamedTuple):
    """Something to try. `run` returns what was found, or raises `Broken` or `Aside`."""

    name: str
    run: Callable[[], str]


def examine(checks: Iterable[Check]) -> Iterator[Finding]:
    """Runs the checks in order. One that ends in a way nobody foresaw has failed; its words may hold a secret."""
    for check in checks:
        try:
            yield Finding(check.name, "ok", check.run())
        except Broken as problem:
            yield Finding(check.name, "bad", str(problem))
        except Aside as remark:
            yield Finding(check.name, "note", str(remark))
        except Exception as error:  # noqa: BLE001 - the doctor goes on, whatever one organ does
            text = f"ended with {type(error).__name__}, which nobody expected: please report it"
            yield Finding(check.name, "bad", text)


def render(finding: Finding) -> str:
    """A finding in a line."""
    return f"{MARKS[finding.state]} {finding.name}: {finding.text}"


def healthy(findings: Iterable[Finding]) -> bool:
    """Whether nothing is broken."""
    return all(finding.state != "bad" for finding in findings)


def shown(text: object) -> str:
    """What another machine said, fit for a terminal: in one line, not too long, without control characters."""
    clean = "".join(char if char.isprintable() else "?" for char in str(text))
    return clean if len(clean) <= SHOWN_MOST else f"{clean[: SHOWN_MOST - 1]}…"
