"""Works a run off slowly, for a test that kills it: `python -m tests.unit.evaluation.slow_run <folder> <run>`."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.unit.evaluation.rooms import SCOPE
from trainer.adapters.file_store import FileStore
from trainer.answering import Answering
from trainer.evaluation.running import Runner
from trainer.library import Library

if TYPE_CHECKING:
    from trainer.answers import Answer

LASTS_S: Final = 0.5


class Slow(Answering):
    """Takes a moment for each answer."""

    def answer(self, *given: Any, **more: Any) -> Answer:
        time.sleep(0.02)
        return super().answer(*given, **more)


def main(folder: Path, run_id: str) -> None:
    store = FileStore(folder / "store")
    library = Library(store, folder / "cache")
    runner = Runner(store, library, Slow(library, None, ""), lasts_s=LASTS_S)
    run = runner.runs.load(SCOPE, run_id)
    assert run is not None
    outcome = runner.run(SCOPE, run)
    assert outcome.state == "finished"
    library.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
