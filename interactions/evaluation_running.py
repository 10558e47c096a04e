"""Tests cases on behalf of a command, from the first delivery of its job to the report."""

from __future__ import annotations

import shutil
import tempfile
import time
from typing import TYPE_CHECKING, Any, Final, Literal, Self, cast

from interactions.attachments import safe_filename
from interactions.evaluation_files import not_read_key
from interactions.evaluation_report import FORGOTTEN, REJECTIONS_SHOWN, Ended, more_in_file, report
from interactions.evaluation_wording import progress_text
from interactions.failures import HandOn, Sorry
from interactions.outbound import Button, Reply, ReplyFile
from interactions.wording import plain
from trainer.datasets import export_key
from trainer.evaluation.cases import CASES_MOST
from trainer.evaluation.reading import CaseRejection, read_cases
from trainer.evaluation.report.rejection_text import refusal_sentence, rejection_line
from trainer.evaluation.results import Run
from trainer.evaluation.reviewing import baseline_of, failures
from trainer.evaluation.running import TURN_S
from trainer.evaluation.store import DetailGone, NoCases, TooManyCases
from trainer.i18n import N_
from trainer.importers import FileRefusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from interactions.call import WorkCall
    from interactions.payloads import Attachment
    from trainer.evaluation.cases import Case
    from trainer.evaluation.delivery import Progress, RunOutcome
    from trainer.evaluation.running import Runner

    Begin = Callable[[Runner], "Run | Reply"]

TEXT_TYPE: Final = "text/plain; charset=utf-8"

_BUSY: Final = N_("I am testing already here, and do one test at a time. Please try again once that one is over.")
_NO_CASES: Final = N_(
    "“{dataset}” has no test cases of its own yet. Every correction becomes one by itself. After a 👎, a button adds "
    "the answer, and below the report of a test one adds what failed. Or give me a `file` of cases."
)
_TOO_MANY: Final = N_("That is more than I test at a time: at most {most} cases.")
_NOTHING_READ: Final = N_("I found no test case in that file.")
GONE: Final = N_("The cases of that run are no longer kept, so I cannot do that any more.")


def evaluate_file(call: WorkCall[Any], dataset: str, file: Attachment) -> Reply:
    """Test the cases of a file."""
    name = safe_filename(file.filename)

    def begin(runner: Runner) -> Run | Reply:
        draft = _draft(call, runner, dataset, source="file", file_name=name)
        with call.tools.fetch(file) as path, _NotRead(call) as not_read:

            def cases() -> Iterator[Case]:
                for item in read_cases(path, name):
                    if isinstance(item, CaseRejection):
                        not_read.add(item)
                    else:
                        yield item

            try:
                return runner.runs.begin(call.actor.scope, draft, cases(), lambda: not_read.keep(draft.id))
            except FileRefusal as refusal:
                raise Sorry(refusal_sentence(call.t, refusal)) from None
            except NoCases:
                return not_read.reply()

    return _tested(call, begin)


def evaluate_own(call: WorkCall[Any], dataset: str) -> Reply:
    """Test a dataset's own cases."""

    def begin(runner: Runner) -> Run | Reply:
        draft = _draft(call, runner, dataset, source="regression")
        try:
            return runner.runs.begin(call.actor.scope, draft, runner.regression(call.actor.scope, dataset))
        except NoCases:
            return Reply(call.t(_NO_CASES, dataset=plain(dataset)))
        except TooManyCases:
            raise Sorry(call.t(_TOO_MANY, most=CASES_MOST)) from None

    return _tested(call, begin)


def evaluate_failures(call: WorkCall[Any], run_id: str) -> Reply:
    """Test those cases of an earlier run that did not pass; `run_id` may come from anywhere."""

    def begin(runner: Runner) -> Run | Reply:
        scope = call.actor.scope
        other = runner.runs.load(scope, run_id)
        if other is None:
            raise Sorry(call.t(GONE))
        draft = _draft(call, runner, other.subject.dataset, source="failures", reruns=other.id)
        try:
            return runner.runs.begin(scope, draft, failures(runner.runs, scope, other))
        except DetailGone:
            raise Sorry(call.t(GONE)) from None
        except NoCases:
            raise Sorry(call.t(N_("Nothing failed in that run, so there is nothing to test again."))) from None

    return _tested(call, begin)


# --- a run from its beginning to its report -----------------------------------------------------------------------


def _tested(call: WorkCall[Any], begin: Begin) -> Reply:
    runner, scope = call.services.evaluation, call.actor.scope
    if runner is None:
        raise Sorry(call.t(N_("Testing is switched off here.")))
    run = runner.runs.load(scope, call.interaction.id)
    if run is None:
        if runner.active(scope):
            return Reply(call.t(_BUSY), whisper="instead")
        try:
            begun = begin(runner)
        except DetailGone:
            # Somebody was forgotten whose words are among the cases: without those, it may begin.
            raise HandOn(progressed=False) from None
        if isinstance(begun, Reply):
            return begun
        run = begun
    return _worked_off(call, runner, run)


def _worked_off(call: WorkCall[Any], runner: Runner, run: Run) -> Reply:
    cancel = (Button(f"test_cancel:{run.id}", call.t(N_("Cancel")), emoji="✋"),)

    def tell(progress: Progress) -> None:
        call.tools.progress(progress_text(call.t, run, progress), cancel)

    try:
        # While nothing is taught, the untrained bot says the same.
        wanted = run.subject.examples > 0 and not baseline_of(call.services.store, call.actor.scope, run)
    except DetailGone:
        return Reply(call.t(FORGOTTEN))
    outcome = runner.run(call.actor.scope, run, progress=tell, must_stop=call.tools.must_stop, baseline=wanted)
    match outcome.state:
        case "finished" | "cancelled":
            return report(call, run, Ended(outcome.state == "cancelled", outcome.changed))
        case "forgotten":
            return Reply(call.t(FORGOTTEN))
        case "busy":
            return _busy(call, runner, run)
        case "waiting":
            # Nobody's fault, and it ends by itself: it is no failed try.
            raise HandOn(progressed=True, delay_s=outcome.delay_s)
        case "stopped":
            raise _handed_on(outcome)


def _busy(call: WorkCall[Any], runner: Runner, run: Run) -> Reply:
    """Another run was faster. One that has results already waits; any other one is taken back."""
    scope = call.actor.scope
    if runner.runs.shards(scope, run.id):
        raise HandOn(progressed=True, delay_s=TURN_S)
    runner.runs.discard(scope, run.id)
    return Reply(call.t(_BUSY), whisper="instead")


def _handed_on(outcome: RunOutcome) -> HandOn:
    return HandOn(progressed=outcome.stored > 0, delay_s=outcome.delay_s)


def _draft(
    call: WorkCall[Any],
    runner: Runner,
    dataset: str,
    *,
    source: Literal["file", "regression", "failures"],
    file_name: str = "",
    reruns: str = "",
) -> Run:
    return Run(
        id=call.interaction.id,
        author=call.actor.user_id,
        created_at=time.time(),
        subject=runner.subject(call.actor.scope, dataset),
        cases=0,
        source=source,
        file_name=file_name,
        reruns=reruns,
    )


class _NotRead:
    """What of a file could not be read as a case: a line each, in a temporary file."""

    def __init__(self, call: WorkCall[Any]) -> None:
        self._call = call
        self._lines = cast("BinaryIO", tempfile.TemporaryFile())  # noqa: SIM115 - closed by `__exit__`
        self._first: list[str] = []
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()

    def add(self, rejection: CaseRejection) -> None:
        line = rejection_line(self._call.t, rejection)
        self._count += 1
        if self._count <= REJECTIONS_SHOWN:
            self._first.append(line)
        self._lines.write(f"{line}\n".encode())

    def keep(self, run_id: str) -> int:
        """Store the lines with the run, if there are any; how many."""
        if self._count:
            self._store(not_read_key(self._call.actor.scope, run_id))
        return self._count

    def reply(self) -> Reply:
        """The reply where nothing else could be read."""
        t = self._call.t
        lines = [t(_NOTHING_READ), *self._first]
        more = self._count - len(self._first)
        if more <= 0:
            return Reply("\n".join(lines))
        key = export_key(self._call.actor.scope, f"{self._call.interaction.id}-not-read.txt")
        self._store(key)
        caption = t(N_("What could not be read as a case, and why"))
        whole = ReplyFile("not-read.txt", content_type=TEXT_TYPE, description=caption, key=key)
        return Reply("\n".join([*lines, more_in_file(t, more)]), files=(whole,))

    def _store(self, key: str) -> None:
        self._lines.seek(0)
        with self._call.services.store.open_write(key, content_type=TEXT_TYPE) as target:
            shutil.copyfileobj(self._lines, target)
