"""How much of one mail's text is read, its attached mails included."""

from __future__ import annotations

from dataclasses import dataclass, field
from email.message import Message

from crm_contact_guard.channels.email.html_text import PICTURE, read_html
from crm_contact_guard.channels.email.mime_text import text_of

#: Characters of plain text, and as many of the text of HTML: a book of 150 pages.
MAX_TEXT = 300_000
#: Characters of HTML source without the pictures within it.
MAX_HTML = 2_000_000


@dataclass
class Reading:
    """What is left of the limits on one mail. ``unread``: what lies beyond them; it is kept within the original."""

    plain_left: int = MAX_TEXT
    shown_left: int = MAX_TEXT
    html_left: int = MAX_HTML
    unread: list[str] = field(default_factory=list)

    def plain(self, part: Message) -> str:
        """The text of a plain part."""
        text, whole = text_of(part, self.plain_left)
        self.plain_left -= len(text)
        self.note(not whole, "the text is too long")
        return text

    def html(self, part: Message) -> str:
        """The text of an HTML part as it is shown."""
        source, whole = text_of(part, self.html_left, without=PICTURE)
        self.html_left -= len(source)
        shown = read_html(source)
        self.note(not (whole and shown.whole), "the HTML is too long or nested too deep")
        text = shown.text[: self.shown_left]
        self.note(len(text) < len(shown.text), "the text is too long")
        self.shown_left -= len(text)
        return text

    def note(self, left_alone: bool, what: str) -> None:
        """Note that something was not read."""
        if left_alone and what not in self.unread:
            self.unread.append(what)
