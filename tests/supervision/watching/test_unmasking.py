"""With ``UNMASK_APPROVAL``, nobody sees full addresses before another officer has approved it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.test import override_settings

from crm_contact_guard.exceptions import InvalidMessage, NotPermitted, NotPossible
from crm_contact_guard.exports.streams import stream_open
from crm_contact_guard.notices.models import Notice
from crm_contact_guard.record.access import APPROVAL_LASTS, record_unmask
from crm_contact_guard.record.models import Event
from crm_contact_guard.supervision.watching.unmasking import WAITS, unmask_approve, unmask_ask, unmask_requests
from tests import factories
from tests.clock import Clock

pytestmark = pytest.mark.django_db


def test_a_second_person_approves(clock: Clock) -> None:
    talk, other = factories.conversation(factories.employee("aoi")), factories.conversation(name="Jiro Ito")
    kai, mio = (factories.employee(name, job="compliance") for name in ("kai", "mio"))
    auditor = factories.employee("rio", job="auditor")
    with override_settings(CONTACT_GUARD={**settings.CONTACT_GUARD, "UNMASK_APPROVAL": True}):
        with pytest.raises(NotPossible):
            record_unmask(viewer=kai, conversation=talk, reason="She called")
        with pytest.raises(NotPossible):
            stream_open(viewer=kai, form="csv", lookups={}, filters={}, unmask=True, reason="She called")
        with pytest.raises(InvalidMessage):
            unmask_ask(conversation=talk, actor=kai, reason=" ")
        asked = [unmask_ask(conversation=talk, actor=kai, reason="She called") for _ in range(2)]
        assert asked[0] == asked[1]
        assert [notice.employee for notice in Notice.objects.filter(topic="unmask_request", way="in_app")] == [mio]
        assert (unmask_requests(kai), unmask_requests(auditor), unmask_requests(mio)) == ([], [], [asked[0]])
        for person in (kai, auditor):
            with pytest.raises(NotPermitted):
                unmask_approve(request_id=asked[0].pk, approved_by=person)

        for _ in range(2):
            unmask_approve(request_id=asked[0].pk, approved_by=mio)
        approval = Event.objects.get(kind="unmask.approved")
        assert unmask_requests(mio) == []
        shown = record_unmask(viewer=kai, conversation=talk, reason="She called")
        assert str(approval.pk) in shown.data
        for viewer, conversation in ((mio, talk), (kai, other)):
            with pytest.raises(NotPossible):
                record_unmask(viewer=viewer, conversation=conversation, reason="She called")
        clock.forward(APPROVAL_LASTS)
        with pytest.raises(NotPossible):
            record_unmask(viewer=kai, conversation=talk, reason="She called")

        late = unmask_ask(conversation=talk, actor=kai, reason="Again")
        assert late != asked[0]
        clock.forward(WAITS)
        with pytest.raises(NotPermitted):
            unmask_approve(request_id=late.pk, approved_by=mio)
        clock.forward(timedelta(seconds=1))
        assert unmask_requests(mio) == []
    assert record_unmask(viewer=kai, conversation=talk, reason="She called").reason == "She called"
