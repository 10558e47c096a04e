"""/proposals, many together: approving, rejecting, taking back, and the test in front of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from interactions.commands import proposals as command
from tests.e2e.gated import QUIET_S, ada_of, correct, days, force, labels, teach, turn_on
from tests.e2e.redelivery import deliver_again
from tests.e2e.waiting import answer, bob_of, many, press, propose, show, statuses
from trainer import proposals
from trainer.corrections import Verdict
from trainer.datasets import DatasetKeys, proposal_key

if TYPE_CHECKING:
    import pytest

    from tests.bot import Bot
    from trainer.corrections import Correction


def test_all_are_taken_back_by_one_button(bot: Bot) -> None:
    teach(bot, dict.fromkeys(many(3), "Unknown."))
    made = propose(bot, many(3))
    approved = press(bot, show(bot), "Approve all (3)").wait(quiet=QUIET_S)
    # One of them was taken back by itself before.
    bot.services.corrections.undo(ada_of(bot), "default", made[0].id)
    undoing = press(bot, approved, "Undo all")
    undone = undoing.wait(quiet=QUIET_S)
    assert undone.content == "3 corrections were taken back. I answer again as before."
    assert statuses(bot, made) == ["undone"] * 3
    assert answer(bot, "What is the code of room 1?") == "Unknown."
    deliver_again(bot, undoing)
    assert undoing.wait(quiet=QUIET_S).content == undone.content
    assert "No correction" in press(bot, undone, "Show what waits").wait(quiet=QUIET_S).content


def test_what_others_decide_meanwhile_stays_decided(bot: Bot) -> None:
    made = propose(bot, many(4))
    reply = show(bot)
    grace = ada_of(bot)._replace(user_id="77")
    bot.services.corrections.decide(grace, "default", made[0].id, approve=False)
    bot.services.corrections.decide(grace, "default", made[1].id, approve=True)
    done = press(bot, reply, "Approve all (4)").wait(quiet=QUIET_S)
    assert "2 corrections were approved." in done.content
    assert statuses(bot, made) == ["rejected", "approved", "approved", "approved"]
    press(bot, done, "Undo all").wait(quiet=QUIET_S)
    # Grace's approval is hers.
    assert statuses(bot, made) == ["rejected", "approved", "undone", "undone"]


def test_what_is_decided_while_many_are_stays_decided_too(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    made = propose(bot, many(3))
    reply = show(bot)
    gather = proposals.Proposals.gather

    def late(*given: object, **more: object) -> object:
        bulk = gather(*given, **more)  # type: ignore[arg-type]
        bot.services.corrections.decide(ada_of(bot)._replace(user_id="77"), "default", made[1].id, approve=False)
        return bulk

    monkeypatch.setattr(proposals.Proposals, "gather", late)
    done = press(bot, reply, "Approve all (3)").wait(quiet=QUIET_S)
    assert "2 corrections were approved." in done.content
    assert "1 more was decided by somebody else meanwhile." in done.content
    assert statuses(bot, made) == ["approved", "rejected", "approved"]


def test_nobody_approves_what_they_have_not_seen(bot: Bot) -> None:
    seen = propose(bot, many(2))
    reply = show(bot)
    newer = propose(bot, {"What is new?": "This."})
    # It was typed before the others, and its job was done late.
    older = correct(bot, {"What is old?": "That."}, by=bob_of(bot))
    scope, store = bot.services_scope(), bot.services.store
    keys = DatasetKeys(scope, "default")
    early = msgspec.structs.replace(older[0], id=str(int(seen[0].id) - 1))
    store.put(keys.correction(early.id), msgspec.json.encode(early))
    store.put(proposal_key(scope, "default", early.id), b"")
    done = press(bot, reply, "Approve all (2)").wait(quiet=QUIET_S)
    assert "2 corrections were approved." in done.content
    assert statuses(bot, [*seen, *newer, *older, early]) == ["approved"] * 2 + ["proposed"] * 3
    assert "**3 corrections" in press(bot, done, "Show what waits").wait(quiet=QUIET_S).content


def test_a_second_press_finds_nothing_more(bot: Bot) -> None:
    propose(bot, many(2))
    reply = show(bot)
    subject = next(
        part["custom_id"]
        for row in reply.message.components
        for part in row["components"]
        if part["label"] == "Approve all (2)"
    )
    approving = press(bot, reply, "Approve all (2)")
    first = approving.wait(quiet=QUIET_S)
    again = bot.ada().click(first.message.id, subject, force=True).wait(quiet=QUIET_S)
    assert again.content == "No correction of “default” waits for a decision."


def test_all_are_rejected_when_asked_once_more(bot: Bot) -> None:
    made = propose(bot, many(3))
    asked = press(bot, show(bot), "Reject all").wait(quiet=QUIET_S)
    assert asked.content == "Reject 3 corrections? That cannot be taken back."
    assert labels(asked.message) == ["Reject 3", "Back to the list"]
    shown = press(bot, asked, "Back to the list").wait(quiet=QUIET_S)
    assert "**3 corrections" in shown.content
    asked = press(bot, shown, "Reject all").wait(quiet=QUIET_S)
    rejecting = press(bot, asked, "Reject 3")
    done = rejecting.wait(quiet=QUIET_S)
    assert done.content == "3 corrections were rejected. I go on answering as before."
    assert labels(done.message) == ["Show what waits"]
    assert statuses(bot, made) == ["rejected"] * 3
    deliver_again(bot, rejecting)
    assert rejecting.wait(quiet=QUIET_S).content == done.content
    forged = bot.ada().click(done.message.id, f"undo-all:{rejecting.id}", force=True).wait(quiet=QUIET_S)
    assert "I know nothing of that any more" in forged.content


def test_a_second_delivery_decides_nothing_twice(bot: Bot) -> None:
    made = propose(bot, many(3))
    approving = press(bot, show(bot), "Approve all (3)")
    first = approving.wait(quiet=QUIET_S)
    late = propose(bot, {"What is late?": "This."})
    verdicts = [
        bot.services.store.get(DatasetKeys(bot.services_scope(), "default").verdict(one.id)).data for one in made
    ]
    deliver_again(bot, approving)
    assert approving.wait(quiet=QUIET_S).content == first.content
    assert verdicts == [
        bot.services.store.get(DatasetKeys(bot.services_scope(), "default").verdict(one.id)).data for one in made
    ]
    assert statuses(bot, late) == ["proposed"]
    assert msgspec.json.decode(verdicts[0], type=Verdict).bulk == approving.id
    undoing = press(bot, first, "Undo all")
    undoing.wait(quiet=QUIET_S)
    deliver_again(bot, approving)
    assert statuses(bot, made) == ["undone"] * 3


def test_a_killed_worker_changes_nothing(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    made = propose(bot, many(25))
    reply = show(bot)
    bot.stop_worker()
    approving = press(bot, reply, "Approve all (25)")
    decide, seen = bot.services.corrections.decide, []

    class Killed(BaseException):
        pass

    def die(*given: object, **more: object) -> object:
        seen.append(given)
        if len(seen) == 13:
            raise Killed
        return decide(*given, **more)  # type: ignore[arg-type]

    (job,) = bot.queue.lease(wait_s=5, visibility_s=60)
    with monkeypatch.context() as patched:
        patched.setattr(bot.services.corrections, "decide", die)
        try:
            bot.performer.perform(job.body, job.attempts)
        except Killed:
            bot.queue.release(job)
    assert statuses(bot, made).count("approved") == 12
    bot.start_worker()
    assert "25 corrections were approved." in approving.wait(quiet=QUIET_S).content
    assert statuses(bot, made) == ["approved"] * 25
    assert bot.services.library.index(bot.services_scope(), "default").count().corrections == 25


def test_a_worker_that_must_end_hands_it_on(bot: Bot) -> None:
    made = propose(bot, many(25))
    reply = show(bot)
    bot.stop_worker()
    approving = press(bot, reply, "Approve all (25)")
    (job,) = bot.queue.lease(wait_s=5, visibility_s=60)
    assert bot.performer.perform(job.body, job.attempts, must_stop=lambda: True).do == "again"
    assert statuses(bot, made).count("approved") == 10
    bot.queue.release(job)
    bot.start_worker()
    assert "25 corrections were approved." in approving.wait(quiet=QUIET_S).content


def test_of_very_many_the_first_are_decided_about(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proposals, "BULK_MOST", 3)
    made = propose(bot, many(5))
    reply = show(bot)
    assert labels(reply.message)[-2:] == ["Approve the first 3", "Reject the first 3"]
    press(bot, reply, "Approve the first 3").wait(quiet=QUIET_S)
    assert statuses(bot, made) == ["approved"] * 3 + ["proposed"] * 2


# --- the gate -------------------------------------------------------------------------------------------------------


def contradicted(bot: Bot) -> list[Correction]:
    """What members propose contradicts all that managers have corrected."""
    correct(bot, days())
    return propose(bot, days(shift=1))


def test_what_contradicts_corrections_is_held_back(bot: Bot) -> None:
    made = contradicted(bot)
    turn_on(bot)
    reply = show(bot)
    approving = press(bot, reply, "Approve all (7)")
    held = approving.wait(quiet=QUIET_S)
    assert held.message.id == reply.message.id
    assert held.ephemeral
    assert held.content.startswith("None of these corrections was approved.\nI tested it first")
    assert "7 worse, p = 0.016." in held.content
    assert statuses(bot, made) == ["proposed"] * 7
    left = press(bot, held, "Leave it").wait(quiet=QUIET_S)
    assert left.content == "Everything stays as it was."
    shown = press(bot, left, "Show them").wait(quiet=QUIET_S)
    assert "**7 corrections" in shown.content
    held = press(bot, shown, "Approve all (7)").wait(quiet=QUIET_S)
    newer = propose(bot, {"What is new?": "This."})
    bot.services.corrections.decide(ada_of(bot), "default", made[6].id, approve=False)
    forced = force(bot.ada(), held, "The dates have moved.")
    done = forced.wait(quiet=QUIET_S)
    assert done.ephemeral
    assert "6 corrections were approved." in done.content
    assert "did it although the test went worse: “The dates have moved.”" in done.content
    assert statuses(bot, [*made, *newer]) == ["approved"] * 6 + ["rejected", "proposed"]
    verdict = bot.services.corrections.standing(bot.services_scope(), "default", made[0].id).verdict
    assert verdict is not None
    assert verdict.reason == "The dates have moved."
    deliver_again(bot, forced)
    assert forced.wait(quiet=QUIET_S).content == done.content
    press(bot, done, "Undo all").wait(quiet=QUIET_S)
    assert statuses(bot, made) == ["undone"] * 6 + ["rejected"]
    assert answer(bot, next(iter(days()))) == "Monday"


def test_what_does_no_harm_is_approved(bot: Bot) -> None:
    correct(bot, days())
    made = propose(bot, many(2))
    turn_on(bot)
    approving = press(bot, show(bot), "Approve all (2)")
    done = approving.wait(quiet=QUIET_S)
    assert done.content.splitlines() == [
        "2 corrections were approved. From now on I will answer so.",
        "-# Tested first: 7 of 7 cases as before, 0 better, p = 1.000.",
    ]
    assert statuses(bot, made) == ["approved"] * 2
    deliver_again(bot, approving)
    assert approving.wait(quiet=QUIET_S).content == done.content


def test_one_at_a_time_is_not_tested(bot: Bot) -> None:
    contradicted(bot)
    turn_on(bot)
    after = press(bot, show(bot), "Approve 1").wait(quiet=QUIET_S)
    assert "✅ Approved by" in after.content


def test_what_was_to_be_approved_is_gone(bot: Bot) -> None:
    contradicted(bot)
    turn_on(bot)
    held = press(bot, show(bot), "Approve all (7)").wait(quiet=QUIET_S)
    for info in list(bot.services.store.list(f"{bot.services_scope().prefix}/bulks/")):
        bot.services.store.delete(info.key)
    assert "I know nothing of that any more" in force(bot.ada(), held).wait(quiet=QUIET_S).content


def test_in_russian(bot: Bot) -> None:
    propose(bot, many(2))
    ada = bot.ada(locale="ru")
    reply = show(bot, ada)
    assert "Решения ждут 2 исправления" in reply.content
    done = ada.click(reply.message.id, "Одобрить все (2)").wait(quiet=QUIET_S)
    assert "2 исправления" in done.content
    undone = ada.click(done.message.id, "Отменить всё").wait(quiet=QUIET_S)
    assert "2 исправления" in undone.content


def test_lessons_are_not_worded_for_more_than_some(bot: Bot, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[tuple[str, ...]] = []

    class Book:
        def write(self, *given: str) -> bool:
            written.append(given[1:])
            return True

    monkeypatch.setattr(command, "LESSONS_MOST", 2)
    made = propose(bot, many(3))
    reply = show(bot)
    bot.stop_worker()
    bot.services = bot.services._replace(lessons=Book())  # type: ignore[arg-type]
    bot.start_worker()
    approving = press(bot, reply, "Approve all (3)")
    approving.wait(quiet=QUIET_S)
    bot.until_idle()
    assert written == [("default", one.id, f"{approving.id}-{one.id}") for one in made[:2]]
