"""Buttons that add cases to a dataset's own, and take them out again: what failed in a run, and 👎 answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from interactions.commands.test import TESTERS_ONLY, acknowledge_privately
from interactions.definitions import Handler
from interactions.failures import Sorry
from interactions.message_links import is_id
from interactions.outbound import EPHEMERAL, Button, DeferUpdate, Reply, Say
from interactions.permission import refusal_to_teach
from interactions.wording import plain
from trainer.answers import load_answer
from trainer.i18n import N_
from trainer.settings import may_teach

if TYPE_CHECKING:
    from interactions.call import AckCall, WorkCall
    from interactions.payloads import ComponentData
    from trainer.answers import AnswerRecord
    from trainer.evaluation.cases import Case
    from trainer.evaluation.results import Run
    from trainer.i18n import Translator

_GONE: Final = N_("The cases of that run are no longer kept, so I cannot do that any more.")
_NO_ANSWER: Final = N_("I cannot find that answer here.")
_PRIVATE: Final = N_("That answer was private, and tests are for everybody who teaches me here to read.")
_NOTHING: Final = N_("Nothing failed in that run.")


def acknowledge_undo(call: AckCall[ComponentData]) -> DeferUpdate | Say:
    """What comes of it takes the place of the message with the button."""
    return refusal_to_teach(call, TESTERS_ONLY) or DeferUpdate()


def work_add(call: WorkCall[ComponentData]) -> Reply:
    """“Add failures to the tests”: its subject is the run."""
    # The engine is slow to import, and acknowledging does without it.
    from trainer.evaluation.regression import ADDED_MOST, add_cases  # noqa: PLC0415
    from trainer.evaluation.reviewing import failures  # noqa: PLC0415
    from trainer.evaluation.store import DetailGone, Runs  # noqa: PLC0415

    t, store, scope = call.t, call.services.store, call.actor.scope
    run = _run(call)
    try:
        cases = failures(Runs(store), scope, run)
    except DetailGone:
        raise Sorry(t(_GONE)) from None
    dataset = run.subject.dataset
    done = add_cases(store, call.actor, dataset, cases, run_id=run.id, owner=run.author)
    lines = []
    if done.added:
        lines.append(t.plural(
            "{count} case is now among the tests of “{dataset}”: `/test` without a file runs them.",
            "{count} cases are now among the tests of “{dataset}”: `/test` without a file runs them.", done.added,
            dataset=plain(dataset),
        ))  # fmt: skip
    if done.known:
        lines.append(t.plural("{count} was there already.", "{count} were there already.", done.known))
    if done.left_out:
        lines.append(t.plural(
            "{count} was left out: more than {most} cannot be added.",
            "{count} were left out: more than {most} cannot be added.", done.left_out, most=ADDED_MOST,
        ))  # fmt: skip
    undo = (_undo(t, f"test_unadd:{run.id}"),) if done.added else ()
    return Reply("\n".join(lines) or t(_NOTHING), buttons=undo)


def work_unadd(call: WorkCall[ComponentData]) -> Reply:
    """Take out again what was added from a run."""
    from trainer.evaluation.regression import added_cases, remove_case  # noqa: PLC0415 - as above
    from trainer.evaluation.reviewing import failures  # noqa: PLC0415 - as above
    from trainer.evaluation.store import DetailGone, Runs  # noqa: PLC0415 - as above

    t, store, scope = call.t, call.services.store, call.actor.scope
    if not may_teach(store, call.actor):
        return Reply(t(TESTERS_ONLY), whisper="instead")
    run = _run(call)
    dataset = run.subject.dataset
    runs, sources = Runs(store), {run.id}
    # Cases of a run that repeats another one's failures are kept as that one's.
    before: Run | None = run
    while before is not None and before.reruns:
        sources.add(before.reruns)
        before = runs.load(scope, before.reruns)
    try:
        failed = set(map(_content, failures(runs, scope, run)))
    except DetailGone:
        raise Sorry(t(_GONE)) from None
    count = 0
    for one in added_cases(store, scope, dataset):
        if one.origin == "run" and one.source in sources and _content(one.case) in failed:
            remove_case(store, call.actor, dataset, one.case.id)
            count += 1
    text = t.plural(
        "{count} case is out of the tests of “{dataset}” again.",
        "{count} cases are out of the tests of “{dataset}” again.", count, dataset=plain(dataset),
    )  # fmt: skip
    return _in_place(call, text)


def work_add_answer(call: WorkCall[ComponentData]) -> Reply:
    """“Add to the tests” after a 👎: its subject is the answer."""
    from trainer.evaluation.regression import add_answer  # noqa: PLC0415 - as above

    t = call.t
    answer = _answer(call)
    _, done = add_answer(call.services.store, call.actor, answer)
    if done.left_out:
        raise Sorry(t(N_("There are too many tests already, so this one was not added.")))
    if done.known:
        return Reply(t(N_("It is among the tests already.")), buttons=(_undo(t, f"test_unanswer:{answer.id}"),))
    if answer.text.strip():
        text = N_(
            "From now on, `/test` checks that I don't say that again. If you correct the answer, that is the test."
        )
    else:
        text = N_(
            "From now on, `/test` checks that I have an answer. If you tell me the right one, that is the test."
        )
    return Reply(t(text), buttons=(_undo(t, f"test_unanswer:{answer.id}"),))


def work_unadd_answer(call: WorkCall[ComponentData]) -> Reply:
    """Take a 👎 answer out of the tests again."""
    from trainer.evaluation.regression import answer_case, remove_case  # noqa: PLC0415 - as above

    if not may_teach(call.services.store, call.actor):
        return Reply(call.t(TESTERS_ONLY), whisper="instead")
    answer = _answer(call)
    remove_case(call.services.store, call.actor, answer.dataset, answer_case(answer).id)
    return _in_place(call, call.t(N_("It is out of the tests again.")))


def _run(call: WorkCall[ComponentData]) -> Run:
    """The run that a button is about, in the person's own scope: what the button says may be forged."""
    from trainer.evaluation.store import Runs  # noqa: PLC0415 - as above

    if not may_teach(call.services.store, call.actor):
        raise Sorry(call.t(TESTERS_ONLY))
    run = Runs(call.services.store).load(call.actor.scope, call.subject) if is_id(call.subject) else None
    if run is None:
        raise Sorry(call.t(_GONE))
    return run


def _content(case: Case) -> bytes:
    """What a case asks and expects, whatever it is called."""
    return msgspec.json.encode((case.question, case.checks, case.former))


def _answer(call: WorkCall[ComponentData]) -> AnswerRecord:
    """The answer that a button is about; one that only one person saw stays between us."""
    store, actor = call.services.store, call.actor
    if not may_teach(store, actor):
        raise Sorry(call.t(TESTERS_ONLY))
    answer = load_answer(store, actor.scope, call.subject) if is_id(call.subject) else None
    if answer is None:
        raise Sorry(call.t(_NO_ANSWER))
    if answer.private and actor.scope.kind == "guild":
        raise Sorry(call.t(_PRIVATE))
    return answer


def _undo(t: Translator, custom_id: str) -> Button:
    return Button(custom_id, t(N_("Undo")), emoji="↩️")


def _in_place(call: WorkCall[ComponentData], text: str) -> Reply:
    """What takes the place of a message with an Undo button, which only one person sees."""
    message = call.interaction.message
    return Reply(text, private=message is not None and bool(message.flags & EPHEMERAL))


BUTTONS = {
    "test_add": Handler(acknowledge_privately, work_add),
    "test_unadd": Handler(acknowledge_undo, work_unadd),
    "test_answer": Handler(acknowledge_privately, work_add_answer),
    "test_unanswer": Handler(acknowledge_undo, work_unadd_answer),
}
