"""With ``UNMASK_APPROVAL``, nobody sees full addresses before another officer has approved it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.conf import settings
from django.test import override_settings

from crm_contact_guard.exceptions import InvalidMessage, NotPermitted, NotPossible
from crm_contact_guard.exports.streams import stream_open
from crm_contact_guard.notices import listing
from crm_contact_guard.notices.models import Notice
from crm_contact_guard.record.access import APPROVAL_LASTS, record_unmask
from crm_contact_guard.record.models import Event
from crm_contact_guard.supervision.watching.unmasking import (
    WAITS,
    unmask_approve,
    unmask_ask,
    unmask_refusal,
    unmask_refuse,
    unmask_requests,
)
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

        # A request can be refused, and asked again for a better reason.
        again = unmask_ask(conversation=talk, actor=kai, reason="Curious")
        refused = {"request_id": again.pk, "refused_by": mio}
        with pytest.raises(InvalidMessage):
            unmask_refuse(**refused, reason=" ")
        with pytest.raises(NotPermitted):
            unmask_refuse(request_id=again.pk, refused_by=kai, reason="No")
        for _ in range(2):
            unmask_refuse(**refused, reason="That is no reason")
        with pytest.raises(NotPermitted):
            unmask_approve(request_id=again.pk, approved_by=mio)
        answer = Event.objects.get(kind="unmask.refused")
        assert (answer.actor, answer.reason) == (str(mio.pk), "That is no reason")
        assert unmask_refusal(kai, talk) == answer
        assert (unmask_refusal(mio, talk), unmask_refusal(kai, other)) == (None, None)
        assert (unmask_requests(mio), listing.unread_topics(mio)) == ([], [])
        told = listing.listed(kai, only_unread=True)[0].line
        assert told is not None
        assert told.text == "Mio refused your request to see a customer's full addresses"
        with pytest.raises(NotPossible):
            record_unmask(viewer=kai, conversation=talk, reason="Curious")

        late = unmask_ask(conversation=talk, actor=kai, reason="Again")
        assert late not in (asked[0], again)
        assert unmask_refusal(kai, talk) is None
        clock.forward(WAITS)
        with pytest.raises(NotPermitted):
            unmask_approve(request_id=late.pk, approved_by=mio)
        clock.forward(timedelta(seconds=1))
        assert unmask_requests(mio) == []
    assert record_unmask(viewer=kai, conversation=talk, reason="She called").reason == "She called"
