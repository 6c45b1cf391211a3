"""The page of one alert."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.functional import Promise

from crm_contact_guard import permissions
from crm_contact_guard.console.conversation import thread
from crm_contact_guard.console.conversation.line import Erasing, Line
from crm_contact_guard.console.conversation.thread import Window
from crm_contact_guard.console.forms import EraseForm
from crm_contact_guard.console.own.remarks import Remark, remarks_of
from crm_contact_guard.console.page import Shown, page, show
from crm_contact_guard.console.supervisor import queue
from crm_contact_guard.console.supervisor.alert_history import Step, steps
from crm_contact_guard.console.supervisor.filtering import Filters
from crm_contact_guard.console.supervisor.undoing import Done, done_of
from crm_contact_guard.console.supervisor.veiling import veiled
from crm_contact_guard.console.supervisor.versions import micros
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.reading.models import ReaderAnswer
from crm_contact_guard.record.models import Conversation
from crm_contact_guard.supervision import routing
from crm_contact_guard.supervision.erase_message import erasable
from crm_contact_guard.supervision.handling.alike import alike
from crm_contact_guard.supervision.handling.moving import actor_of
from crm_contact_guard.supervision.handling.severity import REASONS
from crm_contact_guard.supervision.handling.transitions import allowed
from crm_contact_guard.supervision.models import Alert
from crm_contact_guard.supervision.review import may_undo
from crm_contact_guard.supervision.second_reading.second_reader import reading_of
from crm_contact_guard.supervision.titles import alert_title
from crm_contact_guard.supervision.watching.pseudonyms import Veil, veil
from crm_contact_guard.viewing.conversations import seen


@dataclass(frozen=True)
class AlertPage(Shown):
    """One alert. ``error``: why a decision failed; ``resolution`` and ``comment``: the input for that decision."""

    template = "alert.html"

    alert: Alert
    title: str
    window: Window
    #: Other conversations with evidence of the same story.
    elsewhere: Iterable[Conversation]
    #: Why the alert is as severe as it is.
    why: Sequence[str | Promise]
    steps: Sequence[Step]
    #: What the employee says about it.
    remarks: Sequence[Remark]
    #: Whether the viewer may decide on alerts at all.
    may_review: bool
    #: The actions that the viewer may take now (``handling.transitions``).
    actions: Sequence[str]
    #: Whom the alert can be assigned to.
    people: Sequence[Employee]
    #: Whether the viewer has claimed the alert.
    mine: bool
    resolutions: Sequence[tuple[str, str | Promise]]
    #: The previous and the next alert among those still to be handled.
    before: Alert | None
    after: Alert | None
    #: The query string of the queue that the viewer works on.
    view: str
    #: What the viewer closed just before, if it can be taken back.
    done: Done | None
    #: Other alerts with the same words that the viewer can close together with this one.
    alike: Sequence[Alert] = ()
    #: When the page was made, in microseconds: alerts that are newer aren't closed with it.
    as_of: int = 0
    #: Whether the viewer came to decide all of them.
    all: bool = False
    #: The second reader's answer.
    reading: ReaderAnswer | None = None
    #: Whether names are hidden until the viewer claims the alert.
    hidden: bool = False
    error: str = ""
    resolution: str = ""
    comment: str = ""


@page()
def alert(request: HttpRequest, viewer: Employee, pk: UUID) -> HttpResponse:
    """Show one alert: the messages around the evidence, the reasons, the history and the decision."""
    row = find(viewer, pk)
    seen(viewer, row.conversation, "alert", str(row.pk))
    return show(request, viewer, alert_page(viewer, row, view=request.GET.get("view", ""), given=request.GET))


def find(viewer: Employee, pk: UUID) -> Alert:
    """Return the alert. Raise Http404 if the viewer may not see it."""
    rows = permissions.alerts(viewer).select_related(
        "conversation__customer", "conversation__employee", "concerned", "team", "claimed_by", "closed_by", "at_message"
    )
    return get_object_or_404(rows, pk=pk)


def alert_page(
    viewer: Employee,
    row: Alert,
    *,
    error: str = "",
    resolution: str = "",
    comment: str = "",
    erase_form: EraseForm | None = None,
    erasing: UUID | None = None,
    view: str = "",
    given: Mapping[str, str] | None = None,
) -> AlertPage:
    """Return the page for an alert. ``erasing``: ID of the message that ``erase_form`` was filled in for.

    ``view``: the queue's query string, which determines the previous and the next alert. ``given``: the address's
    parameters.
    """
    hidden = veil(viewer, [row]).get(row.pk)
    findings = row.findings.select_related("message").order_by("message__occurred_at", "start")
    # An after-hours alert may have evidence in other conversations as well, which the page links to.
    here = [finding.message for finding in findings if finding.message.conversation_id == row.conversation_id]
    evidence = here or [row.at_message]
    others = {finding.message.conversation_id for finding in findings} - {row.conversation_id}
    evidence.sort(key=lambda message: (message.occurred_at, message.pk))
    filters, _ignored = Filters.read(QueryDict(view))
    before, after = queue.neighbours(viewer, row, filters)
    window = thread.around(row.conversation, findings, evidence, margin=4)
    if hidden is not None:
        window, others = veiled(window, hidden), set()
    may_review = permissions.may_review(viewer, row)
    steps_now = actions(viewer, row) if may_review else []
    same = alike(row, viewer) if "close" in steps_now else []
    veil(viewer, same)
    if permissions.may_erase(viewer, row):
        filled = {erasing: erase_form} if erasing is not None and erase_form is not None else {}
        window = replace(window, lines=_erasable(row, window.lines, filled))
    return AlertPage(
        alert=row,
        title=alert_title(row),
        window=window,
        elsewhere=permissions.conversations(viewer).filter(pk__in=others).select_related("customer") if others else [],
        why=[REASONS[reason] for reason in row.reasons or () if reason in REASONS],
        steps=steps(row, hidden),
        remarks=remarks_of(row, hidden),
        may_review=may_review,
        actions=steps_now,
        people=[one for one in routing.assignable(row) if one.pk != row.addressee_id] if may_review else [],
        mine=row.status == Alert.Status.CLAIMED and row.claimed_by_id == viewer.pk,
        resolutions=Alert.RESOLUTIONS,
        before=before,
        after=after,
        view=filters.query,
        done=done_of(viewer, given or {}),
        alike=same,
        as_of=micros(timezone.now()),
        all="alike" in (given or {}),
        reading=_reading(row, hidden),
        hidden=hidden is not None,
        error=error,
        resolution=resolution,
        comment=comment,
    )


def actions(viewer: Employee, row: Alert) -> list[str]:
    """Return the names of the actions that the viewer, who may review the alert, may take now."""
    names = [str(action) for action in allowed(row.status, actor_of(row, viewer))]
    return [
        name
        for name in names
        if (name != "undo" or may_undo(row, viewer)) and (name != "escalate" or routing.above(row) is not None)
    ]


def _reading(row: Alert, hidden: Veil | None) -> ReaderAnswer | None:
    found = reading_of(row)
    if found is not None and hidden is not None and found.why:
        found.why = hidden.text(found.why)
    return found


def _erasable(row: Alert, lines: Sequence[Line], filled: Mapping[UUID, EraseForm]) -> list[Line]:
    """Add an erasure form to the line of each message with sensitive data that the alert names.

    ``filled``: forms with input that was rejected, by message ID. All other forms are empty.
    """
    named = set(erasable(row).values_list("pk", flat=True))
    return [
        replace(
            line,
            erasing=Erasing(
                alert_id=row.pk,
                form=filled.get(line.message.pk) or EraseForm(),
                open=line.message.pk in filled,
            ),
        )
        if line.message.pk in named
        else line
        for line in lines
    ]
