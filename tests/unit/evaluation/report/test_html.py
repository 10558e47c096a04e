"""The page: whole, safe, and the same for everybody."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from typing import TYPE_CHECKING

from msgspec import structs

from tests.unit.evaluation.report.page_read import Page, page_of
from tests.unit.evaluation.results_made import HOSTILE, hostile, made, run, view
from trainer.evaluation.cases import Case, Check, Exchange
from trainer.evaluation.comparison import compare
from trainer.evaluation.report.chart import Point
from trainer.evaluation.report.html import OPEN_MOST, write_html
from trainer.evaluation.results import CheckResult, Subject
from trainer.evaluation.summary import outcomes_of
from trainer.i18n import translator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trainer.evaluation.results import CaseResult

BEFORE = [made(0, answer="Ask the owner of it."), made(1, "failed", 0.1), made(2, "failed"), made(3), made(5)]
RESULTS = [
    made(0, "failed", 0.3, answer="Ask a moderator of it.", tags=["roles"], seconds=1.25, usd=0.01, tokens=(90, 10)),
    made(1, tags=["roles"], leaked=True),
    made(2, "failed", 0.2, kind="unknown", answer=""),
    made(3, "error"),
    made(4, "error", error="judge_unparsed", usd=None),
    made(5, weight=2.5),
]


def numbers_of(page: Page) -> list[str | None]:
    return [attributes["data-n"] for attributes in page.named("details")]


def test_the_page_is_whole_and_needs_nothing_from_outside() -> None:
    point = Point(1_790_000_000, 1, 2, 0.1, 0.9)
    baseline = compare(outcomes_of(BEFORE), outcomes_of(RESULTS))
    text = page_of(view(RESULTS, BEFORE)._replace(history=[point, point], baseline=baseline, earlier=run(5)))
    page = Page(text)
    assert text.startswith("<!DOCTYPE html>")
    assert page.wrongly_nested == page.open == []
    for tag, attributes in page.elements:
        for name in ("src", "href", "action", "srcset", "data"):
            assert (attributes.get(name) or "#").startswith(("#", "data:image/png;base64,")), tag
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
    assert not {"link", "iframe", "object", "base", "form"} & {tag for tag, _ in page.elements}
    assert "url(" not in text
    assert "@import" not in text
    ids = [attributes["id"] for _, attributes in page.elements if attributes.get("id")]
    assert len(ids) == len(set(ids))
    for _, attributes in page.elements:
        assert (attributes.get("aria-labelledby") or ids[0]) in ids


def test_only_its_own_script_and_style_may_run() -> None:
    page = Page(page_of(view(RESULTS)))
    policy = next(one["content"] or "" for one in page.named("meta") if "http-equiv" in one)
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    for tag, directive in (("script", "script-src"), ("style", "style-src")):
        (content,) = page.text_of(tag)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy


def test_what_people_wrote_stays_text_wherever_it_stands() -> None:
    now = hostile(0)
    given = view([now], [made(0, case=now.case, answer=f"Was {HOSTILE}", kind=HOSTILE)])
    subject = Subject(dataset=HOSTILE, model=HOSTILE, instruction=HOSTILE, snapshot=HOSTILE, judge=HOSTILE)
    text = page_of(given._replace(run=structs.replace(given.run, id=HOSTILE, subject=subject, file_name=HOSTILE)))
    page = Page(text)
    assert page.wrongly_nested == page.open == []
    assert len(page.named("script")) == 1
    assert page.named("img") == []
    assert "{{ 7*7 }}" in text
    assert not re.search("[\0\x1b\u202a-\u202e\u2066-\u2069]", text)
    assert page.text_of("h3")[0].endswith("[U+202E]gnp.exe[U+202C] ␀␛")


def test_a_text_that_is_no_text_does_no_harm() -> None:
    assert "Half \N{REPLACEMENT CHARACTER}." in page_of(view([made(0, answer="Half \ud800.")]), order="file")


def test_everything_of_a_case_is_told() -> None:
    case = Case(
        id="the-id",
        question="And how much?",
        checks=(
            Check("judge", ("About 5 euros", "Five"), threshold=0.6),
            Check("numeric", ("5",), tolerance=0.5),
            Check("numeric", ("5",), tolerance=0.1, relative=True),
            Check("contains", ("dollars",), negate=True),
            Check("semantic", ("Five euros",)),
        ),
        former=(Exchange("Is it for sale?", "Yes, it is."),),
        tags=("prices", "shop"),
        weight=2.0,
    )
    found = made(
        6, "failed", 0.42, case=case, answer="It is $7.", kind="generated", reason="Wrong currency.",
        leaked=True, seconds=1.2, usd=0.0312, tokens=(1000, 24),
    )  # fmt: skip
    checks = (*found.checks[:4], CheckResult("semantic", passed=False, score=0.0, error="embedder_missing"))
    found = structs.replace(found, checks=checks)
    text = page_of(view([found]))
    for wanted in (
        "And how much?",
        "Is it for sale?",
        "Yes, it is.",
        "a judge finds that it agrees with (from 0.60 on)",
        "About 5 euros",
        "gives the number (±0.5)",
        "gives the number (±10%)",
        "does not contain",
        "Wrong currency.",
        "It is $7.",
        "(nothing is set up that compares meanings)",
        "#7 · the-id · prices, shop · by the language model · 1.20 s · 1024 tokens · $0.0312 · weight 2.00 · a tr",
    ):
        assert wanted in text, wanted


def test_the_head_states_both_denominators_and_what_to_make_of_them() -> None:
    given = view(RESULTS, BEFORE)
    text = page_of(given._replace(run=run(9), earlier=run(5)))
    for wanted in (
        "2 of 4 judged cases passed.",
        "2 cases could not be judged and count neither as passed nor as failed: the judge",
        "s verdict could not be read (1), the model did not answer (1).",
        "Of all 6 cases, 33% passed.",
        "1 case is a training example too: it tests memory, not learning.",
        "Without those the pass rate is 33% (1 of 3).",
        "The run ended early: 6 of 9 cases were tested.",
        "Since the run of 2026-09-21 14:13 UTC",
        "Not enough cases to tell.",
        "at least $0.0100",
        "not known of 1 case",
    ):
        assert wanted in text, wanted


def test_changed_answers_are_shown_word_by_word() -> None:
    page = Page(page_of(view(RESULTS, BEFORE)))
    assert page.text_of("del") == ["the owner"]
    assert page.text_of("ins") == ["a moderator"]


def test_the_worst_comes_first_unless_the_order_of_the_file_is_asked_for() -> None:
    given = view(RESULTS, BEFORE)
    assert numbers_of(Page(page_of(given))) == ["1", "3", "4", "5", "2", "6"]
    assert numbers_of(Page(page_of(given, order="file"))) == ["1", "2", "3", "4", "5", "6"]


def test_every_choice_of_cases_has_its_rule_and_its_cases() -> None:
    text = page_of(view(RESULTS, BEFORE))
    page = Page(text)
    choices = [one["id"] for one in page.named("input") if one.get("type") == "radio"]
    assert choices == ["f-all", "f-open", "f-failed", "f-error", "f-regressed", "f-improved"]
    for choice in choices[1:]:
        assert f"body:has(#{choice}:checked) details:not(" in text
    changed = {one["data-n"]: one.get("data-c") for one in page.named("details")}
    assert changed == {"1": "regressed", "2": "improved", "3": None, "4": None, "5": None, "6": None}
    assert [one["id"] for one in Page(page_of(view([made(0)]))).named("input")][:-1] == ["f-all"]


def test_only_the_first_of_what_did_not_pass_is_open() -> None:
    results = [made(number, "failed") for number in range(OPEN_MOST + 5)] + [made(99)]
    opened = ["open" in one for one in Page(page_of(view(results))).named("details")]
    assert opened == [True] * OPEN_MOST + [False] * 6


def test_it_is_said_what_is_where_for_those_who_listen() -> None:
    page = Page(page_of(view(RESULTS, BEFORE)._replace(history=[Point(0, 1, 2, 0.1, 0.9)])))
    assert page.named("html") == [{"lang": "en"}]
    assert len(page.named("h1")) == 1
    assert len(page.named("caption")) == len(page.named("table")) == 2
    assert all(one.get("scope") in {"row", "col"} for one in page.named("th"))
    assert all(one["alt"] for one in page.named("img"))
    assert all(one.get("aria-label") or one.get("aria-hidden") for one in page.named("svg"))
    assert {one["dir"] for one in page.named("h3")} == {"auto"}


def test_a_run_without_cases_is_a_page_too() -> None:
    page = Page(page_of(view([])))
    assert "There are no cases." in page.text_of("p")
    assert "No case could be judged." in page.text_of("p")
    assert page.named("table") == page.named("details") == []


def test_it_is_in_the_language_of_the_reader() -> None:
    page = Page(page_of(view(RESULTS, BEFORE), "ru"))
    assert page.named("html") == [{"lang": "ru"}]
    assert page.text_of("title") == ["Проверка набора «support»"]
    assert "Пройдено 2 из 4 оценённых случаев. 95%-й интервал: от 15\u00a0% до 85\u00a0%." in page.text_of("p")


def test_the_page_is_written_while_the_results_come() -> None:
    stream = io.BytesIO()
    written: list[int] = []

    def results() -> Iterator[CaseResult]:
        for number in range(2_000):
            written.append(stream.tell())
            yield made(number)

    given = view([made(0)])._replace(results=results)
    write_html(stream, given, translator("en"), "file")
    assert written[0] == 0
    assert 0 < written[1_000] < written[1_999] < stream.tell()


def test_the_same_run_makes_the_same_page() -> None:
    assert page_of(view(RESULTS, BEFORE)) == page_of(view(RESULTS, BEFORE))
