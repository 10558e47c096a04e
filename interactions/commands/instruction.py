"""/instruction: how to use the bot and the rules it answers by. Everybody reads it; managers change the server's own.

A change is shown as a difference first, and counts when it is applied. All of it is between the bot and one person,
so every message is for that person alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

from interactions.call import QuickInstruction
from interactions.definitions import Handler, Option, Options, SlashCommand
from interactions.failures import Sorry
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
    from trainer.i18n import Translator
    from trainer.instructions import Draft, Kind, Version

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
    return _page(call, int(call.subject) if _is_number(call.subject) else 0)


def work_history(call: WorkCall[ComponentData]) -> Reply:
    """The last versions, each with a button that brings it back."""
    _check(call)
    t, store, scope = call.t, call.services.store, call.actor.scope
    versions = Instructions(store).history(scope, most=HISTORY_MOST)
    current = current_version(store, scope)
    lines, buttons = [t(N_("**The last versions of the instruction**"))], [_show_button(t)]
    for number, version in enumerate(versions, 1):
        in_force = current is not None and current.id == version.id
        lines.append(_history_line(t, number, version, in_force=in_force))
        if not in_force and version.text:
            buttons.append(Button(f"instruction-restore:{version.id}", t(N_("Restore {number}"), number=number)))
    if not versions:
        lines.append(t(N_("It was never changed: the default text is in force.")))
    return _private("\n".join(lines), buttons=tuple(buttons))


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
    version_id = call.subject if _is_number(call.subject) else ""
    version = Instructions(call.services.store).version(call.actor.scope, version_id) if version_id else None
    if version is None or not version.text:
        raise Sorry(call.t(N_("That version is no longer there.")))
    return _proposed(call, version.text, kind="restore")


def work_reset(call: WorkCall[ComponentData]) -> Reply:
    """Show what going back to the default text would change."""
    _check(call)
    return _proposed(call, "", kind="reset")


def work_apply(call: WorkCall[ComponentData]) -> Reply:
    """Bring a draft into force, if what it was compared with still is."""
    _check(call)
    t, instructions = call.t, Instructions(call.services.store)
    try:
        if not _is_number(call.subject):
            raise NoSuchDraft
        version = instructions.apply(call.actor, call.subject)
    except NoSuchDraft:
        raise Sorry(t(N_("This draft is no longer there, so nothing was changed."))) from None
    except ChangedMeanwhile as changed:
        draft = changed.draft
        return _proposed(call, draft.text, kind=draft.kind, opened_with=draft.base)
    if version.text:
        told = t(N_("The new instruction is in force from the next question on."))
    else:
        told = t(N_("The default text is in force again, from the next question on."))
    return _private(told, buttons=(_show_button(t), _history_button(t)))


def work_discard(call: WorkCall[ComponentData]) -> Reply:
    """Throw a draft away."""
    _check(call)
    t = call.t
    known = _is_number(call.subject)
    if known and not Instructions(call.services.store).discard(call.actor, call.subject):
        return _private(
            t(N_("It was applied already. “History” brings the former text back.")), (_history_button(t),)
        )
    return _private(t(N_("Nothing was changed.")), buttons=(_show_button(t),))


# --- rendering ------------------------------------------------------------------------------------------------


def _page(call: WorkCall[Any], wanted: int) -> Reply:
    t, store = call.t, call.services.store
    version = current_version(store, call.actor.scope)
    text = text_of(version, t.language)
    pages = split(text, limit=PAGE_MOST) or [t(N_("There is no instruction here."))]
    at = min(wanted, len(pages) - 1)
    small = [_whose(t, version)]
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
        buttons.append(_history_button(t))
        if version is not None and version.text:
            buttons.append(Button("instruction-reset:", t(N_("Reset"))))
        if units(text) > FORM_MOST and wanted == 0:
            files = (ReplyFile("instruction.md", text.encode(), "text/markdown; charset=utf-8"),)
    return _private(f"{pages[at]}\n-# {', '.join(small)}", buttons=tuple(buttons), files=files)


def _whose(t: Translator, version: Version | None) -> str:
    """Whose text it is, in small print."""
    if version is None or not version.text:
        return t(N_("The default text"))
    return t(N_("Changed by <@{user}> <t:{at}:R>"), user=version.author, at=int(version.at))


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
        return _private(t(N_("That is the text in force, so there is nothing to change.")), (_show_button(t),))
    heading = [_meanwhile(t, base)] if base is not None and opened_with not in {None, base.id} else []
    heading.append(_question(t, draft))
    buttons = (
        Button(f"instruction-apply:{draft.id}", t(N_("Apply")), "success"),
        Button(f"instruction-discard:{draft.id}", t(N_("Discard"))),
    )
    body = _fenced("\n".join(lines))
    if units(body) <= DIFF_MOST:
        return _private("\n".join([*heading, body]), buttons=buttons)
    heading.append(t(N_("The difference is long, so it is attached whole; this is how it begins:")))
    whole = ReplyFile("instruction.diff", "\n".join(lines).encode(), "text/x-diff; charset=utf-8")
    # Half as many characters as code units fit whatever they are.
    beginning = _fenced("\n".join(lines)[: DIFF_MOST // 2] + "…")
    return _private("\n".join([*heading, beginning]), buttons=buttons, files=(whole,))


def _question(t: Translator, draft: Draft) -> str:
    if draft.kind == "reset":
        return t(N_("Go back to the default text? This would change:"))
    if draft.kind == "restore":
        return t(N_("Bring that version back? This would change:"))
    return t(N_("This would change:"))


def _meanwhile(t: Translator, base: Version) -> str:
    text = N_("Meanwhile <@{user}> has changed the instruction, so please look at the difference again.")
    return t(text, user=base.author)


def _fenced(text: str) -> str:
    """In a code block, which the text cannot end: never are there three backticks in a row."""
    harmless = text.replace("``", "`\N{ZERO WIDTH SPACE}`")
    return f"```diff\n{harmless}\n```"


def _history_line(t: Translator, number: int, version: Version, *, in_force: bool) -> str:
    if version.kind == "reset":
        text = N_("{number}. <t:{at}:f> <@{user}>: back to the default text")
    elif version.kind == "restore":
        text = N_("{number}. <t:{at}:f> <@{user}>: an earlier text, {length}")
    else:
        text = N_("{number}. <t:{at}:f> <@{user}>: {length}")
    length = t.plural("{count} character", "{count} characters", len(version.text))
    line = t(text, number=number, at=int(version.at), user=version.author, length=length)
    return " ".join([line, t(N_("(in force)"))]) if in_force else line


def _private(content: str, buttons: tuple[Button, ...] = (), files: tuple[ReplyFile, ...] = ()) -> Reply:
    """A reply that stays between the bot and the person, also where it replaces an earlier one."""
    return Reply(content, buttons=buttons, files=files, private=True)


def _show_button(t: Translator) -> Button:
    return Button("instruction-page:0", t(N_("Show the instruction")))


def _history_button(t: Translator) -> Button:
    return Button("instruction-history:", t(N_("History")))


def _problem(t: Translator, bad: BadText) -> str:
    return t(_PROBLEMS[bad.problem], most=FILE_MOST // KIB)


def _check(call: WorkCall[Any]) -> None:
    """Who may change it is checked again: it can have changed since the acknowledgement."""
    if not may_teach(call.services.store, call.actor):
        raise Sorry(call.t(_MANAGERS_ONLY))


def _is_number(text: str) -> bool:
    """Whether a custom id's subject is a number as we write them: it may be forged."""
    return text.isascii() and text.isdecimal() and len(text) <= 20  # noqa: PLR2004 - digits of 64 bits


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
}
MODALS = {"instruction": Handler(acknowledge_form, work_form)}
