"""What came of a case, and of a run of many. Pure."""

from __future__ import annotations

from typing import Literal

import msgspec

from trainer.evaluation.cases import Case, CheckKind

Verdict = Literal["passed", "failed", "error"]
"""An error is neither: the model did not answer, the judge's verdict cannot be read, the budget is used up."""
ErrorReason = Literal["model", "judge_unparsed", "judge_missing", "embedder_missing", "over_budget", "internal"]
"""judge_unparsed: the judge's verdict cannot be read; judge_missing, embedder_missing: none is configured."""


class CheckResult(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one check says of an answer."""

    kind: CheckKind
    passed: bool
    score: float
    """0 to 1; of checks that know only yes and no, 0 or 1."""
    reason: str = ""
    """What the judge says, in its own words."""
    error: ErrorReason | None = None


class CaseResult(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What came of a case."""

    number: int
    """Of the case in its run, from 0."""
    case: Case
    verdict: Verdict
    score: float
    """The weighted mean of the checks' scores, 0 to 1; 0 for an error."""
    answer: str = ""
    """Empty where the bot said that it does not know."""
    kind: str = ""
    """The answer's, such as `trained`: see `trainer.answers.AnswerKind`."""
    checks: tuple[CheckResult, ...] = ()
    error: ErrorReason | None = None
    seconds: float = 0.0
    """How long the answer took, without the checks."""
    input_tokens: int = 0
    """Of the answer and the judge together."""
    output_tokens: int = 0
    usd: float | None = 0.0
    """None where the price of the model is not known."""
    leaked: bool = False
    """The case is also a training example: it tests memory, not learning."""


class Subject(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What a run tests, as its report tells it."""

    dataset: str
    model: str = ""
    """The chat model in force; empty where trained answers are given as they stand."""
    instruction: str = ""
    """The version of the instruction in force; empty for the default text."""
    snapshot: str = ""
    """Names all that the dataset held when the run began."""
    examples: int = 0
    """How many entries that was."""
    judge: str = ""
    embedder: str = ""


class Run(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One run, as it was begun. Never changed."""

    id: str
    """The interaction's, or a number of the same form for runs from a terminal."""
    author: str
    """Who began it; empty for a run from a terminal."""
    created_at: float
    """Seconds since the epoch."""
    subject: Subject
    cases: int
    source: Literal["file", "regression", "failures", "gate"]
    file_name: str = ""
    reruns: str = ""
    """The run whose failures these are, if they are."""
    cases_key: str = ""
    """Where the cases lie, one JSON document a line."""
    set_id: str = ""
    """Names the set of cases: the same for runs of the same ids and questions, which can be compared."""
    rejected: int = 0
    """Lines of the file that made no case."""
    v: int = 1
