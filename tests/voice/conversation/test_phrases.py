"""What of a text that is being written can be said."""

from __future__ import annotations

import re

import pytest

from voice_sidecar.conversation import phrases as module
from voice_sidecar.conversation.phrases import Phrases


def cut(text: str, step: int = 1) -> tuple[list[str], list[str]]:
    """What was given out while the text was written, and at its end."""
    phrases = Phrases()
    early = [one for at in range(step, len(text) + 1, step) for one in phrases.feed(text[:at])]
    return early, phrases.finish(text)


@pytest.mark.parametrize(
    ("text", "early", "late"),
    [
        ("Open the app. Wait a bit. Then", ["Open the app.", "Wait a bit."], ["Then"]),
        ("One. ", [], ["One. "]),
        ("It costs 3.5 euros. Not", ["It costs 3.5 euros."], ["Not"]),
        ("See Dr. Smith, e.g. Now. At 5 p.m. Or", ["See Dr. Smith, e.g. Now."], ["At 5 p.m. Or"]),
        ("By J. R. Tolkien. Read", ["By J. R. Tolkien."], ["Read"]),
        ("Это т. е. Да. Потом", ["Это т. е. Да."], ["Потом"]),
        ("А. С. Пушкин. И", ["А. С. Пушкин."], ["И"]),
        ("Really? yes! no. maybe", ["Really?", "yes!"], ["no. maybe"]),
        ("Well… Then. Or", ["Well… Then."], ["Or"]),
        ('He said "Yes." Then', ['He said "Yes."'], ["Then"]),
        ("**Do it. Now.** Then wait.", ["**Do it. Now.**"], ["Then wait."]),
        ("Use `a. B` here. Then", ["Use `a. B` here."], ["Then"]),
        ("See [the. Docs](https://x.y/z). Then", ["See [the. Docs](https://x.y/z)."], ["Then"]),
        ("||The end. Really.|| Then", [], ["||The end. Really.|| Then"]),
        ("1. Open it. Wait.\n2. Close it.\nDone", ["1. Open it.", "Wait.", "2. Close it."], ["Done"]),
        ("- one\n- two\n", ["- one", "- two"], []),
        ("    - one\nTwo", ["- one"], ["Two"]),
        ("# Title\n\nText", ["# Title"], ["Text"]),
        ("So:\n```py\nx = 1. \ny\n```\nDone.\n", ["So:", "```py\nx = 1. \ny\n```", "Done."], []),
        ("~~~\na. B\n```\n~~~\nC", ["~~~\na. B\n```\n~~~"], ["C"]),
        ("```\nnever ends. Never.", [], ["```\nnever ends. Never."]),
        ("| a | b |\n|---|---|\n| 1. A | 2 |\n\nC", ["| a | b |\n|---|---|\n| 1. A | 2 |"], ["C"]),
        ("", [], []),
        ("\n\n", [], []),
        ("no end at all", [], ["no end at all"]),
    ],
)
def test_cutting(text: str, early: list[str], late: list[str]) -> None:
    assert cut(text) == (early, late)


@pytest.mark.parametrize("step", [1, 2, 3, 7, 50])
def test_nothing_is_lost_nor_said_twice(step: int) -> None:
    text = (
        "Hello! It is 3.5 km. **Bold. Still.** See [a. B](http://c.d).\n\n1. One. Two.\n2. Three\n```\ncode. Here\n"
        "```\n"
        "| a | b |\n|---|---|\n| c | d |\nПривет. Это т. е. Да? Нет."
    )
    early, late = cut(text, step)
    assert re.sub(r"\s", "", "".join(early + late)) == re.sub(r"\s", "", text)


def test_what_is_not_streamed_stays_whole() -> None:
    phrases = Phrases()
    assert phrases.finish("One. Two.\n\n    code\n") == ["One. Two.\n\n    code\n"]


def test_a_text_that_changes_waits_and_is_given_out_anew() -> None:
    phrases = Phrases()
    assert phrases.feed("One. Two") == ["One."]
    assert phrases.feed("Uno. Due. Tre") == []
    assert phrases.given == "One. "
    assert phrases.finish("Uno. Due.") == ["Uno. Due."]


@pytest.mark.parametrize("check", ["_closed", "_short"])
def test_each_check_is_needed(check: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, check, lambda head: check == "_closed")
    assert cut("**Do it. Now.** Then wait.")[0] != ["**Do it. Now.**"] or cut("Это т. е. Да. Потом")[0] != [
        "Это т. е. Да."
    ]


def test_a_hostile_text_takes_no_time() -> None:
    text = "a. " * 3000 + "**" + "b. B" * 3000
    early, late = cut(text, 500)
    assert len("".join(early + late)) > len(text) / 2
