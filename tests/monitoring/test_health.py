"""Monitoring shows overdue work and no message content; the public endpoints show no details."""

from __future__ import annotations

import io
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from crm_contact_guard import gateway
from crm_contact_guard.delivery.models import Carrier, Delivery
from crm_contact_guard.monitoring.measuring import measures
from crm_contact_guard.record import triggers
from crm_contact_guard.sealing.sealer import seal
from tests import factories

pytestmark = pytest.mark.django_db
TOKEN = "5" * 40
DOORS = ["crm_contact_guard:health", "crm_contact_guard:metrics"]


def guard(**changes: object) -> Any:
    return override_settings(CONTACT_GUARD={**django_settings.CONTACT_GUARD, **changes})


def ask(name: str, token: str = TOKEN) -> Any:
    return Client().get(reverse(name), headers={"authorization": f"Bearer {token}"})


def value(name: str, **labels: str) -> float:
    [found] = [each.value for each in measures() if each.name == name and each.labels == labels]
    return found


def named_in_the_documentation() -> set[str]:
    """Names of metrics in the example rules and the table, without Prometheus' suffix for counters."""
    page = Path(__file__).parents[2].joinpath("docs/operations.md").read_text(encoding="utf-8")
    page = page[page.index("### Prometheus") : page.index("### OpenTelemetry")]
    cells = "".join(re.findall(r"^\| (`[a-z].*?) \|", page, re.MULTILINE))
    names = [*re.findall(r"contact_guard_(\w+)", page), *re.findall(r"`([a-z_]+)", cells)]
    return {name.removesuffix("_total") for name in names} - {""}


def talk() -> None:
    clerk = factories.employee("aoi", branch=factories.team(head="sora"))
    conversation = factories.conversation(clerk, channel="email", email="hanako@post.example")
    factories.received(
        "LINE交換しませんか？ID: hanako_22", conversation, channel="email", from_address="hanako@post.example",
        occurred_at=timezone.now(),
    )  # fmt: skip
    gateway.send(
        actor=clerk, conversation=conversation, text="Your room is ready.", occurred_at=factories.office_time()
    )


def test_liveness_and_readiness_are_public_and_return_no_details() -> None:
    for name in ("health_live", "health_ready"):
        answer = Client().get(reverse(f"crm_contact_guard:{name}"))
        assert (answer.status_code, answer.content, answer["Cache-Control"][:3]) == (200, b"ok\n", "max")


@pytest.mark.django_db(transaction=True)
def test_the_app_is_not_ready_without_triggers() -> None:
    triggers.remove(connection)

    answer = Client().get(reverse("crm_contact_guard:health_ready"))

    assert (answer.status_code, answer.content) == (503, b"not ready\n")
    assert Client().get(reverse("crm_contact_guard:health_live")).status_code == 200
    assert value("triggers_altered") > 0


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("given", [{}, {"MONITORING_TOKEN": TOKEN}, {"MONITORING_TOKEN": ["", TOKEN]}])
def test_missing_and_wrong_tokens_are_refused(door: str, given: dict[str, Any]) -> None:
    with guard(**given):
        for header in ({}, {"authorization": "Bearer "}, {"authorization": "Bearer x"}, {"authorization": TOKEN}):
            answer = Client().get(reverse(door), headers=header)
            assert (answer.status_code, answer["WWW-Authenticate"][:6]) == (401, "Bearer")


@pytest.mark.parametrize("door", DOORS)
def test_only_auditors_and_compliance_officers_have_access(door: str) -> None:
    codes = {}
    for job in ("clerk", "chief", "compliance", "auditor", "visitor"):
        browser = Client()
        browser.force_login(factories.user(job, job=job))
        codes[job] = browser.get(reverse(door)).status_code

    assert codes == {"clerk": 403, "chief": 403, "compliance": 200, "auditor": 200, "visitor": 401}


def test_each_of_several_tokens_is_accepted() -> None:
    with guard(MONITORING_TOKEN=["a" * 40, TOKEN]):
        assert ask("crm_contact_guard:health").status_code == 200
        assert ask("crm_contact_guard:health", "a" * 40).status_code == 200


def test_measures_over_their_limit_have_a_fix_and_no_message_content(
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        talk()
    seal()
    Delivery.objects.update(state="queued", due_at=timezone.now() - timedelta(hours=1))
    Carrier.objects.update_or_create(
        channel="email",
        defaults={"minute": timezone.now(), "failing_since": timezone.now() - timedelta(minutes=30)},
    )

    with guard(MONITORING_TOKEN=TOKEN):
        answer = ask("crm_contact_guard:health")

    known = answer.json()
    assert (answer.status_code, known["status"]) == (503, "error")
    late = {each["name"]: each for each in known["measures"] if not each["ok"]}
    assert set(late) == {"outbox_oldest_seconds", "carrier_failing_seconds"}
    assert 3590 < late["outbox_oldest_seconds"]["value"] < 3700
    assert "worker" in late["outbox_oldest_seconds"]["fix"]
    assert value("messages_last_hour", direction="inbound") == 1
    assert value("alerts_open", severity="high") + value("alerts_open", severity="medium") == 1
    assert value("seal_lag_seconds") == 0
    text = answer.content.decode()
    assert not [word for word in ("hanako", "aoi", "Sora", "post.example", "PRIVATE") if word in text]


def test_the_age_of_unsealed_and_uninspected_rows_is_measured() -> None:
    talk()  # nothing is committed, so no task runs

    assert value("seal_pending_rows") == value("recorded_rows") > 0
    assert 0 < value("seal_lag_seconds") < 60
    assert value("inspection_waiting") == 2
    assert value("outbox_waiting") == 1


def test_prometheus_gets_all_measures_and_this_process_counters(
    django_capture_on_commit_callbacks: Any,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        talk()
    pager = {"BACKEND": "tests.signed_channel.SignedChannel", "OPTIONS": {"SECRET": "s3cret"}}

    with guard(MONITORING_TOKEN=TOKEN, CHANNELS={"pager": pager}):
        before = _refusals(ask("crm_contact_guard:metrics").content.decode())
        Client().post(reverse("crm_contact_guard:webhook", args=["pager"]), b"{}", "application/json")
        answer = ask("crm_contact_guard:metrics")

    families = {family.name: family for family in text_string_to_metric_families(answer.content.decode())}
    assert answer["Content-Type"].startswith("text/plain; version=0.0.4")
    assert {f"contact_guard_{each.name}" for each in measures()} <= set(families)
    assert families["contact_guard_recorded_rows"].type == "counter"
    assert named_in_the_documentation() <= {name.removeprefix("contact_guard_") for name in families} | {
        "witness_kept_timestamp_seconds",  # missing until a witness has stored a checkpoint
        "witness_failing",
    }
    counts = {
        sample.labels["stage"]: sample.value
        for sample in families["contact_guard_scan_seconds"].samples
        if sample.name.endswith("_count")
    }
    assert counts["preview"] >= 1
    assert counts["inspection"] >= 1
    assert _refusals(answer.content.decode()) == before + 1


def _refusals(exposition: str) -> float:
    """Number of unsigned webhooks refused by this process, which may have run other tests before."""
    return sum(
        sample.value
        for family in text_string_to_metric_families(exposition)
        for sample in family.samples
        if sample.name == "contact_guard_webhook_refusals_total"
        and sample.labels == {"channel": "pager", "reason": "signature"}
    )


def test_the_command_prints_the_measures_and_fails_over_a_limit() -> None:
    fine, late = io.StringIO(), io.StringIO()
    call_command("contact_guard_status", "--json", stdout=fine)
    talk()
    Delivery.objects.update(due_at=timezone.now() - timedelta(hours=1))

    with pytest.raises(CommandError, match="over its limit"):
        call_command("contact_guard_status", stdout=late)

    assert all(json.loads(line)["ok"] for line in fine.getvalue().splitlines())
    assert "over  outbox_oldest_seconds" in late.getvalue()
    out = io.StringIO()
    call_command("contact_guard_status", "--prometheus", stdout=out)
    assert "contact_guard_outbox_waiting 1.0" in out.getvalue()


def test_the_cost_of_a_scrape_does_not_depend_on_the_record() -> None:
    talk()
    with CaptureQueriesContext(connection) as few:
        list(measures())
    for number in range(5):
        factories.received(
            "LINE交換しませんか？ID: hanako_22", channel="email", from_address=f"{number}@post.example",
            occurred_at=timezone.now(),
        )  # fmt: skip

    with CaptureQueriesContext(connection) as many:
        list(measures())

    assert len(many) == len(few)
