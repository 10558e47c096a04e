"""Answers one case as any question is answered, and says whether the answer is right. Never raises for a case."""

from __future__ import annotations

import logging
import time
import uuid
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from trainer import logs
from trainer.conversations import ANSWER_MOST, QUESTION_MOST, TURNS_MOST, Turn
from trainer.evaluation.checks import CheckTools, first_error, run_check, score_case
from trainer.evaluation.judge import Judge
from trainer.evaluation.results import CaseResult, CheckResult
from trainer.evaluation.store import Words
from trainer.ports import ModelUnavailable
from trainer.snowflakes import first_of
from trainer.usage import usage_of

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Sequence

    from trainer.answering import Answering, Trial
    from trainer.answers import Answer, Usage
    from trainer.evaluation.cases import Case, Check
    from trainer.evaluation.patience import Patience
    from trainer.evaluation.results import ErrorReason, Run
    from trainer.ports import ChatMessage, ChatModel, ChatReply, Embedder, OnText, Vector
    from trainer.scope import Scope
    from trainer.usage import Ledger

ANSWER_KEPT: Final = 8_000
"""Characters of an answer that a result keeps; all of it is judged."""
OVER_BUDGET: Final = "over_budget"
"""Why the judge is not asked, among the reasons of `ModelUnavailable`."""

log = logging.getLogger(__name__)


class Interrupted(Exception):
    """Nobody waits for this case's result any more."""


class Means(NamedTuple):
    """What cases are examined with."""

    answering: Answering
    ledger: Ledger | None = None
    """Counts what the judge costs, and says when nothing more may be spent; None for neither."""
    judge: ChatModel | None = None
    """The chat model that judges answers, if there is one."""
    embedder: Embedder | None = None
    """Compares meanings, if there is one."""


class Examined(NamedTuple):
    """A case's result, and who else is quoted in it."""

    result: CaseResult
    quoted: frozenset[Words]
    """What the answer rests on."""


class Examiner:
    """Examines the cases of one run, in several threads.

    Args:
        means: what they are examined with.
        scope: whose knowledge it is.
        run: the run.
        trial: what is different about its answers.
        patience: how often a model that does not answer is asked.
        stopping: set when the results are not wanted any more.
    """

    def __init__(
        self, means: Means, scope: Scope, run: Run, trial: Trial, patience: Patience, stopping: threading.Event
    ) -> None:
        self._answering = means.answering
        self._scope = scope
        self._run = run
        self._trial = trial
        self._patience = patience
        self._stopping = stopping
        self._ledger = means.ledger
        self._judge = means.judge
        self._embedder = means.embedder

    def examine(self, number: int, case: Case, *, leaked: bool) -> Examined:
        """What comes of a case. Raises `Interrupted` once nobody waits for it."""
        blank = CaseResult(number=number, case=case, verdict="error", score=0.0, leaked=leaked)
        try:
            answer, seconds = self._answered(number, case)
        except Exception as error:  # noqa: BLE001 - whatever fails, it is this case that does, and not the run
            return Examined(self._failed(blank, error), frozenset())
        if answer.over_budget:
            return Examined(msgspec.structs.replace(blank, error="over_budget"), frozenset())
        meter = _Meter(self, number)
        if answer.usage is not None:
            meter.add(answer.usage)
        tools = CheckTools(
            embed=self._embed if self._embedder is not None else None,
            judge=Judge(meter) if self._judge is not None else None,
        )
        checks = tuple(self._checked(check, case, answer, tools, meter) for check in case.checks)
        unjudged = first_error(checks)
        passed, score = score_case(case, checks)
        result = CaseResult(
            number=number,
            case=case,
            verdict="error" if unjudged is not None else "passed" if passed else "failed",
            score=score,
            answer=_kept(answer.text),
            kind=answer.kind,
            checks=checks,
            error=unjudged,
            seconds=round(seconds, 6),
            input_tokens=meter.input_tokens,
            output_tokens=meter.output_tokens,
            usd=meter.usd,
            leaked=leaked,
        )
        return Examined(result, frozenset(_quoted(answer)))

    def call_id(self, number: int) -> str:
        """A name for one paid answer of a model, which says when it was asked for. No two are the same.

        A case that a dead worker had answered is answered, and paid for, once more.
        """
        return f"{first_of(time.time())}-{self._run.id}-{number}-{uuid.uuid4().hex[:8]}"

    def ask_judge(self, messages: Sequence[ChatMessage], max_tokens: int, number: int) -> tuple[ChatReply, Usage]:
        """The judge's reply, and what it cost. Raises `ModelUnavailable`."""
        judge, ledger = self._judge, self._ledger
        assert judge is not None  # noqa: S101 - for mypy: without one nobody gets here
        if ledger is not None and ledger.spending(self._scope).exhausted:
            raise ModelUnavailable(OVER_BUDGET, retryable=False)
        reply = self._patience(lambda: judge.reply(messages, max_tokens=max_tokens))
        if ledger is None:
            return reply, usage_of(reply)
        return reply, ledger.record(self._scope, self.call_id(number), reply)

    @property
    def judge_name(self) -> str:
        """The model that judges."""
        return self._judge.name if self._judge is not None else ""

    def _answered(self, number: int, case: Case) -> tuple[Answer, float]:
        """The answer, and how many seconds it took; not counting tries that failed."""
        dataset = self._run.subject.dataset

        def answer() -> tuple[Answer, float]:
            former = self._former(case)
            started = time.perf_counter()
            given = self._answering.answer(
                self._scope,
                dataset,
                case.question,
                former=former,
                interaction_id=self.call_id(number),
                trial=self._trial,
            )
            return given, time.perf_counter() - started

        return self._patience(answer)

    def _former(self, case: Case) -> list[Turn]:
        """What was said before, as it would be remembered."""
        turns: list[Turn] = []
        for said in case.former[-TURNS_MOST:]:
            leans = turns and self._answering.in_full(
                self._scope, self._run.subject.dataset, said.question, turns, self._trial
            )
            turns.append(
                Turn(
                    id="0",
                    question=said.question[:QUESTION_MOST],
                    answer=said.answer[:ANSWER_MOST],
                    topic=turns[-1].topic if leans else said.question[:QUESTION_MOST],
                    at=0.0,
                )
            )
        return turns

    def _checked(self, check: Check, case: Case, answer: Answer, tools: CheckTools, meter: _Meter) -> CheckResult:
        if self._stopping.is_set():
            raise Interrupted
        try:
            result = run_check(check, case, answer.text, answer.kind != "unknown", tools)
        except Exception as error:  # noqa: BLE001 - as above
            return CheckResult(check.kind, passed=False, score=0.0, error=self._reason(error))
        if self._stopping.is_set() and result.error is not None:
            raise Interrupted
        if result.error == "model" and check.kind == "judge" and meter.over_budget:
            return msgspec.structs.replace(result, error="over_budget")
        return result

    def _embed(self, texts: Sequence[str]) -> list[Vector]:
        embedder = self._embedder
        assert embedder is not None  # noqa: S101 - for mypy: without one nobody gets here
        return self._patience(lambda: embedder.embed(texts))

    def _failed(self, blank: CaseResult, error: Exception) -> CaseResult:
        return msgspec.structs.replace(blank, error=self._reason(error))

    def _reason(self, error: Exception) -> ErrorReason:
        if self._stopping.is_set():
            # It may have failed because nobody waits for it any more.
            raise Interrupted from None
        if isinstance(error, ModelUnavailable):
            return "model"
        log.error("a case failed", extra={"run": self._run.id, **logs.places(error)})
        return "internal"


class _Meter:
    """The judge as one case has it: a chat model that counts what the case has cost so far."""

    def __init__(self, examiner: Examiner, number: int) -> None:
        self._examiner = examiner
        self._number = number
        self.name = examiner.judge_name
        self.over_budget = False
        self.input_tokens = 0
        self.output_tokens = 0
        self.usd: float | None = 0.0

    def add(self, used: Usage) -> None:
        self.input_tokens += used.input_tokens
        self.output_tokens += used.output_tokens
        self.usd = None if self.usd is None or used.usd is None else self.usd + used.usd

    def reply(
        self,
        messages: Sequence[ChatMessage],
        *,
        max_tokens: int,
        on_text: OnText | None = None,  # noqa: ARG002 - the port's
    ) -> ChatReply:
        try:
            reply, used = self._examiner.ask_judge(messages, max_tokens, self._number)
        except ModelUnavailable as error:
            self.over_budget = error.reason == OVER_BUDGET
            raise
        self.add(used)
        return reply


def _quoted(answer: Answer) -> Iterator[Words]:
    """Whose words an answer gives."""
    for source, learned_by in zip(answer.sources, answer.learned_by, strict=True):
        if source.author:
            yield Words(source.author, learned_by)


def _kept(text: str) -> str:
    return text if len(text) <= ANSWER_KEPT else text[:ANSWER_KEPT].rstrip() + "…"
