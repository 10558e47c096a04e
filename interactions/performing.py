"""Does one job: runs the command's slow half, keeps what came out, shows it. Decides what becomes of the job."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import msgspec

from interactions.actor import actor_of, has_installed
from interactions.attachments import AttachmentRefused, AttachmentUnavailable
from interactions.call import AckCall, WorkCall
from interactions.definitions import BadOptions
from interactions.discord_api import DiscordError, DiscordUnavailable, Gone, Refused, TokenExpired
from interactions.dispatch import UnknownCommand, find
from interactions.failures import HandOn, Sorry, attachment_sentence, given_up, reference
from interactions.forgetting import dropped
from interactions.jobs import MalformedJob, unpack
from interactions.limiting import too_many
from interactions.outbound import Defer, DeferUpdate, Reply, message_json
from interactions.outcomes import load_outcome, save_outcome
from trainer import logs
from trainer.i18n import N_, translator
from trainer.installation import Installed
from trainer.ports import ModelUnavailable, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from interactions.discord_api import DiscordApi
    from interactions.outbound import Acknowledgement, Button
    from interactions.payloads import AnyInteraction, Attachment
    from interactions.publishing import Publisher
    from interactions.registry import Registry
    from interactions.uploads import Uploads
    from trainer.scope import Actor, Scope
    from trainer.services import Services

PROGRESS_EVERY_S: Final = 1.0
PROGRESS_PATIENCE_S: Final = 2.0
"""How long showing progress may hold up the work."""
VOICE_PATIENCE_S: Final = 3.0
"""How long to ask where somebody is in voice."""
PROGRESS_MARK: Final = "⏳ "
TRIES_BUG: Final = 3
"""Deliveries after which an unexpected exception is final."""
TRIES_UNAVAILABLE: Final = 8
"""Deliveries after which an outside thing that does not answer is final: with the waits below some four minutes."""
TRIES_MOST: Final = 12
"""Deliveries after which a job that takes its workers down with it is final."""
WAITS_S: Final = (1, 2, 5, 15, 30, 60, 120, 240)
MIB: Final = 1024 * 1024

log = logging.getLogger(__name__)


class Verdict(NamedTuple):
    """What becomes of a job. again: a new job of the same body goes on, after which this one is complete."""

    do: Literal["complete", "retry", "bury", "again"]
    reason: str = ""
    delay_s: float = 0


class Abandoned(Exception):
    """The job's lease was lost: another worker does it."""


def never() -> bool:
    """A job that nobody else can take, and that may take as long as it likes."""
    return False


DONE: Final = Verdict("complete")


class Performer:
    """Performs jobs, one at a time in each thread."""

    def __init__(
        self,
        registry: Registry,
        services: Services,
        api: DiscordApi,
        publisher: Publisher,
        uploads: Uploads,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._registry = registry
        self._services = services
        self._api = api
        self._publisher = publisher
        self._uploads = uploads
        self._clock = clock
        self._installed = Installed(services.store)

    def perform(
        self,
        body: bytes,
        attempts: int,
        abandoned: Callable[[], bool] = never,
        must_stop: Callable[[], bool] = never,
    ) -> Verdict:
        """Do a job that is being delivered for the `attempts`-th time. Raises nothing.

        Args:
            body: the job.
            attempts: how often it was handed out, this time included.
            abandoned: whether it was taken over by another worker meanwhile: then nothing more is shown.
            must_stop: whether what takes long is to be left to another job.
        """
        try:
            interaction = unpack(body)
        except MalformedJob:
            log.error("not a job")  # noqa: TRY400 - there is nothing more to say
            return Verdict("bury", "MalformedJob")
        with logs.interaction(interaction.id):
            started = self._clock()
            verdict = self._judge(interaction, attempts, abandoned, must_stop)
            seconds = round(self._clock() - started, 3)
            fields = {"do": verdict.do, "reason": verdict.reason, "attempts": attempts, "seconds": seconds}
            log.info("job", extra=fields)
            return verdict

    def _judge(
        self,
        interaction: AnyInteraction,
        attempts: int,
        abandoned: Callable[[], bool],
        must_stop: Callable[[], bool],
    ) -> Verdict:
        actor = actor_of(interaction)
        if actor is None:
            return Verdict("bury", "MalformedJob")
        if attempts > TRIES_MOST:
            return self._give_up(interaction, actor, "WorkerLost")
        if has_installed(interaction):
            self._installed.used(actor.user_id, interaction.id)
        tools = _Tools(self._api, interaction, actor, self._uploads, self._clock, abandoned, must_stop)
        try:
            reply = self._outcome(interaction, actor, tools)
            tools.check()
            self._publisher.publish(interaction, actor, reply, unsure=tools.unsure)
            tools.finish()
        except Abandoned:
            return Verdict("retry", "Abandoned")
        except HandOn as left:
            if left.progressed:
                return Verdict("again", "HandOn", left.delay_s)
            return self._again(interaction, actor, left, attempts, most=TRIES_MOST)
        except (Unavailable, DiscordUnavailable, AttachmentUnavailable) as error:
            return self._again(interaction, actor, error, attempts, most=TRIES_UNAVAILABLE)
        except Refused as error:
            log.error("refused by Discord", extra={"ref": reference(interaction.id), **_discord(error)})  # noqa: TRY400
            return self._give_up(interaction, actor, "Refused")
        except Exception as error:  # noqa: BLE001 - whatever a handler does, the worker goes on and the person is told
            log.error("failed", extra={"ref": reference(interaction.id), **logs.places(error)})  # noqa: TRY400
            return self._again(interaction, actor, error, attempts, most=TRIES_BUG)
        return DONE

    def _outcome(self, interaction: AnyInteraction, actor: Actor, tools: _Tools) -> Reply:
        """The reply: from an earlier delivery if there was one that got so far, else by doing the work."""
        kept = load_outcome(self._services.store, actor.scope, interaction.id)
        if kept is not None:
            return kept
        reply = self._work(interaction, actor, tools)
        tools.check()
        if not reply.kept:
            return reply
        return save_outcome(self._services.store, actor.scope, interaction.id, reply, author=actor.user_id)

    def _work(self, interaction: AnyInteraction, actor: Actor, tools: _Tools) -> Reply:
        t = translator(interaction.locale)
        try:
            target = find(self._registry, interaction)
        except (UnknownCommand, BadOptions):
            return Reply(t(N_("That command looks different by now. Please restart Discord and try again.")))
        if target.handler.work is None:
            raise MalformedJob(target.name)
        acknowledged = target.handler.acknowledge(
            AckCall(interaction, actor, t, target.given, _NOTHING, target.subject)
        )
        call = WorkCall(interaction, actor, t, target.given, target.subject, self._services, tools)
        log.info("work", extra={"command": target.name})
        try:
            reply = dropped(call) or too_many(self._services.limits, call, target.name) or target.handler.work(call)
        except Sorry as sorry:
            reply = Reply(sorry.sentence)
        except AttachmentRefused as refused:
            reply = Reply(attachment_sentence(t, refused.reason, self._uploads.max_bytes // MIB))
        except ModelUnavailable as error:
            if error.retryable:
                raise
            reply = Reply(given_up(t, "ModelUnavailable", reference(interaction.id)))
        return _as_acknowledged(reply, acknowledged)

    def _again(
        self, interaction: AnyInteraction, actor: Actor, error: Exception, attempts: int, *, most: int
    ) -> Verdict:
        reason = type(error).__name__
        if attempts >= most:
            return self._give_up(interaction, actor, reason)
        delay = WAITS_S[min(attempts, len(WAITS_S)) - 1]
        log.warning("will try again", extra={"reason": reason, "attempts": attempts, "delay_s": delay})
        return Verdict("retry", reason, delay)

    def _give_up(self, interaction: AnyInteraction, actor: Actor, reason: str) -> Verdict:
        """Tell the person, and move the job to the dead letters, where it can be looked at and repeated."""
        ref = reference(interaction.id)
        log.error("given up", extra={"ref": ref, "reason": reason})
        sentence = given_up(translator(interaction.locale), reason, ref)
        try:
            self._publisher.publish_failure(interaction, actor, Reply(sentence))
        except Exception as error:  # noqa: BLE001 - the job is buried all the same, with its reason
            log.error("could not tell", extra={"ref": ref, **logs.places(error)})  # noqa: TRY400
        return Verdict("bury", f"{reason} {ref}")


class _Tools:
    """The worker's side of `interactions.call.Tools`, for one job."""

    def __init__(
        self,
        api: DiscordApi,
        interaction: AnyInteraction,
        actor: Actor,
        uploads: Uploads,
        clock: Callable[[], float],
        abandoned: Callable[[], bool],
        must_stop: Callable[[], bool],
    ) -> None:
        self._api = api
        self._interaction = interaction
        self._abandoned = abandoned
        self._must_stop = must_stop
        self.unsure = False
        self._actor = actor
        self._uploads = uploads
        self._clock = clock
        self._shown_at = float("-inf")
        self._shown: tuple[str, tuple[Button, ...]] = ("", ())
        self._late = False
        self._later: list[Callable[[], object]] = []

    def check(self) -> None:
        """Raise `Abandoned` if the job is somebody else's by now."""
        if self._abandoned():
            raise Abandoned

    def must_stop(self) -> bool:
        self.check()
        return self._must_stop()

    def progress(self, text: str, buttons: Sequence[Button] = ()) -> None:
        self.check()
        now, shown = self._clock(), (text, tuple(buttons))
        if self._late or now - self._shown_at < PROGRESS_EVERY_S or shown == self._shown:
            return
        self._shown_at, self._shown = now, shown
        message = message_json(text, Reply(text, buttons=shown[1]).components())
        try:
            self._api.within(PROGRESS_PATIENCE_S).edit_original(self._interaction.token, message)
        except (TokenExpired, Gone):
            # Nothing can be shown there any more; the reply finds another way.
            self._late = True
        except DiscordError as error:
            # Progress is a courtesy: the work goes on, and the reply itself is tried again and again.
            log.info("progress not shown", extra=_discord(error))
            # Without an answer, Discord may still show it, even after the reply.
            self.unsure = self.unsure or error.status is None
        self._shown_at = self._clock()

    @contextmanager
    def fetch(self, attachment: Attachment, *, keep: bool = True, most_mib: int | None = None) -> Iterator[Path]:
        owner, most = self._actor.user_id, None if most_mib is None else most_mib * MIB
        with self._uploads.fetch(self._actor.scope, attachment, keep=keep, owner=owner, max_bytes=most) as path:
            yield path

    def voice_channel(self, user_id: str = "") -> str | None:
        self.check()
        guild_id = self._interaction.guild_id
        if guild_id is None:
            return ""
        try:
            state = self._api.within(VOICE_PATIENCE_S).get_voice_state(guild_id, user_id or "@me")
        except DiscordError as error:
            log.info("voice state not known", extra=_discord(error))
            return None
        return "" if state is None else str(state.get("channel_id") or "")

    def afterwards(self, act: Callable[[], object]) -> None:
        self._later.append(act)

    def finish(self) -> None:
        """Do what was to be done afterwards. The reply is out: whatever happens here, the job is done."""
        for act in self._later:
            try:
                act()
            except Exception as error:  # noqa: BLE001 - see above
                log.error("failed after the reply", extra=logs.places(error))  # noqa: TRY400 - no traceback


class _Nothing:
    """The acknowledging half's look-ups, which a worker has no use for."""

    def dataset_names(self, scope: Scope) -> list[str]:
        del scope
        return []

    def trainer_role(self, scope: Scope) -> str | None:
        del scope
        return None


_NOTHING: Final = _Nothing()


def _as_acknowledged(reply: Reply, acknowledgement: Acknowledgement) -> Reply:
    """Who sees the reply: handlers decide that when they acknowledge.

    After that, they can only whisper, or say that the message with the button was private from the start.
    """
    deferred_privately = isinstance(acknowledgement, Defer) and acknowledgement.ephemeral
    private = deferred_privately or reply.private
    whisper = reply.whisper
    if whisper != "no":
        whisper = "beside" if isinstance(acknowledgement, DeferUpdate) else "no" if deferred_privately else "instead"
    return msgspec.structs.replace(reply, private=private, whisper=whisper)


def _discord(error: DiscordError) -> dict[str, object]:
    return {"status": error.status, "code": error.code}
