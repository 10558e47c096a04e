"""What a gate has said of changes, and what managers decided about those that did not pass.

    g42/gates/<interaction>.json            how a change was judged; never changed
    g42/gates/<interaction>.decision.json   who brought it into force all the same, and why, or left it; never changed
    g42/gates/tested/<digest>.json          small and mutable: the last run that tested the very same
    g42/reports/override-<interaction>.json both of the first two, as a file for managers

None of them holds what people taught or asked: those are in the runs, and go with them.
"""

from __future__ import annotations

import hashlib
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from trainer import records
from trainer.evaluation.comparison import Comparison
from trainer.ports import PreconditionFailed

if TYPE_CHECKING:
    from collections.abc import Callable

    from trainer.evaluation.results import Subject
    from trainer.ports import ObjectStore
    from trainer.scope import Actor, Scope

HOLDS_S: Final = 86_400.0
"""How long after it was judged a change that did not pass can be brought into force all the same."""
REASON_MOST: Final = 300
"""Characters of a reason."""

Outcome = Literal["passed", "worse", "untestable"]
Reason = Literal["", "alike", "no_cases", "errors", "busy", "interrupted"]
"""Why it passed without a test, or could not be tested.

alike        the change makes no difference to any answer
no_cases     there is nothing to test it with
errors       too many cases could not be judged
busy         another test was running all the time
interrupted  somebody ended the test, or had its cases deleted
"""


class Change(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is to count from now on."""

    kind: Literal["selection", "instruction", "approval"]
    dataset: str
    """The one that would answer."""
    instead_of: str = ""
    """Of a selection: the dataset whose place it takes."""
    archive: bool = False
    """Of a selection: the one before is to be archived."""
    draft: str = ""
    """Of an instruction: the draft that comes into force."""
    bulk: str = ""
    """Of an approval: names the proposals, see `trainer.proposals`."""


class Judgement(msgspec.Struct, frozen=True, kw_only=True):
    """How a change was judged."""

    id: str
    """The interaction's."""
    author: str
    """Who wanted it."""
    at: float
    """Seconds since the epoch."""
    change: Change
    outcome: Outcome
    reason: Reason = ""
    cases: int = 0
    comparison: Comparison | None = None
    """None if nothing was tested."""
    errors: dict[str, int] = {}
    """How many answers could not be judged, on both sides, by reason."""
    changed: bool = False
    """Something was taught while it was tested."""
    before_run: str = ""
    after_run: str = ""
    v: int = 1


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What was decided about a change that did not pass."""

    id: str
    """The interaction's."""
    gate: str
    """The judgement's."""
    by: str
    at: float
    """Seconds since the epoch."""
    done: bool
    """It was brought into force all the same; else it was left."""
    reason: str = ""
    """Why, in the person's words."""
    v: int = 1


class Override(msgspec.Struct, frozen=True, kw_only=True):
    """A change that counts although it did not pass, as a file tells of it."""

    judgement: Judgement
    decision: Decision


class Tested(msgspec.Struct, frozen=True):
    """Which run tested something last."""

    run: str


class NoSuchJudgement(Exception):
    """There is no such judgement here of a change that did not pass."""


class Expired(Exception):
    """The judgement is too old: much may have been taught since."""


class DecidedBefore(Exception):
    """Somebody has decided about it."""

    def __init__(self, decision: Decision) -> None:
        super().__init__("it was decided before")
        self.decision = decision


class Gates:
    """Judgements and decisions of a store. Ids may come from anywhere."""

    def __init__(self, store: ObjectStore, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock

    def save(self, scope: Scope, judgement: Judgement) -> Judgement:
        """Keep a judgement; the first one of an interaction stands."""
        return records.save_once(self._store, _key(scope, judgement.id), judgement)

    def load(self, scope: Scope, gate_id: str) -> Judgement | None:
        """A judgement, or None."""
        if not (gate_id.isascii() and gate_id.isdecimal()):
            return None
        return records.load(self._store, _key(scope, gate_id), Judgement)

    def passed(self, scope: Scope, gate_id: str) -> Judgement | None:
        """The judgement of a change that passed, or None."""
        found = self.load(scope, gate_id)
        return found if found is not None and found.outcome == "passed" else None

    def decide(
        self, actor: Actor, interaction_id: str, gate_id: str, *, reason: str | None
    ) -> tuple[Judgement, Decision]:
        """Bring a change that did not pass into force for a reason, or with None leave it; the first decision stands.

        The caller has made sure that the actor may, and goes on to do it; done again, this tells the same.

        Raises:
            NoSuchJudgement, Expired, DecidedBefore: nothing was decided now.
        """
        scope = actor.scope
        judgement = self.load(scope, gate_id)
        if judgement is None or judgement.outcome == "passed":
            raise NoSuchJudgement
        key = f"{_key(scope, gate_id).removesuffix('.json')}.decision.json"
        decision = records.load(self._store, key, Decision)
        if decision is None:
            if self._clock() > judgement.at + HOLDS_S:
                raise Expired
            wanted = Decision(
                id=interaction_id,
                gate=gate_id,
                by=actor.user_id,
                at=self._clock(),
                done=reason is not None,
                reason=(reason or "")[:REASON_MOST],
            )
            decision = records.save_once(self._store, key, wanted)
        if decision.id != interaction_id:
            raise DecidedBefore(decision)
        if decision.done:
            self._report(scope, Override(judgement=judgement, decision=decision))
        return judgement, decision

    def remember(self, scope: Scope, subject: Subject, cases: str, run_id: str) -> None:
        """Note which run has tested this with these cases."""
        records.save(self._store, _tested_key(scope, subject, cases), Tested(run_id))

    def tested(self, scope: Scope, subject: Subject, cases: str) -> str:
        """The last run that has tested this with these cases; empty if none has."""
        found = records.load(self._store, _tested_key(scope, subject, cases), Tested)
        return found.run if found is not None else ""

    def _report(self, scope: Scope, override: Override) -> None:
        data = msgspec.json.format(msgspec.json.encode(override), indent=2)
        key = f"{scope.prefix}/reports/override-{override.judgement.id}.json"
        with suppress(PreconditionFailed):
            self._store.put(key, data, if_absent=True, content_type=records.JSON_TYPE)


def _key(scope: Scope, gate_id: str) -> str:
    return f"{scope.prefix}/gates/{gate_id}.json"


def _tested_key(scope: Scope, subject: Subject, cases: str) -> str:
    named = hashlib.blake2b(msgspec.json.encode([subject, cases]), digest_size=16).hexdigest()
    return f"{scope.prefix}/gates/tested/{named}.json"
