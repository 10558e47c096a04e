"""How a correction, and the history of an answer, are told. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from interactions.answer_buttons import history_button
from interactions.outbound import Button, Reply
from interactions.wording import plain
from trainer.i18n import N_

if TYPE_CHECKING:
    from trainer.corrections import Correction, History, Standing
    from trainer.i18n import Translator

SHOWN_MOST: Final = 700
"""Characters of a text that a reply repeats."""
HISTORY_SHOWN_MOST: Final = 200
"""Characters of a text that a history repeats."""


def standing_reply(t: Translator, standing: Standing) -> Reply:
    """A correction and what has become of it, with what can be done next."""
    first = _heading(t, standing)
    return Reply(f"{first}\n{_both(standing.correction)}", buttons=_buttons(t, standing))


def history_reply(t: Translator, history: History) -> Reply:
    """All corrections of one question, the latest ones with what can be done about them."""
    lines = [f"**{_line(history.question)}**"]
    if not history.standings:
        return Reply("\n".join([*lines, t(N_("Nobody has corrected this answer yet."))]))
    if history.earlier:
        lines.append(t.plural("-# {count} earlier correction", "-# {count} earlier corrections", history.earlier))
    buttons: dict[str, Button] = {}
    for number, standing in enumerate(history.standings, history.earlier + 1):
        correction = standing.correction
        told = t(
            N_("{number}. <@{user}>, <t:{at}:f>: {status}"),
            number=number,
            user=correction.author,
            at=int(correction.created_at),
            status=_status(t, standing),
        )
        lines.append(f"{told}\n> {_line(correction.right)}")
        if correction.wrong:
            lines.append(t(N_("-# Instead of: {wrong}"), wrong=_line(correction.wrong)))
        if correction.lesson:
            lines.append(t(N_("-# Lesson: {lesson}"), lesson=_line(correction.lesson)))
        for button in _deciding(t, standing):
            # Of each kind, the latest: it is what people come for.
            kind = button.custom_id.partition(":")[0]
            buttons[kind] = Button(button.custom_id, f"{button.label} {number}", button.style, button.emoji)
    return Reply("\n".join(lines), buttons=tuple(buttons.values()))


def _heading(t: Translator, standing: Standing) -> str:
    match standing.status:
        case "applied":
            return t(N_("Thank you! From now on I will answer:"))
        case "proposed":
            return t(N_("Thank you! A manager decides whether I will answer this from now on:"))
        case "undone":
            by = standing.undone.by if standing.undone is not None else ""
            return t(N_("Taken back by <@{user}>. I answer again as before, and no longer:"), user=by)
        case "approved":
            return t(N_("Approved by <@{user}>. From now on I will answer:"), user=_decider(standing))
        case "rejected":
            return t(N_("Rejected by <@{user}>. I go on answering as before."), user=_decider(standing))


def _status(t: Translator, standing: Standing) -> str:
    verdict, undone = standing.verdict, standing.undone
    if undone is not None:
        return t(N_("taken back by <@{user}>, <t:{at}:f>"), user=undone.by, at=int(undone.undone_at))
    if verdict is not None and verdict.approved:
        return t(N_("approved by <@{user}>, <t:{at}:f>"), user=verdict.by, at=int(verdict.decided_at))
    if verdict is not None:
        return t(N_("rejected by <@{user}>, <t:{at}:f>"), user=verdict.by, at=int(verdict.decided_at))
    return t(N_("waits for a decision")) if standing.correction.proposed else t(N_("applied at once"))


def _buttons(t: Translator, standing: Standing) -> tuple[Button, ...]:
    return (*_deciding(t, standing), history_button(t, standing.correction.answer_id))


def _deciding(t: Translator, standing: Standing) -> tuple[Button, ...]:
    """What changes the correction's standing: decide about a proposal, or take back what counts."""
    correction = standing.correction
    if standing.status == "proposed":
        subject = f"{correction.id}:{standing.dataset}"
        return (
            Button(f"approve:{subject}", t(N_("Approve")), style="success"),
            Button(f"reject:{subject}", t(N_("Reject")), style="danger"),
        )
    if standing.counts:
        # The author stands there so that a press of theirs is recognised at once; the work checks who it really was.
        subject = f"{correction.id}:{correction.author}:{standing.dataset}"
        return (Button(f"undo:{subject}", t(N_("Undo")), emoji="↩️"),)
    return ()


def _decider(standing: Standing) -> str:
    return standing.verdict.by if standing.verdict is not None else ""


def _both(correction: Correction) -> str:
    """Question and right answer, as far as they fit; the text is people's own, so its markdown stays harmless."""
    question = plain(correction.question)[:SHOWN_MOST]
    lines = "\n> ".join(correction.right[:SHOWN_MOST].splitlines())
    return f"**{question}**\n> {lines}" + ("…" if len(correction.right) > SHOWN_MOST else "")


def _line(text: str) -> str:
    """The beginning of people's words, on one line, without markdown."""
    line = " ".join(text.split())
    return plain(line[:HISTORY_SHOWN_MOST]) + ("…" if len(line) > HISTORY_SHOWN_MOST else "")
