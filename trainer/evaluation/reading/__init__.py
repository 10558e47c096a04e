"""Files of test cases, in the many shapes that evaluation tools write, turned into cases."""

from trainer.evaluation.reading.defaults import default_checks
from trainer.evaluation.reading.files import read_cases
from trainer.evaluation.reading.identity import case_id
from trainer.evaluation.reading.rejections import CaseRejection, CaseRejectionReason

__all__ = ["CaseRejection", "CaseRejectionReason", "case_id", "default_checks", "read_cases"]
