from __future__ import annotations

import logging
import subprocess
import sys
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from fpdf import FPDF

from tests.unit.importers.files import passages, places, read, rejections
from trainer.importers import FileRefusal, RefusalReason, RejectionReason, pdf

if TYPE_CHECKING:
    from pathlib import Path

EDGE = "A long line that fills the page to its edge"
LINE = "The cat sat on the mat and looked at the moon. "


def make(*pages: str, password: str | None = None, algorithm: str = "RC4") -> bytes:
    """A PDF of these texts; with an empty password only what its readers may do is limited."""
    document = FPDF()
    if password is not None:
        from fpdf.enums import EncryptionMethod

        document.set_encryption(
            owner_password="owner", user_password=password, encryption_method=EncryptionMethod[algorithm]
        )
    document.set_font("Helvetica", size=11)
    for page in pages:
        document.add_page()
        if page:
            document.multi_cell(0, text=page, new_x="LMARGIN", new_y="NEXT")
    return bytes(document.output())


def raw(content: bytes, *, filters: str = "", resources: str = "") -> bytes:
    """A PDF of one page that draws `content`."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R /Resources << /Font << /F1 << /Type"
        f" /Font /Subtype /Type1 /BaseFont /Helvetica >> >> {resources} >> >>".encode(),
        f"<< /Length {len(content)} {filters} >>\nstream\n".encode() + content + b"\nendstream",
    ]
    out = b"%PDF-1.7\n"
    places = []
    for number, text in enumerate(objects, start=1):
        places.append(len(out))
        out += f"{number} 0 obj\n".encode() + text + b"\nendobj\n"
    table = b"".join(f"{place:010} 00000 n \n".encode() for place in places)
    return (
        out + b"xref\n0 5\n0000000000 65535 f \n" + table
        + f"trailer << /Size 5 /Root 1 0 R >>\nstartxref\n{len(out)}\n%%EOF".encode()
    )  # fmt: skip


def refusal_of(folder: Path, content: bytes) -> RefusalReason:
    with pytest.raises(FileRefusal) as refusal:
        read(folder, content, "x.pdf")
    return refusal.value.reason


def test_pages_become_passages(tmp_path: Path) -> None:
    items = read(tmp_path, make("First page here.", LINE * 60, "Last."), "whatever.txt")
    assert passages(items)[0] == ("", "First page here.")
    assert passages(items)[-1] == ("", "Last.")
    assert [number for _, number in places(items)] == [1, *[2] * (len(items) - 2), 3]
    assert {unit for unit, _ in places(items)} == {"page"}
    middle = [text for _, text in passages(items)][1:-1]
    assert " ".join(middle) == (LINE * 60).strip()
    assert all(text.endswith("moon.") for text in middle)


def test_rubbish_before_the_beginning(tmp_path: Path) -> None:
    assert passages(read(tmp_path, b"\r\n<junk>\r\n" + make("Here."), "x")) == [("", "Here.")]


def test_pages_without_text_are_named(tmp_path: Path) -> None:
    items = read(tmp_path, make("", "Text.", ""), "x.pdf")
    assert passages(items) == [("", "Text.")]
    assert places(items) == [("page", 1), ("page", 2), ("page", 3)]
    assert rejections(items) == [
        (1, RejectionReason.NO_TEXT_ON_PAGE, ""),
        (3, RejectionReason.NO_TEXT_ON_PAGE, ""),
    ]


def test_pages_of_signs_alone_have_no_text(tmp_path: Path) -> None:
    assert refusal_of(tmp_path, make("- - -")) is RefusalReason.NO_TEXT


def test_no_page_has_text(tmp_path: Path) -> None:
    assert refusal_of(tmp_path, make("", "")) is RefusalReason.NO_TEXT


@pytest.mark.parametrize("algorithm", ["RC4", "AES_128", "AES_256"])
def test_encrypted(tmp_path: Path, algorithm: str) -> None:
    assert refusal_of(tmp_path, make("Secret.", password="x", algorithm=algorithm)) is RefusalReason.ENCRYPTED


@pytest.mark.parametrize("algorithm", ["RC4", "AES_128", "AES_256"])
def test_readable_by_everybody(tmp_path: Path, algorithm: str) -> None:
    items = read(tmp_path, make("Not secret.", password="", algorithm=algorithm), "x.pdf")
    assert passages(items) == [("", "Not secret.")]


def test_without_the_library_for_a_cipher(tmp_path: Path) -> None:
    path = tmp_path / "x.pdf"
    path.write_bytes(make("Not secret.", password="", algorithm="AES_256"))
    code = f"""
import sys
sys.modules.update({{"cryptography": None, "Crypto": None}})
from pathlib import Path
from trainer.importers import FileRefusal, read_file
try:
    list(read_file(Path({str(path)!r}), "x.pdf"))
except FileRefusal as refusal:
    print(refusal.reason)
"""
    found = subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, capture_output=True, text=True)
    assert (found.stdout, found.stderr) == ("encrypted\n", "")


def test_damaged(tmp_path: Path) -> None:
    good = make(*[LINE * 20] * 3)
    for content in (
        b"%PDF-1.7\n",
        b"%PDF-1.7\n" + b"garbage " * 1_000,
        b"%PDF-" + bytes(range(256)) * 50,
        good[:200],
    ):
        assert refusal_of(tmp_path, content) is RefusalReason.DAMAGED


def test_a_cut_file_is_read_as_far_as_it_goes_or_refused(tmp_path: Path) -> None:
    good = make("First.", "Second.", "Third.")
    for end in range(10, len(good), 97):
        with suppress(FileRefusal):
            items = read(tmp_path, good[:end], "x.pdf")
            assert set(passages(items)) <= {("", "First."), ("", "Second."), ("", "Third.")}


def test_oddities_leak_nowhere(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    content = raw(b"BT /F1 12 Tf 10 700 Td (Hello there) Tj ET").replace(b"0000000009", b"0000000777")
    assert passages(read(tmp_path, content, "x.pdf")) == [("", "Hello there")]
    assert not caplog.records
    assert capfd.readouterr() == ("", "")


def test_a_decompression_bomb_costs_its_page_only(tmp_path: Path) -> None:
    bomb = zlib.compress(b"BT (x) Tj ET " * 4_000_000, 9)
    items = read(tmp_path, raw(bomb, filters="/Filter /FlateDecode"), "x.pdf")
    assert rejections(items) == [(1, RejectionReason.UNREADABLE_PAGE, "")]


def test_too_many_operations(tmp_path: Path) -> None:
    items = read(tmp_path, raw(b"q Q " * 400_000 + b"BT /F1 12 Tf (x) Tj ET"), "x.pdf")
    assert rejections(items) == [(1, RejectionReason.UNREADABLE_PAGE, "")]


def test_too_much_text_on_a_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "MAX_PAGE_CHARACTERS", 50)
    items = read(tmp_path, make("Short.", LINE * 2), "x.pdf")
    assert rejections(items) == [(2, RejectionReason.TOO_LONG, "")]


def test_too_many_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "MAX_PAGES", 2)
    items = read(tmp_path, make("One.", "Two.", "Three."), "x.pdf")
    assert passages(items) == [("", "One."), ("", "Two.")]
    assert rejections(items) == [(3, RejectionReason.TOO_MANY, "")]


def test_the_time_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(1_000_000))
    monkeypatch.setattr(pdf, "MAX_SECONDS", 20)
    monkeypatch.setattr("trainer.importers.pdf.monotonic", lambda: float(next(clock)))
    items = read(tmp_path, make("One.", LINE * 30, "Three."), "x.pdf")
    assert passages(items) == [("", "One.")]
    assert rejections(items) == [(2, RejectionReason.TOO_SLOW, "")]


@pytest.mark.parametrize(
    ("drawn", "expected"),
    [
        ("A line that goes on\nto the next one.", "A line that goes on to the next one."),
        ("A word is hy-\nphenated here.", "A word is hyphenated here."),
        ("Мы пере-\nносим слова.", "Мы переносим слова."),
        ("Known as T-\nShirt.", "Known as T- Shirt."),
        (f"{EDGE}.\nAnother one.", f"{EDGE}. Another one."),
        (f"{EDGE} and\nends.\nNext paragraph.", f"{EDGE} and ends.\nNext paragraph."),
        ("Buy:\n- milk\n- bread from\nthe shop\n1. eggs", "Buy:\n- milk\n- bread from the shop\n1. eggs"),
        ("One.\n\n\nTwo.", "One.\n\n\n\n\nTwo."),
        ("", ""),
    ],
)  # fmt: skip
def test_lines_are_put_together_to_paragraphs(drawn: str, expected: str) -> None:
    assert pdf.unwrap(drawn) == expected
