"""How the corrections that wait for a decision are listed, and what became of them. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from interactions.outbound import Button, Reply
from interactions.wording import plain
from trainer.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trainer.corrections import Correction, Standing
    from trainer.i18n import Translator
    from trainer.proposals import Bulk, Page

QUESTION_MOST: Final = 120
ANSWER_MOST: Final = 140
"""Characters that a list repeats, of the right answer; of the wrong one `WRONG_MOST`."""
WRONG_MOST: Final = 70


def list_reply(
    t: Translator,
    dataset: str,
    page: Page,
    elsewhere: Sequence[tuple[str, int]],
    *,
    shown_at: int,
    standing: Standing | None = None,
) -> Reply:
    """A page of the proposals that wait, with what can be done about each and about all.

    Args:
        t: says things.
        dataset: whose they are.
        page: some of them.
        elsewhere: other datasets with waiting ones, and how many each has.
        shown_at: when they were looked up, in milliseconds since the epoch.
        standing: what has just been decided.
    """
    lines = [] if standing is None else [_just_decided(t, standing)]
    if not page.corrections:
        lines.append(t(N_("No correction of “{dataset}” waits for a decision."), dataset=plain(dataset)))
        return Reply("\n".join([*lines, *_elsewhere(t, elsewhere)]), private=True)
    head = t.plural(
        "**{count} correction of “{dataset}” waits for a decision**",
        "**{count} corrections of “{dataset}” wait for a decision**",
        page.total,
        dataset=plain(dataset),
    )
    lines.append(head)
    for number, correction in enumerate(page.corrections, page.start + 1):
        lines += _item_lines(t, number, correction)
    lines += _elsewhere(t, elsewhere)
    return Reply(
        "\n".join(lines),
        buttons=(*_item_buttons(t, dataset, page), *_buttons(t, dataset, page, shown_at)),
        private=True,
    )


def confirm_reply(t: Translator, dataset: str, count: int, *, newest: str, shown_at: str) -> Reply:
    """Asks before all are rejected."""
    text = t.plural(
        "Reject {count} correction? That cannot be taken back.",
        "Reject {count} corrections? That cannot be taken back.",
        count,
    )
    label = t(N_("Reject {count}"), count=count)
    buttons = (
        Button(f"rejected-all:{newest}:{shown_at}:{dataset}", label, style="danger"),
        Button(f"proposals:0:{dataset}", t(N_("Back to the list"))),
    )
    return Reply(text, buttons=buttons, private=True)


def carried_reply(t: Translator, bulk: Bulk, done: int, otherwise: int, note: str) -> Reply:
    """What became of those that were decided about together."""
    if bulk.approve:
        first = t.plural(
            "{count} correction was approved. From now on I will answer so.",
            "{count} corrections were approved. From now on I will answer so.",
            done,
        )
    else:
        first = t.plural(
            "{count} correction was rejected. I go on answering as before.",
            "{count} corrections were rejected. I go on answering as before.",
            done,
        )
    lines = [first]
    if otherwise:
        lines.append(
            t.plural(
                "{count} more was decided by somebody else meanwhile.",
                "{count} more were decided by somebody else meanwhile.",
                otherwise,
            )
        )
    if note:
        lines.append(note)
    undo = (Button(f"undo-all:{bulk.id}", t(N_("Undo all")), emoji="↩️"),) if bulk.approve and done else ()
    return Reply("\n".join(lines), buttons=(*undo, _list_button(t, bulk.dataset)), private=True)


def taken_back_reply(t: Translator, dataset: str, count: int) -> Reply:
    """What became of approvals that were taken back together."""
    text = t.plural(
        "{count} correction was taken back. I answer again as before.",
        "{count} corrections were taken back. I answer again as before.",
        count,
    )
    return Reply(text, buttons=(_list_button(t, dataset),), private=True)


def _item_lines(t: Translator, number: int, correction: Correction) -> Iterator[str]:
    told = t(
        N_("{number}. <@{user}>, <t:{at}:R>: **{question}**"),
        number=number,
        user=correction.author,
        at=int(correction.created_at),
        question=_short(correction.question, QUESTION_MOST),
    )
    yield told
    yield f"> {_short(correction.right, ANSWER_MOST)}"
    if correction.wrong:
        yield t(N_("-# Instead of: {wrong}"), wrong=_short(correction.wrong, WRONG_MOST))


def _item_buttons(t: Translator, dataset: str, page: Page) -> Iterator[Button]:
    numbered = list(enumerate(page.corrections, page.start + 1))
    for number, one in numbered:
        label = t(N_("Approve {number}"), number=number)
        yield Button(f"prop:a:{page.anchor}:{one.id}:{dataset}", label, style="success")
    for number, one in numbered:
        label = t(N_("Reject {number}"), number=number)
        yield Button(f"prop:r:{page.anchor}:{one.id}:{dataset}", label, style="danger")


def _buttons(t: Translator, dataset: str, page: Page, shown_at: int) -> Iterator[Button]:
    subject = f"{page.newest}:{shown_at}:{dataset}"
    if page.together < page.total:
        approve = t(N_("Approve the first {count}"), count=page.together)
        reject = t(N_("Reject the first {count}"), count=page.together)
    else:
        approve = t(N_("Approve all ({count})"), count=page.together)
        reject = t(N_("Reject all"))
    yield Button(f"approve-all:{subject}", approve, style="primary")
    yield Button(f"reject-all:{subject}", reject)
    if page.back is not None:
        yield Button(f"proposals:{page.back}:{dataset}", t(N_("Previous")), emoji="◀️")
    if page.on is not None:
        yield Button(f"proposals:{page.on}:{dataset}", t(N_("Next")), emoji="▶️")


def _just_decided(t: Translator, standing: Standing) -> str:
    question = _short(standing.correction.question, QUESTION_MOST)
    by = standing.verdict.by if standing.verdict is not None else ""
    if standing.status == "rejected":
        return t(N_("✖️ Rejected by <@{user}>: {question}"), user=by, question=question)
    return t(N_("✅ Approved by <@{user}>: {question}"), user=by, question=question)


def _elsewhere(t: Translator, elsewhere: Sequence[tuple[str, int]]) -> Iterator[str]:
    if elsewhere:
        names = ", ".join(f"“{plain(name)}” ({count})" for name, count in elsewhere)
        yield t(N_("-# Others wait in {names}: select the dataset to see them."), names=names)


def _list_button(t: Translator, dataset: str) -> Button:
    return Button(f"proposals:0:{dataset}", t(N_("Show what waits")))


def _short(text: str, most: int) -> str:
    """The beginning of people's words, on one line, without markdown."""
    line = " ".join(text.split())
    return plain(line[:most].rstrip()) + ("…" if len(line) > most else "")
