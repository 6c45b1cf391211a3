"""How much of one email's text is read, including its attached emails."""

from __future__ import annotations

from dataclasses import dataclass, field
from email.message import Message

from crm_contact_guard.channels.email.html_text import PICTURE, read_html
from crm_contact_guard.channels.email.mime_text import text_of

#: Number of characters of plain text that are read, and the same number from HTML: as much as a book of 150 pages.
MAX_TEXT = 300_000
#: Number of characters of HTML source that are read, not counting embedded pictures.
MAX_HTML = 2_000_000


@dataclass
class Reading:
    """What is left of the limits for one email.

    ``unread`` says what exceeds the limits and is therefore kept only in the original.
    """

    plain_left: int = MAX_TEXT
    shown_left: int = MAX_TEXT
    html_left: int = MAX_HTML
    unread: list[str] = field(default_factory=list)

    def plain(self, part: Message) -> str:
        """Return the text of a plain part."""
        text, whole = text_of(part, self.plain_left)
        self.plain_left -= len(text)
        self.note(not whole, "the text is too long")
        return text

    def html(self, part: Message) -> str:
        """Return the text of an HTML part as it is shown."""
        source, whole = text_of(part, self.html_left, without=PICTURE)
        self.html_left -= len(source)
        shown = read_html(source)
        self.note(not (whole and shown.whole), "the HTML is too long or nested too deep")
        text = shown.text[: self.shown_left]
        self.note(len(text) < len(shown.text), "the text is too long")
        self.shown_left -= len(text)
        return text

    def note(self, left_alone: bool, what: str) -> None:
        """Add ``what`` to ``unread`` if ``left_alone`` is true and it isn't listed already."""
        if left_alone and what not in self.unread:
            self.unread.append(what)
