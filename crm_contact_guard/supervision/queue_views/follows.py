"""How the columns of kept views follow from recorded events."""

from __future__ import annotations

from crm_contact_guard.record.following import BySubject, Elsewhere, Follows, Recorded, follows
from crm_contact_guard.supervision.queue_views.models import QueueView

follows(
    Follows(
        model=QueueView,
        events=BySubject(
            subject="queue_view", born=("queue_view.kept",), more=("queue_view.changed",), gone=("queue_view.removed",)
        ),
        columns={
            "id": Elsewhere("the events that made the row name it"),
            "employee_id": Recorded(),
            "name": Recorded(personal=True),
            "query": Recorded(),
            "is_default": Recorded(),
        },
    )
)
