from __future__ import annotations

import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from interactions.attachments import (
    AllowedOrigins,
    Target,
    expires_at,
    safe_filename,
)

CDN = AllowedOrigins.parse("cdn.discordapp.com, media.discordapp.net")
SIGNED = "https://cdn.discordapp.com/attachments/1/2/faq.csv?ex=6553f100&is=6553e2f0&hm=abc&"


@pytest.mark.parametrize(
    "url",
    [
        SIGNED,
        "https://media.discordapp.net/a.png?width=1&height=2",
        "https://cdn.discordapp.com:443/a",
        "https://cdn.discordapp.com/a%20b.txt",
        "https://cdn.discordapp.com/отчёт.txt",
        "https://cdn.discordapp.com//a@b:c",
    ],
)
def test_allows(url: str) -> None:
    assert CDN.allows(url)


ELSEWHERE = """
    cdn.discordapp.com/a //cdn.discordapp.com/a http://cdn.discordapp.com/a HTTPS://cdn.discordapp.com/a
    https://CDN.discordapp.com/a ftp://cdn.discordapp.com/a https:/cdn.discordapp.com/a
    https:///cdn.discordapp.com/a https:cdn.discordapp.com/a https://cdn.discordapp.com
    https://cdn.discordapp.com?x=/ https://cdn.discordapp.com@evil.example/
    https://cdn.discordapp.com:443@evil.example/ https://user@cdn.discordapp.com/a
    https://user:pw@cdn.discordapp.com/a https://evil.example/@cdn.discordapp.com/a
    https://evil.example/?https://cdn.discordapp.com/a https://evil.example#cdn.discordapp.com/a
    https://cdn.discordapp.com/a#b https://cdn.discordapp.com./a https://cdn.discordapp.com.evil.example/a
    https://evilcdn.discordapp.com/a https://evil-cdn.discordapp.com.example/a https://discordapp.com/a
    https://cdn.discordapp.com:/a https://cdn.discordapp.com:0/a https://cdn.discordapp.com:0443/a
    https://cdn.discordapp.com:444/a https://cdn.discordapp.com:65979/a https://cdn.discordapp.com:４４３/a
    https://cdn%2ediscordapp.com/a https://cdn.discordapp.com%2f@evil.example/a
    https://cdn.discordapp.com%00.evil.example/a https://cdn.discordapp.com/%00
    https://cdn.discordapp.com/%0d%0aX-Evil:1 https://cdn.discordapp.com/%2F%5c https://cdn.discordapp.com/%zz
    https://cdn.discordapp.com/% https://cdn.dіscordapp.com/a https://cdn。discordapp。com/a
    https://cdn.discordapp.com／a https://ⓒdn.discordapp.com/a https://xn--cdn-0qa.discordapp.com/a
    https://127.0.0.1/a https://[::1]/a https://2130706433/a
"""
HIDDEN = (
    "",
    " https://cdn.discordapp.com/a",
    "https://cdn.discordapp.com/a\n",
    "https://evil.example\\cdn.discordapp.com/a",
    "https://cdn.discordapp.com\\.evil.example/a",
    "https://cdn.discordapp.com\\@evil.example/a",
    "https://cdn.discordapp.com/a\\b",
    "https://cdn.discordapp.com/a b",
    "https://cdn.discordapp.com/a\tb",
    "https://cdn.discordapp.com/a\r\nX-Evil: 1",
    "https://cdn.discordapp.com/a\u202eb",
    "https://cdn.discordapp.com/a\u200bb",
    "https://cdn.dis\u00adcordapp.com/a",
    f"https://cdn.discordapp.com/{'a' * 5000}",
)


@pytest.mark.parametrize("url", [*ELSEWHERE.split(), *HIDDEN])
def test_refuses(url: str) -> None:
    assert not CDN.allows(url)


def test_a_configured_origin_is_that_very_one() -> None:
    origins = AllowedOrigins.parse("http://127.0.0.1:9000,https://files.test,http://[::1]:9000/,CDN.example.com,")
    for url in (
        "http://127.0.0.1:9000/a",
        "https://files.test/a",
        "http://[::1]:9000/a",
        "https://cdn.example.com/a",
    ):
        assert origins.allows(url)
    for url in ("https://127.0.0.1:9000/a", "http://127.0.0.1/a", "http://127.0.0.1:90000/a", "http://files.test/a"):
        assert not origins.allows(url)
    assert origins.match("http://[::1]:9000/ä?b=c") == Target("http", "::1", 9000, "/%C3%A4?b=c", configured=True)
    assert not AllowedOrigins.parse(" , ").allows(SIGNED)


@pytest.mark.parametrize(
    "entry",
    ["localhost", "cdn", "*.discordapp.com", "127.0.0.1", "http://h/a", "http://u@h", "http://h:99999", "a b.c"],
)
def test_entries_that_are_neither_name_nor_origin(entry: str) -> None:
    with pytest.raises(ValueError, match="neither"):
        AllowedOrigins.parse(entry)


@given(st.text(max_size=30), st.text(max_size=30))
@example("", "@evil.example/")
def test_nothing_around_the_host_leads_elsewhere(before: str, after: str) -> None:
    target = CDN.match(f"https://{before}cdn.discordapp.com{after}")
    assert target is None or (target.scheme, target.host, target.port) == ("https", "cdn.discordapp.com", 443)
    assert target is None or (not before and target.path.isascii() and target.path.startswith("/"))


# --- small things -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (SIGNED, datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        ("https://cdn.discordapp.com/a", None),
        ("https://cdn.discordapp.com/a?ex=", None),
        ("https://cdn.discordapp.com/a?ex=0x10", None),
        ("https://cdn.discordapp.com/a?ex=1_0", None),
        ("https://cdn.discordapp.com/a?ex=1&ex=2", None),
        ("https://cdn.discordapp.com/a?ex=ffffffffff", None),
        ("https://[/a?ex=1", None),
    ],
)
def test_when_a_url_expires(url: str, expected: datetime | None) -> None:
    assert expires_at(url) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("faq.csv", "faq.csv"),
        ("отчёт за май.xlsx", "отчёт за май.xlsx"),
        ("e\u0301.txt", "é.txt"),
        ("../../etc/passwd", "_.._etc_passwd"),
        ("C:\\Windows\\a.txt", "C__Windows_a.txt"),
        ("invoice\u202egpj.exe", "invoicegpj.exe"),
        ("a\r\nb\x00.txt", "a b.txt"),
        ("`@everyone`.md", "_@everyone_.md"),
        ("", "file"),
        (" .. ", "file"),
        (".txt", "txt"),
        ("con.txt", "_con.txt"),
        ("con .txt", "_con.txt"),
        ("AUX", "_AUX"),
        ("a" * 300 + ".jsonl", "a" * 114 + ".jsonl"),
        ("я" * 300 + ".csv", "я" * 58 + ".csv"),
        ("What is this. Really", "What is this. Really"),
        ("a." + "b" * 300, "a." + "b" * 118),
    ],
)
def test_safe_filenames(name: str, expected: str) -> None:
    assert safe_filename(name) == expected


@given(st.text() | st.text(alphabet="./\\ aé\u0301\u202e\ud800\x00", max_size=300))
def test_a_safe_filename_is_safe_and_stays(name: str) -> None:
    safe = safe_filename(name)
    assert 0 < len(safe.encode()) <= 120
    assert not set(safe) & set('/\\:*?"<>|`\n\t')
    assert not any(unicodedata.category(char)[0] == "C" for char in safe)
    assert safe[0] not in ". "
    assert safe[-1] not in ". "
    assert safe_filename(safe) == safe
