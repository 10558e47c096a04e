"""Sentences that several commands need: where an answer comes from, what was learned and what was not. Pure.

Reasons come as the values of `trainer.importers`' enumerations: importing those here would slow acknowledging down.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from trainer.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from trainer.answers import Source
    from trainer.batches import Batch
    from trainer.i18n import Translator
    from trainer.importers import Rejection

MARKDOWN: Final = frozenset("\\*_~`|<>[]()#@")

PLACES: Final[Mapping[str, str]] = {
    "line": N_("line {number}"),
    "row": N_("row {number}"),
    "record": N_("record {number}"),
    "page": N_("page {number}"),
    "block": N_("part {number}"),
}

REJECTIONS: Final[Mapping[str, str]] = {
    "not_json": N_("not valid JSON"),
    "not_an_object": N_("not a JSON object"),
    "unknown_shape": N_("no field that I know, such as question and answer"),
    "missing_question": N_("the question is missing"),
    "missing_answer": N_("the answer is missing"),
    "empty": N_("empty"),
    "wrong_type": N_("a field holds something other than text"),
    "unknown_role": N_("a chat message is from nobody that I know"),
    "negative_label": N_("marked as a bad answer"),
    "too_long": N_("too long"),
    "too_deep": N_("nested too deeply"),
    "too_many": N_("more than I read from one file; the rest was left out"),
    "too_slow": N_("took too long to read; the rest was left out"),
    "row_width": N_("more cells than the header has"),
    "unclosed_quote": N_("a quotation mark is never closed"),
    "bad_encoding": N_("bytes that are not text"),
    "truncated": N_("the file ends in the middle of this"),
    "no_text_on_page": N_("no text on the page"),
    "unreadable_page": N_("the page cannot be read"),
}

REFUSALS: Final[Mapping[str, str]] = {
    "empty": N_("The file is empty, so there is nothing to learn."),
    "binary": N_("That is not a text file. I read JSONL, JSON, CSV, TSV, TXT, Markdown and PDF."),
    "unsupported": N_(
        "I don't read that kind of file ({kind}). I read JSONL, JSON, CSV, TSV, TXT, Markdown and PDF."
    ),
    "encrypted": N_("The file needs a password. Please send it without one."),
    "damaged": N_("The file is damaged: I could not read it to the end."),
    "too_large": N_("The file is too large for me."),
    "no_text": N_("There is no text in that file. A scanned page is a picture; I need text."),
    "not_tabular": N_("I see no columns of questions and answers. Please name them “question” and “answer”."),
}


def source_line(t: Translator, source: Source) -> str:
    """Where an answer comes from, in small print."""
    if source.kind == "correction":
        return t(N_("-# Corrected by <@{user}>, <t:{at}:d>"), user=source.author, at=int(source.at))
    if source.kind == "file":
        place = t(PLACES[source.unit], number=source.number) if source.unit in PLACES else ""
        return t(N_("-# Source: {name}, {place}"), name=plain(source.name), place=place)
    return t(N_("-# Source: taught by <@{user}>, <t:{at}:d>"), user=source.author, at=int(source.at))


def plain(text: str) -> str:
    """A name with Discord's markdown taken away, on one line."""
    return "".join("\\" + char if char in MARKDOWN else char for char in " ".join(text.split()))


def report_text(t: Translator, batch: Batch, dataset: str) -> str:
    """What became of everything that one /train brought."""
    report = batch.report
    if report.accepted:
        learned = t.plural("I learned {count} new thing", "I learned {count} new things", report.accepted)
        first = t(N_("{learned} for “{dataset}”. Just ask!"), learned=learned, dataset=plain(dataset))
    elif report.duplicates and not report.rejected:
        first = t(N_("I knew all of that already, so nothing has changed."))
    else:
        first = t(N_("There was nothing in it that I could learn."))
    lines = [first]
    if report.passages and report.pairs:
        pairs = t.plural("{count} question with its answer", "{count} questions with their answers", report.pairs)
        facts = t.plural("{count} passage", "{count} passages", report.passages)
        lines.append(f"• {pairs}, {facts}")
    if report.duplicates and (report.accepted or report.rejected):
        lines.append("• " + t.plural("{count} known already", "{count} known already", report.duplicates))
    if report.rejected:
        lines.append("• " + t.plural("{count} not learned:", "{count} not learned:", report.rejected))
    return "\n".join(lines)


def rejection_lines(t: Translator, rejections: Iterable[Rejection]) -> Iterator[str]:
    """One line for each thing that was not learned: where it stands, and why it was left out."""
    for rejection in rejections:
        place = t(PLACES[rejection.place.unit], number=rejection.place.number)
        reason = t(REJECTIONS[rejection.reason])
        yield f"{place}: {reason} ({rejection.field})" if rejection.field else f"{place}: {reason}"


def refusal_sentence(t: Translator, reason: str, detail: str) -> str:
    """Why a file was refused, or not read to its end."""
    return t(REFUSALS[reason], kind=detail)
