"""How the columns of employees' remarks follow from recorded events."""

from __future__ import annotations

from crm_contact_guard.record.following import BySubject, Elsewhere, Follows, Recorded, follows
from crm_contact_guard.supervision.own_view import telling  # noqa: F401 - registers the topic of notices
from crm_contact_guard.supervision.own_view.models import FlagRemark

follows(
    Follows(
        model=FlagRemark,
        events=BySubject(subject="flag_remark", born=("flag_remark.made",), more=("flag_remark.answered",)),
        columns={
            field.attname: Elsewhere("the events that made the row name it") if field.primary_key else Recorded()
            for field in FlagRemark._meta.concrete_fields
        },
    )
)
