"""`python -m trainer.evaluation` among others: signals, another run, Discord, S3, and very many cases."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from junitparser import JUnitXml

from tests.bot import Bot
from tests.e2e.evaluation_place import COUNT, Place, case, name
from tests.e2e.test_processes import environment
from tests.unit.evaluation.rooms import SCOPE, Room, cases, timeless
from trainer.adapters.file_store import FileStore
from trainer.evaluation.claims import Claim, claim
from trainer.evaluation.detail import drop_detail
from trainer.evaluation.history import comparable_run, run_ids
from trainer.evaluation.store import Runs

if TYPE_CHECKING:
    from pathlib import Path

    from tests.openai_server import OpenAiServer
    from tests.servers import S3Server


def test_a_run_that_another_one_holds_up_waits_for_it(taught: Place) -> None:
    held = claim(taught.room.store, SCOPE, "77", lasts_s=60)
    assert isinstance(held, Claim)
    waiting = taught.begin(taught.file([case(1)]))
    assert waiting.stderr is not None
    assert waiting.stdout is not None
    assert "Another run is being worked on in g42: this one waits" in waiting.stderr.readline()
    taught.type("cases.jsonl", "--no-save")
    held.release()
    out, _ = waiting.communicate(timeout=60)
    assert waiting.returncode == 0
    assert "1 of 1 judged case passed" in out


# --- signals --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_was_done_before_ctrl_c_is_kept_and_gone_on_with(
    taught: Place, models: OpenAiServer, number: signal.Signals
) -> None:
    taught.settings |= {"OPENAI_BASE_URL": models.base_url, "TRAINGER_CHAT_MODEL": "old"}
    models.chunk_delay_s = 0.02
    file = taught.file([case(number) for number in range(COUNT)])
    running = taught.begin(file, "--junit", "out.xml", "--threads", "2")
    deadline = time.monotonic() + 60
    while not taught.results():
        assert running.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    running.send_signal(number)
    out, err = running.communicate(timeout=60)
    assert running.returncode == 128 + number
    assert out == ""
    (run,) = taught.runs()
    done = 10 * taught.results()
    assert 10 <= done < COUNT
    assert (
        err
        == f"trainger: Interrupted. Results of {done} of 40 cases are kept: --resume {run.id} goes on from there.\n"
    )
    assert not (taught.folder / "out.xml").exists()
    assert "not over" in taught.type("--list-runs").stdout

    models.chunk_delay_s = 0
    asked = len(models.chats)
    changed = taught.settings | {"TRAINGER_CHAT_MODEL": "new"}
    taught.settings, same = changed, taught.settings
    assert "Changed: the language model, the judge." in taught.type("--resume", run.id, code=2).stderr
    assert "is not over" in taught.type(file, "--against", run.id, code=2).stderr
    taught.settings = same
    resumed = taught.type("--resume", run.id, "--junit", "out.xml", "--min-pass", "1")
    assert len(models.chats) - asked == COUNT - done
    assert "40 of 40 judged cases passed" in resumed.stdout
    assert JUnitXml.fromfile(str(taught.folder / "out.xml")).tests == COUNT
    assert [one.id for one in taught.runs()] == [run.id]

    taught.type(file)
    whole, interrupted = ([*taught.room.runs.results(SCOPE, one.id)] for one in taught.runs())
    assert timeless(whole) == timeless(interrupted)


def test_of_a_run_that_is_not_kept_ctrl_c_leaves_nothing(taught: Place, models: OpenAiServer) -> None:
    taught.settings |= {"OPENAI_BASE_URL": models.base_url, "TRAINGER_CHAT_MODEL": "old"}
    models.chunk_delay_s = 0.05
    before = set(taught.objects())
    scratch = taught.folder / "tmp"
    scratch.mkdir()
    taught.settings["TMPDIR"] = str(scratch)
    running = taught.begin(taught.file([case(number) for number in range(COUNT)]), "--no-save")
    deadline = time.monotonic() + 60
    while len(models.chats) < 4:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "trainger: Interrupted. Nothing is kept of this run." in err
    assert {key for key in taught.objects() if "/usage/" not in key} == before
    assert list(scratch.iterdir()) == []


# --- runs of others -------------------------------------------------------------------------------------------------


def test_a_run_that_somebody_ends_early_is_told_but_reaches_nothing(taught: Place, models: OpenAiServer) -> None:
    taught.settings |= {"OPENAI_BASE_URL": models.base_url, "TRAINGER_CHAT_MODEL": "old"}
    models.chunk_delay_s = 0.03
    running = taught.begin(taught.file([case(number) for number in range(COUNT)]), "--threads", "2")
    deadline = time.monotonic() + 60
    while not taught.results():
        assert running.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    (run,) = taught.runs()
    assert taught.room.runs.cancel(SCOPE, run.id, "1001") is not None
    out, err = running.communicate(timeout=60)
    assert (running.returncode, out) == (2, "")
    assert f"Somebody ended the run early. --resume {run.id} tells what there is of it." in err
    told = taught.type("--resume", run.id, "--html", "report.html").stdout
    assert f"The run ended early: {10 * taught.results()} of 40 cases were tested." in told
    assert "cannot be held against a bar" in taught.type("--resume", run.id, "--min-pass", "0.1", code=2).stderr


def test_a_run_of_the_gate_is_only_the_bot_s_to_go_on_with(taught: Place) -> None:
    run = taught.room.begin(cases(12), source="gate")
    assert "only the bot can go on with it" in taught.type("--resume", run.id, code=2).stderr
    assert taught.room.runner.run(SCOPE, run).state == "finished"
    assert "before a change goes live" in taught.type("--resume", run.id).stdout


def test_a_run_whose_cases_were_deleted(taught: Place) -> None:
    run = taught.room.begin(cases(12))
    assert taught.room.runner.run(SCOPE, run).state == "finished"
    drop_detail(taught.room.store, SCOPE, run.id)
    for arguments in (["--resume", run.id], [taught.file([case(1)]), "--against", run.id]):
        assert "The cases of that run are no longer kept" in taught.type(*arguments, code=2).stderr


# --- the world around it --------------------------------------------------------------------------------------------


@pytest.mark.timeout(1200)  # it answers ten thousand questions, whatever else the machine does
def test_ten_thousand_cases_take_little_more_memory_than_a_hundred(taught: Place) -> None:
    def most(count: int) -> int:
        """Bytes that the process had at its most."""
        many = [case(n % COUNT, id=f"c{n}", match="contains", context="padding " * 40) for n in range(count)]
        files = ("--junit", "o.xml", "--json", "o.json", "--csv", "o.csv", "--html", "o.html")
        arguments = taught.arguments(taught.file(many), "--no-save", "--quiet", "--min-pass", "1", *files)
        process = subprocess.Popen(arguments, cwd=taught.folder, env=environment(**taught.settings))
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        assert JUnitXml.fromfile(str(taught.folder / "o.xml")).tests == count
        return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)

    assert most(10_000) - most(100) < 64 << 20


def test_what_is_taught_and_corrected_in_discord_is_tested_as_it_is(tmp_path: Path) -> None:
    """With nothing configured but the store that `make run` fills: answers are compared by meaning, too."""
    with Bot(tmp_path) as bot:
        bot.ada().command("train", text="Q: How do I reset my password? A: Press “Forgot password” and wait.").wait()
        answered = bot.ada().command("ask", prompt="How do I reset my password?").wait()
        right = "Open the settings and press the button that says reset."
        bot.ada().click(answered.message.id, "Correct").submit({"correction": right}).wait()
        bot.until_idle()
        scope = bot.services_scope()
    place = Place(tmp_path)
    place.settings = {"TRAINGER_STORE": f"file:{tmp_path / 'store'}", "TRAINGER_CACHE": str(tmp_path / "cache")}
    done = place.type("--min-pass", "1")
    assert "1 of 1 judged case passed" in done.stdout
    assert "expected" not in done.stdout
    assert "Compares meanings" in done.stdout
    store = FileStore(tmp_path / "store")
    runs = Runs(store)
    (one,) = run_ids(store, scope, "default", most=5)
    run = runs.load(scope, one)
    assert run is not None
    later = run.__class__(
        **{field: getattr(run, field) for field in run.__struct_fields__} | {"id": str(int(one) + 1)}
    )
    assert comparable_run(store, scope, later) == run
    place.room.close()


def test_a_store_in_s3(tmp_path: Path, seaweedfs_server: S3Server) -> None:
    from trainer.adapters.s3_store import S3Store

    client = seaweedfs_server.client("s3")
    bucket = f"evaluated-{time.time_ns()}"
    client.create_bucket(Bucket=bucket)
    store = S3Store(bucket, "trainger", client=client)
    room = Room(tmp_path, store)
    for number in range(5):
        room.teach(f"What is thing {number}?", f"It is called {name(number)}.")
    place = Place(tmp_path / "elsewhere")
    place.folder.mkdir()
    place.settings |= {"TRAINGER_STORE": f"s3://{bucket}/trainger", **seaweedfs_server.environment()}
    place.settings["AWS_EC2_METADATA_DISABLED"] = "true"
    file = place.file([case(number) for number in range(12)])
    place.type(file, "--no-save")
    done = place.type(file, "--against", "last", "--max-errors", "0")
    assert "5 of 12 judged cases passed" in done.stdout
    (one,) = run_ids(store, SCOPE, "default", most=5)
    assert len(list(room.runs.results(SCOPE, one))) == 12
    assert not (place.folder / "data" / "store").exists()
    place.type("--list-runs")
    place.settings["AWS_SECRET_ACCESS_KEY"] = "wrong"
    refused = place.type(file, code=2)
    assert refused.stderr.startswith("trainger: ")
    room.close()
    place.room.close()
    client.close()
