"""The files that are made of a run: written from one end to the other, kept under `reports/`, and handed out.

Their names begin with the run's number, so that whatever deletes the run's words finds them, and `/getfile` does too.
"""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from typing import IO, TYPE_CHECKING, Any, Final, NamedTuple, cast

from interactions.outbound import ReplyFile
from trainer.evaluation.detail import has_detail
from trainer.evaluation.keys import RunKeys
from trainer.evaluation.report.chart import alt_text, chart
from trainer.evaluation.report.html import write_html
from trainer.evaluation.report.json_report import write_json
from trainer.evaluation.report.junit import write_junit
from trainer.evaluation.report.table import write_csv
from trainer.evaluation.store import DetailGone
from trainer.i18n import N_
from trainer.ports import ObjectNotFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import BinaryIO

    from interactions.call import WorkCall
    from trainer.evaluation.report.view import ReportView
    from trainer.evaluation.results import Run
    from trainer.i18n import Translator
    from trainer.ports import ObjectStore
    from trainer.scope import Scope

CHART: Final = "chart.png"
NOT_READ: Final = "not-read.txt"
"""What could not be read as a case, a line each."""
LARGE: Final = "large-files.zip"
"""What is too large to be attached as it is."""
ALL: Final = "all-files.zip"
VERSUS: Final = "vs-"
"""Begins the names of pages that compare two runs."""
ZIP_TYPE: Final = "application/zip"
HTML_TYPE: Final = "text/html; charset=utf-8"
DESCRIPTION_MOST: Final = 1024
"""Characters of a file's description, by Discord's documentation."""


class Made(NamedTuple):
    """A file that lies in the store."""

    name: str
    key: str
    size: int
    """Bytes."""
    content_type: str
    description: str = ""


def make_files(store: ObjectStore, scope: Scope, view: ReportView, t: Translator) -> list[Made]:
    """The files of a run, written anew: the chart first."""
    prefix = RunKeys(scope, view.run.id).reports
    made = []
    if view.history:
        data = chart(view.history, view.untrained)
        store.put(f"{prefix}{CHART}", data, content_type="image/png")
        described = alt_text(view.history, t, view.untrained)[:DESCRIPTION_MOST]
        made.append(Made(CHART, f"{prefix}{CHART}", len(data), "image/png", described))
    writers: tuple[tuple[str, str, str, Callable[[BinaryIO], None]], ...] = (
        ("report.html", HTML_TYPE, N_("The report as a page, with every case"), lambda to: write_html(to, view, t)),
        ("cases.csv", "text/csv; charset=utf-8", N_("Every case as a table"), lambda to: write_csv(to, view)),
        ("junit.xml", "text/xml; charset=utf-8", N_("For CI: JUnit XML"), lambda to: write_junit(to, view)),
        ("report.json", "application/json", N_("For programs: everything as JSON"), lambda to: write_json(to, view)),
    )
    for name, content_type, description, write in writers:
        with store.open_write(f"{prefix}{name}", content_type=content_type) as stream:
            write(stream)
        made.append(_made(store, f"{prefix}{name}", name, content_type, t(description)))
    return made


def make_versus(store: ObjectStore, scope: Scope, view: ReportView, t: Translator) -> Made:
    """The page that compares a run with the earlier one of the view."""
    earlier = view.earlier.id if view.earlier is not None else ""
    key = f"{RunKeys(scope, view.run.id).reports}{VERSUS}{earlier}.html"
    with store.open_write(key, content_type=HTML_TYPE) as stream:
        write_html(stream, view, t)
    return _made(store, key, "comparison.html", HTML_TYPE)


def not_read_key(scope: Scope, run_id: str) -> str:
    """Where the list of what could not be read as a case lies."""
    return f"{RunKeys(scope, run_id).reports}{NOT_READ}"


def attached(call: WorkCall[Any], run: Run, made: Sequence[Made]) -> tuple[tuple[ReplyFile, ...], list[str]]:
    """What of the files can be attached, and what to say of the rest.

    What is larger than Discord takes here goes into one zip; if that is too large too, a button gives a link to it.

    Raises `DetailGone` if the run's cases went meanwhile.
    """
    most = call.interaction.attachment_size_limit
    small, large = [one for one in made if one.size <= most], [one for one in made if one.size > most]
    if not large:
        return tuple(map(_reply_file, small)), []
    zipped = _zip(call.services.store, call.actor.scope, run, LARGE, large)
    names = ", ".join(one.name for one in large)
    if zipped.size <= most:
        note = call.t(N_("-# Too large to be attached as they are, and so in {zip}: {names}"), zip=LARGE, names=names)
        return tuple(map(_reply_file, [*small, zipped])), [note]
    note = call.t(N_("-# Too large to be attached: {names}. “Download” brings a link."), names=names)
    return tuple(map(_reply_file, small)), [note]


def all_files(store: ObjectStore, scope: Scope, run: Run) -> Made | None:
    """All files of a run in one zip; None if they, or the run's cases, are no longer there."""
    prefix = RunKeys(scope, run.id).reports
    there = []
    for info in store.list(prefix):
        name = info.key.removeprefix(prefix)
        if not name.endswith(".zip") and not name.startswith(VERSUS):
            there.append(Made(name, info.key, info.size, ""))
    if not any(one.name != NOT_READ for one in there):
        return None
    try:
        return _zip(store, scope, run, ALL, there)
    except DetailGone:
        return None


def first_lines(store: ObjectStore, key: str, most: int) -> list[str]:
    """The first lines of a text in the store; none if it is not there."""
    try:
        with store.open_read(key) as stream:
            return [line.decode("utf-8", "replace").rstrip("\n") for line in _some(stream, most)]
    except ObjectNotFound:
        return []


def _some(stream: BinaryIO, most: int) -> Iterator[bytes]:
    for _ in range(most):
        line = stream.readline()
        if not line:
            return
        yield line


def _made(store: ObjectStore, key: str, name: str, content_type: str, description: str = "") -> Made:
    info = store.head(key)
    return Made(name, key, info.size if info is not None else 0, content_type, description)


def _reply_file(made: Made) -> ReplyFile:
    return ReplyFile(made.name, content_type=made.content_type, description=made.description, key=made.key)


def _zip(store: ObjectStore, scope: Scope, run: Run, name: str, files: Iterable[Made]) -> Made:
    """A zip of some of a run's files, made in a temporary file first. Raises `DetailGone`."""
    key = f"{RunKeys(scope, run.id).reports}{name}"
    with tempfile.TemporaryFile() as made:
        with zipfile.ZipFile(cast("IO[bytes]", made), "w", zipfile.ZIP_DEFLATED) as zipped:
            for file in files:
                info = zipfile.ZipInfo(file.name)
                info.compress_type = zipfile.ZIP_DEFLATED
                try:
                    with (
                        store.open_read(file.key) as source,
                        zipped.open(info, "w", force_zip64=file.size >= zipfile.ZIP64_LIMIT // 2) as member,
                    ):
                        shutil.copyfileobj(source, member)
                except ObjectNotFound:
                    continue
        size = made.seek(0, 2)
        made.seek(0)
        with store.open_write(key, content_type=ZIP_TYPE) as target:
            shutil.copyfileobj(made, target)
    if not has_detail(store, scope, run.id):
        # Whoever deleted it may have looked for files before this one was written.
        store.delete(key)
        raise DetailGone
    return Made(name, key, size, ZIP_TYPE)
