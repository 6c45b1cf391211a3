"""Manipulations of working state that users see: files, deliveries, conversations, holds, alerts."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from django.utils import timezone

from crm_contact_guard.channels.base import DeliveryStatus
from crm_contact_guard.conversations.identity import LINKED
from crm_contact_guard.delivery import outbox
from crm_contact_guard.delivery.models import Delivery
from crm_contact_guard.directory.ids import uuid7
from crm_contact_guard.files.models import Attachment
from crm_contact_guard.privacy.erasing import erase_messages
from crm_contact_guard.privacy.holds import hold_place
from crm_contact_guard.privacy.models import LegalHold
from crm_contact_guard.proof import canonical
from crm_contact_guard.record.models import Conversation, Message
from crm_contact_guard.record.recording import record_event
from crm_contact_guard.sealing.sealer import seal
from crm_contact_guard.supervision.alerts import NewFinding, Verdict, alert_raise
from crm_contact_guard.supervision.models import Alert, Finding
from crm_contact_guard.supervision.noticing import notice
from crm_contact_guard.supervision.review import alert_close
from tests import factories
from tests.record import rows
from tests.verification.tampering.scene import MANIPULATIONS, Scene, Words, manipulation, named, update


def _with_a_file(scene: Scene) -> Message:
    digest = sha256(b"photo").hexdigest()
    listed = {"name": "a.jpg", "type": "image/jpeg", "size": 5, "sha256": digest, "kind": "attachment"}
    message = rows.message(scene.talk, files=[listed])
    Attachment.objects.create(
        message=message, position=0, kind="attachment", name="a.jpg", content_type="image/jpeg", size=5, sha256=digest,
        stored_as="contact_guard/a",
    )  # fmt: skip
    seal()
    return message


def _file(*named: str, **values: Any) -> Any:
    def act(scene: Scene) -> Words:
        _with_a_file(scene)
        file = Attachment.objects.get()
        Attachment.objects.update(**values)
        return [f"attachment {file.pk}", *named]

    return act


for _name, _column, _value in (
    ("type", "content_type", "text/html"),
    ("kind", "kind", "original"),
    ("name", "name", "b.jpg"),
    ("digest", "sha256", sha256(b"other").hexdigest()),
    ("size", "size", 6),
    ("place", "position", 3),
    ("place_in_the_storage", "stored_as", ""),
):
    MANIPULATIONS[f"edit_the_{_name}_of_a_file"] = _file(f"{_column}: expected", **{_column: _value})


@manipulation
def add_a_file_to_a_message_without_files(scene: Scene) -> Words:
    file = Attachment.objects.create(
        message=scene.victim, position=0, kind="attachment", name="threat.pdf", content_type="application/pdf", size=1,
        sha256=sha256(b"x").hexdigest(), stored_as="contact_guard/x",
    )  # fmt: skip
    return [f"attachment {file.pk}: position: expected less than 0", "as the message lists no more files"]


@manipulation
def show_a_message_as_delivered(scene: Scene) -> Words:
    Delivery.objects.create(message=scene.victim, state="delivered", updated_at=timezone.now())
    return [f"delivery {scene.victim.pk}: is in the table, but no event made it"]


@manipulation
def hide_that_a_message_was_read(scene: Scene) -> Words:
    outbox.enqueue(scene.victim)
    outbox.carrier_said(scene.victim, DeliveryStatus.READ, occurred_at=timezone.now())
    Delivery.objects.update(state="sent")
    return [f"delivery {scene.victim.pk}: state: expected 'read', found 'sent'"]


@manipulation
def show_a_conversation_with_another_customer(scene: Scene) -> Words:
    other = factories.customer(name="Taro Ito")
    Conversation.objects.update(customer=other)
    return [f"conversation {scene.talk.pk}: customer_id: expected {scene.talk.customer_id}, found {other.pk}"]


@manipulation
def undo_a_link(scene: Scene) -> Words:
    """The conversation was linked to a customer; it is set back to the unknown sender of its messages."""
    other = factories.customer(name="Taro Ito")
    before = scene.talk.customer
    scene.talk.customer = other
    record_event(
        kind=LINKED, subject_type="conversation", subject_id=scene.talk.pk, actor_type="system",
        conversation=scene.talk, data={"from": str(before.pk), "to": str(other.pk)}, row=scene.talk,
    )  # fmt: skip
    return [f"conversation {scene.talk.pk}: customer_id: expected {other.pk}, found {before.pk}"]


@manipulation
def show_a_conversation_to_another_tenant(scene: Scene) -> Words:
    Conversation.objects.update(tenant="elsewhere")
    return [f"conversation {scene.talk.pk}: tenant: expected '', found 'elsewhere'"]


def _erased(scene: Scene) -> dict[str, Any]:
    before = Message.objects.values(*canonical.MESSAGE_PERSONAL, "salt").get(pk=scene.victim.pk)
    erase_messages(Message.objects.filter(pk=scene.victim.pk), basis="request")
    return before


@manipulation
def restore_an_erased_message_from_a_backup(scene: Scene) -> Words:
    update(scene.victim, **_erased(scene))
    return [f"message {scene.victim.pk}", "was erased, but its values or their salt were restored"]


@manipulation
def keep_the_salt_of_an_erased_message(scene: Scene) -> Words:
    update(scene.victim, salt=_erased(scene)["salt"])
    return [f"message {scene.victim.pk}", "was erased, but its values or their salt were restored"]


@manipulation
def fill_an_erased_message_with_other_words(scene: Scene) -> Words:
    _erased(scene)
    update(scene.victim, text="I agree to everything", salt=canonical.new_salt(canonical.MESSAGE_PERSONAL))
    return [named(scene.victim), "text differs from what was sealed"]


@manipulation
def redirect_an_erasure_to_another_message(scene: Scene) -> Words:
    """A genuine erasure of one message, whose event is redirected to another message."""
    erase_messages(Message.objects.filter(pk=scene.other.pk), basis="request")
    event = scene.erasure(scene.other)
    update(event, subject_id=str(scene.victim.pk))
    update(scene.victim, salt=None, **dict.fromkeys(canonical.MESSAGE_PERSONAL))
    return [f"event {event.pk}", f"message {scene.other.pk}", "emptied without a recorded erasure"]


def _hold(scene: Scene) -> LegalHold:
    return hold_place(name="Dispute", reason="court", placed_by=None, customer=scene.talk.customer)


@manipulation
def release_a_hold_without_an_event(scene: Scene) -> Words:
    hold = _hold(scene)
    LegalHold.objects.update(released_at=timezone.now())
    return [f"legalhold {hold.pk}: released_at: expected nothing, found "]


@manipulation
def move_a_hold_to_another_customer(scene: Scene) -> Words:
    hold = _hold(scene)
    LegalHold.objects.update(customer=factories.customer(name="Taro Ito"))
    return [f"legalhold {hold.pk}: customer_id: expected {scene.talk.customer_id}"]


@manipulation
def drop_a_hold(scene: Scene) -> Words:
    hold = _hold(scene)
    LegalHold.objects.filter(pk=hold.pk).delete()
    return [f"legalhold {hold.pk}: was recorded and is gone"]


def _alert(scene: Scene) -> Alert:
    finding = NewFinding(
        message=scene.victim, kind="contact_identifier", start=0, end=3, score=0.9, detector="line", version="1"
    )
    verdict = Verdict(topic="off_channel", by="employee", stance="offer", at=scene.victim, findings=[finding])
    alert = alert_raise(conversation=scene.talk, verdict=verdict, notify=False)
    assert alert is not None
    return alert


@manipulation
def drop_an_alert(scene: Scene) -> Words:
    key, finding = _alert(scene).pk, Finding.objects.get().pk
    Finding.objects.all().delete()
    Alert.objects.all().delete()
    return [f"alert {key}: was recorded and is gone", f"finding {finding}: was recorded and is gone"]


@manipulation
def close_an_alert_in_anothers_name(scene: Scene) -> Words:
    alert = _alert(scene)
    Alert.objects.update(status="closed", resolution="false_positive", closed_by=scene.talk.employee_id)
    return [f"alert {alert.pk}: {name}: expected " for name in ("status", "resolution", "closed_by_id")]


@manipulation
def lower_an_alert(scene: Scene) -> Words:
    alert = _alert(scene)
    Alert.objects.update(severity=1, by="customer")
    return [f"alert {alert.pk}: {name}: expected " for name in ("by", "severity")]


@manipulation
def address_an_alert_to_somebody_else(scene: Scene) -> Words:
    alert = _alert(scene)
    Alert.objects.update(addressee=factories.employee("friend"))
    return [f"alert {alert.pk}: addressee_id: expected nothing"]


@manipulation
def rewrite_how_an_alert_was_closed(scene: Scene) -> Words:
    alert, reviewer = _alert(scene), factories.employee("supervisor", job="compliance")
    alert_close(alert_id=alert.pk, reviewer=reviewer, resolution="coaching", comment="Talked to Aoi")
    Alert.objects.update(resolution="false_positive", comment="Nothing")
    return [
        f"alert {alert.pk}: resolution: expected 'coaching', found 'false_positive'",
        f"alert {alert.pk}: comment: expected what was recorded",
    ]


@manipulation
def add_an_alert(scene: Scene) -> Words:
    alert = _alert(scene)
    alert.pk = uuid7()
    alert.save(force_insert=True)
    return [f"alert {alert.pk}: is in the table, but no event made it"]


def _noticed(scene: Scene) -> Finding:
    finding = NewFinding(
        message=scene.victim, kind="contact_request", start=0, end=3, score=0.3, detector="ranker", version="1"
    )
    verdict = Verdict(
        topic="off_channel", by="employee", stance="offer", at=scene.victim, findings=[finding], tier="noticed"
    )
    [stored] = notice(conversation=scene.talk, verdict=verdict)
    return stored


@manipulation
def drop_a_noticed_finding(scene: Scene) -> Words:
    key = _noticed(scene).pk
    Finding.objects.all().delete()
    return [f"finding {key}: was recorded and is gone"]


@manipulation
def lower_a_noticed_finding(scene: Scene) -> Words:
    key = _noticed(scene).pk
    Finding.objects.update(score=0.1)
    return [f"finding {key}: score: expected '0.3000', found '0.1000'"]


@manipulation
def add_a_noticed_finding(scene: Scene) -> Words:
    finding = Finding.objects.create(
        message=scene.other, kind="private_meeting", start=0, end=3, score=0.3, detector="ranker", version="1",
        stance="ask", by="employee", created_at=timezone.now(),
    )  # fmt: skip
    return [f"finding {finding.pk}: is in the table, but no event made it"]
