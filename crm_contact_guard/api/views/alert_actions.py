"""Actions on alerts: ``alerts/{id}/claim/``, ``close/`` and so on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from crm_contact_guard.api import filters
from crm_contact_guard.api.schema import ID, answers, described
from crm_contact_guard.api.serializers.alerts import (
    AlertDetailSerializer,
    AssignSerializer,
    CloseSerializer,
    EscalateSerializer,
    ReopenSerializer,
    SnoozeSerializer,
)
from crm_contact_guard.api.serializers.inputs import Input, NothingSerializer
from crm_contact_guard.api.views.alerts import AlertDetail
from crm_contact_guard.supervision.handling.alike import alerts_close_alike
from crm_contact_guard.supervision.handling.steps import (
    alert_assign,
    alert_defer,
    alert_escalate,
    alert_release,
    alert_snooze,
    alert_wake,
)
from crm_contact_guard.supervision.review import alert_claim, alert_close, alert_reopen, alert_undo


class AlertAction(AlertDetail):
    """Base class of the actions on an alert. Each calls one service, and returns the alert as it is afterwards."""

    writing = "review"
    http_method_names = ["post", "options"]
    input_class: ClassVar[type[Input]] = NothingSerializer
    service: ClassVar[Callable[..., object]]
    post: ClassVar[Callable[..., Response]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Give each action a ``post`` of its own, since the API's description names its operation and its input."""
        super().__init_subclass__(**kwargs)
        takes_nothing = cls.input_class is NothingSerializer
        errors = (400, 401, 403, 404, 409) if takes_nothing else (400, 401, 403, 404, 409, 413, 415)

        @described(
            operation_id=f"alerts_{cls.__name__.removeprefix('Alert').lower()}",
            parameters=[ID],
            request=None if takes_nothing else cls.input_class,
            responses=answers(AlertDetailSerializer, *errors),
        )
        def post(self: AlertAction, request: Request, pk: str) -> Response:
            return self.act(request, pk)

        cls.post = post

    def act(self, request: Request, pk: str) -> Response:
        filters.read(request, {})
        alert = self.reviewed(pk)
        given = self.input_class(data=request.data)
        given.is_valid(raise_exception=True)
        type(self).service(alert_id=alert.pk, reviewer=self.viewer, **given.validated_data)
        return Response(self.given(pk))


class AlertClaim(AlertAction):
    """Claim the alert for the caller, who will review it. A colleague's claim is never taken over."""

    service = alert_claim


class AlertRelease(AlertAction):
    """Give up the caller's claim. Compliance officers may release anybody's."""

    service = alert_release


class AlertAssign(AlertAction):
    """Address the alert to another person who may handle it."""

    service = alert_assign
    input_class = AssignSerializer


class AlertEscalate(AlertAction):
    """Address the alert to the deputy, or else to compliance."""

    service = alert_escalate
    input_class = EscalateSerializer


class AlertSnooze(AlertAction):
    """Put the alert aside until a time, or until it happens again."""

    service = alert_snooze
    input_class = SnoozeSerializer


class AlertDefer(AlertAction):
    """Move the alert to the pool "for review", which may wait."""

    service = alert_defer


class AlertWake(AlertAction):
    """Take the alert back from the pool, or before its snooze ends."""

    service = alert_wake


def _close(*, alike: bool, **given: Any) -> None:
    if alike:
        alerts_close_alike(as_of=timezone.now(), **given)
    else:
        alert_close(**given)


class AlertClose(AlertAction):
    """Close the alert with a resolution and a comment, and if asked for, those with the same words of the employee."""

    service = _close
    input_class = CloseSerializer


class AlertReopen(AlertAction):
    """Open a closed alert again. The close stays in its history."""

    service = alert_reopen
    input_class = ReopenSerializer


class AlertUndo(AlertAction):
    """Take back the caller's own close of the last minutes. It stays in the history."""

    service = alert_undo
