"""What a person can choose about notices, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import InvalidMessage, NotPermitted
from crm_contact_guard.notices.models import NoticePreference
from crm_contact_guard.notices.preferences import Choice, choice, choices, preference_set
from crm_contact_guard.record.models import Event
from tests.notices.conftest import Subjects, verified

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("subjects", "by_default")]


def test_a_choice_is_stored_and_recorded_once(sora: Employee) -> None:
    assert choice(sora, "thing") == Choice(cadence="daily")
    chosen = Choice(cadence="threshold", quiet=False, count=5, minutes=30)
    for _again in range(2):
        preference_set(actor=sora, topic="thing", chosen=chosen)
    assert choice(sora, "thing") == chosen
    preference_set(actor=sora, topic="thing", chosen=Choice(cadence="weekly"))

    kinds = Event.objects.filter(subject_type="notice_preference").order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["notice_preference.made", "notice_preference.set"]
    assert not verified()


@pytest.mark.parametrize(
    ("topic", "given", "field"),
    [
        ("thing", {"cadence": "sometimes"}, "cadence"),
        ("fire", {"cadence": "in_app"}, "cadence"),
        ("thing", {"cadence": "daily", "way": "pigeon"}, "way"),
        ("thing", {"cadence": "threshold", "count": 1}, "count"),
        ("thing", {"cadence": "threshold", "minutes": 0}, "minutes"),
        ("thing", {"cadence": "threshold", "minutes": 10**6}, "minutes"),
    ],
)
def test_an_impossible_choice_is_refused(sora: Employee, topic: str, given: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidMessage) as refused:
        preference_set(actor=sora, topic=topic, chosen=Choice(**given))
    assert refused.value.field == field
    assert not NoticePreference.objects.exists()


def test_a_topic_that_is_not_offered_is_refused(sora: Employee) -> None:
    Employee.objects.filter(pk=sora.pk).update(role="auditor")
    sora.refresh_from_db()
    assert "alert" not in {topic.name for topic in choices(sora)}
    with pytest.raises(NotPermitted):
        preference_set(actor=sora, topic="alert", chosen=Choice(cadence="daily"))


def test_a_way_that_was_removed_from_the_settings_is_not_used(sora: Employee, subjects: Subjects) -> None:
    NoticePreference.objects.create(employee=sora, topic="thing", cadence="weekly", way="gone")
    assert choice(sora, "thing") == Choice(cadence="daily")
