"""What can be asked for on the command line. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from trainer.scope import Scope

OutputKind = Literal["junit", "json", "csv", "html", "chart"]
"""A kind of file that is made of a run."""


class Against(NamedTuple):
    """What a run is compared with."""

    kind: Literal["last", "baseline", "run", "model"]
    """last: the last run of these cases; baseline: the same bot with nothing taught."""
    name: str = ""
    """The run's number, or the model's name."""


class Limit(NamedTuple):
    """How many errors there may be: so many, or such a share of the cases."""

    number: int = 0
    share: float | None = None
    """0 to 1; None where `number` counts."""


class Bar(NamedTuple):
    """What a run must reach."""

    min_pass: float | None = None
    """The share of all cases that must pass, 0 to 1; those with errors are among all."""
    max_errors: Limit | None = None
    no_worse: bool = False
    """It must not be significantly worse than what it is compared with."""
    despite: str = ""
    """Why it may be all the same; empty: it may not."""


class Options(NamedTuple):
    """A command, as it was typed."""

    language: str
    outputs: Mapping[OutputKind, Path]
    cases: Path | None = None
    """A file of cases, `-` for standard input; None: the dataset's own."""
    dataset: str = ""
    """Empty: the one that is selected."""
    scope: Scope | None = None
    """None: the only one that there is."""
    tags: tuple[str, ...] = ()
    """Only cases with one of these tags; empty: all."""
    limit: int | None = None
    """Only so many cases, the first ones."""
    allow_rejected: bool = False
    """Go on with the rest where entries of the file make no case."""
    model: str = ""
    """The chat model that answers; empty: the configured one."""
    judge: str = ""
    """The chat model that judges; empty: the configured one."""
    threads: int | None = None
    against: Against | None = None
    """None: the last run, if there is one."""
    bar: Bar = Bar()
    save: bool = True
    resume: str = ""
    """The run to go on with; empty: a new one."""
    list_runs: bool = False
    quiet: bool = False

    @property
    def kept(self) -> bool:
        """Whether the run stays in the store.

        Only a run of all cases by what is in force: others would be compared with by /test, and drawn in its charts,
        as if they told how the bot is doing.
        """
        trial = bool(self.tags or self.model or self.limit is not None)
        return self.save and not trial and (self.against is None or self.against.kind != "model")
