"""What Discord takes and refuses, and that its OpenAPI document agrees where it says anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from playground.errors import DiscordError
from playground.forms import Fields, FormErrors
from playground.rules_callbacks import check_callback, check_choices
from playground.rules_commands import check_command, check_commands, is_chat_name
from playground.rules_messages import Upload, Use, check_message
from playground.rules_modals import check_modal
from tests.unit.playground import bodies, command_bodies

if TYPE_CHECKING:
    from tests.discord import OpenApi

LIMIT = 100
Json = dict[str, Any]


def named(*tables: dict[str, Json]) -> pytest.MarkDecorator:
    """A test for each body, by its name."""
    pairs = [(name, body) for table in tables for name, body in table.items()]
    return pytest.mark.parametrize("body", [body for _, body in pairs], ids=[name for name, _ in pairs])


def message(body: Json, use: Use = Use.REPLY) -> None:
    check_message(body, [], use=use, size_limit=LIMIT)


def modal(body: Json) -> None:
    errors = FormErrors()
    check_modal(Fields(body, errors))
    errors.raise_if_any()


def refusal(call: Any, *arguments: Any, **more: Any) -> DiscordError:
    with pytest.raises(DiscordError) as caught:
        call(*arguments, **more)
    return caught.value


@named(bodies.GOOD_MESSAGES)
def test_good_messages(body: Json) -> None:
    message(body)


@named(bodies.GOOD_MESSAGES)
def test_the_document_takes_those_messages(body: Json, discord_openapi: OpenApi) -> None:
    assert discord_openapi.schema_errors("IncomingWebhookInteractionRequest", body) is None


@named(bodies.BAD_MESSAGES)
@pytest.mark.parametrize("use", Use)
def test_bad_messages(body: Json, use: Use) -> None:
    error = refusal(message, body, use)
    assert (error.status, error.code) == (400, 50035)
    assert error.errors


@named(bodies.BAD_MESSAGES)
def test_the_document_refuses_them_too(body: Json, discord_openapi: OpenApi) -> None:
    assert discord_openapi.schema_errors("IncomingWebhookInteractionRequest", body) is not None


@named(bodies.BAD_MESSAGES_BY_DOCUMENTATION)
def test_messages_that_only_the_documentation_forbids(body: Json) -> None:
    assert refusal(message, body).code == 50035


@named(bodies.GOOD_MODALS)
def test_good_modals(body: Json) -> None:
    modal(body)


@named(bodies.GOOD_MODALS)
def test_the_document_takes_those_modals(body: Json, discord_openapi: OpenApi) -> None:
    assert discord_openapi.schema_errors("ModalInteractionCallbackRequestData", body) is None


@named(bodies.BAD_MODALS, bodies.BAD_MODALS_BY_DOCUMENTATION)
def test_bad_modals(body: Json) -> None:
    assert refusal(modal, body).errors


@named(bodies.BAD_MODALS)
def test_the_document_refuses_those_modals_too(body: Json, discord_openapi: OpenApi) -> None:
    assert discord_openapi.schema_errors("ModalInteractionCallbackRequestData", body) is not None


@named(command_bodies.GOOD_COMMANDS)
def test_good_commands(body: Json) -> None:
    check_command(body)
    check_commands([body], guild=False)


@named(command_bodies.GOOD_COMMANDS)
def test_the_document_takes_those_commands(body: Json, discord_openapi: OpenApi) -> None:
    assert discord_openapi.schema_errors("ApplicationCommandUpdateRequest", body) is None


@named(command_bodies.BAD_COMMANDS, command_bodies.BAD_COMMANDS_BY_DOCUMENTATION)
def test_bad_commands(body: Json) -> None:
    assert refusal(check_command, body).errors
    errors = refusal(check_commands, [command_bodies.command(name="fine"), body], guild=True).errors
    assert errors is not None
    assert list(errors) == ["1"]


@named(command_bodies.BAD_COMMANDS)
def test_the_document_refuses_those_commands_too(body: Json, discord_openapi: OpenApi) -> None:
    assert discord_openapi.schema_errors("ApplicationCommandUpdateRequest", body) is not None


def test_a_table_of_errors_names_each_field() -> None:
    body = {"content": "x" * 2001, "embeds": [{"title": "x"}, {"title": 5}]}
    errors = refusal(message, body).errors
    assert errors == {
        "content": {"_errors": [{"code": "BASE_TYPE_MAX_LENGTH", "message": "Must be 2000 or fewer in length."}]},
        "embeds": {
            "1": {
                "title": {
                    "_errors": [
                        {"code": "STRING_TYPE_CONVERT", "message": "Could not interpret the value as string."}
                    ]
                }
            }
        },
    }


@pytest.mark.parametrize("body", [{}, {"content": ""}, {"content": " \n"}, {"embeds": []}, {"components": []}])
def test_empty_messages(body: Json) -> None:
    assert refusal(message, body).code == 50006
    message(body, Use.EDIT)  # what the message already has may make up for it


def test_files_are_enough_and_have_limits() -> None:
    file = Upload("0", "a.txt", "text/plain", b"x" * LIMIT)
    check_message({}, [file], use=Use.REPLY, size_limit=LIMIT)
    assert refusal(check_message, {}, [file], use=Use.REPLY, size_limit=LIMIT - 1).code == 40005
    many = [file._replace(key=str(number)) for number in range(11)]
    assert refusal(check_message, {}, many, use=Use.REPLY, size_limit=LIMIT).code == 50035


def test_voice_messages() -> None:
    voice = Upload("0", "a.ogg", "audio/ogg", b"x")
    described = {"id": "0", "duration_secs": 1.5, "waveform": "AAAA"}
    body = {"flags": 1 << 13, "attachments": [described]}
    check_message(body, [voice], use=Use.REPLY, size_limit=LIMIT)
    with_text = {**body, "content": "x"}
    assert refusal(check_message, with_text, [voice], use=Use.REPLY, size_limit=LIMIT).code == 50159
    two = [voice, voice._replace(key="1")]
    assert refusal(check_message, body, two, use=Use.REPLY, size_limit=LIMIT).code == 50160
    bare = {"flags": 1 << 13, "attachments": [{"id": "0"}]}
    assert refusal(check_message, bare, [voice], use=Use.REPLY, size_limit=LIMIT).code == 50161
    before = {"use": Use.EDIT, "size_limit": LIMIT, "flags_before": 1 << 13}
    assert refusal(check_message, {"content": "x"}, [], **before).code == 50162


def test_an_edit_cannot_leave_the_second_version() -> None:
    second = {"use": Use.EDIT, "size_limit": LIMIT, "flags_before": 1 << 15}
    assert refusal(check_message, {"content": "x"}, [], **second).code == 50035
    check_message(
        {"components": [{"type": 10, "content": "x"}]}, [], use=Use.EDIT, size_limit=1, flags_before=1 << 15
    )


CALLBACKS = [1, 4, 5, 6, 7, 8, 9]
DATA: dict[int, Json] = {
    4: {"content": "x"},
    7: {"content": "x"},
    8: {"choices": []},
    9: bodies.GOOD_MODALS["a text"],
}
SCHEMAS = {
    1: "PongInteractionCallbackRequest",
    4: "CreateMessageInteractionCallbackRequest",
    5: "CreateMessageInteractionCallbackRequest",
    6: "UpdateMessageInteractionCallbackRequest",
    7: "UpdateMessageInteractionCallbackRequest",
    8: "ApplicationCommandAutocompleteCallbackRequest",
    9: "ModalInteractionCallbackRequest",
}


@pytest.mark.parametrize(
    ("interaction", "on_message", "allowed"),
    [
        (1, False, {1}),
        (2, False, {4, 5, 9}),
        (3, True, {4, 5, 6, 7, 9}),
        (4, False, {8}),
        (5, False, {4, 5}),
        (5, True, {4, 5, 6, 7}),
    ],
)
def test_which_response_fits_which_interaction(
    interaction: int, on_message: bool, allowed: set[int], openapi_if_there: OpenApi | None
) -> None:
    for kind in CALLBACKS:
        body = {"type": kind, **({"data": DATA[kind]} if kind in DATA else {})}
        assert openapi_if_there is None or openapi_if_there.schema_errors(SCHEMAS[kind], body) is None
        call: Json = {"interaction": interaction, "on_message": on_message, "size_limit": LIMIT}
        if kind in allowed:
            assert check_callback(body, [], **call) == kind
        else:
            errors = refusal(check_callback, body, [], **call).errors
            assert errors is not None
            assert "type" in errors


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (None, 50035),
        ([], 50035),
        ({}, 50035),
        ({"type": True}, 50035),
        ({"type": 12}, 50035),
        ({"type": 4}, 50006),
        ({"type": 4, "data": {}}, 50006),
        ({"type": 4, "data": "x"}, 50035),
        ({"type": 5, "data": {"flags": 4}}, 50035),
        ({"type": 9}, 50035),
        ({"type": 9, "data": {}}, 50035),
    ],
)
def test_bad_first_responses(body: object, code: int) -> None:
    assert refusal(check_callback, body, [], interaction=2, on_message=False, size_limit=LIMIT).code == code


def test_errors_of_a_response_lie_below_its_data() -> None:
    body = {"type": 4, "data": {"content": "x" * 2001}}
    errors = refusal(check_callback, body, [], interaction=2, on_message=False, size_limit=LIMIT).errors
    assert errors is not None
    assert list(errors["data"]) == ["content"]


def choices(found: object, focused_type: int) -> None:
    errors = FormErrors()
    check_choices(Fields({"choices": found}, errors), focused_type)
    errors.raise_if_any()


def test_choices_of_an_autocomplete() -> None:
    choices([{"name": "n" * 100, "value": "v" * 100, "name_localizations": {"ru": "имя"}}] * 25, 3)
    choices([{"name": "one", "value": 1}], 4)
    choices([{"name": "half", "value": 0.5}], 10)
    wrong: list[tuple[object, int]] = [
        ([{"name": "x", "value": "x"}] * 26, 3),
        ([{"name": "", "value": "x"}], 3),
        ([{"name": "n" * 101, "value": "x"}], 3),
        ([{"name": "x", "value": "v" * 101}], 3),
        ([{"name": "x", "value": 1}], 3),
        ([{"name": "x", "value": "1"}], 4),
        ([{"name": "x", "value": "1"}], 10),
        (None, 3),
    ]
    for found, kind in wrong:
        assert refusal(choices, found, kind).errors


def test_all_commands_together() -> None:
    many = [command_bodies.command(name=f"c{number}") for number in range(100)]
    check_commands(many, guild=False)
    assert refusal(check_commands, [*many, command_bodies.command()], guild=False).code == 30032
    on_messages = [{"type": 3, "name": f"M{number}"} for number in range(15)]
    check_commands([*many, *on_messages], guild=True)
    assert refusal(check_commands, [*on_messages, {"type": 3, "name": "X"}], guild=True).code == 30032
    assert refusal(check_commands, [many[0], many[0]], guild=False).code == 50035
    check_commands([command_bodies.command(), {"type": 3, "name": "ask"}], guild=False)
    assert refusal(check_commands, many[:1] * 131, guild=False).code == 50035
    entry = {"type": 4, "name": "launch", "description": ""}
    check_commands([entry], guild=False)
    assert refusal(check_commands, [entry], guild=True).code == 30032
    assert refusal(check_commands, {"name": "x"}, guild=False).code == 50035


@pytest.mark.parametrize(
    ("name", "good"),
    [
        ("ask", True),
        ("a-b_c'd", True),
        ("спросить", True),
        ("問う", True),
        ("हिन्दी", True),
        ("ก็", True),
        ("x²", True),
        ("Ask", False),
        ("Спросить", False),
        ("a b", False),
        ("a.b", False),
        ("a😀", False),
        ("", False),
    ],
)
def test_names_of_slash_commands(name: str, good: bool) -> None:
    assert is_chat_name(name) is good
