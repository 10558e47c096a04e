"""Forgetting takes everything of a person, nothing of others, and ends well whenever it is interrupted."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.unit.trainer.people import ADA, BOB, NOW, SERVER, Breaking, Ids, clock, holding, naming, use_everything
from trainer import privacy, records
from trainer.adapters.file_store import FileStore
from trainer.answers import AnswerRecord, load_answer, save_answer
from trainer.batches import Origin
from trainer.consent import Preferences, change_preferences, preferences, preferences_key
from trainer.datasets import DatasetKeys, forgotten_key, vote_key
from trainer.importers import read_text
from trainer.person_data import Found, find, folders, judge
from trainer.ports import ObjectInfo, StoreUnavailable
from trainer.privacy import (
    NOBODY,
    Forgotten,
    copies_of,
    delete_copies,
    forget,
    forget_again,
    overtaken,
    take_stock,
    was_forgotten,
)
from trainer.scope import Actor, Scope
from trainer.settings import scope_settings
from trainer.training import Training

if TYPE_CHECKING:
    from pathlib import Path

    from trainer.library import Library

ALLOWED = ("forgotten/", "limits/")
"""What may still have a forgotten person's id in its key."""


@pytest.fixture(autouse=True)
def _small_records(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that batches of a few examples have chunks of their own."""
    monkeypatch.setattr("trainer.training.INLINE_MOST", 2)
    monkeypatch.setattr("trainer.training.CHUNK", 3)


@pytest.fixture
def ids() -> Ids:
    return Ids()


@pytest.fixture
def library(store: FileStore, tmp_path: Path, ids: Ids) -> Library:
    return use_everything(store, tmp_path / "cache", ids)


def left_of(store: FileStore, person: Actor) -> list[str]:
    prefix = f"{SERVER.prefix}/"
    return [key for key in naming(store, person.user_id) if not key.removeprefix(prefix).startswith(ALLOWED)]


def test_everything_of_a_manager_goes(store: FileStore, library: Library, ids: Ids) -> None:
    assert library.index(SERVER, "default").count()[:2] == (9, 0)
    forgotten, datasets = forget(store, ADA, ids.next(), clock=clock)
    assert datasets == {"default"}
    assert left_of(store, ADA) == []
    assert holding(store, "xylophone") == []
    assert holding(store, "theremin") == []
    assert not list(store.list(f"{SERVER.prefix}/originals/"))
    assert not list(store.list(f"{DatasetKeys(SERVER, 'default').root}chunks/"))
    assert library.index(SERVER, "default").count() == (0, 0, 3)  # Bob's corrections
    assert {kind: forgotten.counts[kind] for kind in ("examples", "files", "corrections", "questions", "votes")} == {
        "examples": 9,
        "files": 1,
        "corrections": 3,
        "questions": 1,
        "votes": 3,
    }
    library.close()


def test_what_others_have_stays_without_the_name_and_the_words(store: FileStore, library: Library, ids: Ids) -> None:
    before = set(naming(store, BOB.user_id))
    forget(store, ADA, ids.next(), clock=clock)
    library.close()
    assert set(naming(store, BOB.user_id)) >= {key for key in before if "/answers/" not in key}
    (quoting,) = [
        answer
        for info in store.list(f"{SERVER.prefix}/answers/")
        if (answer := load_answer(store, SERVER, info.key.rpartition("/")[2][:-5])) and not answer.text
    ]
    assert (quoting.author, quoting.sources) == (BOB.user_id, [])
    settings = scope_settings(store, SERVER)
    assert settings.dataset == "default-two"
    assert settings.selection is not None
    assert settings.selection.author == NOBODY
    assert b"Be brief" in store.get(f"{SERVER.prefix}/instruction.json").data
    assert not list(store.list(f"{SERVER.prefix}/drafts/"))
    verdicts = [store.get(info.key).data for info in store.list(f"{DatasetKeys(SERVER, 'default').root}verdicts/")]
    assert len(verdicts) == 3
    assert all(b'"by":"0"' in verdict for verdict in verdicts)


def test_everything_of_a_member_goes_and_nothing_else(store: FileStore, library: Library, ids: Ids) -> None:
    before = {info.key for info in store.list("")}
    forget(store, BOB, ids.next(), clock=clock)
    library.close()
    assert left_of(store, BOB) == []
    assert holding(store, "zither") == []
    assert holding(store, "ocarina") == []
    gone = before - {info.key for info in store.list("")}
    named = {f"/{folder}/" for folder in ("answers", "messages", "votes", "unseen", "preferences", "conversations")}
    assert all(any(folder in key for folder in (*named, "/datasets/", "/outcomes/")) for key in gone)
    assert library.index(SERVER, "events").count().pairs == 0


def test_a_link_to_an_answer_goes_with_it(store: FileStore, library: Library, ids: Ids) -> None:
    assert len(list(store.list(f"{SERVER.prefix}/messages/"))) == 3
    forget(store, BOB, ids.next(), clock=clock)
    library.close()
    assert len(list(store.list(f"{SERVER.prefix}/messages/"))) == 1
    histories = [info.key for info in store.list(f"{DatasetKeys(SERVER, 'default').root}histories/")]
    assert len(histories) == 3


def test_a_crash_anywhere_leaves_nothing_that_the_next_delivery_does_not_find(tmp_path: Path, ids: Ids) -> None:
    use_everything(FileStore(tmp_path / "store"), tmp_path / "cache", ids).close()
    interaction, changes = ids.next(), 0
    told: set[str] = set()
    while True:
        folder = tmp_path / f"copy{changes}"
        shutil.copytree(tmp_path / "store", folder)
        broken = Breaking(folder, changes=changes)
        try:
            forget(broken, ADA, interaction, clock=clock)
            finished = True
        except StoreUnavailable:
            finished = False
        store = FileStore(folder)
        forgotten, _ = forget(store, ADA, interaction, clock=clock)
        told.add(str(sorted(forgotten.counts.items())))
        assert left_of(store, ADA) == [], changes
        assert holding(store, "xylophone") == [], changes
        assert holding(store, "theremin") == [], changes
        shutil.rmtree(folder)
        if finished:
            break
        changes += 3
    assert changes > 20
    assert len(told) == 1


def test_a_second_request_finds_nothing_more(store: FileStore, library: Library, ids: Ids) -> None:
    forget(store, BOB, ids.next(), clock=clock)
    library.close()
    assert take_stock(store, SERVER, BOB.user_id) == ({}, 0, 0)
    forgotten, datasets = forget(store, BOB, ids.next(), clock=clock)
    assert (forgotten.counts, datasets) == ({}, set())
    assert forgotten.since > 0  # copies of before may still be there


def test_an_older_request_does_not_undo_a_newer_one(store: FileStore, library: Library, ids: Ids) -> None:
    older, newer = ids.next(), ids.next()
    done, _ = forget(store, BOB, newer, clock=clock)
    library.close()
    assert forget(store, BOB, older, clock=clock) == (done, set())


def test_what_came_after_the_request_stays(store: FileStore, library: Library, tmp_path: Path, ids: Ids) -> None:
    pressed = ids.next()
    answer = AnswerRecord(
        id=ids.next(),
        dataset="default",
        question="Later?",
        text="",
        kind="unknown",
        author=BOB.user_id,
        created_at=NOW,
    )
    save_answer(store, SERVER, answer)
    forget(store, BOB, pressed, clock=clock)
    library.close()
    assert load_answer(store, SERVER, answer.id) is not None


def test_jobs_of_before_are_overtaken(store: FileStore, ids: Ids) -> None:
    before, pressed, after = ids.next(), ids.next(), ids.next()
    assert not overtaken(store, BOB, before)
    forget(store, BOB, pressed, clock=clock)
    assert [overtaken(store, BOB, one) for one in (before, pressed, after)] == [True, False, False]
    assert not overtaken(store, ADA, before)
    assert not overtaken(store, Actor(Scope("guild", "43"), BOB.user_id, is_manager=False), before)
    assert was_forgotten(store, SERVER, BOB.user_id, before)


def test_what_a_running_job_still_wrote_goes_later(store: FileStore, library: Library, ids: Ids) -> None:
    running, pressed = ids.next(), ids.next()
    forgotten, _ = forget(store, BOB, pressed, clock=clock)
    training = Training(store, library, clock)
    training.train(BOB, running, "default", Origin("text"), read_text("Q: Late? A: kazoo\n"), lambda _: None)
    training.train(BOB, ids.next(), "default", Origin("text"), read_text("Q: New? A: lute\n"), lambda _: None)
    assert forget_again(store, SERVER, forgotten, NOW) == 1
    assert holding(store, "kazoo") == []
    assert holding(store, "lute") != []
    library.index(SERVER, "default")
    assert not [hit for hit in library.index(SERVER, "default").search("Late?") if hit.entry.answer == "kazoo"]
    library.close()


def test_a_dataset_or_a_text_that_is_somebodys_id_is_not_theirs(store: FileStore, tmp_path: Path, ids: Ids) -> None:
    library = use_everything(store, tmp_path / "cache", ids)
    training = Training(store, library, clock)
    text = f"Q: {BOB.user_id} A: {BOB.user_id}\n"
    training.train(ADA, ids.next(), BOB.user_id, Origin("text"), read_text(text), lambda _: None)
    store.put(f"{SERVER.prefix}/archives/{BOB.user_id}.zip", b"zip")
    forget(store, BOB, ids.next(), clock=clock)
    assert library.index(SERVER, BOB.user_id).count().pairs == 1
    assert store.head(f"{SERVER.prefix}/archives/{BOB.user_id}.zip") is not None
    library.close()


def test_other_rooms_are_left_alone(store: FileStore, library: Library, ids: Ids) -> None:
    library.close()
    other = Scope("guild", "421")
    key = vote_key(other, "5", BOB.user_id)
    store.put(key, b"{}")
    store.put(f"u{BOB.user_id}/answers/5.json", b'{"author":"2002"}')
    forget(store, BOB, ids.next(), clock=clock)
    assert store.head(key) is not None
    assert store.head(f"u{BOB.user_id}/answers/5.json") is not None


def test_in_their_own_room_everything_goes_but_what_indexes_need(store: FileStore, tmp_path: Path, ids: Ids) -> None:
    own = Scope("user", BOB.user_id)
    bob = Actor(own, BOB.user_id, is_manager=True)
    library = use_everything(store, tmp_path / "cache", ids)
    training = Training(store, library, clock)
    training.train(bob, ids.next(), "diary", Origin("text"), read_text("Q: Cat? A: wurzel\n"), lambda _: None)
    store.put(f"{own.prefix}/archives/1-diary.zip", b"wurzel")
    store.put(f"{own.prefix}/something/new", b"wurzel")
    _, datasets = forget(store, bob, ids.next(), clock=clock)
    assert datasets == {"diary"}
    assert holding(store, "wurzel") == []
    assert library.index(own, "diary").count().pairs == 0
    left = [info.key.removeprefix(f"{own.prefix}/") for info in store.list(f"{own.prefix}/")]
    assert {key.split("/")[0] for key in left} == {"datasets", "forgotten", "names"}
    assert [key for key in left if key.startswith("names/")] == ["names/default"]
    assert all("/journal/" in key or "/removed/" in key for key in left if key.startswith("datasets/"))
    library.close()


def test_damaged_and_strange_records_stop_nothing(store: FileStore, library: Library, ids: Ids) -> None:
    library.close()
    prefix = SERVER.prefix
    strange = {
        "answers/1.json": b'{"author":"2002"',
        "answers/2.json": b'["2002"]',
        "answers/3.json": b'{"sources":["2002", {"author":7}]}',
        "answers/4.json": b"[" * 5000 + b'"2002"',
        "drafts/5.json": b'{"author":"1"}',
        "outcomes/6.outcome.json": b'{"content":"2002"}',
        "datasets/default/batches/7.json": b'{"author":"2002","report":3}',
        "datasets/default/corrections/8.json": b'{"answer_id":["x"]}',
        "datasets/default/corrections/9.json": b"7",
        "uploads/2002/10.json": b"?",
        "new-folder/11.json": b'{"people":[{"who":"2002"}]}',
        "new-folder/12.json": b" " * (1024 * 1024 + 1),
        "new-folder/13.bin": b'"2002"',
    }
    for key, data in strange.items():
        store.put(f"{prefix}/{key}", data)
    forget(store, BOB, ids.next(), clock=clock)
    left = {info.key.removeprefix(f"{prefix}/") for info in store.list(f"{prefix}/")}
    assert "datasets/default/batches/7.json" not in left
    assert "uploads/2002/10.json" not in left
    assert store.get(f"{prefix}/new-folder/11.json").data == b'{"people":[{"who":"0"}]}'
    assert {"answers/1.json", "answers/2.json", "drafts/5.json", "new-folder/12.json", "new-folder/13.bin"} <= left


def test_copies_of_that_time_are_named_and_can_be_deleted(store: FileStore, library: Library, ids: Ids) -> None:
    library.close()
    forgotten, _ = forget(store, ADA, ids.next(), clock=clock)
    for name in ("archives/1-default.zip", "exports/feedback.csv"):
        store.put(f"{SERVER.prefix}/{name}", b"x")
    there = store.head(f"{SERVER.prefix}/archives/1-default.zip")
    assert there is not None
    then = there.modified_at - 10
    forgotten = msgspec.structs.replace(forgotten, since=then, taught_since=then, at=there.modified_at)
    assert len(copies_of(store, SERVER, forgotten).keys) == 2
    asked_only = msgspec.structs.replace(forgotten, taught_since=0.0)
    assert [key.split("/")[1] for key in copies_of(store, SERVER, asked_only).keys] == ["exports"]
    earlier = msgspec.structs.replace(forgotten, at=there.modified_at - 2 * privacy.LATE_S)
    assert copies_of(store, SERVER, earlier).keys == []
    assert copies_of(store, SERVER, msgspec.structs.replace(forgotten, since=0.0, taught_since=0.0)).keys == []
    assert delete_copies(store, SERVER, forgotten) == 2
    assert delete_copies(store, SERVER, forgotten) == 0


def test_a_long_list_of_copies_is_cut(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(privacy, "COPIES_MOST", 2)
    for number in range(3):
        store.put(f"{SERVER.prefix}/archives/{number}.zip", b"x")
    forgotten = Forgotten(user_id="1", interaction_id="1", at=1e12, since=1.0, taught_since=1.0)
    assert copies_of(store, SERVER, forgotten).more
    assert delete_copies(store, SERVER, forgotten) == 3


def test_two_presses_at_once_both_end(store: FileStore, library: Library, ids: Ids) -> None:
    first, second = ids.next(), ids.next()
    library.close()
    key = forgotten_key(SERVER, BOB.user_id)
    seen = records.save_once(store, key, Forgotten(user_id=BOB.user_id, interaction_id=second, at=NOW))
    assert not seen.finished
    forgotten, _ = forget(store, BOB, first, clock=clock)
    assert forgotten.interaction_id == second
    assert forgotten.finished
    assert left_of(store, BOB) == []


def test_looking_goes_folder_by_folder(store: FileStore) -> None:
    for key in ("g1/a", "g1/b/1", "g1/b/2", "g1/b-c/1", "g2/x"):
        store.put(key, b"")
    assert list(folders(store, "g1/")) == ["a", "b-c", "b"]
    assert list(folders(store, "")) == ["g1", "g2"]


def test_finding_is_lazy_and_ends_early(store: FileStore, library: Library) -> None:
    library.close()
    finding = find(store, SERVER, ADA.user_id)
    assert isinstance(next(finding), Found)
    finding.close()  # type: ignore[attr-defined]


def test_a_record_that_only_mentions_somebody_in_a_sentence_is_not_about_them() -> None:
    info = ObjectInfo(f"{SERVER.prefix}/instruction.json", 1, "", NOW)
    assert judge(SERVER, info, b'{"text":"ask \\"2002\\" now"}', "2002") is None
    assert judge(SERVER, info, b'{"text":"ask 2002"}', "2002") is None
    found = judge(SERVER, info, b'{"author":"2002"}', "2002")
    assert found is not None
    assert (found.kind, found.fate) == ("decisions", "unname")


def test_switches_are_changed_by_one_at_a_time(store: FileStore) -> None:
    assert preferences(store, SERVER, "7") == Preferences()

    def meanwhile(before: Preferences) -> Preferences:
        if before.train_on_my_messages == "ask":
            key = preferences_key(SERVER, "7")
            records.save(store, key, Preferences(train_on_my_messages="never"))
        return msgspec.structs.replace(before, voice=True)

    after = change_preferences(store, SERVER, "7", meanwhile)
    assert after == Preferences(train_on_my_messages="never", voice=True)
    assert change_preferences(store, SERVER, "7", lambda old: old) == after
