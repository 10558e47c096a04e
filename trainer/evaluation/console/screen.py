"""What is shown in the terminal: the report on standard output, everything else on standard error."""

from __future__ import annotations

import os
import shutil
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from trainer.evaluation.report.safe_text import visible
from trainer.i18n import N_

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import TextIO

    from trainer.evaluation.delivery import Progress
    from trainer.evaluation.results import Run
    from trainer.i18n import Translator

WIDTH: Final = 100
"""Of a line, in characters, where there is no terminal to tell."""
WIDTH_MOST: Final = 120
WIDTH_UNKNOWN: Final = 80
"""Of a bar, where its terminal does not tell."""
BAR_FORMAT: Final = "{desc} {percentage:3.0f}% |{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}]"


class Style(NamedTuple):
    """How words stand out."""

    colour: bool

    def bold(self, text: str) -> str:
        """What a section begins with."""
        return self._in("1", text)

    def good(self, text: str) -> str:
        """What is new, or well."""
        return self._in("32", text)

    def bad(self, text: str) -> str:
        """What is gone, or wrong."""
        return self._in("31", text)

    def dim(self, text: str) -> str:
        """Small print."""
        return self._in("2", text)

    def _in(self, code: str, text: str) -> str:
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour and text else text


class Screen:
    """Where a command shows something.

    Args:
        out: for the report; coloured only if it is a terminal.
        err: for complaints, and for a bar if it is a terminal.
        environ: `NO_COLOR` and `TERM` have a say about colours.
        quiet: only complaints are shown.
    """

    def __init__(self, out: TextIO, err: TextIO, environ: Mapping[str, str], *, quiet: bool) -> None:
        self._out = out
        self._err = err
        self._quiet = quiet
        terminal = out.isatty()
        self.style = Style(terminal and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb")
        self.width = min(shutil.get_terminal_size((WIDTH, 24)).columns, WIDTH_MOST) if terminal else WIDTH

    def show(self, lines: Iterable[str]) -> None:
        """Lines of the report."""
        if self._quiet:
            return
        try:
            for line in lines:
                self._out.write(f"{line}\n")
            self._out.flush()
        except BrokenPipeError:
            # Whoever read it has read enough; whether the bars are reached is another matter.
            self._quiet = True
            os.dup2(os.open(os.devnull, os.O_WRONLY), self._out.fileno())

    def note(self, text: str) -> None:
        """Something to know meanwhile."""
        if not self._quiet:
            self.complain(text)

    def complain(self, text: str) -> None:
        """Something that is wrong. What people wrote may be in it."""
        self._err.write(f"trainger: {visible(text)}\n")
        self._err.flush()

    @contextmanager
    def progress(self, t: Translator, run: Run) -> Iterator[Callable[[Progress], None]]:
        """A bar while the block lasts, which is told how far the run is; log lines do not disturb it."""
        if self._quiet or not self._err.isatty():
            yield lambda _: None
            return
        from tqdm.contrib.logging import logging_redirect_tqdm  # noqa: PLC0415 - most runs are in no terminal

        with ExitStack() as stack:
            stack.enter_context(logging_redirect_tqdm())
            bars = stack.enter_context(_Bars(t, run, self._err))
            yield bars.tell


class _Bars:
    """One bar for each way in which the cases are answered."""

    def __init__(self, t: Translator, run: Run, err: TextIO) -> None:
        self._names = {
            "results": t(N_("Testing “{dataset}”"), dataset=visible(run.subject.dataset)),
            "baseline": t(N_("The same with nothing taught")),
        }
        self._err = err
        self._stream = ""
        self._bar: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def tell(self, progress: Progress) -> None:
        """Show how far the run is."""
        if progress.stream != self._stream:
            self._open(progress)
        self._bar.n = progress.done
        self._bar.refresh()

    def _open(self, progress: Progress) -> None:
        from tqdm import tqdm  # noqa: PLC0415 - as above

        self._close()
        self._stream = progress.stream
        columns, rows = os.get_terminal_size(self._err.fileno())
        self._bar = tqdm(
            desc=self._names[progress.stream],
            total=progress.total,
            initial=progress.done,
            file=self._err,
            bar_format=BAR_FORMAT,
            leave=False,
            # Some terminals do not say how large they are.
            dynamic_ncols=columns > 0,
            ncols=None if columns else WIDTH_UNKNOWN,
            nrows=None if rows else 2,
        )

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None
