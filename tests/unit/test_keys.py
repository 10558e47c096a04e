"""Which keys are accepted, by `trainer.keys`."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.keys import MAX_KEY_BYTES, check_key
from trainer.ports import InvalidKey


def repr_of_start(value: str) -> str:
    return ascii(value[:20])


@pytest.mark.parametrize(
    "key",
    [
        "a",
        "g1/datasets/faq/123456789012345678.json",
        "...",
        "a/..b/.c/d..",
        "Вопросы и ответы/список №1.csv",
        "\U0001f600",
        " ",
        "x" * 200,
        "я" * 100,
        "/".join(["x" * 179] * 5),
        "a/" * 449 + "ab",
    ],
    ids=repr_of_start,
)
def test_accepts(key: str) -> None:
    check_key(key)


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("", "1 to 900 bytes"),
        ("/".join(["x" * 179] * 5) + "yy", "1 to 900 bytes"),
        ("я/" * 300 + "я", "1 to 900 bytes"),
        ("/a", "segments"),
        ("a/", "segments"),
        ("a//b", "segments"),
        (".", "segments"),
        ("..", "segments"),
        ("a/./b", "segments"),
        ("a/../b", "segments"),
        ("x" * 201, "segments"),
        ("я" * 101, "segments"),
        ("e\u0301", "normal form"),
        ("\u212b", "normal form"),
        ("a\\b", "backslashes"),
        ("a\0", "control"),
        ("a\nb", "control"),
        ("a\x7f", "control"),
        ("a\u200bb", "control"),
        ("\u202ecod.exe", "control"),
        ("a\u2028b", "control"),
        ("\ufeffa", "control"),
        ("\uffff", "control"),
        ("\ud800", "valid Unicode"),
    ],
    ids=repr_of_start,
)
def test_refuses(key: str, reason: str) -> None:
    with pytest.raises(InvalidKey, match=reason) as raised:
        check_key(key)
    assert raised.value.__cause__ is None


@given(st.text(max_size=40))
def test_an_accepted_key_leads_nowhere_else(key: str) -> None:
    try:
        check_key(key)
    except InvalidKey:
        return
    assert 0 < len(key.encode()) <= MAX_KEY_BYTES
    assert unicodedata.normalize("NFC", key) == key
    assert key.isprintable() or " " in key or any(unicodedata.category(char) in {"Zs", "Co"} for char in key)
    assert not {"", ".", ".."} & set(key.split("/"))
    assert "\\" not in key
