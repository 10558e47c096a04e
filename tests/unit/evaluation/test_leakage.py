"""Cases whose question was taught are known, also when the index fails on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.evaluation.rooms import SCOPE, Room, case
from trainer.evaluation.leakage import leaked
from trainer.index import ExampleIndex, IndexClosed, IndexDamaged
from trainer.ports import StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence


class Broken:
    """An index that fails."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def taught(self, questions: Sequence[str]) -> list[bool]:
        raise self.error


def test_the_very_question_is_known_whatever_its_case_and_marks(room: Room) -> None:
    room.teach("What is thing 1?", "Answer 1")
    given = [case(1, question="what is THING 1"), case(2), case(3, question="What is thing 1 for?")]
    assert leaked(lambda: room.library.index(SCOPE, "default"), given) == [True, False, False]


@pytest.mark.parametrize("error", [IndexDamaged("x"), IndexClosed("x")])
def test_an_index_that_fails_is_asked_for_again(room: Room, error: Exception) -> None:
    room.teach("What is thing 1?", "Answer 1")
    found = iter([Broken(error), room.library.index(SCOPE, "default")])

    def index() -> ExampleIndex:
        return next(found)  # type: ignore[return-value]

    assert leaked(index, [case(1)]) == [True]


def test_one_that_fails_again_is_left_to_another_job(room: Room) -> None:
    def index() -> ExampleIndex:
        return Broken(IndexDamaged("x"))  # type: ignore[return-value]

    with pytest.raises(StoreUnavailable):
        leaked(index, [case(1)])
