"""Two questions: the same, alike, or not; measured on a game server's FAQ in English and Russian."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import TYPE_CHECKING, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.matching import (
    ANSWER_AT,
    CORRECTION_AT,
    SUGGEST_AT,
    agreement,
    confidence,
    fingerprint,
    likeness,
    normalise,
    passage_confidence,
    rarity,
    read,
    stem,
    stems,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

Row = tuple[str, ...]
"""A taught question, then rewordings of it that were not taught."""

FAQ_EN: Final[tuple[Row, ...]] = (
    (
        "How do I reset my password?",
        "I forgot my password, what can I do?",
        "password reset",
        "how to change pasword",
    ),
    (
        "How do I link my Steam account?",
        "connect steam to my account",
        "can i link steam",
        "where do I connect my steam",
    ),
    ("How do I get the verified role?", "how can I get verified", "i can't see any channels, how do i verify"),
    ("What are the server rules?", "where can I read the rules", "rules?", "what is allowed on this server"),
    (
        "How do I report a player for cheating?",
        "I want to report a cheater",
        "report hacker",
        "someone is using hacks",
    ),
    (
        "When is the next tournament?",
        "when does the tournament start",
        "tournament date",
        "what day is the next tourney",
    ),
    ("How do I appeal a ban?", "I got banned, how can I appeal", "ban appeal", "unban me please"),
    ("How do I become a moderator?", "can I be a mod", "moderator application", "how to apply for mod"),
    (
        "What are the minimum system requirements?",
        "what pc do I need to run the game",
        "system requirements",
        "min specs",
    ),
    ("The game crashes on startup, what should I do?", "game keeps crashing when I launch it", "crash at start"),
    ("How do I get a refund?", "can I get my money back", "refund policy", "i want a refund for the season pass"),
    ("How much does premium cost?", "premium price", "how expensive is premium membership"),
    (
        "How do I cancel my subscription?",
        "cancel subscription",
        "I want to stop my subscription",
        "how to unsubscribe",
    ),
    ("Where can I download the beta?", "beta download link", "how do i get the beta", "where is the beta client"),
    ("How do I change my username?", "can I change my name", "change nickname", "edit my username"),
    ("Why is my ping so high?", "high ping, what to do", "lag and high ping", "my ping is really bad"),
    ("How do I redeem a gift code?", "where do I enter my code", "redeem code", "how to use a gift code"),
    ("How do I invite the bot to my server?", "add the bot to my server", "bot invite link"),
    (
        "How do I enable two-factor authentication?",
        "turn on 2fa",
        "how to set up two factor auth",
        "enable two-factor",
    ),
    ("When does the daily reset happen?", "daily reset time", "what time do dailies reset"),
    ("How do I earn more coins?", "fastest way to get coins", "how to farm coins", "earn coins"),
    ("How do I delete my account?", "remove my account", "delete account permanently", "I want my account deleted"),
    ("Is there a mobile version?", "can I play on my phone", "mobile version?", "is the game on android or mobile"),
    ("How do I create a private voice channel?", "make a private voice channel", "private voice room"),
    (
        "Does the game support controllers?",
        "can i use a controller",
        "controller support",
        "does it work with a gamepad",
    ),
    (
        "How do I transfer my progress to another platform?",
        "move progress to another platform",
        "transfer save to console",
    ),
    ("Where are the saved games stored?", "save file location", "where is my save game", "where are saves stored"),
    ("How do I contact support?", "contact support", "how can I reach the support team"),
    ("Do you have a wiki?", "where is the wiki", "link to wiki", "is there any wiki for the game"),
    (
        "How do I mute notifications from this server?",
        "turn off notifications",
        "too many notifications, how to mute",
    ),
)
FAQ_RU: Final[tuple[Row, ...]] = (
    ("Как сбросить пароль?", "сброс пароля", "забыл пароль, что делать", "как поменять пороль"),
    ("Как привязать аккаунт Steam?", "привязка аккаунта steam", "как подключить steam к аккаунту"),
    ("Где посмотреть правила сервера?", "правила сервера", "какие здесь правила"),
    ("Как подать жалобу на игрока?", "хочу пожаловаться на игрока", "жалоба на игрока"),
    ("Когда следующий турнир?", "дата турнира", "во сколько начинается турнир"),
    ("Как обжаловать бан?", "меня забанили, как обжаловать", "обжалование бана"),
    ("Как стать модератором?", "хочу быть модератором", "набор модераторов"),
    ("Игра вылетает при запуске, что делать?", "игра не запускается, вылетает", "вылет при запуске игры"),
    ("Как вернуть деньги за покупку?", "возврат денег", "хочу вернуть деньги"),
    ("Сколько стоит премиум?", "цена премиума", "стоимость премиум подписки"),
    ("Как отменить подписку?", "отмена подписки", "хочу отменить подписку"),
    ("Как сменить ник?", "смена ника", "как изменить никнейм"),
    ("Почему такой высокий пинг?", "высокий пинг что делать", "пинг очень высокий"),
    ("Как активировать промокод?", "активация промокода", "куда вводить промокод"),
    ("Как удалить аккаунт?", "удаление аккаунта", "хочу удалить свой аккаунт"),
)
UNRELATED: Final = (
    "What is the capital of France?",
    "how do I bake bread",
    "who won the world cup in 2018",
    "weather tomorrow",
    "tell me a joke",
    "how tall is mount everest",
    "best pizza in Chicago",
    "how do I change a car tyre",
    "how to get rid of ants",
    "what time is it in Tokyo",
    "how do I tie a tie",
    "translate hello into Spanish",
    "how many ounces in a pound",
    "what is the meaning of life",
    "can dogs eat chocolate",
    "who wrote war and peace",
    "what server hardware should a bank buy",
    "how do I open a bank account",
    "my server at the restaurant was rude",
    "how much does a house cost in London",
    "how do I reset my router",
    "where can I download free music",
    "how do I report my income to the tax office",
    "how do I cancel my flight to Rome",
    "what are the rules of chess",
    "what is a good game for a birthday party",
    "when is the next full moon",
    "how do I delete a photo",
    "how do I change a light bulb",
    "how do I create a bootable usb stick",
    "how do I become a doctor",
    "столица франции",
    "как испечь хлеб",
    "какая погода завтра",
    "кто написал войну и мир",
    "как сварить борщ",
    "сколько стоит квартира в москве",
    "как открыть счет в банке",
    "как удалить пятно с ковра",
    "когда следующий автобус",
    "как стать космонавтом",
    "расскажи анекдот",
)
FAQ: Final = FAQ_EN + FAQ_RU


@cache
def weigher(taught: tuple[str, ...]) -> Callable[[str], float]:
    """Rarity in a dataset of these questions."""
    entries = Counter(one for question in taught for one in set(stems(question)))
    return lambda one: rarity(one, entries[one], len(taught))


def nearest(query: str, taught: Sequence[str]) -> tuple[float, str]:
    """The taught question that the query is most surely about."""
    weight = weigher(tuple(taught))
    return max((confidence(query, question, weight), question) for question in taught)


alone: Final = weigher(())


# --- normalising ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("How do I reset my password?", "  how do I reset   my PASSWORD!!! "),
        ("Ёлка", "елка"),
        ("don't panic", "DONT PANIC"),
        ("ｆｕｌｌ ｗｉｄｔｈ", "full width"),
        ("re-set", "re set"),
        ("a\u200bb", "ab"),
        ("thumbs \U0001f44d\U0001f3fd", "thumbs \U0001f44d"),
        ("STRASSE", "straße"),
        ("line\nbreak", "line break"),
        ("half \ud800 a character", "half a character"),
    ],
)
def test_questions_that_are_the_same(one: str, other: str) -> None:
    assert normalise(one) == normalise(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("what is C++", "what is C"), ("C#", "C"), ("👍", "👎"), ("v1.5", "v15"), ("???", "!"), ("mute", "unmute")],
)
def test_questions_that_are_not(one: str, other: str) -> None:
    assert normalise(one) != normalise(other)


@given(st.text())
def test_a_normal_form_is_its_own(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert "  " not in once


@given(st.text(max_size=80), st.text(max_size=80))
def test_any_two_texts_can_be_compared(one: str, other: str) -> None:
    assert 0.0 <= confidence(one, other, alone) <= 1.0
    assert likeness(stem(one), stem(other)) == likeness(stem(other), stem(one))
    assert bool(stems(one)) == bool(normalise(one))


def test_a_fingerprint_names_the_pair() -> None:
    assert fingerprint("How?", "So.") == fingerprint("how", "so")
    assert fingerprint("ab", "c") != fingerprint("a", "bc")
    assert fingerprint("a", "") != fingerprint("", "a")
    assert len(fingerprint("", "")) == 32


# --- stems ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("How do I reset my passwords?", ["reset", "password"]),
        ("Как сбросить пароли от Steam", ["сброс", "парол", "steam"]),
        ("how do I?", ["how", "do", "i"]),
        ("", []),
        ("日本語 test", ["日本", "本語", "test"]),
        ("日", ["日"]),
        ("👍 c++", ["👍", "c++"]),
        ("cafés", ["cafe"]),
        ("Wi-Fi 2fa", ["wi", "fi", "2fa"]),
        ("a" * 5_000 + "1", ["a" * 48]),
    ],
)
def test_stems(text: str, expected: list[str]) -> None:
    assert stems(text) == expected


@pytest.mark.parametrize(
    ("one", "other", "least", "most"),
    [
        ("password", "password", 1.0, 1.0),
        ("password", "pasword", 0.7, 0.99),
        ("пароль", "пороль", 0.7, 0.99),
        ("configuration", "cofniguration", 0.7, 0.99),
        ("удалить", "удаление", 0.8, 0.99),
        ("verify", "verification", 0.8, 0.99),
        ("forgot", "reset", 0.5, 0.7),
        ("enable", "disable", 0.0, 0.0),
        ("subscribe", "unsubscribe", 0.0, 0.0),
        ("important", "unimportant", 0.0, 0.0),
        ("включить", "выключить", 0.0, 0.0),
        ("server", "service", 0.0, 0.0),
        ("role", "rule", 0.0, 0.0),
        ("cat", "car", 0.0, 0.0),
        ("2024", "2025", 0.0, 0.0),
        ("bread", "password", 0.0, 0.0),
    ],
)
def test_words_alike(one: str, other: str, least: float, most: float) -> None:
    assert least <= likeness(stem(one), stem(other)) <= most


# --- confidence -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["I forgot my password, what can I do?", "password reset", "how to change pasword"])
def test_another_wording_is_found_with_one_example_taught(query: str) -> None:
    assert nearest(query, ["How do I reset my password?"])[0] >= ANSWER_AT


@pytest.mark.parametrize(
    ("query", "taught"),
    [
        ("What is the capital of France?", "How do I reset my password?"),
        ("how do I bake bread", "How do I reset my password?"),
        ("server", "What are the server rules?"),
        ("my server at the restaurant was rude", "What are the server rules?"),
        ("account", "How do I delete my account?"),
        ("how do I open a bank account", "How do I delete my account?"),
        ("how do I become a doctor", "How do I become a moderator?"),
        ("how do I disable two-factor authentication", "How do I enable two-factor authentication?"),
        ("how do I turn off slow mode in chat", "How do I turn on slow mode in chat?"),
        ("как выключить микрофон", "Как включить микрофон?"),
        ("how", "How do I reset my password?"),
    ],
)
def test_sharing_words_is_not_enough(query: str, taught: str) -> None:
    assert nearest(query, [taught])[0] < ANSWER_AT


def test_only_the_same_question_is_certain() -> None:
    taught = "How do I reset my password?"
    assert confidence("how do i reset my PASSWORD", taught, alone) == 1.0
    assert CORRECTION_AT <= confidence("how to reset a password", taught, alone) < 1.0
    assert confidence("", taught, alone) == confidence("?", "", alone) == 0.0


def test_a_compound_is_found_in_two_words() -> None:
    assert nearest("can I change my user name", ["How do I change my username?"])[0] >= ANSWER_AT


def test_words_of_little_meaning_still_compare() -> None:
    assert confidence("who are you", "Who are you, then?", alone) > confidence("where are you", "Who are you?", alone)


def test_a_long_query_that_mentions_it_is_no_question_about_it() -> None:
    story = " ".join(f"word{number}" for number in range(400)) + " password reset"
    assert nearest(story[-4_000:], ["How do I reset my password?"])[0] < ANSWER_AT


def test_rarity_counts_even_when_nothing_else_was_taught() -> None:
    assert rarity("password", 1, 1) > rarity(stem("server"), 1, 1) > rarity("the", 1, 1) > 0
    assert rarity("password", 500, 1_000) < rarity("password", 5, 1_000) < rarity("", 0, 1_000)


def test_agreement_adds_up_but_not_without_end() -> None:
    assert agreement([]) == 0
    assert agreement([0.5, 0.25]) == pytest.approx(0.75)
    assert agreement([0.9] * 50) == pytest.approx(3.6)


def test_a_passage_must_hold_what_is_asked() -> None:
    passage = frozenset(stems("Refund policy. Season passes are refunded within fourteen days of the purchase."))
    assert passage_confidence(read("refund for a season pass"), passage, alone) >= ANSWER_AT
    assert passage_confidence(read("refudn for a season pass"), passage, alone) >= SUGGEST_AT
    assert passage_confidence(read("how do I bake bread in fourteen days"), passage, alone) < ANSWER_AT
    assert passage_confidence(read("purchase"), passage, alone) < ANSWER_AT
    assert passage_confidence(read("bread"), frozenset(), alone) < SUGGEST_AT


# --- a whole FAQ ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 5, len(FAQ)])
def test_an_faq_of_any_size_answers_its_rewordings_and_nothing_else(size: int) -> None:
    asked = answered = wrong = strayed = 0
    for start in range(0, len(FAQ), size):
        rows = FAQ[start : start + size]
        taught = [row[0] for row in rows]
        for row in rows:
            for query in row[1:]:
                sure, question = nearest(query, taught)
                asked += 1
                answered += sure >= ANSWER_AT and question == row[0]
                wrong += sure >= ANSWER_AT and question != row[0]
        strayed += sum(nearest(query, taught)[0] >= ANSWER_AT for query in UNRELATED)
    assert asked == 112
    assert answered >= 0.75 * asked
    assert wrong == 0
    assert strayed == 0


def test_most_rewordings_are_at_least_mentioned_and_few_other_questions() -> None:
    taught = [row[0] for row in FAQ]
    found = [(nearest(query, taught), row[0]) for row in FAQ for query in row[1:]]
    assert sum(question == right for (_, question), right in found) >= 0.95 * len(found)
    assert sum(sure >= SUGGEST_AT for (sure, _), _ in found) >= 0.85 * len(found)
    assert sum(nearest(query, taught)[0] >= SUGGEST_AT for query in UNRELATED) <= 0.15 * len(UNRELATED)
