"""What can be done about an answer, as buttons: vote, comment, correct, look at its history. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from interactions.outbound import Button
from trainer.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trainer.feedback import Rating
    from trainer.i18n import Translator

THUMBS: Final[Mapping[Rating, str]] = {"up": "👍", "down": "👎"}


def answer_buttons(t: Translator, answer_id: str, *, correctable: bool = True) -> tuple[Button, ...]:
    """Those below every answer; a private one can be corrected by those who teach alone."""
    return (*vote_buttons(answer_id), *((correct_button(t, answer_id),) if correctable else ()))


def vote_buttons(answer_id: str) -> tuple[Button, ...]:
    """👍 and 👎."""
    return tuple(Button(f"{rating}:{answer_id}", "", emoji=thumb) for rating, thumb in THUMBS.items())


def correct_button(t: Translator, answer_id: str) -> Button:
    """Opens the form for the right answer."""
    return Button(f"correct:{answer_id}", t(N_("Correct")), emoji="✏️")


def comment_button(t: Translator, answer_id: str) -> Button:
    """Opens the form for a comment."""
    return Button(f"comment:{answer_id}", t(N_("Comment")), emoji="💬")


def history_button(t: Translator, answer_id: str) -> Button:
    """Shows all corrections of the answer's question."""
    return Button(f"history:{answer_id}", t(N_("History")), emoji="📜")


def test_button(t: Translator, answer_id: str) -> Button:
    """Has /test check from now on that the answer is not given again."""
    return Button(f"test_answer:{answer_id}", t(N_("Add to the tests")), emoji="🧪")
