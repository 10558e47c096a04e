"""Datasets to archive and to bring back, for tests."""

from __future__ import annotations

import hashlib
import json
import zipfile
from typing import TYPE_CHECKING, Any

from trainer.answers import AnswerRecord, save_answer
from trainer.archive import Archived, archive_dataset
from trainer.archive_format import MANIFEST, ArchiveProgress
from trainer.archive_restore import Restored, restore
from trainer.batches import Origin
from trainer.corrections import Corrections
from trainer.importers import Example, Place, Rejection, RejectionReason
from trainer.library import Library
from trainer.scope import Actor, Scope
from trainer.training import Training

if TYPE_CHECKING:
    from pathlib import Path

    from trainer.adapters.file_store import FileStore
    from trainer.importers import Item

SCOPE = Scope("guild", "42")
OTHER = Scope("guild", "43")
ADA = Actor(SCOPE, "7", is_manager=True)
BOB = Actor(SCOPE, "8", is_manager=False)
ROOT = "g42/datasets/default/"
NOW = 1_800_000_000.0
MANY = 45
"""Examples of the larger batch, which fill two chunks."""

Files = dict[str, bytes]


def quiet(_: ArchiveProgress) -> None:
    pass


def pair(number: int) -> Example:
    return Example("pair", f"What is number {number}?", f"It is {number}.", Place("row", number))


def bad(number: int) -> Rejection:
    return Rejection(Place("row", number), RejectionReason.MISSING_ANSWER, "answer")


def fill(store: FileStore, library: Library) -> None:
    """A dataset with some of everything: 2 + MANY examples, 2 corrections that count, and others."""
    training, corrections = Training(store, library), Corrections(store)
    training.train(ADA, "100", "default", Origin("text"), [pair(90001), pair(90002), bad(3)], lambda _: None)
    many: list[Item] = [*(pair(number) for number in range(MANY)), *(bad(number) for number in range(MANY))]
    training.train(ADA, "101", "default", Origin("file", "Всё.csv"), many, lambda _: None)
    for number, actor in enumerate([ADA, BOB, BOB, BOB, ADA]):
        asked = f"Where is {number}?"
        answer = AnswerRecord(
            id=str(200 + number),
            dataset="default",
            question=asked,
            text="Nowhere.",
            kind="trained",
            author="8",
            created_at=NOW,
        )
        save_answer(store, SCOPE, answer)
        corrections.correct(actor, str(300 + number), answer.id, f"It is {number}.")
    corrections.decide(ADA, "default", "301", approve=True)
    corrections.decide(ADA, "default", "302", approve=False)
    corrections.undo(ADA, "default", "304")


def contents(store: FileStore, prefix: str = ROOT) -> Files:
    """Everything below a prefix but the journal, whose moments differ."""
    found = {}
    for info in store.list(prefix):
        name = info.key.removeprefix(prefix)
        if not name.startswith("journal/"):
            found[name] = store.get(info.key).data
    return found


def counted(store: FileStore, tmp_path: Path, scope: Scope = SCOPE, dataset: str = "default") -> tuple[int, ...]:
    """What an index that is made from nothing holds: pairs, passages, corrections."""
    library = Library(store, tmp_path / f"fresh-{scope.prefix}-{dataset}")
    try:
        return tuple(library.index(scope, dataset).count())
    finally:
        library.close()


def wipe(store: FileStore, prefix: str = "g42/datasets/") -> None:
    for info in list(store.list(prefix)):
        store.delete(info.key)


def local(store: FileStore, archived: Archived, tmp_path: Path) -> Path:
    path = tmp_path / "upload"
    path.write_bytes(store.get(archived.key).data)
    return path


def make(store: FileStore, interaction: str = "900") -> Archived:
    return archive_dataset(store, SCOPE, "default", interaction, quiet)


def bring_back(
    store: FileStore, path: Path, *, dataset: str = "", interaction: str = "901", scope: Scope = SCOPE
) -> Restored | None:
    return restore(store, scope, path, dataset, interaction, quiet)


def zip_of(tmp_path: Path, files: Files) -> Path:
    path = tmp_path / "made.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, data in files.items():
            zipped.writestr(name, data)
    return path


def archive_of(tmp_path: Path, files: Files, **changes: Any) -> Path:
    """A zip whose manifest agrees with what is in it, as anybody can make one."""
    members = [
        {"name": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in files.items()
    ]
    manifest = {
        "format": "trainger-archive",
        "v": 1,
        "what": "dataset",
        "path": "datasets/default",
        "dataset": "default",
        "scope": "g42",
        "made_at": NOW,
        "objects": len(files),
        "members": members,
    }
    return zip_of(tmp_path, files | {MANIFEST: json.dumps(manifest | changes).encode()})


def example(question: str = "Where?", answer: str = "Here.") -> dict[str, Any]:
    return {"kind": "pair", "question": question, "answer": answer, "place": {"unit": "row", "number": 1}}


def batch(**changes: Any) -> dict[str, Any]:
    return {
        "id": "100",
        "author": "7",
        "origin": {"kind": "text"},
        "created_at": NOW,
        "report": {"pairs": 1},
        "examples": [example()],
    } | changes


def correction(**changes: Any) -> dict[str, Any]:
    return {
        "id": "300",
        "answer_id": "200",
        "question": "Where?",
        "wrong": "",
        "right": "Here.",
        "author": "7",
        "created_at": NOW,
        "proposed": False,
    } | changes
