"""The menu: the pages that a person may use, those of every day first and the others under "More"."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crm_contact_guard import permissions
from crm_contact_guard.directory.models import Employee, Role

#: Entries for which a phone has room. The menu shows the others under "More" there.
ON_PHONE: Final = 4
#: The menu entry that a page belongs to, by the names of their URLs, where they differ.
OWNERS: Final = {
    "alert": "alerts",
    "hold_approve": "holds",
    "hold_return": "holds",
    "hold_reject": "holds",
    "case": "cases",
    "case_step": "cases",
    "case_letter": "cases",
    "alert_message_erase": "alerts",
    "inbox_conversation": "inbox",
    "own_flag": "own_record",
    "consultation": "consultations",
    "consultation_new": "consultations",
    "consultation_reply": "consultations",
    "consultation_close": "consultations",
    "consultation_handover": "consultations",
    "consultation_restrict": "consultations",
    "consultation_lift": "consultations",
    "consultation_outside": "consultations",
    "quality_sample": "quality",
    "quality_second": "quality",
    "quality_sample_read": "quality",
    "quality_second_give": "quality",
    "quality_rule": "quality",
    "policy_version": "policy",
    "policy_approve": "policy",
    "policy_withdraw": "policy",
    "policy_try": "policy",
    "policy_trial": "policy",
    "absences": "hours",
    "absence_enter": "hours",
    "hours_employee": "hours",
    "hours_enter": "hours",
    "hours_remove": "hours",
    "hours_company": "hours",
    "hours_company_enter": "hours",
    "hours_company_remove": "hours",
    "rules_version": "rules",
    "rules_signatures": "rules",
    "rules_publish": "rules",
    "unusual_readings": "access_log",
    "unusual_reading": "access_log",
    "export": "exports",
    "export_approve": "exports",
    "export_refuse": "exports",
    "export_cancel": "exports",
    "customer_data": "data_requests",
    "customer_data_erase": "data_requests",
    "customer_data_hold_place": "data_requests",
    "customer_data_hold_release": "data_requests",
}


@dataclass(frozen=True)
class Entry:
    name: str
    label: str | Promise
    icon: str
    #: The keys that open the page.
    key: str

    @property
    def url(self) -> str:
        return reverse(f"crm_contact_guard:{self.name}")


@dataclass(frozen=True)
class Menu:
    daily: Sequence[Entry]
    more: Sequence[Entry]

    @property
    def narrow(self) -> Sequence[Entry]:
        """The daily entries that stand under "More" on a phone."""
        return self.daily[ON_PHONE:]


def menu_of(viewer: Employee | None, *, rules: bool) -> Menu:
    """Return the viewer's menu. ``rules``: whether there are published rules that the viewer may open."""
    if viewer is None:
        return Menu([], [])
    works = viewer.role != Role.AUDITOR
    supervises = permissions.is_supervising(viewer)
    looks_at_subjects = permissions.may_look_at_subjects(viewer)
    daily = [
        (supervises, Entry("dashboard", _("Overview"), "layout-dashboard", "g d")),
        (supervises, Entry("alerts", _("Alerts"), "bell", "g a")),
        (works, Entry("inbox", _("Inbox"), "inbox", "g i")),
        (works and (supervises or permissions.cases(viewer).exists()), Entry("cases", _("Cases"), "briefcase", "g k")),
        (works, Entry("consultations", _("Consultations"), "life-buoy", "g c")),
        (works and not supervises, Entry("own_record", _("About me"), "user-check", "g m")),
    ]
    more = [
        (True, Entry("search", _("Search"), "search", "g /")),
        (supervises, Entry("holds", _("Held messages"), "hand", "g h")),
        (supervises, Entry("figures", _("Figures"), "chart-column", "g f")),
        (supervises, Entry("quality", _("Quality of review"), "shield-check", "g q")),
        (True, Entry("hours", _("Working time"), "calendar", "g w")),
        (works and supervises, Entry("own_record", _("About me"), "user-check", "g m")),
        (rules, Entry("rules", _("Work rules"), "file-text", "g r")),
        (looks_at_subjects, Entry("policy", _("Rules before sending"), "list-checks", "g p")),
        (looks_at_subjects, Entry("access_log", _("Access log"), "eye", "g l")),
        (looks_at_subjects, Entry("exports", _("Exports"), "download", "g e")),
        (looks_at_subjects, Entry("data_requests", _("Data requests"), "scale", "g s")),
    ]
    return Menu([entry for offered, entry in daily if offered], [entry for offered, entry in more if offered])
