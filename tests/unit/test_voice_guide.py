"""What docs/voice.md names is there, its numbers are those of the code, and it leaves no setting out."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
import yaml

from infra.command_reference import text as reference
from interactions.commands.settings import TRANSCRIPTS
from trainer.conversations import CHARACTERS_MOST, IDLE_S, TURNS_MOST
from trainer.i18n import translator
from trainer.retention import VOICE_CLAIM_DAYS
from trainer.speech.prices import FREE, MILLION_CHARACTERS, MINUTE, SPOKEN_MINUTE
from trainer.speech.speaking import CACHE_BYTES
from trainer.voice_calls import call_key, claim_key
from trainer.voice_configuration import NAMES, RANGES, SHARD, VoiceConfiguration
from trainer.voice_line import ANSWER_S
from trainer.voice_orders import REPLIED_S, SAID_S, TOLD_S
from trainer.voice_transcripts import turns_prefix
from voice_sidecar import __main__ as sidecar
from voice_sidecar.calls import attendance, wording
from voice_sidecar.calls.consents import AGAIN_S
from voice_sidecar.calls.kept import notice_key, scope_of
from voice_sidecar.connection.counters import Counters as Connected
from voice_sidecar.connection.counters import Refused, Unsendable
from voice_sidecar.connection.outcomes import Lost, Why
from voice_sidecar.connection.patience import Patience
from voice_sidecar.conversation.tools import Settings
from voice_sidecar.conversation.turn import Outcome
from voice_sidecar.ops import doctor_discord
from voice_sidecar.ops.activity import connection_events
from voice_sidecar.ops.metrics import STAGES, Metrics, Seen
from voice_sidecar.receiving.counters import Counters, Dropped
from voice_sidecar.receiving.dave import Reason
from voice_sidecar.turns.settings import Settings as EarSettings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from prometheus_client import CollectorRegistry

ROOT: Final = Path(__file__).parents[2]
GUIDE: Final = (ROOT / "docs" / "voice.md").read_text(encoding="utf-8")
SOURCES: Final = "".join(path.read_text(encoding="utf-8") for path in sorted(ROOT.glob("voice_sidecar/**/*.py")))
FLAT: Final = re.sub(r"\s+", " ", GUIDE)
KEYS: Final = ("answers", "messages", "conversations", "preferences", "limits", "usage", "voice")
"""Folders of a server's scope that the guide may name."""


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", GUIDE, re.DOTALL | re.MULTILINE)


def code() -> set[str]:
    """Everything between backticks, but for blocks."""
    return set(re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```$", "", GUIDE, flags=re.DOTALL | re.MULTILINE)))


def row(start: str) -> str:
    """The line of a table that begins so."""
    (found,) = re.findall(rf"^\| {re.escape(start)}.*$", GUIDE, re.MULTILINE)
    return str(found)


def modules() -> set[str]:
    return set(re.findall(r"python -m ([a-z_.]+)", GUIDE)) - {"pip"}


def test_every_program_is_there() -> None:
    assert {"voice_sidecar", "bench", "infra.healthcheck"} <= modules()
    for name in modules():
        path = ROOT.joinpath(*name.split("."))
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file(), name


def test_what_it_says_is_measured_can_be() -> None:
    measured = re.findall(r"python -m bench ([a-z]+)", GUIDE)
    assert measured
    assert all((ROOT / "bench" / f"{name}.py").is_file() for name in measured)


def typed() -> list[list[str]]:
    """What is given to the sidecar in blocks and in the text."""
    found = re.findall(r"python -m voice_sidecar([^`\n&]*)", GUIDE)
    return [shlex.split(arguments.removesuffix(".")) for arguments in found]


def test_its_commands_can_be_typed() -> None:
    parser = sidecar._parser()
    parsed = [parser.parse_args(arguments, namespace=sidecar.Shards()) for arguments in typed()]
    assert [one.shard_ids for one in parsed if one.shard_ids] == [[0], [1]]
    assert any(one.doctor for one in parsed)


def test_it_names_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        sidecar._parser().parse_args(["--help"])
    options = set(re.findall(r"^  (--[a-z-]+)", capsys.readouterr().out, re.MULTILINE))
    assert options
    assert all(option in GUIDE for option in options)


def test_two_sidecars_side_by_side_share_no_queue() -> None:
    (block,) = [block for block in blocks("sh") if "--shard-ids" in block]
    assert "TRAINGER_VOICE_SHARDS=2" in block
    assert SHARD in block
    assert "TRAINGER_SIDECAR_PORT=8082" in block


@pytest.mark.parametrize("path", sorted(set(re.findall(r"[\w./-]+\.(?:txt|yaml|json|py|service|example)\b", GUIDE))))
def test_every_file_that_it_names_is_there(path: str) -> None:
    if path.startswith(("g42/", "/")) or "<" in path or path == ".json":
        return
    assert (ROOT / path).is_file(), path


def test_links_lead_to_headings_that_are_there() -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", GUIDE)
    assert links
    for path, anchor in links:
        if not anchor:
            continue
        target = (ROOT / "docs" / path).read_text(encoding="utf-8")
        headings = re.findall(r"^#+ (.+)$", target, re.MULTILINE)
        slugs = {re.sub(r"[^\w\- ]", "", heading.casefold()).replace(" ", "-") for heading in headings}
        assert anchor in slugs, (path, anchor)


def test_every_slash_command_and_option_is_there() -> None:
    known = reference()
    for command, option in re.findall(r"`/([a-z_]+)(?: ([a-z_]+))?[:`]", GUIDE):
        heading = f"### /{command}\n"
        if command in {"healthz", "metrics"}:
            continue
        assert heading in known, command
        about = known[known.index(heading) :].split("\n### ")[0]
        assert not option or f"`{option}`" in about, (command, option)


def test_every_variable_that_it_names_is_explained_in_env_example() -> None:
    explained = (ROOT / ".env.example").read_text(encoding="utf-8")
    others = {"SSL_CERT_FILE"}  # read by OpenSSL
    named = set(re.findall(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b", GUIDE)) - others
    assert "DISCORD_TOKEN" in named
    for name in named:
        assert re.search(rf"^{name}=", explained, re.MULTILINE), name
    assert "SSL_CERT_FILE" in SOURCES


@pytest.mark.parametrize("setting", sorted(NAMES))
def test_every_setting_of_voice_is_in_the_table_with_its_default_and_its_bounds(setting: str) -> None:
    line = row(f"`{NAMES[setting]}` |")
    default = getattr(VoiceConfiguration(), setting)
    shown = line.split("|")[2].strip().strip("`")
    if setting == "wake_names":
        assert shown == "its name in the server, Trainger, тренер"
        return
    assert shown == (default if isinstance(default, str) else f"{default:g}")
    if setting in {"filler_seconds", "follow_up_seconds", "empty_minutes", "silence_seconds"}:
        assert re.search(rf"\b{RANGES[setting][1]:g}\b", line.split("|")[3])


def test_no_setting_of_voice_is_missing_here_or_in_env_example() -> None:
    explained = (ROOT / ".env.example").read_text(encoding="utf-8")
    wanted = {*NAMES.values(), *re.findall(r"^(TRAINGER_VOICE_\w+)=", explained, re.MULTILINE)}
    assert {name for name in wanted if f"`{name}`" not in GUIDE} == set()


def test_the_invite_link_asks_for_what_the_doctor_asks_for() -> None:
    assert f"permissions={doctor_discord.INVITED_WITH}" in GUIDE
    (named,) = re.findall(r"Voice needs ([^.]+) of it\.", FLAT)
    assert set(re.split(r", | and ", named)) == set(doctor_discord.PERMISSIONS)


def test_the_doctor_looks_at_what_the_guide_says() -> None:
    (named,) = re.findall(r"how to mend it: ([a-z, ]+)\. It ends", FLAT)
    names = re.findall(r'Check\(\s*"([^"]+)"', (ROOT / "voice_sidecar" / "__main__.py").read_text(encoding="utf-8"))
    asked = [name for name, _ in doctor_discord.questions(doctor_discord.Discord("", "", ""))]
    assert named.split(", ") == [*asked, *names, "voice queue"]


def _everything() -> CollectorRegistry:
    """All series that there can be."""
    counted, connected = Counters(), Connected()
    counted.dropped.update(Dropped)
    counted.undecryptable.update(Reason)
    connected.reconnects.update(Why)
    connected.lost.update(Lost)
    connected.refused.update(Refused)
    connected.unsendable.update(Unsendable)
    seen = Seen(
        counters=lambda: [counted],
        speakers=lambda: 0,
        calls=lambda: 0,
        connection=lambda: connection_events(connected),
        gateway=lambda: True,
        queue_silent=lambda: 0.0,
    )
    metrics = Metrics(seen)
    for outcome in Outcome:
        metrics.turn(outcome.value, dict.fromkeys(STAGES, 0.1))
    return metrics.registry


def _series() -> dict[str, dict[str, set[str]]]:
    """Each metric's labels and their values, by the names that Prometheus has."""
    found: dict[str, dict[str, set[str]]] = {}
    for family in _everything().collect():
        for sample in family.samples:
            for label, value in sample.labels.items():
                found.setdefault(sample.name, {}).setdefault(label, set()).add(value)
            found.setdefault(sample.name, {})
    return found


def test_its_metrics_are_all_that_there_are() -> None:
    table = set(re.findall(r"^\| `(trainger_voice_[a-z_]+)`", GUIDE, re.MULTILINE))
    known = {re.sub(r"_(bucket|count|sum|created)$", "", name) for name in _series()}
    histograms = {family.name for family in _everything().collect() if family.type == "histogram"}
    ours = {name for name in known if f"{name}_total" not in known}
    assert table == ours | histograms


def test_the_labels_in_the_table_are_possible() -> None:
    series = _series()
    series["trainger_voice_stage_seconds"] = series["trainger_voice_stage_seconds_count"]
    for name, labels in re.findall(r"^\| `(trainger_voice_[a-z_]+)` \| ([^|]*) \|", GUIDE, re.MULTILINE):
        label, *values = re.findall(r"`([a-z_0-9]+)`", labels) or [""]
        assert set(values) <= series[name].get(label, set()), name
        if label and "such as" not in labels:
            assert set(values) == series[name][label], name


def _expressions() -> Iterable[str]:
    (alerts,) = blocks("yaml")
    for group in yaml.safe_load(alerts)["groups"]:
        yield from (rule["expr"] for rule in group["rules"])


def test_the_alerts_ask_for_series_that_there_are() -> None:
    series = _series()
    asked = [
        (name, labels)
        for expression in _expressions()
        for name, labels in re.findall(r"(trainger_voice_[a-z_]+)(?:\{([^}]*)\})?", expression)
    ]
    assert len(asked) >= 5
    for name, labels in asked:
        assert name in series
        for label, value in re.findall(r'(\w+)="([^"]*)"', labels):
            assert value in series[name][label], (name, label, value)


def test_events_that_it_names_elsewhere_are_counted() -> None:
    events = _series()["trainger_voice_connection_events_total"]["event"]
    named = {word for word in code() if word.startswith(("reconnect_", "lost_", "unsendable_", "refused_"))}
    assert {word for word in named if word not in events and not word.endswith("_")} == set()


def test_its_log_messages_are_logged() -> None:
    table = GUIDE[GUIDE.index("| message | what it tells |") : GUIDE.index("## When something is wrong")]
    rows = [line.split("|")[1] for line in table.splitlines()[2:] if line.startswith("|")]
    messages = [message for named in rows for message in re.findall(r"`([^`]+)`", named)]
    assert len(messages) >= 15
    for message in messages:
        assert f'"{message}"' in SOURCES, message
    for field in ("outcome", "voiced_s", "heard_s", "speculated", "filled"):
        assert f"`{field}`" in table
        assert f'"{field}":' in SOURCES


def test_the_notice_is_what_people_see() -> None:
    quoted = re.sub(r"\s+", " ", " ".join(re.findall(r"^ *> (.*)$", GUIDE, re.MULTILINE)))
    message = wording.notice(translator("en"), asked_by=7, days=0)
    assert quoted == re.sub(r"\s+", " ", message.text).replace("<@7>", "@Ada")
    assert f"Below it: {', '.join(f'**{button.label}**' for button in message.buttons)}." in GUIDE


def test_every_key_that_it_names_is_one() -> None:
    keys = {word for word in code() if word.startswith("g42/")}
    assert {
        call_key("42"),
        notice_key(42),
        turns_prefix(scope_of(42)),
        claim_key("42", "x").removesuffix("x.json"),
    } <= keys
    assert {key.split("/")[1] for key in keys} <= set(KEYS)


def test_what_it_says_of_time_and_size_is_true() -> None:
    usual, ear, patience = Settings(), EarSettings(), Patience()
    assert f"for {usual.follow_up_s:g} seconds after an answer" in FLAT
    assert f"hold an answer up for {usual.others_most_s:g} seconds" in FLAT
    # The model of voice activity knows it two windows of 32 ms late.
    assert 0.18 <= usual.barge_in_s <= 0.25
    assert f"After {usual.spoken_most_s:g} seconds of an answer" in FLAT
    assert usual.waiting_most == 4
    assert f"after {attendance.UNHEARD_S / 60:g} in which nobody there agreed" in FLAT
    assert f"{ear.least_voice:g} s of voice make a turn" in FLAT
    assert f"a pause of {ear.short_pause:g} s" in FLAT
    assert f"{ear.first_pause:g} s at first" in FLAT
    assert f"{ear.least_pause:g} to {ear.most_pause:g} s" in FLAT
    assert (
        f"from {ear.complete_pause:g} s where it sounds finished, {ear.incomplete_pause:g} s where it does not"
        in FLAT
    )
    assert f"ended after {ear.longest:g} s" in FLAT
    assert f"within {ANSWER_S:g} seconds" in FLAT
    assert (SAID_S, REPLIED_S, TOLD_S, AGAIN_S) == (30, 60, 3600, 60)
    assert f"the last {TURNS_MOST} of a person, {CHARACTERS_MOST:,} characters" in FLAT
    assert f"{IDLE_S // 60} minutes, and no longer" in FLAT
    assert f"{VOICE_CLAIM_DAYS} day |" in row("who answered")
    assert f"memory, {CACHE_BYTES >> 20} MiB" in FLAT
    assert patience.give_up == 300
    assert f"a new one after {patience.group:g} seconds" in FLAT
    days = [value for _, value in TRANSCRIPTS if value != "0"]
    assert f"{', '.join(days[:-1])} or {days[-1]} days" in FLAT


def test_what_providers_cost_follows_from_the_prices() -> None:
    rows = re.findall(r"^\| ((?:`[\w-]+`(?:, )?)+) \| ([\d.]+) \| ([\d.]+) \|$", GUIDE, re.MULTILINE)
    assert len(rows) == 3
    for models, once, again in rows:
        for model in re.findall(r"`([\w-]+)`", models):
            assert abs(60 * MINUTE[model] - float(once)) < 0.005
            assert abs(60 * MINUTE[model] * 1.5 - float(again)) < 0.0051
    for model, price in MILLION_CHARACTERS.items():
        assert f"| {price * 60 * 900 / 1_000_000:.2f} |" in row(f"`{model}` |")
    assert f"| {60 * SPOKEN_MINUTE['gpt-4o-mini-tts']:.2f} |" in row("`gpt-4o-mini-tts`, which")
    assert "| nothing |" in row("`gtts`, `hibari`, `espeak`")
    assert {"gtts", "hibari", "espeak-ng"} <= FREE
