"""An archive is made, kept and restored in every kind of store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trainer.adapters.file_store import FileStore
from trainer.archive import archive_dataset
from trainer.archive_restore import restore
from trainer.batches import Origin
from trainer.importers import Example, Place
from trainer.library import Library
from trainer.scope import Actor, Scope
from trainer.training import Training
from trainer.tree_search import search

if TYPE_CHECKING:
    from pathlib import Path

    from tests.contract.stores import Site

SCOPE = Scope("guild", "42")
ADA = Actor(SCOPE, "7", is_manager=True)
EXAMPLES = 30


def test_a_dataset_goes_into_an_archive_and_comes_back(store_site: Site, tmp_path: Path) -> None:
    store = store_site.store
    library = Library(store, tmp_path / "cache")
    examples = [Example("pair", f"What is {n}?", f"It is {n}.", Place("row", n)) for n in range(EXAMPLES)]
    training = Training(store, library)
    for number, example in enumerate(examples):
        training.train(ADA, str(100 + number), "события", Origin("text"), [example], lambda _: None)
    archived = archive_dataset(store, SCOPE, "события", "900", lambda _: None)
    assert (archived.objects, archived.examples) == (EXAMPLES, EXAMPLES)
    assert archive_dataset(store, SCOPE, "события", "900", lambda _: None) == archived
    found = search(store, SCOPE, "соб", files=True, most=5, now=1.8e9, late=lambda: False)
    assert [one.path for one in found] == ["datasets/события/", "archives/900-события.zip"]
    upload = tmp_path / "upload"
    upload.write_bytes(store.get(archived.key).data)
    elsewhere = FileStore(tmp_path / "elsewhere")
    for target, dataset in ((elsewhere, ""), (store, "copy")):
        told = restore(target, SCOPE, upload, dataset, "901", lambda _: None)
        assert told is not None
        assert (told.examples, told.there) == (EXAMPLES, 0)
        prefix = f"g42/datasets/{dataset or 'события'}/batches/"
        assert {info.key.removeprefix(prefix): target.get(info.key).data for info in target.list(prefix)} == {
            f"{100 + n}.json": store.get(f"g42/datasets/события/batches/{100 + n}.json").data for n in range(EXAMPLES)
        }
    assert library.index(SCOPE, "copy").count().pairs == EXAMPLES
    library.close()
