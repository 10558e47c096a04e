"""How the instruction, its versions and changes of it are told of. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from interactions.gate_wording import reason_line
from interactions.outbound import Button, Reply
from trainer.i18n import N_

if TYPE_CHECKING:
    from interactions.outbound import ReplyFile
    from trainer.i18n import Translator
    from trainer.instructions import Draft, Version


def whose(t: Translator, version: Version | None) -> str:
    """Whose text it is, in small print."""
    if version is None or not version.text:
        return t(N_("The default text"))
    return t(N_("Changed by <@{user}> <t:{at}:R>"), user=version.author, at=int(version.at))


def question(t: Translator, draft: Draft) -> str:
    """What is asked before a draft is applied."""
    if draft.kind == "reset":
        return t(N_("Go back to the default text? This would change:"))
    if draft.kind == "restore":
        return t(N_("Bring that version back? This would change:"))
    return t(N_("This would change:"))


def meanwhile(t: Translator, base: Version) -> str:
    """That somebody else was faster."""
    text = N_("Meanwhile <@{user}> has changed the instruction, so please look at the difference again.")
    return t(text, user=base.author)


def fenced(text: str) -> str:
    """In a code block, which the text cannot end: never are there three backticks in a row."""
    harmless = text.replace("``", "`\N{ZERO WIDTH SPACE}`")
    return f"```diff\n{harmless}\n```"


def history_line(t: Translator, number: int, version: Version, *, in_force: bool) -> str:
    """One line of the history; two where there is a reason to tell."""
    if version.kind == "reset":
        text = N_("{number}. <t:{at}:f> <@{user}>: back to the default text")
    elif version.kind == "restore":
        text = N_("{number}. <t:{at}:f> <@{user}>: an earlier text, {length}")
    else:
        text = N_("{number}. <t:{at}:f> <@{user}>: {length}")
    length = t.plural("{count} character", "{count} characters", len(version.text))
    line = t(text, number=number, at=int(version.at), user=version.author, length=length)
    if in_force:
        line = " ".join([line, t(N_("(in force)"))])
    return f"{line}\n{reason_line(t, version.reason)}" if version.reason else line


def private_reply(content: str, buttons: tuple[Button, ...] = (), files: tuple[ReplyFile, ...] = ()) -> Reply:
    """A reply that stays between the bot and the person, also where it replaces an earlier one."""
    return Reply(content, buttons=buttons, files=files, private=True)


def show_button(t: Translator) -> Button:
    """Shows the text."""
    return Button("instruction-page:0", t(N_("Show the instruction")))


def history_button(t: Translator) -> Button:
    """Shows the versions."""
    return Button("instruction-history:", t(N_("History")))


def applied_buttons(t: Translator, version: Version) -> tuple[Button, ...]:
    """Below a change that counts: what takes it back comes first."""
    undo = Button(f"instruction-undo:{version.id}", t(N_("Undo")), emoji="↩️")
    return (undo, show_button(t), history_button(t))
