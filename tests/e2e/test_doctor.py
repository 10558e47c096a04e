"""`python -m infra.doctor` before a real server, in processes of their own; what is broken is really broken."""

from __future__ import annotations

import json
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import requests
from prometheus_client.parser import text_string_to_metric_families

from infra.doctor_discord import TALKING, WRITING, invite
from playground.server import Playground
from tests.e2e.test_processes import environment, free_port, process, run, served
from trainer.adapters.sqlite_queue import SqliteQueue

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
ENOUGH = str(sum(WRITING.values()) + sum(TALKING.values()))


class Deployed:
    """A server with an application of its own, and how the doctor finds it."""

    def __init__(self, folder: Path, discord: Playground, port: int, settings: dict[str, str]) -> None:
        self.folder = folder
        self.discord = discord
        self.url = f"http://127.0.0.1:{port}"
        self.settings = settings

    def examined(self, *arguments: str, code: int = 0, **changed: str) -> dict[str, str]:
        """Each check's state and text."""
        done = run(self.folder, "-m", "infra.doctor", self.url, "--json", *arguments, **self.settings | changed)
        assert done.returncode == code, (done.stdout, done.stderr)
        for secret in (self.settings["DISCORD_TOKEN"], self.settings["TRAINGER_PROBE_PRIVATE_KEY"]):
            assert secret not in done.stdout + done.stderr
        return {each["name"]: f"{each['state']}: {each['text']}" for each in json.loads(done.stdout)["findings"]}

    def broken(self, name: str, **changed: str) -> str:
        """What one check says that fails, and with it the whole."""
        found = self.examined(code=1, **changed)
        assert found[name].startswith("bad: "), found
        return found[name]


@contextmanager
def deployed(folder: Path) -> Iterator[Deployed]:
    """An application whose key and token are set, as they are for a real one, and whose probe has a key."""
    made = run(folder, "-m", "infra.doctor", "--new-key", "probe.key")
    assert made.returncode == 0, made.stderr
    name, _, public = made.stdout.strip().partition("=")
    port = free_port()
    with Playground() as discord:
        discord.interactions_url = f"http://127.0.0.1:{port}/interactions"
        discord.faults.add(
            path="/users/@me/guilds", status=200, body=[{"id": "1", "permissions": ENOUGH}], times=None
        )
        settings = {**discord.environment(), "PORT": str(port), name: public}
        assert run(folder, str(ROOT / "register_commands.py"), **settings).returncode == 0
        with process(folder, environment(**settings), "interactions", says=f"http://127.0.0.1:{port}"):
            settings["TRAINGER_PROBE_PRIVATE_KEY"] = (folder / "probe.key").read_text()
            yield Deployed(folder, discord, port, settings)


def test_a_playground_is_well(tmp_path: Path) -> None:
    with served(tmp_path) as bot:
        # The server says that it is there before the playground has the commands.
        bot.type("/hi")
        done = run(tmp_path, "-m", "infra.doctor", f"http://127.0.0.1:{bot.port}")
    assert done.returncode == 0, done.stdout
    lines = done.stdout.splitlines()
    assert {line[:4] for line in lines} == {"OK  ", "note"}
    assert any(line.startswith("OK   signed PING: PONG") for line in lines)
    assert any(line.startswith("OK   bad signature: 401") for line in lines)


def test_an_application_is_well_until_something_breaks(tmp_path: Path) -> None:
    with deployed(tmp_path) as bot:
        found = bot.examined()
        notes = {name for name, said in found.items() if not said.startswith("ok: ")}
        assert notes == {"certificate", "events"}, found
        assert invite(bot.settings["DISCORD_APPLICATION_ID"], voice=True) in found["invite"]

        # The application and its credentials.
        assert "refuses the token" in bot.broken("application", DISCORD_TOKEN="of-somebody-else")
        assert "DISCORD_PUBLIC_KEY" in bot.broken("application", DISCORD_PUBLIC_KEY="ab" * 32)
        assert "TRAINGER_PROBE_PUBLIC_KEY=" in bot.broken("signed PING", TRAINGER_PROBE_PRIVATE_KEY="cd" * 32)
        there, bot.discord.interactions_url = bot.discord.interactions_url, "https://old.example.org/interactions"
        assert "old.example.org" in bot.broken("application")
        bot.discord.interactions_url = there

        # The servers and the commands.
        bot.discord.faults.clear()
        bot.discord.faults.add(path="/users/@me/guilds", status=200, body=[{"id": "77", "permissions": "0"}])
        assert "77 lacks View Channels" in bot.broken("servers")
        bot.discord.faults.add(
            path="/users/@me/guilds", status=200, body=[{"id": "1", "permissions": ENOUGH}], times=None
        )
        written = requests.put(
            f"{bot.discord.api_url}/applications/{bot.settings['DISCORD_APPLICATION_ID']}/commands",
            json=[],
            headers={"Authorization": f"Bot {bot.settings['DISCORD_TOKEN']}", "User-Agent": "DiscordBot (x, 1)"},
            timeout=10,
        )
        assert written.status_code == 200
        assert "register_commands.py" in bot.broken("commands")
        assert run(tmp_path, str(ROOT / "register_commands.py"), **bot.settings).returncode == 0

        # What is kept: a store that cannot be written is the endpoint's trouble, and ours.
        store = tmp_path / "data" / "store"
        store.rename(tmp_path / "away")
        store.write_text("no folder")
        assert "TRAINGER_STORE" in bot.broken("health")
        assert "does not answer us" in bot.broken("store")
        store.unlink()
        (tmp_path / "away").rename(store)

        # Given up, and told.
        with closing(SqliteQueue(tmp_path / "data" / "queue.sqlite3")) as queue:
            queue.send(b"no job")
            deadline = time.monotonic() + 30
            while queue.depth().dead == 0:
                assert time.monotonic() < deadline
                time.sleep(0.05)
        assert "1 were given up" in bot.examined()["health"]
    gone = bot.examined(code=1)
    assert "cannot be reached" in gone["bad signature"]
    assert gone["application"].startswith("bad: Discord cannot be reached")


def test_what_the_process_counts(tmp_path: Path) -> None:
    with served(tmp_path) as bot:
        url = f"http://127.0.0.1:{bot.port}/metrics"
        bot.type("/hi")
        bot.type("/ask prompt:Where is the office?")
        # waitress would take this header off, and the request for one of this machine.
        for header in ("X-Forwarded-For", "Forwarded", "Via"):
            assert requests.get(url, headers={header: "203.0.113.9"}, timeout=10).status_code == 404
        assert requests.get(url, headers={"Host": "bot.example.org"}, timeout=10).status_code == 404
        response = requests.get(url, timeout=10)
    assert response.status_code == 200
    found = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(response.text)
        for sample in family.samples
    }
    assert found["trainger_acknowledgements_total", "command", "deferred"] >= 1
    assert found["trainger_job_seconds_count", "complete"] >= 1
    assert found["trainger_queue_jobs", "dead"] == 0
    assert "office" not in response.text


def test_metrics_are_public_where_that_is_wanted(tmp_path: Path) -> None:
    with served(tmp_path, TRAINGER_METRICS="public") as bot:
        url = f"http://127.0.0.1:{bot.port}/metrics"
        assert requests.get(url, headers={"X-Forwarded-For": "203.0.113.9"}, timeout=10).status_code == 200
