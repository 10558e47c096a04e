"""A spoken question is answered as a typed one, and kept only where that is wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from trainer.adapters.file_store import FileStore
from trainer.answers import Answer, AnswerRecord, Source, load_answer, save_answer
from trainer.consent import change_preferences
from trainer.conversations import Place, Turn, former_turns
from trainer.limit_store import Limiter
from trainer.ports import Cancellation, StoreUnavailable
from trainer.scope import Actor, Scope
from trainer.settings import choose_transcripts
from trainer.snowflakes import moment_of
from trainer.voice_transcripts import turns_prefix
from voice_sidecar.conversation import asking as module
from voice_sidecar.conversation.asking import Asking, OverLimit, Question, spoken_id

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

SCOPE = Scope("guild", "42")
PLACE = Place(SCOPE, "7", "1", private=False)
NOW = 1_700_000_000.0


class Answering:
    """Gives one answer."""

    def __init__(self, answer: Answer) -> None:
        self.answer_given = answer
        self.asked: list[dict[str, Any]] = []

    def answer(
        self,
        scope: Scope,
        dataset: str,
        question: str,
        *,
        former: Sequence[Turn] = (),
        interaction_id: str = "",
        on_text: Callable[[str], None] | None = None,
    ) -> Answer:
        self.asked.append({"scope": scope, "dataset": dataset, "question": question, "former": list(former)})
        if on_text is not None:
            on_text(self.answer_given.text)
        return self.answer_given


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path)


def made(store: FileStore, answer: Answer | None = None, limits: Limiter | None = None) -> tuple[Asking, Answering]:
    answering = Answering(answer or Answer("trained", "Ten."))

    def actor(user_id: int) -> Actor:
        return Actor(SCOPE, str(user_id), is_manager=False)

    return Asking(store, answering, limits, SCOPE, 7, actor, now=lambda: NOW), answering


def question(
    text: str = "What is it?", *, wanted: bool = True, former: Sequence[Turn] = (), at: float = NOW
) -> Question:
    return Question(spoken_id(at), 1, text, former, lambda: wanted)


def keep(store: FileStore) -> None:
    choose_transcripts(store, SCOPE, "1", 7)


def heard(_: str) -> None:
    """Nobody listens."""


def test_ids_are_ordered_by_time_and_differ() -> None:
    ids = {spoken_id(NOW) for _ in range(50)}
    assert len(ids) > 45
    assert all(moment_of(one) == NOW for one in ids)


def test_by_default_nothing_is_stored(store: FileStore) -> None:
    asking, answering = made(store)
    found = asking.ask(question(), heard)
    asking.remember(found, "Ten.")
    assert found.answer.text == "Ten."
    assert found.record is None
    assert found.remembered
    assert answering.asked[0]["dataset"] == "default"
    assert not list(store.list(""))


def test_with_transcripts_it_is_kept_as_a_typed_one(store: FileStore) -> None:
    keep(store)
    source = Source("text", author="9")
    asking, answering = made(store, Answer("trained", "Ten.", [source]))
    asked = question()
    found = asking.ask(asked, heard)
    record = load_answer(store, SCOPE, asked.id)
    assert record == found.record
    assert record == AnswerRecord(
        id=asked.id,
        dataset="default",
        question="What is it?",
        text="Ten.",
        kind="trained",
        author="1",
        created_at=NOW,
        sources=[source],
    )
    assert [info.key for info in store.list(turns_prefix(SCOPE))] == [f"{turns_prefix(SCOPE)}{asked.id}"]
    asking.remember(found, "T")
    assert [turn.answer for turn in former_turns(store, PLACE, str(int(asked.id) + 1), NOW)] == ["T"]
    asking.ask(question("And then?", at=NOW + 1), heard)
    assert [turn.answer for turn in answering.asked[1]["former"]] == ["T"]


def test_what_this_process_remembers_goes_before_what_is_stored(store: FileStore) -> None:
    keep(store)
    asking, answering = made(store)
    first = question(at=NOW - 60)
    asking.remember(asking.ask(first, heard), "half")
    mine = Turn(id=first.id, question="What is it?", answer="more", topic="What is it?", at=NOW)
    asking.ask(question("And then?", former=[mine]), heard)
    assert [turn.answer for turn in answering.asked[1]["former"]] == ["more"]


def test_a_follow_up_has_the_topic_of_what_it_leans_on(store: FileStore) -> None:
    former = Turn(id="1", question="The price?", answer="Ten.", topic="the price", at=NOW)
    asking, _ = made(store, Answer("trained", "Five.", asked="The price for students?"))
    found = asking.ask(question("And for students?", former=[former]), heard)
    assert found.turn.topic == "the price"
    asking, _ = made(store, Answer("trained", "Five."))
    assert asking.ask(question("And for students?", former=[former]), heard).turn.topic == "And for students?"


def test_who_does_not_agree_any_more_is_not_kept(store: FileStore) -> None:
    keep(store)
    asking, _ = made(store)
    asked = question(wanted=False)
    found = asking.ask(asked, heard)
    assert found.record is None
    assert load_answer(store, SCOPE, asked.id) is None


def test_who_wants_no_memory_has_none(store: FileStore) -> None:
    keep(store)
    change_preferences(store, SCOPE, "1", lambda old: type(old)(remember_conversations=False))
    asking, answering = made(store)
    former = Turn(id="1", question="The price?", answer="Ten.", topic="the price", at=NOW)
    found = asking.ask(question(former=[former]), heard)
    asking.remember(found, "Ten.")
    assert not found.remembered
    assert not answering.asked[0]["former"]
    assert not list(store.list("g42/conversations/"))


def test_whose_words_a_model_read_is_noted(store: FileStore) -> None:
    keep(store)
    asking, _ = made(store, Answer("generated", "Ten.", words_of=["8"]))
    given: dict[str, Any] = {
        "id": "1",
        "dataset": "d",
        "question": "q",
        "text": "t",
        "kind": "trained",
        "author": "1",
    }
    save_answer(store, SCOPE, AnswerRecord(**given, created_at=NOW, sources=[Source("text", author="9")]))
    former = Turn(id="1", question="q", answer="t", topic="q", at=NOW)
    found = asking.ask(question(former=[former]), heard)
    assert found.record is not None
    assert found.record.words_of == ["8", "9"]


def test_the_limits_are_those_of_the_command(store: FileStore) -> None:
    asking, answering = made(store, limits=Limiter(store, factor=0.1, clock=lambda: NOW))
    asking.ask(question(), heard)
    with pytest.raises(OverLimit) as over:
        asking.ask(question(), heard)
    assert over.value.full.limit.owner == "person"
    assert len(answering.asked) == 1


def test_a_store_that_fails_does_not_take_the_answer(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(store)
    asking, _ = made(store)

    def failing(*_: object) -> None:
        raise StoreUnavailable("x")

    monkeypatch.setattr(module, "keep_turn", failing)
    found = asking.ask(question(), heard)
    assert found.answer.text == "Ten."
    assert found.record is None


@pytest.mark.parametrize(
    ("so_far", "kept"),
    [("It is ten in", "It is ten in…"), ("It is ten.", "It is ten."), ("", None), ("NO", None)],
)
def test_of_an_answer_that_was_stopped_what_there_is_is_kept_and_shows_that(
    store: FileStore, so_far: str, kept: str | None
) -> None:
    keep(store)
    asking, _ = made(store, Answer("generated", so_far))
    cancellation, asked = Cancellation(), question()
    with cancellation.scope():
        found = asking.ask(asked, lambda _: cancellation.cancel())
    record = load_answer(store, SCOPE, asked.id)
    assert record == found.record
    assert (record.text if record is not None else None) == kept


def test_what_was_taught_is_whole_even_if_nobody_waits_for_it(store: FileStore) -> None:
    keep(store)
    asking, _ = made(store, Answer("trained", "Ten, or so"))
    cancellation = Cancellation()
    with cancellation.scope():
        found = asking.ask(question(), lambda _: cancellation.cancel())
    assert found.record is not None
    assert found.record.text == "Ten, or so"


@pytest.mark.parametrize("known", ["both", "last", "none"])
def test_what_nobody_knows_as_one_question_may_have_been_two(store: FileStore, known: str) -> None:
    keep(store)
    asking, answering = made(store)
    asked = question("Where is it? When do we meet?")._replace(last="When do we meet?")
    text = {"both": asked.text, "last": asked.last, "none": ""}[known]

    def answer(scope: Scope, dataset: str, question: str, *, interaction_id: str, **_: object) -> Answer:
        answering.asked.append({"question": question, "id": interaction_id})
        return Answer("trained", "At noon.") if question == text else Answer("unknown", "")

    answering.answer = answer  # type: ignore[method-assign, assignment]
    found = asking.ask(asked, heard)
    questions = [asked.text] if known == "both" else [asked.text, asked.last]
    assert [one["question"] for one in answering.asked] == questions
    assert len({one["id"] for one in answering.asked}) == len(questions)  # each is counted, if it is paid for
    assert found.answer.kind == ("unknown" if known == "none" else "trained")
    assert found.record is not None
    assert found.record.question == (asked.last if known == "last" else asked.text)
    assert found.turn.question == found.record.question


def test_who_goes_on_has_asked_once(store: FileStore) -> None:
    asking, _ = made(store, limits=Limiter(store, factor=0.1, clock=lambda: NOW))
    first = question()
    asking.ask(first, heard)
    for _ in range(20):
        asking.ask(question()._replace(counts_as=first.id), heard)

    def go_on_asking() -> None:
        for _ in range(20):
            asking.ask(question(), heard)

    with pytest.raises(OverLimit):
        go_on_asking()
