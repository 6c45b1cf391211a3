"""Somebody before a browser: pages over HTTP with cookies, forms filled in and sent as the page has them."""

from __future__ import annotations

import http.cookiejar
import threading
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from html.parser import HTMLParser

#: Seconds that something may take to appear on a page; slow machines need them.
PATIENCE = 60


@dataclass
class Form:
    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    text: str = ""


class _Reader(HTMLParser):
    """Forms with the values that stand in them, and the text of the page."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.forms: list[Form] = []
        self.words: list[str] = []
        self._open: Form | None = None
        self._area = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = Form(values.get("action", ""), values.get("method", "get").lower())
            self.forms.append(self._open)
        elif self._open is not None and tag == "input" and values.get("name"):
            if values.get("type") not in ("checkbox", "radio", "submit") or "checked" in values:
                self._open.fields[values["name"]] = values.get("value", "")
        elif self._open is not None and tag == "button" and values.get("formaction"):
            self.forms.append(Form(values["formaction"], self._open.method, self._open.fields))
        elif self._open is not None and tag == "textarea" and values.get("name"):
            self._area = values["name"]
            self._open.fields[self._area] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "textarea":
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._open is not None:
            self._open.text += data
            if self._area:
                self._open.fields[self._area] += data
        self.words.append(data)


class Person:
    """Keeps cookies; ``page`` is what they see now, ``address`` where they are."""

    def __init__(self, base: str, language: str = "en") -> None:
        self.base = self.address = base
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        self.opener.addheaders = [("Accept-Language", language)]
        self.page = ""
        self.status = 0

    def get(self, path: str) -> str:
        return self._open(urllib.request.Request(urllib.parse.urljoin(self.base, path)))

    def submit(self, button: str, **values: str) -> str:
        """Fill in the form that holds ``button`` (a text, a field's name, or a part of its address) and send it."""
        reader = self._read()
        found = [form for form in reader.forms if button in form.text or button in form.action or button in form.fields]
        assert found, f"no form with {button!r} on {self.address}: {self.page[-3000:]}"
        form = found[0]
        fields = urllib.parse.urlencode({**form.fields, **values})
        target = urllib.parse.urljoin(self.address, form.action or self.address)
        if form.method == "get":
            return self._open(urllib.request.Request(f"{target.split('?')[0]}?{fields}"))
        return self._open(urllib.request.Request(target, fields.encode(), {"Referer": self.address}))

    @property
    def text(self) -> str:
        """The words on the page, without markup."""
        return " ".join(" ".join(self._read().words).split())

    def field(self, name: str) -> str:
        """The value that stands in the first field of this name, wherever on the page."""
        return next(form.fields[name] for form in self._read().forms if name in form.fields)

    def wait_for(self, path: str, text: str, seconds: float = PATIENCE) -> None:
        """Read the page again and again, as its own script does, until the text stands in it."""
        pause = threading.Event()
        for _ in range(int(seconds / 0.2)):
            if text in self.get(path):
                return
            pause.wait(0.2)
        raise AssertionError(f"{text!r} is not on {path} after {seconds} s: {self.text[:2000]}")

    def _open(self, request: urllib.request.Request) -> str:
        try:
            with self.opener.open(request, timeout=PATIENCE) as response:
                self.page, self.address, self.status = response.read().decode(), response.url, response.status
        except urllib.error.HTTPError as answer:
            with answer:
                self.page, self.address, self.status = answer.read().decode(), answer.url, answer.code
        return self.page

    def _read(self) -> _Reader:
        reader = _Reader()
        reader.feed(self.page)
        return reader
