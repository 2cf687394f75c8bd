"""Reads a report as a strict parser does: tags must nest; tables, headline numbers, scripts and addresses are collected."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any

VOID = {"meta", "link", "br", "img", "input", "hr", "base", "source", "embed", "area", "col", "wbr"}


class Report(HTMLParser):
    """A parsed page.

    Attributes:
        tables: figure's id -> rows of cells, the head's first.
        headlines: name -> text.
        scripts: (attributes, text) in order.
        tags: all that occur.
        attributes: (tag, name, value) of all.
    """

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tables: dict[str, list[list[str]]] = {}
        self.headlines: dict[str, str] = {}
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str, str]] = []
        self.texts: dict[str, str] = {}
        self._open: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)
        self.close()
        assert not self._open, f"never closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"<{tag}> has an attribute twice: {names}"
        self.tags.add(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag == "script":
            self.scripts.append((dict(attrs), ""))
        if tag == "tr":
            self.tables.setdefault(self._figure(), []).append([])
        if tag in ("td", "th"):
            self.tables[self._figure()][-1].append("")
        if tag not in VOID:
            self._open.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open, f"</{tag}> closes nothing"
        assert self._open[-1][0] == tag, f"</{tag}> closes <{self._open[-1][0]}>"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        if not self._open:
            return
        tag, attributes = self._open[-1]
        if tag == "script":
            self.scripts[-1] = (self.scripts[-1][0], self.scripts[-1][1] + data)
        elif tag in ("td", "th"):
            self.tables[self._figure()][-1][-1] += data
        elif tag == "dd" and attributes.get("class") == "number":
            self.headlines[str(self._open[-2][1]["data-headline"])] = data
        if self._figure():
            self.texts[self._figure()] = self.texts.get(self._figure(), "") + data

    def _figure(self) -> str:
        return next((str(attributes["id"]) for tag, attributes in self._open if tag == "figure"), "")

    @property
    def charts(self) -> dict[str, Any]:
        """The charts' specifications, as the page's script reads them."""
        (text,) = [text for attributes, text in self.scripts if attributes.get("id") == "charts"]
        charts: dict[str, Any] = json.loads(text)
        return charts

    def drawn(self, figure: str) -> list[dict[str, Any]]:
        """The rows that the figure's chart draws."""
        chart = self.charts[figure]
        values: list[dict[str, Any]] = chart["data"].get("values") or chart["datasets"][chart["data"]["name"]]
        return values

    def numbers(self, figure: str, keys: int = 1) -> dict[Any, Any]:
        """The figure's table as key -> cells that are numbers; one key cell alone is the key, several are a tuple."""
        found = {}
        for row in self.tables[figure][1:]:
            values = [int(cell.replace(",", "")) for cell in row[keys:] if cell.replace(",", "").isdigit()]
            key = row[0] if keys == 1 else tuple(row[:keys])
            assert key not in found, f"{figure} has {key} twice"
            found[key] = values[0] if len(values) == 1 else tuple(values)
        return found
