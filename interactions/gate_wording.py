"""How the test in front of a change is told of: progress, a line where it passed, and what broke where not. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from interactions.outbound import Button, Reply
from interactions.wording import MARKDOWN, plain
from trainer.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trainer.evaluation.cases import Case
    from trainer.evaluation.comparison import Comparison, Pair
    from trainer.evaluation.gate_store import Decision, Judgement
    from trainer.i18n import Translator

QUESTION_MOST: Final = 120
ANSWER_MOST: Final = 250
"""Characters of an answer, before and now, that are shown."""
EXPECTED_MOST: Final = 120
REASON_SHOWN_MOST: Final = 200
"""Characters of a reason that a history repeats."""
OVERRIDE: Final = "gate-force"
LEAVE: Final = "gate-leave"
FORM: Final = "gate"
"""Handlers, in custom ids."""
MARKS: Final[Mapping[str, str]] = {"same": "", "gone": "~~", "new": "**"}
"""What stands around words that stayed, went and came."""

_HELD: Final[Mapping[str, str]] = {
    "selection": N_("“{dataset}” was not selected."),
    "instruction": N_("The instruction was not changed."),
    "approval": N_("None of these corrections was approved."),
}
_UNTESTABLE: Final[Mapping[str, str]] = {
    "errors": N_("I could not test it: too many answers could not be judged."),
    "busy": N_("I could not test it: another test was running all the time."),
    "interrupted": N_("I could not test it: the test was ended, or its cases were deleted meanwhile."),
}


def progress_text(t: Translator, done: int, total: int) -> str:
    """How far the test is."""
    return t(N_("⏳ Testing first: {done} of {total} answers…"), done=done, total=total)


def waiting_text(t: Translator) -> str:
    """That another test is running."""
    return t(N_("⏳ I test this first, as soon as another test that is running has ended…"))


def passed_line(t: Translator, judgement: Judgement) -> str:
    """In small print, how a change was tested that counts."""
    comparison = judgement.comparison
    if comparison is None:
        if judgement.reason == "alike":
            return t(N_("-# Not tested: without a language model, it makes no difference to any answer."))
        return t(N_("-# Not tested: there is nothing to test it with. Corrections are what I test with."))
    parts = [
        t.plural(
            "Tested first: {same} of {count} case as before",
            "Tested first: {same} of {count} cases as before",
            judgement.cases,
            same=comparison.unchanged,
        ),
        *_counts(t, comparison),
    ]
    return "-# " + ", ".join(parts) + _taught_meanwhile(t, judgement)


def held_reply(t: Translator, judgement: Judgement, pairs: Sequence[Pair]) -> Reply:
    """What broke, or why it could not be tested, and what can be done.

    Cases may be about what somebody asked in private, so it is only for the person who wanted the change.
    """
    lines = [t(_HELD[judgement.change.kind], dataset=plain(judgement.change.dataset))]
    comparison = judgement.comparison
    if judgement.outcome == "untestable" or comparison is None:
        lines.append(t(_UNTESTABLE[judgement.reason]))
        lines += _error_lines(t, judgement)
    else:
        lines += _worse_lines(t, judgement, comparison)
        for number, pair in enumerate(pairs, 1):
            lines += ["", *_pair_lines(t, number, pair)]
    subject = f"{judgement.change.kind}:{judgement.id}"
    buttons = (
        Button(f"{OVERRIDE}:{subject}", t(N_("Do it all the same…")), style="danger"),
        Button(f"{LEAVE}:{subject}", t(N_("Leave it"))),
    )
    return Reply("\n".join(lines), buttons=buttons, private=True)


def forced_line(t: Translator, judgement: Judgement, decision: Decision) -> str:
    """In small print, why a change counts that did not pass."""
    if judgement.outcome == "worse":
        text = N_("-# <@{user}> did it although the test went worse: “{reason}”")
    else:
        text = N_("-# <@{user}> did it although it could not be tested: “{reason}”")
    return t(text, user=decision.by, reason=plain(decision.reason))


def reason_line(t: Translator, reason: str) -> str:
    """In a history, why something counted that did not pass."""
    shown = reason if len(reason) <= REASON_SHOWN_MOST else reason[:REASON_SHOWN_MOST].rstrip() + "…"
    return t(N_("-# It had not passed its test. Why all the same: “{reason}”"), reason=plain(shown))


def _counts(t: Translator, comparison: Comparison) -> list[str]:
    from trainer.evaluation.report.words import p_value  # noqa: PLC0415 - acknowledging does without

    parts = [t(N_("{count} better"), count=len(comparison.improved))]
    if comparison.regressed:
        parts.append(t(N_("{count} worse"), count=len(comparison.regressed)))
    if comparison.unjudged:
        parts.append(t(N_("{count} not judged"), count=len(comparison.unjudged)))
    if comparison.p is not None:
        p = p_value(t, comparison.p)
        parts.append(f"p {p}" if p.startswith("<") else f"p = {p}")
    return parts


def _worse_lines(t: Translator, judgement: Judgement, comparison: Comparison) -> list[str]:
    from trainer.evaluation.report.words import decimal  # noqa: PLC0415 - as above

    told = t.plural(
        "I tested it first, and my answers would get worse. Of {count} case: {same} as before",
        "I tested it first, and my answers would get worse. Of {count} cases: {same} as before",
        judgement.cases,
        same=comparison.unchanged,
    )
    lines = [", ".join([told, *_counts(t, comparison)]) + _taught_meanwhile(t, judgement)]
    before, after = comparison.before_score, comparison.after_score
    if before is not None and after is not None:
        scores = {"before": decimal(t, before, 2), "after": decimal(t, after, 2)}
        lines.append(t(N_("Mean score: {before} before, {after} then."), **scores))
    return lines


def _taught_meanwhile(t: Translator, judgement: Judgement) -> str:
    if not judgement.changed:
        return "."
    return ". " + t(N_("Meanwhile I was taught more, so this is not exact."))


def _error_lines(t: Translator, judgement: Judgement) -> list[str]:
    from trainer.evaluation.report.words import ERRORS  # noqa: PLC0415 - as above

    return [f"• {t(ERRORS[reason])}: {count}" for reason, count in judgement.errors.items() if reason in ERRORS]


def _pair_lines(t: Translator, number: int, pair: Pair) -> list[str]:
    question = plain(_short(pair.after.case.question, QUESTION_MOST))
    lines = [f"{number}. **{question}**", *(f"> {line}" for line in _changes(t, pair))]
    expected = _expected(t, pair.after.case)
    return [*lines, t(N_("-# Expected: {expected}"), expected=expected)] if expected else lines


def _changes(t: Translator, pair: Pair) -> list[str]:
    """How the answer changed: word by word, where there was one before and is one now."""
    before, after = pair.before.answer, pair.after.answer
    if not before or not after:
        silence = t(N_("(I don't know)"))
        return [
            t(N_("Before: {answer}"), answer=plain(_short(before, ANSWER_MOST)) or silence),
            t(N_("Then: {answer}"), answer=plain(_short(after, ANSWER_MOST)) or silence),
        ]
    from trainer.evaluation.report.word_diff import word_changes  # noqa: PLC0415 - as above

    shown = ""
    for piece in word_changes(_short(before, ANSWER_MOST), _short(after, ANSWER_MOST)):
        # Marks hold only where they touch the words.
        words = piece.text.strip()
        if not words:
            continue
        lead = piece.text[: len(piece.text) - len(piece.text.lstrip())]
        tail = piece.text[len(piece.text.rstrip()) :]
        if piece.kind == "new" and shown.endswith(MARKS["gone"]):
            lead = " "
        mark = MARKS[piece.kind]
        shown += f"{lead}{mark}{_escaped(words)}{mark}{tail}"
    return [" ".join(shown.split())]


def _expected(t: Translator, case: Case) -> str:
    from trainer.evaluation.report.words import check_text  # noqa: PLC0415 - as above

    if not case.checks:
        return ""
    check = case.checks[0]
    values = " / ".join(f"“{plain(_short(value, EXPECTED_MOST))}”" for value in check.values[:2])
    return f"{check_text(t, check)} {values}".rstrip()


def _short(text: str, most: int) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[:most].rstrip() + "…"


def _escaped(text: str) -> str:
    return "".join("\\" + char if char in MARKDOWN else char for char in text)
