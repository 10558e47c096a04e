"""What the modules of checks share: what they need, and what they hand back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from trainer.evaluation.judge import Judge
    from trainer.evaluation.results import ErrorReason

Embed = Callable[[Sequence[str]], Sequence[Sequence[float]]]
"""Gives each text, in order, a vector of length 1. May raise `ModelUnavailable`."""


class CheckTools(NamedTuple):
    """What some checks need beside the two texts; None for what is not configured."""

    embed: Embed | None = None
    judge: Judge | None = None


class Compared(NamedTuple):
    """How like the expected an answer is, whatever score is asked for."""

    score: float
    """0 to 1."""
    reason: str = ""
    error: ErrorReason | None = None


class Unusable(Exception):
    """No answer can be compared with what the check expects; the message says why, without anyone's words."""
