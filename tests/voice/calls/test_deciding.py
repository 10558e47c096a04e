"""What is decided, without anything around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from interactions import answer_buttons, failures, outbound, voice_wording
from interactions import wording as interactions_wording
from tests.voice.calls.stage import ADA, SECOND, VOICE
from trainer.answers import AnswerRecord, Source
from trainer.i18n import translator
from voice_sidecar.calls import obeying, transcripts, wording
from voice_sidecar.calls.attendance import Attendance, Pointless
from voice_sidecar.calls.deciding import Go, Refuse, Stay, Why, decide_join
from voice_sidecar.calls.messages import Button, Message
from voice_sidecar.calls.places import Spot
from voice_sidecar.connection.outcomes import CannotJoin, Lost, Refusal

if TYPE_CHECKING:
    from voice_sidecar.calls import needs
    from voice_sidecar.connection.connections import Connections
    from voice_sidecar.connection.line import Line
    from voice_sidecar.conversation import tools
    from voice_sidecar.conversation.conversation import Conversation

    def the_connections_are_what_calls_need(connections: Connections, line: Line) -> needs.Connections:
        _line: needs.Line = line
        return connections

    def the_conversation_is_what_calls_need(conversation: Conversation) -> needs.Conversation:
        return conversation

    def transcripts_are_what_a_conversation_needs(shown: transcripts.RoomTranscripts) -> tools.Keeps:
        return shown


T = translator("en")


@pytest.mark.parametrize(
    ("asker_in", "spot", "here", "kept", "decided"),
    [
        (None, None, None, False, Refuse(Why.NOWHERE)),
        (None, None, VOICE, True, Refuse(Why.NOWHERE)),
        (VOICE, Spot(), None, False, Go(VOICE)),
        (VOICE, Spot(), VOICE, True, Stay(VOICE)),
        (VOICE, None, VOICE, False, Stay(VOICE)),
        (SECOND, Spot(), VOICE, True, Refuse(Why.BUSY, VOICE)),
        (SECOND, Spot(), VOICE, False, Go(SECOND)),
        (SECOND, None, None, False, Refuse(Why.UNKNOWN, SECOND)),
        (SECOND, Spot(away=True), VOICE, False, Refuse(Why.AWAY, SECOND)),
    ],
)
def test_what_becomes_of_a_join(
    asker_in: int | None, spot: Spot | None, here: int | None, kept: bool, decided: object
) -> None:
    assert decide_join(asker_in, spot, here, kept=kept) == decided


def test_a_call_becomes_pointless_when_nobody_is_there_for_long() -> None:
    attendance = Attendance(empty_s=120, unheard_s=600)
    assert attendance.next_deadline() is None
    assert attendance.due(0) is None
    attendance.seen(people=2, heard=1, now=0)
    assert attendance.next_deadline() is None
    attendance.seen(people=1, heard=0, now=10)
    assert attendance.next_deadline() == 610
    attendance.seen(people=0, heard=0, now=20)
    attendance.seen(people=0, heard=0, now=30)
    assert attendance.next_deadline() == 140
    assert attendance.due(139.9) is None
    assert attendance.due(140) is Pointless.EMPTY
    attendance.seen(people=1, heard=0, now=139)
    assert attendance.due(609.9) is None
    assert attendance.due(610) is Pointless.UNHEARD
    attendance.seen(people=1, heard=1, now=605)
    assert attendance.next_deadline() is None


def test_buttons_stand_in_rows_of_five() -> None:
    message = Message("x" * 3000, tuple(Button(f"b:{number}", "Press", emoji="👍") for number in range(6)))
    shown = message.json()
    assert shown["content"] == "x" * 2000
    assert shown["allowed_mentions"] == {"parse": []}
    rows = shown["components"]
    assert isinstance(rows, list)
    assert [len(row["components"]) for row in rows] == [5, 1]
    assert rows[1]["components"] == [
        {"type": 2, "style": 2, "custom_id": "b:5", "label": "Press", "emoji": {"name": "👍"}}
    ]


@pytest.mark.parametrize("language", ["en", "ru"])
def test_everything_can_be_said_in_every_language(language: str) -> None:
    t = translator(language)
    said = [wording.refused(t, Refuse(why, VOICE)) for why in Why]
    said += [wording.not_connected(t, CannotJoin(reason), VOICE) for reason in Refusal]
    said += [wording.lost(t, Lost.GAVE_UP).text]  # type: ignore[union-attr]
    said += [wording.pointless(t, why, minutes).text for why in Pointless for minutes in (0, 1, 5)]
    said += [wording.notice(t, asked_by=asked_by, days=days).text for asked_by in (None, ADA) for days in (0, 1, 21)]
    assert all(said)
    assert all(len(text) <= 2000 for text in said)
    assert not any("{" in text for text in said)


def test_a_channel_that_is_left_at_once_or_after_a_minute() -> None:
    assert "as nobody is here" in wording.pointless(T, Pointless.EMPTY, 0).text
    assert "for a minute" in wording.pointless(T, Pointless.EMPTY, 1).text
    assert "for 2 minutes" in wording.pointless(T, Pointless.EMPTY, 2).text


# --- what the HTTP side makes, too ----------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "ru"])
def test_the_buttons_of_transcripts_are_those_of_answers(language: str) -> None:
    t = translator(language)
    theirs = outbound.Reply("", buttons=answer_buttons.answer_buttons(t, "77")).components()
    assert Message("", transcripts.buttons(t, "77")).json()["components"] == theirs


@pytest.mark.parametrize(
    "source",
    [
        Source("correction", author="5", at=1.5),
        Source("text", author="5", at=1.5),
        *(Source("file", name="a_b*c", unit=unit, number=3) for unit in ("", "other", *interactions_wording.PLACES)),
    ],
)
def test_sources_are_named_as_elsewhere(source: Source) -> None:
    assert transcripts.source_line(T, source) == interactions_wording.source_line(T, source)


def test_the_buttons_of_the_notice_are_those_that_are_answered() -> None:
    shown = {button.custom_id for button in wording.notice(T, asked_by=ADA, days=0).buttons}
    assert shown == {voice_wording.AGREE, voice_wording.KEPT, voice_wording.LEAVE}


def test_a_failure_has_the_reference_that_it_has_elsewhere() -> None:
    for order_id in ("1", "1130000000000000000"):
        assert obeying.reference(order_id) == failures.reference(order_id)


def record(question: str = "When is\ntea?", text: str = "At **five**.", **more: object) -> AnswerRecord:
    values = {"id": "77", "dataset": "default", "kind": "trained", "author": str(ADA), "created_at": 1.0, **more}
    return AnswerRecord(question=question, text=text, **values)  # type: ignore[arg-type]


def test_a_transcript_shows_question_answer_and_source() -> None:
    shown = transcripts.shown(T, record(sources=[Source("text", author="5", at=1.5)]))
    assert shown.text == "> <@1>: When is tea?\nAt **five**.\n-# Source: taught by <@5>, <t:1:d>"


def test_what_people_said_is_no_markdown() -> None:
    assert transcripts.shown(T, record("*a* <@5> `b`")).text.startswith("> <@1>: \\*a\\* \\<\\@5\\> \\`b\\`\n")


def test_an_answer_that_is_not_known_is_shown_as_such() -> None:
    assert "I don't know that yet." in transcripts.shown(T, record(text="", kind="unknown")).text


def test_the_longest_transcript_fits() -> None:
    sources = [Source("file", name="n" * 100, unit="page", number=1)] * 20
    shown = transcripts.shown(T, record("q" * 5000, "a" * 5000, sources=sources))
    assert len(shown.text) <= 2000
    assert "a…\n-# Source" in shown.text
