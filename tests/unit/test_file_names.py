"""The names that objects have on disk, by `trainer.adapters.file_names`."""

from __future__ import annotations

import unicodedata
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contract.stores import TRICKY_KEYS
from trainer.adapters.file_names import Kind, directory_path, object_path, read_name
from trainer.keys import check_key
from trainer.ports import InvalidKey


def is_key(text: str) -> bool:
    try:
        check_key(text)
    except InvalidKey:
        return False
    return True


def segments(alphabet: st.SearchStrategy[str], *, min_size: int = 1, max_size: int) -> st.SearchStrategy[str]:
    text = st.text(alphabet, min_size=min_size, max_size=max_size)
    return text.map(lambda segment: unicodedata.normalize("NFC", segment))


ANY: Final = st.characters(exclude_categories=["Cc", "Cf", "Cn", "Cs", "Zl", "Zp"], exclude_characters="/\\")
SEGMENTS: Final = (
    segments(st.sampled_from("aA.-~ я"), max_size=6)
    | segments(ANY, max_size=8)
    | segments(st.sampled_from("ab-я"), min_size=70, max_size=90)
)
KEYS: Final = (st.lists(SEGMENTS, min_size=1, max_size=4).map("/".join) | st.sampled_from(TRICKY_KEYS)).filter(is_key)


def key_of(names: list[str]) -> str:
    key, inside = b"", False
    for name in names:
        entry = read_name(name, inside_segment=inside)
        assert entry is not None, name
        key, inside = key + entry.piece, entry.kind is Kind.MORE
    return key.decode()


@given(KEYS)
@settings(deadline=None)
def test_a_path_says_its_key(key: str) -> None:
    names = object_path(key)
    assert key_of(names) == key
    assert all(len(name) <= 242 and name.isascii() and name == name.lower() for name in names)
    assert not any(set(name) & set('\\/:*?"<>| ') or name.endswith(".") for name in names)
    assert [name[0] == "o" for name in names] == [False] * (len(names) - 1) + [True]


@given(KEYS, KEYS)
@settings(deadline=None)
def test_no_two_keys_get_in_each_others_way(one: str, other: str) -> None:
    paths = object_path(one), object_path(other)
    assert (one == other) == (paths[0] == paths[1])
    assert one == other or paths[0] != paths[1][: len(paths[0])]


@given(KEYS)
@settings(deadline=None)
def test_a_prefix_leads_to_the_directory_of_its_keys(key: str) -> None:
    names, base = directory_path(key)
    assert object_path(key)[: len(names)] == names
    assert key.encode().startswith(base)
    assert b"/" not in key.encode()[len(base) :]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a",
        ".",
        "..",
        "o",
        "o.",
        "d.",
        "m.",
        "x.a",
        "o.A",
        "o.%41%",
        "o.%6",
        "o.%zz",
        "o.%61",
        "o.%D0",
        "o.a.",
        "o.%2f",
        "o.я",
        "o.\udcff",
        "m.short",
        "o." + "a" * 80,
        "d." + "a" * 80,
        "m." + "a" * 81,
        "O.a",
        "o. a",
        "o.%+1",
        ".DS_Store",
    ],
    ids=ascii,
)
def test_names_of_others_are_not_understood(name: str) -> None:
    assert read_name(name, inside_segment=False) is None
