"""Publish a version of the rules, and find the version that applies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from django.db import IntegrityError
from django.db.models import Exists, Max, OuterRef, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard.conf import settings
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted
from crm_contact_guard.hosting import database
from crm_contact_guard.policy.known_rules import quiz as quizzes
from crm_contact_guard.policy.known_rules.models import Acknowledgement, RulesVersion
from crm_contact_guard.policy.known_rules.rights import may_publish, must_sign
from crm_contact_guard.proof.canonical import canonical_json, canonical_text
from crm_contact_guard.record.recording import record_event

MOST_TITLE = 200
MOST_TEXT = 50_000
MOST_QUIZ = 10_000


def rules_publish(
    *, published_by: Employee, title: str, text: str, title_ja: str = "", text_ja: str = "", quiz: str = "",
    valid_from: datetime | None = None,
) -> RulesVersion:  # fmt: skip
    """Publish a new version, which applies from ``valid_from`` (now if None). The event contains it whole.

    Raise NotPermitted, or InvalidMessage that names the field. At least one language must be complete.
    """
    if not may_publish(published_by):
        raise NotPermitted(_("Compliance officers publish the rules."))
    title, title_ja, text, text_ja, quiz = (
        canonical_text(part).strip() for part in (title, title_ja, text, text_ja, quiz)
    )
    _check("title", title, MOST_TITLE)
    _check("title_ja", title_ja, MOST_TITLE)
    _check("text", text, MOST_TEXT)
    _check("text_ja", text_ja, MOST_TEXT)
    _check("quiz", quiz, MOST_QUIZ)
    quizzes.parse(quiz)
    if not ((title and text) or (title_ja and text_ja)):
        raise InvalidMessage(_("Give a title and a text in at least one language."), field="text")
    now = timezone.now()
    if valid_from is not None and valid_from < now.replace(hour=0, minute=0, second=0, microsecond=0):
        raise InvalidMessage(_("Rules can't apply from a day in the past."), field="valid_from")
    last = RulesVersion.objects.filter(tenant=published_by.tenant).aggregate(last=Max("number"))["last"] or 0
    number = last + 1
    shown = {"title": title, "title_ja": title_ja, "text": text, "text_ja": text_ja, "quiz": quiz}
    version = RulesVersion(
        tenant=published_by.tenant,
        number=number,
        **shown,
        valid_from=valid_from or now,
        digest=sha256(canonical_json({**shown, "number": number}).encode()).hexdigest(),
        published_by=published_by,
        published_at=now,
    )
    try:
        with database.atomic():
            version.save(force_insert=True)
            record_event(
                kind="rules.published",
                subject_type="rules",
                subject_id=version.pk,
                by=published_by,
                tenant=published_by.tenant,
                row=version,
            )
    except IntegrityError as error:
        if not RulesVersion.objects.filter(tenant=published_by.tenant, number=number).exists():
            raise
        raise InvalidMessage(
            _("Somebody else has just published a version. Please read it first."), field="text"
        ) from error
    return version


def _check(field: str, value: str, most: int) -> None:
    if len(value) > most:
        raise InvalidMessage(_("At most %(most)d characters are allowed here.") % {"most": most}, field=field)


def versions(viewer: Employee) -> QuerySet[RulesVersion]:
    """Return the published versions, newest first. Those that don't apply yet are included."""
    return RulesVersion.objects.filter(tenant=viewer.tenant).order_by("-number")


def applying(tenant: str, at: datetime) -> QuerySet[RulesVersion]:
    """Return the version that applies at ``at``, as a query of at most one row."""
    newest = RulesVersion.objects.filter(tenant=tenant, valid_from__lte=at).order_by("-number")
    return RulesVersion.objects.filter(pk__in=list(newest.values_list("pk", flat=True)[:1]))


@dataclass(frozen=True)
class Mine:
    """The version that applies to a person now, and whether the person still has to sign it."""

    version: RulesVersion | None
    unsigned: bool


def mine(viewer: Employee) -> Mine:
    """Return the version that applies to the viewer now. Run one query, since every page asks."""
    signed = Acknowledgement.objects.filter(version=OuterRef("pk"), employee=viewer, signed_at__isnull=False)
    rows = RulesVersion.objects.filter(tenant=viewer.tenant, valid_from__lte=timezone.now())
    newest = rows.defer("text", "text_ja", "quiz").annotate(signed=Exists(signed)).order_by("-number").first()
    return Mine(newest, newest is not None and not newest.signed and must_sign(viewer))


def check_signed(employee: Employee) -> None:
    """Raise NotPermitted if the employee has to sign first, as the setting ``UNSIGNED_MAY_WRITE`` says."""
    if not settings.UNSIGNED_MAY_WRITE and mine(employee).unsigned:
        link = settings.PUBLIC_URL.rstrip("/") + reverse("crm_contact_guard:rules")
        raise NotPermitted(_("Please read and sign the rules first: %(link)s") % {"link": link})
