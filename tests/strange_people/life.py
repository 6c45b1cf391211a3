"""A customer's life in that host; prints "well" at its end."""

from __future__ import annotations

import re
from typing import Any

import django

django.setup()

from django.apps import apps  # noqa: E402
from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.template import engines  # noqa: E402
from django.test import Client, RequestFactory  # noqa: E402
from django.urls import reverse  # noqa: E402
from django.utils import timezone  # noqa: E402

from crm_contact_guard import gateway  # noqa: E402
from crm_contact_guard.channels.base import InboundMessage  # noqa: E402
from crm_contact_guard.directory.models import Customer, Employee  # noqa: E402
from crm_contact_guard.record.models import Conversation, Message  # noqa: E402
from crm_contact_guard.sealing.sealer import seal  # noqa: E402
from crm_contact_guard.supervision.models import Alert  # noqa: E402
from crm_contact_guard.verification.whole_record import verify  # noqa: E402
from tests.strange_people.models import Colleague, Party, User  # noqa: E402

#: A right-to-left name with an emoji, longer than we keep names.
NAME = "חנה 🌸 " + "דה לה קרוס " * 30

call_command("migrate", run_syncdb=True, verbosity=0)
call_command("makemigrations", "crm_contact_guard", check=True, dry_run=True, verbosity=0)


def staff(code: str, job: str, name: str = "", **fields: Any) -> User:
    return User._base_manager.create(code=code, email=f"{code}@kaede.example", full_name=name, job=job, **fields)


model: Any = apps.get_model(settings.CONTACT_GUARD["CUSTOMER"]["MODEL"])
spec = settings.CONTACT_GUARD["CUSTOMER"]


def customer(name: str, mail: str, owner: User, code: str) -> Any:
    fields = {spec["NAME"]: name, spec["EMAIL"]: mail, spec["OWNER"]: owner}
    if model is User:
        fields["job"] = "guest"
    if "code" in {field.name for field in model._meta.fields}:
        fields["code"] = code
    return model._base_manager.create(**fields)


aoi = staff("aoi", "clerk", "Aoi Tanaka")
vera = staff("ヴェラ/1", "compliance", "Vera " * 79)
left = staff("left", "clerk", is_active=False)
nameless = User._base_manager.create(code="kiosk", email=None, job="clerk")
for number in range(3):  # keys of parents and children part
    Party.objects.create(title=f"Supplier {number}")
if model._meta.get_parent_list():
    Colleague.objects.create(title="Aoi Tanaka", mail="aoi@kaede.example", user=aoi)
hanako = customer(NAME, "hanako@mail.example", aoi, "C/0 01 é%?#")
robert = customer("Robert", "robert@mail.example", aoi, "0002")

counted = len(model._base_manager.all())
for _twice in range(2):
    call_command("contact_guard_sync", verbosity=0)
    assert Customer.objects.filter(active=True).count() == counted, list(Customer.objects.values_list("key", "name"))
assert Employee.objects.filter(active=True).count() == 3, list(Employee.objects.values_list("key", "active"))
assert all(Employee.objects.values_list("name", flat=True)), "people without a name"
mirrored = Customer.objects.get(key=str(hanako.pk))
assert mirrored.owner.key == "aoi"
assert mirrored.name == NAME[:255]
assert {employee.user for employee in Employee.objects.filter(active=True)} == {aoi, vera, nameless}


def to(name: str, *args: Any) -> str:
    return reverse(f"crm_contact_guard:{name}", args=args)


# The panel, by the row, by the key as a template has it, and by what the host calls the same person.
request = RequestFactory().get("/")
request.user = aoi
panel = engines["django"].from_string("{% load contact_guard %}{% contact_guard_panel row %}")
parents = [getattr(hanako, f"{parent._meta.model_name}_ptr") for parent in model._meta.get_parent_list()]
for row in (hanako, str(hanako.pk), hanako.pk, *parents):
    assert to("conversation_start") in panel.render({"row": row}, request), row
for nobody in ("a\0b", "9" * 40, "no such", "x" * 3000, "-1"):
    assert panel.render({"row": nobody}, request).strip() == "", nobody

clerk = Client()
clerk.force_login(aoi)
started = clerk.post(to("conversation_start"), {"customer": str(hanako.pk)})
assert started.status_code == 302, started.content
for nobody in ("a\0b", "9" * 40, "no such"):
    assert clerk.post(to("conversation_start"), {"customer": nobody}).status_code == 403, nobody
talk = Conversation.objects.get()
assert talk.customer == mirrored
assert talk.employee.key == "aoi"
assert clerk.post(to("conversation_send", talk.pk), {"text": "Your room is ready."}).status_code in (200, 302)
link = clerk.post(to("chat_link_create", talk.pk), follow=True).content.decode()
guest = Client()
assert guest.get(re.search(r"http://testserver(/guard/chat/[^\"\s]+)", link)[1]).status_code == 302
page = guest.get(to("chat_page")).content.decode()
form = dict(re.findall(r'name="(form_token|key)" value="([^"]*)"', page))
guest.post(to("chat_page"), {**form, "text": "LINE交換しませんか？ID: hanako_22"})
assert Alert.objects.get().addressee.key == vera.pk
officer = Client()
officer.force_login(vera)
for address in (to("alert", Alert.objects.get().pk), to("dashboard"), to("data_requests") + "?q=hanako", to("inbox")):
    assert officer.get(address).status_code == 200, address
search = clerk.get(to("inbox") + "?q=Robert").content.decode()
assert "Robert" in search

# A mail finds its writer by address, also where a colleague is in the same table.
heard = gateway.receive(
    InboundMessage(
        channel="email",
        event_id="1",
        from_address="robert@mail.example",
        text="Hello",
        occurred_at=timezone.now(),
    )
)
assert heard.conversation.customer.key == str(robert.pk)
assert heard.conversation.employee.key == "aoi"

# A row of the host goes, and takes no record with it.
recorded = Message.objects.count()
model._base_manager.filter(pk=robert.pk).delete()
User._base_manager.filter(pk=nameless.pk).delete()
call_command("contact_guard_sync", verbosity=0)
assert not Customer.objects.get(key=str(robert.pk)).active
assert not Employee.objects.get(key="kiosk").active
assert Message.objects.count() == recorded
seal()
assert not (faults := verify().faults), faults[:5]
print("well")
