"""What people are told while cases are tested. Pure.

Only the working half of commands imports this: some of what it needs is slow to import.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from interactions.wording import plain
from trainer.evaluation.report.safe_text import visible
from trainer.i18n import N_

if TYPE_CHECKING:
    from trainer.evaluation.delivery import Progress
    from trainer.evaluation.results import Run
    from trainer.i18n import Translator

BAR: Final = 12
"""Blocks of a bar."""
MINUTE: Final = 60
SOON_S: Final = 5
STEP_S: Final = 5
"""Seconds that are left are told in steps of so many: an estimate is not more exact."""


def progress_text(t: Translator, run: Run, progress: Progress) -> str:
    """How far a run is. Begins with an hourglass, as everything does of which more is to come."""
    if progress.stream == "results":
        what = t(N_("⏳ Testing “{dataset}”…"), dataset=plain(run.subject.dataset))
    else:
        what = t(N_("⏳ The same again, as if I had been taught nothing…"))
    share = progress.done / progress.total if progress.total else 0.0
    line = f"{bar(share)} {progress.done}/{progress.total}"
    if progress.seconds_left is not None and progress.done < progress.total:
        line += f" · {_left(t, progress.seconds_left)}"
    return f"{what}\n{line}"


def bar(share: float) -> str:
    """A share, 0 to 1, as blocks: all are filled only by all, and none only by nothing."""
    filled = min(max(round(share * BAR), 1 if share > 0 else 0), BAR if share >= 1 else BAR - 1)
    return "▰" * filled + "▱" * (BAR - filled)


def _left(t: Translator, seconds: float) -> str:
    if seconds <= SOON_S:
        return t(N_("a few seconds left"))
    if seconds < MINUTE:
        return t.plural(
            "about {count} second left", "about {count} seconds left", math.ceil(seconds / STEP_S) * STEP_S
        )
    return t.plural("about {count} minute left", "about {count} minutes left", math.ceil(seconds / MINUTE))


def cut(text: str, most: int) -> str:
    """The beginning of people's words, on one line, without markdown."""
    line = " ".join(visible(text).split())
    return plain(line[:most].rstrip()) + ("…" if len(line) > most else "")
