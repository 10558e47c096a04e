"""The ways of comparing under the names that tools and people give them, and checks made of them. Pure."""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from trainer.evaluation.cases import Check, CheckKind
from trainer.evaluation.checks import Unusable, compiled, expected_number
from trainer.evaluation.reading.numbers import share_of
from trainer.evaluation.reading.rejections import BadCase, CaseRejectionReason

if TYPE_CHECKING:
    from collections.abc import Mapping

PATTERN_MOST: Final = 1_000
"""Characters of a regular expression."""
GRADED: Final[frozenset[CheckKind]] = frozenset(("fuzzy", "chrf", "semantic", "judge"))
"""Kinds that know more than yes and no, so that a threshold says something."""

_NAMES: Final[Mapping[CheckKind, tuple[str, ...]]] = {
    "exact": ("exact", "exact-match", "equals", "equal", "eq", "is", "точно", "равно"),
    "contains": (
        "contains", "icontains", "contain", "includes", "include", "like", "ilike", "substring", "содержит",
    ),
    "contains_all": ("contains-all", "icontains-all", "includes-all", "содержит-все", "содержит-всё"),
    "contains_any": ("contains-any", "icontains-any", "includes-any", "содержит-любое"),
    "starts_with": (
        "starts-with", "istarts-with", "startswith", "begins-with", "prefix", "начинается", "начинается-с",
    ),
    "regex": ("regex", "iregex", "regexp", "pattern", "регулярное-выражение"),
    "fuzzy": ("fuzzy", "fuzzy-match", "fuzzymatch", "ratio", "похоже"),
    "chrf": ("chrf", "chrf++"),
    "semantic": (
        "semantic", "semantic-similarity", "similar", "similar:cosine", "similarity", "cosine", "embedding",
        "embeddings", "смысл", "по-смыслу",
    ),
    "judge": (
        "judge", "llm", "llm-judge", "llm-as-judge", "llm-as-a-judge", "llm-rubric", "rubric", "grade",
        "model-graded", "model-graded-qa", "model-graded-fact", "model-graded-closedqa", "model-graded-factuality",
        "factuality", "closedqa", "closed-qa", "g-eval", "geval", "score-model", "correctness", "судья",
    ),
    "numeric": ("numeric", "number", "numerical", "число"),
    "abstain": (
        "abstain", "abstains", "abstention", "is-refusal", "refusal", "unknown", "unanswerable", "no-answer", "idk",
        "не-знает", "воздержаться",
    ),
}  # fmt: skip
KINDS: Final[Mapping[str, CheckKind]] = MappingProxyType(
    {name: kind for kind, names in _NAMES.items() for name in names}
)
UNSUPPORTED: Final = frozenset(
    (
        "agent-rubric", "answer-relevance", "assert-set", "bleu", "classifier", "contains-html", "contains-json",
        "contains-sql", "contains-xml", "context-faithfulness", "context-recall", "context-relevance",
        "conversation-relevance", "cost", "eval", "finish-reason", "fn", "gleu", "guardrails", "human", "is-html",
        "is-json", "is-sql", "is-valid-function-call", "is-valid-openai-function-call", "is-valid-openai-tools-call",
        "is-xml", "javascript", "latency", "levenshtein", "max-score", "meteor", "moderation", "perplexity",
        "perplexity-score", "pi", "python", "rouge-l", "rouge-n", "ruby", "search-rubric", "select-best",
        "similar:dot", "similar:euclidean", "skill-used", "tool-call-f1", "trace-error-spans", "trace-span-count",
        "trace-span-duration", "trajectory", "webhook", "word-count",
    )
)  # fmt: skip
"""What promptfoo and others can assert, and what cannot be scored here: code of the file's author is never run,
speed and cost are measured for all cases alike, and formats are none of a chat answer's virtues."""

_GIVEN = re.compile(r"(?P<name>[^()]{1,60}?)\s*(?:\(\s*(?P<threshold>[\d.,]{1,20}%?)\s*\))?")
_BETWEEN_WORDS = re.compile(r"[\s_-]+")


class Match(NamedTuple):
    """A way of comparing, as it was named."""

    kind: CheckKind
    negate: bool
    threshold: float | None


def match_of(text: str, field: str) -> Match:
    """What `contains`, `not-contains`, `Similar (0.8)` and so on mean.

    Raises `BadCase`: other tools' assertions are told from names that nobody knows.
    """
    given = _GIVEN.fullmatch(text.strip())
    if given is None:
        raise BadCase(CaseRejectionReason.UNKNOWN_MATCH, field)
    name = _BETWEEN_WORDS.sub("-", given["name"].casefold())
    plain = re.sub("^(?:not-|не-|!)", "", name)
    # A name of its own that begins so is none today, but would count first.
    name, negate = (name, False) if name in KINDS else (plain, plain != name)
    if name in UNSUPPORTED:
        raise BadCase(CaseRejectionReason.UNSUPPORTED_ASSERTION, f"{field}.{name}")
    if name not in KINDS:
        raise BadCase(CaseRejectionReason.UNKNOWN_MATCH, field)
    threshold = share_of(given["threshold"], field) if given["threshold"] else None
    return Match(KINDS[name], negate, threshold)


def make_check(
    kind: CheckKind,
    values: tuple[str, ...],
    field: str,
    *,
    threshold: float | None = None,
    tolerance: tuple[float, bool] = (0.0, False),
    weight: float = 1.0,
    negate: bool = False,
) -> Check:
    """A check that can be carried out. Raises `BadCase` naming `field`, where its values come from.

    Args:
        kind: how answers are compared.
        values: clean texts; of no use to `abstain`, which takes none.
        field: the name for the rejection.
        threshold: kept only where the kind knows more than yes and no.
        tolerance: of numbers, and whether it is a share of them.
        weight: its share in the score.
        negate: the answer must not be like this.
    """
    if kind == "abstain":
        values = ()
    elif not values:
        raise BadCase(CaseRejectionReason.MISSING_ANSWER, field)
    if kind in {"contains_all", "contains_any"} and len(values) == 1:
        # Whoever means one text says `contains`.
        values = tuple(part for part in map(str.strip, re.split("[,\n]", values[0])) if part) or values
    if kind == "regex":
        for pattern in values:
            _try_pattern(pattern, field)
    if kind == "numeric" and any(expected_number(value) is None for value in values):
        raise BadCase(CaseRejectionReason.BAD_NUMBER, field)
    margin, relative = tolerance if kind == "numeric" else (0.0, False)
    return Check(
        kind=kind,
        values=values,
        threshold=threshold if kind in GRADED else None,
        tolerance=margin,
        relative=relative,
        weight=weight,
        negate=negate,
    )


def _try_pattern(pattern: str, field: str) -> None:
    if len(pattern) > PATTERN_MOST:
        raise BadCase(CaseRejectionReason.BAD_REGEX, field)
    try:
        compiled(pattern)
    except Unusable:
        raise BadCase(CaseRejectionReason.BAD_REGEX, field) from None
