"""`python -m trainer.evaluation` as CI runs it: a process of its own over a store that a bot has filled."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from junitparser import Error, Failure, JUnitXml

from tests.e2e.evaluation_place import Place, case, correct_all
from tests.unit.evaluation.rooms import SCOPE
from trainer.evaluation.keys import evaluations_prefix

if TYPE_CHECKING:
    from tests.openai_server import OpenAiServer


# --- reports and files ----------------------------------------------------------------------------------------------


def test_a_run_is_told_written_and_kept(taught: Place) -> None:
    cases = [case(number, tags=["odd" if number % 2 else "even"]) for number in range(10)]
    cases[3]["expected"] = "wrong"
    cases[7] |= {"match": "judge"}
    outputs = {
        "--junit": "out.xml",
        "--json": "out.json",
        "--csv": "out.csv",
        "--html": "out.html",
        "--chart": "o.png",
    }
    asked = [part for pair in outputs.items() for part in pair]
    done = taught.type(taught.file(cases), "--dataset", "default", "--min-pass", "0.8", *asked)

    assert done.stderr == ""
    assert done.stdout.startswith("Test of “default”\n")
    assert "89%  8 of 9 judged cases passed. 95% interval: 57% to 98%." in done.stdout
    assert "no judge is set up (1)" in done.stdout
    assert "10 cases are training examples too" in done.stdout
    assert "Compared with nothing taught\n  Better: this is more than chance explains.\n" in done.stdout
    assert "Did not pass\n  1. What is thing 3?\n     expected: contains: wrong\n" in done.stdout
    assert "  odd   5      3       1       75%" in done.stdout
    assert "Written: out.xml, out.json, out.csv, out.html, o.png\n" in done.stdout
    assert "The bar is reached: 8 of 10 passed (80%), and 80% must. 1 case without a verdict" in done.stdout
    assert "\x1b" not in done.stdout

    (suite,) = JUnitXml.fromfile(str(taught.folder / "out.xml"))
    assert (suite.tests, suite.failures, suite.errors) == (10, 1, 1)
    found = {test.name: test.result for test in suite}
    assert isinstance(found["What is thing 3? [c3]"][0], Failure)
    assert isinstance(found["What is thing 7? [c7]"][0], Error)
    assert found["What is thing 0? [c0]"] == []
    document = json.loads((taught.folder / "out.json").read_text())
    assert document["summary"]["numbers"]["passed"] == 8
    assert [one["case"]["id"] for one in document["cases"]] == [f"c{number}" for number in range(10)]
    with (taught.folder / "out.csv").open(encoding="utf-8-sig", newline="") as table:
        assert len(list(csv.DictReader(table))) == 10
    assert (taught.folder / "out.html").read_text().startswith("<!DOCTYPE html>")
    assert (taught.folder / "o.png").read_bytes().startswith(b"\x89PNG")
    assert {one.name for one in taught.folder.iterdir()} == {"data", "cases.jsonl", *outputs.values()}

    (run,) = taught.runs()
    assert (run.id, run.author, run.source, run.file_name) == (document["run"]["id"], "", "file", "cases.jsonl")
    assert abs((int(run.id) >> 22) / 1000 + 1_420_070_400 - run.created_at) < 0.01
    listed = taught.type("--list-runs").stdout
    assert f"{run.id}  " in listed
    assert "89% (8/9)" in listed
    again = taught.type("--resume", run.id, "--html", "again.html", "--min-pass", "0.9", code=1)
    assert (taught.folder / "again.html").read_text() == (taught.folder / "out.html").read_text()
    assert "Below the bar: 8 of 10 passed (80%), and 90% must." in again.stderr


def test_below_the_bar_is_1(taught: Place) -> None:
    cases = [case(number) for number in range(10)] + [case(99, input="Who wrote it?", expected="Mira")]
    file = taught.file(cases)
    done = taught.type(file, "--min-pass", "0.95", "--quiet", code=1)
    assert done.stdout == ""
    assert done.stderr == "trainger: Below the bar: 10 of 11 passed (90.91%), and 95% must.\n"
    taught.type(file, "--min-pass", "0.9", "--max-errors", "0", "--quiet")
    assert "10 of 11" in taught.type(file, "--min-pass", "1", code=1).stderr


def test_errors_beyond_what_may_be_are_1(taught: Place) -> None:
    file = taught.file([case(number, match="judge" if number < 3 else "contains") for number in range(10)])
    for most in ("3", "30%", "0.3"):
        taught.type(file, "--max-errors", most)
    done = taught.type(file, "--max-errors", "2", "--quiet", code=1)
    assert done.stderr == "trainger: Too many cases without a verdict: 3 of 10, and 2 may be.\n"
    nothing = taught.type(taught.file([case(1, match="judge")]), "--quiet", code=1)
    assert nothing.stderr == "trainger: No case could be judged.\n"


def test_without_a_file_the_dataset_s_own_cases_are_tested(taught: Place) -> None:
    assert "no test cases of its own yet" in taught.type(code=2).stderr
    correct_all(taught, range(5), "Name {}")
    done = taught.type("--min-pass", "1")
    assert "5 of 5 judged cases passed" in done.stdout
    assert "the dataset's own cases" in done.stdout
    (run,) = taught.runs()
    assert run.source == "regression"
    (author,) = taught.room.store.list(f"{evaluations_prefix(SCOPE)}{run.id}/authors/")
    assert "/1001." in author.key


# --- comparing ------------------------------------------------------------------------------------------------------


def test_what_got_worse_since_the_last_run_is_told_and_is_1(taught: Place) -> None:
    file = taught.file([case(number) for number in range(30)])
    first = taught.type(file, "--no-worse")
    assert "There is nothing to compare with yet, so nothing got worse." in first.stdout
    correct_all(taught, range(2))
    few = taught.type(file, "--against", "last", "--no-worse").stdout
    assert "  Not enough cases to tell.\n" in few
    assert "Got worse\n  1. What is thing 0?\n     passed → failed, 1.00 → 0.00\n" in few
    assert "     [-It is called ak0-]{+Nobody knows what 0 is+}.\n" in few
    assert few.endswith("Not significantly worse.\n")
    correct_all(taught, range(2, 12))
    worse = taught.type(file, "--no-worse", code=1)
    assert "  Worse: this is more than chance explains.\n" in worse.stdout
    assert "trainger: Worse: 10 got worse and 0 improved, which is more than chance explains." in worse.stderr
    oldest = taught.runs()[-1]
    named = taught.type(file, "--against", oldest.id, "--no-worse", "--json", "o.json", code=1)
    assert "12 got worse" in named.stderr
    assert json.loads((taught.folder / "o.json").read_text())["earlier"]["id"] == oldest.id


def test_against_the_untrained_bot(taught: Place) -> None:
    cases = [case(number) for number in range(10)]
    unknown = [{"id": f"u{n}", "input": f"What is thing {n}?", "abstain": True} for n in range(10)]
    better = taught.type(taught.file(cases), "--against", "baseline", "--no-worse")
    assert "Since the" not in better.stdout
    worse = taught.type(taught.file(unknown), "--against", "baseline", "--no-worse", code=1)
    assert "10 got worse and 0 improved" in worse.stderr


def test_two_models_are_compared_on_the_same_cases_by_the_same_judge(taught: Place, models: OpenAiServer) -> None:
    taught.settings |= {"OPENAI_BASE_URL": models.base_url, "TRAINGER_CHAT_MODEL": "old"}
    file = taught.file([case(number, match="judge") for number in range(16)])
    before = taught.objects()
    done = taught.type(
        *(file, "--model", "new", "--against", "model:old", "--no-worse", "--judge", "strict", "--json", "o.json"),
        code=1,
    )
    assert "Compared with the run of " in done.stdout
    assert ", old\n" in done.stdout
    assert "8 got worse and 0 improved" in done.stderr
    assert "     I [-think it is " in done.stdout
    assert "The run is not kept." in done.stdout
    asked = [(body["model"], "You grade" in body["messages"][0]["content"]) for body in models.chats]
    assert {one: asked.count(one) for one in set(asked)} == {
        ("old", False): 16,
        ("new", False): 16,
        ("strict", True): 32,
    }
    document = json.loads((taught.folder / "o.json").read_text())
    assert [document[one]["subject"]["model"] for one in ("earlier", "run")] == ["old", "new"]
    assert [document[one]["subject"]["judge"] for one in ("earlier", "run")] == ["strict", "strict"]
    assert taught.runs() == []
    assert {key for key in taught.objects() if "/usage/" not in key} == set(before)


def test_another_model_is_compared_with_what_was_kept(taught: Place, models: OpenAiServer) -> None:
    taught.settings |= {"OPENAI_BASE_URL": models.base_url, "TRAINGER_CHAT_MODEL": "old"}
    file = taught.file([case(number) for number in range(16)])
    taught.type(file, "--min-pass", "1")
    taught.type(file, "--model", "new", "--no-worse", code=1)
    # The trial was not kept, so it is nothing that the next run could be compared with.
    taught.type(file, "--no-worse", "--min-pass", "1")
    assert [run.subject.model for run in taught.runs()] == ["old", "old"]


def test_a_worse_model_is_let_through_for_a_reason_that_is_kept(taught: Place, models: OpenAiServer) -> None:
    taught.settings |= {"OPENAI_BASE_URL": models.base_url, "TRAINGER_CHAT_MODEL": "old"}
    file = taught.file([case(number) for number in range(16)])
    compared = (file, "--model", "new", "--against", "model:old", "--no-worse", "--despite", "A tenth  of the price.")
    done = taught.type(*compared)
    assert "Worse: 8 got worse and 0 improved" in done.stderr
    (path,) = [key for key in taught.objects() if "/reports/" in key]
    assert f"It is let through all the same. Why is kept in {path.removeprefix('g42/')}." in done.stdout
    kept = json.loads(taught.room.store.get(path).data)
    assert (kept["reason"], kept["before"]["model"], kept["after"]["model"]) == (
        "A tenth of the price.",
        "old",
        "new",
    )
    assert len(kept["comparison"]["regressed"]) == 8
    assert taught.runs() == []
    # What passes has nothing to explain, and a reason lifts no other bar.
    taught.type(file, "--model", "old", "--against", "model:old", "--no-worse", "--despite", "Never mind.")
    taught.type(*compared, "--min-pass", "1", code=1)
    assert len([key for key in taught.objects() if "/reports/" in key]) == 2


def test_a_model_that_is_not_there_errs_and_ends_nothing(taught: Place, models: OpenAiServer) -> None:
    taught.settings |= {"OPENAI_BASE_URL": models.base_url, "TRAINGER_CHAT_MODEL": "old"}
    done = taught.type(taught.file([case(1), case(2)]), "--model", "missing", code=1)
    assert "the model did not answer\n  (2)." in done.stdout
    assert "No case could be judged." in done.stderr
    assert all(json.loads(line)["level"] == "WARNING" for line in done.stderr.splitlines() if line.startswith("{"))


# --- what cannot be done --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["missing.jsonl"], "missing.jsonl: No such file or directory"),
        (["data"], "data: Is a directory"),
        (["cases.jsonl", "--dataset", "support"], "There is no dataset “support” in g42. There are: default."),
        (["cases.jsonl", "--scope", "g7"], "Nothing was taught in g7. Something was in: g42."),
        (["cases.jsonl", "--against", "123"], "There is no run 123 in g42: --list-runs lists them."),
        (["--resume", "123"], "There is no run 123 in g42: --list-runs lists them."),
        (["cases.jsonl", "--tag", "rare"], "No case has the tag rare."),
        (
            ["cases.jsonl", "--junit", "missing/out.xml"],
            "missing/out.xml cannot be written: No such file or directory",
        ),
        (["cases.jsonl", "--model", "new"], "There is no server of chat models"),
        (["cases.jsonl", "--against", "model:new"], "There is no server of chat models"),
        (["cases.jsonl", "--min-pass", "90"], "a share from 0 to 1"),
        (["empty.jsonl"], "empty.jsonl: The file is empty, so there is nothing to test."),
        (["cases.pdf"], "cases.pdf: I don't read test cases from that kind of file (pdf)"),
    ],
)
def test_what_cannot_be_done_is_2_and_said_in_a_sentence(taught: Place, arguments: list[str], said: str) -> None:
    taught.file([case(1)])
    taught.file([], "empty.jsonl")
    (taught.folder / "cases.pdf").write_bytes(b"%PDF-1.7\n")
    before = taught.objects()
    done = taught.type(*arguments, code=2)
    assert done.stdout == ""
    assert done.stderr.startswith("trainger: ")
    assert said in done.stderr
    assert taught.objects() == before


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    for arguments in (["--list-runs"], ["cases.jsonl"]):
        done = Place(tmp_path).type(*arguments, code=2)
        assert "There is no store file:./data/store: TRAINGER_STORE says where it is" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_setting_that_cannot_be_is_2(taught: Place) -> None:
    taught.settings["TRAINGER_EVALUATION_THREADS"] = "0"
    assert "TRAINGER_EVALUATION_THREADS" in taught.type(code=2).stderr


def test_a_malformed_file_names_line_and_field(taught: Place) -> None:
    lines = [case(0), {"input": "What is thing 1?"}, case(2, match="psychic"), case(3, match="fuzzy", threshold=7)]
    file = taught.file(lines)
    with (taught.folder / file).open("a") as stream:
        stream.write('{"input": \n')
    before = taught.objects()
    done = taught.type(file, code=2)
    assert done.stderr.splitlines() == [
        "trainger: cases.jsonl: 4 entries make no case:",
        "  line 2: nothing says what the right answer is (expected)",
        "  line 3: a way of comparing that I don't know (match)",
        "  line 4: a threshold is a number from 0 to 1 (threshold)",
        "  line 5: not valid JSON",
        "Nothing was tested. Mend the file, or go on without them by --allow-rejected.",
    ]
    assert done.stdout == ""
    assert taught.objects() == before
    allowed = taught.type(file, "--allow-rejected", "--min-pass", "1").stdout
    assert "1 of 1 judged case passed" in allowed
    assert "4 entries of the file could not be read as cases." in allowed
    assert "  line 4: a threshold is a number from 0 to 1 (threshold)\n" in allowed
    assert taught.runs()[0].rejected == 4
    rest = taught.type(taught.file([{"input": "What?"}] * 30, "bad.jsonl"), "--allow-rejected", code=2).stderr
    assert "…and 10 more\nNothing is left to test." in rest


def test_one_of_several_servers_has_to_be_named(taught: Place) -> None:
    taught.room.store.put("u7/names/default", b"{}")
    file = taught.file([case(1)])
    assert "choose with --scope: g42, u7." in taught.type(file, code=2).stderr
    taught.type(file, "--scope", "g42", "--min-pass", "1")


# --- which cases, and what is kept ----------------------------------------------------------------------------------


def test_some_of_the_cases_leave_no_run(taught: Place) -> None:
    file = taught.file([case(number, tags=["Even"] if number % 2 == 0 else []) for number in range(12)])
    before = taught.objects()
    assert "6 of 6 judged cases passed" in taught.type(file, "--tag", "even").stdout
    assert "2 of 2 judged cases passed" in taught.type(file, "--tag", "even", "--limit", "2").stdout
    assert "12 of 12 judged cases passed" in taught.type(file, "--no-save").stdout
    assert taught.objects() == before
    assert "was not tested yet" in taught.type("--list-runs").stdout


def test_cases_may_come_from_a_pipe(taught: Place) -> None:
    text = "".join(json.dumps(case(number)) + "\n" for number in range(3))
    done = taught.type("-", "--min-pass", "1", stdin=text)
    assert "cases of the file stdin" in done.stdout
    if Path("/dev/stdin").exists():
        assert "3 of 3 judged cases passed" in taught.type("/dev/stdin", "--no-save", stdin=text).stdout


def test_in_russian(taught: Place) -> None:
    file = taught.file([case(1), case(2, expected="нет")])
    done = taught.type(file, "--language", "ru", "--min-pass", "0.9", code=1)
    assert done.stdout.startswith("Проверка набора «default»\n")
    assert "Пройдено 1 из 2 оценённых случаев" in done.stdout
    assert "Ниже планки: пройдено 1 из 2 (50 %), а нужно 90 %." in done.stderr.replace("\xa0", " ")
    assert "nothing" not in done.stdout
