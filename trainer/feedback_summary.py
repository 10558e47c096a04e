"""What all votes of a scope come to: counts over time, the answers that were liked least, and a table."""

from __future__ import annotations

import csv
import io
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from trainer import records
from trainer.answers import load_answer
from trainer.datasets import votes_prefix
from trainer.feedback import Vote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from trainer.answers import AnswerRecord
    from trainer.ports import ObjectStore
    from trainer.scope import Scope

VOTES_MOST: Final = 10_000
"""Votes that are read: those on the latest answers. One request to the store each."""
READERS: Final = 8
STRETCH: Final = 256
"""Votes that are read at once."""
DAY_S: Final = 86_400
PERIODS_S: Final = (DAY_S, 7 * DAY_S, 30 * DAY_S, None)
"""What is counted: votes of so many last seconds, and of all time."""
WORST_MOST: Final = 5
FORMULA: Final = frozenset("=+-@\t\r\n＝＋－＠")
"""A spreadsheet takes a cell that begins so for a formula. Source: OWASP, "CSV Injection"."""
COLUMNS: Final = (
    "answer_id",
    "asked_at",
    "question",
    "answer",
    "kind",
    "votes_up",
    "votes_down",
    "comments",
    "first_vote_at",
    "last_vote_at",
    "link",
)


class Tally(NamedTuple):
    """Votes, counted."""

    up: int = 0
    down: int = 0

    @property
    def share(self) -> float:
        """The share of those who liked it, 0 to 1; 0 without votes."""
        return self.up / (self.up + self.down) if self.up + self.down else 0.0


class Judged(NamedTuple):
    """An answer and what people think of it."""

    answer_id: str
    votes: list[Vote]

    @property
    def tally(self) -> Tally:
        """The votes that were not taken back."""
        return tally(self.votes)

    @property
    def link(self) -> str:
        """Where it can be seen; empty if nobody voted there."""
        return next((vote.link for vote in self.votes if vote.link), "")

    @property
    def private(self) -> bool:
        """Whether it was only for the person who asked."""
        return any(vote.private for vote in self.votes)


class Summary(NamedTuple):
    """What all votes come to."""

    periods: tuple[Tally, ...]
    """One for each of `PERIODS_S`."""
    comments: int
    worst: list[Judged]
    """The answers with more dislikes than likes, the worst first."""
    left_out: bool
    """There are more votes than were read."""


class Feedback(NamedTuple):
    """The votes of a scope, by answer in order of time."""

    judged: list[Judged]
    left_out: bool
    """There are more votes than were read."""


def tally(votes: Iterable[Vote]) -> Tally:
    """Count votes. Pure."""
    ratings = [vote.rating for vote in votes]
    return Tally(ratings.count("up"), ratings.count("down"))


def read_feedback(store: ObjectStore, scope: Scope, on_progress: Callable[[int], None] | None = None) -> Feedback:
    """All votes that say something: one listing, and one request for each vote, several at a time."""
    keys: deque[str] = deque(maxlen=VOTES_MOST)
    listed = 0
    for info in store.list(votes_prefix(scope)):
        keys.append(info.key)
        listed += 1
    by_answer: dict[str, list[Vote]] = {}
    with ThreadPoolExecutor(READERS, thread_name_prefix="votes") as threads:
        pending = iter(keys)
        done = 0
        while stretch := list(islice(pending, STRETCH)):
            for vote in threads.map(lambda key: records.load(store, key, Vote), stretch):
                if vote is not None and (vote.rating is not None or vote.comment):
                    by_answer.setdefault(vote.answer_id, []).append(vote)
            done += len(stretch)
            if on_progress is not None:
                on_progress(done)
    return Feedback([Judged(*one) for one in by_answer.items()], listed > len(keys))


def summarise(feedback: Feedback, now: float) -> Summary:
    """Counts over time and the worst answers. Pure."""
    votes = [vote for judged in feedback.judged for vote in judged.votes]
    periods = tuple(
        tally(vote for vote in votes if period is None or vote.rated_at > now - period) for period in PERIODS_S
    )
    disliked = [judged for judged in feedback.judged if judged.tally.down > judged.tally.up]
    # Of answers that are disliked alike, the latest first.
    disliked.sort(key=lambda judged: (judged.tally.up - judged.tally.down, -int(judged.answer_id)))
    comments = sum(1 for vote in votes if vote.comment)
    return Summary(periods, comments, disliked[:WORST_MOST], feedback.left_out)


def table(store: ObjectStore, scope: Scope, feedback: Feedback) -> Iterator[str]:
    """A CSV table for spreadsheets, line by line; what was asked in private in a server is not told to others."""
    yield "\N{ZERO WIDTH NO-BREAK SPACE}" + _line(COLUMNS)  # spreadsheets take the file for UTF-8 by this mark
    for judged in feedback.judged:
        yield _line(_row(judged, load_answer(store, scope, judged.answer_id), hide=scope.kind == "guild"))


def harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula. Pure."""
    return f"'{cell}" if cell.lstrip(" ")[:1] in FORMULA else cell


def _row(judged: Judged, answer: AnswerRecord | None, *, hide: bool) -> list[str]:
    shown = None if hide and judged.private else answer
    moments = [vote.rated_at or vote.commented_at for vote in judged.votes]
    return [
        judged.answer_id,
        _moment(answer.created_at) if answer is not None else "",
        shown.question if shown is not None else "",
        shown.text if shown is not None else "",
        answer.kind if answer is not None else "",
        str(judged.tally.up),
        str(judged.tally.down),
        "\n".join(vote.comment for vote in judged.votes if vote.comment),
        _moment(min(moments)),
        _moment(max(moments)),
        judged.link,
    ]


def _line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([harmless(cell) for cell in cells])
    return line.getvalue()


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
