"""The names that files of test cases use for their fields. Pure.

Compared as `name_of` gives them: without regard to case, camel case, and spaces, hyphens or underscores between
words. Two underscores at the beginning stay: they mark the columns that promptfoo gives a meaning.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from trainer.importers import shapes
from trainer.importers.tables import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_EXPECTED_COLUMN = re.compile(r"__expected(\d{0,3})")

QUESTIONS: Final = (*shapes.QUESTIONS, "inputs", "message", "user_query", "user_question")
"""Names of the question, the more telling first."""
REFERENCES: Final = (
    "expected", "expected_output", "expected_answer", "expected_outputs", "expected_answers", "ideal", "target",
    "targets", "reference", "references", "reference_answer", "reference_output", "reference_outputs", "ground_truth",
    "ground_truths", "gold", "golden", "gold_answer", "correct", "correct_answer", "correct_answers", "best_answer",
    "ожидается", "ожидаемое", "ожидаемый_ответ", "эталон",
)  # fmt: skip
"""Names of what only a test expects. They come first: beside them, an `output` is what some model once said."""
_TRAINED: Final = (
    "answer", "chosen", "chosen_response", "preferred_output", "preferred_completion", "preferred", "answers",
    "response", "output", "outputs", "completion", "assistant", "reply", "bot", "gpt", "a", "ответ", "ответы", "о",
)  # fmt: skip
EXPECTED: Final = (*REFERENCES, *_TRAINED)
CONVERSATIONS: Final = shapes.CONVERSATIONS
MATCHES: Final = ("match", "match_type", "matcher", "check", "scorer", "grader", "проверка", "сравнение")
ASSERTIONS: Final = ("assert", "asserts", "assertions", "checks")
ABSTENTIONS: Final = ("abstain", "should_abstain", "expect_abstain", "unanswerable", "не_знает")
THRESHOLDS: Final = ("threshold", "порог")
TOLERANCES: Final = ("tolerance", "допуск")
WEIGHTS: Final = ("weight", "вес")
TAGS: Final = ("tags", "tag", "category", "categories", "теги", "тег", "категория")
IDS: Final = ("id", "case_id", "test_id", "question_id", "sample_id", "uuid")
CHOICES: Final = ("choices", "options", "варианты")
TEXTS: Final = ("text", "content", "value")
"""Names of the text itself in an object that stands where text does."""

CONTAINERS: Final = frozenset(
    (
        "cases", "data", "dataset", "dev", "entries", "eval", "examples", "faq", "goldens", "items", "pairs", "qa",
        "questions", "records", "rows", "samples", "test", "test_cases", "tests", "testcases", "validation",
        "вопросы", "данные", "примеры", "случаи", "тесты",
    )
)  # fmt: skip
"""Names of arrays that hold cases, as `shapes.canonical` gives them. Not `train`: that is there to be learnt."""
DEFAULT_TEST: Final = "defaultTest"

_KNOWN: Final = frozenset(
    (*QUESTIONS, *EXPECTED, *CONVERSATIONS, *MATCHES, *ASSERTIONS, *ABSTENTIONS, "vars", "item", "metadata")
)


def name_of(name: str) -> str:
    """A field's name as it is looked up; empty for what can be no known name."""
    stripped = name.strip().strip("\ufeff")
    plain = shapes.canonical(_CAMEL.sub("_", stripped[:100]))
    return f"__{plain}" if plain and stripped.startswith("__") else plain


def named(record: Mapping[str, object]) -> dict[str, object]:
    """The record's fields by their names; the last of equal names wins."""
    return {name_of(name): value for name, value in record.items()}


def first(fields: Mapping[str, object], names: Iterable[str]) -> str | None:
    """The first of the names whose field holds something."""
    return next((name for name in names if not is_absent(fields.get(name))), None)


def is_absent(value: object) -> bool:
    """Whether a field holds nothing: null, blank text, an empty list or object."""
    return value is None or value in ([], {}) or (isinstance(value, str) and not value.strip())


def is_known(name: str) -> bool:
    """Whether a name of `name_of` means something."""
    return name in _KNOWN or is_expected_column(name)


def is_expected_column(name: str) -> bool:
    """Whether it is promptfoo's `__expected`, `__expected1` and so on."""
    return _EXPECTED_COLUMN.fullmatch(name) is not None


def _serves(names: frozenset[str]) -> bool:
    """Whether columns of these names make cases."""
    if any(map(is_expected_column, names)):
        return any(name and not name.startswith("__") for name in names)
    asked = names & {*QUESTIONS, *CONVERSATIONS, "vars"}
    judged = names & {*EXPECTED, *ABSTENTIONS, *ASSERTIONS}
    return bool(asked and judged) or bool(names & set(CONVERSATIONS))


COLUMNS: Final = Vocabulary(name_of, _serves, frozenset(QUESTIONS), frozenset(EXPECTED), _KNOWN)
