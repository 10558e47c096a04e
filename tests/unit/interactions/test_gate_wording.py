"""What a test in front of a change says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from interactions.gate_wording import forced_line, held_reply, passed_line, progress_text, reason_line
from tests.unit.evaluation.results_made import HOSTILE, hostile, made
from trainer.evaluation.cases import Case, Check
from trainer.evaluation.comparison import Pair, compare
from trainer.evaluation.gate_store import Change, Decision, Judgement
from trainer.evaluation.summary import outcomes_of
from trainer.i18n import translator

if TYPE_CHECKING:
    from trainer.evaluation.results import CaseResult

T = translator("en")


def judgement(before: str = "pppp", after: str = "pppp", **more: Any) -> Judgement:
    """Of cases by a letter each: p(assed), f(ailed), e(rror)."""
    names: dict[str, Any] = {"p": "passed", "f": "failed", "e": "error"}
    sides = [[made(number, names[one]) for number, one in enumerate(side)] for side in (before, after)]
    wanted = Judgement(
        id="1500000000000000000",
        author="42",
        at=1_790_000_000,
        change=Change(kind="selection", dataset="sup_port"),
        outcome="worse",
        cases=len(after),
        comparison=compare(*map(outcomes_of, sides)),
    )
    return msgspec.structs.replace(wanted, **more)


def pair(before: str, after: str, *checks: Check) -> Pair:
    case = Case(id="c1", question="When?", checks=checks)
    was, now = made(1, case=case, answer=before), made(1, "failed", case=case, answer=after)
    return Pair(was, now)


def shown(*pairs: Pair) -> list[str]:
    return held_reply(T, judgement("pppp", "fffp"), pairs).content.splitlines()


def test_how_it_passed() -> None:
    assert passed_line(T, judgement("pfpf", "pppf")) == (
        "-# Tested first: 3 of 4 cases as before, 1 better, p = 1.000."
    )
    assert passed_line(T, judgement("ppfp", "fppe", changed=True)) == (
        "-# Tested first: 1 of 4 cases as before, 1 better, 1 worse, 1 not judged, p = 1.000. "
        "Meanwhile I was taught more, so this is not exact."
    )
    assert passed_line(T, judgement("p", "p")).startswith("-# Tested first: 1 of 1 case as before")
    assert "p < 0.001" in passed_line(T, judgement("f" * 30, "p" * 30))


@pytest.mark.parametrize(("reason", "told"), [("alike", "without a language model"), ("no_cases", "nothing to test")])
def test_why_it_passed_untested(reason: str, told: str) -> None:
    assert told in passed_line(T, judgement(comparison=None, outcome="passed", reason=reason))


def test_what_is_held_back() -> None:
    reply = held_reply(T, judgement("pppp", "fffp"), [])
    assert reply.content.splitlines() == [
        "“sup\\_port” was not selected.",
        "I tested it first, and my answers would get worse. Of 4 cases: 1 as before, 0 better, 3 worse, p = 0.250.",
        "Mean score: 1.00 before, 0.25 then.",
    ]
    assert reply.private
    assert [button.custom_id for button in reply.buttons] == [
        "gate-force:selection:1500000000000000000",
        "gate-leave:selection:1500000000000000000",
    ]


@pytest.mark.parametrize("reason", ["errors", "busy", "interrupted"])
@pytest.mark.parametrize("kind", ["selection", "instruction", "approval"])
def test_what_could_not_be_tested(kind: Any, reason: str) -> None:
    change = Change(kind=kind, dataset="support")
    told = judgement(outcome="untestable", reason=reason, comparison=None, change=change, errors={"model": 3, "?": 1})
    lines = held_reply(T, told, []).content.splitlines()
    assert lines[1].startswith("I could not test it: ")
    assert lines[2:] == ["• the model did not answer: 3"]


def test_what_changed_is_marked_in_the_words() -> None:
    lines = shown(pair("It starts on Friday at 20:00.", "It starts on Monday at 20:00.", Check("exact", ("Friday",))))
    assert lines[4:] == [
        "1. **When?**",
        "> It starts on ~~Friday~~ **Monday** at 20:00.",
        "-# Expected: is exactly “Friday”",
    ]


def test_an_answer_that_was_not_given() -> None:
    lines = shown(pair("Friday.", "", Check("abstain", negate=True)), pair("", "Fri*day*."))
    assert lines[4:] == [
        "1. **When?**",
        "> Before: Friday.",
        "> Then: (I don't know)",
        "-# Expected: does not say that it does not know",
        "",
        "2. **When?**",
        "> Before: (I don't know)",
        "> Then: Fri\\*day\\*.",
    ]


def test_long_answers_are_cut() -> None:
    lines = shown(pair("long " * 500, "long " * 500 + "and more", Check("contains", ("word " * 100,) * 5)))
    assert all(len(line) < 400 for line in lines)
    assert lines[-1].count("“") == 2


def test_nothing_that_people_wrote_becomes_markup() -> None:
    bad = hostile(1)
    words = msgspec.structs.replace(bad, answer=f"{HOSTILE} **a** `b` <@1> [c](d)")
    for one in (bad, words):
        result: CaseResult = one
        text = "\n".join(shown(Pair(result, words)))
        for mark in ("<@1>", "](", " **a**", "`b`"):
            assert mark not in text.replace("\\" + mark[0], "")
    told = forced_line(T, judgement(), Decision(id="1", gate="2", by="3", at=0, done=True, reason="a\n**b** <@4>"))
    assert told == "-# <@3> did it although the test went worse: “a \\*\\*b\\*\\* \\<\\@4\\>”"


def test_reasons_in_a_history_are_short() -> None:
    assert reason_line(T, "x" * 300) == f"-# It had not passed its test. Why all the same: “{'x' * 200}…”"


def test_progress() -> None:
    assert progress_text(T, 120, 200) == "⏳ Testing first: 120 of 200 answers…"
