"""Has a correction's lesson worded, once its reply is out."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from interactions.call import WorkCall


def word_lesson(call: WorkCall[Any], dataset: str, correction_id: str) -> None:
    """Have the chat model, if there is one, say in a line what a correction that counts teaches."""
    book = call.services.lessons
    if book is not None:
        call.tools.afterwards(partial(book.write, call.actor.scope, dataset, correction_id, call.interaction.id))
