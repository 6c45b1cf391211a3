"""Titles of alerts for the queue, pages and emails. A title says who did what and never contains message text."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_contact_guard.supervision.models import Alert, FindingKind, Side, Stance, Topic

_TITLES: dict[tuple[str, str], Any] = {
    (Side.EMPLOYEE, FindingKind.CONTACT_IDENTIFIER): gettext_lazy(
        "%(employee)s gave a private contact to %(customer)s"
    ),
    (Side.EMPLOYEE, FindingKind.CONTACT_REQUEST): gettext_lazy("%(employee)s invited %(customer)s to talk elsewhere"),
    (Side.EMPLOYEE, FindingKind.PRIVATE_MEETING): gettext_lazy("%(employee)s suggested meeting %(customer)s privately"),
    (Side.EMPLOYEE, FindingKind.SIDE_DEAL): gettext_lazy(
        "%(employee)s proposed a deal past the company to %(customer)s"
    ),
    (Side.CUSTOMER, FindingKind.CONTACT_IDENTIFIER): gettext_lazy("%(customer)s gave %(employee)s a private contact"),
    (Side.CUSTOMER, FindingKind.CONTACT_REQUEST): gettext_lazy("%(customer)s asks %(employee)s for private contact"),
    (Side.CUSTOMER, FindingKind.PRIVATE_MEETING): gettext_lazy("%(customer)s asks %(employee)s to meet privately"),
    (Side.CUSTOMER, FindingKind.SIDE_DEAL): gettext_lazy(
        "%(customer)s proposes a deal past the company to %(employee)s"
    ),
    (Side.CUSTOMER, FindingKind.REPEATED_CONTACT): gettext_lazy("%(customer)s keeps pressing %(employee)s"),
    (Side.CUSTOMER, FindingKind.HARASSMENT): gettext_lazy("%(customer)s is harassing %(employee)s"),
}


def alert_title(alert: Alert) -> str:
    """Return the title of an alert in the active language. Needs ``conversation.customer`` and ``concerned`` loaded."""
    names: dict[str, object] = {
        "employee": alert.concerned.name if alert.concerned is not None else _("the team"),
        "customer": alert.conversation.customer.name,
        "times": alert.times,
        "declined": alert.declined,
    }
    if alert.topic == Topic.AFTER_HOURS and alert.times > 1:
        return _("%(employee)s wrote %(times)d messages outside working hours, first to %(customer)s") % (names)
    if alert.topic == Topic.AFTER_HOURS:
        return _("%(employee)s wrote to %(customer)s outside working hours") % names
    if alert.topic == Topic.SENSITIVE_DATA:
        return _("Sensitive data in the conversation between %(employee)s and %(customer)s") % names
    if alert.topic == Topic.SCAN_FAILURE:
        return _("A message between %(employee)s and %(customer)s could not be inspected") % names
    if alert.stance == Stance.ACCEPT and alert.by == Side.EMPLOYEE:
        return _("%(employee)s agreed to talk elsewhere with %(customer)s") % names
    if alert.stance == Stance.ACCEPT:
        return _("%(customer)s agreed to talk elsewhere with %(employee)s") % names
    if alert.declined and alert.by == Side.CUSTOMER:
        return str(_declined(alert)) % (names)
    template = _TITLES.get(
        (alert.by, alert.kind), gettext_lazy("%(employee)s and %(customer)s are leaving the company's channels")
    )
    return str(template) % names


def _declined(alert: Alert) -> Any:
    """Return the title of a customer's request that the employee declined, which stands to the employee's credit."""
    each_time = alert.declined >= alert.times
    if alert.times == 1:
        return gettext_lazy("%(customer)s asked %(employee)s for private contact; %(employee)s declined")
    if alert.times == 2 and each_time:
        return gettext_lazy("%(customer)s asked %(employee)s twice for private contact; declined both times")
    if each_time:
        return gettext_lazy("%(customer)s asked %(employee)s %(times)d times for private contact; declined each time")
    return gettext_lazy(
        "%(customer)s asked %(employee)s %(times)d times for private contact; declined %(declined)d of them"
    )
