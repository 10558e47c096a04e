"""The names under which files are saved."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainer.adapters.downloads import content_disposition, safe_filename


@pytest.mark.parametrize(
    ("wanted", "safe"),
    [
        ("report.csv", "report.csv"),
        ("Отчёт за май.csv", "Отчёт за май.csv"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("C:\\x\\y.txt", "C__x_y.txt"),
        ('a"b;c%d.txt', "a_b_c_d.txt"),
        ("a\r\nX-Evil: 1", "a__X-Evil_ 1"),
        ("exe.\u202etxt", "exe._txt"),
        ("\ud800.txt", "_.txt"),
        ("", "download"),
        (" . ", "download"),
        (".htaccess", "htaccess"),
        ("x" * 300 + ".jsonl", "x" * 114 + ".jsonl"),
        ("a." + "y" * 300, ("a." + "y" * 300)[:120]),
    ],
    ids=ascii,
)
def test_makes_a_name_safe(wanted: str, safe: str) -> None:
    assert safe_filename(wanted) == safe


@pytest.mark.parametrize(
    ("filename", "header"),
    [
        ("a b.txt", 'attachment; filename="a b.txt"'),
        ("é.txt", "attachment; filename=\"_.txt\"; filename*=UTF-8''%C3%A9.txt"),
    ],
)
def test_writes_the_header(filename: str, header: str) -> None:
    assert content_disposition(filename) == header


@given(st.text())
def test_no_name_leaves_its_header(filename: str) -> None:
    header = content_disposition(filename)
    assert header.isascii()
    assert header.isprintable()
    assert header.count('"') == 2
    assert header.partition('"; ')[2].startswith(("", "filename*=UTF-8''"))
    assert safe_filename(safe_filename(filename)) == safe_filename(filename)
