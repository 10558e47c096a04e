"""A test case: what is asked, and what makes an answer right. Pure."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from trainer.importers.rejections import Place

CheckKind = Literal[
    "exact", "contains", "contains_all", "contains_any", "starts_with", "regex", "fuzzy", "chrf", "semantic", "judge",
    "numeric", "abstain",
]  # fmt: skip
"""How an answer is compared:

exact         the same text, whatever the case, punctuation at the ends and spacing
contains      holds an expected text; contains_all, each of them; contains_any is the same as contains
starts_with   begins with an expected text
regex         a regular expression of RE2's syntax is found in it
fuzzy         similarity of letters (rapidfuzz), 0 to 1
chrf          chrF of sacrebleu, 0 to 1
semantic      cosine similarity of the meanings (the embedder), 0 to 1
judge         a chat model says how well it agrees with the expected answer, 0 to 1
numeric       a number in it is the expected one, within the tolerance
abstain       the bot must say that it does not know
"""
QUESTION_MOST: Final = 2_000
EXPECTED_MOST: Final = 4_000
"""Characters of one expected text."""
VALUES_MOST: Final = 50
CHECKS_MOST: Final = 20
TAGS_MOST: Final = 10
TAG_MOST: Final = 50
CASES_MOST: Final = 20_000


class Check(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that an answer must be like. Of several values any will do, but for `contains_all`."""

    kind: CheckKind
    values: tuple[str, ...] = ()
    threshold: float | None = None
    """The score from which on it passes, 0 to 1; None for the kind's own default."""
    tolerance: float = 0.0
    """Of `numeric`: how far from the expected number the answer's may be; relative if `relative`."""
    relative: bool = False
    weight: float = 1.0
    """Its share in the score of the case, beside the weights of the other checks."""
    negate: bool = False
    """The answer must not be like this."""


class Exchange(msgspec.Struct, frozen=True):
    """A question and its answer that came before, for cases that are conversations."""

    question: str
    answer: str = ""


class Case(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One test case."""

    id: str
    """Unique in its set, and the same from run to run as long as the question is: what runs are compared by."""
    question: str
    checks: tuple[Check, ...]
    former: tuple[Exchange, ...] = ()
    tags: tuple[str, ...] = ()
    weight: float = 1.0
    """Its share in the mean score."""
    threshold: float | None = None
    """The weighted mean of the checks' scores from which on it passes; None: every check must pass."""
    author: str = ""
    """Whose words it is made of: the person's id; empty for a file's."""
    place: Place | None = None
    """Where it stands in its file."""
