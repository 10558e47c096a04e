"""What is asked of an answer where the case does not say: how it is compared, and from which score on it passes.

The thresholds were chosen on 64 pairs of an expected and a given answer in English and Russian, 33 right and 31 wrong
(`tests/unit/evaluation/checks/answer_pairs.py`; a test keeps these numbers true):

fuzzy     0.85  right answers that pass: 10, wrong ones: 1. It sees letters alone, and is meant for misspellings:
                lowered until it forgives paraphrases (0.6), it passes 8 wrong ones.
chrf      0.65  18 and 0; at 0.55, 20 and 1. It forgives another order of words and other endings.
semantic  0.8   24 and 0, with the embedder of the package; at 0.7, 28 and 4. Other embedders put unlike and like
                texts elsewhere on their scale, and numbers or a "not" weigh little with any of them.
judge     0.75  "mostly": right in what matters, a detail is missing.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from trainer.evaluation.cases import Check, CheckKind
from trainer.evaluation.checks.numbers import is_number
from trainer.evaluation.checks.words import plain

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DEFAULT_THRESHOLDS: Final[Mapping[CheckKind, float]] = MappingProxyType(
    {"fuzzy": 0.85, "chrf": 0.65, "semantic": 0.8, "judge": 0.75}
)
"""Of kinds that know more than yes and no; of the others it is 1."""
SHORT_WORDS: Final = 4
SHORT_CHARS: Final = 40
"""An expected text of at most so many words and characters is a term to be named, not a statement to be made."""
_YES_NO: Final = frozenset({"yes", "no", "да", "нет"})


def threshold_of(check: Check) -> float:
    """The score from which on the check passes, 0 to 1."""
    return DEFAULT_THRESHOLDS.get(check.kind, 1.0) if check.threshold is None else check.threshold


def default_check(values: Sequence[str]) -> Check:
    """How an answer is compared with expected texts, any of which will do, by their shape.

    Nothing is expected: the bot must say that it does not know. Numbers: one of them must be there. Yes or no: it
    must begin so. Terms: one must be there. Statements: it must mean one of them. What is configured makes no
    difference, so that runs can be compared.
    """
    texts = tuple(value for value in values if value.strip())
    if not texts:
        return Check("abstain")
    if all(map(is_number, texts)):
        return Check("numeric", texts)
    folded = [plain(text) for text in texts]
    if _YES_NO.issuperset(folded):
        return Check("starts_with", texts)
    short = all(len(text) <= SHORT_CHARS and len(text.split()) <= SHORT_WORDS for text in folded)
    return Check("contains" if short else "semantic", texts)
