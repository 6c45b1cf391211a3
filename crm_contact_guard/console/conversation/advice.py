"""Advice to the employee about a message before it is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from crm_contact_guard import gateway
from crm_contact_guard.console.conversation.evidence import Piece, Span, pieces
from crm_contact_guard.console.conversation.reasons import reason
from crm_contact_guard.console.conversation.typed import Typed
from crm_contact_guard.console.policy.wording import rule_label
from crm_contact_guard.detection.types import Finding
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.gateway import Preview, Sent
from crm_contact_guard.hosting.languages import spoken
from crm_contact_guard.policy.decision import Action, Decision
from crm_contact_guard.policy.presets import wordings
from crm_contact_guard.record.models import Conversation
from crm_contact_guard.supervision.alerts import TOPICS
from crm_contact_guard.supervision.models import Finding as StoredFinding
from crm_contact_guard.supervision.models import FindingKind, Topic


@dataclass(frozen=True)
class Advice:
    """Advice about a message: its text with the evidence marked, the reasons, and a suggested wording."""

    decision: Decision
    pieces: Sequence[Piece]
    reasons: Sequence[str]
    #: Approved wordings to send instead.
    suggestions: Sequence[str]
    suggestion_language: str
    #: The rules that applied, in words.
    rules: str = ""
    #: The first time that suits both sides, if it isn't now.
    earliest: datetime | None = None

    @property
    def version(self) -> str:
        """The beginning of the digest that names the version of the rules."""
        return self.decision.version[:8]

    @property
    def blocks(self) -> bool:
        return self.decision.action is Action.BLOCK

    @property
    def asks(self) -> bool:
        return self.decision.action is Action.NUDGE

    @property
    def holds(self) -> bool:
        return self.decision.action is Action.HOLD

    @property
    def schedules(self) -> bool:
        return self.decision.action is Action.SCHEDULE

    @property
    def attempt(self) -> bool:
        return "attempt" in self.decision.reasons

    @property
    def harassment(self) -> bool:
        return "harassment" in self.decision.reasons

    @property
    def sensitive_data(self) -> bool:
        return "sensitive_data" in self.decision.reasons

    @property
    def after_hours(self) -> bool:
        return "after_hours" in self.decision.reasons

    @property
    def quiet_hours(self) -> bool:
        return "quiet_hours" in self.decision.reasons


def look(viewer: Employee, typed: Typed, conversation: Conversation) -> Advice | None:
    """Return the advice that sending the text now would give, or None if there is none. Records nothing."""
    if not typed.text.strip():
        return None
    looked = gateway.preview(actor=viewer, text=typed.text, emergency=typed.emergency, conversation=conversation)
    return advise(looked, typed.text, conversation)


def advise(looked: Preview | Sent, text: str, conversation: Conversation) -> Advice | None:
    """Describe the results of a scan and the decision. Return None if the text may be sent without comment."""
    decision, scan = looked.decision, looked.scan
    if not decision.reasons:
        return None
    attempt = "attempt" in decision.reasons
    found = [f for f in scan.findings if _objected(decision, f)]
    told = [reason(f.detector, f.kind.value) for f in found]
    told += [
        _("%(file)s: %(reason)s") % {"file": content.file, "reason": reason(f.detector, f.kind.value)}
        for content in looked.files
        for f in content.scan.findings
        if _objected(decision, f)
    ]
    reasons = dict.fromkeys(told)
    language = spoken(conversation.customer.language)
    return Advice(
        decision=decision,
        pieces=pieces(text, [Span(f.start, f.end, 1) for f in found]),
        reasons=list(reasons)[:2],
        suggestions=better_wordings(language) if attempt else [],
        suggestion_language=language,
        rules=", ".join(rule_label(one.rule) for one in decision.applied),
        earliest=_later(decision),
    )


def _later(decision: Decision) -> datetime | None:
    earliest = decision.earliest_send_at
    return earliest if earliest is not None and earliest > timezone.now() else None


def _objected(decision: Decision, finding: Finding) -> bool:
    """Whether a rule applied because of the finding."""
    if TOPICS.get(finding.kind.value) == Topic.OFF_CHANNEL:
        return "attempt" in decision.reasons
    return finding.kind.value in decision.reasons


def kind_refusal(conversation: Conversation) -> str:
    """Return an approved refusal if the customer, who waits for an answer, asks for a private contact; else ""."""
    if conversation.waiting_since is None:
        return ""
    kinds = (FindingKind.CONTACT_REQUEST, FindingKind.REPEATED_CONTACT, FindingKind.CONTACT_IDENTIFIER)
    asked = StoredFinding.objects.filter(
        message__conversation=conversation,
        message__direction="inbound",
        message__occurred_at__gte=conversation.waiting_since,
        alert__isnull=False,
        kind__in=kinds,
    )
    return next(iter(wordings(spoken(conversation.customer.language), "decline")), "") if asked.exists() else ""


def better_wordings(language: str) -> list[str]:
    """Return approved sentences in ``language``: to stay on this channel, and to decline kindly."""
    return [*wordings(language, "return")[:1], *wordings(language, "decline")[:1]]
