"""Actions on one alert. If one fails, the alert is shown again with what was typed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard import permissions
from crm_contact_guard.console.page import Shown, page, show
from crm_contact_guard.console.supervisor import alerts, queue, queue_page
from crm_contact_guard.console.supervisor.filtering import Filters
from crm_contact_guard.console.supervisor.undoing import Done
from crm_contact_guard.console.supervisor.versions import moment
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import AlreadyClaimed, AlreadyClosed, InvalidMessage, NotPermitted, NotPossible
from crm_contact_guard.supervision.handling import steps
from crm_contact_guard.supervision.handling.alike import alerts_close_alike
from crm_contact_guard.supervision.handling.bulk import Outcome
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.review import alert_claim, alert_close, alert_reopen, alert_undo
from crm_contact_guard.supervision.watching.pseudonyms import veil

#: Header of requests from the keys of an open queue, which is answered with what changes on it.
IN_QUEUE = "X-Contact-Guard-Queue"
#: If no more rows than this are left on an open queue, the answer contains the next ones.
FEW = 20
#: When a snooze chosen for a day ends, in the reviewer's time zone.
MORNING = time(8)


@dataclass(frozen=True)
class QueueDone(Shown):
    """What changes on an open queue when one of its alerts is handled."""

    template = "parts/queue_done.html"

    numbers: queue.Numbers
    filters: Filters
    done: Done | None


@page("POST")
def claim(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Claim the alert, which tells others that the viewer is reviewing it."""
    return _act(request, viewer, pk, alert_claim)


@page("POST")
def release(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Give up a claim."""
    return _act(request, viewer, pk, steps.alert_release)


@page("POST")
def assign(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Address the alert to the employee ``to``."""
    try:
        to = UUID(request.POST.get("to", ""))
    except ValueError:
        to = UUID(int=0)  # nobody, which the service refuses
    return _act(request, viewer, pk, steps.alert_assign, to=to, comment=request.POST.get("comment", ""))


@page("POST")
def escalate(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Address the alert to the deputy, or to compliance."""
    return _act(request, viewer, pk, steps.alert_escalate, comment=request.POST.get("comment", ""))


@page("POST")
def snooze(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Put the alert aside ``until`` it happens again (``again``), or for hours or days (``3h``, ``1d``)."""
    return _act(request, viewer, pk, steps.alert_snooze, until=_until(request.POST.get("until", "")))


@page("POST")
def defer(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Move the alert to the pool "for review"."""
    return _act(request, viewer, pk, steps.alert_defer)


@page("POST")
def wake(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Take the alert back into the day's work."""
    return _act(request, viewer, pk, steps.alert_wake)


@page("POST")
def close(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Close the alert with a resolution and a comment, and if ``alike`` is given, those with the same words."""
    given: dict[str, Any] = {name: request.POST.get(name, "") for name in ("resolution", "comment")}
    try:
        as_of = moment(int(request.POST.get("alike", "")))
    except (ValueError, OverflowError):
        return _act(request, viewer, pk, alert_close, **given)
    return _act(request, viewer, pk, alerts_close_alike, as_of=as_of, **given)


@page("POST")
def reopen(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Open a closed alert again, with a reason unless the second reader closed it."""
    return _act(request, viewer, pk, alert_reopen, reason=request.POST.get("reason", ""))


@page("POST")
def undo(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Take back the viewer's own close of the last minutes."""
    return _act(request, viewer, pk, alert_undo)


def _act(
    request: HttpRequest, viewer: Employee, pk: UUID, service: Callable[..., Alert | Outcome], **given: Any
) -> HttpResponse:
    row = alerts.find(viewer, pk)
    if not permissions.may_review(viewer, row):
        raise NotPermitted(_("Auditors read and export; they decide nothing."))
    in_queue = IN_QUEUE in request.headers
    try:
        done = service(alert_id=row.pk, reviewer=viewer, **given)
    except (AlreadyClaimed, AlreadyClosed, NotPossible, InvalidMessage) as error:
        status = 422 if isinstance(error, InvalidMessage) else 409
        if in_queue:
            return HttpResponse(_words(error), status=status, content_type="text/plain; charset=utf-8")
        # What was typed is shown again: to the close, the comment and the choice; to the rest, the comment.
        typed = {"resolution": given.get("resolution", ""), "comment": given.get("comment", given.get("reason", ""))}
        view = request.POST.get("view", "")
        shown = alerts.alert_page(viewer, alerts.find(viewer, pk), error=_words(error), view=view, **typed)
        return show(request, viewer, shown, status=status)
    closed = {"batch": done.batch} if isinstance(done, Outcome) else {"done": str(row.pk)}
    if in_queue:
        return _queue_after(request, viewer, pk, closed=service is alert_close)
    return _after(request, viewer, row, closed=closed if service in (alert_close, alerts_close_alike) else {})


def _queue_after(request: HttpRequest, viewer: Employee, pk: UUID, *, closed: bool) -> HttpResponse:
    """Return what changes on an open queue: the numbers, how to undo, and more rows when few are left."""
    shown_alert = alerts.find(viewer, pk)
    veil(viewer, [shown_alert])
    done = Done(count=1, alert=shown_alert) if closed else None
    left = request.POST.get("left", "")
    if left.isdecimal() and int(left) > FEW:
        filters, _ignored = Filters.read(QueryDict(request.POST.get("view", "")))
        return show(request, viewer, QueueDone(numbers=queue.numbers(viewer), filters=filters, done=done))
    shown = queue_page.queue_of(request, viewer, overview="overview" in request.POST, done=done)
    return show(request, viewer, queue_page.QueueNews(shown))


def _after(request: HttpRequest, viewer: Employee, row: Alert, *, closed: Mapping[str, str]) -> HttpResponse:
    """Continue with the next alert of the same view if the form asks for it; otherwise show the alert again.

    ``row`` is the alert before the step, which may have changed its place in the queue. ``closed``: the parameters that
    name what was closed.
    """
    view = request.POST.get("view", "")
    query = {"view": view} if view else {}
    target = row
    if "next" in request.POST:
        filters = Filters.read(QueryDict(view))[0]
        _before, after = queue.neighbours(viewer, row, filters)
        if after is None:
            address = "&".join(filter(None, [filters.address, urlencode(closed)]))
            return redirect(f"{reverse('crm_contact_guard:alerts')}?{address}")
        target, query = after, {**query, **closed}
    elif closed:
        query |= {"closed": "1", **({"batch": closed["batch"]} if "batch" in closed else {})}
    return redirect(reverse("crm_contact_guard:alert", args=[target.pk]) + (f"?{urlencode(query)}" if query else ""))


def _words(error: Exception) -> str:
    if isinstance(error, InvalidMessage) and error.field == "resolution":
        return _("Choose how this ends before closing it.")
    if isinstance(error, AlreadyClaimed) and error.at is not None:
        since = timezone.localtime(error.at)
        shown = since.strftime("%H:%M" if since.date() == timezone.localdate() else "%Y-%m-%d %H:%M")
        return _("%(name)s has been looking at this alert since %(since)s.") % {"name": error.by, "since": shown}
    return str(error)


def _until(choice: str) -> datetime | None:
    """Return when a snooze ends, or None for "again". Unusable choices give a past time, which the service refuses."""
    if choice == "again":
        return None
    now = timezone.localtime()
    number = int(choice[:-1]) if choice[:-1].isdecimal() and len(choice) < 4 else 0
    if choice.endswith("h"):
        return now + timedelta(hours=number)
    if not number:
        return now
    return datetime.combine(now.date() + timedelta(days=number), MORNING, tzinfo=now.tzinfo)
