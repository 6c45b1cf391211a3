"""The page on which the rules are published: from a preset, with the differences, silently, by a second person."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from crm_contact_guard.console.policy.forms import PolicyForm
from crm_contact_guard.policy import rulebook
from crm_contact_guard.policy.versions.current import in_force
from crm_contact_guard.policy.versions.models import PolicyVersion
from crm_contact_guard.record.models import Event
from crm_contact_guard.verification.whole_record import verify
from tests import factories
from tests.console.conftest import ASK, Hotel


def filled(industry: str = "", **changes: Any) -> dict[str, Any]:
    """What a browser sends when only ``changes`` were changed on the page."""
    base = rulebook.from_preset(industry) if industry else in_force("").rules
    return {**PolicyForm(base).initial, "industry": industry, "reason": "Yearly review", "act": "publish", **changes}


def test_a_preset_is_chosen_compared_and_published(hotel: Hotel) -> None:
    seen = hotel.get("compliance", "policy", query="?industry=finance").content.decode()
    assert re.search(r"Industry</th><td>General</td><td><strong>Finance", seen)
    assert re.search(r"company&#x27;s channels</th><td>Ask first</td><td><strong>Don&#x27;t send", seen)

    response = hotel.post("compliance", "policy", data=filled("finance"))

    row = PolicyVersion.objects.get()
    assert response.status_code == 302
    assert in_force("").rules == rulebook.from_preset("finance")
    assert hotel.send("aoi", ASK).status_code != 302
    told = hotel.get("compliance", "policy_version", row.pk).content.decode()
    assert "Yearly review" in told
    assert row.digest in told
    assert "In force" in hotel.get("auditor", "policy").content.decode()
    assert verify().holds


def test_looking_at_the_differences_publishes_nothing(hotel: Hotel) -> None:
    form = filled(**{"act": "look", "rule-attempt.side_deal": "block", "alert-inbound": "0.8", "review_share": "7"})

    seen = hotel.post("compliance", "policy", data=form).content.decode()

    assert re.search(r"Deal past the company</th><td>no rule</td><td><strong>Don&#x27;t send", seen)
    assert re.search(r"From customers: alert from</th><td>0.50</td><td><strong>0.80", seen)
    assert re.search(r"Share to review</th><td>1.0%</td><td><strong>7.0%", seen)
    assert 'value="block" selected' in seen, "what was chosen stays chosen"
    assert not PolicyVersion.objects.exists()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"reason": ""}, "This field is required"),
        ({"rule-attempt": "shout"}, "Select a valid choice"),
        ({"rule-attempt": ""}, "This field is required"),
        ({"alert-inbound": "7"}, "less than or equal to 0.99"),
        ({"review_share": "-1"}, "greater than or equal to 0"),
        ({"valid_from": "2019-01-01T10:00"}, "in the past"),
        ({"valid_from": "2999-01-01T10:00"}, "more than a year"),
        ({"valid_from": "soon"}, "Enter a valid date/time"),
    ],
)
def test_bad_input_is_named_and_publishes_nothing(hotel: Hotel, changes: dict[str, Any], told: str) -> None:
    response = hotel.post("compliance", "policy", data=filled(**changes))

    assert told in response.content.decode()
    assert not PolicyVersion.objects.exists()


def test_a_version_can_run_silently_and_is_counted(hotel: Hotel) -> None:
    hotel.post("compliance", "policy", data=filled("finance", act="silent"))

    assert hotel.send("aoi", ASK).status_code != 302
    seen = hotel.get("compliance", "policy").content.decode()
    assert "Running silently" in seen
    assert re.search(r"<strong>1</strong> “Don&#x27;t send” instead of “Ask first”", seen)
    row = PolicyVersion.objects.get(state="shadow")
    hotel.post("compliance", "policy_withdraw", row.pk, data={"reason": "Seen enough"})
    assert "Running silently" not in hotel.get("compliance", "policy").content.decode()


def test_a_second_person_approves(hotel: Hotel, settings: Any) -> None:
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "POLICY_APPROVAL": True}
    hotel.post("compliance", "policy", data=filled("finance"))
    row = PolicyVersion.objects.get()
    assert "Approve and publish" not in hotel.get("compliance", "policy_version", row.pk).content.decode()
    assert hotel.post("compliance", "policy_approve", row.pk).status_code == 403

    hotel.people["second"] = factories.employee("second", job="compliance")
    assert "Approve and publish" in hotel.get("second", "policy_version", row.pk).content.decode()
    hotel.post("second", "policy_approve", row.pk)

    assert in_force("").version.id == row.pk
    assert hotel.post("second", "policy_approve", row.pk).status_code == 422


def test_a_version_ahead_is_withdrawn_with_a_reason(hotel: Hotel) -> None:
    when = (timezone.now() + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M")
    hotel.post("compliance", "policy", data=filled("sales", valid_from=when))
    row = PolicyVersion.objects.get()

    assert hotel.post("compliance", "policy_withdraw", row.pk, data={"reason": " "}).status_code == 422
    hotel.post("compliance", "policy_withdraw", row.pk, data={"reason": "<b>Too soon</b>"})

    row.refresh_from_db()
    assert row.state == "withdrawn"
    assert "&lt;b&gt;Too soon&lt;/b&gt;" in hotel.get("compliance", "policy_version", row.pk).content.decode()
    assert Event.objects.get(kind="policy.withdrawn").actor == str(hotel.people["compliance"].pk)
