"""The notice of rules that a person hasn't signed yet. Each reminder is a notice of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.notices import topics
from crm_contact_guard.notices.models import Cadence
from crm_contact_guard.notices.telling import tell
from crm_contact_guard.notices.topics import Line
from crm_contact_guard.policy.known_rules.models import Acknowledgement
from crm_contact_guard.policy.known_rules.publishing import applying
from crm_contact_guard.policy.known_rules.showing import title_of

RULES: Final = "rules_unsigned"


def unsigned_tell(found: Acknowledgement) -> None:
    """Tell the person that the rules wait for a signature. Call it in the transaction of the reminder."""
    subject = ("acknowledgement", f"{found.pk}.{found.reminders}")
    tell(topic=RULES, subject=subject, people=[found.employee])


def _lines(person: Employee | None, ids: Sequence[str]) -> Mapping[str, Line]:
    if person is None:
        return {}
    keys = {key: key.partition(".")[0] for key in ids}
    rows = Acknowledgement.objects.filter(pk__in=set(keys.values()), employee=person, signed_at=None)
    versions = applying(person.tenant, timezone.now())
    found = {str(row.pk): row for row in rows.filter(version__in=versions).select_related("version")}
    asks = _(
        "The company has published rules for talking to customers. They protect both sides. Please read and sign them"
        " here:"
    )
    return {
        key: Line(
            text=_("Please read and sign: %(title)s") % {"title": title_of(found[of].version)},
            path=reverse("crm_contact_guard:rules"),
            since=found[of].version.valid_from,
            asks=asks,
        )
        for key, of in keys.items()
        if of in found
    }


topics.register(
    topics.Topic(
        name=RULES,
        label=gettext_lazy("Rules to sign"),
        many=gettext_lazy("Rules to sign"),
        lines=_lines,
        cadence=Cadence.AT_ONCE,
        may_be_off=False,
        roles=topics.STAFF,
    )
)
