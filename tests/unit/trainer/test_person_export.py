"""An export is made once, holds what is the person's own, and leads nowhere when it is unpacked."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.unit.trainer.people import ADA, NOW, SERVER, Ids, use_everything
from trainer.adapters.file_store import FileStore
from trainer.answers import AnswerRecord, save_answer
from trainer.person_export import export, file_name
from trainer.scope import Actor

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _small_records(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that batches of a few examples have chunks of their own."""
    monkeypatch.setattr("trainer.training.INLINE_MOST", 2)
    monkeypatch.setattr("trainer.training.CHUNK", 3)


def test_an_export_is_made_once_and_holds_the_persons_own(tmp_path: Path) -> None:
    store, ids = FileStore(tmp_path / "store"), Ids()
    use_everything(store, tmp_path / "cache", ids).close()
    interaction = ids.next()
    exported = export(store, ADA, interaction)
    assert exported is not None
    assert exported.counts["examples"] == 9
    assert export(store, ADA, interaction) == (exported.key, exported.size, {})
    with zipfile.ZipFile(io.BytesIO(store.get(exported.key).data)) as bundle:
        assert bundle.testzip() is None
        text = b"".join(bundle.read(name) for name in bundle.namelist()).decode()
        names = bundle.namelist()
    assert text.count('"xylophone') == 8
    assert "theremin" in text
    assert '"right": "A zither"' not in text
    assert not [name for name in names if "outcomes" in name or "personal" in name]
    second = export(store, ADA, ids.next())
    assert second is not None
    assert second.counts == exported.counts
    assert export(store, Actor(SERVER, "3003", is_manager=False), ids.next()) is None
    assert not list(store.list(f"{SERVER.prefix}/personal/3003/"))


def test_whom_an_answer_does_not_name_no_export_names(tmp_path: Path) -> None:
    store, ids = FileStore(tmp_path / "store"), Ids()
    answer = AnswerRecord(
        id=ids.next(),
        dataset="default",
        question="Which instrument?",
        text="The sousaphone.",
        kind="generated",
        author=ADA.user_id,
        created_at=NOW,
        words_of=["4004"],
    )
    save_answer(store, SERVER, answer)
    exported = export(store, ADA, ids.next())
    assert exported is not None
    with zipfile.ZipFile(io.BytesIO(store.get(exported.key).data)) as bundle:
        text = bundle.read(f"answers/{answer.id}.json").decode()
    assert "The sousaphone." in text
    assert "4004" not in text


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("a.txt", "a.txt"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("", "file"),
        ("я?.md", "я_.md"),
        ("x" * 300, "x" * 80),
    ],
)
def test_names_in_an_export_lead_nowhere(name: str, safe: str) -> None:
    assert file_name(name) == safe
