"""The world around an installation: carriers, customers and employees who do not mind that its processes die.

Whoever calls us keeps calling as long as such a caller does in life, and writes down what we have accepted.
"""

from __future__ import annotations

import http.client
import json
import random
import re
import smtplib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from itertools import count
from typing import Any, ClassVar
from urllib.parse import urlencode

from tests.services.kills.carriers import PATIENCE, Carrier, Phone, Taken, Web
from tests.services.kills.strikes import Strike

#: What a broken connection looks like from the other end.
BROKEN = (OSError, http.client.HTTPException, smtplib.SMTPException)
_FORM_TOKEN = re.compile(r'name="form_token" value="([^"]+)"')
_numbers = count(1)
#: What a customer says who wants to leave the company's channels.
ATTEMPT = "my ID is guest_"


@dataclass(frozen=True)
class Written:
    """Something a customer wrote, or a carrier told; ``accepted`` once we have answered well."""

    channel: str
    text: str
    event_id: str


@dataclass
class Book:
    """What people and carriers remember. Appending to lists and sets needs no lock."""

    #: Accepted by us.
    heard: set[Written] = field(default_factory=set)
    #: Said by somebody, accepted or not.
    said: set[Written] = field(default_factory=set)
    unknown: set[Written] = field(default_factory=set)
    #: Employees' texts and the message ids we have answered with, channel first.
    sent: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    #: Words on our messages that we have accepted: (alias, our id or else the carrier's) → "delivered", "read".
    words: set[tuple[str, Taken, str]] = field(default_factory=set)
    called: set[str] = field(default_factory=set)
    asked: int = 0


class World:
    """``seed`` decides what is tried; how far a victim has got when it is struck, chance does as well."""

    #: What is waited for, who is struck then ("any": one of all), and how long at most it goes on before (seconds).
    #: What is hardest to get right, a death between the carrier's taking and its answer, comes oftener.
    POINTS: ClassVar[tuple[tuple[str, str, float], ...]] = (
        ("called", "worker", 0.0),
        *[("accepted", "worker", 0.0)] * 2,
        ("sent", "web", 0.1),
        ("mailed", "mail", 0.05),
        ("sent", "any", 1.0),
    )
    #: Deaths in a round, and how many of them take a program's processes all at once.
    DEATHS: ClassVar[int] = 1
    WHOLE: ClassVar[float] = 0.5

    def __init__(
        self, seed: int, web: Web, mail_port: int, carriers: dict[str, Carrier], people: dict[str, Any]
    ) -> None:
        self.dice = random.Random(seed)
        self.web = web
        self.mail_port = mail_port
        self.carriers = carriers
        self.people = people
        self.book = Book()
        #: Those of the present round.
        self.strikes: list[Strike] = []
        #: Messages that the present round gives to carriers.
        self.handed_over = 0
        self._pause = threading.Event()

    def reach(self, point: str) -> None:
        for strike in self.strikes:
            strike.reach(point)

    def insist(self, try_once: Callable[[], bool]) -> bool:
        """Again and again, until it has worked."""
        for _ in range(PATIENCE * 60):
            try:
                if try_once():
                    return True
            except BROKEN:
                pass
            self._pause.wait(0.05)
        raise AssertionError(f"{try_once} was never accepted")

    # --- what happens in one round
    def round(self) -> list[Callable[[], object]]:
        """Things that are done at the same time, in no order."""
        dice = self.dice
        texting = [alias for alias, carrier in self.carriers.items() if not isinstance(carrier, Phone)]
        over = dice.choices([*texting, "email"], k=dice.randint(2, 5))
        self.handed_over = len(over)
        todo: list[Callable[[], object]] = [self._employee_writes(alias, self.people["talk"]) for alias in over]
        for alias in dice.choices([*self.carriers, "email"], k=dice.randint(2, 5)):
            todo += self._customer_writes(alias)
        for alias in dice.sample(texting, k=3):
            todo += self._carrier_tells(self.carriers[alias])
        if dice.random() < 0.5:
            todo += self._something_new(self.carriers[dice.choice(texting)])
        if dice.random() < 0.6:
            todo += self._chat(dice.choice(self.people["chats"]))
        if dice.random() < 0.3:
            todo.append(self._employee_calls())
        dice.shuffle(todo)
        return todo

    # --- employees
    def _employee_writes(self, alias: str, conversation: str) -> Callable[[], object]:
        number = next(_numbers)
        text, key = f"Your room {number} is ready.", f"key-{number}"
        ids = self.book.sent.setdefault((alias, text), set())

        def write() -> bool:
            answer = self._api(f"conversations/{conversation}/messages/", {"text": text, "channel": alias}, key)
            assert answer.status_code not in (400, 403, 404, 409, 422), answer.body
            if answer.status_code not in (200, 201):
                return False
            ids.add(json.loads(answer.body)["message"]["id"])
            return True

        return lambda: self.insist(write)

    def _employee_calls(self) -> Callable[[], object]:
        self.book.asked += 1
        key = f"call-{next(_numbers)}"

        def call() -> bool:
            answer = self._api(f"conversations/{self.people['talk']}/call/", {"channel": "phone"}, key)
            assert answer.status_code < 400 or answer.status_code >= 500, answer.body
            return answer.status_code == 202

        return lambda: self.insist(call)

    def _api(self, path: str, order: dict[str, Any] | None, key: str = "", *, by: str = "") -> Any:
        """POST the order, or GET without one; by the clerk, or by whoever has the token ``by``."""
        headers = {"Authorization": f"Bearer {by or self.people['token']}", "Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        if order is None:
            return self.web.ask("GET", f"/guard/api/v1/{path}", headers=headers)
        return self.web.ask("POST", f"/guard/api/v1/{path}", json.dumps(order).encode(), headers)

    # --- customers
    def _customer_writes(self, alias: str) -> list[Callable[[], object]]:
        """Once at the carrier; who calls us with it more than once, and at the same time, is the carrier."""
        number = next(_numbers)
        attempt = f" Add me on LINE, {ATTEMPT}{number}." if number % 4 == 0 else ""
        one = Written(alias, f"inbound {number}.{attempt}", f"e{number}")
        self.book.said.add(one)
        times = self.dice.choice([1, 1, 2, 3])
        if alias == "email":
            return [lambda: self.insist(lambda: self._mail(one)) for _ in range(times)]
        carrier = self.carriers[alias]
        if hasattr(carrier, "list_inbound") and not isinstance(carrier, Phone):
            carrier.list_inbound(one.event_id, one.text)
        payload = carrier.payload(event_id=one.event_id, text=one.text)
        return [lambda: self._call(carrier, lambda: self._heard(one, carrier.speak(payload))) for _ in range(times)]

    def _call(self, carrier: Carrier, once: Callable[[], bool]) -> object:
        if carrier.repeats:
            return self.insist(once)
        try:
            return once()
        except BROKEN:
            return False

    def _heard(self, one: Written, accepted: bool) -> bool:
        if accepted:
            self.book.heard.add(one)
        return accepted

    def _something_new(self, carrier: Carrier) -> list[Callable[[], object]]:
        number = next(_numbers)
        one = Written(carrier.alias, "", f"u{number}")
        payload = carrier.unknown(event_id=one.event_id)
        if payload is None:
            return []

        def tell() -> bool:
            if carrier.speak(payload):
                self.book.unknown.add(one)
                return True
            return False

        return [lambda: self._call(carrier, tell)] * self.dice.randint(1, 2)

    def _carrier_tells(self, carrier: Carrier) -> list[Callable[[], object]]:
        """That a message was delivered, or read, or both in any order, twice."""
        known = carrier.taken()
        todo: list[Callable[[], object]] = []
        for taken in self.dice.sample(known, k=min(2, len(known))):
            for kind in self.dice.choice(
                [("delivered",), ("read",), ("read", "delivered"), ("delivered", "delivered")]
            ):
                payload = carrier.word(f"s{next(_numbers)}", taken, read=kind == "read")
                if payload is not None:
                    todo.append(self._telling(carrier, taken, kind, payload))
        return todo

    def _telling(self, carrier: Carrier, taken: Taken, kind: str, payload: Any) -> Callable[[], object]:
        def tell() -> bool:
            if carrier.speak(payload):
                self.book.words.add((carrier.alias, taken, kind))
                return True
            return False

        return lambda: self._call(carrier, tell)

    def _mail(self, one: Written, sender: str = "hanako@mail.example", token: str = "") -> bool:
        mail = EmailMessage()
        mail["From"], mail["To"] = sender, "reply@kaede.example"
        mail["Subject"], mail["Message-ID"] = "Hello", f"<{one.event_id}@mail.example>"
        mail.set_content(one.text)
        with smtplib.SMTP("127.0.0.1", self.mail_port, timeout=PATIENCE) as smtp:
            smtp.ehlo("mx.mail.example")
            smtp.mail(sender)
            smtp.rcpt(f"reply+{token or self.people['reply_token']}@kaede.example")
            code, _words = smtp.docmd("DATA")
            if code != 354:
                return False
            smtp.send(mail.as_bytes().replace(b"\n", b"\r\n") + b".\r\n")
            self.reach("mailed")
            code, _words = smtp.getreply()
        return self._heard(one, code == 250)

    # --- the web chat
    def _chat(self, chat: dict[str, str]) -> list[Callable[[], object]]:
        number = next(_numbers)
        one = Written("chat", f"inbound {number}.", f"e{number}")
        self.book.said.add(one)
        return [
            self._employee_writes("chat", chat["id"]),
            lambda: self.insist(lambda: self._chatted(chat, one)),
            lambda: self.insist(lambda: self._chatted(chat, one)),
        ]

    def _chatted(self, chat: dict[str, str], one: Written) -> bool:
        """The page is opened, and its form sent. A browser that got no answer sends the same form again."""
        page = self.open_chat(chat)
        found = _FORM_TOKEN.search(page)
        if found is None:
            return False
        form = urlencode({"text": one.text, "key": one.event_id, "form_token": found[1]}).encode()
        headers = {"Cookie": f"contact_guard_chat={chat['token']}", "Content-Type": "application/x-www-form-urlencoded"}
        return self._heard(one, self.web.ask("POST", "/guard/chat/", form, headers).status_code == 302)

    def open_chat(self, chat: dict[str, str]) -> str:
        answer = self.web.ask("GET", "/guard/chat/", headers={"Cookie": f"contact_guard_chat={chat['token']}"})
        return answer.body.decode() if answer.status_code == 200 else ""
