"""The pages of a person's notices: the list, marking as read, and the settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import Promise

from crm_contact_guard.console.page import Frame, Shown, page, show
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage
from crm_contact_guard.notices import listing, outbox, preferences, testing
from crm_contact_guard.notices.listing import Listed
from crm_contact_guard.notices.models import EMAIL, Cadence, Notice
from crm_contact_guard.notices.preferences import Choice
from crm_contact_guard.notices.topics import Topic


@dataclass(frozen=True)
class NoticesPage(Shown):
    template = "notices/list.html"

    listed: Sequence[Listed]
    only_unread: bool
    unread: int


@dataclass(frozen=True)
class Unread(Shown):
    template = "notices/unread.html"

    unread: int


@dataclass(frozen=True)
class Field:
    """One topic in the settings, with the cadences that may be chosen. ``error``: why the input was refused."""

    topic: Topic
    choice: Choice
    cadences: Sequence[tuple[str, str | Promise]]
    error: str = ""


@dataclass(frozen=True)
class SettingsPage(Shown):
    """``tested``: the notice that the test button sent, with its state."""

    template = "notices/settings.html"

    fields: Sequence[Field]
    email: str
    saved: bool = False
    tested: Notice | None = None


@page()
def notices(request: HttpRequest, viewer: Employee) -> HttpResponse:
    """List the viewer's notices: the unread ones, or with ``?show=all`` all of them."""
    only_unread = request.GET.get("show") != "all"
    found = listing.listed(viewer, only_unread=only_unread)
    return show(request, viewer, NoticesPage(found, only_unread, listing.unread(viewer)))


@page()
def news(request: HttpRequest, viewer: Employee) -> HttpResponse:
    """Return the number of unread notices, or 204 if the number in the title is still ``v``."""
    frame = Frame(request, viewer)
    if request.GET.get("v") == str(frame.unseen):
        return HttpResponse(status=204)
    return show(request, viewer, Unread(frame.unread))


@page("POST")
def read(request: HttpRequest, viewer: Employee) -> HttpResponse:
    """Mark one notice, or all, as read. With ``open``, go on to the page that the notice is about."""
    given = request.POST.get("notice", "")
    key = int(given) if given.isdecimal() and len(given) < 19 else None
    line = None
    if key is not None:
        line = next((one.line for one in listing.listed(viewer, only_unread=False) if one.notice.pk == key), None)
    if key is not None or not given:
        listing.notices_read(actor=viewer, notice=key)
    if line is not None and request.POST.get("open"):
        return redirect(line.path)
    return redirect("crm_contact_guard:notices")


@page("GET", "HEAD", "POST")
def settings(request: HttpRequest, viewer: Employee) -> HttpResponse:
    """Show and store the viewer's choices. If one can't be stored, show the page again with the reason."""
    if request.method != "POST":
        tested = testing.last(viewer)
        return show(request, viewer, _settings(viewer, saved=request.GET.get("saved") == "1", tested=tested))
    fields, refused = [], False
    for topic, current in preferences.choices(viewer).items():
        chosen, error = _given(request, topic, current), ""
        try:
            if chosen != current:  # whoever keeps a default keeps following it
                preferences.preference_set(actor=viewer, topic=topic.name, chosen=chosen)
        except InvalidMessage as found:
            error, refused = str(found), True
        fields.append(_field(topic, chosen, error))
    if refused:
        return show(request, viewer, SettingsPage(fields=fields, email=viewer.email), status=422)
    return redirect(reverse("crm_contact_guard:notice_settings") + "?saved=1")


@page("POST")
def test(request: HttpRequest, viewer: Employee) -> HttpResponse:
    """Send the viewer a test notice by email now."""
    outbox.notice_send(testing.trial_send(actor=viewer, way=EMAIL).pk)
    return redirect("crm_contact_guard:notice_settings")


def _settings(viewer: Employee, *, saved: bool, tested: Notice | None) -> SettingsPage:
    fields = [_field(topic, chosen) for topic, chosen in preferences.choices(viewer).items()]
    return SettingsPage(fields=fields, email=viewer.email, saved=saved, tested=tested)


def _field(topic: Topic, choice: Choice, error: str = "") -> Field:
    offered = [(value, label) for value, label in Cadence.choices if value != Cadence.IN_APP or topic.may_be_off]
    return Field(topic, choice, offered, error)


def _given(request: HttpRequest, topic: Topic, current: Choice) -> Choice:
    def number(name: str, otherwise: int) -> int:
        text = request.POST.get(f"{topic.name}-{name}", "")
        return int(text) if text.isdecimal() and len(text) < 7 else otherwise if not text else 0

    return Choice(
        cadence=request.POST.get(f"{topic.name}-cadence", current.cadence),
        way=current.way,
        quiet=request.POST.get(f"{topic.name}-quiet") == "1",
        count=number("count", current.count),
        minutes=number("minutes", current.minutes),
    )
