"""What becomes of runs when people ask to be forgotten or to see what there is of them, and when time passes."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.unit.evaluation.rooms import ADA, BOB, SCOPE, Answers, Model, Room, case, cases
from trainer.answering import Answering
from trainer.batches import Origin
from trainer.evaluation.detail import drop_detail, sweep_detail
from trainer.evaluation.keys import RunKeys
from trainer.evaluation.regression import add_answer, add_cases, added_cases, remove_case
from trainer.evaluation.running import Runner
from trainer.evaluation.store import DetailGone, Words
from trainer.evaluation.summary import Summary, summarise
from trainer.importers import read_text
from trainer.person_export import export
from trainer.privacy import forget, forget_again
from trainer.retention import DAY_S, Policy, sweep
from trainer.scope import Actor, Scope

if TYPE_CHECKING:
    from trainer.evaluation.results import Run

EVE = Actor(SCOPE, "3003", is_manager=False)
SECRET = "xylophone"


def holding(room: Room, word: str = SECRET) -> list[str]:
    return [info.key for info in room.store.list("") if word.encode() in room.store.get(info.key).data]


def naming(room: Room, actor: Actor) -> list[str]:
    return [
        info.key
        for info in room.store.list("")
        if f"/{actor.user_id}" in info.key or f'"{actor.user_id}"'.encode() in room.store.get(info.key).data
    ]


def regression_run(room: Room) -> Run:
    run = room.begin(room.runner.regression(SCOPE, "default"), source="regression")
    assert room.runner.run(SCOPE, run).state == "finished"
    room.store.put(f"{RunKeys(SCOPE, run.id).reports}report.html", SECRET.encode())
    return run


def has_detail(room: Room, run: Run) -> bool:
    return room.runs.has_detail(SCOPE, run.id)


def test_words_of_corrections_go_with_their_author(room: Room) -> None:
    room.correct("What?", "Something else.", ADA)
    before = regression_run(room)
    room.correct("Which instrument?", f"The {SECRET}.", ADA)
    theirs = room.correct("Which instrument exactly?", f"The {SECRET}!", BOB)
    room.corrections.decide(ADA, "default", theirs.id, approve=True)
    after = regression_run(room)
    forgotten, _ = forget(room.store, BOB, room.id())
    assert forgotten.counts["quotes"] >= 1
    assert has_detail(room, before)
    assert not has_detail(room, after)
    assert room.runs.load(SCOPE, after.id) is not None
    assert not [key for key in holding(room) if after.id in key]
    assert naming(room, BOB) == [f"g42/forgotten/{BOB.user_id}.json"]


def test_words_in_answers_go_with_whoever_taught_them(room: Room) -> None:
    room.training.train(
        EVE, room.id(), "default", Origin("text"), read_text(f"Q: Which instrument? A: The {SECRET}."), lambda _: None
    )
    run = room.begin([case(1, question="Which instrument?")], source="file")
    room.runner.run(SCOPE, run)
    assert room.results(run)[0].answer == f"The {SECRET}."
    forget(room.store, EVE, room.id())
    assert holding(room) == []
    assert not has_detail(room, run)


def test_words_that_a_model_read_go_with_whoever_taught_them(room: Room) -> None:
    thing = "Which instrument does the band play on"
    for number, day in enumerate(["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"]):
        room.teach(f"{thing} {day}s?", f"The {SECRET}.", Actor(SCOPE, str(7000 + number), is_manager=True))
    answering = Answering(room.library, Model(lambda prompt: prompt), "Be kind.")
    for last in range(5):
        run = room.begin([case(1, question=f"{thing}?")])
        Runner(room.store, room.library, answering).run(SCOPE, run)
        assert SECRET in room.results(run)[0].answer or last == 4
        forget(room.store, Actor(SCOPE, str(7000 + last), is_manager=True), room.id())
        assert not has_detail(room, run)


def test_words_of_a_file_go_with_whoever_sent_it(room: Room) -> None:
    run = room.begin([case(1, question=f"Which {SECRET}?")], author=BOB, file_name=f"{SECRET}.csv")
    room.runner.run(SCOPE, run)
    again = room.begin(room.runs.cases(SCOPE, run.id), author=ADA, source="failures", reruns=run.id)
    room.runner.run(SCOPE, again)
    assert len(holding(room)) > 3
    forget(room.store, BOB, room.id())
    assert holding(room) == []
    kept = room.runs.load(SCOPE, run.id)
    assert kept is not None
    assert (kept.author, kept.file_name, kept.cases) == ("0", "", 1)


def test_who_only_began_or_ended_a_run_is_not_named_any_more(room: Room) -> None:
    room.correct("What?", "Something.", ADA)
    run = room.begin(room.runner.regression(SCOPE, "default"), author=BOB, source="regression")
    room.runs.cancel(SCOPE, run.id, EVE.user_id)
    forget(room.store, BOB, room.id())
    forget(room.store, EVE, room.id())
    assert has_detail(room, run)
    cancelled = room.runs.cancelled(SCOPE, run.id)
    kept = room.runs.load(SCOPE, run.id)
    assert cancelled is not None
    assert kept is not None
    assert (cancelled.by, kept.author) == ("0", "0")


def test_words_in_tags_go_too_and_numbers_stay(room: Room) -> None:
    tagged = [case(n, tags=("correction", f"about the {SECRET}")) for n in range(3)]
    run = room.begin(tagged, author=BOB, file_name=f"{SECRET}.csv")
    room.runner.run(SCOPE, run)
    kept = room.runs.save_summary(SCOPE, run.id, summarise(room.runs.results(SCOPE, run.id)))
    assert [one.tag for one in kept.tags] == [f"about the {SECRET}", "correction"]
    forget(room.store, BOB, room.id())
    assert holding(room) == []
    left = room.runs.summary(SCOPE, run.id, Summary)
    assert left is not None
    assert [(one.tag, one.numbers.cases) for one in left.tags] == [("correction", 3)]
    assert (left.numbers, left.more_tags) == (kept.numbers, 1)
    drop_detail(room.store, SCOPE, run.id)
    assert room.runs.summary(SCOPE, run.id, Summary) == left


def test_a_summary_that_comes_late_holds_no_words(room: Room) -> None:
    run = room.begin([case(1, tags=(SECRET,))], author=BOB)
    room.runner.run(SCOPE, run)
    summary = summarise(room.runs.results(SCOPE, run.id))
    forget(room.store, BOB, room.id())
    with pytest.raises(DetailGone):
        room.runs.save_summary(SCOPE, run.id, summary)
    assert holding(room) == []


def test_added_cases_go_with_whose_words_they_are(room: Room) -> None:
    add_answer(room.store, ADA, room.answered(f"Which {SECRET}?", "x", asker=BOB))
    add_answer(room.store, ADA, room.answered("Which?", f"The {SECRET}.", asker=ADA, teacher=EVE.user_id))
    add_cases(room.store, BOB, "default", [case(1)], run_id=room.id(), owner=ADA.user_id)
    forget(room.store, BOB, room.id())
    assert [one.case.question for one in added_cases(room.store, SCOPE, "default")] == ["Which?", "What is thing 1?"]
    forget(room.store, EVE, room.id())
    (left,) = added_cases(room.store, SCOPE, "default")
    assert (left.by, left.authors) == ("0", (ADA.user_id,))
    assert holding(room) == []


def test_what_came_later_stays(room: Room) -> None:
    request = room.id()
    room.correct("What?", "Something.", ADA)
    run = regression_run(room)
    add_answer(room.store, ADA, room.answered("Who?", "x", asker=ADA))
    forgotten, _ = forget(room.store, ADA, request)
    assert has_detail(room, run)
    forget_again(room.store, SCOPE, forgotten, 0.0)
    assert has_detail(room, run)


def test_older_words_in_a_later_run_go(room: Room) -> None:
    """Somebody tested while the request waited for its turn."""
    room.correct("What?", "Something.", ADA)
    request = room.id()
    run = regression_run(room)
    forget(room.store, ADA, request)
    assert not has_detail(room, run)


def test_a_run_that_is_being_worked_on_ends(room: Room) -> None:
    run = room.begin([case(n, author=BOB.user_id) for n in range(40)])
    request = room.id()

    def forget_bob(progress: object) -> None:
        forget(room.store, BOB, request)

    answering: object = Answers()
    outcome = Runner(room.store, room.library, answering).run(SCOPE, run, progress=forget_bob)  # type: ignore[arg-type]
    assert outcome.state == "forgotten"
    assert naming(room, BOB) == [f"g42/forgotten/{BOB.user_id}.json"]
    assert room.results(run) == []


def test_who_is_forgotten_while_a_run_begins_is_in_none(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """In between, the cases cannot be seen yet, and only the mark says whose words they are."""
    room.correct("Which instrument?", f"The {SECRET}.", BOB._replace(is_manager=True))
    room.correct("Which day?", "Monday.", ADA)
    draft = room.draft(source="regression")
    mark = room.runs.mark_author

    def marked(scope: Scope, run_id: str, words: Words) -> None:
        mark(scope, run_id, words)
        if words.author == BOB.user_id:
            forget(room.store, BOB, room.id())

    monkeypatch.setattr(room.runs, "mark_author", marked)
    with pytest.raises(DetailGone):
        room.runs.begin(SCOPE, draft, room.runner.regression(SCOPE, "default"))
    assert not [key for key in holding(room) if "evaluations" in key]
    assert room.runs.load(SCOPE, draft.id) is None
    # The same job once more: what is left makes a run.
    assert room.runs.begin(SCOPE, draft, room.runner.regression(SCOPE, "default")).cases == 1


def test_an_export_has_added_cases_and_not_what_repeats_words(room: Room) -> None:
    room.correct("What?", "Something.", ADA)
    regression_run(room)
    add_answer(room.store, ADA, room.answered("Who?", "x", asker=ADA))
    exported = export(room.store, ADA, room.id())
    assert exported is not None
    with zipfile.ZipFile(io.BytesIO(room.store.get(exported.key).data)) as bundle:
        names = bundle.namelist()
    assert [name for name in names if name.startswith("cases/default/")]
    assert not [name for name in names if name.startswith("evaluations/") and not name.endswith("run.json")]


def test_a_dataset_may_be_called_like_a_person(room: Room) -> None:
    name = BOB.user_id
    add_cases(room.store, ADA, name, [case(1)], run_id=room.id(), owner=ADA.user_id)
    forget(room.store, BOB, room.id())
    assert len(added_cases(room.store, SCOPE, name)) == 1


def test_everything_goes_with_a_person_s_own_scope(room: Room) -> None:
    own = Scope("user", "2002")
    me = Actor(own, "2002", is_manager=True)
    run = room.runs.begin(own, room.draft(author=me), cases(3))
    room.runner.run(own, run)
    add_cases(room.store, me, "default", [case(1)], run_id=run.id, owner=me.user_id)
    forget(room.store, me, room.id())
    left = [info.key for info in room.store.list("u2002/") if "/evaluations/" in info.key or "/cases/" in info.key]
    assert [key for key in left if not key.endswith("active.json")] == []


# --- time passes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("days", "kept"), [(179, True), (181, False)])
def test_detail_is_kept_for_so_long(room: Room, days: int, kept: bool) -> None:
    room.correct("What?", "Something.", ADA)
    run = regression_run(room)
    modified = max(info.modified_at for info in room.store.list("g42/evaluations/"))
    sweep(room.store, modified + days * DAY_S, Policy())
    assert has_detail(room, run) == kept
    assert bool(room.results(run)) == kept
    assert room.runs.load(SCOPE, run.id) is not None
    assert bool(list(room.store.list("g42/reports/"))) == kept


def test_what_dead_workers_left_is_swept(room: Room) -> None:
    begun, whole = room.begin(cases(3)), room.begin(cases(3))
    room.store.delete(RunKeys(SCOPE, begun.id).run)
    half = room.begin(cases(3))
    room.store.put(RunKeys(SCOPE, half.id).shard("results", 0), b"{}")
    room.store.delete(RunKeys(SCOPE, half.id).cases)
    now = max(info.modified_at for info in room.store.list("g42/evaluations/"))
    assert sweep_detail(room.store, SCOPE, now, 100 * DAY_S) == 2
    assert has_detail(room, begun)
    sweep_detail(room.store, SCOPE, now + 2 * DAY_S, 100 * DAY_S)
    assert not list(room.store.list(RunKeys(SCOPE, begun.id).root))
    assert has_detail(room, whole)


def test_a_case_that_was_taken_out_goes_too(room: Room) -> None:
    made, _ = add_answer(room.store, ADA, room.answered(f"Which {SECRET}?", "x", asker=BOB))
    remove_case(room.store, EVE, "default", made.id)
    forget(room.store, BOB, room.id())
    assert holding(room) == []
