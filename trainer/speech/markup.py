"""Discord's Markdown as plain text that can be read out. Pure.

Marks are taken away; what cannot be heard (links, code blocks, custom emoji, mentions) is named or left out.

Source of the marks: https://support.discord.com/hc/articles/210298617 and Discord's reference of message formatting.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from markdown_it.token import Token

_CUSTOM_EMOJI: Final = re.compile(r"<a?:\w{2,32}:\d{1,20}>")
_MENTION: Final = re.compile(r"<(@[!&]?|#)\d{1,20}>")
_COMMAND: Final = re.compile(r"</([-\w ]{1,100}):\d{1,20}>")
_MOMENT: Final = re.compile(r"<t:(-?\d{1,11})(?::[tTdDfFR])?>")
_SPOILER: Final = re.compile(r"\|\|(.+?)\|\|", re.DOTALL)
_SMALL: Final = re.compile(r"^-# ", re.MULTILINE)
_UNDERLINED: Final = re.compile(r"__(\S(?:.{0,1000}?\S)?)__", re.DOTALL)
"""Bounded, as else a text full of openings takes the square of its length."""
_URL: Final = re.compile(r"<?\bhttps?://[^\s<>\"]+>?", re.IGNORECASE)
_URL_END: Final = ".,;:!?)]}»”’'"
_BREAK: Final = "\n"


class _Words(NamedTuple):
    link: str
    code: str
    table: str
    somebody: str
    channel: str


_WORDS: Final[Mapping[str, _Words]] = {
    "en": _Words(
        "a link to {host}", "there is code in the text", "there is a table in the text", "someone", "a channel"
    ),
    "ru": _Words("ссылка на {host}", "код — в тексте", "таблица — в тексте", "кто-то", "канал"),
}


def unmarked(text: str, language: str) -> str:
    """The text without its marks, a sentence or list entry to a line.

    Args:
        text: Discord's Markdown.
        language: `en` or `ru`: of the words that stand for what cannot be read out; others get English ones.
    """
    # Not on the acknowledging path, and only where something is spoken.
    import emoji  # noqa: PLC0415
    from markdown_it import MarkdownIt  # noqa: PLC0415

    words = _WORDS.get(language, _WORDS["en"])
    text = text.encode(errors="ignore").decode()  # half a surrogate pair is no letter
    text = _CUSTOM_EMOJI.sub(" ", text)
    text = _COMMAND.sub(r"\1", text)
    text = _MENTION.sub(lambda match: words.channel if match[1] == "#" else words.somebody, text)
    text = _MOMENT.sub(lambda match: _date(int(match[1])), text)
    text = _SMALL.sub("", text)
    text = _SPOILER.sub(r"\1", text)
    text = _UNDERLINED.sub(r"\1", text)
    markdown = MarkdownIt("commonmark", {"html": False}).enable(["strikethrough", "table"])
    lines = [line for line in _lines(markdown.parse(text), words) if line.strip()]
    plain = _BREAK.join(_without_urls(line, words) for line in lines)
    plain = emoji.replace_emoji(plain, " ")
    return _BREAK.join(" ".join(line.split()) for line in plain.split(_BREAK) if line.strip())


def _lines(tokens: list[Token], words: _Words) -> list[str]:
    """What each block says."""
    lines: list[str] = []
    table = False
    for token in tokens:
        match token.type:
            case "table_open":
                table = True
                lines.append(words.table)
            case "table_close":
                table = False
            case "fence" | "code_block":
                lines.append(words.code)
            case "inline" if not table:
                lines += _inline(token.children or []).split(_BREAK)
    return lines


def _inline(tokens: list[Token]) -> str:
    """What the pieces of a block say. A link's own text is read; one that is an address names its host."""
    said: list[str] = []
    for token in tokens:
        match token.type:
            case "text" | "code_inline":
                said.append(token.content)
            case "softbreak" | "hardbreak":
                said.append(_BREAK)
            case "image":
                said.append(token.content)
    return "".join(said)


def _without_urls(line: str, words: _Words) -> str:
    def named(match: re.Match[str]) -> str:
        address = match[0].strip("<>")
        tail = address[len(address.rstrip(_URL_END)) :]
        try:
            host = urlsplit(address.rstrip(_URL_END)).hostname or ""
        except ValueError:
            host = ""
        return words.link.format(host=host.removeprefix("www.")) + tail

    return _URL.sub(named, line)


def _date(seconds: int) -> str:
    """The day of a moment, as numbers: they are made words afterwards, like all others."""
    try:
        return datetime.fromtimestamp(seconds, UTC).date().isoformat()
    except (OverflowError, OSError, ValueError):
        return ""
