"""Texts as they are spoken: the words, and what is left out."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.speech.speakable import language_of, sentences, speakable

ENGLISH = [
    ("It costs $3.50, or €5.", "It costs three dollars and fifty cents, or five euros."),
    ("$1.01 and £0.01", "one dollar and one cent and zero pounds and one penny"),
    ("$2M", "two million dollars"),
    ("5 & 6", "five and six"),
    ("at 10:05 or 12:00 p.m. or 5pm", "at ten oh five or twelve p m or five p m"),
    ("at 18:30, at 9:00", "at eighteen thirty, at nine o'clock"),
    ("9:00-18:30, 9am–5 p.m.", "nine o'clock to eighteen thirty, nine a m to five p m"),
    ("on May 3rd, 2024", "on May third, twenty twenty four"),
    ("on 3 Jan 2021", "on January third, twenty twenty one"),
    ("2024-05-03", "May third, twenty twenty four"),
    ("2024-13-03", "two thousand and twenty four-thirteen-zero three"),
    ("In 1999 or the 1990s", "In nineteen ninety nine or the nineteen nineties"),
    ("1,234.5 km", "one thousand two hundred and thirty four point five kilometers"),
    ("5-10 h at -5 °C", "five to ten hours at minus five degrees Celsius"),
    ("10%-20%, $5–$10", "ten percent to twenty percent, five dollars to ten dollars"),
    ("$5M-$10M, 5km - 10km", "five million dollars to ten million dollars, five kilometers to ten kilometers"),
    ("5 kg -3 °C", "five kilograms minus three degrees Celsius"),
    ("1 MB, 2 MB, 50%", "one megabyte, two megabytes, fifty percent"),
    ("v1.2.3 and 10.0.1", "version one point two point three and ten point zero point one"),
    ("1st, 22nd", "first, twenty second"),
    ("0800123", "zero eight zero zero one two three"),
    ("12345678901234567890", "one two three four five six seven eight nine zero " * 2),
    ("IPv4, 3D", "IPv four, three D"),
    ("e.g. this, i.e. that", "for example this, that is that"),
    ("2 + 2 = 4", "two plus two equals four"),
    ("yes/no", "yes, no"),
    ("Really??? Wait...", "Really? Wait…"),
]
RUSSIAN = [
    ("1234 руб. 50 коп.", "одна тысяча двести тридцать четыре рубля пятьдесят копеек."),
    ("$5, 2,5 млн ₽ и 1 ₽", "пять долларов, две целых пять десятых миллиона рублей и один рубль"),
    ("3 мая 2024 г.", "третьего мая две тысячи двадцать четвёртого года"),
    ("03.05.2024", "третьего мая две тысячи двадцать четвёртого года"),
    ("2024-05-03", "третьего мая две тысячи двадцать четвёртого года"),
    ("в 10:05, в 18:00", "в десять часов пять минут, в восемнадцать часов"),
    ("9:00-18:30", "девять часов – восемнадцать часов тридцать минут"),
    ("в 21:01", "в двадцать один час одна минута"),
    ("В 1999 году", "В тысяча девятьсот девяносто девятом году"),
    ("с 1999 года, 1999 год", "с тысяча девятьсот девяносто девятого года, тысяча девятьсот девяносто девятый год"),
    ("1999–2005 гг.", "с тысяча девятьсот девяносто девятого по две тысячи пятый год"),
    ("2 ч 21 мин, 1 мин", "два часа двадцать одна минута, одна минута"),
    ("-5 °C", "минус пять градусов Цельсия"),
    ("5 мин. назад, 3 км. Потом 2 кг.", "пять минут назад, три километра. Потом два килограмма."),
    ("1-й, 2-я, 3-го", "первый, вторая, третьего"),
    ("22 кнопки, 1 окно, 2 часа", "двадцать две кнопки, одно окно, два часа"),
    ("2 или 3 кнопки, 2 или 3 дня", "две или три кнопки, два или три дня"),
    ("1 по списку, 2 и 2", "один по списку, два и два"),
    ("10%-20%, 5 км – 10 км", "десять процентов – двадцать процентов, пять километров – десять километров"),
    ("21 кнопка, 11 кнопок", "двадцать одна кнопка, одиннадцать кнопок"),
    ("50 %, 21 %, 2,5 %", "пятьдесят процентов, двадцать один процент, две целых пять десятых процента"),
    ("т. е. так и т. д., №5", "то есть так и так далее, номер пять"),
    ("5–10 дней", "пять – десять дней"),
    ("см. стр. 5", "смотрите страница пять"),
    ("v1.2.3", "версия один точка два точка три"),
    ("007", "ноль ноль семь"),
]  # fmt: skip
MARKS = [
    ("**Bold** _it_ ~~no~~ __u__ `code`", "Bold it no u code"),
    ("# Title\n\nText", "Title\nText"),
    ("- one\n- two", "one\ntwo"),
    ("> quoted", "quoted"),
    ("[text](https://example.org/a_b)", "text"),
    ("See https://www.example.org/foo?bar=1.", "See a link to example.org."),
    ("<https://example.org>", "a link to example.org"),
    ("||secret|| <@123> <#4> </ask:12> <:smile:12> 😀👍🏽 done", "secret someone a channel ask done"),
    ("```py\nprint(1)\n```\nAbove.", "there is code in the text\nAbove."),
    ("| a | b |\n|---|---|\n| x | y |", "there is a table in the text"),
    ("-# small <t:0:d>", "small January first, nineteen seventy"),
    ("<t:99999999999>", "November sixteenth, fifty one thirty eight"),
    ("snake_case and 2*3", "snake case and two three"),
    ("***", ""),
    ("😀", ""),
    ("", ""),
]


@pytest.mark.parametrize(("text", "spoken"), ENGLISH)
def test_english(text: str, spoken: str) -> None:
    assert speakable(text, "en") == spoken.strip()


@pytest.mark.parametrize(("text", "spoken"), RUSSIAN)
def test_russian(text: str, spoken: str) -> None:
    assert speakable(text, "ru") == spoken


@pytest.mark.parametrize(("text", "spoken"), MARKS)
def test_marks_are_taken_away(text: str, spoken: str) -> None:
    assert speakable(text, "en") == spoken


def test_what_cannot_be_heard_is_named_in_the_language() -> None:
    assert speakable("Это https://example.org/путь", "ru") == "Это ссылка на example.org"
    assert speakable("```\nx\n```", "ru") == "код — в тексте"


def test_other_languages_keep_their_numbers() -> None:
    assert speakable("**Il coûte 5 €**", "fr") == "Il coûte 5 €"


def test_sentences_are_cut_where_they_end() -> None:
    said = sentences(speakable("Dr. Smith paid $3.50. Then he left! Really? Yes.", "en"), "en")
    assert said == ["Doctor Smith paid three dollars and fifty cents.", "Then he left!", "Really?", "Yes."]
    said = sentences(speakable("Т. е. рано. А. С. Пушкин родился в 1799 году. Да!", "ru"), "ru")
    assert said[-2:] == ["А. С. Пушкин родился в тысяча семьсот девяносто девятом году.", "Да!"]


def test_long_sentences_are_cut_after_a_clause_and_lose_nothing() -> None:
    long = ", ".join(f"clause number {word} goes on" for word in ["alpha", "beta", "gamma"] * 20)
    said = sentences(long, "en", 120)
    assert all(len(part) <= 120 for part in said)
    assert " ".join(said) == long
    assert said[0].endswith(",")
    assert sentences("x" * 250, "en", 100) == ["x" * 100, "x" * 100, "x" * 50]


def test_the_language_is_that_of_the_letters() -> None:
    assert language_of("Привет, world") == "ru"
    assert language_of("Hello, мир") == "en"
    assert language_of("42", "ru") == "ru"


@pytest.mark.parametrize("language", ["en", "ru"])
def test_numbers_beyond_all_reason_are_spoken_digit_by_digit(language: str) -> None:
    nine = {"en": "nine", "ru": "девять"}[language]
    for text in ("$" + "9" * 5_000, "9" * 5_000 + " %", "9" * 5_000 + " руб. 5 коп.", "9" * 5_000 + "€"):
        assert speakable(text, language).split().count(nine) == 5_000


def test_half_a_character_is_no_letter() -> None:
    assert sentences(speakable("One \ud800 two.", "en"), "en") == ["One two."]


@pytest.mark.parametrize(
    "mark", ["__a ", "__a_ ", "||a ", "**a ", "~~a ", "[a](", "![", "<@1 ", "`a ``", "https://", "$1 "]
)
def test_a_flood_of_marks_takes_no_age(mark: str) -> None:
    text = mark * (100_000 // len(mark))
    assert speakable(text + "\n\nEnd.", "en").split("\n")[-1] == "End."


@given(st.text(max_size=300), st.sampled_from(["en", "ru", "fr"]))
def test_whatever_is_written_can_be_spoken(text: str, language: str) -> None:
    spoken = speakable(text, language)
    assert all(len(part) <= 50 for part in sentences(spoken, language, 50))


@given(st.text(alphabet="0123456789.,:-–/$€₽% kmчгйое", max_size=40), st.sampled_from(["en", "ru"]))
def test_no_digit_is_left(text: str, language: str) -> None:
    assert not re.search("[0-9]", speakable(text, language))
