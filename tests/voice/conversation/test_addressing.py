"""Whose name is called: by its sound, and by its place in the sentence."""

from __future__ import annotations

import pytest

from tests.voice.conversation import unseen_sentences
from tests.voice.conversation.sentences import CALLED, NOT_CALLED
from voice_sidecar.conversation import addressing
from voice_sidecar.conversation.addressing import WakeNames, wake_names
from voice_sidecar.conversation.sounds_alike import sounding

NAMES = WakeNames(wake_names([], "Trainger"))


@pytest.mark.parametrize(("said", "rest"), CALLED.items())
def test_called(said: str, rest: str) -> None:
    assert NAMES.find(said) == (True, rest)


@pytest.mark.parametrize("said", NOT_CALLED)
def test_not_called(said: str) -> None:
    assert NAMES.find(said) == (False, said)


def test_precision_and_recall_on_sentences_that_the_rules_were_not_made_with() -> None:
    right = sum(NAMES.find(said).called for said in unseen_sentences.CALLED)
    wrong = sum(NAMES.find(said).called for said in unseen_sentences.NOT_CALLED)
    print(f"recall {right / len(unseen_sentences.CALLED):.3f}, precision {right / (right + wrong):.3f}")
    assert right / len(unseen_sentences.CALLED) >= 0.95
    assert right / (right + wrong) >= 0.93


def test_without_regard_to_places_the_gym_would_be_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addressing._Said, "calls", lambda self, span: True)
    assert sum(NAMES.find(said).called for said in NOT_CALLED) > len(NOT_CALLED) / 2


def test_without_regard_to_sound_most_would_be_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addressing, "_by_sound", lambda name, sound, words: "")
    heard = ("Train girl, who is it?", "Tringer, who is it?", "Triangle, who is it?", "Тренджер, кто это?")
    assert not any(NAMES.find(said).called for said in heard)


@pytest.mark.parametrize(
    "heard",
    ["Train girl", "Tringer", "Tranger", "triangle", "тренджер", "трейнджер", "тренгер", "Träinger", "TRAINGER"],
)
def test_it_sounds_the_same(heard: str) -> None:
    assert sounding(heard).loose == sounding("Trainger").loose


@pytest.mark.parametrize("heard", ["train her", "stranger", "danger", "trailer", "training", "manager", "тренировка"])
def test_it_sounds_otherwise(heard: str) -> None:
    assert sounding(heard).loose != sounding("Trainger").loose


def test_what_has_no_letters_of_ours_has_no_sound() -> None:
    assert sounding("小助手 😀") == ("", "")
    assert sounding("").loose == ""


@pytest.mark.parametrize(
    ("chosen", "bot_name", "names"),
    [
        ((), "Guru", ("Guru", "Trainger", "тренер")),
        ((), "Trainger", ("Trainger", "тренер")),
        ((), " ", ("Trainger", "тренер")),
        ((" Jarvis ", "Алиса", ""), "Guru", ("Jarvis", "Алиса")),
    ],
)
def test_names(chosen: tuple[str, ...], bot_name: str, names: tuple[str, ...]) -> None:
    assert wake_names(chosen, bot_name) == names


@pytest.mark.parametrize(
    ("name", "said", "rest"),
    [
        ("Helper Bot", "Helper bot, what is new?", "What is new?"),
        ("Алиса", "Alisa, what is new?", "What is new?"),
        ("Jarvis", "Джарвис, что нового?", "Что нового?"),
        ("Jarvis", "Hey Jervis what is new?", "What is new?"),
        ("Bob", "Bob, what is new?", "What is new?"),
        ("小助手", "小助手, what is new?", "What is new?"),
        ("[🤖] Guru", "Guru, what is new?", "What is new?"),
        ("Борис", "Борису, что нового?", "Что нового?"),
    ],
)
def test_other_names(name: str, said: str, rest: str) -> None:
    assert WakeNames([name]).find(said) == (True, rest)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Bob", "Pop, what is new?"),  # short names sound like much else
        ("Ann", "And what is new?"),
        ("😀", "What is new?"),
        ("Helper Bot", "Helper, what is new?"),
        ("Jarvis", "Service, what is new?"),
    ],
)
def test_other_names_that_are_not_called(name: str, said: str) -> None:
    assert not WakeNames([name]).find(said).called


@pytest.mark.parametrize("said", ["", " ", "...", "😀", "Trainger " * 500])
def test_odd_texts(said: str) -> None:
    assert not WakeNames(["Trainger"]).find(said).called


def test_a_long_utterance_is_left_alone() -> None:
    said = "Trainger, " + "well " * 1000
    assert NAMES.find(said) == (False, said.strip())
