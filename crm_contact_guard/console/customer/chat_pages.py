"""Data for the templates of the web chat."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from crm_contact_guard.console.conversation.line import Line
from crm_contact_guard.console.page import Shown
from crm_contact_guard.conversations.models import ChatLink
from crm_contact_guard.policy.closing.opening import Closed
from crm_contact_guard.record.models import Message


@dataclass(frozen=True)
class ChatTalk:
    """The part of a conversation that the customer sees. ``read``: the customer's newest message that has been read."""

    chat_link: ChatLink
    company: str
    #: Whether the company's name stands in place of the employees' names.
    hides_name: bool
    lines: Sequence[Line]
    version: str
    #: Whether an employee is typing.
    typing: bool
    read: Message | None


@dataclass(frozen=True)
class ChatComposer(Shown):
    """The customer's form, either empty or filled in with a message that couldn't be accepted."""

    template = "chat/composer.html"

    chat_link: ChatLink
    takes_files: bool
    #: Identifies the form, so that a form sent twice results in a single message.
    key: str
    form_token: str
    #: Whether the customer can mark a message as urgent.
    urgent: bool
    text: str = ""
    error: str = ""


@dataclass(frozen=True)
class ChatPage(Shown):
    template = "chat/page.html"

    talk: ChatTalk
    composer: ChatComposer
    #: The notice that the conversation is recorded, in the customer's language.
    notice: str
    #: The name of the employee who answers; empty if any member of the team may answer.
    answers: str
    #: Why nobody answers at the moment; None if somebody is at work.
    closed: Closed | None
    #: Codes and native names of the other languages of the page.
    languages: Sequence[tuple[str, str]]
    #: The masked email address that a copy of the talk could go to; "" if there is none.
    copy_to: str

    @property
    def company(self) -> str:
        return self.talk.company

    @property
    def person(self) -> str:
        """A key under which the browser stores drafts, separate from those of other people."""
        return f"chat-{self.talk.chat_link.pk}"


@dataclass(frozen=True)
class ChatNews(Shown):
    template = "chat/news.html"

    talk: ChatTalk


@dataclass(frozen=True)
class ChatEnded(Shown):
    """Shown when the customer has ended the talk. ``copied``: a copy goes to their email address."""

    template = "chat/ended.html"

    company: str
    copied: bool
    person: ClassVar[str] = "chat-"


@dataclass(frozen=True)
class ChatClosed(Shown):
    """Shown if the link is unknown, expired or revoked. The page doesn't say which, so guessing reveals nothing."""

    template = "chat/closed.html"

    company: str
    person: ClassVar[str] = "chat-"
