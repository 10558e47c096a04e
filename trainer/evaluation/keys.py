"""Where runs, and the cases that people added, lie in the store. Pure; `trainer.datasets` lists all keys."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trainer.scope import Scope

Stream = Literal["results", "baseline"]
"""What came of the cases, and what comes of them when nothing has been taught."""
FOLDERS: Final[Mapping[Stream, str]] = {"results": "results", "baseline": "results-baseline"}
SHARD: Final = 10
"""Cases whose results are stored together: what a worker that dies has answered in vain is not much more."""
SHARD_DIGITS: Final = 5
_AUTHOR: Final = re.compile(r"([0-9]{1,20})/authors/([0-9]{1,20})\.([0-9]{1,20})")


class Author(NamedTuple):
    """Whose words a run holds."""

    run_id: str
    user_id: str
    words: str
    """The id of what the oldest of them came by."""


class RunKeys:
    """The keys of one run."""

    def __init__(self, scope: Scope, run_id: str) -> None:
        self.root = f"{evaluations_prefix(scope)}{run_id}/"
        self.run = f"{self.root}run.json"
        self.cases = f"{self.root}cases.jsonl"
        self.cancelled = f"{self.root}cancelled.json"
        self.summary = f"{self.root}summary.json"
        self.authors = f"{self.root}authors/"
        self.reports = f"{scope.prefix}/reports/{run_id}-"
        """What the names of the files made of it begin with."""

    def results(self, stream: Stream) -> str:
        """What all results of a stream lie under."""
        return f"{self.root}{FOLDERS[stream]}/"

    def shard(self, stream: Stream, number: int) -> str:
        """The results of one stretch of cases."""
        return f"{self.results(stream)}{number:0{SHARD_DIGITS}}.jsonl"

    def author(self, user_id: str, words: int) -> str:
        """Says that the run holds words of this person; `words` is the id of what the oldest of them came by."""
        return f"{self.authors}{user_id}.{words}"


def author_in(scope: Scope, key: str) -> Author | None:
    """What a key says of whose words a run holds; None for any other key."""
    match = _AUTHOR.fullmatch(key.removeprefix(evaluations_prefix(scope)))
    return Author(*match.groups()) if match is not None else None


def evaluations_prefix(scope: Scope) -> str:
    """What all runs lie under."""
    return f"{scope.prefix}/evaluations/"


def active_key(scope: Scope) -> str:
    """Which run is under way."""
    return f"{evaluations_prefix(scope)}active.json"


def indexes_prefix(scope: Scope) -> str:
    """What the lists of the runs of all datasets lie under."""
    return f"{evaluations_prefix(scope)}index/"


def index_prefix(scope: Scope, dataset: str) -> str:
    """What the list of a dataset's runs lies under."""
    return f"{indexes_prefix(scope)}{dataset}/"


def added_prefix(scope: Scope, dataset: str) -> str:
    """What the cases lie under that people added to a dataset's regression set.

    Not in the dataset's own folder: an archive of that is refused if it holds anything else than what was taught.
    """
    return f"{scope.prefix}/cases/{dataset}/"


def added_key(scope: Scope, dataset: str, case_id: str) -> str:
    """A case that somebody added."""
    return f"{added_prefix(scope, dataset)}{case_id}.json"


def removed_key(scope: Scope, dataset: str, case_id: str) -> str:
    """Says who took an added case out again."""
    return f"{added_prefix(scope, dataset)}{case_id}.removed.json"
