"""What makes an answer right: one module a family of kinds, and one that runs any of them."""

from trainer.evaluation.checks.compared import CheckTools, Unusable
from trainer.evaluation.checks.defaults import DEFAULT_THRESHOLDS, default_check, threshold_of
from trainer.evaluation.checks.numbers import expected_number
from trainer.evaluation.checks.patterns import compiled
from trainer.evaluation.checks.running import run_check
from trainer.evaluation.checks.scoring import first_error, score_case

__all__ = (
    "DEFAULT_THRESHOLDS",
    "CheckTools",
    "Unusable",
    "compiled",
    "default_check",
    "expected_number",
    "first_error",
    "run_check",
    "score_case",
    "threshold_of",
)
