"""Parts of the command: where runs lie that are not kept, what is shown, files that appear whole, and signals."""

from __future__ import annotations

import io
import os
import signal
import stat
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.evaluation.results_made import HOSTILE, hostile, made, run, view
from tests.unit.evaluation.rooms import SCOPE, Room, cases
from trainer.adapters.file_store import FileStore
from trainer.evaluation.comparison import Pair
from trainer.evaluation.console.choosing import chosen_dataset, chosen_scope
from trainer.evaluation.console.refusals import Refused
from trainer.evaluation.console.screen import Screen, Style
from trainer.evaluation.console.setting_aside import SetAside
from trainer.evaluation.console.stopping import Stop
from trainer.evaluation.console.text_report import Page, cells, changes, columns, report
from trainer.evaluation.console.written import obstacle, whole
from trainer.evaluation.delivery import Progress
from trainer.evaluation.history import comparable_run, run_ids
from trainer.evaluation.reading import CaseRejectionReason
from trainer.evaluation.report.rejection_text import PLACES, REASONS, REFUSALS, refusal_sentence
from trainer.evaluation.report.word_diff import word_changes
from trainer.evaluation.reviewing import reviewed
from trainer.evaluation.running import Runner
from trainer.i18n import translator
from trainer.importers import FileRefusal, Place, RefusalReason
from trainer.scope import Scope
from trainer.selection import mark_dataset
from trainer.settings import change_settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from trainer.evaluation.report.view import ReportView
    from trainer.ports import ObjectStore

T = translator("en")
PLAIN = Page(T, Style(colour=False), 100)


def keys(store: ObjectStore) -> dict[str, str]:
    return {info.key: info.etag for info in store.list("")}


# --- runs that are set aside ----------------------------------------------------------------------------------------


def test_a_run_that_is_set_aside_leaves_the_store_as_it_was(room: Room, tmp_path: Path) -> None:
    for number in range(4):
        room.teach(f"What is thing {number}?", f"Answer {number}")
    kept = room.begin(cases(4))
    assert room.runner.run(SCOPE, kept).state == "finished"
    with reviewed(room.store, SCOPE, kept):
        pass
    before = keys(room.store)

    aside = FileStore(tmp_path / "aside")
    store = SetAside(room.store, aside, SCOPE)
    draft = room.draft()
    store.set_aside(draft.id)
    runner = Runner(store, room.library, room.answering)
    trial = runner.runs.begin(SCOPE, draft, cases(4))
    assert runner.run(SCOPE, trial, baseline=True).state == "finished"
    assert comparable_run(store, SCOPE, trial) == kept
    with reviewed(store, SCOPE, trial, earlier=kept, baseline=trial.id) as review:
        assert review.view.summary.numbers.passed == 4
        assert review.view.comparison is not None
        assert review.view.comparison.still_passed == 4
        assert review.view.baseline is not None
    assert keys(room.store) == before
    assert run_ids(store, SCOPE, "default", most=9) == [kept.id]
    assert {key.split("/")[1] for key in keys(aside)} == {"evaluations"}


def test_whoever_works_on_another_run_does_not_hold_up_one_that_is_set_aside(room: Room, tmp_path: Path) -> None:
    from trainer.evaluation.claims import Claim, claim

    store = SetAside(room.store, FileStore(tmp_path / "aside"), SCOPE)
    assert isinstance(claim(room.store, SCOPE, "1"), Claim)
    assert isinstance(claim(store, SCOPE, "2"), Claim)
    assert not isinstance(claim(room.store, SCOPE, "3"), Claim)


def test_all_else_is_where_it_always_is(room: Room, tmp_path: Path) -> None:
    aside = FileStore(tmp_path / "aside")
    store = SetAside(room.store, aside, SCOPE)
    store.set_aside("7")
    own, other = "g42/evaluations/7/run.json", "g42/evaluations/77/run.json"
    for key in (own, other, "g42/usage/7/x", "g43/evaluations/7/run.json"):
        with store.open_write(key, if_absent=True) as stream:
            stream.write(b"x")
        with store.open_read(key) as source:
            assert source.read() == b"x"
        assert store.head(key) is not None
    assert list(keys(aside)) == [own]
    assert [info.key for info in store.list("g42/evaluations/7/")] == [own]
    assert [info.key for info in store.list("g42/evaluations/")] == [other]
    store.delete(own)
    store.delete(other)
    assert store.head(own) is None
    assert store.head(other) is None
    assert store.url(own, expires_s=60, filename="x") is None
    store.ping()


# --- which server and dataset ---------------------------------------------------------------------------------------


def test_the_only_server_is_meant_and_its_selected_dataset(room: Room) -> None:
    room.store.put("retention/u7.json", b"{}")
    room.store.put("g9/settings.json", b"{}")  # somebody was there, and taught nothing
    with pytest.raises(Refused, match="Nothing was taught in the store file:x"):
        chosen_scope(room.store, None, "file:x", T)
    with pytest.raises(Refused, match="Nothing was taught in the store file:x"):
        chosen_scope(room.store, Scope("guild", "9"), "file:x", T)
    room.teach("What is one?", "1")
    assert chosen_scope(room.store, None, "file:x", T) == SCOPE
    assert chosen_dataset(room.store, SCOPE, "", T) == "default"
    mark_dataset(room.store, SCOPE, "events", "5")
    change_settings(room.store, SCOPE, lambda settings: type(settings)(dataset="events"))
    assert chosen_dataset(room.store, SCOPE, "", T) == "events"
    assert chosen_dataset(room.store, SCOPE, "Default", T) == "default"


def test_one_of_several_servers_has_to_be_named(room: Room) -> None:
    room.teach("What is one?", "1")
    mark_dataset(room.store, Scope("user", "7"), "default", "5")
    with pytest.raises(Refused, match=r"choose with --scope: g42, u7\."):
        chosen_scope(room.store, None, "file:x", T)
    assert chosen_scope(room.store, Scope("user", "7"), "file:x", T) == Scope("user", "7")
    with pytest.raises(Refused, match=r"Nothing was taught in g43. Something was in: g42, u7\."):
        chosen_scope(room.store, Scope("guild", "43"), "file:x", T)


def test_of_many_servers_some_are_named(room: Room) -> None:
    for number in range(10, 40):
        mark_dataset(room.store, Scope("guild", str(number)), "default", "5")
    with pytest.raises(Refused, match=r"g10, .*, g29, …"):
        chosen_scope(room.store, None, "file:x", T)


@pytest.mark.parametrize(
    ("name", "said"), [("event", "There are: default, events."), ("a/b", "has up to 48 letters")]
)
def test_a_dataset_that_is_not_there(room: Room, name: str, said: str) -> None:
    room.teach("What is one?", "1")
    mark_dataset(room.store, SCOPE, "events", "5")
    with pytest.raises(Refused, match=said):
        chosen_dataset(room.store, SCOPE, name, T)


# --- files ----------------------------------------------------------------------------------------------------------


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "report.xml"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), whole(path) as stream:
        stream.write(b"%d" % (1 // 0))
    assert path.read_text() == "old"
    with whole(path) as stream:
        stream.write(b"new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert [one.name for one in tmp_path.iterdir()] == ["report.xml"]
    made_now = os.umask(0)
    os.umask(made_now)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~made_now


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.xml").write_text("old")
    (tmp_path / "link.xml").symlink_to("real.xml")
    with whole(tmp_path / "link.xml") as stream:
        stream.write(b"new")
    assert (tmp_path / "link.xml").is_symlink()
    assert (tmp_path / "real.xml").read_text() == "new"


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    assert obstacle(pipe) == ""
    with whole(pipe) as stream:
        stream.write(b"through")
    reader.join(10)
    assert read == [b"through"]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_what_stands_in_the_way_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert obstacle(tmp_path / "new.xml") == ""
    assert obstacle(tmp_path) == "Is a directory"
    assert obstacle(tmp_path / "missing" / "new.xml") == "No such file or directory"
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert obstacle(tmp_path / "new.xml") == "Permission denied"


# --- signals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_in_order_and_all_else_at_once(number: signal.Signals) -> None:
    former = signal.getsignal(number)
    with Stop() as stop:
        with stop.gently():
            assert not stop()
            signal.raise_signal(number)
            assert stop()
            assert stop.wait(60)
            with pytest.raises(KeyboardInterrupt):
                signal.raise_signal(number)
        assert stop.number == number
    assert signal.getsignal(number) is former
    with Stop() as stop, pytest.raises(KeyboardInterrupt):
        signal.raise_signal(number)


# --- words ----------------------------------------------------------------------------------------------------------


def told(given: ReportView, worst: Sequence[Pair] = (), page: Page = PLAIN) -> str:
    return "\n".join(report(page, given, worst))


def test_a_report_tells_numbers_failures_and_what_was_tested() -> None:
    found = [made(number, tags=["easy"]) for number in range(8)]
    found += [made(8, "failed", 0.25, answer="No idea.", reason="Off the mark."), made(9, "error")]
    text = told(view(found))
    assert text.startswith(
        "Test of “support”\n2026-09-21 14:13 UTC · cases of the file cases.jsonl\n\n89%  8 of 9 judged"
    )
    assert "• 1 case could not be judged and counts neither as passed nor as failed: the model did not" in text
    assert "Did not pass\n  1. Question 8?\n     expected: is exactly: Read the rules first.\n" in text
    assert "     answer: No idea.\n     the judge: Off the mark.\n" in text
    assert "By tag\n  Tag   Cases  Passed  Errors  Pass rate  Interval\n  easy  8 " in text
    assert "  Language model          gpt-test\n" in text
    assert "\x1b" not in text
    assert max(map(len, text.splitlines())) <= 110


def test_of_many_failures_some_are_told() -> None:
    text = told(view([made(number, "failed") for number in range(9)]))
    assert "  5. Question 4?" in text
    assert "Question 5?" not in text
    assert "…and 4 more; --html has them all" in text


def test_what_got_worse_is_shown_with_what_changed() -> None:
    before = [made(0, answer="The event starts on Friday at eight."), made(1), made(2, answer="Right so.")]
    after = [
        made(0, "failed", 0.2, answer="The event starts on Sunday at eight."),
        made(1, "failed", answer=""),
        made(2, "failed", answer="Right so."),
    ]
    pairs = [Pair(one, other) for one, other in zip(before, after, strict=True)]
    text = told(view(after, before), pairs)
    assert "Since the last run\n  Not enough cases to tell.\n  3 cases that both runs judged\n" in text
    assert "Got worse\n  1. Question 0?\n     passed → failed, 1.00 → 0.20\n" in text
    assert "     The event starts on [-Friday-]{+Sunday+} at eight.\n" in text
    assert "[-Read the rules first.-]{+“I don't know”+}" in text
    assert "The same answer, judged otherwise: Right so." in text
    assert "Did not pass" not in text


def test_what_people_wrote_moves_no_cursor_and_hides_nothing() -> None:
    text = told(view([hostile(0), hostile(1)], [made(0), made(1)]), [Pair(made(0), hostile(0))])
    assert "[U+202E]gnp.exe" in text
    assert "␛" in text
    assert not {"\x1b", "\x00", "\u202e"} & set(text)
    assert HOSTILE not in text


def test_colours_are_for_terminals() -> None:
    text = told(view([made(0)]), page=Page(T, Style(colour=True), 100))
    assert text.startswith("\x1b[1mTest of “support”\x1b[0m")
    assert changes(Style(colour=True), word_changes("It is red.", "It is blue.")) == (
        "It is \x1b[31m[-red-]\x1b[0m\x1b[32m{+blue+}\x1b[0m."
    )


def test_of_what_stayed_only_what_is_near_a_change_is_shown() -> None:
    long = " ".join(f"word{number}" for number in range(60))
    shown = changes(Style(colour=False), word_changes(f"{long} old {long}", f"{long} new {long}"))
    assert "[-old-]{+new+}" in shown
    assert shown.startswith("… ")
    assert shown.endswith(" …")
    assert len(shown) < 120
    shown = changes(Style(colour=False), word_changes("x", long))
    assert len(shown) < 430
    assert shown.endswith("…+}")


def test_columns_are_as_wide_as_a_terminal_shows_them() -> None:
    assert cells("東京") == 4
    assert cells("e\u0301") == 1
    assert list(columns([("東京", "1"), ("abc", "2")], indent=" ")) == [" 東京  1", " abc   2"]


def test_every_reason_has_words() -> None:
    assert set(REASONS) == {reason.value for reason in CaseRejectionReason}
    for reason in RefusalReason:
        assert refusal_sentence(T, FileRefusal(reason, "xlsx")) != ""
    assert set(REFUSALS) == {reason.value for reason in RefusalReason}
    units = Place.__annotations__["unit"]
    assert all(unit in str(units) for unit in PLACES)


# --- the screen -----------------------------------------------------------------------------------------------------


class Terminal(io.StringIO):
    """Says that it is one."""

    def __init__(self, fileno: int) -> None:
        super().__init__()
        self._fileno = fileno

    def isatty(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._fileno


def screen(out: Any, err: Any, environ: Mapping[str, str] | None = None, *, quiet: bool = False) -> Screen:
    return Screen(out, err, environ or {}, quiet=quiet)


def test_only_terminals_get_a_bar() -> None:
    master, slave = os.openpty()
    try:
        shown = Terminal(slave)
        with screen(io.StringIO(), shown).progress(T, run(20)) as tell:
            tell(Progress(0, 20, "results", None))
            tell(Progress(10, 20, "results", 1.0))
            tell(Progress(20, 20, "baseline", 1.0))
        text = shown.getvalue()
        assert "Testing “support”" in text
        assert "10/20" in text
        assert "The same with nothing taught" in text
        for quiet, err in ((True, Terminal(slave)), (False, io.StringIO())):
            with screen(io.StringIO(), err, quiet=quiet).progress(T, run(20)) as tell:
                tell(Progress(10, 20, "results", 1.0))
            assert err.getvalue() == ""
    finally:
        os.close(master)
        os.close(slave)


@pytest.mark.parametrize(
    ("environ", "colour"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
)
def test_the_environment_has_a_say_about_colours(environ: dict[str, str], colour: bool) -> None:
    master, slave = os.openpty()
    try:
        assert screen(Terminal(slave), io.StringIO(), environ).style.colour is colour
    finally:
        os.close(master)
        os.close(slave)
    assert not screen(io.StringIO(), io.StringIO()).style.colour


def test_quiet_leaves_complaints() -> None:
    out, err = io.StringIO(), io.StringIO()
    silent = screen(out, err, quiet=True)
    silent.show(["a line"])
    silent.note("by the way")
    silent.complain("it is \x1b[31mwrong")
    assert out.getvalue() == ""
    assert err.getvalue() == "trainger: it is ␛[31mwrong\n"


def test_a_reader_who_leaves_does_not_matter() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as out:
        shown = screen(out, io.StringIO())
        shown.show(["a line"] * 10_000)
        shown.show(["another"])
