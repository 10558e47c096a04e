"""Makes runs for a command: begins them, or finds them again, and works them off."""

from __future__ import annotations

import secrets
import time
from contextlib import ExitStack, closing
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from trainer import bootstrap
from trainer.evaluation.cases import CASES_MOST
from trainer.evaluation.console.options import Bar
from trainer.evaluation.console.refusals import Refused
from trainer.evaluation.console.rejecting import Rejecting, case_file
from trainer.evaluation.console.setting_aside import SetAside
from trainer.evaluation.delivery import RunOutcome
from trainer.evaluation.keys import SHARD
from trainer.evaluation.results import Run
from trainer.evaluation.reviewing import baseline_of
from trainer.evaluation.store import NoCases, Runs, Told, TooManyCases, shards_of
from trainer.i18n import N_
from trainer.snowflakes import TIME_BITS, first_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainer.configuration import Configuration
    from trainer.evaluation.cases import Case
    from trainer.evaluation.console.options import Options
    from trainer.evaluation.console.screen import Screen
    from trainer.evaluation.console.stopping import Stop
    from trainer.evaluation.running import Runner
    from trainer.i18n import Translator
    from trainer.ports import ChatModel, ObjectStore
    from trainer.scope import Scope
    from trainer.services import Services

AGAIN_S: Final = 1.0
"""After which to ask again whether another run has ended."""
FORGOTTEN: Final = N_(
    "The cases of that run are no longer kept: they were too old, or somebody asked for their words to be forgotten."
)
_NO_CASES: Final = N_(
    "“{dataset}” has no test cases of its own yet: every correction becomes one by itself. Or give a file of cases."
)


class Interrupted(Exception):
    """A signal ended the run."""

    def __init__(self, sentence: str) -> None:
        super().__init__("interrupted")
        self.sentence = sentence
        """For whoever sent it."""


class Made(NamedTuple):
    """A run that is over."""

    run: Run
    outcome: RunOutcome
    earlier: Run | None = None
    """The run to compare it with, where one was named."""
    rejected: str = ""
    """What of the file made no case."""


class Maker:
    """Makes the runs of one command.

    Args:
        configuration: what the environment decides.
        store: where runs lie; a `SetAside` where they are not to be kept.
        scope: whose they are.
        t: says what is wrong.
        screen: shows how far they are.
        stop: whether a signal came.
        judge: the chat model that judges, if there is one.
    """

    def __init__(
        self,
        configuration: Configuration,
        store: ObjectStore,
        scope: Scope,
        t: Translator,
        screen: Screen,
        stop: Stop,
        judge: ChatModel | None,
    ) -> None:
        self._configuration = configuration
        self._store = store
        self._scope = scope
        self._t = t
        self._screen = screen
        self._stop = stop
        self._judge = judge
        self._runs = Runs(store)

    def made(self, options: Options, dataset: str) -> Made:
        """A new run, over. Raises `Refused`, `Interrupted`, `OSError`."""
        earlier = self._named(options)
        with ExitStack() as stack:
            rejecting = None
            if options.cases is not None:
                file = stack.enter_context(case_file(options.cases))
                rejecting = Rejecting(file, self._t, allowed=options.allow_rejected)
            asked = _Asked(options, dataset, rejecting)
            if options.against is not None and options.against.kind == "model":
                services = stack.enter_context(closing(self._services(options.against.name)))
                earlier = self._begin(_runner(services), asked)
                self._work_off(_runner(services), earlier, baseline=False)
                asked = asked._replace(same_as=earlier)
            services = stack.enter_context(closing(self._services(options.model)))
            run = self._begin(_runner(services), asked)
            outcome = self._work_off(_runner(services), run, baseline=not baseline_of(self._store, self._scope, run))
        return Made(run, outcome, earlier, asked.rejected)

    def resumed(self, options: Options) -> Made:
        """A run that was begun before, over. Raises `Refused`, `Interrupted`."""
        t, scope = self._t, self._scope
        run = self._found(options.resume)
        earlier = self._named(options)
        cancelled = self._runs.cancelled(scope, run.id) is not None
        done = self._done(run)
        if cancelled and done < run.cases and options.bar != Bar():
            raise Refused(t(N_("Somebody ended that run early: it cannot be held against a bar.")))
        if cancelled or done == run.cases:
            return Made(run, RunOutcome("cancelled" if cancelled else "finished", done, run.cases), earlier)
        if run.source == "gate":
            raise Refused(t(N_("That run tests a change before it goes live: only the bot can go on with it.")))
        with closing(self._services("")) as services:
            runner = _runner(services)
            self._check_subject(runner, run)
            outcome = self._work_off(runner, run, baseline=not baseline_of(self._store, scope, run))
        return Made(run, outcome, earlier)

    # --- beginning --------------------------------------------------------------------------------------------------

    def _begin(self, runner: Runner, asked: _Asked) -> Run:
        now = time.time()
        draft = Run(
            id=str(first_of(now) | secrets.randbits(TIME_BITS)),
            author="",
            created_at=now,
            subject=runner.subject(self._scope, asked.dataset),
            cases=0,
            source="regression" if asked.rejecting is None else "file",
            file_name="" if asked.rejecting is None else asked.rejecting.name,
        )
        if isinstance(self._store, SetAside):
            self._store.set_aside(draft.id)
        try:
            return self._runs.begin(self._scope, draft, self._cases(runner, asked), lambda: asked.rejections)
        except NoCases:
            raise Refused(self._no_cases(asked)) from None
        except TooManyCases:
            raise Refused(
                self._t(N_("That is more than I test at a time: at most {most} cases."), most=CASES_MOST)
            ) from None

    def _cases(self, runner: Runner, asked: _Asked) -> Iterator[Case | Told]:
        if asked.same_as is not None:
            return iter(self._runs.cases(self._scope, asked.same_as.id))
        cases: Iterator[Case | Told]
        if asked.rejecting is not None:
            cases = asked.rejecting.cases()
        else:
            cases = iter(runner.regression(self._scope, asked.dataset))
        if asked.options.tags:
            wanted = {tag.casefold() for tag in asked.options.tags}
            cases = (one for one in cases if wanted & {tag.casefold() for tag in _case(one).tags})
        return islice(cases, asked.options.limit)

    def _no_cases(self, asked: _Asked) -> str:
        t = self._t
        if asked.rejected:
            return asked.rejected + "\n" + t(N_("Nothing is left to test."))
        if asked.options.tags:
            return t(N_("No case has the tag {tags}."), tags=", ".join(asked.options.tags))
        if asked.rejecting is not None:
            return t(N_("I found no test case in that file."))
        return t(_NO_CASES, dataset=asked.dataset)

    def _services(self, model: str) -> Services:
        """What answers, by the configured model or another one."""
        configuration = self._configuration
        if model and model != configuration.chat_model:
            # The price that is configured is the configured model's.
            configuration = msgspec.structs.replace(configuration, chat_model=model, chat_price="")
        return bootstrap.make_services(configuration, store=self._store, judge=self._judge)

    # --- runs that are there ----------------------------------------------------------------------------------------

    def _named(self, options: Options) -> Run | None:
        """The run that is to be compared with, if one is named by its number."""
        if options.against is None or options.against.kind != "run":
            return None
        run = self._found(options.against.name)
        if self._done(run) < run.cases:
            raise Refused(self._t(N_("The run {run} is not over, so nothing can be compared with it."), run=run.id))
        return run

    def _found(self, run_id: str) -> Run:
        run = self._runs.load(self._scope, run_id)
        if run is None:
            text = N_("There is no run {run} in {scope}: --list-runs lists them.")
            raise Refused(self._t(text, run=run_id, scope=self._scope.prefix))
        if not self._runs.has_detail(self._scope, run_id):
            raise Refused(self._t(FORGOTTEN))
        return run

    def _done(self, run: Run) -> int:
        """Cases of which there are results in the store."""
        there = self._runs.shards(self._scope, run.id)
        return sum(min(SHARD, run.cases - SHARD * number) for number in there if number < shards_of(run.cases))

    def _check_subject(self, runner: Runner, run: Run) -> None:
        """Go on with a run only by the means that it was begun with. Raises `Refused`."""
        now, then = runner.subject(self._scope, run.subject.dataset), run.subject
        names = {
            N_("the language model"): (then.model, now.model),
            N_("the instruction"): (then.instruction, now.instruction),
            N_("the judge"): (then.judge, now.judge),
            N_("what compares meanings"): (then.embedder, now.embedder),
        }
        changed = [self._t(name) for name, (before, after) in names.items() if before != after]
        if changed:
            text = N_("That run was begun by other means, so it cannot be gone on with. Changed: {changed}.")
            raise Refused(self._t(text, changed=", ".join(changed)))

    # --- working off ------------------------------------------------------------------------------------------------

    def _work_off(self, runner: Runner, run: Run, *, baseline: bool) -> RunOutcome:
        told = False
        try:
            with self._screen.progress(self._t, run) as tell, self._stop.gently():
                while True:
                    outcome = runner.run(self._scope, run, progress=tell, must_stop=self._stop, baseline=baseline)
                    match outcome.state:
                        case "finished":
                            return outcome
                        case "cancelled":
                            text = N_("Somebody ended the run early. --resume {run} tells what there is of it.")
                            raise Refused(self._t(text, run=run.id))
                        case "forgotten":
                            raise Refused(self._t(FORGOTTEN))
                    if outcome.state == "busy" and not told:
                        told = True
                        text = N_("Another run is being worked on in {scope}: this one waits for it to end.")
                        self._screen.note(self._t(text, scope=self._scope.prefix))
                    # Another run is worked on, or the store did not answer.
                    if self._stop() or self._stop.wait(outcome.delay_s or AGAIN_S):
                        raise KeyboardInterrupt
        except KeyboardInterrupt:
            raise Interrupted(self._interrupted(run)) from None

    def _interrupted(self, run: Run) -> str:
        if isinstance(self._store, SetAside):
            return self._t(N_("Interrupted. Nothing is kept of this run."))
        text = N_("Interrupted. Results of {done} of {cases} cases are kept: --resume {run} goes on from there.")
        return self._t(text, done=self._done(run), cases=run.cases, run=run.id)


class _Asked(NamedTuple):
    """What is to be tested."""

    options: Options
    dataset: str
    rejecting: Rejecting | None
    """The file of cases; None: the dataset's own."""
    same_as: Run | None = None
    """The run whose cases these are to be."""

    @property
    def rejections(self) -> int:
        """Entries of the file that make no case."""
        return self.rejecting.count if self.rejecting is not None else 0

    @property
    def rejected(self) -> str:
        """The same in words; empty if there are none."""
        return self.rejecting.told() if self.rejecting is not None and self.rejecting.count else ""


def _runner(services: Services) -> Runner:
    runner = services.evaluation
    assert runner is not None  # noqa: S101 - for mypy: bootstrap makes one
    return runner


def _case(one: Case | Told) -> Case:
    return one.case if isinstance(one, Told) else one
