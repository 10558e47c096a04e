"""What can be typed after `python -m trainer.evaluation`, and what it means."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from trainer.configuration import EVALUATION_THREADS_MOST
from trainer.evaluation.console.options import Against, Bar, Limit, Options
from trainer.evaluation.gate_store import REASON_MOST
from trainer.i18n import N_, languages, translator
from trainer.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from trainer.evaluation.console.options import OutputKind
    from trainer.i18n import Translator

PROGRAM: Final = "python -m trainer.evaluation"
USAGE_ERROR: Final = 2
OUTPUTS: Final[Mapping[OutputKind, str]] = {
    "junit": N_("JUnit XML, which CI systems show"),
    "json": N_("everything as JSON, for programs"),
    "csv": N_("every case as a table"),
    "html": N_("the report as a page, with every case"),
    "chart": N_("the pass rates of the last runs as a picture (PNG)"),
}
_SHARE: Final = re.compile(r"(\d{1,3}(?:[.,]\d{1,9})?)(\s?%)?", re.ASCII)
_SCOPE: Final = re.compile(r"([gu])([0-9]{1,20})")
_LOCALE_NAMES: Final = ("LC_ALL", "LC_MESSAGES", "LANG")


def parse(arguments: Sequence[str], environ: Mapping[str, str]) -> Options:
    """The command that was typed. Whatever cannot be one ends the process with 2, as `--help` does with 0."""
    t = translator(_language(arguments, environ))
    parser = _parser(t)
    given = parser.parse_args(arguments)
    options = Options(
        language=t.language,
        outputs={kind: path for kind in OUTPUTS if (path := getattr(given, kind)) is not None},
        cases=given.cases,
        dataset=given.dataset,
        scope=given.scope,
        tags=tuple(given.tag),
        limit=given.limit,
        allow_rejected=given.allow_rejected,
        model=given.model,
        judge=given.judge,
        threads=given.threads,
        against=given.against,
        bar=Bar(given.min_pass, given.max_errors, given.no_worse, " ".join(given.despite.split())),
        save=not given.no_save,
        resume=given.resume,
        list_runs=given.list_runs,
        quiet=given.quiet,
    )
    _check(parser, t, options)
    return options


def _language(arguments: Sequence[str], environ: Mapping[str, str]) -> str:
    """The language to speak, before anything is said: the one that is asked for, else the environment's."""
    early = _Parser(prog=PROGRAM, add_help=False, allow_abbrev=False)
    early.add_argument("--language", default="")
    asked: str = early.parse_known_args(arguments)[0].language
    found = asked or next((environ[name] for name in _LOCALE_NAMES if environ.get(name)), "")
    return re.split(r"[_.@-]", found, maxsplit=1)[0].casefold()


class _Parser(argparse.ArgumentParser):
    """Tells a mistake in a line, and not the whole usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE_ERROR, f"trainger: {message}\n")


def _parser(t: Translator) -> argparse.ArgumentParser:
    parser = _Parser(
        prog=PROGRAM,
        usage=f"{PROGRAM} [{t(N_('cases'))}] [--dataset {t(N_('NAME'))}] [--min-pass 0.9] …",
        description=t(N_("Tests what the bot was taught with cases: questions, and what makes an answer right.")),
        epilog=t(
            N_("Exit code: 0 well, 1 below a bar or worse, 2 it could not be done, 130 interrupted. Guide: {guide}."),
            guide="docs/evaluation.md",
        ),
        add_help=False,
        allow_abbrev=False,
    )
    _tested(parser.add_argument_group(t(N_("what is tested"))), t)
    _required(parser.add_argument_group(t(N_("what it must reach"))), t)
    files = parser.add_argument_group(t(N_("files to write")))
    for kind, text in OUTPUTS.items():
        files.add_argument(f"--{kind}", type=Path, metavar=t(N_("PATH")), help=t(text))
    _others(parser.add_argument_group(t(N_("the rest"))), t)
    return parser


def _tested(group: argparse._ArgumentGroup, t: Translator) -> None:
    name = t(N_("NAME"))
    group.add_argument(
        "cases",
        nargs="?",
        type=Path,
        metavar=t(N_("cases")),
        help=t(
            N_("a file of cases: JSON, JSONL, CSV, TSV or YAML, “-” for standard input; without, the dataset's own")
        ),
    )
    group.add_argument("--dataset", default="", metavar=name, help=t(N_("default: the one that is selected")))
    group.add_argument(
        "--scope",
        type=_scope(t),
        metavar="g…|u…",
        help=t(N_("g and a server's id, or u and a person's; default: the only one that has been taught something")),
    )
    group.add_argument(
        "--tag", action="append", default=[], metavar=name, help=t(N_("only cases with this tag; may be repeated"))
    )
    group.add_argument("--limit", type=_whole(t, 1), metavar="N", help=t(N_("only the first N cases")))
    group.add_argument(
        "--allow-rejected", action="store_true", help=t(N_("go on where entries of the file make no case"))
    )
    group.add_argument(
        "--model", default="", metavar=name, help=t(N_("the chat model that answers; default: the configured one"))
    )
    group.add_argument(
        "--judge", default="", metavar=name, help=t(N_("the chat model that judges; default: the configured one"))
    )


def _required(group: argparse._ArgumentGroup, t: Translator) -> None:
    group.add_argument(
        "--min-pass",
        type=_share(t),
        metavar=t(N_("SHARE")),
        help=t(N_("the share of all cases that must pass, such as 0.9; errors count as not passed")),
    )
    group.add_argument(
        "--max-errors",
        type=_limit(t),
        metavar=t(N_("N or SHARE")),
        help=t(N_("how many cases may stay without a verdict: a number such as 3, or a share such as 0.05")),
    )
    group.add_argument(
        "--against",
        type=_against(t),
        metavar="last|baseline|N|model:…",
        help=t(
            N_(
                "what to compare with: the last run of these cases (the default), the bot with nothing taught, a run "
                "by its number, or another chat model"
            )
        ),
    )
    group.add_argument("--no-worse", action="store_true", help=t(N_("it must not be significantly worse than that")))
    group.add_argument(
        "--despite",
        default="",
        metavar=t(N_("REASON")),
        help=t(N_("why it may be worse all the same: that is kept, and the exit code is as if it were not")),
    )


def _others(group: argparse._ArgumentGroup, t: Translator) -> None:
    group.add_argument(
        "--no-save",
        action="store_true",
        help=t(
            N_(
                "do not keep the run; it is kept by default, for /test to compare with, unless it has only some of "
                "the cases or another model"
            )
        ),
    )
    group.add_argument(
        "--resume", default="", metavar="N", help=t(N_("go on with this run, or write the files of one that is over"))
    )
    group.add_argument("--list-runs", action="store_true", help=t(N_("list the dataset's last runs, and do nothing")))
    group.add_argument(
        "--threads",
        type=_whole(t, 1, EVALUATION_THREADS_MOST),
        metavar="N",
        help=t(N_("cases that are answered at a time; default: TRAINGER_EVALUATION_THREADS")),
    )
    group.add_argument("--language", choices=languages(), help=t(N_("default: the environment's, or English")))
    group.add_argument("--quiet", action="store_true", help=t(N_("say nothing but what went wrong")))
    group.add_argument("-h", "--help", action="help", help=t(N_("show this and end")))


def _check(parser: argparse.ArgumentParser, t: Translator, options: Options) -> None:
    """What cannot go together. Ends the process."""
    new = bool(options.cases or options.tags or options.limit or options.model or not options.save)
    compares = options.against is not None and options.against.kind == "model"
    if options.resume and (new or compares or options.dataset):
        parser.error(t(N_("--resume takes the cases, the dataset and the model of its run: give none")))
    if options.list_runs and (new or options.resume or options.outputs or options.bar != Bar() or options.against):
        parser.error(t(N_("--list-runs tests nothing: give nothing else than --dataset and --scope")))
    if options.resume and not options.resume.isdecimal():
        parser.error(t(N_("--resume: the number of a run has digits alone")))
    if options.bar.despite and not options.bar.no_worse:
        parser.error(t(N_("--despite says why --no-worse need not hold: give both")))
    if len(options.bar.despite) > REASON_MOST:
        parser.error(t(N_("--despite: at most {most} characters"), most=REASON_MOST))
    paths = [path.resolve() for path in options.outputs.values()]
    if len(set(paths)) < len(paths):
        parser.error(t(N_("two files cannot be written to the same place")))
    if options.cases is not None and options.cases.resolve() in paths:
        parser.error(t(N_("a file would be written over the cases")))


def _scope(t: Translator) -> Callable[[str], Scope]:
    def read(text: str) -> Scope:
        match = _SCOPE.fullmatch(text.strip())
        if match is None:
            raise argparse.ArgumentTypeError(t(N_("g and the id of a server, or u and the id of a person")))
        return Scope("guild" if match[1] == "g" else "user", match[2])

    return read


def _whole(t: Translator, least: int, most: int | None = None) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdecimal() and len(text) < 10):  # noqa: PLR2004 - digits
            raise argparse.ArgumentTypeError(t(N_("a whole number")))
        if int(text) < least or (most is not None and int(text) > most):
            if most is None:
                raise argparse.ArgumentTypeError(t(N_("{least} or more"), least=least))
            raise argparse.ArgumentTypeError(t(N_("from {least} to {most}"), least=least, most=most))
        return int(text)

    return read


def share_of(text: str) -> float | None:
    """A share such as `0.9`, `0,9` or `90%`, as a number from 0 to 1; None if it is none."""
    match = _SHARE.fullmatch(text.strip())
    if match is None:
        return None
    value = float(match[1].replace(",", ".")) / (100 if match[2] else 1)
    return value if value <= 1 else None


def _share(t: Translator) -> Callable[[str], float]:
    def read(text: str) -> float:
        value = share_of(text)
        if value is None:
            raise argparse.ArgumentTypeError(t(N_("a share from 0 to 1, such as 0.9 or 90%")))
        return value

    return read


def _limit(t: Translator) -> Callable[[str], Limit]:
    def read(text: str) -> Limit:
        if text.isascii() and text.isdecimal() and len(text) < 10:  # noqa: PLR2004 - digits
            return Limit(number=int(text))
        value = share_of(text)
        if value is None:
            raise argparse.ArgumentTypeError(t(N_("a whole number of cases, or a share such as 0.05 or 5%")))
        return Limit(share=value)

    return read


def _against(t: Translator) -> Callable[[str], Against]:
    def read(text: str) -> Against:
        kind, colon, name = text.partition(":")
        if text == "last":
            return Against("last")
        if text == "baseline":
            return Against("baseline")
        if colon and kind == "model" and name.strip():
            return Against("model", name.strip())
        if text.isascii() and text.isdecimal():
            return Against("run", text)
        raise argparse.ArgumentTypeError(t(N_("last, baseline, the number of a run, or model: and a name")))

    return read
