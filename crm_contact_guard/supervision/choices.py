"""Records the decision on a message before it is sent, and how the writer responded to it."""

from __future__ import annotations

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.policy.decision import Action, Override, OverrideCode
from crm_contact_guard.policy.versions.publishing import settings_version_record
from crm_contact_guard.record.models import Conversation, Event, Message
from crm_contact_guard.record.recording import record_event
from crm_contact_guard.supervision.preview import Preview, decision_data


def record_kept_back(actor: Employee, conversation: Conversation, looked: Preview) -> None:
    """Record that a message was kept back, but not its text: an unsent message isn't held against its writer."""
    _note_silent(conversation, looked, None)
    _decision(actor, conversation, looked, message=None)


def record_choice(
    actor: Employee, message: Message, looked: Preview, override: Override | None, *, emergency: bool
) -> None:
    """Record the objections to a message that is sent anyway, and the writer's reasons for sending it."""
    _note_silent(message.conversation, looked, message)
    if looked.decision.action is not Action.DELIVER or looked.decision.reasons:
        _decision(actor, message.conversation, looked, message)
    codes: dict[str, str] = {}
    if override is not None and (looked.decision.action in (Action.NUDGE, Action.HOLD) or emergency):
        codes[override.code.value] = override.text
    if emergency:
        codes.setdefault(OverrideCode.EMERGENCY.value, "")
    for code, text in codes.items():
        record_event(
            kind=f"override.{code}",
            subject_type="message",
            subject_id=message.pk,
            by=actor,
            message=message,
            reason=text or None,
        )


def _note_silent(conversation: Conversation, looked: Preview, message: Message | None) -> None:
    """Record what the rules that run silently would have done differently. Nothing acts on it."""
    silent, decision = looked.silent, looked.decision
    if silent is None or (silent.action, silent.reasons) == (decision.action, decision.reasons):
        return
    record_event(
        kind="policy.would_have",
        subject_type="silent_policy",
        subject_id=silent.version[:64],
        actor_type=Event.ActorType.SYSTEM,
        conversation=conversation,
        message=message,
        data={
            "did": decision.action.value,
            "would": silent.action.value,
            "rules": [one.rule for one in silent.applied],
            "policy": decision.version,
        },
    )


def _decision(actor: Employee, conversation: Conversation, looked: Preview, message: Message | None) -> None:
    if looked.rules.id is None:
        settings_version_record(looked.rules.rules, conversation.tenant)
    record_event(
        kind=f"decision.{looked.decision.action.value}",
        subject_type="message" if message else "conversation",
        subject_id=message.pk if message else conversation.pk,
        by=actor,
        conversation=conversation,
        message=message,
        data=decision_data(looked),
    )
