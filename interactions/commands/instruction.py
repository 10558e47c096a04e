"""/instruction: how to use the bot and the rules it answers by. Everybody reads it; managers change the server's own.

A change is shown as a difference first, and counts when it is applied. All of it is between the bot and one person,
so every message is for that person alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

from interactions.call import QuickInstruction
from interactions.definitions import Handler, Option, Options, SlashCommand
from interactions.failures import Sorry
from interactions.gate_wording import forced_line, passed_line
from interactions.gating import Held, in_force, is_gated, judge_first
from interactions.instruction_wording import (
    applied_buttons,
    fenced,
    history_button,
    history_line,
    meanwhile,
    private_reply,
    question,
    show_button,
    whose,
)
from interactions.message_links import is_id
from interactions.outbound import Button, Defer, DeferUpdate, Modal, Reply, ReplyFile, Say, TextInput
from interactions.payloads import Attachment
from interactions.permission import refusal_to_teach
from interactions.splitting import split, units
from trainer.i18n import N_
from trainer.instructions import (
    FILE_MOST,
    BadText,
    ChangedMeanwhile,
    Instructions,
    NoSuchDraft,
    NotInForce,
    clean,
    current_version,
    decoded,
    text_of,
)
from trainer.ports import StoreUnavailable
from trainer.settings import may_teach

if TYPE_CHECKING:
    from collections.abc import Mapping

    from interactions.call import AckCall, WorkCall
    from interactions.payloads import ComponentData, ModalData
    from trainer.evaluation.gate_store import Decision, Judgement
    from trainer.i18n import Translator
    from trainer.instructions import Kind

FORM_MOST: Final = 4000
"""Characters that a form takes; counted in UTF-16 code units, the largest of the plausible counts."""
PAGE_MOST: Final = 1700
"""Characters of the text on one page; the rest of a message is for the small print."""
DIFF_MOST: Final = 1500
"""Characters of a difference that are shown; longer ones are attached whole."""
HISTORY_MOST: Final = 10
SUFFIXES: Final = (".md", ".markdown", ".txt")
KIB: Final = 1024

_MANAGERS_ONLY: Final = N_("Changing the instruction is for managers (“Manage Server”). `/instruction` shows it.")
_NOT_NOW: Final = N_("My memory does not answer just now, so I cannot show the form. Please try again in a minute.")
_TOO_LONG_FOR_FORM: Final = N_(
    "The text is too long for a form. Please change it in a file (it is attached to `/instruction`), and send that "
    "with `/instruction file:`."
)
_NOT_TEXT_FILE: Final = N_("Please send the instruction as a text file: .md or .txt, in UTF-8.")
_PROBLEMS: Final[Mapping[str, str]] = {
    "not_text": _NOT_TEXT_FILE,
    "empty": N_("There is nothing in it. To go back to the default text, press “Reset” below `/instruction`."),
    "too_long": N_("That is too long: an instruction has up to {most} KiB, because it is read before each answer."),
}


class InstructionOptions(Options, frozen=True, kw_only=True):
    """The options of /instruction."""

    file: Annotated[Attachment | None, Option(N_("Managers: a new text as a file (.md or .txt, up to 32 KiB)"))] = (
        None
    )


# --- acknowledging --------------------------------------------------------------------------------------------


def acknowledge(call: AckCall[InstructionOptions]) -> Defer | Say:
    """Everybody may read; a file is for managers."""
    file = call.given.file
    if file is not None:
        refusal = refusal_to_teach(call, _MANAGERS_ONLY)
        if refusal is not None:
            return refusal
        if not file.filename.casefold().endswith(SUFFIXES):
            return Say(Reply(call.t(_NOT_TEXT_FILE)), ephemeral=True)
        if file.size > FILE_MOST:
            return Say(Reply(_problem(call.t, BadText("too_long"))), ephemeral=True)
    return Defer(ephemeral=True)


def acknowledge_page(call: AckCall[ComponentData]) -> DeferUpdate:
    """Everybody may turn pages."""
    del call
    return DeferUpdate()


def acknowledge_change(call: AckCall[ComponentData]) -> DeferUpdate | Say:
    """Managers only; what comes of it replaces the message."""
    return refusal_to_teach(call, _MANAGERS_ONLY) or DeferUpdate()


def open_form(call: AckCall[ComponentData]) -> Modal | Say:
    """Managers only: a form with the text in force, whose subject is its version."""
    refusal = refusal_to_teach(call, _MANAGERS_ONLY)
    if refusal is not None:
        return refusal
    try:
        if not isinstance(call.quick, QuickInstruction):
            raise StoreUnavailable("there is nothing to look it up in")
        version = call.quick.instruction(call.actor.scope)
    except StoreUnavailable:
        return Say(Reply(call.t(_NOT_NOW)), ephemeral=True)
    text = text_of(version, call.t.language)
    if units(text) > FORM_MOST:
        return Say(Reply(call.t(_TOO_LONG_FOR_FORM)), ephemeral=True)
    field = TextInput("text", call.t(N_("How to use me, and my rules")), value=text, max_length=FORM_MOST)
    return Modal(f"instruction:{version.id if version else ''}", call.t(N_("Edit the instruction")), (field,))


def acknowledge_form(call: AckCall[ModalData]) -> Defer | Say:
    """Managers only: a form can be forged, too."""
    refusal = refusal_to_teach(call, _MANAGERS_ONLY)
    if refusal is not None:
        return refusal
    try:
        clean(call.given.text("text"))
    except BadText as bad:
        return Say(Reply(_problem(call.t, bad)), ephemeral=True)
    return Defer(ephemeral=True)


# --- reading --------------------------------------------------------------------------------------------------


def work(call: WorkCall[InstructionOptions]) -> Reply:
    """Show the first page, or what a file would change."""
    if call.given.file is None:
        return _page(call, 0)
    _check(call)
    with call.tools.fetch(call.given.file) as path:
        if path.stat().st_size > FILE_MOST:
            raise Sorry(_problem(call.t, BadText("too_long")))
        data = path.read_bytes()
    try:
        return _proposed(call, decoded(data))
    except BadText as bad:
        raise Sorry(_problem(call.t, bad)) from None


def work_page(call: WorkCall[ComponentData]) -> Reply:
    """Show another page; which one is the button's subject."""
    return _page(call, int(call.subject) if is_id(call.subject) else 0)


def work_history(call: WorkCall[ComponentData]) -> Reply:
    """The last versions, each with a button that brings it back."""
    _check(call)
    t, store, scope = call.t, call.services.store, call.actor.scope
    versions = Instructions(store).history(scope, most=HISTORY_MOST)
    current = current_version(store, scope)
    lines, buttons = [t(N_("**The last versions of the instruction**"))], [show_button(t)]
    for number, version in enumerate(versions, 1):
        in_force = current is not None and current.id == version.id
        lines.append(history_line(t, number, version, in_force=in_force))
        if not in_force and version.text:
            buttons.append(Button(f"instruction-restore:{version.id}", t(N_("Restore {number}"), number=number)))
    if not versions:
        lines.append(t(N_("It was never changed: the default text is in force.")))
    return private_reply("\n".join(lines), buttons=tuple(buttons))


# --- changing -------------------------------------------------------------------------------------------------


def work_form(call: WorkCall[ModalData]) -> Reply:
    """Show what the form would change; its subject is the version that it was opened with."""
    _check(call)
    try:
        return _proposed(call, clean(call.given.text("text")), opened_with=call.subject)
    except BadText as bad:
        raise Sorry(_problem(call.t, bad)) from None


def work_restore(call: WorkCall[ComponentData]) -> Reply:
    """Show what bringing an earlier version back would change."""
    _check(call)
    version_id = call.subject if is_id(call.subject) else ""
    version = Instructions(call.services.store).version(call.actor.scope, version_id) if version_id else None
    if version is None or not version.text:
        raise Sorry(call.t(N_("That version is no longer there.")))
    return _proposed(call, version.text, kind="restore")


def work_reset(call: WorkCall[ComponentData]) -> Reply:
    """Show what going back to the default text would change."""
    _check(call)
    return _proposed(call, "", kind="reset")


def work_apply(call: WorkCall[ComponentData]) -> Reply:
    """Bring a draft into force, if what it was compared with still is, and its test does not hold it back."""
    _check(call)
    try:
        judgement = _judged(call)
    except Held as held:
        return held.reply
    return _applied(call, call.subject, note=passed_line(call.t, judgement) if judgement is not None else "")


def apply_all_the_same(call: WorkCall[Any], judgement: Judgement, decision: Decision) -> Reply:
    """Bring the draft of a judgement into force that did not pass, for a reason. Who may do so was checked."""
    note = forced_line(call.t, judgement, decision)
    return _applied(call, judgement.change.draft, reason=decision.reason, gate=judgement.id, note=note)


def work_undo(call: WorkCall[ComponentData]) -> Reply:
    """Bring back what was in force before the version that the button is about, if that still is."""
    _check(call)
    t = call.t
    try:
        if not is_id(call.subject):
            raise NotInForce(None)
        version = Instructions(call.services.store).undo(call.actor, call.interaction.id, call.subject)
    except NotInForce as other:
        if other.current is None:
            raise Sorry(t(N_("I know nothing of that change any more, so nothing was taken back."))) from None
        text = t(
            N_("Meanwhile <@{user}> has changed the instruction again, so nothing was taken back."),
            user=other.current.author,
        )
        return private_reply(text, buttons=(show_button(t), history_button(t)))
    if version.text:
        told = t(N_("The change was taken back: the text before it is in force again."))
    else:
        told = t(N_("The change was taken back: the default text is in force again."))
    return private_reply(told, buttons=applied_buttons(t, version))


def _judged(call: WorkCall[ComponentData]) -> Judgement | None:
    """How the draft passed its test, where one is wanted and can be made. Raises `Held`."""
    store, scope, draft_id = call.services.store, call.actor.scope, call.subject
    instructions = Instructions(store)
    if not is_id(draft_id) or not is_gated(call):
        return None
    # Testing needs what acknowledging does not.
    from trainer.evaluation.gate_store import Change, Gates  # noqa: PLC0415

    draft = instructions.draft(scope, draft_id)
    if draft is None or instructions.is_applied(scope, draft_id):
        # There is nothing to test, or an earlier delivery has brought it into force.
        return Gates(store).passed(scope, call.interaction.id)
    current = current_version(store, scope)
    if draft.base != (current.id if current is not None else ""):
        return None  # applying it tells what has changed
    now = in_force(call)
    change = Change(kind="instruction", dataset=now.dataset, draft=draft_id)
    named, text = (draft.id, draft.text) if draft.text else ("", text_of(None))
    return judge_first(call, change, lambda: (now, now._replace(instruction_id=named, instruction=text)))


def _applied(call: WorkCall[Any], draft_id: str, *, reason: str = "", gate: str = "", note: str = "") -> Reply:
    """Bring a draft into force, and tell of it, with a note."""
    t, instructions = call.t, Instructions(call.services.store)
    try:
        if not is_id(draft_id):
            raise NoSuchDraft
        version = instructions.apply(call.actor, draft_id, reason=reason, gate=gate)
    except NoSuchDraft:
        raise Sorry(t(N_("This draft is no longer there, so nothing was changed."))) from None
    except ChangedMeanwhile as changed:
        draft = changed.draft
        return _proposed(call, draft.text, kind=draft.kind, opened_with=draft.base)
    if version.text:
        told = t(N_("The new instruction is in force from the next question on."))
    else:
        told = t(N_("The default text is in force again, from the next question on."))
    return private_reply("\n".join(filter(None, [told, note])), buttons=applied_buttons(t, version))


def work_discard(call: WorkCall[ComponentData]) -> Reply:
    """Throw a draft away."""
    _check(call)
    t = call.t
    known = is_id(call.subject)
    if known and not Instructions(call.services.store).discard(call.actor, call.subject):
        return private_reply(
            t(N_("It was applied already. “History” brings the former text back.")), (history_button(t),)
        )
    return private_reply(t(N_("Nothing was changed.")), buttons=(show_button(t),))


# --- rendering ------------------------------------------------------------------------------------------------


def _page(call: WorkCall[Any], wanted: int) -> Reply:
    t, store = call.t, call.services.store
    version = current_version(store, call.actor.scope)
    text = text_of(version, t.language)
    pages = split(text, limit=PAGE_MOST) or [t(N_("There is no instruction here."))]
    at = min(wanted, len(pages) - 1)
    small = [whose(t, version)]
    if len(pages) > 1:
        small.append(t(N_("page {number} of {pages}"), number=at + 1, pages=len(pages)))
    buttons = []
    if at > 0:
        buttons.append(Button(f"instruction-page:{at - 1}", t(N_("Back")), emoji="◀️"))
    if at < len(pages) - 1:
        buttons.append(Button(f"instruction-page:{at + 1}", t(N_("Next")), emoji="▶️"))
    files: tuple[ReplyFile, ...] = ()
    if may_teach(store, call.actor):
        buttons.append(Button("instruction-edit:", t(N_("Edit")), "primary"))
        buttons.append(history_button(t))
        if version is not None and version.text:
            buttons.append(Button("instruction-reset:", t(N_("Reset"))))
        if units(text) > FORM_MOST and wanted == 0:
            files = (ReplyFile("instruction.md", text.encode(), "text/markdown; charset=utf-8"),)
    return private_reply(f"{pages[at]}\n-# {', '.join(small)}", buttons=tuple(buttons), files=files)


def _proposed(call: WorkCall[Any], text: str, *, kind: Kind = "edit", opened_with: str | None = None) -> Reply:
    """What a text would change, with buttons to apply and to discard it; an empty one is the default.

    `opened_with` is the version that the person had before them, if that is known.
    """
    # Comparing needs what acknowledging does not.
    from trainer.text_diff import changes  # noqa: PLC0415

    t, store, scope = call.t, call.services.store, call.actor.scope
    instructions = Instructions(store)
    draft = instructions.propose(call.actor, call.interaction.id, text, kind)
    base = instructions.version(scope, draft.base) if draft.base else None
    if draft.base and base is None:
        # It came into force a moment ago, and whoever brought it in has not filed it yet.
        base = current_version(store, scope)
    lines = changes(text_of(base, t.language), draft.text or text_of(None, t.language))
    if not lines:
        instructions.discard(call.actor, draft.id)
        return private_reply(t(N_("That is the text in force, so there is nothing to change.")), (show_button(t),))
    heading = [meanwhile(t, base)] if base is not None and opened_with not in {None, base.id} else []
    heading.append(question(t, draft))
    buttons = (
        Button(f"instruction-apply:{draft.id}", t(N_("Apply")), "success"),
        Button(f"instruction-discard:{draft.id}", t(N_("Discard"))),
    )
    body = fenced("\n".join(lines))
    if units(body) <= DIFF_MOST:
        return private_reply("\n".join([*heading, body]), buttons=buttons)
    heading.append(t(N_("The difference is long, so it is attached whole; this is how it begins:")))
    whole = ReplyFile("instruction.diff", "\n".join(lines).encode(), "text/x-diff; charset=utf-8")
    # Half as many characters as code units fit whatever they are.
    beginning = fenced("\n".join(lines)[: DIFF_MOST // 2] + "…")
    return private_reply("\n".join([*heading, beginning]), buttons=buttons, files=(whole,))


def _problem(t: Translator, bad: BadText) -> str:
    return t(_PROBLEMS[bad.problem], most=FILE_MOST // KIB)


def _check(call: WorkCall[Any]) -> None:
    """Who may change it is checked again: it can have changed since the acknowledgement."""
    if not may_teach(call.services.store, call.actor):
        raise Sorry(call.t(_MANAGERS_ONLY))


COMMANDS = (
    SlashCommand(
        name="instruction",
        description=N_("How to use me, and the rules I answer by"),
        options=InstructionOptions,
        handler=Handler(acknowledge, work),
    ),
)
BUTTONS = {
    "instruction-page": Handler(acknowledge_page, work_page),
    "instruction-edit": Handler(open_form),
    "instruction-history": Handler(acknowledge_change, work_history),
    "instruction-restore": Handler(acknowledge_change, work_restore),
    "instruction-reset": Handler(acknowledge_change, work_reset),
    "instruction-apply": Handler(acknowledge_change, work_apply),
    "instruction-discard": Handler(acknowledge_change, work_discard),
    "instruction-undo": Handler(acknowledge_change, work_undo),
}
MODALS = {"instruction": Handler(acknowledge_form, work_form)}
