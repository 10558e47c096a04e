"""Whether a message may be learned from: asked by somebody, decided once, forgotten with whoever it names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.unit.trainer.people import ADA, BOB, NOW, SERVER, Ids, clock
from trainer.consent import REQUEST_DAYS, Request, ask, decide, requested
from trainer.datasets import consent_key, request_key
from trainer.privacy import forget
from trainer.retention import DAY_S, sweep

if TYPE_CHECKING:
    from trainer.adapters.file_store import FileStore

ASKED = Request(author=BOB.user_id, requester=ADA.user_id, message_id="77", until=NOW)


def test_only_what_somebody_asked_is_there(store: FileStore) -> None:
    assert requested(store, SERVER, BOB.user_id, "5") is None
    assert ask(store, SERVER, "5", ASKED) == ASKED
    assert requested(store, SERVER, BOB.user_id, "5") == ASKED
    assert requested(store, SERVER, ADA.user_id, "5") is None
    assert requested(store, SERVER, BOB.user_id, "6") is None


def test_asking_twice_changes_nothing(store: FileStore) -> None:
    ask(store, SERVER, "5", ASKED)
    later = Request(author=BOB.user_id, requester="9", message_id="78", until=NOW + 1)
    assert ask(store, SERVER, "5", later) == ASKED


def test_the_first_decision_stands(store: FileStore) -> None:
    assert decide(store, SERVER, "5", ASKED, "decline").answer == "decline"
    assert decide(store, SERVER, "5", ASKED, "allow").answer == "decline"
    assert decide(store, SERVER, "6", ASKED, "allow").answer == "allow"


def test_the_author_is_forgotten_with_it(store: FileStore) -> None:
    ids = Ids()
    request_id = ids.next()
    ask(store, SERVER, request_id, ASKED)
    decide(store, SERVER, request_id, ASKED, "always")
    forget(store, BOB, ids.next(), clock=clock)
    assert requested(store, SERVER, BOB.user_id, request_id) is None
    assert store.head(consent_key(SERVER, BOB.user_id, request_id)) is None


def test_who_asked_is_forgotten_and_their_wish_with_them(store: FileStore) -> None:
    ids = Ids()
    request_id = ids.next()
    ask(store, SERVER, request_id, ASKED)
    forget(store, ADA, ids.next(), clock=clock)
    assert requested(store, SERVER, BOB.user_id, request_id) is None
    assert ADA.user_id.encode() not in store.get(request_key(SERVER, BOB.user_id, request_id)).data


def test_what_nobody_decided_goes_after_a_while(store: FileStore) -> None:
    ask(store, SERVER, "5", ASKED)
    info = store.head(request_key(SERVER, BOB.user_id, "5"))
    assert info is not None
    sweep(store, info.modified_at + REQUEST_DAYS * DAY_S - 1)
    assert requested(store, SERVER, BOB.user_id, "5") == ASKED
    sweep(store, info.modified_at + REQUEST_DAYS * DAY_S + 1)
    assert requested(store, SERVER, BOB.user_id, "5") is None
