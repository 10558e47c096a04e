"""The rare words of what was taught."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from trainer.index import Entry
from trainer.ports import StoreUnavailable
from trainer.scope import Scope
from trainer.settings import scope_settings
from trainer.speech.dataset_words import DatasetWords

if TYPE_CHECKING:
    from trainer.adapters.file_store import FileStore
    from trainer.library import Library

SCOPE = Scope("guild", "42")
OTHER = Scope("guild", "43")


def teach(library: Library, store: FileStore, question: str, answer: str, number: int = 1) -> None:
    index = library.index(SCOPE, scope_settings(store, SCOPE).dataset)
    index.add([Entry(id=f"{number}", kind="pair", question=question, answer=answer, source="x", order=number)])


def test_questions_and_answers_are_looked_at(store: FileStore, library: Library) -> None:
    teach(library, store, "How do I reach PostgreSQL?", "Ask Petrova.")
    words = DatasetWords(store, library)
    assert words(SCOPE) == ("PostgreSQL", "Petrova")
    assert words(OTHER) == ()


def test_the_newest_are_looked_at(store: FileStore, library: Library) -> None:
    teach(library, store, "What is OldWord?", "", 1)
    teach(library, store, "What is NewWord?", "", 2)
    assert library.index(SCOPE, scope_settings(store, SCOPE).dataset).texts(1) == ["What is NewWord?"]


def test_they_are_kept_for_a_while(store: FileStore, library: Library) -> None:
    words = DatasetWords(store, library)
    assert words(SCOPE) == ()
    teach(library, store, "How do I reach PostgreSQL?", "Ask Petrova.")
    assert words(SCOPE) == ()
    words._known.clear()
    assert words(SCOPE) == ("PostgreSQL", "Petrova")


@pytest.mark.parametrize("error", [StoreUnavailable("down"), sqlite3.OperationalError("locked")])
def test_without_them_recognising_goes_on(
    store: FileStore, library: Library, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(library, "index", fail)
    assert DatasetWords(store, library)(SCOPE) == ()
