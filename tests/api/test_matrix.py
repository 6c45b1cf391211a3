"""Who may do what: every role on every address, with rows of their own and of others."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import get_resolver
from django.utils import timezone

from crm_contact_guard import gateway
from crm_contact_guard.api import urls
from crm_contact_guard.conversations.lifecycle import conversation_open
from crm_contact_guard.directory.models import Customer
from crm_contact_guard.exports.jobs.models import ExportJob
from crm_contact_guard.files.models import Attachment
from crm_contact_guard.record.models import Conversation, Event, Message
from crm_contact_guard.supervision.cases.models import Case
from crm_contact_guard.supervision.cases.opening import case_open
from crm_contact_guard.supervision.cases.working import case_tell
from crm_contact_guard.supervision.consulting.models import Consultation
from crm_contact_guard.supervision.consulting.opening import consultation_open
from crm_contact_guard.supervision.models import Alert
from tests import factories, rules_text
from tests.api.conftest import Hotel
from tests.exports import authorised
from tests.file_samples import read_to_end

# Aoi answers the talk; Mei is her colleague, Ren of another team; Sora supervises her, Yui deputises, Hina supervises
# Ren; Kai is compliance, Rio auditor; a visitor has a login and no part; nobody is not logged in.
PEOPLE = ("aoi", "mei", "ren", "sora", "yui", "hina", "kai", "rio", "visitor", "nobody")

# Paths name rows: {talk} {message} {alert} are Aoi's; {chief…} those of Sora, a supervisor who writes to customers too.
LISTS = "200 200 200 200 200 200 200 200 403 401"
TABLE = {
    ("GET", "conversations/"): LISTS,
    ("GET", "conversations/{talk}/"): "200 404 404 200 200 404 200 200 403 401",
    ("GET", "conversations/{talk}/?unmask=true&unmask_reason=call"): "403 404 404 403 403 404 200 403 403 401",
    ("GET", "conversations/{talk}/messages/"): "200 404 404 200 200 404 200 200 403 401",
    ("GET", "conversations/{talk}/messages/?unmask=true&unmask_reason=call"): "403 404 404 403 403 404 200 403 403 401",
    ("POST", "conversations/{talk}/messages/"): "201 404 404 403 403 404 403 403 403 401",
    # No telephone line is configured: who may call is told so.
    ("POST", "conversations/{talk}/call/"): "400 404 404 403 403 404 403 403 403 401",
    ("GET", "conversations/{talk}/customer/?q=Sato"): "403 404 404 403 403 404 403 403 403 401",
    ("POST", "conversations/{talk}/customer/"): "403 404 404 403 403 404 403 403 403 401",
    ("GET", "conversations/{stranger}/customer/?q=Sato"): "200 200 404 200 200 404 200 403 403 401",
    ("POST", "conversations/{stranger}/customer/"): "200 200 404 200 200 404 200 403 403 401",
    ("GET", "messages/"): LISTS,
    ("GET", "messages/?unmask=true&unmask_reason=call"): "403 403 403 403 403 403 200 403 403 401",
    ("GET", "messages/{message}/"): "200 404 404 200 200 404 200 200 403 401",
    ("GET", "holds/"): LISTS,
    ("POST", "holds/{held}/return/"): "403 404 404 400 400 404 400 403 403 401",
    ("POST", "holds/{held}/reject/"): "403 404 404 400 400 404 400 403 403 401",
    ("POST", "holds/{held}/approve/"): "403 404 404 200 200 404 200 403 403 401",
    ("POST", "messages/{waiting}/recall/"): "200 404 404 403 403 404 403 403 403 401",
    ("GET", "messages.jsonl"): LISTS,
    ("GET", "messages.csv"): LISTS,
    ("GET", "messages.jsonl?unmask=true&unmask_reason=call"): "403 403 403 403 403 403 200 403 403 401",
    ("GET", "findings/"): LISTS,
    ("GET", "alerts/"): LISTS,
    ("GET", "alerts/{alert}/"): "404 404 404 200 200 404 200 200 403 401",
    ("GET", "alerts/{chief_alert}/"): "404 404 404 404 200 404 200 200 403 401",
    ("POST", "alerts/{alert}/claim/"): "404 404 404 200 200 404 200 403 403 401",
    ("POST", "alerts/{chief_alert}/claim/"): "404 404 404 404 200 404 200 403 403 401",
    ("POST", "alerts/{alert}/release/"): "404 404 404 200 200 404 200 403 403 401",
    ("POST", "alerts/{alert}/escalate/"): "404 404 404 200 200 404 200 403 403 401",
    ("POST", "alerts/{alert}/assign/"): "404 404 404 200 200 404 200 403 403 401",
    ("POST", "alerts/{alert}/snooze/"): "404 404 404 200 200 404 200 403 403 401",
    ("POST", "alerts/{alert}/defer/"): "404 404 404 200 200 404 200 403 403 401",
    ("POST", "alerts/{alert}/wake/"): "404 404 404 200 200 404 200 403 403 401",
    ("POST", "alerts/{alert}/close/"): "404 404 404 200 200 404 200 403 403 401",
    ("POST", "alerts/{chief_alert}/close/"): "404 404 404 404 200 404 200 403 403 401",
    ("POST", "alerts/{alert}/reopen/"): "404 404 404 200 200 404 200 403 403 401",
    ("POST", "alerts/{alert}/undo/"): "404 404 404 200 200 404 200 403 403 401",
    ("GET", "consultations/"): "200 200 200 200 200 200 200 403 403 401",
    ("POST", "consultations/"): "201 404 404 201 201 404 201 403 403 401",
    ("GET", "consultations/{asked}/"): "200 404 404 200 200 404 200 403 403 401",
    ("POST", "consultations/{asked}/reply/"): "200 404 404 200 200 404 200 403 403 401",
    ("POST", "consultations/{asked}/close/"): "200 404 404 200 200 404 200 403 403 401",
    # The case is about Aoi, who has been told; Sora leads it.
    ("GET", "cases/"): LISTS,
    ("POST", "cases/"): "403 403 403 201 201 403 201 403 403 401",
    ("GET", "cases/{case}/"): "200 404 404 200 404 404 404 404 403 401",
    ("POST", "cases/{case}/steps/"): "403 404 404 200 404 404 404 404 403 401",
    ("GET", "hours/"): LISTS,
    ("GET", "hours/{aoi}/"): "200 404 404 200 200 404 200 200 403 401",
    ("GET", "me/"): LISTS,
    # The alert isn't closed yet, so its employee doesn't see it; tests/api/test_own.py has one that is.
    ("GET", "me/flags/{alert}/"): "404 404 404 404 404 404 404 404 403 401",
    ("POST", "me/flags/{alert}/remarks/"): "404 404 404 404 404 404 404 404 403 401",
    ("GET", "figures/"): "403 403 403 200 200 200 200 200 403 401",
    ("GET", "exports/"): "403 403 403 403 403 403 200 200 403 401",
    ("POST", "exports/"): "403 403 403 403 403 403 201 201 403 401",
    ("GET", "exports/{export}/"): "403 403 403 403 403 403 200 200 403 401",
    ("GET", "exports/{export}/download/"): "403 403 403 403 403 403 409 409 403 401",
    ("POST", "exports/{export}/approve/"): "403 403 403 403 403 403 200 403 403 401",
    ("POST", "exports/{export}/refuse/"): "403 403 403 403 403 403 409 403 403 401",
    ("POST", "exports/{export}/cancel/"): "403 403 403 403 403 403 200 200 403 401",
    ("GET", "access-log/"): "403 403 403 403 403 403 200 200 403 401",
    ("GET", "ledger/checkpoint/"): LISTS,
    ("GET", "ledger/proof/{message}/"): "200 404 404 200 200 404 200 200 403 401",
    ("GET", "files/{file}/"): "200 404 404 200 200 404 200 200 403 401",
    ("GET", "files/{original}/?unmask_reason=call"): "403 404 404 403 403 404 200 403 403 401",
    ("GET", "templates/"): LISTS,
    ("GET", "rules/"): LISTS,
    ("POST", "rules/{rules}/acknowledge/"): "200 200 200 200 200 200 200 403 403 401",
    ("POST", "scan/"): LISTS,
    ("GET", "schema/"): "200 200 200 200 200 200 200 200 200 200",
}
BODIES = {
    "messages/": {"text": "Your room is ready."},
    "{asked}/reply/": {"text": "Thank you."},
    "{asked}/close/": {"result": "settled"},
    "close/": {"resolution": "no_action", "comment": "Talked."},
    "reopen/": {"reason": "Another look"},
    "acknowledge/": {"digest": rules_text.DIGEST},
    "scan/": {"text": "Your room is ready."},
    "remarks/": {"kind": "comment", "text": "A guest of years."},
    "refuse/": {"reason": "Too wide"},
    "exports/": {"purpose": "Audit", "filters": {"channel": "chat"}, "formats": ["csv"]},
    "steps/": {"action": "note", "text": "Asked the desk."},
}


def stranger(hotel: Hotel) -> Conversation:
    """An unassigned conversation of Aoi's team with somebody the CRM does not know."""
    known = Conversation.objects.filter(subject="Who am I?").first()
    unknown = Customer.objects.create(name="Unknown") if known is None else known.customer
    return known or conversation_open(customer=unknown, channel="chat", team=hotel.talk.team, subject="Who am I?")


def waiting(hotel: Hotel) -> Message:
    """A message of Aoi's that can still be taken back."""
    known = Message.objects.filter(conversation=hotel.talk, text="See you.").first()
    if known is not None:
        return known
    later = timezone.now() + timedelta(hours=1)
    sent = gateway.send(actor=hotel.people["aoi"], conversation=hotel.talk, text="See you.", send_at=later)
    assert sent.message is not None
    return sent.message


def asked(hotel: Hotel) -> Consultation:
    """Aoi's request for help."""
    known = Consultation.objects.filter(conversation=hotel.talk, origin="employee").first()
    return known or consultation_open(conversation=hotel.talk, actor=hotel.people["aoi"], words="He shouts.")


def case_of(hotel: Hotel) -> Case:
    """A case that Sora leads, after Aoi was told."""
    sora, aoi = hotel.people["sora"], hotel.people["aoi"]
    known = Case.objects.filter(opened_by=sora, told_at__isnull=False).first()
    if known is None:
        known = case_open(actor=sora, sort="conduct", concerned=aoi)
        case_tell(case_id=known.pk, actor=sora, allegation="You gave your number.")
    return known


def exported(hotel: Hotel) -> ExportJob:
    """An export of the auditor's that waits for approval, or did."""
    rio = hotel.people["rio"]
    known = ExportJob.objects.filter(requested_by=rio, bytes=1).exclude(state="ready").first()
    return known or authorised.exports(rio)["waiting"]


def address(hotel: Hotel, path: str) -> str:
    alerts = {alert.concerned_id: alert.pk for alert in Alert.objects.all()}
    return path.format(
        talk=hotel.talk.pk,
        stranger=stranger(hotel).pk,
        message=Message.objects.get(conversation=hotel.talk, direction="inbound").pk,
        waiting=waiting(hotel).pk,
        asked=asked(hotel).pk,
        held=(Message.objects.filter(text__contains="aoi_private").first() or factories.held(hotel.talk)).pk,
        case=case_of(hotel).pk,
        export=exported(hotel).pk,
        file=Attachment.objects.get(message__conversation=hotel.talk, kind="attachment").pk,
        original=Attachment.objects.get(message__conversation=hotel.talk, kind="original").pk,
        aoi=hotel.people["aoi"].pk,
        alert=alerts[hotel.people["aoi"].pk],
        rules=rules_text.published(hotel.people["kai"]).pk,
        chief_alert=alerts[hotel.people["sora"].pk],
    )


def body_for(method: str, path: str, hotel: Hotel) -> dict[str, Any] | None:
    if path.endswith("/assign/"):
        return {"to": str(hotel.people["kai"].pk)}
    if path == "consultations/":
        return {"conversation": str(hotel.talk.pk)} if method == "POST" else None
    if path == "cases/":
        return {"sort": "conduct", "concerned": str(hotel.people["aoi"].pk)} if method == "POST" else None
    if path.endswith("/customer/"):
        return {"customer": str(hotel.talk.customer_id)} if method == "POST" else None
    return next((body for end, body in BODIES.items() if path.endswith(end)), {}) if method == "POST" else None


@pytest.mark.parametrize("name", PEOPLE)
def test_each_role_on_each_address(hotel: Hotel, name: str) -> None:
    found = {}
    for method, path in TABLE:
        response = hotel.call(name, method, address(hotel, path), body_for(method, path, hotel))
        found[method, path] = response.status_code
        read_to_end(response)
        if response.status_code >= 400:
            assert response["Content-Type"] == "application/problem+json"
        assert ("WWW-Authenticate" in response) == (response.status_code == 401)

    assert found == {key: int(row.split()[PEOPLE.index(name)]) for key, row in TABLE.items()}


def test_the_table_names_every_address() -> None:
    listed = {path.split("?")[0].replace("{chief_alert}", "{alert}") for _method, path in TABLE}
    patterns = {str(pattern.pattern).replace("<str:pk>", "{row}") for pattern in urls.urlpatterns}
    given = ["talk", "asked", "message", "alert", "file", "original"]
    given += ["stranger", "waiting", "held", "case", "rules", "export", "aoi"]
    for name in given:
        listed = {path.replace(f"{{{name}}}", "{row}") for path in listed}

    assert patterns - listed == set()
    assert get_resolver().resolve("/guard/api/v1/schema/").url_name == "api-schema"


@pytest.mark.parametrize(
    ("name", "talks", "alerts"),
    [
        ("aoi", {"talk"}, set()),
        ("mei", set(), set()),
        ("ren", {"other_talk"}, set()),
        ("sora", {"talk", "chief_talk"}, {"talk"}),
        ("yui", {"talk", "chief_talk"}, {"talk", "chief_talk"}),
        ("hina", {"other_talk"}, {"other_talk"}),
        ("kai", {"talk", "other_talk", "chief_talk"}, {"talk", "other_talk", "chief_talk"}),
        ("rio", {"talk", "other_talk", "chief_talk"}, {"talk", "other_talk", "chief_talk"}),
    ],
)
def test_lists_hold_what_is_theirs(hotel: Hotel, name: str, talks: set[str], alerts: set[str]) -> None:
    keys = {str(getattr(hotel, talk).pk): talk for talk in ("talk", "other_talk", "chief_talk")}

    def seen(path: str, field: str) -> set[str]:
        return {keys[row[field]] for row in hotel.call(name, "GET", path).json()["results"]}

    assert seen("conversations/", "id") == talks
    assert seen("messages/", "conversation") == talks
    assert seen("alerts/", "conversation") == alerts
    shown = {row["alert"] for row in hotel.call(name, "GET", "findings/").json()["results"]}
    assert shown == {str(alert.pk) for alert in Alert.objects.all() if keys[str(alert.conversation_id)] in alerts}
    lines = b"".join(hotel.call(name, "GET", "messages.jsonl").streaming_content).splitlines()  # type: ignore[attr-defined]
    assert len(lines) == len(talks) + 1


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_nothing_is_changed_or_deleted_over_the_api(hotel: Hotel, method: str) -> None:
    for path in {path for _method, path in TABLE if "?" not in path}:
        assert hotel.call("kai", method, address(hotel, path)).status_code == 405
        assert hotel.call("nobody", method, address(hotel, path)).status_code in (401, 405)


def test_an_auditor_leaves_nothing_but_traces_of_reading(hotel: Hotel) -> None:
    address(hotel, "{held}")  # Aoi's messages exist already
    case_of(hotel)
    before = set(Event.objects.values_list("pk", flat=True))

    for method, path in TABLE:
        if path.startswith("messages."):
            continue
        read_to_end(hotel.call("rio", method, address(hotel, path), body_for(method, path, hotel)))

    kinds = set(Event.objects.filter(actor_type="employee").exclude(pk__in=before).values_list("kind", flat=True))
    assert kinds == {"view.content", "export.requested", "export.cancelled"}, "an auditor sees no unmasked mail"
    # The two that wait were written by Aoi.
    assert Message.objects.count() == 5
    assert set(Alert.objects.values_list("status", flat=True)) == {"open"}


def test_another_tenants_rows_do_not_exist(hotel: Hotel) -> None:
    from crm_contact_guard.directory.models import Employee

    Employee.objects.filter(pk=hotel.people["kai"].pk).update(tenant="elsewhere")

    assert hotel.call("kai", "GET", address(hotel, "conversations/{talk}/")).status_code == 404
    assert hotel.call("kai", "GET", "messages/").json()["results"] == []
    assert hotel.call("kai", "GET", "access-log/").json()["results"] == []
