"""What /forget_me, /export_me and /privacy call the things that the bot keeps of a person. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from trainer.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trainer.i18n import Translator
    from trainer.scope import Scope

SILENT: Final = frozenset({"replies", "mentions"})
"""Kinds that people are not told of: replies as they were shown, and names in what belongs to others."""


def here(t: Translator, scope: Scope) -> str:
    """Where it is about."""
    return t(N_("in this server")) if scope.kind == "guild" else t(N_("in our direct messages"))


def told(counts: Mapping[str, int]) -> dict[str, int]:
    """The counts that people are told of."""
    return {kind: count for kind, count in counts.items() if count and kind not in SILENT}


def count_lines(t: Translator, counts: Mapping[str, int]) -> list[str]:
    """A line for each kind of thing of which there is any."""
    return [f"• {_counted(t, kind, count)}" for kind, count in sorted(told(counts).items(), key=_place)]


ORDER: Final = (
    "examples", "files", "corrections", "questions", "votes", "conversations", "notices", "switches", "copies",
    "other", "decisions", "quotes",
)  # fmt: skip


def _place(item: tuple[str, int]) -> int:
    return ORDER.index(item[0]) if item[0] in ORDER else len(ORDER)


def _counted(t: Translator, kind: str, count: int) -> str:
    match kind:
        case "examples":
            return t.plural("{count} example that you taught", "{count} examples that you taught", count)
        case "files":
            return t.plural("{count} file that you uploaded", "{count} files that you uploaded", count)
        case "corrections":
            return t.plural("{count} correction of yours", "{count} corrections of yours", count)
        case "questions":
            return t.plural("{count} question with its answer", "{count} questions with their answers", count)
        case "votes":
            return t.plural("{count} vote or comment", "{count} votes and comments", count)
        case "conversations":
            return t.plural("{count} conversation that I remember", "{count} conversations that I remember", count)
        case "notices":
            return t.plural("{count} notice that waits for you", "{count} notices that wait for you", count)
        case "switches":
            return t(N_("your switches of `/privacy`"))
        case "copies":
            return t.plural(
                "{count} copy that `/export_me` made for you",
                "{count} copies that `/export_me` made for you",
                count,
            )
        case "decisions":
            return t.plural(
                "{count} decision for others: it stays, without your name",
                "{count} decisions for others: they stay, without your name",
                count,
            )
        case "quotes":
            return t.plural(
                "{count} record of others that repeats what you taught: your words go from it",
                "{count} records of others that repeat what you taught: your words go from them",
                count,
            )
        case _:
            return t.plural("{count} other thing", "{count} other things", count)
