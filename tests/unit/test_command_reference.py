"""docs/commands.md says what the definitions say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra import command_reference
from interactions.definitions import fields_of
from interactions.limiting import ACTIONS
from interactions.registry import registry
from trainer.i18n import languages, translator
from trainer.limits import LIMITS

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_the_document_is_current() -> None:
    current = command_reference.DOCUMENT.read_text(encoding="utf-8")
    assert current == command_reference.text(), "run `make docs`"


def test_it_has_every_command_and_option_in_every_language() -> None:
    document = command_reference.text()
    for name, command in registry().slash.items():
        assert f"### /{name}\n" in document
        assert command.description in document
        for language in languages()[1:]:
            say = translator(language)
            assert f"`/{say.context('command name', name)}`: {say(command.description)}" in document
            for option, _, about, _ in fields_of(command.options):
                assert f"`{say.context('option name', option)}`: {say(about.description)}" in document
    for name in registry().message:
        assert f"### {name}\n" in document


def test_it_has_every_limit() -> None:
    document = command_reference.text()
    rows = [line for line in document.partition("## Limits")[2].splitlines() if line.startswith("|")]
    assert len(rows) == 2 + len(LIMITS)


def test_every_limited_name_is_one_that_handles_something() -> None:
    commands = registry()
    known = {*commands.slash, *commands.message, *commands.buttons, *commands.modals}
    # The command that measures what was learned comes with the measuring itself.
    assert set(ACTIONS) - known <= {"test"}


def test_a_table_cannot_be_broken_by_what_stands_in_it() -> None:
    assert command_reference._row(["a|b", "two\nlines"]) == "| a\\|b | two lines |"


def test_checking_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    document = tmp_path / "docs" / "commands.md"
    monkeypatch.setattr(command_reference, "DOCUMENT", document)
    assert command_reference.main(["--check"]) == 1
    assert "make docs" in capsys.readouterr().err
    assert not document.exists()
    assert command_reference.main([]) == 0
    assert command_reference.main(["--check"]) == 0
    document.write_text("something else", encoding="utf-8")
    assert command_reference.main(["--check"]) == 1
    assert document.read_text(encoding="utf-8") == "something else"
