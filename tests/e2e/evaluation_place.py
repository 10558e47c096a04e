"""A folder with what a bot was taught in it, and `python -m trainer.evaluation` typed there."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.e2e.test_processes import environment
from tests.openai_server import OpenAiServer
from tests.unit.evaluation.rooms import SCOPE, Room
from trainer.evaluation.history import run_ids
from trainer.evaluation.keys import evaluations_prefix

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.openai_scripted import Body
    from trainer.evaluation.results import Run

COUNT = 40
Done = subprocess.CompletedProcess[str]


class Place:
    """A folder with a bot's data, and a terminal in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.room = Room(folder / "data")
        self.settings = {"TRAINGER_EMBEDDINGS": "none"}

    def arguments(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "trainer.evaluation", *arguments]

    def type(self, *arguments: str, code: int = 0, stdin: str | None = None) -> Done:
        done = subprocess.run(
            self.arguments(*arguments),
            cwd=self.folder,
            env=environment(**self.settings),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr
        return done

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.arguments(*arguments),
            cwd=self.folder,
            env=environment(**self.settings),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def file(self, cases: Sequence[dict[str, Any]], name: str = "cases.jsonl") -> str:
        (self.folder / name).write_text("".join(json.dumps(case) + "\n" for case in cases))
        return name

    def objects(self) -> dict[str, str]:
        return {info.key: info.etag for info in self.room.store.list("")}

    def runs(self) -> list[Run]:
        """Those that are kept, the latest first."""
        ids = run_ids(self.room.store, SCOPE, "default", most=50)
        return [run for one in ids if (run := self.room.runs.load(SCOPE, one)) is not None]

    def results(self) -> int:
        """Stretches of results that lie in the store."""
        return sum("/results/" in info.key for info in self.room.store.list(evaluations_prefix(SCOPE)))


def name(number: int) -> str:
    return f"{'abcdefgh'[number % 8]}{'klmnopqrst'[number // 8 % 10]}{number}"


def case(number: int, **more: Any) -> dict[str, Any]:
    return {"id": f"c{number}", "input": f"What is thing {number}?", "expected": name(number), **more}


def correct_all(place: Place, numbers: Sequence[int], right: str = "Nobody knows what {} is.") -> None:
    for number in numbers:
        place.room.correct(f"What is thing {number}?", right.format(number))


@contextmanager
def place_in(folder: Path) -> Iterator[Place]:
    """Nothing is known there yet."""
    here = Place(folder)
    yield here
    here.room.close()


@contextmanager
def taught_place(folder: Path) -> Iterator[Place]:
    """Knows what each of some things is."""
    with place_in(folder) as here:
        for number in range(COUNT):
            here.room.teach(f"What is thing {number}?", f"It is called {name(number)}.")
        yield here


@contextmanager
def chat_models() -> Iterator[OpenAiServer]:
    """Three models: see `answer`."""
    with OpenAiServer(models=("old", "new", "strict")) as server:
        server.reply_with(answer)
        yield server


def answer(body: Body) -> str:
    """`old` says what it was taught, `new` does so for every other question; `strict` judges."""
    system, user = (message["content"] for message in body["messages"])
    if "You grade" in system:
        asked = json.loads(user)
        right = asked["expected"]["1"] in asked["answer"]
        return json.dumps({"reason": f"{body['model']} says so.", "verdict": "correct" if right else "wrong"})
    asked = json.loads(user)
    number = int(asked["question"].rstrip("?").rpartition(" ")[2])
    return f"I think it is {name(number)}." if body["model"] == "old" or number % 2 else "I forgot."
