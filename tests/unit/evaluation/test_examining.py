"""A case never ends a run: models that fail, budgets that are used up, judges, and what all of it costs."""

from __future__ import annotations

import itertools
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.evaluation.rooms import NOW, SCOPE, Answers, Model, Room, case, cases
from trainer.answering import Answering
from trainer.answers import Answer, Usage
from trainer.evaluation import examining
from trainer.evaluation import patience as patience_module
from trainer.evaluation.cases import Check
from trainer.evaluation.patience import FAILURES_MOST, TRIES, Patience
from trainer.evaluation.running import Runner
from trainer.ports import ModelUnavailable, StoreUnavailable
from trainer.prices import Price
from trainer.usage import Ledger, UsageEntry, month_cost

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trainer.evaluation.results import CaseResult

JUDGED = (Check("judge", ("It is so.",)),)
GOOD = '{"reason": "It agrees.", "verdict": "correct"}'


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience_module, "LONGEST_S", 0.001)


def run(room: Room, runner: Runner, given: Sequence[Any]) -> list[CaseResult]:
    begun = room.begin(given)
    assert runner.run(SCOPE, begun).state == "finished"
    return room.results(begun)


def fake(room: Room, act: Callable[[int], Answer | None], **more: Any) -> Runner:
    answering: Any = Answers(act)
    return Runner(room.store, room.library, answering, **more)


def chatting(room: Room, chat: Any, **more: Any) -> Runner:
    ledger = more.get("ledger")
    return Runner(room.store, room.library, Answering(room.library, chat, "Be kind.", ledger), **more)


# --- what fails -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ModelUnavailable("credentials", retryable=False), "model"),
        (ModelUnavailable("rate_limited", retryable=True), "model"),
        (StoreUnavailable("gone"), "internal"),
        (KeyError("words"), "internal"),
        (RecursionError(), "internal"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_case_that_fails_is_an_error_and_the_others_go_on(
    room: Room, error: Exception, reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    def act(number: int) -> Answer | None:
        if number == 2:
            raise error
        return None

    results = run(room, fake(room, act), cases(5))
    assert [one.verdict for one in results] == ["passed", "passed", "error", "passed", "passed"]
    assert (results[2].error, results[2].score, results[2].answer, results[2].checks) == (reason, 0.0, "", ())
    assert results[2].case == case(2)
    assert "words" not in caplog.text


def test_what_may_pass_is_tried_again(room: Room) -> None:
    errors: dict[int, list[Exception]] = {
        1: [ModelUnavailable("rate_limited", retryable=True)] * 3,
        3: [StoreUnavailable("x")],
        4: [ModelUnavailable("rate_limited", retryable=True)] * TRIES,
    }

    def act(number: int) -> Answer | None:
        if errors.get(number):
            raise errors[number].pop()
        return None

    results = run(room, fake(room, act), cases(5))
    assert [one.verdict for one in results] == ["passed"] * 4 + ["error"]


def test_a_check_that_fails_is_an_error(room: Room) -> None:
    def broken(texts: Sequence[str]) -> Any:
        raise RuntimeError("x")

    class Embedder:
        name = "vectors"
        size = 2
        embed = staticmethod(broken)

    given = [case(1, checks=(Check("exact", ("Answer 1",)), Check("semantic", ("Answer 1",))))]
    (result,) = run(room, fake(room, lambda _: None, embedder=Embedder()), given)
    assert (result.verdict, result.error, result.answer) == ("error", "internal", "Answer 1")
    assert [check.error for check in result.checks] == [None, "internal"]


def test_an_embedder_is_used_and_may_fail_for_a_moment(room: Room) -> None:
    fails = iter([True, True])

    class Embedder:
        name = "vectors"
        size = 2

        def embed(self, texts: Sequence[str]) -> Any:
            if next(fails, False):
                raise ModelUnavailable("timeout", retryable=True)
            return [[1.0, 0.0] if "Answer" in text else [0.0, 1.0] for text in texts]

    given = [case(1, checks=(Check("semantic", ("Answer",)),)), case(2, checks=(Check("semantic", ("x",)),))]
    results = run(room, fake(room, lambda _: None, embedder=Embedder()), given)
    assert [one.verdict for one in results] == ["passed", "failed"]
    (missing,) = run(room, fake(room, lambda _: None), given[:1])
    assert missing.error == "embedder_missing"


def test_a_model_that_fails_is_not_replaced_by_what_was_taught(room: Room) -> None:
    room.teach("What is thing 1?", "Answer 1")

    class Broken(Model):
        def reply(self, *_: Any, **more: Any) -> Any:
            raise ModelUnavailable("server", retryable=True)

    (result,) = run(room, chatting(room, Broken()), [case(1)])
    assert (result.verdict, result.error) == ("error", "model")


def test_a_long_answer_is_judged_whole_and_kept_in_part(room: Room) -> None:
    text = "word " * 5000 + "end"
    given = [case(1, checks=(Check("contains", ("end",)),))]
    (result,) = run(room, fake(room, lambda _: Answer("trained", text)), given)
    assert result.verdict == "passed"
    assert len(result.answer) <= examining.ANSWER_KEPT + 1
    assert result.answer.endswith("…")


def test_time_is_that_of_the_answer_alone(room: Room) -> None:
    tries = itertools.count()

    def act(number: int) -> Answer | None:
        if next(tries) == 0:
            raise ModelUnavailable("timeout", retryable=True)
        time.sleep(0.05)
        return None

    (result,) = run(room, fake(room, act), cases(1))
    assert result.seconds >= 0.05


# --- patience -------------------------------------------------------------------------------------------------------


def test_a_model_that_is_down_is_not_waited_for_again_and_again() -> None:
    calls: list[int] = []
    down = [True]

    def act() -> str:
        calls.append(1)
        if down[0]:
            raise ModelUnavailable("server", retryable=True)
        return "ok"

    patience = Patience(threading.Event())
    for _ in range(FAILURES_MOST + 5):
        with pytest.raises(ModelUnavailable):
            patience(act)
    assert len(calls) == FAILURES_MOST * TRIES + 5
    down[0] = False
    assert patience(act) == "ok"
    down[0] = True
    calls.clear()
    with pytest.raises(ModelUnavailable):
        patience(act)
    assert len(calls) == TRIES


def test_nobody_waits_once_it_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience_module, "LONGEST_S", 60.0)
    stopping = threading.Event()

    def act() -> str:
        stopping.set()
        raise ModelUnavailable("server", retryable=True)

    with pytest.raises(ModelUnavailable):
        Patience(stopping, first_s=60)(act)


# --- what it costs --------------------------------------------------------------------------------------------------


def test_every_paid_answer_is_counted_once(room: Room) -> None:
    for number in range(12):
        room.teach(f"What is thing {number}?", f"Answer {number}")
    ledger = Ledger(room.store, price=Price(1.0, 2.0))
    model = Model(lambda asked: GOOD if "expected" in asked else "It is so.")
    results = run(
        room, chatting(room, model, ledger=ledger, judge=model), [case(n, checks=JUDGED) for n in range(12)]
    )
    assert {one.verdict for one in results} == {"passed"}
    assert {(one.input_tokens, one.output_tokens) for one in results} == {(20, 10)}
    assert results[0].usd == pytest.approx(40e-6)
    cost = month_cost(room.store, SCOPE, time.time())
    assert (cost.input_tokens, cost.output_tokens, cost.known) == (240, 120, True)
    assert cost.usd == pytest.approx(12 * 40e-6)
    assert len(list(room.store.list("g42/usage/2"))) == 25


def test_an_unknown_price_is_not_taken_for_nothing(room: Room) -> None:
    used = Usage("local", 7, 3, None)
    (result,) = run(room, fake(room, lambda _: Answer("generated", "Answer 0", usage=used)), cases(1))
    assert (result.input_tokens, result.output_tokens, result.usd) == (7, 3, None)


def test_a_used_up_budget_is_an_error_where_a_model_is_needed(room: Room) -> None:
    room.teach("What is thing 1?", "Answer 1")
    room.correct("What is thing 2?", "Answer 2")
    ledger = Ledger(room.store, price=Price(1.0, 2.0), budget_usd=0.0)
    model = Model("Answer 1")
    results = run(room, chatting(room, model, ledger=ledger), [case(1), case(2)])
    assert [(one.verdict, one.error) for one in results] == [("error", "over_budget"), ("passed", None)]
    assert model.asked == []


def test_a_judge_over_the_budget_is_no_model_that_fails(room: Room) -> None:
    ledger = Ledger(room.store, price=Price(1.0, 2.0), budget_usd=0.0)
    model = Model(GOOD)
    (result,) = run(room, fake(room, lambda _: None, ledger=ledger, judge=model), [case(1, checks=JUDGED)])
    assert (result.verdict, result.error) == ("error", "over_budget")
    assert model.asked == []


@pytest.mark.parametrize(
    ("say", "verdict", "error"),
    [
        (GOOD, "passed", None),
        ('{"reason": "No.", "verdict": "wrong"}', "failed", None),
        ("I like it.", "error", "judge_unparsed"),
    ],
)
def test_judges(room: Room, say: str, verdict: str, error: str | None) -> None:
    (result,) = run(room, fake(room, lambda _: None, judge=Model(say)), [case(1, checks=JUDGED)])
    assert (result.verdict, result.error) == (verdict, error)
    assert result.input_tokens == (20 if error else 10)
    (missing,) = run(room, fake(room, lambda _: None), [case(1, checks=JUDGED)])
    assert missing.error == "judge_missing"


def test_a_judge_that_fails_for_good_is_an_error(room: Room) -> None:
    class Broken(Model):
        def reply(self, *_: Any, **more: Any) -> Any:
            raise ModelUnavailable("credentials", retryable=False)

    (result,) = run(room, fake(room, lambda _: None, judge=Broken()), [case(1, checks=JUDGED)])
    assert (result.verdict, result.error) == ("error", "model")


def test_entries_of_a_run_lie_in_the_month_in_which_they_were_paid(room: Room) -> None:
    ledger = Ledger(room.store, price=Price(1.0, 2.0))
    run(room, fake(room, lambda _: None, ledger=ledger, judge=Model(GOOD)), [case(1, checks=JUDGED)])
    (found,) = [info.key for info in room.store.list("g42/usage/") if info.key.count("/") == 3]
    from trainer.records import decode

    entry = decode(room.store.get(found).data, UsageEntry)
    assert abs(entry.at - time.time()) < 600
    assert abs(NOW - entry.at) > 600 or NOW
    assert found.split("/")[2] == time.strftime("%Y-%m", time.gmtime(entry.at))
