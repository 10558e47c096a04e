"""What becomes of requests: signatures first, then payloads, then commands."""

from __future__ import annotations

import json
from typing import Any

import pytest
from discord_interactions import InteractionResponseType, verify_key
from hypothesis import given
from hypothesis import strategies as st

from interactions import core
from interactions.jobs import unpack
from interactions.registry import registry
from tests import interactions_made as made
from trainer.scope import Scope


class Names:
    """Look-ups that know two datasets."""

    def dataset_names(self, scope: Scope) -> list[str]:
        return ["billing", "support"] if scope == Scope("guild", made.GUILD) else []

    def trainer_role(self, scope: Scope) -> str | None:
        return ""


DOOR = core.Door(made.KEY.verify_key, registry(), Names())


def receive(interaction: made.Json) -> core.Response:
    return core.receive(*made.signed(made.encode(interaction)), door=DOOR)


def answer(interaction: made.Json) -> Any:
    response = receive(interaction)
    assert response.status == 200
    assert response.content_type == "application/json"
    return json.loads(response.body)


def said(interaction: made.Json) -> str:
    """The text of an immediate ephemeral message."""
    body = answer(interaction)
    assert body["type"] == InteractionResponseType.CHANNEL_MESSAGE_WITH_SOURCE
    assert body["data"]["flags"] == 64
    assert body["data"]["allowed_mentions"] == {"parse": []}
    return str(body["data"]["content"])


def test_ping_is_answered_with_pong() -> None:
    assert answer({"type": 1, "id": "1", "application_id": "2", "token": "t", "version": 1}) == {"type": 1}


@pytest.mark.parametrize(
    ("signature", "timestamp"),
    [
        (None, "1700000000"),
        ("00" * 64, None),
        ("", ""),
        ("00" * 64, "1700000000"),
        ("zz" * 64, "1700000000"),
        ("00" * 63, "1700000000"),
        ("00" * 65, "1700000000"),
        ("٠" * 128, "1700000000"),
        ("00" * 64, "\udcff"),
        ("00" * 64, "1" * 1000),
    ],
)
def test_a_bad_signature_is_refused(signature: str | None, timestamp: str | None) -> None:
    response = core.receive(made.encode(made.slash("hi")), signature, timestamp, door=DOOR)
    assert response.status == 401
    assert response.job is None


@pytest.mark.parametrize("change", ["body", "timestamp", "key"])
def test_a_signature_for_something_else_is_refused(change: str) -> None:
    body, signature, timestamp = made.signed(made.encode(made.slash("hi")))
    if change == "body":
        body += b" "
    elif change == "timestamp":
        timestamp = "1700000001"
    else:
        signature = signature[:-2] + ("00" if signature[-2:] != "00" else "01")
    assert core.receive(body, signature, timestamp, door=DOOR).status == 401


def test_the_signature_is_checked_before_anything_is_parsed() -> None:
    assert core.receive(b"not JSON", "00" * 64, "1", door=DOOR).status == 401
    assert core.receive(*made.signed(b"not JSON"), door=DOOR).status == 400


@given(st.binary(max_size=60), st.text("0123456789abcdefxyz", max_size=130), st.text(max_size=12))
def test_our_check_agrees_with_discord_interactions(body: bytes, noise: str, timestamp: str) -> None:
    _, good, _ = made.signed(body, "1700000000")
    public = made.KEY.verify_key.encode().hex()
    for signature, stamp in ((good, "1700000000"), (noise, "1700000000"), (good, timestamp)):
        try:
            theirs = verify_key(body, signature, stamp, public)
        except UnicodeEncodeError:
            theirs = False
        ours = core.receive(body, signature, stamp, door=DOOR).status != 401
        assert ours == theirs or not 0 < len(stamp) <= core.TIMESTAMP_MOST


def test_too_large_a_body_is_refused() -> None:
    response = core.receive(b" " * (core.MAX_BODY + 1), "00" * 64, "1", door=DOOR)
    assert response.status == 413


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b"\xff\xfe",
        b'{"type": "1"}',
        b'{"type": 99, "id": "1"}',
        b'{"type": 2}',
        b"[" * 100_000,
        b'{"type": 1, "x": ' + b"[" * 100_000,
        b'{"type": 2, "id": "\xff"}',
        made.encode(made.slash("hi") | {"id": "12x"}),
        made.encode(made.slash("hi") | {"id": 12}),
        made.encode(made.slash("hi") | {"data": {"id": "1", "name": "hi", "type": 7}}),
        made.encode(made.slash("hi") | {"data": None}),
        made.encode(made.slash("hi") | {"token": "../../x"}),
        made.encode(made.slash("hi") | {"member": None, "user": None}),
        made.encode(made.press("x" * 101)),
        made.encode(made.press("")),
    ],
)
def test_malformed_payloads_get_a_sentence_and_a_400(body: bytes) -> None:
    response = core.receive(*made.signed(body), door=DOOR)
    assert response.status == 400
    assert json.loads(response.body)["error"].endswith(".")
    assert response.job is None


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
        max_leaves=12,
    ),
    st.sampled_from(sorted(made.slash("train"))),
)
def test_no_payload_leads_to_an_exception(value: object, key: str) -> None:
    for interaction in (
        made.slash("train", {"text": "Q: a A: b"}),
        made.press("correct:1"),
        made.submit("train:", {}),
    ):
        body = json.dumps(interaction | {key: value}).encode()
        response = core.receive(*made.signed(body), door=DOOR)
        assert response.status in {200, 400}


def test_unknown_keys_are_ignored() -> None:
    interaction = made.slash("hi") | {"news_of_2027": {"a": [1]}}
    interaction["member"]["avatar_decoration_data"] = {"sku_id": "1"}
    assert "Hi <@" in said(interaction)


def test_hi_tells_managers_and_members_different_things() -> None:
    assert "/train" in said(made.slash("hi"))
    assert "/train" not in said(made.slash("hi", manager=False))
    assert said(made.slash("hi", locale="ru")).startswith("Привет")


@pytest.mark.parametrize("private", [True, False])
def test_ask_is_deferred_with_a_job(private: bool) -> None:
    interaction = made.slash("ask", {"prompt": "Where?", "private": private})
    response = receive(interaction)
    assert json.loads(response.body) == ({"type": 5, "data": {"flags": 64}} if private else {"type": 5})
    assert response.job is not None
    assert unpack(response.job).id == interaction["id"]
    assert (response.interaction_id, response.name) == (interaction["id"], "ask")


def test_what_was_asked_reaches_the_job_unchanged() -> None:
    prompt = 'Ünïcode "quotes" \\ 🎲 \u2028 \ufffe and \uffff'
    interaction = made.slash("ask", {"prompt": prompt})
    job = receive(interaction).job
    assert job is not None
    kept: Any = unpack(job)
    assert kept.data.options[0].value == prompt
    assert "\ufffe" not in job.decode()


def test_train_without_anything_opens_a_form() -> None:
    body = answer(made.slash("train", {"dataset": "Support Team"}))
    assert body["type"] == InteractionResponseType.MODAL
    assert body["data"]["custom_id"] == "train:support-team"
    assert [field["component"]["custom_id"] for field in body["data"]["components"]] == ["text", "file"]


def test_train_with_text_or_file_is_deferred() -> None:
    assert answer(made.slash("train", {"text": "Q: a A: b"}))["type"] == 5
    interaction = made.slash("train")
    interaction["data"]["options"] = [{"name": "file", "type": 11, "value": "9"}]
    file = {"id": "9", "filename": "faq.csv", "size": 3, "url": "https://cdn.discordapp.com/x"}
    interaction["data"]["resolved"] = {"attachments": {"9": file}}
    assert answer(interaction)["type"] == 5


def test_train_is_for_managers_whatever_the_registration_says() -> None:
    assert "managers" in said(made.slash("train", {"text": "Q: a A: b"}, manager=False))
    assert "managers" in said(made.submit("train:", {"text": "Q: a A: b"}, manager=False))
    assert receive(made.slash("train", {"text": "x"}, manager=False)).job is None


def test_in_a_direct_message_everybody_is_a_manager() -> None:
    assert answer(made.direct(made.slash("train", {"text": "Q: a A: b"}, manager=False)))["type"] == 5


def test_a_bad_dataset_name_is_told_at_once() -> None:
    assert "48" in said(made.slash("train", {"text": "x", "dataset": "../other"}))


def test_an_empty_form_is_told_at_once() -> None:
    assert "nothing" in said(made.submit("train:", {"text": "  "}))


def test_datasets_are_suggested() -> None:
    assert answer(made.typing("train", "dataset", "s"))["data"]["choices"] == [
        {"name": "support", "value": "support"}
    ]
    assert len(answer(made.typing("train", "dataset", ""))["data"]["choices"]) == 2
    assert answer(made.direct(made.typing("train", "dataset", "")))["data"]["choices"] == []
    assert answer(made.typing("train", "text", "x"))["data"]["choices"] == []
    assert answer(made.typing("gone", "x", "x"))["data"]["choices"] == []


def test_correct_by_button_and_by_menu_opens_a_form() -> None:
    assert answer(made.press("correct:42"))["data"]["custom_id"] == "correct:42"
    opened = answer(made.menu("Correct this answer", made.message("88")))
    assert opened["data"]["custom_id"] == "correct:m88"


def test_only_answers_of_ours_can_be_corrected() -> None:
    foreign = made.message("88", author=made.user(made.BOB), application_id=None, interaction_metadata=None)
    assert "not an answer of mine" in said(made.menu("Correct this answer", foreign))
    other = made.message("88", application_id="999999999999999999")
    assert "not an answer of mine" in said(made.menu("Correct this answer", other))


@pytest.mark.parametrize(
    "given_id",
    ["88", " 88 ", "333-88", "https://discord.com/channels/1/2/88", "https://ptb.discord.com/channels/@me/2/88"],
)
def test_correct_takes_ids_and_links(given_id: str) -> None:
    assert answer(made.slash("correct", {"message_id": given_id, "correction": "x"}))["type"] == 5


def test_correct_explains_what_it_needs() -> None:
    assert "Copy Message Link" in said(made.slash("correct", {"message_id": "the last one", "correction": "x"}))
    assert "empty" in said(made.slash("correct", {"message_id": "88", "correction": " "}))
    assert "empty" in said(made.submit("correct:42", {"correction": ""}))


def test_verdicts_are_for_managers() -> None:
    assert answer(made.press("approve:1:default"))["type"] == InteractionResponseType.DEFERRED_UPDATE_MESSAGE
    assert "managers" in said(made.press("reject:1:default", manager=False))


def test_voice_is_for_servers() -> None:
    assert answer(made.slash("join")) == {"type": 5}
    assert answer(made.slash("leave", locale="ru")) == {"type": 5}
    pressed = (made.press("voice:agree"), made.press("voice:leave"))
    for interaction in (made.slash("join"), made.slash("leave"), *pressed):
        assert "only in servers" in said(made.direct(interaction))
    for owners in ({"1": made.ADA}, {"0": "0"}):
        elsewhere = made.slash("join", authorizing_integration_owners=owners)
        assert "only in servers" in said(elsewhere)


def test_what_somebody_agrees_to_is_for_their_own_eyes() -> None:
    for subject in ("agree", "revoke", "kept", "anything"):
        assert answer(made.press(f"voice:{subject}")) == {"type": 5, "data": {"flags": 64}}
    assert answer(made.press("voice:leave")) == {"type": 5}


def test_commands_that_are_gone_are_explained() -> None:
    for interaction in (
        made.slash("bye"),
        made.press("bye:1"),
        made.submit("bye", {}),
        made.menu("Bye", made.message()),
    ):
        assert "don't know that command" in said(interaction)
    user_menu = made.base(2, {"id": "1", "name": "Correct this answer", "type": 2, "target_id": "3"})
    assert "don't know that command" in said(user_menu)


def test_outdated_options_are_explained() -> None:
    assert "different by now" in said(made.slash("ask", {"prompt": 5}))
    assert "different by now" in said(made.slash("correct"))
    interaction = made.menu("Correct this answer", made.message())
    interaction["data"]["resolved"] = {}
    assert "different by now" in said(interaction)


def test_when_the_queue_fails_the_person_is_told() -> None:
    response = receive(made.slash("ask", {"prompt": "Where?"}, locale="ru"))
    for problem, word in (("unavailable", "минуту"), ("too_large", "файлом")):
        sorry = core.sorry(response, problem)
        assert sorry.job is None
        assert word in json.loads(sorry.body)["data"]["content"]
