"""Plain text of an HTML mail, with the targets of its links."""

from __future__ import annotations

from html.parser import HTMLParser

_BLOCKS = frozenset(
    {"p", "div", "br", "li", "tr", "table", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "hr", "pre"}
)
_SILENT = frozenset({"script", "style", "head", "title"})


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0
        self._quotes = 0
        self._targets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent += 1
        if tag == "blockquote":
            self._quotes += 1
        if tag in _BLOCKS:
            self._break()
        if tag == "a":
            self._targets.append(dict(attrs).get("href") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT and self._silent:
            self._silent -= 1
        if tag == "blockquote" and self._quotes:
            self._quotes -= 1
        if tag in _BLOCKS:
            self._break()
        if tag == "a" and self._targets:
            target = self._targets.pop()
            if target.startswith(("http:", "https:", "mailto:", "tel:", "line:", "sms:", "tg:")):
                self.parts.append(f" <{target}>")

    def handle_data(self, data: str) -> None:
        if self._silent:
            return
        text = " ".join(data.split())
        if text:
            leading = " " if data[:1].isspace() and self.parts and not self.parts[-1].endswith(("\n", "> ")) else ""
            trailing = " " if data[-1:].isspace() else ""
            self.parts.append(leading + text + trailing)

    def _break(self) -> None:
        self.parts.append("\n" + "> " * min(self._quotes, 1))


def html_text(html: str) -> str:
    """Plain text of an HTML mail. Quotes are marked with ``>``, link targets are added. Never raises on broken HTML."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    lines = [line.rstrip() for line in "".join(reader.parts).split("\n")]
    lines = [line for index, line in enumerate(lines) if line.strip("> ") or (index and lines[index - 1].strip("> "))]
    return "\n".join(lines).strip()
