"""/export_me: everything that the bot keeps of the person here, as a zip for them alone.

One that Discord does not take, where no link can be given either, comes in parts, a few with each message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from interactions.definitions import Handler, Options, SlashCommand
from interactions.delivery_of_files import LINK_S, with_file
from interactions.failures import Sorry
from interactions.message_links import is_id
from interactions.outbound import Button, Defer, Reply, ReplyFile
from interactions.privacy_wording import count_lines, here
from trainer.i18n import N_

if TYPE_CHECKING:
    from interactions.call import AckCall, WorkCall
    from interactions.payloads import ComponentData
    from trainer.person_parts import Part

FILE_NAME: Final = "trainger-{user}.zip"
PART_NAME: Final = "trainger-{user}-{number}of{of}.zip"
PROGRESS: Final = "⏳ "
FILES_MOST: Final = 10
"""Files that Discord takes with one message."""
MESSAGE_MOST: Final = 25 * 1024 * 1024
"""Bytes that go with one message: all of it is in memory while it is sent."""

_GONE: Final = N_("My copy of these files is gone by now. `/export_me` makes a new one.")


def acknowledge(_: AckCall[Options]) -> Defer:
    """Only for the person's own eyes."""
    return Defer(ephemeral=True)


def acknowledge_more(_: AckCall[ComponentData]) -> Defer:
    """Further parts, for the same eyes only."""
    return Defer(ephemeral=True)


def work(call: WorkCall[Options]) -> Reply:
    """Collect everything, and hand it over."""
    from trainer.person_export import export  # noqa: PLC0415 - acknowledging does without
    from trainer.retention import PERSONAL_DAYS  # noqa: PLC0415 - as above

    t, scope = call.t, call.actor.scope

    def tell(done: int) -> None:
        text = t.plural("{count} thing of yours so far…", "{count} things of yours so far…", done)
        call.tools.progress(PROGRESS + text)

    exported = export(call.services.store, call.actor, call.interaction.id, on_progress=tell)
    if exported is None:
        return Reply(t(N_("I have nothing of yours {here}."), here=here(t, scope)))
    lines = [
        t(N_("This is everything that I keep of you {here}, as readable JSON in a zip:"), here=here(t, scope)),
        *count_lines(t, exported.counts),
        t.plural(
            "-# My copy of the zip goes within {count} day.",
            "-# My copy of the zip goes within {count} days.",
            PERSONAL_DAYS,
        ),
    ]
    name = FILE_NAME.format(user=call.actor.user_id)
    store, most = call.services.store, call.interaction.attachment_size_limit
    if exported.size > most and store.url(exported.key, expires_s=LINK_S, filename=name) is None:
        in_parts = _in_parts(call, lines, call.interaction.id, most)
        if in_parts is not None:
            return in_parts
    return with_file(call, "\n".join(lines), key=exported.key, name=name, size=exported.size)


def work_more(call: WorkCall[ComponentData]) -> Reply:
    """The parts from a number on, of an export of whoever presses."""
    from trainer.person_parts import parts_of  # noqa: PLC0415 - acknowledging does without

    export_id, _, first = call.subject.partition(":")
    if not is_id(export_id) or not is_id(first):
        raise Sorry(call.t(_GONE))
    parts = parts_of(call.services.store, call.actor, export_id)
    left = [part for part in parts if part.number >= int(first)]
    if not left or any(part.size > call.interaction.attachment_size_limit for part in left):
        raise Sorry(call.t(_GONE))
    return _handing_over(call, [], export_id, left)


def _in_parts(call: WorkCall[Options], lines: list[str], export_id: str, most: int) -> Reply | None:
    """The first parts, and how to get the others; None if it cannot be done in parts."""
    from trainer.person_parts import split  # noqa: PLC0415 - acknowledging does without

    t = call.t
    done = split(call.services.store, call.actor, export_id, min(most, MESSAGE_MOST))
    if done is None:
        return None
    text = t.plural(
        "It is too large for one file, so it comes in {count} part, which opens by itself.",
        "It is too large for one file, so it comes in {count} parts, each of which opens by itself.",
        len(done.parts),
    )
    lines = [*lines, text]
    if done.cut:
        lines.append(
            t(
                N_(
                    "-# Files too large even for that are cut into pieces: `.001`, `.002` and so on. 7-Zip joins "
                    "them, and so does `cat name.0* > name`."
                )
            )
        )
    return _handing_over(call, lines, export_id, done.parts)


def _handing_over(call: WorkCall[Any], lines: list[str], export_id: str, parts: list[Part]) -> Reply:
    """As many of the parts as go with one message, and a button for those after them."""
    t, size = call.t, 0
    now: list[Part] = []
    for part in parts[:FILES_MOST]:
        size += part.size
        if now and size > MESSAGE_MOST:
            break
        now.append(part)
    files = tuple(
        ReplyFile(
            PART_NAME.format(user=call.actor.user_id, number=part.number, of=part.of),
            content_type="application/zip",
            key=part.key,
        )
        for part in now
    )
    first, last, of = now[0].number, now[-1].number, now[0].of
    numbers = str(first) if first == last else f"{first}–{last}"
    lines = [*lines, t(N_("📦 {numbers} of {of}"), numbers=numbers, of=of)]
    buttons = (Button(f"export:{export_id}:{last + 1}", t(N_("Next parts")), style="primary"),) if last < of else ()
    return Reply("\n".join(lines), files=files, buttons=buttons)


COMMANDS = (
    SlashCommand(
        name="export_me",
        description=N_("Get a copy of everything that I keep of you here"),
        handler=Handler(acknowledge, work),
    ),
)
BUTTONS = {"export": Handler(acknowledge_more, work_more)}
