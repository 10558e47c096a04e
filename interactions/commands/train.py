"""/train: teaches, from typed text, from a file, or from a form when neither is given."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

from interactions.definitions import MANAGERS, Handler, Option, Options, SlashCommand
from interactions.failures import Sorry
from interactions.file_choices import suggest_archive
from interactions.outbound import Choice, Defer, FileUpload, Modal, Reply, ReplyFile, Say, TextInput
from interactions.payloads import Attachment
from interactions.permission import refusal_to_teach
from interactions.restoring import ALONE, restored, restored_from_here
from interactions.wording import refusal_sentence, rejection_lines, report_text
from trainer.datasets import BadName, dataset_name
from trainer.i18n import N_
from trainer.settings import may_teach, scope_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from interactions.call import AckCall, WorkCall
    from interactions.payloads import ModalData
    from trainer.batches import Batch
    from trainer.importers import Item
    from trainer.training import Progress

TEXT_MOST: Final = 6000
"""Characters: Discord's limit for a text option."""
CHOICES_MOST: Final = 25
SHOWN_MOST: Final = 5
"""Rejections told in the reply itself; all of them are in the attached file."""


def suggest_dataset(call: AckCall[None], typed: str) -> tuple[Choice, ...]:
    """Datasets whose name holds what was typed."""
    if refusal_to_teach(call, _TEACHERS_ONLY):
        return ()
    wanted = typed.strip().casefold()
    names = [name for name in call.quick.dataset_names(call.actor.scope) if wanted in name]
    names.sort(key=lambda name: (not name.startswith(wanted), name))
    return tuple(Choice(name, name) for name in names[:CHOICES_MOST])


class TrainOptions(Options, frozen=True, kw_only=True):
    """The options of /train."""

    text: Annotated[str, Option(N_("“Q: … A: …” pairs, or facts in plain words"), max_length=TEXT_MOST)] = ""
    file: Annotated[Attachment | None, Option(N_("JSONL, JSON, CSV, TSV, TXT, Markdown or PDF"))] = None
    dataset: Annotated[
        str, Option(N_("Where to put it (default: the selected dataset)"), autocomplete=suggest_dataset)
    ] = ""
    archive: Annotated[
        str, Option(N_("An archive that I keep here, to bring back: start typing"), autocomplete=suggest_archive)
    ] = ""


def acknowledge(call: AckCall[TrainOptions]) -> Defer | Modal | Say:
    """For those who may teach. Without text and file, show a form."""
    if refused := refusal_to_teach(call, _TEACHERS_ONLY):
        return refused
    try:
        name = dataset_name(call.given.dataset) if call.given.dataset else ""
    except BadName:
        return Say(Reply(call.t(_BAD_NAME)), ephemeral=True)
    learns = bool(call.given.text.strip()) or call.given.file is not None
    if call.given.archive.strip():
        if not call.actor.is_manager:
            return Say(Reply(call.t(_MANAGERS_ONLY)), ephemeral=True)
        return Say(Reply(call.t(ALONE)), ephemeral=True) if learns else Defer()
    if learns:
        return Defer()
    return Modal(
        f"train:{name}",
        call.t(N_("Teach me")),
        (
            TextInput(
                "text",
                call.t(N_("What should I know?")),
                description=call.t(N_("Questions with answers, or facts in plain words")),
                placeholder=call.t(N_("Q: When does the event start?\nA: On Friday at 20:00.")),
                required=False,
            ),
            FileUpload(
                "file",
                call.t(N_("Or a file")),
                description=call.t(N_("JSONL, JSON, CSV, TSV, TXT, Markdown or PDF")),
            ),
        ),
    )


def acknowledge_form(call: AckCall[ModalData]) -> Defer | Say:
    """For those who may teach: a form can be forged, too."""
    if refused := refusal_to_teach(call, _TEACHERS_ONLY):
        return refused
    if not call.given.text("text").strip() and not call.given.files("file"):
        return Say(Reply(call.t(N_("There was nothing in the form, so there is nothing to learn."))), ephemeral=True)
    return Defer()


def work(call: WorkCall[TrainOptions]) -> Reply:
    """Learn from the options, or restore."""
    if call.given.archive.strip():
        return _restore(call)
    return _learn(call, call.given.text, call.given.file, call.given.dataset)


def work_form(call: WorkCall[ModalData]) -> Reply:
    """Learn from the form; its subject is the dataset."""
    files = call.given.files("file")
    return _learn(call, call.given.text("text"), files[0] if files else None, call.subject)


def _restore(call: WorkCall[TrainOptions]) -> Reply:
    if not call.actor.is_manager:
        return Reply(call.t(_MANAGERS_ONLY), whisper="instead")
    try:
        dataset = dataset_name(call.given.dataset) if call.given.dataset else ""
    except BadName:
        raise Sorry(call.t(_BAD_NAME)) from None
    return restored_from_here(call, call.given.archive, dataset)


def _learn(
    call: WorkCall[TrainOptions] | WorkCall[ModalData], text: str, file: Attachment | None, name: str
) -> Reply:
    if not may_teach(call.services.store, call.actor):
        return Reply(call.t(_TEACHERS_ONLY), whisper="instead")
    try:
        chosen = dataset_name(name) if name else scope_settings(call.services.store, call.actor.scope).dataset
    except BadName:
        raise Sorry(call.t(_BAD_NAME)) from None
    # Another dataset may have been selected since an earlier delivery of this job.
    dataset = call.services.training.dataset_for(call.actor, call.interaction.id, chosen)
    done = call.services.training.done(call.actor, call.interaction.id, dataset)
    batch = done or _import(call, text, file, dataset, named=bool(name))
    return batch if isinstance(batch, Reply) else _render(call, batch, dataset)


def _import(
    call: WorkCall[TrainOptions] | WorkCall[ModalData],
    text: str,
    file: Attachment | None,
    dataset: str,
    *,
    named: bool,
) -> Batch | Reply:
    """Read what was sent, text and file alike, into one batch; or restore a dataset from its archive.

    An archive goes to the dataset that it was made from, unless the person named another one.
    """
    # Reading files needs libraries that acknowledging does not.
    from interactions.attachments import safe_filename  # noqa: PLC0415
    from trainer.batches import Origin  # noqa: PLC0415
    from trainer.importers import read_file, read_text  # noqa: PLC0415

    def tell(progress: Progress) -> None:
        so_far = call.t.plural("{count} line read", "{count} lines read", progress.read)
        call.tools.progress(f"⏳ {so_far}…")

    training, typed = call.services.training, read_text(text) if text.strip() else iter(())
    if file is None:
        return training.train(call.actor, call.interaction.id, dataset, Origin("text"), typed, tell)
    shown = safe_filename(file.filename)
    with call.tools.fetch(file) as path:
        told = restored(call, path, dataset if named else "", alone=not text.strip())
        if told is not None:
            return told

        def items() -> Iterator[Item]:
            yield from typed
            yield from read_file(path, shown, file.content_type)

        return training.train(call.actor, call.interaction.id, dataset, Origin("file", shown), items(), tell)


def _render(call: WorkCall[TrainOptions] | WorkCall[ModalData], batch: Batch, dataset: str) -> Reply:
    t = call.t
    content = report_text(t, batch, dataset)
    if batch.refusal:
        refused = refusal_sentence(t, batch.refusal, batch.refusal_detail)
        nothing = not (batch.report.accepted or batch.report.duplicates or batch.report.rejected)
        content = refused if nothing else f"{refused}\n{content}"
    if not batch.report.rejected:
        return Reply(content)
    lines = list(rejection_lines(t, call.services.training.rejections(batch)))
    content = "\n".join([content, *lines[:SHOWN_MOST]])
    if len(lines) <= SHOWN_MOST:
        return Reply(content)
    caption = t(N_("Every line that was not learned, and why"))
    whole = ReplyFile("not-learned.txt", "\n".join(lines).encode(), description=caption)
    more = t.plural("…and {count} more, in the file.", "…and {count} more, in the file.", len(lines) - SHOWN_MOST)
    return Reply(f"{content}\n{more}", files=(whole,))


_TEACHERS_ONLY: Final = N_(
    "Teaching me is for managers (“Manage Server”). You can press “Correct” below an answer to propose one."
)
_MANAGERS_ONLY: Final = N_("Bringing back what I keep here is for managers (“Manage Server”).")
_BAD_NAME: Final = N_("A dataset's name has up to 48 letters, digits, “-” and “_”.")

COMMANDS = (
    SlashCommand(
        name="train",
        description=N_("Teach me from text or a file"),
        options=TrainOptions,
        permissions=MANAGERS,
        handler=Handler(acknowledge, work),
    ),
)
MODALS = {"train": Handler(acknowledge_form, work_form)}
