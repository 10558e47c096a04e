"""What becomes of a job, decided without Discord and without a queue."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, cast

import pytest

from interactions import performing
from interactions.attachments import AttachmentRefused, AttachmentUnavailable
from interactions.definitions import Handler, Options, SlashCommand
from interactions.discord_api import DiscordApi, DiscordUnavailable, Gone, Refused, TokenExpired
from interactions.failures import HandOn, Sorry
from interactions.jobs import pack
from interactions.outbound import Button, Defer, DeferUpdate, Reply, Say
from interactions.performing import DONE, TRIES_BUG, TRIES_MOST, TRIES_UNAVAILABLE, Performer, Verdict
from interactions.registry import Registry
from tests import interactions_made as made
from trainer import records
from trainer.adapters.file_store import FileStore
from trainer.installation import CLOCKS, Clock, clock_key, set_clock
from trainer.ports import ModelUnavailable, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from interactions.call import WorkCall
    from interactions.publishing import Publisher
    from interactions.uploads import Uploads
    from trainer.services import Services


class Shown:
    """Stands for both the publisher and Discord: remembers what people would see."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self.failures: list[str] = []
        self.progress: list[object] = []
        self.components: list[object] = []
        self.error: Exception | None = None

    def publish(self, interaction: object, actor: object, reply: Reply, *, unsure: bool = False) -> None:
        if self.error is not None:
            raise self.error
        self.replies.append(reply)

    def publish_failure(self, interaction: object, actor: object, reply: Reply) -> None:
        if self.error is not None:
            raise self.error
        self.failures.append(reply.content)

    def within(self, deadline_s: float) -> Shown:
        return self

    def edit_original(self, token: str, payload: dict[str, object], files: object = ()) -> str:
        if self.error is not None:
            raise self.error
        self.progress.append(payload["content"])
        self.components.append(payload["components"])
        return "1"


class Rooms:
    """The services that a performer itself needs."""

    def __init__(self, store: FileStore) -> None:
        self.store = store
        self.limits = None


class Files:
    """The limit that a refusal names."""

    max_bytes = 25 * performing.MIB


class Bench:
    """A performer of one command, `/do`, with a clock of its own."""

    def __init__(self, folder: Path) -> None:
        self.shown = Shown()
        self.store = FileStore(folder)
        self.now = 0.0
        self.ran = 0

    def perform(
        self,
        work: Callable[[WorkCall[Options]], Reply] | None,
        *,
        attempts: int = 1,
        private: bool = False,
        must_stop: Callable[[], bool] = performing.never,
        **more: Any,
    ) -> Verdict:
        def counted(call: WorkCall[Options]) -> Reply:
            self.ran += 1
            assert work is not None
            return work(call)

        handler = Handler(lambda call: Defer(ephemeral=private), None if work is None else counted)
        command = SlashCommand(name="do", description="Do it", handler=handler)
        performer = Performer(
            Registry({"do": command}, {}, {}, {}),
            cast("Services", Rooms(self.store)),
            cast("DiscordApi", self.shown),
            cast("Publisher", self.shown),
            cast("Uploads", Files()),
            lambda: self.now,
        )
        interaction = {**made.slash("do"), "id": "100", **more}
        return performer.perform(pack(made.encode(interaction)), attempts, must_stop=must_stop)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def raising(error: Exception) -> Callable[[WorkCall[Options]], Reply]:
    def work(call: WorkCall[Options]) -> Reply:
        raise error

    return work


def test_work_is_done_and_shown(bench: Bench) -> None:
    assert bench.perform(lambda call: Reply("Done.")) == DONE
    assert bench.shown.replies == [Reply("Done.")]


@pytest.mark.parametrize("private", [True, False])
def test_whether_a_reply_is_private_is_decided_once(bench: Bench, private: bool) -> None:
    bench.perform(lambda call: Reply("Done."), private=private)
    assert bench.shown.replies == [Reply("Done.", private=private)]


def test_work_that_was_done_is_not_done_again(bench: Bench) -> None:
    bench.shown.error = DiscordUnavailable()
    assert bench.perform(lambda call: Reply("First.")).do == "retry"
    bench.shown.error = None
    assert bench.perform(lambda call: Reply("Second."), attempts=2) == DONE
    assert bench.shown.replies == [Reply("First.")]
    assert bench.ran == 1


@pytest.mark.parametrize(
    "error",
    [
        StoreUnavailable("x"),
        DiscordUnavailable(),
        AttachmentUnavailable(),
        ModelUnavailable("timeout", retryable=True),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_is_out_of_reach_is_tried_again_and_then_given_up(bench: Bench, error: Exception) -> None:
    verdicts = [bench.perform(raising(error), attempts=n) for n in range(1, TRIES_UNAVAILABLE + 1)]
    assert [verdict.do for verdict in verdicts] == ["retry"] * (TRIES_UNAVAILABLE - 1) + ["bury"]
    delays = [verdict.delay_s for verdict in verdicts[:-1]]
    assert delays == sorted(delays)
    assert delays[0] > 0
    assert verdicts[-1].reason.startswith(type(error).__name__)
    assert len(bench.shown.failures) == 1
    assert "Reference: " in bench.shown.failures[0]


def test_a_bug_is_tried_a_few_times(bench: Bench) -> None:
    verdicts = [bench.perform(raising(KeyError("words")), attempts=n).do for n in range(1, TRIES_BUG + 1)]
    assert verdicts == ["retry"] * (TRIES_BUG - 1) + ["bury"]


def test_a_sentence_for_the_person_is_a_reply(bench: Bench) -> None:
    assert bench.perform(raising(Sorry("No such thing."))) == DONE
    assert bench.shown.replies == [Reply("No such thing.")]


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        ("too_large", "25 MiB"),
        ("expired", "no longer"),
        ("slow", "too long"),
        ("origin", "attached in Discord itself"),
    ],
)
def test_an_attachment_that_is_not_taken_is_explained(bench: Bench, reason: Any, word: str) -> None:
    assert bench.perform(raising(AttachmentRefused(reason))) == DONE
    assert word in bench.shown.replies[0].content


def test_a_model_that_will_never_answer_is_told_at_once(bench: Bench) -> None:
    assert bench.perform(raising(ModelUnavailable("credentials", retryable=False))) == DONE
    assert "language model" in bench.shown.replies[0].content


def test_a_refusal_by_discord_is_final(bench: Bench) -> None:
    bench.shown.error = Refused(400, 50035)
    verdict = bench.perform(lambda call: Reply("x"))
    assert (verdict.do, verdict.reason[:7]) == ("bury", "Refused")


def test_a_job_delivered_too_often_is_given_up_unseen(bench: Bench) -> None:
    assert bench.perform(lambda call: Reply("x"), attempts=TRIES_MOST + 1).do == "bury"
    assert bench.ran == 0


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[]", b'{"interaction": {"type": 1}}', b'{"interaction": {"type": 2}}', b"\xff"],
)
def test_what_is_no_job_is_buried(bench: Bench, body: bytes) -> None:
    performer = Performer(
        Registry({}, {}, {}, {}),
        cast("Services", Rooms(bench.store)),
        cast("DiscordApi", bench.shown),
        cast("Publisher", bench.shown),
        cast("Uploads", Files()),
    )
    assert performer.perform(body, 1) == Verdict("bury", "MalformedJob")


def test_a_job_of_another_version_or_without_a_person_is_buried(bench: Bench) -> None:
    assert bench.perform(lambda call: Reply("x"), member=None) == Verdict("bury", "MalformedJob")
    packed = pack(made.encode(made.slash("do"))).replace(b'"v":1', b'"v":2')
    performer = Performer(
        Registry({}, {}, {}, {}),
        cast("Services", Rooms(bench.store)),
        cast("DiscordApi", bench.shown),
        cast("Publisher", bench.shown),
        cast("Uploads", Files()),
    )
    assert performer.perform(packed, 1) == Verdict("bury", "MalformedJob")


def test_a_command_that_is_gone_by_now_is_explained(bench: Bench) -> None:
    performer = Performer(
        Registry({}, {}, {}, {}),
        cast("Services", Rooms(bench.store)),
        cast("DiscordApi", bench.shown),
        cast("Publisher", bench.shown),
        cast("Uploads", Files()),
    )
    assert performer.perform(pack(made.encode(made.slash("do"))), 1) == DONE
    assert "different by now" in bench.shown.replies[0].content


def test_a_command_without_a_slow_half_is_a_bug(bench: Bench) -> None:
    assert bench.perform(None).do == "retry"


@pytest.mark.parametrize(
    ("owners", "stops"),
    [
        ({"0": made.GUILD, "1": made.ADA}, True),
        ({"1": made.ADA}, True),
        ({"0": made.GUILD}, False),
        ({"0": "0"}, False),
        ({"1": made.BOB}, False),
        ({}, False),
    ],
)
def test_using_the_bot_as_one_who_installed_it_stops_their_clock(
    bench: Bench, owners: dict[str, str], stops: bool
) -> None:
    set_clock(bench.store, made.ADA, time.time() - 60, running=True)
    assert bench.perform(lambda _: Reply("x"), id=made.snowflake(), authorizing_integration_owners=owners) == DONE
    clock = records.load(bench.store, clock_key(made.ADA), Clock)
    assert clock is not None
    assert clock.running != stops


def test_a_clock_that_cannot_be_looked_at_holds_up_nothing(bench: Bench) -> None:
    class Half(FileStore):
        def get(self, key: str) -> Any:
            if key.startswith(CLOCKS):
                raise StoreUnavailable("broken")
            return super().get(key)

    bench.store = Half(bench.store._objects.parent)
    owners = {"1": made.ADA}
    assert bench.perform(lambda _: Reply("x"), authorizing_integration_owners=owners) == DONE


def test_progress_is_shown_at_most_once_a_second(bench: Bench) -> None:
    def work(call: WorkCall[Options]) -> Reply:
        for step in range(40):
            bench.now = step / 10
            call.tools.progress(f"⏳ {step}")
        call.tools.progress("⏳ 30")
        return Reply("Done.")

    bench.perform(work)
    assert bench.shown.progress == ["⏳ 0", "⏳ 10", "⏳ 20", "⏳ 30"]


def test_progress_that_cannot_be_shown_does_not_stop_the_work(bench: Bench) -> None:
    def work(call: WorkCall[Options]) -> Reply:
        bench.shown.error = DiscordUnavailable()
        call.tools.progress("⏳ 1")
        bench.shown.error = None
        return Reply("Done.")

    assert bench.perform(work) == DONE


def test_when_even_the_failure_cannot_be_told_the_job_is_buried(bench: Bench) -> None:
    bench.shown.error = DiscordUnavailable()
    assert bench.perform(raising(KeyError()), attempts=TRIES_BUG).do == "bury"


def test_only_deferrals_are_private_or_what_says_so_itself() -> None:
    assert not performing._as_acknowledged(Reply("x"), DeferUpdate()).private
    assert performing._as_acknowledged(Reply("x", private=True), DeferUpdate()).private
    assert not performing._as_acknowledged(Reply("x"), Say(Reply("x"), ephemeral=True)).private
    assert performing._as_acknowledged(Reply("x"), Defer(ephemeral=True)).private
    assert performing._NOTHING.dataset_names(cast("Any", None)) == []


def test_a_job_that_got_somewhere_is_handed_on(bench: Bench) -> None:
    left = HandOn(progressed=True, delay_s=3)
    verdicts = [bench.perform(raising(left), attempts=n) for n in (1, TRIES_BUG, TRIES_MOST)]
    assert verdicts == [Verdict("again", "HandOn", 3)] * 3
    assert (bench.shown.replies, bench.shown.failures) == ([], [])


def test_a_job_that_gets_nowhere_is_given_up_in_the_end(bench: Bench) -> None:
    verdicts = [bench.perform(raising(HandOn(progressed=False)), attempts=n).do for n in range(1, TRIES_MOST + 1)]
    assert verdicts == ["retry"] * (TRIES_MOST - 1) + ["bury"]
    assert len(bench.shown.failures) == 1


def test_what_was_handed_on_is_done_from_the_beginning(bench: Bench) -> None:
    def work(call: WorkCall[Options]) -> Reply:
        if call.tools.must_stop():
            raise HandOn(progressed=True)
        return Reply("Done.")

    assert bench.perform(work, must_stop=lambda: True).do == "again"
    assert bench.perform(work) == DONE
    assert bench.shown.replies == [Reply("Done.")]


def test_progress_comes_with_buttons(bench: Bench) -> None:
    def work(call: WorkCall[Options]) -> Reply:
        call.tools.progress("⏳ 1", (Button("stop:1", "Stop"),))
        bench.now = 2
        call.tools.progress("⏳ 1")
        return Reply("Done.")

    bench.perform(work)
    button = {"type": 2, "style": 2, "custom_id": "stop:1", "label": "Stop"}
    assert bench.shown.components == [[{"type": 1, "components": [button]}], []]


@pytest.mark.parametrize("error", [TokenExpired(401, 50027), Gone(404, 10008)])
def test_progress_ends_with_the_token(bench: Bench, error: Exception) -> None:
    def work(call: WorkCall[Options]) -> Reply:
        call.tools.progress("⏳ 1")
        bench.now, bench.shown.error = 2, error
        call.tools.progress("⏳ 2")
        bench.now, bench.shown.error = 4, None
        call.tools.progress("⏳ 3")
        return Reply("Done.")

    assert bench.perform(work) == DONE
    assert bench.shown.progress == ["⏳ 1"]
