"""A dataset's own cases: every correction that counts, and what people added.

Of each question the latest correction is a case from the moment on at which it counts, and is none when it is taken
back. What people add, such as an answer that nobody liked, is a record of its own, which never changes; taking it out
is a mark beside it, so that it can be put in again.
"""

from __future__ import annotations

import hashlib
import re
import time
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import msgspec

from trainer import records
from trainer.answers import Source, whose_words
from trainer.evaluation.cases import CASES_MOST, Case, Check
from trainer.evaluation.checks import default_check
from trainer.evaluation.keys import added_key, added_prefix, removed_key
from trainer.evaluation.store import Runs, Told, Words
from trainer.matching import normalise
from trainer.ports import PreconditionFailed
from trainer.snowflakes import first_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from trainer.answers import AnswerRecord
    from trainer.evaluation.results import Run
    from trainer.index import Entry, ExampleIndex
    from trainer.ports import ObjectStore
    from trainer.scope import Actor, Scope

ADDED_MOST: Final = 1_000
"""Cases that can be added to a dataset's regression set."""
LEARNED_WITHIN_S: Final = 3600.0
"""Sources tell when something was learned; it was sent so long before at most."""
SAID_AGAIN: Final = 0.95
"""How alike two wordings of a model are that say the same: it rarely says the very same twice."""
REMOVED: Final = ".removed"
_CASE_ID: Final = re.compile(r"[0-9a-z-]{1,80}")

Origin = Literal["answer", "run"]
"""answer: a 👎 one, which must not be given again; run: a case of an earlier run."""


class AddedCase(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A case that somebody added."""

    case: Case
    origin: Origin
    by: str
    """Who added it."""
    at: float
    """Seconds since the epoch."""
    authors: tuple[str, ...] = ()
    """Everybody whose words it is made of."""
    words: int = 0
    """The id of what the oldest of those words came by; 0 if it is not known."""
    source: str = ""
    """The answer or the run that it comes from."""
    v: int = 1


class Removed(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody took an added case out."""

    by: str
    at: float
    """Seconds since the epoch."""
    v: int = 1


class Added(NamedTuple):
    """What became of cases that were to be added."""

    added: int
    known: int
    """They were in the set already."""
    left_out: int
    """They were too many: see `ADDED_MOST`."""


def question_id(question: str) -> str:
    """Names a question: the same for all that are taken for the very same question. `q` and 32 hexadecimal digits."""
    return f"q{hashlib.blake2b(normalise(question).encode('utf-8', 'replace'), digest_size=16).hexdigest()}"


def regression_set(store: ObjectStore, scope: Scope, dataset: str, index: ExampleIndex) -> Iterator[Told]:
    """A dataset's own cases, the corrections first, in the order in which they were made.

    A 👎 answer is left out where a correction says what is right. Of too many corrections the oldest are left out.

    Args:
        store: where added cases are kept.
        scope: whose dataset it is.
        dataset: its name.
        index: which corrections count.
    """
    added = added_cases(store, scope, dataset)
    most = CASES_MOST - len(added)
    skip = 0
    if index.count().corrections > most:
        skip = max(0, sum(1 for _ in index.corrections()) - most)
    corrected: set[str] = set()
    for number, entry in enumerate(index.corrections()):
        case = correction_case(entry)
        corrected.add(case.id)
        if number >= skip:
            yield Told(case, (Words(case.author, entry.order),) if case.author else ())
    for one in added:
        if one.origin != "answer" or question_id(one.case.question) not in corrected:
            yield Told(one.case, tuple(Words(author, one.words) for author in one.authors))


def correction_case(entry: Entry) -> Case:
    """The case that a correction makes: the bot must say what it says."""
    source = msgspec.json.decode(entry.source, type=Source)
    return Case(
        id=question_id(entry.question),
        question=entry.question,
        checks=(default_check((entry.answer,)),),
        tags=("correction",),
        author=source.author,
    )


def answer_case(answer: AnswerRecord) -> Case:
    """The case that an answer nobody liked makes: the bot must not say it again; if it said nothing, it must."""
    if answer.kind == "unknown" or not answer.text.strip():
        check = Check("abstain", negate=True)
    elif answer.kind == "generated":
        check = Check("fuzzy", (answer.text,), threshold=SAID_AGAIN, negate=True)
    else:
        check = Check("exact", (answer.text,), negate=True)
    return Case(
        id=f"{question_id(answer.question)}-{_digest(answer.text)}",
        question=answer.question,
        checks=(check,),
        tags=("disliked",),
        author=answer.author,
    )


def add_answer(
    store: ObjectStore, actor: Actor, answer: AnswerRecord, *, clock: Callable[[], float] = time.time
) -> tuple[Case, Added]:
    """Add an answer that nobody liked to the regression set of the dataset that gave it.

    The caller has made sure that the actor may teach and may see the answer.
    """
    case = answer_case(answer)
    authors = {answer.author, *whose_words(answer)}
    heard = [answer.created_at, *(source.at for source in answer.sources)]
    one = AddedCase(
        case=case,
        origin="answer",
        by=actor.user_id,
        at=clock(),
        authors=tuple(sorted(authors)),
        words=min(int(answer.id), first_of(max(0.0, min(heard) - LEARNED_WITHIN_S))),
        source=answer.id,
    )
    return case, _add(store, actor.scope, answer.dataset, [one])


def is_correction(case: Case) -> bool:
    """Whether a case comes from a correction, and so is in the regression set by itself. Pure."""
    return "correction" in case.tags and case.id == question_id(case.question)


def add_cases(
    store: ObjectStore,
    actor: Actor,
    dataset: str,
    cases: Iterable[Case],
    *,
    run_id: str,
    owner: str,
    clock: Callable[[], float] = time.time,
) -> Added:
    """Add cases of a run, such as those that failed, to a dataset's regression set. Again, it changes nothing.

    Args:
        store: where they are kept.
        actor: who adds them; the caller has made sure that they may teach.
        dataset: whose set it is.
        cases: the cases.
        run_id: the run.
        owner: whose words cases without an author are: the run's author. Of a run that repeats another's failures, it
            is that one's.
        clock: seconds since the epoch.
    """
    own = 0
    first = _first_run(store, actor.scope, run_id)
    if first is not None:
        run_id, owner = first.id, first.author
    names = _names(store, actor.scope, dataset)

    def every() -> Iterator[AddedCase]:
        nonlocal own
        for case in cases:
            if is_correction(case):
                own += 1
                continue
            if case.id in names:
                # It is one of them, made of somebody's words that are known there.
                there = _load(store, actor.scope, dataset, case.id)
                if there is not None:
                    yield there
                    continue
            named = f"{question_id(case.question)}-{_digest(msgspec.json.encode([case.checks, case.former]))}"
            author = case.author or owner
            kept = msgspec.structs.replace(case, id=named, author=author, place=None)
            yield AddedCase(
                case=kept,
                origin="run",
                by=actor.user_id,
                at=clock(),
                authors=(author,),
                words=int(run_id) if not case.author else 0,
                source=run_id,
            )

    found = _add(store, actor.scope, dataset, every())
    return found._replace(known=found.known + own)


def added_cases(store: ObjectStore, scope: Scope, dataset: str) -> list[AddedCase]:
    """The cases that people added and nobody took out, in the order in which they were added."""
    names = _names(store, scope, dataset)
    found = []
    for name in sorted(names):
        if name.endswith(REMOVED) or f"{name}{REMOVED}" in names:
            continue
        one = records.load(store, added_key(scope, dataset, name), AddedCase)
        if one is not None:
            found.append(one)
    return sorted(found, key=lambda one: (one.at, one.case.id))


def remove_case(
    store: ObjectStore, actor: Actor, dataset: str, case_id: str, *, clock: Callable[[], float] = time.time
) -> Case | None:
    """Take an added case out of a dataset's regression set; None if there is none of this id."""
    one = _load(store, actor.scope, dataset, case_id)
    if one is None:
        return None
    mark = Removed(by=actor.user_id, at=clock())
    records.save_once(store, removed_key(actor.scope, dataset, case_id), mark)
    return one.case


def restore_case(store: ObjectStore, actor: Actor, dataset: str, case_id: str) -> Case | None:
    """Put a case in again that was taken out; None if there is none of this id."""
    one = _load(store, actor.scope, dataset, case_id)
    if one is None:
        return None
    store.delete(removed_key(actor.scope, dataset, case_id))
    return one.case


def _load(store: ObjectStore, scope: Scope, dataset: str, case_id: str) -> AddedCase | None:
    if not _CASE_ID.fullmatch(case_id):
        return None
    return records.load(store, added_key(scope, dataset, case_id), AddedCase)


def _names(store: ObjectStore, scope: Scope, dataset: str) -> set[str]:
    """The ids of a dataset's added cases, and the marks of those that were taken out."""
    prefix = added_prefix(scope, dataset)
    return {info.key.removeprefix(prefix).removesuffix(".json") for info in store.list(prefix)}


def _first_run(store: ObjectStore, scope: Scope, run_id: str) -> Run | None:
    """The run that a run's cases come from: itself, or of one that repeats failures the first of them."""
    run = Runs(store).load(scope, run_id)
    while run is not None and run.reruns and (before := Runs(store).load(scope, run.reruns)) is not None:
        run = before
    return run


def _add(store: ObjectStore, scope: Scope, dataset: str, cases: Iterable[AddedCase]) -> Added:
    names = _names(store, scope, dataset)
    room = ADDED_MOST - sum(1 for name in names if not name.endswith(REMOVED))
    added = known = left_out = 0
    for one in cases:
        case_id = one.case.id
        if case_id in names:
            removed = f"{case_id}{REMOVED}" in names
            if removed:
                store.delete(removed_key(scope, dataset, case_id))
                names.discard(f"{case_id}{REMOVED}")
            added, known = added + removed, known + (not removed)
            continue
        if room <= 0:
            left_out += 1
            continue
        try:
            data = msgspec.json.encode(one)
            store.put(added_key(scope, dataset, case_id), data, if_absent=True, content_type=records.JSON_TYPE)
        except PreconditionFailed:
            known += 1
        else:
            added += 1
        names.add(case_id)
        room -= 1
    return Added(added, known, left_out)


def _digest(text: str | bytes) -> str:
    data = text.encode("utf-8", "replace") if isinstance(text, str) else text
    return hashlib.blake2b(data, digest_size=6).hexdigest()
