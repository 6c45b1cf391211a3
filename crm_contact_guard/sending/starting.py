"""Sets a recorded message on its way: into the outbox, or into a wait."""

from __future__ import annotations

from crm_contact_guard.delivery import outbox, waits
from crm_contact_guard.delivery.models import Wait
from crm_contact_guard.dispatch import later, later_at
from crm_contact_guard.policy.decision import Action, Override
from crm_contact_guard.record.models import Message
from crm_contact_guard.sending.planning import Plan
from crm_contact_guard.supervision.preview import Preview


def start(
    message: Message,
    plan: Plan,
    looked: Preview,
    *,
    override: Override | None,
    replaces: Message | None,
    request: str,
) -> Wait | None:
    """Enqueue the message or let it wait, in the transaction that records it. Return the wait, if there is one.

    ``request`` is the digest from ``KeyedRequest.mark``.
    """
    if plan.reason is None:
        outbox.enqueue(message, request=request, replaces=replaces)
        later("deliver", str(message.pk))
        later("inspect", str(message.pk))
        return None
    answered = override is not None and looked.decision.action is Action.NUDGE
    wait = Wait(
        message=message,
        reason=plan.reason.value,
        state=plan.state.value,
        due_at=plan.due_at,
        wanted_at=plan.wanted_at,
        answered=list(looked.decision.reasons) if answered else [],
        replaces=replaces,
    )
    waits.begin(wait, request=request)
    if plan.state is not Wait.State.HELD and plan.due_at is not None:
        later_at(plan.due_at, "release", str(message.pk))
    return wait
