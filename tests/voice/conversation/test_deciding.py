"""What is done about what somebody says: answered, stopped, left alone."""

from __future__ import annotations

import pytest

from voice_sidecar.conversation import commands
from voice_sidecar.conversation.addressing import WakeNames
from voice_sidecar.conversation.commands import Remark, remark
from voice_sidecar.conversation.deciding import QUESTION_MOST, Decision, Situation, decide

NAMES = WakeNames(["Trainger", "тренер"])
ALONE = Situation(alone=True, answering=False, speaking=False)
AMONG_OTHERS = Situation(alone=False, answering=False, speaking=False)
OVERHEARD = Situation(alone=False, answering=False, speaking=True)
IN_CONVERSATION = Situation(alone=False, answering=True, speaking=True)


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Uh-huh.", "listening"),
        ("mhm", "listening"),
        ("Mmmmmm...", "listening"),
        ("Yeah.", "listening"),
        ("Yeah, yeah, okay.", "listening"),
        ("OK", "listening"),
        ("Oh, really?", "listening"),
        ("Ага.", "listening"),
        ("Угу, угу.", "listening"),
        ("Ну да, понятно.", "listening"),
        ("Stop.", "stop"),
        ("Stop it, please!", "stop"),
        ("Okay, stop.", "stop"),
        ("That’s enough.", "stop"),
        ("No, no.", "stop"),
        ("Стоп!", "stop"),
        ("Всё, хватит.", "stop"),
        ("Пожалуйста, замолчи.", "stop"),
        ("Thanks.", "thanks"),
        ("OK, thank you very much!", "thanks"),
        ("Спасибо большое!", "thanks"),
        ("Thanks, stop.", "stop"),
        ("Wait.", "thanks"),
        ("No, hold on, please.", "stop"),
        ("Just a second.", "thanks"),
        ("Погоди-погоди.", "thanks"),
        ("Одну минутку!", "thanks"),
        ("Continue.", "listening"),
        ("Wait for what?", ""),
        ("Сколько минут?", ""),
        ("Stop by the office, will you?", ""),
        ("How do I stop the server?", ""),
        ("Thanks for what?", ""),
        ("Okay, and what about Sunday?", ""),
        ("Yes, how much is it?", ""),
        ("Please.", ""),
        ("Стоп-кран где?", ""),
        ("Why?", ""),
        ("42", ""),
        ("", ""),
        ("yeah " * 20, ""),
    ],
)
def test_remarks(text: str, kind: Remark) -> None:
    assert remark(text) == kind


def test_a_remark_is_nothing_but_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """If one such word made a remark, questions would be lost."""
    monkeypatch.setattr(commands, "_read", lambda words: {"listening"} if "okay" in words else None)
    assert remark("Okay, and what about Sunday?") == "listening"


@pytest.mark.parametrize(
    ("text", "situation", "decision"),
    [
        ("What is new?", ALONE, Decision("answer", "What is new?")),
        ("What is new?", IN_CONVERSATION, Decision("answer", "What is new?")),
        ("What is new?", AMONG_OTHERS, Decision("others")),
        ("What is new?", OVERHEARD, Decision("others")),
        ("Trainger, what is new?", AMONG_OTHERS, Decision("answer", "What is new?")),
        ("Trainger, what is new?", ALONE, Decision("answer", "What is new?")),
        ("Тренер, что нового?", OVERHEARD, Decision("answer", "Что нового?")),
        ("Trainger!", AMONG_OTHERS, Decision("acknowledge")),
        ("Hey, Trainger?", ALONE, Decision("acknowledge")),
        ("Trainger, yes.", AMONG_OTHERS, Decision("acknowledge")),
        ("Uh-huh.", ALONE, Decision("listening")),
        ("Uh-huh.", OVERHEARD, Decision("listening")),
        ("Stop!", ALONE, Decision("stop")),
        ("Stop!", IN_CONVERSATION, Decision("stop")),
        ("Stop!", OVERHEARD, Decision("stop")),
        ("Stop!", AMONG_OTHERS, Decision("listening")),
        ("Trainger, stop!", AMONG_OTHERS, Decision("stop")),
        ("Thanks!", IN_CONVERSATION, Decision("thanks")),
        ("Thanks!", OVERHEARD, Decision("listening")),
        ("Спасибо, тренер!", OVERHEARD, Decision("thanks")),
        ("The trainer at my gym is great.", AMONG_OTHERS, Decision("others")),
    ],
)
def test_decisions(text: str, situation: Situation, decision: Decision) -> None:
    assert decide(text, situation, NAMES) == decision


def test_a_question_has_an_end() -> None:
    assert len(decide("why " * 2000, ALONE, NAMES).question) == QUESTION_MOST
