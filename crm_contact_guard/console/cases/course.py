"""The course of a case as text: its recorded steps and what was written, oldest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.supervision.cases.showing import View

_WORDS: Final[dict[str, tuple[Any, str]]] = {
    "case.opened": (_("Opened the case"), "briefcase"),
    "case.join": (_("Joined the case"), "user"),
    "case.evidence_add": (_("Added evidence"), "paperclip"),
    "case.investigate": (_("Began to look into it"), "search"),
    "case.tell": (_("Told the employee what is alleged"), "mail"),
    "case.hear": (_("Heard the employee"), "users"),
    "case.propose": (_("Proposed an outcome"), "scale"),
    "case.approve": (_("Approved the outcome"), "user-check"),
    "case.send_back": (_("Withdrew the proposal"), "corner-up-left"),
    "case.decide": (_("Decided"), "circle-check"),
    "case.appeal": (_("Objected"), "hand"),
    "case.uphold": (_("Answered: the outcome stays"), "message-circle"),
    "case.revise": (_("Answered: the outcome changes"), "message-circle"),
    "case.close": (_("Closed the case"), "lock"),
    "case.drop": (_("Ended the case without action"), "lock"),
}
_ICONS: Final = {"note": "sticky-note", "interview": "users", "hearing": "users"}


@dataclass(frozen=True)
class Mark:
    """One point in the course. ``text``: what was written."""

    at: datetime
    words: str
    who: str
    icon: str
    text: str = ""


def course(view: View) -> list[Mark]:
    """Return the steps and entries that the viewer may know."""
    history = view.history()
    people = dict(Employee.objects.filter(pk__in={one.actor for one in history if one.actor}).values_list("pk", "name"))
    names = {str(key): name for key, name in people.items()}
    marks = [
        Mark(one.recorded_at, str(_WORDS[one.kind][0]), names.get(one.actor, ""), _WORDS[one.kind][1], one.reason or "")
        for one in history
        if one.kind in _WORDS
    ]
    for entry in view.entries():
        icon = _ICONS.get(entry.kind, "message-circle")
        marks.append(Mark(entry.created_at, entry.get_kind_display(), entry.author.name, icon, entry.text))
    return sorted(marks, key=lambda mark: mark.at)
