"""Logs are JSON lines with the interaction's id, and say nothing that an exception's message may hold."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest

from trainer import logs

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    quiet = {name: logging.getLogger(name).level for name in logs.QUIET}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in quiet.items():
        logging.getLogger(name).setLevel(before)


def test_a_line_is_json_with_the_interactions_id(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up("INFO")
    log = logging.getLogger("some.part")
    with logs.interaction("42"):
        log.info("done", extra={"seconds": 0.5})
    log.info("later")
    log.debug("not shown")
    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
    assert first["interaction_id"] == "42"
    assert (first["level"], first["logger"], first["message"]) == ("INFO", "some.part", "done")
    assert first["seconds"] == 0.5
    assert "interaction_id" not in second


def test_an_exception_is_told_by_its_class_and_places() -> None:
    def fail() -> None:
        raise ValueError("somebody's words")

    with pytest.raises(ValueError, match="words") as caught:
        fail()
    told = logs.places(caught.value)
    assert told["error"] == "ValueError"
    assert "somebody" not in str(told)
    assert any("test_logs.py" in place and place.endswith(" fail") for place in told["at"])  # type: ignore[attr-defined]
