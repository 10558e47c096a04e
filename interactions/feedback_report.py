"""What everybody thinks of the answers, for those who teach: a summary in words, and a table as a file."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from interactions.failures import Sorry
from interactions.outbound import Button, Reply, ReplyFile
from interactions.wording import plain
from trainer import records
from trainer.answers import load_answer
from trainer.datasets import export_key, votes_prefix
from trainer.feedback import Vote
from trainer.feedback_summary import VOTES_MOST, Tally, read_feedback, summarise, table, tally
from trainer.i18n import N_

if TYPE_CHECKING:
    from interactions.call import WorkCall
    from trainer.feedback_summary import Feedback, Judged
    from trainer.i18n import Translator

PERIODS: Final = (N_("24 hours"), N_("7 days"), N_("30 days"), N_("All time"))
BAR: Final = 10
"""Blocks of a text bar."""
QUESTION_MOST: Final = 90
COMMENT_MOST: Final = 120
"""Characters of a text that the summary repeats."""
LINK_S: Final = 3600
"""How long a link to an export works."""


def overview(call: WorkCall[Any]) -> Reply:
    """Counts over time, the worst answers with what to do about them, and the export."""
    t = call.t
    summary = summarise(_read(call), time.time())
    if not summary.comments and summary.periods[-1] == Tally():
        return Reply(t(N_("Nobody has voted yet. Below each of my answers there are 👍 and 👎.")))
    lines = [t(N_("**What people think of my answers**"))]
    lines += [f"{t(label)}: {_bar(counted)}" for label, counted in zip(PERIODS, summary.periods, strict=True)]
    if summary.comments:
        lines.append(t.plural("{count} comment", "{count} comments", summary.comments))
    if summary.left_out:
        lines.append(t.plural("-# Only the latest {count} vote", "-# Only the latest {count} votes", VOTES_MOST))
    buttons = []
    if summary.worst:
        lines.append(t(N_("**Liked least**")))
    for number, judged in enumerate(summary.worst, 1):
        hidden = judged.private and call.actor.scope.kind == "guild"
        lines.append(f"{number}. {_judged(call, judged, hidden=hidden)}")
        if not hidden:
            buttons.append(Button(f"correct:{judged.answer_id}", t(N_("Correct {number}"), number=number), emoji="✏️"))
    buttons.append(Button("feedback_export:", t(N_("Export")), emoji="📄"))
    return Reply("\n".join(lines), buttons=tuple(buttons))


def export(call: WorkCall[Any]) -> Reply:
    """All votes as a table: attached, or where it is too large for that, where to get it."""
    t, store, scope = call.t, call.services.store, call.actor.scope
    feedback = _read(call)
    if not feedback.judged:
        raise Sorry(t(N_("Nobody has voted yet. Below each of my answers there are 👍 and 👎.")))
    name = f"feedback-{call.interaction.id}.csv"
    key = export_key(scope, name)
    with store.open_write(key, content_type="text/csv; charset=utf-8") as stream:
        for line in table(store, scope, feedback):
            stream.write(line.encode("utf-8", "replace"))
    found = t.plural(
        "{count} answer with votes or comments", "{count} answers with votes or comments", len(feedback.judged)
    )
    info = store.head(key)
    if info is not None and info.size <= call.interaction.attachment_size_limit:
        attached = ReplyFile("feedback.csv", content_type="text/csv; charset=utf-8", description=found, key=key)
        return Reply(f"{found}:", files=(attached,))
    link = store.url(key, expires_s=LINK_S, filename="feedback.csv")
    if link is not None:
        return Reply(t(N_("{found}, too large to attach. For an hour it is here: {link}"), found=found, link=link))
    return Reply(t(N_("{found}, too large to attach. It lies under “exports/{name}”."), found=found, name=name))


def votes_line(call: WorkCall[Any], answer_id: str) -> str:
    """The votes on one answer, and its latest comments."""
    store, prefix = call.services.store, votes_prefix(call.actor.scope)
    found = (records.load(store, info.key, Vote) for info in store.list(f"{prefix}{answer_id}/"))
    votes = [vote for vote in found if vote is not None]
    comments = sorted((vote for vote in votes if vote.comment), key=lambda vote: vote.commented_at)
    return "\n".join([_bar(tally(votes)), *(f"> {_cut(vote.comment)}" for vote in comments[-3:])])


def _read(call: WorkCall[Any]) -> Feedback:
    def tell(done: int) -> None:
        so_far = call.t.plural("{count} vote read", "{count} votes read", done)
        call.tools.progress(f"⏳ {so_far}…")

    return read_feedback(call.services.store, call.actor.scope, tell)


def _bar(counted: Tally) -> str:
    if counted == Tally():
        return "–"
    filled = round(counted.share * BAR)
    return f"{'▰' * filled}{'▱' * (BAR - filled)} {counted.share:.0%} · 👍 {counted.up} · 👎 {counted.down}"


def _judged(call: WorkCall[Any], judged: Judged, *, hidden: bool) -> str:
    t: Translator = call.t
    counted = f"👍 {judged.tally.up} · 👎 {judged.tally.down}"
    answer = None if hidden else load_answer(call.services.store, call.actor.scope, judged.answer_id)
    if answer is None:
        shown = t(N_("An answer that only one person saw")) if hidden else t(N_("An answer that was deleted"))
    else:
        shown = _cut(answer.question, QUESTION_MOST)
        shown = f"[{shown}]({judged.link})" if judged.link else shown
    comments = [vote for vote in judged.votes if vote.comment]
    said = f"\n> {_cut(comments[-1].comment)}" if comments else ""
    return f"{shown} · {counted}{said}"


def _cut(text: str, most: int = COMMENT_MOST) -> str:
    """The beginning of people's words, on one line, without markdown."""
    line = " ".join(text.split())
    return plain(line[:most]) + ("…" if len(line) > most else "")
