"""Whether a case asks the very question of something that was taught: then it tests memory, and not learning."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from trainer.index import IndexClosed, IndexDamaged
from trainer.ports import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trainer.evaluation.cases import Case
    from trainer.index import ExampleIndex


def leaked(index: Callable[[], ExampleIndex], cases: Sequence[Case]) -> list[bool]:
    """Of each case, whether its question is that of a trained pair or of a correction, whatever its case and marks.

    `index` gives what counts as taught, again if the first one turns out to be damaged or closed. Raises
    `StoreUnavailable`.
    """
    questions = [case.question for case in cases]
    try:
        return index().taught(questions)
    except (IndexDamaged, IndexClosed):
        pass
    try:
        return index().taught(questions)
    except (IndexDamaged, IndexClosed, sqlite3.OperationalError) as error:
        raise StoreUnavailable(f"the index: {type(error).__name__}") from None
