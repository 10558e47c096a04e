"""Reads a page as a browser does, as far as the tests need it."""

from __future__ import annotations

import io
from html.parser import HTMLParser
from typing import TYPE_CHECKING

from trainer.evaluation.report.html import Order, write_html
from trainer.i18n import translator

if TYPE_CHECKING:
    from trainer.evaluation.report.view import ReportView

VOID = frozenset({"meta", "input", "img", "br", "rect"})


class Page(HTMLParser):
    """The elements of a page: their names and attributes, and the text of each."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.open: list[str] = []
        self.wrongly_nested: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrongly_nested.append(tag)

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((self.open[-1] if self.open else "", data))

    def named(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of all elements of a name."""
        return [attributes for name, attributes in self.elements if name == tag]

    def text_of(self, tag: str) -> list[str]:
        """What stands directly in elements of a name."""
        return [data for name, data in self.texts if name == tag]


def page_of(view: ReportView, locale: str = "en", order: Order = "worst") -> str:
    """The page as text."""
    stream = io.BytesIO()
    write_html(stream, view, translator(locale), order)
    return stream.getvalue().decode("utf-8")
