"""/forget_me: deletes everything of the person here, after asking, and says how much that was."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

from interactions.definitions import Handler, Options, SlashCommand
from interactions.outbound import Button, Defer, DeferUpdate, Reply
from interactions.privacy_wording import count_lines, here, told
from interactions.wording import plain
from trainer import records
from trainer.datasets import forgotten_key
from trainer.i18n import N_
from trainer.ports import PortError

if TYPE_CHECKING:
    from collections.abc import Callable

    from interactions.call import AckCall, WorkCall
    from interactions.payloads import ComponentData
    from trainer.i18n import Translator
    from trainer.privacy import Copies

COPIES_SHOWN: Final = 5
"""Files that a receipt names."""
PROGRESS: Final = "⏳ "

log = logging.getLogger(__name__)


def acknowledge(_: AckCall[Options]) -> Defer:
    """Only for the person's own eyes."""
    return Defer(ephemeral=True)


def acknowledge_press(_: AckCall[ComponentData]) -> DeferUpdate:
    """The message with the buttons becomes the receipt."""
    return DeferUpdate()


def work(call: WorkCall[Options]) -> Reply:
    """Say what there is, and ask."""
    from trainer.privacy import take_stock  # noqa: PLC0415 - acknowledging does without

    t, scope = call.t, call.actor.scope
    counts = take_stock(call.services.store, scope, call.actor.user_id, _progress(call)).counts
    if not told(counts):
        return Reply(t(N_("I have nothing of yours {here}."), here=here(t, scope)), private=True)
    lines = [
        t(N_("**Shall I delete everything of yours {here}? That cannot be undone.**"), here=here(t, scope)),
        *count_lines(t, counts),
        t(N_("Commands of yours that I have not got to yet will not be done.")),
        t(N_("-# Messages in Discord are not mine to delete. `/export_me` gives you a copy first.")),
    ]
    buttons = (
        Button("forget:all", t(N_("Delete everything")), style="danger"),
        Button("forget:keep", t(N_("Keep it"))),
    )
    return Reply("\n".join(lines), buttons=buttons, private=True)


def work_press(call: WorkCall[ComponentData]) -> Reply:
    """Delete, or leave everything as it is. Whoever presses decides about their own data alone."""
    from trainer.privacy import copies_of, forget  # noqa: PLC0415 - acknowledging does without
    from trainer.retention import DAY_S  # noqa: PLC0415 - as above

    t, store, scope = call.t, call.services.store, call.actor.scope
    if call.subject != "all":
        return Reply(t(N_("Nothing was deleted.")), private=True)
    _stop_listening(call)
    forgotten, datasets = forget(store, call.actor, call.interaction.id, on_progress=_progress(call))
    if call.services.voice is not None and scope.kind == "guild":
        # As it is now: they may have agreed anew.
        call.services.voice.tell_consent(scope.id, call.actor.user_id)
    for dataset in datasets:
        call.services.library.index(scope, dataset)
    _drop_dead_letters(call)
    if told(forgotten.counts):
        lines = [t(N_("**Done: I have forgotten you {here}.** This is what went:"), here=here(t, scope))]
        lines += count_lines(t, forgotten.counts)
    else:
        lines = [t(N_("There was nothing left of yours {here}."), here=here(t, scope))]
    lines.append(t(N_("-# I keep a note with your id and the time, so that nothing of before comes back.")))
    copies = copies_of(store, scope, forgotten)
    if not copies.keys:
        return Reply("\n".join(lines), private=True)
    goes_at = int(forgotten.at + call.services.policy.uninstalled_days * DAY_S)
    lines += _copies_lines(t, copies, goes_at, is_manager=call.actor.is_manager)
    button = Button(f"forgetcopies:{forgotten.interaction_id}", t(N_("Delete these files now")), style="danger")
    return Reply("\n".join(lines), buttons=(button,) if call.actor.is_manager else (), private=True)


def work_copies(call: WorkCall[ComponentData]) -> Reply:
    """Delete the files that may still hold what the presser asked to be forgotten."""
    from trainer.privacy import Forgotten, delete_copies  # noqa: PLC0415 - acknowledging does without

    t, store, scope = call.t, call.services.store, call.actor.scope
    if not call.actor.is_manager:
        return Reply(t(N_("Only managers (“Manage Server”) delete files of the server.")), whisper="instead")
    forgotten = records.load(store, forgotten_key(scope, call.actor.user_id), Forgotten)
    deleted = 0 if forgotten is None else delete_copies(store, scope, forgotten)
    text = t.plural("{count} file was deleted.", "{count} files were deleted.", deleted)
    return Reply(text if deleted else t(N_("Those files are gone already.")), private=True)


def _stop_listening(call: WorkCall[Any]) -> None:
    """Have the voice sidecar know at once. Deleting must not wait for that: it is told again afterwards."""
    if call.services.voice is None or call.actor.scope.kind != "guild":
        return
    try:
        call.services.voice.tell_consent(call.actor.scope.id, call.actor.user_id, agreed=False)
    except PortError as error:
        log.warning("the sidecar is not told yet", extra={"error": type(error).__name__})


def _drop_dead_letters(call: WorkCall[Any]) -> None:
    """Of jobs that were given up. If that fails, housekeeping does it within the hour."""
    from interactions.forgetting import drop_dead_letters  # noqa: PLC0415 - acknowledging does without

    if call.services.queue is None:
        return
    try:
        drop_dead_letters(call.services.queue, call.services.store)
    except PortError as error:
        log.warning("dead letters not looked at", extra={"error": type(error).__name__})


def _copies_lines(t: Translator, copies: Copies, goes_at: int, *, is_manager: bool) -> list[str]:
    """Which files were made from everybody's data in that time, and when they go."""
    count = len(copies.keys)
    lines = [
        t.plural(
            "{count} archive or export was made in that time and may still hold some of it. It goes on {date}:",
            "{count} archives and exports were made in that time and may still hold some of it. They go on {date}:",
            count,
            date=f"<t:{goes_at}:D>",
        )
    ]
    lines += [f"• {plain(key.rpartition('/')[2])}" for key in copies.keys[:COPIES_SHOWN]]
    if count > COPIES_SHOWN or copies.more:
        lines.append("• …")
    if not is_manager:
        lines.append(t(N_("-# I cannot change such a file, and others may need it until then to make a new one.")))
    return lines


def _progress(call: WorkCall[Any]) -> Callable[[int], None]:
    def tell(done: int) -> None:
        text = call.t.plural("{count} thing of yours so far…", "{count} things of yours so far…", done)
        call.tools.progress(PROGRESS + text)

    return tell


COMMANDS = (
    SlashCommand(
        name="forget_me",
        description=N_("Delete everything that I keep of you here"),
        handler=Handler(acknowledge, work),
    ),
)
BUTTONS = {
    "forget": Handler(acknowledge_press, work_press),
    "forgetcopies": Handler(acknowledge_press, work_copies),
}
