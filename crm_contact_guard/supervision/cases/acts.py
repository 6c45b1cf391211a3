"""The acts that a case is about, and what labour law forbids: punishing one twice, or by rules made later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import Q
from django.utils.translation import gettext as _

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage
from crm_contact_guard.record.models import Message
from crm_contact_guard.supervision.cases import rules
from crm_contact_guard.supervision.cases.models import Case, State
from crm_contact_guard.supervision.cases.outcomes import DISCIPLINE, offered, words
from crm_contact_guard.supervision.models import Alert

#: States in which an outcome has been decided.
_DECIDED: Final = (State.DECIDED, State.APPEALED, State.CLOSED)


@dataclass(frozen=True)
class Acts:
    """The messages that the alerts of a case rest on, and the times of all acts."""

    messages: frozenset[UUID]
    times: tuple[datetime, ...]


def of(case: Case) -> Acts:
    """Return the acts of a case."""
    found = {
        message.pk: message.occurred_at
        for message in Message.objects.filter(
            Q(findings__alert__cases__case=case)
            | Q(pk__in=case.evidence.filter(alert__isnull=False).values("alert__at_message"))
        )
    }
    times = [*found.values(), *([case.acted_at] if case.acted_at is not None else [])]
    return Acts(frozenset(found), tuple(sorted(times)))


def incidents(case: Case) -> list[str]:
    """Return the IDs of alerts that stand for different acts. Alerts about the same message are one act."""
    seen: set[UUID] = set()
    found = []
    for alert in Alert.objects.filter(cases__case=case).order_by("opened_at", "pk"):
        messages = {alert.at_message_id, *alert.findings.values_list("message", flat=True)}
        if not messages & seen:
            found.append(str(alert.pk))
        seen |= messages
    return found


def lock(concerned: UUID | None) -> None:
    """Lock the concerned employee's row, so that two cases about one act can't be opened or decided at the same time.

    Call this before the case is locked.
    """
    if concerned is not None:
        list(Employee.objects.select_for_update().filter(pk=concerned))


def lock_of(case_id: UUID) -> None:
    """Lock the row of the employee whom the case concerns. See ``lock``."""
    lock(Case.objects.values_list("concerned", flat=True).get(pk=case_id))


def check(case: Case, outcome: str) -> str:
    """Return the version of the work rules that an outcome rests on; empty if it needs none.

    Raise InvalidMessage (field ``outcome``) if the outcome isn't possible.
    """
    if outcome not in offered(case.sort):
        known = ", ".join(offered(case.sort))
        raise InvalidMessage(_("Choose an outcome: %(known)s.") % {"known": known}, field="outcome")
    if outcome not in DISCIPLINE:
        return ""
    if case.concerned_id is None:
        raise _refused(_("Nobody is named whom this outcome would concern."))
    if case.heard_at is None:
        raise _refused(_("The employee must be heard first, and the hearing recorded."))
    acts = of(case)
    if not acts.times:
        raise _refused(_("The case doesn't say what happened and when: add an alert, or the time of the act."))
    if _punished_before(case, acts):
        raise _refused(_("Something in this case has been punished before. Nothing may be punished twice."))
    return _rules(case, outcome, acts)


def _rules(case: Case, outcome: str, acts: Acts) -> str:
    version = ""
    for time in acts.times:
        known = rules.in_force(case.tenant, time)
        if known is None or outcome not in known.outcomes:
            raise _refused(
                _("The work rules in force when it happened don't provide for “%(outcome)s”.")
                % {"outcome": words(outcome)}
            )
        version = known.version
    return version


def _punished_before(case: Case, acts: Acts) -> bool:
    others = Case.objects.filter(concerned=case.concerned_id, outcome__in=DISCIPLINE, state__in=_DECIDED)
    for other in others.exclude(pk=case.pk):
        theirs = of(other)
        same_time = case.acted_at is not None and case.acted_at == other.acted_at
        if same_time or acts.messages & theirs.messages:
            return True
    return False


def _refused(why: str) -> InvalidMessage:
    return InvalidMessage(why, field="outcome")
