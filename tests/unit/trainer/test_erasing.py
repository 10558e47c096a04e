"""What is deleted is what is older than a moment, however late that is done."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.unit.trainer.people import BOB, NOW, SERVER, Ids, clock, holding, use_everything
from trainer import records
from trainer.answers import AnswerRecord, load_answer, save_answer
from trainer.batches import Origin
from trainer.consent import Preferences, preferences, preferences_key
from trainer.conversations import Place, Turn, former_turns, remember
from trainer.datasets import forgotten_key, name_key, vote_key
from trainer.erasing import erase, id_in, remains, trim
from trainer.feedback import Opinion, Vote, give
from trainer.importers import read_text
from trainer.instructions import Instructions, current_version
from trainer.ports import PreconditionFailed, StoreUnavailable
from trainer.privacy import Forgotten, forget, forget_again
from trainer.scope import Actor, Scope
from trainer.selection import Selecting, dataset_names
from trainer.settings import scope_settings
from trainer.training import Training

if TYPE_CHECKING:
    from pathlib import Path

    from trainer.adapters.file_store import FileStore
    from trainer.library import Library

OWN = Scope("user", BOB.user_id)
ALONE = Actor(OWN, BOB.user_id, is_manager=True)
ID = "1519000000000000000"
LATER = 86_400.0


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (f"answers/{ID}.json", True),
        (f"outcomes/{ID}.outcome.json", True),
        (f"archives/{ID}-default.zip", True),
        (f"exports/feedback-{ID}.csv", True),
        (f"originals/{ID}-IMG_20261122123456789.jpg", True),
        (f"uploads/175928847299117063/{ID}.json", True),
        (f"unseen/175928847299117063/{ID}-failed.json", True),
        (f"datasets/default/batches/{ID}.json", True),
        (f"datasets/default/chunks/{ID}/123456789012-00000.jsonl", True),
        (f"datasets/default/histories/{'0' * 32}/{ID}", True),
        (f"datasets/{ID}/something.json", False),
        (f"cases/{ID}/x.json", False),
        ("usage/2026-11.json", False),
        ("settings.json", False),
        ("preferences/175928847299117063.json", False),
        (f"originals/{ID}123", False),
    ],
)
def test_what_an_object_came_of_is_in_its_path(path: str, found: bool) -> None:
    assert id_in(path, "175928847299117063") == (int(ID) if found else None)


def test_of_a_mixed_record_what_is_newer_remains() -> None:
    turns = b'{"turns":[{"id":"5","question":"a"},{"id":"10","question":"b"}],"v":1}'
    assert remains("conversations", turns, 4) is turns
    assert remains("conversations", turns, 5) == b'{"turns":[{"id":"10","question":"b"}],"v":1}'
    assert remains("conversations", turns, 10) is None
    vote = Vote(answer_id="1", user_id="7", rating="up", rated_by="5", comment="fine", commented_by="10")
    data = msgspec.json.encode(vote)
    assert remains("votes", data, 4) is data
    left = remains("votes", data, 5)
    assert left is not None
    assert msgspec.json.decode(left, type=Vote) == msgspec.structs.replace(vote, rating=None)
    swapped = msgspec.json.encode(msgspec.structs.replace(vote, rated_by="10", commented_by="5"))
    left = remains("votes", swapped, 5)
    assert left is not None
    assert b"fine" not in left
    assert b'"up"' in left
    assert remains("votes", data, 10) is None


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"turns":7}', b'{"turns":[{}]}', b'{"turns":[7]}'])
def test_a_mixed_record_that_cannot_be_read_goes(data: bytes) -> None:
    assert remains("conversations", data, 5) is None


def test_a_record_that_changes_all_the_time_is_tried_again_later(
    store: FileStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put("g1/conversations/1/7.json", b'{"turns":[{"id":"5"},{"id":"10"}]}')
    trim(store, "conversations", "g1/conversations/1/8.json", 5)

    def never(*_: object, **__: object) -> str:
        raise PreconditionFailed

    monkeypatch.setattr(store, "put", never)
    with pytest.raises(StoreUnavailable):
        trim(store, "conversations", "g1/conversations/1/7.json", 5)


def at(store: FileStore, key: str, moment: float) -> None:
    """Give an object another time of its last change."""
    for path in store._objects.rglob("*"):
        if path.is_file() and key.rpartition("/")[2].encode() in path.name.encode():
            os.utime(path, (moment, moment))
    info = store.head(key)
    assert info is not None
    assert info.modified_at == moment


def use(store: FileStore, library: Library, ids: Ids, word: str, person: Actor) -> None:
    """A person teaches, asks, votes, talks, selects and decides about the instruction, all with one word."""
    training = Training(store, library, clock)
    training.train(person, ids.next(), word, Origin("text"), read_text(f"Q: {word}? A: {word}\n"), lambda _: None)
    answer = AnswerRecord(
        id=ids.next(),
        dataset="default",
        question=word,
        text=word,
        kind="trained",
        author=person.user_id,
        created_at=NOW,
    )
    save_answer(store, person.scope, answer)
    give(store, person, ids.next(), answer.id, Opinion(rating="up", comment=word), clock)
    turn = Turn(id=ids.next(), question=word, answer=word, topic=word, at=NOW)
    remember(store, Place(person.scope, "77", person.user_id, private=False), turn, time.time())


def test_forgetting_late_in_their_own_room_keeps_what_came_after_the_press(
    store: FileStore, library: Library, tmp_path: Path
) -> None:
    ids = Ids()
    use(store, library, ids, "xylophone", ALONE)
    Instructions(store, clock).apply(ALONE, Instructions(store, clock).propose(ALONE, ids.next(), "xylophone").id)
    pressed = ids.next()
    use(store, library, ids, "bandoneon", ALONE)
    Selecting(store, clock).select(ALONE, ids.next(), "bandoneon", typed_at=NOW)
    at(store, f"{OWN.prefix}/settings.json", NOW + LATER)
    records.save(store, preferences_key(OWN, BOB.user_id), Preferences(voice=True))
    at(store, preferences_key(OWN, BOB.user_id), NOW + LATER)
    forgotten, datasets = forget(store, ALONE, pressed, clock=lambda: NOW + LATER)
    assert holding(store, "xylophone") == []
    assert datasets == {"xylophone"}
    assert forgotten.counts["examples"] == 1
    assert forgotten.counts["questions"] == 1
    assert library.index(OWN, "xylophone").count().pairs == 0
    assert library.index(OWN, "bandoneon").count().pairs == 1
    kept = {key.removeprefix(f"{OWN.prefix}/").split("/")[0] for key in holding(store, "bandoneon")}
    assert kept == {"datasets", "answers", "votes", "conversations", "selections", "settings.json"}
    assert scope_settings(store, OWN).dataset == "bandoneon"
    assert dataset_names(store, OWN) == ["bandoneon", "default"]
    assert current_version(store, OWN) is None
    assert preferences(store, OWN, BOB.user_id).voice
    turns = former_turns(store, Place(OWN, "77", BOB.user_id, private=False), ids.next(), NOW)
    assert [turn.question for turn in turns] == ["bandoneon"]


def test_forgetting_late_in_a_server_keeps_what_came_after_the_press(store: FileStore, library: Library) -> None:
    ids = Ids()
    person = BOB._replace(is_manager=True)
    use(store, library, ids, "xylophone", person)
    old = vote_key(SERVER, next(iter(store.list(f"{SERVER.prefix}/votes/"))).key.split("/")[2], BOB.user_id)
    pressed = ids.next()
    give(store, person, ids.next(), old.split("/")[2], Opinion(rating="down"), clock)
    use(store, library, ids, "bandoneon", person)
    records.save(store, preferences_key(SERVER, BOB.user_id), Preferences(voice=True))
    at(store, preferences_key(SERVER, BOB.user_id), NOW + LATER)
    forget(store, person, pressed, clock=lambda: NOW + LATER)
    assert holding(store, "xylophone") == []
    kept = {key.removeprefix(f"{SERVER.prefix}/").split("/")[0] for key in holding(store, "bandoneon")}
    assert kept == {"datasets", "answers", "votes", "conversations"}
    left = records.load(store, old, Vote)
    assert left is not None
    assert (left.rating, left.comment) == ("down", "")
    assert preferences(store, SERVER, BOB.user_id).voice


def test_what_is_newer_is_not_swept_again_and_again(store: FileStore, library: Library) -> None:
    ids = Ids()
    use(store, library, ids, "xylophone", BOB._replace(is_manager=True))
    forgotten, _ = forget(store, BOB, ids.next(), clock=clock)
    use(store, library, ids, "bandoneon", BOB._replace(is_manager=True))
    assert forget_again(store, SERVER, forgotten, NOW) == 0
    late = Turn(id=str(int(forgotten.interaction_id) - 1), question="kazoo", answer="", topic="kazoo", at=NOW)
    remember(store, Place(SERVER, "77", BOB.user_id, private=False), late, time.time())
    assert forget_again(store, SERVER, forgotten, NOW) == 1
    assert holding(store, "kazoo") == []
    assert holding(store, "bandoneon") != []


def test_a_room_is_erased_up_to_a_moment(store: FileStore, library: Library) -> None:
    ids = Ids()
    use(store, library, ids, "xylophone", ALONE)
    before = int(ids.next())
    assert erase(store, OWN, NOW, before=before) == {"xylophone"}
    assert holding(store, "xylophone") == []
    assert dataset_names(store, OWN) == ["default"]
    assert erase(store, OWN, NOW, before=before) == set()
    store.put(f"{OWN.prefix}/instruction.json", b"damaged")
    store.put(f"{OWN.prefix}/limits/all.json", b"{}")
    erase(store, OWN, NOW, before=int(ids.next()))
    assert store.head(f"{OWN.prefix}/instruction.json") is None
    assert store.head(f"{OWN.prefix}/limits/all.json") is not None


def test_a_list_of_names_goes_when_nothing_is_left(store: FileStore) -> None:
    store.put(name_key(OWN, "default"), b"{}")
    store.put(name_key(OWN, "empty"), b'{"id":"5"}')
    erase(store, OWN, NOW, before=4)
    assert dataset_names(store, OWN) == ["default", "empty"]
    erase(store, OWN, NOW, before=5)
    assert list(store.list(f"{OWN.prefix}/")) == []


def test_a_crash_anywhere_is_gone_on_from(store: FileStore, library: Library) -> None:
    ids = Ids()
    use_everything(store, library._cache.parent / "other", ids).close()
    note = Forgotten(user_id=BOB.user_id, interaction_id=ids.next(), at=NOW)
    records.save(store, forgotten_key(SERVER, BOB.user_id), note)
    later = AnswerRecord(
        id=ids.next(), dataset="default", question="?", text="", kind="unknown", author=BOB.user_id, created_at=NOW
    )
    save_answer(store, SERVER, later)
    forget_again(store, SERVER, note, NOW)
    assert load_answer(store, SERVER, later.id) == later
    assert holding(store, "zither") == []


def test_indexes_keep_no_word_of_what_was_forgotten(store: FileStore, library: Library, tmp_path: Path) -> None:
    def files() -> bytes:
        return b"".join(one.read_bytes() for one in (tmp_path / "cache").rglob("*") if one.is_file())

    ids = Ids()
    use(store, library, ids, "bandoneon", ALONE)
    use(store, library, ids, "xylophone", ALONE)
    for name in ("xylophone", "bandoneon"):
        library.index(OWN, name)
    assert library.tidy() == 0
    forget(store, ALONE, ids.next(), clock=clock)
    library.index(OWN, "xylophone")
    closed = library.index(OWN, "bandoneon")
    closed.close()
    assert library.tidy() == 1
    assert b"xylop" not in files()
