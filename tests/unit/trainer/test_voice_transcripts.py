"""Spoken questions that are kept go when the server's managers want it, with their answers and votes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainer.answers import AnswerRecord, load_answer, save_answer
from trainer.consent import Preferences, choose_voice, preferences, unchoose_voice
from trainer.datasets import vote_key
from trainer.retention import DAY_S, Policy, sweep
from trainer.scope import Scope
from trainer.settings import ScopeSettings, choose_transcripts, scope_settings
from trainer.snowflakes import first_of
from trainer.voice_transcripts import keep_turn, sweep_turns, turns_prefix

if TYPE_CHECKING:
    from trainer.adapters.file_store import FileStore

SERVER = Scope("guild", "42")
ASKED_AT = 1_790_000_000.0


def record(at: float) -> AnswerRecord:
    return AnswerRecord(
        id=str(first_of(at)), dataset="default", question="Q", text="A", kind="trained", author="5", created_at=at
    )


def test_what_was_spoken_goes_after_its_days_and_what_was_typed_stays(store: FileStore) -> None:
    old, new, typed = record(ASKED_AT), record(ASKED_AT + 5 * DAY_S), record(ASKED_AT + 1)
    assert keep_turn(store, SERVER, old) == old
    keep_turn(store, SERVER, new)
    save_answer(store, SERVER, typed)
    store.put(vote_key(SERVER, old.id, "9"), b"{}")
    choose_transcripts(store, SERVER, "1", 7)
    assert sweep(store, ASKED_AT + 6 * DAY_S).expired == 0
    assert sweep(store, ASKED_AT + 8 * DAY_S).expired == 1
    assert load_answer(store, SERVER, old.id) is None
    assert store.head(vote_key(SERVER, old.id, "9")) is None
    assert load_answer(store, SERVER, new.id) == new
    assert load_answer(store, SERVER, typed.id) == typed
    assert [info.key for info in store.list(turns_prefix(SERVER))] == [f"{turns_prefix(SERVER)}{new.id}"]


def test_keeping_nothing_lets_all_of_it_go_but_what_is_being_written(store: FileStore) -> None:
    keep_turn(store, SERVER, record(ASKED_AT))
    assert sweep_turns(store, SERVER, ASKED_AT + 60, 0) == 0
    assert sweep(store, ASKED_AT + 3600, Policy()).expired == 1
    assert load_answer(store, SERVER, record(ASKED_AT).id) is None
    assert not list(store.list(f"{SERVER.prefix}/"))


def test_a_second_delivery_keeps_the_first_answer(store: FileStore) -> None:
    first = keep_turn(store, SERVER, record(ASKED_AT))
    again = AnswerRecord(
        id=first.id, dataset="default", question="Q", text="Other", kind="trained", author="5", created_at=1.0
    )
    assert keep_turn(store, SERVER, again) == first


def test_a_mark_that_is_no_id_goes_by_its_age(store: FileStore) -> None:
    store.put(f"{turns_prefix(SERVER)}x", b"")
    info = store.head(f"{turns_prefix(SERVER)}x")
    assert info is not None
    assert sweep_turns(store, SERVER, info.modified_at + 60, 0) == 0
    assert sweep_turns(store, SERVER, info.modified_at + 3600, 0) == 1


def test_the_setting_is_off_and_a_late_choice_changes_nothing(store: FileStore) -> None:
    assert not ScopeSettings().voice_transcripts
    assert choose_transcripts(store, SERVER, "20", 30).voice_transcripts
    assert choose_transcripts(store, SERVER, "10", 0).voice_transcript_days == 30
    assert choose_transcripts(store, SERVER, "20", 0).voice_transcript_days == 30
    assert not choose_transcripts(store, SERVER, "30", 0).voice_transcripts
    assert scope_settings(store, SERVER).voice_transcripts_by == "30"


def test_consent_says_since_when_and_a_late_one_changes_nothing(store: FileStore) -> None:
    first, second = str(first_of(ASKED_AT)), str(first_of(ASKED_AT + 60))
    agreed = choose_voice(store, SERVER, "5", first, on=True)
    assert agreed == Preferences(voice=True, voice_by=first, voice_at=ASKED_AT)
    revoked = choose_voice(store, SERVER, "5", second, on=False)
    assert (revoked.voice, revoked.voice_at) == (False, ASKED_AT + 60)
    assert choose_voice(store, SERVER, "5", first, on=True) == revoked
    assert not preferences(store, Scope("guild", "43"), "5").voice


def test_what_was_agreed_to_for_nothing_is_taken_back_unless_it_was_agreed_to_again(store: FileStore) -> None:
    choose_voice(store, SERVER, "5", "10", on=True)
    assert unchoose_voice(store, SERVER, "5", "9").voice
    assert not unchoose_voice(store, SERVER, "5", "10").voice
    choose_voice(store, SERVER, "5", "11", on=True)
    assert unchoose_voice(store, SERVER, "5", "10").voice
