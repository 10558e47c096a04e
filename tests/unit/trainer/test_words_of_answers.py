"""A text that a chat model wrote goes with everybody whose words it read, whether it names them or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tests.unit.trainer.people import ADA, BOB, NOW, SERVER, Ids, clock, holding, naming
from trainer import records
from trainer.answers import AnswerRecord, Source, load_answer, save_answer
from trainer.corrections import Corrections
from trainer.datasets import DatasetKeys, answer_key, forgotten_key
from trainer.person_data import find
from trainer.privacy import forget

if TYPE_CHECKING:
    from trainer.adapters.file_store import FileStore


def test_an_answer_goes_with_whoever_a_model_read_for_it(store: FileStore) -> None:
    """It names three sources at most; the words may be somebody else's."""
    ids = Ids()
    answer = AnswerRecord(
        id=ids.next(),
        dataset="default",
        question="Which instrument?",
        text="The sousaphone.",
        kind="generated",
        author=ADA.user_id,
        created_at=NOW,
        sources=[Source("text", author="3003", at=NOW)],
        words_of=["3003", BOB.user_id],
    )
    save_answer(store, SERVER, answer)
    (found,) = find(store, SERVER, BOB.user_id)
    assert (found.kind, found.fate) == ("quotes", "blank")
    correction = Corrections(store, clock).correct(ADA, ids.next(), answer.id, "A lute")
    assert len(list(find(store, SERVER, BOB.user_id))) == 2
    forget(store, BOB, ids.next(), clock=clock)
    assert holding(store, "sousaphone") == []
    assert holding(store, "A lute") == [DatasetKeys(SERVER, "default").correction(correction.id)]
    assert naming(store, BOB.user_id) == [forgotten_key(SERVER, BOB.user_id)]
    left = load_answer(store, SERVER, answer.id)
    assert left is not None
    assert (left.question, left.text, left.sources, left.words_of) == ("Which instrument?", "", [], [])
    assert naming(store, "3003") == []


def test_answers_of_before_that_name_their_sources_alone_are_read(store: FileStore) -> None:
    key = answer_key(SERVER, Ids().next())
    old: dict[str, object] = {
        "id": "7", "dataset": "default", "question": "?", "text": "Tuba.", "kind": "generated", "author": "1",
        "created_at": NOW, "sources": [{"kind": "text", "author": BOB.user_id}], "v": 1,
    }  # fmt: skip
    store.put(key, msgspec.json.encode(old))
    assert records.decode(store.get(key).data, AnswerRecord).words_of == []
    forget(store, BOB, Ids(NOW).next(), clock=clock)
    assert holding(store, "Tuba") == []
