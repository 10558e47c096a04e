"""Judgements are kept as they are, and each is decided about once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tests.unit.evaluation.rooms import ADA, BOB, NOW, SCOPE
from trainer.evaluation.gate_store import Change, DecidedBefore, Expired, Gates, Judgement, NoSuchJudgement, Override
from trainer.person_data import find
from trainer.privacy import forget

if TYPE_CHECKING:
    from tests.unit.evaluation.rooms import Room


def judgement(room: Room, **more: Any) -> Judgement:
    wanted = Judgement(
        id=room.id(),
        author=ADA.user_id,
        at=NOW,
        change=Change(kind="selection", dataset="events"),
        outcome="worse",
    )
    return Gates(room.store).save(SCOPE, msgspec.structs.replace(wanted, **more))


def test_the_first_judgement_and_the_first_decision_stand(room: Room) -> None:
    gates = Gates(room.store, lambda: NOW + 5)
    kept = judgement(room)
    assert gates.save(SCOPE, msgspec.structs.replace(kept, outcome="passed")) == kept
    assert gates.load(SCOPE, kept.id) == kept
    assert gates.passed(SCOPE, kept.id) is None
    found, decision = gates.decide(ADA, "7", kept.id, reason="x" * 400)
    assert found == kept
    assert (decision.id, decision.by, decision.at, decision.done) == ("7", ADA.user_id, NOW + 5, True)
    assert decision.reason == "x" * 300
    # The very same press again, even when the time is over.
    late = Gates(room.store, lambda: NOW + 1e6)
    assert late.decide(ADA, "7", kept.id, reason="other") == (kept, decision)
    with pytest.raises(DecidedBefore) as before:
        gates.decide(BOB, "8", kept.id, reason=None)
    assert before.value.decision == decision
    (report,) = room.store.list("g42/reports/")
    assert report.key == f"g42/reports/override-{kept.id}.json"


def test_what_is_left_makes_no_report(room: Room) -> None:
    kept = judgement(room)
    _, decision = Gates(room.store, lambda: NOW).decide(ADA, "7", kept.id, reason=None)
    assert (decision.done, decision.reason) == (False, "")
    assert not list(room.store.list("g42/reports/"))


def test_a_judgement_holds_for_a_day(room: Room) -> None:
    kept = judgement(room)
    with pytest.raises(Expired):
        Gates(room.store, lambda: NOW + 86_401).decide(ADA, "7", kept.id, reason="x")
    assert Gates(room.store, lambda: NOW + 86_399).decide(ADA, "7", kept.id, reason="x")[1].done


def test_nothing_is_decided_of_nothing(room: Room) -> None:
    gates = Gates(room.store, lambda: NOW)
    passed = judgement(room, outcome="passed")
    assert gates.passed(SCOPE, passed.id) == passed
    for gate_id in (passed.id, "5", "../settings", ""):
        with pytest.raises(NoSuchJudgement):
            gates.decide(ADA, "7", gate_id, reason="x")


def test_who_is_forgotten_is_named_no_more(room: Room) -> None:
    kept = judgement(room)
    gates = Gates(room.store, lambda: NOW)
    gates.decide(ADA, room.id(), kept.id, reason="Because.")
    named = {found.key: found.fate for found in find(room.store, SCOPE, ADA.user_id)}
    assert named == {
        f"g42/gates/{kept.id}.json": "unname",
        f"g42/gates/{kept.id}.decision.json": "unname",
        f"g42/reports/override-{kept.id}.json": "unname",
    }
    forget(room.store, ADA, room.id(), clock=lambda: NOW + 100)
    assert not list(find(room.store, SCOPE, ADA.user_id))
    (report,) = room.store.list("g42/reports/")
    told = msgspec.json.decode(room.store.get(report.key).data, type=Override)
    assert (told.judgement.author, told.decision.by, told.decision.reason) == ("0", "0", "Because.")
