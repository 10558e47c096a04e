from __future__ import annotations

import gzip
import io
import zipfile
from typing import TYPE_CHECKING

import pytest

from tests.unit.importers.files import pairs, read, rejections
from trainer.importers import FileRefusal, Format, RefusalReason, RejectionReason, detect, read_file
from trainer.importers.detect import MAX_BYTES, format_of_text

if TYPE_CHECKING:
    from pathlib import Path


def archive(*names: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name in names:
            file.writestr(name, "x")
    return out.getvalue()


def refusal_of(folder: Path, content: bytes, name: str) -> tuple[RefusalReason, str]:
    with pytest.raises(FileRefusal) as refusal:
        read(folder, content, name)
    assert str(refusal.value)
    return refusal.value.reason, refusal.value.detail


@pytest.mark.parametrize(
    ("content", "detail"),
    [
        (archive("a.csv"), "zip"),
        (archive("[Content_Types].xml", "xl/workbook.xml"), "xlsx"),
        (archive("[Content_Types].xml", "word/document.xml"), "docx"),
        (archive("ppt/presentation.xml"), "pptx"),
        (gzip.compress(b"question,answer\nq,a\n", mtime=0), "gzip"),
        (b"BZh91AY&SY\xc3", "bzip2"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "image"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "image"),
        (b"GIF89a\x01\0", "image"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "image"),
        (b"RIFF\0\0\0\0WAVEfmt ", "audio"),
        (b"RIFF\0\0\0\0AVI LIST", "video"),
        (b"OggS\0\x02", "audio"),
        (b"ID3\x04\0", "audio"),
        (b"\xff\xfb\x90\0", "audio"),
        (b"\0\0\0\x20ftypisom", "video"),
        (b"\0\0\0\x20ftypM4A ", "audio"),
        (b"\x7fELF\x02\x01", "program"),
        (b"MZ\x90\0\x03\0", "program"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "office"),
        (b"SQLite format 3\0", "database"),
        (b"PAR1\x15\x04\0", "parquet"),
        (b"{\\rtf1\\ansi Q: x}", "rtf"),
        (b"\n<!DOCTYPE html><html>Q: a A: b</html>", "html"),
        (b"<HTML><body>x</body></HTML>", "html"),
        (b'<?xml version="1.0"?><a/>', "xml"),
    ],
)
@pytest.mark.parametrize("name", ["faq.csv", "faq.jsonl", "faq.txt", "faq.pdf", ""])
def test_other_kinds_are_named_whatever_they_are_called(
    tmp_path: Path, content: bytes, detail: str, name: str
) -> None:
    assert refusal_of(tmp_path, content, name) == (RefusalReason.UNSUPPORTED, detail)


@pytest.mark.parametrize(
    "content", [b"question,answer\nq,a\0\n", b"\0" * 100, b"x" * 1_000_000 + b"\0", b"MZ" * 5 + b"\0"]
)
def test_nul_bytes_are_not_text(tmp_path: Path, content: bytes) -> None:
    assert refusal_of(tmp_path, content, "x.csv")[0] in {RefusalReason.BINARY, RefusalReason.UNSUPPORTED}


@pytest.mark.parametrize("content", [b"", b" \r\n\t", b"\xef\xbb\xbf", b"\xff\xfe", b"\n" * 140_000])
def test_nothing_is_empty(tmp_path: Path, content: bytes) -> None:
    assert refusal_of(tmp_path, content, "x.jsonl") == (RefusalReason.EMPTY, "")


def test_text_after_much_blank_is_found(tmp_path: Path) -> None:
    assert pairs(read(tmp_path, "\n" * 70_000 + "Q: a\nA: b", "x.txt")) == [("a", "b")]


def test_too_large(tmp_path: Path) -> None:
    path = tmp_path / "x"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(FileRefusal) as refusal:
        detect(path, "x.txt")
    assert refusal.value.reason is RefusalReason.TOO_LARGE


def test_short_magic_words_are_words(tmp_path: Path) -> None:
    path = tmp_path / "x"
    for text in ("MZ is what I call it.", "BM, too.", "PARTY at 8", "ID3 tags?", "PAR1", "Say %PDF- to it."):
        path.write_text(text)
        assert detect(path, "x") is Format.TEXT


def test_the_declared_type_is_not_believed(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("question,answer\nq,a\n")
    assert pairs(read_file(path, "x.csv", "application/pdf")) == [("q", "a")]


@pytest.mark.parametrize(
    ("text", "name", "expected"),
    [
        ('{"a": 1}\n{"a": 2}\n', "x", Format.JSON_LINES),
        ('# a comment\n{"a": 1}\n{"a": 2}\n', "x.jsonl", Format.JSON_LINES),
        ('oops\n{"a": 1}\n{"a": 2}\n', "x.txt", Format.JSON_LINES),
        ('{"a": \n{"a": 1}\n{"b": \n{"b": \n{"c": \n', "x.jsonl", Format.JSON_LINES),
        ('{"data": [\n{"a": 1},\n{"a": 2}\n]}', "x", Format.JSON_DOCUMENT),
        ('{"a": 1}', "x.txt", Format.JSON_DOCUMENT),
        ('{\n "a": 1\n}\n', "x.jsonl", Format.JSON_DOCUMENT),
        ("[1, 2]", "x.json", Format.JSON_DOCUMENT),
        ("[{}]", "x.txt", Format.JSON_DOCUMENT),
        ("[1] A footnote.\n[2] Another.", "x.txt", Format.TEXT),
        ("{name} is our bot.", "x.txt", Format.TEXT),
        ("hello", "x.json", Format.JSON_DOCUMENT),
        ("hello", "x.jsonl", Format.JSON_LINES),
        ("question,answer\na,b", "x.txt", Format.TABLE),
        ("a,b\nc,d", "x.txt", Format.TEXT),
        ("a,b\nc,d", "x.CSV", Format.TABLE),
        ("hello", "x.csv", Format.TEXT),
        ("Q: a, b\nA: c, d", "x.csv", Format.TEXT),
        ("question,answer\na,b", "x.json", Format.TABLE),
        ("question", "x.tsv", Format.TABLE),
        ("text\nabc", "x.txt", Format.TEXT),
        ("a house", "csv", Format.TEXT),
    ],
)
def test_formats_of_texts(text: str, name: str, expected: Format) -> None:
    assert format_of_text(text, name) is expected


def test_what_claims_to_be_json_is_judged_as_json(tmp_path: Path) -> None:
    items = read(tmp_path, "hello\nworld\n", "x.jsonl")
    assert rejections(items) == [(1, RejectionReason.NOT_JSON, ""), (2, RejectionReason.NOT_JSON, "")]
