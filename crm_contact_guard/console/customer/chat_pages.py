"""What the pages of the web chat show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from crm_contact_guard.console.conversation.thread import Line
from crm_contact_guard.console.page import Shown
from crm_contact_guard.conversations.models import ChatLink
from crm_contact_guard.record.models import Message


@dataclass(frozen=True)
class ChatTalk:
    """What of the talk the customer sees. ``read``: the newest of the customer's messages that has been read."""

    chat_link: ChatLink
    company: str
    lines: Sequence[Line]
    version: str
    #: Somebody of the company is writing.
    typing: bool
    read: Message | None


@dataclass(frozen=True)
class ChatComposer(Shown):
    """The customer's form, empty or with what could not be taken."""

    template = "chat/composer.html"

    chat_link: ChatLink
    takes_files: bool
    #: Belongs to one form on one page: sent twice, it is one message.
    key: str
    form_token: str
    text: str = ""
    error: str = ""


@dataclass(frozen=True)
class ChatPage(Shown):
    template = "chat/page.html"

    talk: ChatTalk
    composer: ChatComposer
    #: That the talk is recorded, in the customer's language.
    notice: str
    #: Who answers; empty: whoever of the team comes first.
    answers: str
    #: Outside the working hours of who answers.
    away: bool

    @property
    def company(self) -> str:
        return self.talk.company

    @property
    def person(self) -> str:
        """Whose drafts the browser keeps apart."""
        return f"chat-{self.talk.chat_link.pk}"


@dataclass(frozen=True)
class ChatNews(Shown):
    template = "chat/news.html"

    talk: ChatTalk


@dataclass(frozen=True)
class ChatClosed(Shown):
    """The link is unknown, expired or revoked; which, is not told, so that guessing teaches nothing."""

    template = "chat/closed.html"

    company: str
    person: ClassVar[str] = "chat-"
