"""/select_dataset: chooses the dataset that /train adds to and /ask answers from; a button takes the choice back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec

from interactions.definitions import MANAGERS, Handler, Option, Options, SlashCommand
from interactions.gate_wording import forced_line, passed_line, reason_line
from interactions.gating import Held, in_force, is_gated, judge_first
from interactions.outbound import Button, Choice, Defer, DeferUpdate, Reply, Say
from interactions.permission import refusal_to_teach
from interactions.wording import plain
from trainer.datasets import DEFAULT_DATASET, BadName, dataset_name
from trainer.i18n import N_
from trainer.selection import ChosenMeanwhile, SelectedAlready, Selecting, matching
from trainer.settings import may_teach
from trainer.snowflakes import moment_of

if TYPE_CHECKING:
    from interactions.call import AckCall, WorkCall
    from interactions.payloads import ComponentData
    from trainer.evaluation.gate_store import Decision, Judgement
    from trainer.i18n import Translator
    from trainer.settings import Selection

CHOICES_MOST: Final = 25
HISTORY_MOST: Final = 10
ARCHIVE: Final = "a"
"""In a button's custom id: archive the dataset that was selected before."""

_MANAGERS_ONLY: Final = N_("Choosing what I learn and answer from is for managers (“Manage Server”).")
_BAD_NAME: Final = N_("A dataset's name has up to 48 letters, digits, “-” and “_”.")


def suggest(call: AckCall[None], typed: str) -> tuple[Choice, ...]:
    """Datasets that the person may mean; last, the one that would be made."""
    if refusal_to_teach(call, _MANAGERS_ONLY) is not None:
        return ()
    names = {DEFAULT_DATASET, *call.quick.dataset_names(call.actor.scope)}
    found = [Choice(name, name) for name in matching(names, typed, most=CHOICES_MOST - 1)]
    try:
        new = dataset_name(typed)
    except BadName:
        return tuple(found)
    return tuple(found if new in names else [*found, Choice(call.t(N_("{name} (new)"), name=new), new)])


class SelectOptions(Options, frozen=True, kw_only=True):
    """The options of /select_dataset."""

    name: Annotated[str, Option(N_("The dataset; a new name makes a new one"), max_length=100, autocomplete=suggest)]
    archive_current: Annotated[bool, Option(N_("Keep a copy of the one selected until then, as a zip file"))] = False


def acknowledge(call: AckCall[SelectOptions]) -> Defer | Say:
    """Managers only."""
    refusal = refusal_to_teach(call, _MANAGERS_ONLY)
    if refusal is not None:
        return refusal
    try:
        dataset_name(call.given.name)
    except BadName:
        return Say(Reply(call.t(_BAD_NAME)), ephemeral=True)
    return Defer()


def acknowledge_button(call: AckCall[ComponentData]) -> DeferUpdate | Say:
    """Managers only; what comes of it replaces the message."""
    return refusal_to_teach(call, _MANAGERS_ONLY) or DeferUpdate()


def acknowledge_history(call: AckCall[ComponentData]) -> Defer | Say:
    """Managers only."""
    return refusal_to_teach(call, _MANAGERS_ONLY) or Defer(ephemeral=True)


def work(call: WorkCall[SelectOptions]) -> Reply:
    """Select as the options say."""
    return _select(call, call.given.name, archive=call.given.archive_current, visible=True)


def work_again(call: WorkCall[ComponentData]) -> Reply:
    """Select although somebody was faster."""
    how, _, name = call.subject.partition(":")
    return _select(call, name, archive=how == ARCHIVE, visible=False)


def work_undo(call: WorkCall[ComponentData]) -> Reply:
    """Go back to what was selected before the choice that the button is about."""
    t = call.t
    if not may_teach(call.services.store, call.actor):
        return Reply(t(_MANAGERS_ONLY), whisper="instead")
    selecting = Selecting(call.services.store)
    undone = selecting.selection(call.actor.scope, call.subject) if _is_id(call.subject) else None
    if undone is None:
        text = t(N_("I know nothing of that choice any more, so nothing was changed."))
        return Reply(text, whisper="instead")
    try:
        selection = selecting.undo(call.actor, call.interaction.id, undone.id)
    except ChosenMeanwhile as other:
        text = _meanwhile(t, other, N_("Meanwhile <@{user}> has selected “{dataset}”, so nothing was taken back."))
        return Reply(text, buttons=_all_the_same(t, undone.before, other.dataset, archive=False))
    text = t(
        N_("<@{user}> took the choice of “{undone}” back: “{dataset}” is selected again."),
        user=selection.author,
        undone=plain(selection.before),
        dataset=plain(selection.dataset),
    )
    return Reply(text, buttons=_buttons(t, selection))


def work_history(call: WorkCall[ComponentData]) -> Reply:
    """The last choices."""
    t = call.t
    if not may_teach(call.services.store, call.actor):
        return Reply(t(_MANAGERS_ONLY), whisper="instead")
    choices = Selecting(call.services.store).history(call.actor.scope, most=HISTORY_MOST)
    if not choices:
        return Reply(t(N_("Nobody has chosen a dataset yet.")))
    return Reply("\n".join([t(N_("**The last choices of a dataset**")), *(_history_line(t, one) for one in choices)]))


def select_all_the_same(call: WorkCall[Any], judgement: Judgement, decision: Decision) -> Reply:
    """Select the dataset of a judgement that did not pass, for a reason. Who may do so was checked."""
    change, line = judgement.change, forced_line(call.t, judgement, decision)
    found = _chosen(
        call,
        change.dataset,
        archive=change.archive,
        typed_at=moment_of(judgement.id) or 0.0,
        instead_of=change.instead_of,
        reason=decision.reason,
        gate=judgement.id,
    )
    return msgspec.structs.replace(found, content=f"{found.content}\n{line}")


def _select(call: WorkCall[Any], wanted: str, *, archive: bool, visible: bool) -> Reply:
    """Select a dataset; `visible` says whether there is a place to show how far its test is."""
    t = call.t
    if not may_teach(call.services.store, call.actor):
        return Reply(t(_MANAGERS_ONLY), whisper="instead")
    try:
        dataset = dataset_name(wanted)
    except BadName:
        return Reply(t(_BAD_NAME), whisper="instead")
    try:
        judgement = _judged(call, dataset, archive=archive, visible=visible)
    except Held as held:
        return msgspec.structs.replace(held.reply, whisper="instead")
    except (SelectedAlready, ChosenMeanwhile) as other:
        return _not_chosen(t, dataset, other, archive=archive)
    typed_at = moment_of(call.interaction.id) or 0.0
    if judgement is None:
        return _chosen(call, dataset, archive=archive, typed_at=typed_at)
    return _chosen(
        call,
        dataset,
        archive=archive,
        typed_at=typed_at,
        instead_of=judgement.change.instead_of,
        note=passed_line(t, judgement),
    )


def _judged(call: WorkCall[Any], dataset: str, *, archive: bool, visible: bool) -> Judgement | None:
    """How the dataset passed its test, where one is wanted. Raises what `Selecting.select` raises, and `Held`."""
    if not is_gated(call):
        return None
    selecting, typed_at = Selecting(call.services.store), moment_of(call.interaction.id) or 0.0
    current = selecting.would_replace(call.actor, call.interaction.id, dataset, typed_at=typed_at)
    # Testing needs what acknowledging does not.
    from trainer.evaluation.gate_store import Change, Gates  # noqa: PLC0415

    if current is None:
        # An earlier delivery has selected it. What was judged is told again.
        return Gates(call.services.store).passed(call.actor.scope, call.interaction.id)
    change = Change(kind="selection", dataset=dataset, instead_of=current, archive=archive)
    now = in_force(call)._replace(dataset=current)
    return judge_first(call, change, lambda: (now, now._replace(dataset=dataset)), visible=visible)


def _chosen(
    call: WorkCall[Any],
    dataset: str,
    *,
    archive: bool,
    typed_at: float,
    instead_of: str = "",
    reason: str = "",
    gate: str = "",
    note: str = "",
) -> Reply:
    """Select a dataset as `Selecting.select` does, and tell of it, with a note."""
    t, selecting = call.t, Selecting(call.services.store)
    try:
        selection = selecting.select(
            call.actor,
            call.interaction.id,
            dataset,
            typed_at=typed_at,
            instead_of=instead_of,
            reason=reason,
            gate=gate,
        )
    except (SelectedAlready, ChosenMeanwhile) as other:
        return _not_chosen(t, dataset, other, archive=archive)
    lines = [_selected(t, selection), t(N_("Before, it was “{dataset}”."), dataset=plain(selection.before))]
    if archive:
        lines.append(_archived(call, selection.before))
    if note:
        lines.append(note)
    return Reply("\n".join(lines), buttons=_buttons(t, selection))


def _not_chosen(t: Translator, dataset: str, why: SelectedAlready | ChosenMeanwhile, *, archive: bool) -> Reply:
    if isinstance(why, SelectedAlready):
        return Reply(_already(t, dataset, why.selection, archive=archive))
    text = _meanwhile(t, why, N_("Meanwhile <@{user}> has selected “{dataset}”, so I left it at that."))
    return Reply(text, buttons=_all_the_same(t, dataset, why.dataset, archive=archive))


def _archived(call: WorkCall[Any], dataset: str) -> str:
    """Archive a dataset, and say so. Done again, it is the same archive: it is named by the interaction."""
    t, store, scope = call.t, call.services.store, call.actor.scope
    # Zipping needs what acknowledging does not.
    from trainer.archive import NothingToArchive, archive_dataset  # noqa: PLC0415

    def tell(*_: object) -> None:
        call.tools.progress(t(N_("⏳ Archiving “{dataset}”…"), dataset=plain(dataset)))

    try:
        archived = archive_dataset(store, scope, dataset, call.interaction.id, tell)
    except NothingToArchive:
        return t(N_("“{dataset}” is empty, so there was nothing to archive."), dataset=plain(dataset))
    return t(N_("It is archived as `{name}`; `/getfile` brings the file."), name=archived.name)


def _selected(t: Translator, selection: Selection) -> str:
    if selection.created:
        text = N_("“{dataset}” is new, and selected from now on: `/train` adds to it and `/ask` answers from it.")
    else:
        text = N_("“{dataset}” is selected from now on: `/train` adds to it and `/ask` answers from it.")
    return t(text, dataset=plain(selection.dataset))


def _already(t: Translator, dataset: str, selection: Selection | None, *, archive: bool) -> str:
    if selection is None:
        text = t(N_("“{dataset}” is selected already."), dataset=plain(dataset))
    else:
        text = t(
            N_("“{dataset}” is selected already: <@{user}> chose it <t:{at}:R>."),
            dataset=plain(dataset),
            user=selection.author,
            at=int(selection.at),
        )
    return " ".join([text, t(N_("Nothing was archived; `/archive` does that."))]) if archive else text


def _meanwhile(t: Translator, other: ChosenMeanwhile, sentence: str) -> str:
    if other.selection is None:
        return t(N_("“{dataset}” is selected, and nothing was changed."), dataset=plain(other.dataset))
    return t(sentence, user=other.selection.author, dataset=plain(other.dataset))


def _all_the_same(t: Translator, dataset: str, selected: str, *, archive: bool) -> tuple[Button, ...]:
    if dataset == selected:
        return ()
    label = t(N_("Select “{dataset}” all the same"), dataset=dataset)
    return (Button(f"select:{ARCHIVE if archive else ''}:{dataset}", label),)


def _buttons(t: Translator, selection: Selection) -> tuple[Button, ...]:
    undo = Button(f"unselect:{selection.id}", t(N_("Undo")), emoji="↩️")
    return (undo, Button("selections:", t(N_("History")), emoji="🕘"))


def _history_line(t: Translator, choice: Selection) -> str:
    if choice.undoes:
        text = N_("• <t:{at}:f> <@{user}>: back to “{dataset}”")
    elif choice.created:
        text = N_("• <t:{at}:f> <@{user}>: “{dataset}”, new")
    else:
        text = N_("• <t:{at}:f> <@{user}>: “{dataset}”")
    line = t(text, at=int(choice.at), user=choice.author, dataset=plain(choice.dataset))
    return f"{line}\n{reason_line(t, choice.reason)}" if choice.reason else line


def _is_id(text: str) -> bool:
    """Whether a custom id's subject can be the id of an interaction: it may be forged."""
    return text.isascii() and text.isdecimal() and len(text) <= 20  # noqa: PLR2004 - digits of 64 bits


COMMANDS = (
    SlashCommand(
        name="select_dataset",
        description=N_("Choose what I learn and answer from"),
        options=SelectOptions,
        permissions=MANAGERS,
        handler=Handler(acknowledge, work),
    ),
)
BUTTONS = {
    "select": Handler(acknowledge_button, work_again),
    "unselect": Handler(acknowledge_button, work_undo),
    "selections": Handler(acknowledge_history, work_history),
}
