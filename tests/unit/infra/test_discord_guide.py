"""What docs/discord-setup.md names is there, and the templates say what the code does."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path
from typing import Final

import pytest

import register_commands
from infra import doctor
from infra.doctor_discord import TALKING, WRITING, invite
from interactions.delivery_of_files import LINK_S
from interactions.registry import registry
from trainer import retention
from trainer.configuration import Configuration
from trainer.consent import REQUEST_DAYS
from trainer.conversations import IDLE_S

ROOT: Final = Path(__file__).parents[3]
DOCS: Final = ROOT / "docs"
GUIDE: Final = (DOCS / "discord-setup.md").read_text(encoding="utf-8")
POLICY: Final = (DOCS / "templates" / "privacy-policy.md").read_text(encoding="utf-8")
TERMS: Final = (DOCS / "templates" / "terms.md").read_text(encoding="utf-8")
FOLDERS: Final = {
    "replies as they were shown": "outcomes",
    "replies that could not be shown to you": "unseen",
    "your last exchanges with it in a channel": "conversations",
    "how often you use the bot": "limits",
    "the copy of your data that `/export_me` made": "personal",
    "tables and other files that managers had made": "exports",
    "changes of the bot's instruction that nobody decided about": "drafts",
    "which dataset a command was about": "pins",
    "who asked to teach the bot a message of yours, without its text": "requests",
    "what a test held back": "gates",
    "that a `/join` or `/leave` was taken on": "voice/claims",
}
"""What the policy calls the folders whose contents go by themselves."""


def table(text: str, heading: str) -> list[list[str]]:
    """The rows of the table that begins with a heading."""
    lines = text[text.index(f"| {heading} |") :].split("\n\n", maxsplit=1)[0].splitlines()
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


def commands() -> list[list[str]]:
    """Each command that is to be typed."""
    blocks = re.findall(r"^```sh\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)
    return [shlex.split(line) for block in blocks for line in block.splitlines()]


def test_its_commands_can_be_typed() -> None:
    seen = set()
    for command in commands():
        match command:
            case [".venv/bin/python", "-m", module, *arguments]:
                assert importlib.util.find_spec(module) is not None
                assert module == "infra.doctor"
                doctor._parse(arguments)
                seen.add(module)
            case [".venv/bin/python", script]:
                assert (ROOT / script).is_file()
                seen.add(script)
            case ["export", assignment]:
                assert assignment.partition("=")[0] == doctor.PRIVATE_KEY
            case ["cloudflared", "tunnel", "--url", url]:
                assert url == f"http://127.0.0.1:{Configuration().port}"
            case _:
                pytest.fail(f"{command} is not known")
    assert seen == {"infra.doctor", "register_commands.py"}


def test_options_that_it_names_are_there(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        register_commands.main(["--help"])
    with pytest.raises(SystemExit):
        doctor.main(["--help"])
    there = set(re.findall(r"--[a-z-]+", capsys.readouterr().out)) | {"--url"}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", GUIDE)) <= there


def test_variables_that_it_names_are_explained() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    for text in (GUIDE, POLICY, TERMS):
        for name in re.findall(r"\b(?:TRAINGER|DISCORD)_[A-Z_]+\b", text):
            assert f"\n{name}=" in example, name


def test_the_doctors_checks_are_all_there_in_their_order() -> None:
    told = [name for row in table(GUIDE, "check") for name in re.findall(r"`([^`]+)`", row[0])]
    assert told == list(doctor.CHECKS)


def test_its_invite_link_is_the_doctors() -> None:
    assert f"`{invite('<application id>', voice=True)}`" in GUIDE
    flat = re.sub(r"\s+", " ", GUIDE)
    rows = table(GUIDE, "permission")
    assert [row[0] for row in rows] == [", ".join(WRITING), ", ".join(TALKING)]
    assert f"permissions {', '.join(WRITING)}, and for voice {', '.join(TALKING)}." in flat


def test_the_days_that_it_names_are_true() -> None:
    assert Configuration().retention_days == 30
    assert "thirty days after somebody uninstalled" in re.sub(r"\s+", " ", GUIDE)


@pytest.mark.parametrize("name", ["discord-setup.md", "templates/privacy-policy.md", "templates/terms.md"])
def test_where_it_leads_there_is_something(name: str) -> None:
    page = DOCS / name
    for link, anchor in re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]+))?\)", page.read_text(encoding="utf-8")):
        target = (page.parent / link).resolve() if link else page
        assert target.is_file(), link
        if anchor:
            headings = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
            slugs = {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}
            assert anchor in slugs, anchor


def test_the_policy_names_everything_that_goes_by_itself() -> None:
    rows = {row[0]: row[2] for row in table(POLICY, "what")}
    assert set(FOLDERS.values()) == set(retention.KEPT_DAYS)
    for what, folder in FOLDERS.items():
        days = retention.KEPT_DAYS[folder]
        assert re.search(rf"\b{days} days?\b", rows[what]), (what, days)
    assert f"used for {IDLE_S // 60:g} minutes" in rows["your last exchanges with it in a channel"]
    assert "ends after an hour" in next(row[1] for row in table(POLICY, "what") if "export_me" in row[0])
    assert LINK_S == 3600
    assert retention.KEPT_DAYS["requests"] == REQUEST_DAYS


def test_what_can_be_changed_is_marked_and_is_the_default() -> None:
    rows = {row[0]: row[2] for row in table(POLICY, "what")}
    answers = f"[[{Configuration().answer_days}]] days"
    assert rows["your questions, the answers, and your votes and comments on them"] == answers
    assert rows["cases and answers of tests, which may repeat questions and corrections"] == answers
    flat = re.sub(r"\s+", " ", POLICY)
    uninstalled = f"[[{Configuration().retention_days}]] days later"
    assert flat.count(uninstalled) == 2
    assert f"[[{Configuration().answer_days}]] at most" in flat
    assert f"in memory for {IDLE_S // 60} minutes at most" in flat
    assert f"goes within {max(retention.OUTCOME_DAYS, retention.CONVERSATION_DAYS)} day." in flat


def test_the_commands_that_the_templates_name_are_there() -> None:
    names = set(registry().slash)
    for text in (POLICY, TERMS, GUIDE):
        for name in re.findall(r"`/(\w+)`", text):
            assert name in names | {"healthz", "metrics", "events", "interactions"}, name
    assert {"privacy", "export_me", "forget_me"} <= set(re.findall(r"`/(\w+)`", POLICY))
    assert "“Train on this”" in TERMS
    assert "Train on this" in {definition["name"] for definition in registry().definitions()}


@pytest.mark.parametrize("text", [POLICY, TERMS])
def test_placeholders_are_marked_and_closed(text: str) -> None:
    assert text.count("[[") == text.count("]]") > 10
    assert not re.search(r"\[\[[^\]]*\[\[", text)
    assert text.startswith("<!--\nA template")
    assert "no legal advice" in text.splitlines()[1]
