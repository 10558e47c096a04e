"""A server with a dataset, on which runs are made."""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING, Any

import msgspec

from trainer.adapters.file_store import FileStore
from trainer.answering import Answering
from trainer.answers import AnswerRecord, Source, save_answer
from trainer.batches import Origin
from trainer.corrections import Corrections
from trainer.evaluation.cases import Case, Check
from trainer.evaluation.results import CaseResult, Run, Subject
from trainer.evaluation.running import Runner
from trainer.importers import Example, Place
from trainer.library import Library
from trainer.ports import ChatReply, ChatUsage
from trainer.scope import Actor, Scope
from trainer.snowflakes import first_of
from trainer.training import Training

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from trainer.answers import Answer
    from trainer.corrections import Correction
    from trainer.ports import ChatMessage, ChatModel, ObjectStore, OnText

SCOPE = Scope("guild", "42")
ADA = Actor(SCOPE, "1001", is_manager=True)
BOB = Actor(SCOPE, "2002", is_manager=False)
NOW = 1_790_000_000.0
"""Seconds since the epoch."""


class Model:
    """A chat model that says what the test wants."""

    name = "a model"

    def __init__(self, say: Callable[[str], str] | str = "It is so.") -> None:
        self.say = say
        self.asked: list[str] = []

    def reply(self, messages: Sequence[ChatMessage], *, max_tokens: int, on_text: OnText | None = None) -> ChatReply:
        asked = messages[-1].content
        self.asked.append(asked)
        text = self.say if isinstance(self.say, str) else self.say(asked)
        return ChatReply(text, self.name, ChatUsage(10, 5), truncated=False)


class Room:
    """A store with a dataset in it, and what runs need."""

    def __init__(self, folder: Path, store: ObjectStore | None = None, chat: ChatModel | None = None) -> None:
        self.store = store or FileStore(folder / "store")
        self.library = Library(self.store, folder / "cache")
        self.training = Training(self.store, self.library, lambda: NOW)
        self.corrections = Corrections(self.store, lambda: NOW)
        self.answering = Answering(self.library, chat, "Be kind.")
        self.runner = Runner(self.store, self.library, self.answering)
        self.runs = self.runner.runs
        self._ids = itertools.count(first_of(NOW) + 1, 1 << 22)

    def id(self) -> str:
        """The next interaction's."""
        return str(next(self._ids))

    def teach(self, question: str, answer: str, actor: Actor = ADA) -> str:
        interaction = self.id()
        example = Example("pair", question, answer, Place("block", 1))
        self.training.train(actor, interaction, "default", Origin("text"), [example], lambda _: None)
        return interaction

    def answered(self, question: str, text: str = "Wrong.", asker: Actor = BOB, teacher: str = "") -> AnswerRecord:
        record = AnswerRecord(
            id=self.id(),
            dataset="default",
            question=question,
            text=text,
            kind="trained" if text else "unknown",
            author=asker.user_id,
            created_at=NOW,
            sources=[Source("text", author=teacher, at=NOW)] if teacher else [],
        )
        return save_answer(self.store, SCOPE, record)

    def correct(self, question: str, right: str, actor: Actor = ADA) -> Correction:
        return self.corrections.correct(actor, self.id(), self.answered(question).id, right)

    def draft(self, *, author: Actor = ADA, source: Any = "file", subject: Subject | None = None, **more: Any) -> Run:
        subject = subject or self.runner.subject(SCOPE, "default")
        run = Run(
            id=self.id(),
            author=author.user_id,
            created_at=NOW,
            subject=subject,
            cases=0,
            source=source,
            file_name="cases.csv" if source == "file" else "",
        )
        return msgspec.structs.replace(run, **more)

    def begin(self, cases: Iterable[Any], **more: Any) -> Run:
        return self.runs.begin(SCOPE, self.draft(**more), cases)

    def results(self, run: Run, stream: Any = "results") -> list[CaseResult]:
        return list(self.runs.results(SCOPE, run.id, stream))

    def close(self) -> None:
        self.library.close()


def case(number: int, **more: Any) -> Case:
    """Question number n, to which the answer is "Answer n"."""
    plain = Case(
        id=f"c{number}", question=f"What is thing {number}?", checks=(Check("exact", (f"Answer {number}",)),)
    )
    return msgspec.structs.replace(plain, **more)


def cases(count: int) -> list[Case]:
    return [case(number) for number in range(count)]


def timeless(results: Iterable[CaseResult]) -> list[CaseResult]:
    """Results without how long they took, which is all that may differ from one run to the next."""
    return [msgspec.structs.replace(result, seconds=0.0) for result in results]


class Answers:
    """Stands for answering: says "Answer n" to question number n, right but for each seventh."""

    model = ""

    def __init__(self, act: Callable[[int], Answer | None] | None = None) -> None:
        self.act = act
        self.lock = threading.Lock()
        self.count: dict[int, int] = {}

    def answer(self, scope: Scope, dataset: str, question: str, **more: Any) -> Answer:
        from trainer.answers import Answer

        number = int(question.rstrip("?").rpartition(" ")[2])
        with self.lock:
            self.count[number] = self.count.get(number, 0) + 1
        acted = self.act(number) if self.act is not None else None
        if acted is not None:
            return acted
        if more["trial"].untrained:
            return Answer("unknown", "")
        wrong = number % 7 == 6
        return Answer(
            "trained", "No idea" if wrong else f"Answer {number}", [Source("text", author="3003")], learned_by=[7]
        )

    def in_full(self, *_: object) -> str:
        return ""


def runner(room: Room, answers: Any = None, **more: Any) -> Runner:
    """A runner of its own over the room."""
    answering: Any = answers or Answers()
    return Runner(room.store, room.library, answering, **more)


def undisturbed(room: Room, count: int) -> list[CaseResult]:
    """What comes of so many cases when nothing happens in between."""
    run = room.begin(cases(count))
    assert runner(room).run(SCOPE, run).state == "finished"
    return timeless(room.results(run))
