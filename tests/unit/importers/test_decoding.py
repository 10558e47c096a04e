from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.importers.files import pairs, passages, read, rejections
from trainer.importers import FileRefusal, RefusalReason, RejectionReason, decoding
from trainer.importers.decoding import Line, find_encoding, open_text, read_lines

if TYPE_CHECKING:
    from pathlib import Path

RUSSIAN = [
    ("Как сбросить пароль?", "Нажмите «Забыли пароль» на странице входа."),
    ("Цена?", "Сто рублей. Ещё вопрос?"),
]
PLAIN_RUSSIAN = [("Как сбросить пароль?", "Нажмите на ссылку на странице входа."), ("Цена?", "Сто рублей")]
FRENCH = [("Où est le café?", "À côté de l'hôtel, près de la forêt."), ("Déjà vu?", "Naïf élève")]
GERMAN = [("Wie öffne ich das Menü?", "Über die Schaltfläche, natürlich."), ("Straße?", "Grüße")]


@pytest.mark.parametrize(
    ("rows", "encoding"),
    [
        (rows, encoding)
        for rows in (RUSSIAN, FRENCH, GERMAN)
        for encoding in ("utf-8", "utf-8-sig", "utf-16", "utf-32")
    ]
    + [
        (RUSSIAN, "cp1251"), (PLAIN_RUSSIAN, "koi8-r"), (PLAIN_RUSSIAN, "cp866"),
        (FRENCH, "latin-1"), (FRENCH, "cp1252"), (GERMAN, "latin-1"),
        ([("Price?", "It’s 5 € – “cheap”")], "cp1252"),
        ([("日本語のテキストですか？", "はい、これは日本語のテキストです。質問はありますか")], "shift_jis"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("header", ["question\tanswer", ""])
def test_encodings(tmp_path: Path, rows: list[tuple[str, str]], encoding: str, header: str) -> None:
    lines = [header, *("\t".join(row) for row in rows)] if header else ["\t".join(row) for row in rows]
    items = read(tmp_path, "\r\n".join(lines).encode(encoding), "x.tsv")
    assert pairs(items) == rows
    assert not rejections(items)


def test_one_foreign_word_in_a_long_file(tmp_path: Path) -> None:
    content = b"question,answer\n" + b"plain,text\n" * 50_000 + "Où?,Près de la forêt\n".encode("latin-1")
    items = read(tmp_path, content, "x.csv")
    assert pairs(items)[-1] == ("Où?", "Près de la forêt")
    assert not rejections(items)


@pytest.mark.parametrize(
    "broken",
    [b"\xff\xfe", b"\xff", b"caf\xc3", b"\xf0\x9f\x98", b"\xed\xa0\x80", b"\xc0\xaf", b"\x80\x81\x8d"],
)
def test_a_few_broken_bytes_in_utf8(tmp_path: Path, broken: bytes) -> None:
    content = "question,answer\nгде?,тут\n".encode() * 5 + b"q" + broken + b"x,a\nlast,one\n"
    items = read(tmp_path, content, "x.csv")
    assert pairs(items)[-1] == ("last", "one")
    assert [reason for _, reason, _ in rejections(items)] == [RejectionReason.BAD_ENCODING]


def test_bytes_that_are_no_text_in_a_plain_file(tmp_path: Path) -> None:
    items = read(tmp_path, b"question,answer\nq1,a1\nx\xff\xfe,y\nq2,a2\n", "x.csv")
    assert pairs(items) == [("q1", "a1"), ("q2", "a2")]
    assert rejections(items) == [(3, RejectionReason.BAD_ENCODING, "")]


def test_a_file_cut_inside_of_a_character(tmp_path: Path) -> None:
    items = read(tmp_path, "Ask me 😀".encode()[:-1], "x.txt")
    assert rejections(items) == [(1, RejectionReason.BAD_ENCODING, "")]


def test_broken_utf16(tmp_path: Path) -> None:
    content = "Q: где?\nA: тут\n".encode("utf-16") + b"\x00\xd8\x41"
    items = read(tmp_path, content, "x.txt")
    assert rejections(items) == [(3, RejectionReason.BAD_ENCODING, "")]


def test_a_byte_order_mark_where_a_second_file_was_put_behind_the_first(tmp_path: Path) -> None:
    data = b"# T\n\n\xff\xfeQ: x\nA: y\n\n# T\n\n\xff\xfeQ: x\nA: y\n\n\xf0# H\nt#\x11\xf0# H\nt# "
    assert rejections(read(tmp_path, data, "x.txt"))


def test_decomposed_letters_are_composed(tmp_path: Path) -> None:
    assert passages(read(tmp_path, "Cafe\u0301 и\u0306", "x.txt")) == [("", "Café й")]


def test_random_bytes_have_some_encoding(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(bytes(range(128, 256)) * 10)
    with open_text(path, find_encoding(path)) as stream:
        assert stream.read()


def test_lines_are_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "MAX_LINES", 10)
    assert passages(read(tmp_path, "a\n" * 10, "x.txt")[:1])
    with pytest.raises(FileRefusal) as refusal:
        read(tmp_path, "a\n" * 11, "x.txt")
    assert (refusal.value.reason, refusal.value.detail) == (RefusalReason.TOO_LARGE, "lines")


def test_nothing_is_written_with_marks() -> None:
    with pytest.raises(UnicodeEncodeError):
        "é".encode("ascii", "trainger-mark-broken")


def test_lines_in_pieces(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"ab\r\nabcdefgh\rabcd\n\nend")
    with open_text(path, "utf-8") as stream:
        assert list(read_lines(stream, 4)) == [
            Line(1, "ab", complete=True),
            Line(2, "abcd", complete=False),
            Line(2, "efgh", complete=False),
            Line(2, "", complete=True),
            Line(3, "abcd", complete=False),
            Line(3, "", complete=True),
            Line(4, "", complete=True),
            Line(5, "end", complete=False),
        ]
