"""Sentences about what of a file makes no case, and about files that make none at all. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from trainer.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trainer.evaluation.reading import CaseRejection
    from trainer.i18n import Translator
    from trainer.importers import FileRefusal

PLACES: Final[Mapping[str, str]] = {
    "line": N_("line {number}"),
    "row": N_("row {number}"),
    "record": N_("record {number}"),
    "page": N_("page {number}"),
    "block": N_("part {number}"),
}
REASONS: Final[Mapping[str, str]] = {
    "not_json": N_("not valid JSON"),
    "not_yaml": N_("not valid YAML; what follows was not read"),
    "not_an_object": N_("not a JSON object"),
    "unknown_shape": N_("no field that I know, such as question and answer"),
    "missing_question": N_("the question is missing"),
    "missing_answer": N_("nothing says what the right answer is"),
    "empty": N_("empty"),
    "wrong_type": N_("a field holds something that I cannot use"),
    "unknown_role": N_("a chat message is from nobody that I know"),
    "too_long": N_("too long"),
    "too_deep": N_("nested too deeply"),
    "too_many": N_("more than I take"),
    "row_width": N_("more cells than the header has"),
    "unclosed_quote": N_("a quotation mark is never closed"),
    "bad_encoding": N_("bytes that are not text"),
    "truncated": N_("the file ends in the middle of this"),
    "unknown_match": N_("a way of comparing that I don't know"),
    "unsupported_assertion": N_("a check of another tool that I don't have"),
    "bad_threshold": N_("a threshold is a number from 0 to 1"),
    "bad_number": N_("not a number that can stand there"),
    "bad_regex": N_("not a regular expression that I can use (RE2's syntax)"),
    "bad_choice": N_("the right choice is none of those given"),
}
REFUSALS: Final[Mapping[str, str]] = {
    "empty": N_("The file is empty, so there is nothing to test."),
    "binary": N_("That is not a text file. I read test cases from JSON, JSONL, CSV, TSV and YAML."),
    "unsupported": N_(
        "I don't read test cases from that kind of file ({kind}). I read JSON, JSONL, CSV, TSV and YAML."
    ),
    "encrypted": N_("The file needs a password. Please send it without one."),
    "damaged": N_("The file is damaged: I could not read it to the end."),
    "too_large": N_("The file is too large for me."),
    "no_text": N_("There is no text in that file."),
    "not_tabular": N_("I see no columns of questions and right answers. Please name them “input” and “expected”."),
}


def rejection_line(t: Translator, rejection: CaseRejection) -> str:
    """Where something stands that makes no case, why it makes none, and which field is at fault."""
    place = t(PLACES[rejection.place.unit], number=rejection.place.number)
    reason = t(REASONS[rejection.reason.value])
    return f"{place}: {reason} ({rejection.field})" if rejection.field else f"{place}: {reason}"


def refusal_sentence(t: Translator, refusal: FileRefusal) -> str:
    """Why a file was refused."""
    return t(REFUSALS[refusal.reason.value], kind=refusal.detail)
