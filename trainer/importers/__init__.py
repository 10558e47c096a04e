"""What people send to be learnt, turned into examples: typed text and files of many formats and shapes."""

from trainer.importers.detect import Format, detect
from trainer.importers.examples import MAX_ANSWER, MAX_PASSAGE, MAX_QUESTION, Example, Item
from trainer.importers.reading import read_file
from trainer.importers.rejections import FileRefusal, Place, RefusalReason, Rejection, RejectionReason
from trainer.importers.text import read_text

__all__ = [
    "MAX_ANSWER",
    "MAX_PASSAGE",
    "MAX_QUESTION",
    "Example",
    "FileRefusal",
    "Format",
    "Item",
    "Place",
    "RefusalReason",
    "Rejection",
    "RejectionReason",
    "detect",
    "read_file",
    "read_text",
]
