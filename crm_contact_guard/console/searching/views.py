"""Search for words in messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse

from crm_contact_guard import permissions
from crm_contact_guard.console.conversation.evidence import Piece, Span, pieces
from crm_contact_guard.console.page import Shown, page, show
from crm_contact_guard.console.searching.forms import SearchForm
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage
from crm_contact_guard.record.models import Message
from crm_contact_guard.search.finding import Found, message_search
from crm_contact_guard.search.folding import places
from crm_contact_guard.supervision.watching import pseudonyms

#: Characters of a text that a result shows, and those before its first match.
LENGTH = 240
BEFORE = 60


@dataclass(frozen=True)
class Hit:
    """One message found: the part of its text around the first match, and the names that the viewer may see."""

    message: Message
    subject: str
    pieces: Sequence[Piece]
    customer: str
    employee: str
    cut_before: bool
    cut_after: bool


@dataclass(frozen=True)
class SearchPage(Shown):
    template = "search/page.html"

    form: SearchForm
    #: None before the first search, and if a field has an error.
    found: Found | None
    hits: Sequence[Hit]
    #: The query string of this search without its page.
    query: str
    #: Whether this is the first page of results.
    first: bool
    may_export: bool
    #: Whether a filter is set besides the words.
    filtered: bool
    problem: str = ""


@page()
def search(request: HttpRequest, viewer: Employee) -> HttpResponse:
    """Show the form and, if it has words, the messages found."""
    form = SearchForm(viewer, request.GET, names_shown=not _hides_names(viewer))
    below = request.GET.get("below", "")
    found, problem = None, ""
    if form.is_valid() and form.cleaned_data["q"]:
        try:
            found = message_search(
                viewer=viewer,
                typed=form.cleaned_data["q"],
                lookups=form.lookups(),
                filters=form.texts(),
                below=int(below) if below.isascii() and below.isdigit() and len(below) < 19 else None,
            )
        except InvalidMessage as error:
            problem = str(error)
    given = {name: value for name in form.fields if (value := request.GET.get(name, ""))}
    shown = SearchPage(
        form=form,
        found=found,
        hits=[_hit(viewer, message, found.words) for message in found.messages] if found is not None else [],
        query=urlencode(given),
        first=not below,
        filtered=len(given) > ("q" in given),
        may_export=permissions.may_read_record(viewer),
        problem=problem,
    )
    return show(request, viewer, shown)


def _hides_names(viewer: Employee) -> bool:
    """Whether names of other people's conversations are hidden from the viewer, as in the queue."""
    return pseudonyms.are_used() and permissions.is_supervising(viewer)


def _hit(viewer: Employee, message: Message, words: Sequence[str]) -> Hit:
    talk = message.conversation
    veil = None
    if pseudonyms.are_used() and not permissions.is_party(viewer, talk):
        veil = pseudonyms.veil_of(talk)
    text, subject = message.text or "", message.subject or ""
    if veil is not None:
        text, subject = veil.text(text), veil.text(subject)
    found = places(text, words)
    start = max((found[0][0] if found else 0) - BEFORE, 0)
    part = text[start : start + LENGTH]
    spans = [Span(first - start, last - start, 1) for first, last in found]
    employee = veil.employee if veil is not None else talk.employee.name if talk.employee is not None else ""
    return Hit(
        message=message,
        subject=subject,
        pieces=pieces(part, spans),
        customer=veil.customer if veil is not None else talk.customer.name,
        employee=employee,
        cut_before=start > 0,
        cut_after=start + LENGTH < len(text),
    )
