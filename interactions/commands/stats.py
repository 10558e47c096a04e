"""/stats: what there is here and how it is used, in numbers."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from interactions.definitions import Handler, Options, SlashCommand
from interactions.outbound import Defer, Reply
from interactions.wording import plain
from trainer.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Mapping

    from interactions.call import AckCall, WorkCall
    from trainer.feedback_summary import Tally
    from trainer.i18n import Translator
    from trainer.statistics import Asked, Datasets, LastTest, Questions, Statistics
    from trainer.usage import Cost

DATASETS_SHOWN: Final = 15
PROGRESS: Final = "⏳ "
KINDS: Final[Mapping[str, str]] = {
    "correction": N_("corrected: {count}"),
    "trained": N_("as taught: {count}"),
    "passage": N_("from a text: {count}"),
    "generated": N_("by the language model: {count}"),
    "unknown": N_("not known: {count}"),
}
"""Kinds of answers, as they are told."""
OTHER: Final = N_("other: {count}")


def acknowledge(_: AckCall[Options]) -> Defer:
    """Only for the person's own eyes: what managers see more of is not for everybody."""
    return Defer(ephemeral=True)


def work(call: WorkCall[Options]) -> Reply:
    """Count, and tell."""
    from trainer.statistics import statistics  # noqa: PLC0415 - acknowledging does without

    t, services = call.t, call.services

    def tell(done: int) -> None:
        call.tools.progress(PROGRESS + t.plural("{count} answer so far…", "{count} answers so far…", done))

    counted = statistics(
        services.store,
        services.library,
        call.actor.scope,
        counts_cost=services.ledger is not None,
        on_progress=tell,
    )
    by_table = services.ledger is not None and services.ledger.by_table
    return Reply("\n".join(report(t, counted, is_manager=call.actor.is_manager, by_table=by_table)))


def report(t: Translator, counted: Statistics, *, is_manager: bool, by_table: bool = True) -> list[str]:
    """The numbers, line by line; `by_table` says that the cost is worked out with the table of prices. Pure."""
    lines = [t(N_("**What I was taught**")), *_taught(t, counted.datasets)]
    if is_manager:
        lines += _by_dataset(t, counted.datasets)
    lines += [t(N_("**What I was asked**")), *_asked(t, counted.asked)]
    lines += _votes(t, counted.votes, counted.asked)
    if counted.tested is not None:
        lines += _tested(t, counted.tested, is_manager=is_manager)
    if is_manager and counted.cost is not None and counted.cost.known:
        lines.append(_cost(t, counted.cost))
        if by_table and counted.cost.usd:
            lines.append(_table(t))
    return lines


def _taught(t: Translator, datasets: Datasets) -> list[str]:
    pairs, passages, corrections = datasets.total()
    said = [
        t.plural("{count} question with its answer", "{count} questions with their answers", pairs),
        t.plural("{count} passage", "{count} passages", passages),
        t.plural("{count} correction", "{count} corrections", corrections),
    ]
    count = len(datasets.counted)
    lines = [f"• {', '.join(said)}"]
    if datasets.more:
        text = t.plural(
            "• in the first {count} of {all} datasets", "• in the first {count} of {all} datasets", count,
            all=count + datasets.more,
        )  # fmt: skip
        lines.append(text)
    elif count:
        lines.append(t.plural("• in {count} dataset", "• in {count} datasets", count))
    return lines


def _by_dataset(t: Translator, datasets: Datasets) -> list[str]:
    """A line for each of the first datasets: questions, passages and corrections."""
    if len(datasets.counted) <= 1:
        return []
    lines = [
        t(
            N_("-# {name}: {pairs} questions, {passages} passages, {corrections} corrections"),
            name=plain(one.name),
            pairs=one.counts.pairs,
            passages=one.counts.passages,
            corrections=one.counts.corrections,
        )
        for one in datasets.counted[:DATASETS_SHOWN]
    ]
    return lines if len(datasets.counted) <= DATASETS_SHOWN else [*lines, "-# …"]


def _asked(t: Translator, asked: Asked) -> list[str]:
    if asked.since is None:
        return [t(N_("• Nothing yet."))]
    lines = [f"• {_period(t, one.days)}: {_kinds(t, one)}" for one in asked.periods]
    if asked.left_out:
        lines.append(t(N_("-# There are more than I counted here; these are the latest.")))
    text = t.plural("• {count} question since {date}", "• {count} questions since {date}", asked.kept,
                    date=f"<t:{int(asked.since)}:D>")  # fmt: skip
    return [*lines, text]


def _period(t: Translator, days: int) -> str:
    if days == 1:
        return t(N_("last 24 hours"))
    return t.plural("last {count} day", "last {count} days", days)


def _kinds(t: Translator, questions: Questions) -> str:
    count = t.plural("{count} question", "{count} questions", questions.asked)
    ordered = [kind for kind in KINDS if kind in questions.by_kind] + sorted(set(questions.by_kind) - set(KINDS))
    kinds = [t(KINDS.get(kind, OTHER), count=questions.by_kind[kind]) for kind in ordered]
    return f"{count} ({', '.join(kinds)})" if kinds else count


def _votes(t: Translator, votes: tuple[Tally, ...], asked: Asked) -> list[str]:
    """Votes in each period, and in all."""
    if not votes or not votes[-1].up + votes[-1].down:
        return []
    periods = [
        f"• {_period(t, one.days)}: 👍 {tally.up}, 👎 {tally.down}"
        for one, tally in zip(asked.periods, votes, strict=False)
    ]
    every = t(N_("• in all: 👍 {up}, 👎 {down}"), up=votes[-1].up, down=votes[-1].down)
    return [t(N_("**What people think of my answers**")), *periods, every]


def _tested(t: Translator, tested: LastTest, *, is_manager: bool) -> list[str]:
    """How the last test went, and when that was; what was tested is for managers."""
    from trainer.evaluation.report.head_part import passed_sentence  # noqa: PLC0415 - acknowledging does without
    from trainer.evaluation.report.words import percent  # noqa: PLC0415 - as above

    numbers = tested.numbers
    rate = "–" if numbers.rate is None else percent(t, numbers.rate)
    line = f"• **{rate}**, <t:{int(tested.at)}:R>. {passed_sentence(t, numbers)}"
    lines = [t(N_("**How I did when I was last tested**")), line]
    if is_manager:
        lines.append(t(N_("-# What was tested: “{dataset}”"), dataset=plain(tested.dataset)))
    return lines


def _cost(t: Translator, cost: Cost) -> str:
    amount = f"{cost.usd:.2f}"
    said = amount if t.language == "en" else amount.replace(".", ",")
    return t(N_("Cost of the language model this month: ${amount}"), amount=said)


def _table(t: Translator) -> str:
    """How old the prices are."""
    from trainer.prices import CHECKED  # noqa: PLC0415 - acknowledging does without

    at = int(datetime.fromisoformat(f"{CHECKED}T12:00:00+00:00").timestamp())
    return t(N_("-# An estimate: tokens times list prices, as they were on <t:{at}:D>."), at=at)


COMMANDS = (
    SlashCommand(
        name="stats",
        description=N_("What I was taught and how I am used, in numbers"),
        handler=Handler(acknowledge, work),
    ),
)
