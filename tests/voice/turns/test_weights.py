"""Weights in installed packages, and what happens without them."""

from __future__ import annotations

import hashlib
import sys
from typing import TYPE_CHECKING

import pytest

from voice_sidecar.turns import endpoint, silero, smart_turn
from voice_sidecar.turns.ears import load_ears
from voice_sidecar.turns.weights import Weights, WeightsMissing

if TYPE_CHECKING:
    from pathlib import Path

CONTENT = b"weights"
GOOD = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of packages in which there is one, with a file."""
    (tmp_path / "a_model-1.0.dist-info").mkdir()
    (tmp_path / "a_model-1.0.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: a-model\nVersion: 1.0\n"
    )
    (tmp_path / "a_model").mkdir()
    (tmp_path / "a_model" / "__init__.py").write_text("raise RuntimeError('imported')")
    (tmp_path / "a_model" / "model.onnx").write_bytes(CONTENT)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    return tmp_path


def test_a_file_is_read_without_importing_its_package(site: Path) -> None:
    weights = Weights("a-model", "a_model/model.onnx", GOOD)
    assert weights.installed()
    assert weights.read() == CONTENT
    assert "a_model" not in sys.modules


def test_another_file_is_not_taken(site: Path) -> None:
    weights = Weights("a-model", "a_model/model.onnx", "0" * 64)
    with pytest.raises(WeightsMissing, match="not the file"):
        weights.read()


def test_a_file_that_is_not_there(site: Path) -> None:
    weights = Weights("a-model", "a_model/other.onnx", GOOD)
    assert not weights.installed()
    with pytest.raises(WeightsMissing, match="cannot be read"):
        weights.read()


def test_a_package_that_is_not_there() -> None:
    weights = Weights("a-model-that-nobody-made", "model.onnx", GOOD)
    assert not weights.installed()
    with pytest.raises(WeightsMissing, match="not installed"):
        weights.read()


@pytest.fixture
def no_smart_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smart_turn, "WEIGHTS", Weights("a-model-that-nobody-made", "model.onnx", GOOD))


@pytest.mark.usefixtures("no_smart_turn")
def test_without_a_semantic_detector_silence_ends_turns() -> None:
    assert endpoint.choose() is None
    ears = load_ears()
    assert (ears.endpoint, ears.name) == (None, "silero-vad-6.2, silence")


def test_with_another_version_of_it_too_and_it_is_said(
    site: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(smart_turn, "WEIGHTS", Weights("a-model", "a_model/model.onnx", "0" * 64))
    assert endpoint.choose() is None
    assert [record.message for record in caplog.records] == ["turns end by silence alone"]


def test_one_that_is_installed_is_chosen(monkeypatch: pytest.MonkeyPatch, site: Path) -> None:
    monkeypatch.setattr(smart_turn, "WEIGHTS", Weights("a-model", "a_model/model.onnx", GOOD))
    monkeypatch.setattr(smart_turn, "session", lambda weights: weights)
    ears = load_ears()
    assert isinstance(ears.endpoint, smart_turn.SmartTurn)
    assert ears.name == "silero-vad-6.2, smart-turn-v3.2"


def test_without_a_voice_activity_model_there_are_no_ears(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(silero, "WEIGHTS", Weights("a-model-that-nobody-made", "model.onnx", GOOD))
    with pytest.raises(WeightsMissing):
        load_ears()
