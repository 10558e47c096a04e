"""/test: asks questions of which the right answers are known, and says how many were answered right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from interactions.commands.train import suggest_dataset
from interactions.definitions import MANAGERS, Handler, Option, Options, SlashCommand
from interactions.delivery_of_files import size_text, with_file
from interactions.failures import Sorry
from interactions.message_links import is_id
from interactions.outbound import Defer, Reply, Say
from interactions.payloads import Attachment
from interactions.permission import refusal_to_teach
from interactions.wording import plain
from trainer.datasets import DEFAULT_DATASET, BadName, dataset_name
from trainer.i18n import N_
from trainer.settings import may_teach, scope_settings

if TYPE_CHECKING:
    from interactions.call import AckCall, WorkCall
    from interactions.payloads import ComponentData

TESTERS_ONLY: Final = N_("Testing me is for managers (“Manage Server”) and trainers.")
_BAD_NAME: Final = N_("A dataset's name has up to 48 letters, digits, “-” and “_”.")
_UNKNOWN: Final = N_("There is no dataset called “{name}” here. Start typing and choose one from the list.")
_OVER: Final = N_("That test is over already.")
_FILES_GONE: Final = N_("The files of that test are no longer kept.")


class EvaluationOptions(Options, frozen=True, kw_only=True):
    """The options of /test."""

    file: Annotated[
        Attachment | None, Option(N_("Questions with their right answers: JSON, JSONL, CSV, TSV or YAML"))
    ] = None
    dataset: Annotated[
        str, Option(N_("What to test (default: the selected dataset)"), autocomplete=suggest_dataset)
    ] = ""


def acknowledge(call: AckCall[EvaluationOptions]) -> Defer | Say:
    """For those who may teach."""
    if refused := refusal_to_teach(call, TESTERS_ONLY):
        return refused
    try:
        if call.given.dataset:
            dataset_name(call.given.dataset)
    except BadName:
        return Say(Reply(call.t(_BAD_NAME)), ephemeral=True)
    return Defer()


def acknowledge_rerun(call: AckCall[ComponentData]) -> Defer | Say:
    """A run of its own, with a report for all to see."""
    return refusal_to_teach(call, TESTERS_ONLY) or Defer()


def acknowledge_privately(call: AckCall[ComponentData]) -> Defer | Say:
    """Only for the person's own eyes; the message with the button stays as it is."""
    return refusal_to_teach(call, TESTERS_ONLY) or Defer(ephemeral=True)


def work(call: WorkCall[EvaluationOptions]) -> Reply:
    """Test the cases of the file, or else the dataset's own."""
    # The engine and its reports are slow to import, and acknowledging does without them.
    from interactions.evaluation_running import evaluate_file, evaluate_own  # noqa: PLC0415

    if not may_teach(call.services.store, call.actor):
        return Reply(call.t(TESTERS_ONLY), whisper="instead")
    dataset = _dataset(call)
    if call.given.file is not None:
        return evaluate_file(call, dataset, call.given.file)
    return evaluate_own(call, dataset)


def work_rerun(call: WorkCall[ComponentData]) -> Reply:
    """The button “Rerun failures”: its subject is the run."""
    from interactions.evaluation_running import evaluate_failures  # noqa: PLC0415 - as above

    if not may_teach(call.services.store, call.actor):
        return Reply(call.t(TESTERS_ONLY), whisper="instead")
    return evaluate_failures(call, call.subject if is_id(call.subject) else "")


def work_cancel(call: WorkCall[ComponentData]) -> Reply:
    """The button “Cancel”: its subject is the run."""
    from trainer.evaluation.store import Runs  # noqa: PLC0415 - as above
    from trainer.evaluation.summary import Summary  # noqa: PLC0415 - as above

    store, scope = call.services.store, call.actor.scope
    if not may_teach(store, call.actor):
        raise Sorry(call.t(TESTERS_ONLY))
    runs, run_id = Runs(store), call.subject if is_id(call.subject) else ""
    if runs.cancel(scope, run_id, call.actor.user_id) is None or runs.summary(scope, run_id, Summary) is not None:
        raise Sorry(call.t(_OVER))
    return Reply(call.t(N_("Stopping… What was tested until now is told in a moment.")))


def work_download(call: WorkCall[ComponentData]) -> Reply:
    """The button “Download”: its subject is the run, of which all files come in one zip."""
    from interactions.evaluation_files import all_files  # noqa: PLC0415 - as above
    from trainer.evaluation.store import Runs  # noqa: PLC0415 - as above

    t, store, scope = call.t, call.services.store, call.actor.scope
    if not may_teach(store, call.actor):
        raise Sorry(t(TESTERS_ONLY))
    run = Runs(store).load(scope, call.subject) if is_id(call.subject) else None
    made = all_files(store, scope, run) if run is not None else None
    if run is None or made is None:
        raise Sorry(t(_FILES_GONE))
    name = f"test-{run.subject.dataset}.zip"
    text = t(N_("📦 All files of the test of “{dataset}”, {size}"), dataset=plain(run.subject.dataset),
             size=size_text(t, made.size))  # fmt: skip
    return with_file(call, text, key=made.key, name=name, size=made.size)


def _dataset(call: WorkCall[EvaluationOptions]) -> str:
    """The dataset that is meant: the one that was selected when the job was first delivered, if none is named."""
    from trainer.selection import holds_something  # noqa: PLC0415 - as above

    store, scope = call.services.store, call.actor.scope
    selected = scope_settings(store, scope).dataset
    if not call.given.dataset:
        return call.services.training.dataset_for(call.actor, call.interaction.id, selected)
    try:
        name = dataset_name(call.given.dataset)
    except BadName:
        raise Sorry(call.t(_BAD_NAME)) from None
    if name not in {DEFAULT_DATASET, selected} and not holds_something(store, scope, name):
        raise Sorry(call.t(_UNKNOWN, name=plain(name)))
    return name


COMMANDS = (
    SlashCommand(
        name="test",
        description=N_("Ask me questions with known answers, and see how many I get right"),
        options=EvaluationOptions,
        permissions=MANAGERS,
        handler=Handler(acknowledge, work),
    ),
)
BUTTONS = {
    "test_rerun": Handler(acknowledge_rerun, work_rerun),
    "test_cancel": Handler(acknowledge_privately, work_cancel),
    "test_download": Handler(acknowledge_privately, work_download),
}
