"""A host with tenants whose rows are visible only in their context, which each task and the sync must enter."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings

from crm_contact_guard import crm, gateway, permissions, tasks
from crm_contact_guard.checks import check_tenants
from crm_contact_guard.conversations.lifecycle import conversation_open
from crm_contact_guard.crm import CustomerRecord, DeclarativeAdapter, EmployeeRecord, TeamRecord
from crm_contact_guard.directory.mirror import employee_for
from crm_contact_guard.directory.models import Customer, Employee, Team
from crm_contact_guard.directory_sync import sync_all
from crm_contact_guard.exceptions import ConfigurationError, InvalidMessage
from crm_contact_guard.installation.people import people_items
from crm_contact_guard.intake.backfill import OldMessage, record_old
from crm_contact_guard.notices.models import Notice
from crm_contact_guard.policy.company import company
from crm_contact_guard.policy.decision import Override, OverrideCode
from crm_contact_guard.record.models import Conversation
from tests import factories
from tests.host.models import Client, User

pytestmark = pytest.mark.django_db

context: ContextVar[str] = ContextVar("context", default="")
entered: list[str] = []


class Rows(DeclarativeAdapter):
    """Simulates row-level security: the time zone of a row is its tenant; rows of other tenants are hidden."""

    @contextmanager
    def tenant(self, key: str) -> Iterator[None]:
        entered.append(key)
        before = context.set(key)
        try:
            yield
        finally:
            context.reset(before)

    def tenants(self) -> tuple[str, ...]:
        return ("Asia/Tokyo", "Europe/London")

    def customers(self) -> Iterator[CustomerRecord]:
        return (record for record in super().customers() if record.timezone == context.get())

    def employees(self) -> Iterator[EmployeeRecord]:
        return (record for record in super().employees() if record.timezone == context.get())

    def teams(self) -> Iterator[TeamRecord]:
        return (record for record in super().teams() if self.user(record.supervisor_key).zone == context.get())


class Careless(Rows):
    """Returns the rows of all tenants in any context."""

    def customers(self) -> Iterator[CustomerRecord]:
        yield CustomerRecord(key="1", name="Somebody", tenant="Europe/London")


class Blind(Rows):
    """Returns no rows of one tenant."""

    def customers(self) -> Iterator[CustomerRecord]:
        return iter(()) if context.get() == "Europe/London" else super().customers()


class Shared(Rows):
    """A user table shared by all tenants, readable in any context; each tenant has its own company contacts."""

    def employees(self) -> Iterator[EmployeeRecord]:
        return DeclarativeAdapter.employees(self)

    def company_contacts(self) -> dict[str, list[str]]:
        return {"handles": [f"desk_{context.get()}"]}


class Open(DeclarativeAdapter):
    """No contexts: records contain their tenant. Optionally the rows of one tenant are hidden."""

    hidden = ""

    def customers(self) -> Iterator[CustomerRecord]:
        records = (replace(record, tenant=record.timezone) for record in super().customers())
        return (record for record in records if record.tenant != self.hidden)


class Here(Rows):
    """The host reports the current tenant, and its users belong to both."""

    def current_tenant(self) -> str:
        return context.get()

    def employees(self) -> Iterator[EmployeeRecord]:
        return (replace(record, tenant=context.get()) for record in DeclarativeAdapter.employees(self))

    def employee(self, user: Any) -> EmployeeRecord | None:
        record = super().employee(user)
        return None if record is None else replace(record, tenant="")


def with_adapter(adapter: type[DeclarativeAdapter]) -> Any:
    path = f"{adapter.__module__}.{adapter.__qualname__}"
    return override_settings(
        CONTACT_GUARD={
            **settings.CONTACT_GUARD,
            "CRM_ADAPTER": path,
            "EMPLOYEE": {**settings.CONTACT_GUARD["EMPLOYEE"], "TENANT": "zone"},
        }
    )


@pytest.fixture
def two() -> Iterator[None]:
    """Tokyo with aoi under sora, London with ann under bob; each has a customer of the same name and address."""
    entered.clear()
    for zone, clerk, head in (("Asia/Tokyo", "aoi", "sora"), ("Europe/London", "ann", "bob")):
        branch = factories.team(zone)
        branch.head = factories.user(head, job="chief", branch=branch, zone=zone)
        branch.save()
        manager = factories.user(clerk, branch=branch, zone=zone)
        Client.objects.create(full_name="Hanako Sato", emails="h@mail.example", manager=manager, zone=zone)
    Team.objects.all().delete()
    Employee.objects.all().delete()
    with with_adapter(Rows):
        sync_all()
        yield


@pytest.mark.usefixtures("two")
def test_the_sync_enters_each_tenant() -> None:
    assert entered == ["Asia/Tokyo", "Europe/London"]
    for model, count in ((Team, 1), (Employee, 2), (Customer, 1)):
        for tenant in entered:
            assert model._default_manager.filter(tenant=tenant).count() == count
    for team in Team.objects.select_related("supervisor"):
        assert team.supervisor is not None
        assert team.supervisor.tenant == team.tenant


@pytest.mark.usefixtures("two")
def test_each_task_runs_in_its_tenant() -> None:
    aoi, sora, bob = (Employee.objects.get(name=name) for name in ("Aoi", "Sora", "Bob"))
    talk = conversation_open(customer=Customer.objects.get(tenant="Asia/Tokyo"), channel="chat")
    sent = gateway.send(actor=aoi, conversation=talk, text="個人のLINE交換しませんか？ID: aoi_22", override=None)
    if sent.message is None:  # asked to think again: goes on all the same
        code = Override(code=OverrideCode.OTHER, text="trial")
        sent = gateway.send(actor=aoi, conversation=talk, text="個人のLINE交換しませんか？ID: aoi_22", override=code)
    assert sent.message is not None
    entered.clear()

    tasks.deliver(str(sent.message.pk))
    tasks.inspect(str(sent.message.pk))
    for notice in Notice.objects.all():
        tasks.notify(str(notice.pk))

    assert set(entered) == {"Asia/Tokyo"}
    assert len(entered) >= 3
    assert permissions.alerts(sora).exists()
    assert not permissions.alerts(bob).exists()
    for rows in (permissions.conversations, permissions.messages, permissions.events):
        assert not rows(bob).exists()
    assert not permissions.may_start(bob, talk.customer)
    assert not permissions.startable(bob).filter(tenant="Asia/Tokyo").exists()
    assert Conversation.objects.get().tenant == "Asia/Tokyo"


@pytest.mark.usefixtures("two")
def test_an_empty_tenant_deactivates_no_one() -> None:
    User.objects.filter(zone="Europe/London").update(zone="Nowhere")

    sync_all()

    assert Employee.objects.filter(active=True).count() == 4


@pytest.mark.usefixtures("two")
def test_a_supervisor_of_another_tenant_is_ignored() -> None:
    team = Team.objects.get(tenant="Asia/Tokyo")
    branch = factories.Branch.objects.get(pk=team.key)
    branch.deputy_head = User.objects.get(display_name="Bob")
    branch.save()

    sync_all()

    team.refresh_from_db()
    assert team.deputy is None


@pytest.mark.usefixtures("two")
def test_an_adapter_that_mixes_tenants_is_refused() -> None:
    with (
        with_adapter(Careless),
        pytest.raises(ConfigurationError, match="'Europe/London' in the context of 'Asia/Tokyo'"),
    ):
        sync_all()


@pytest.mark.usefixtures("two")
def test_a_mail_from_an_address_of_two_tenants_has_no_tenant() -> None:
    aoi, ann = (Employee.objects.get(name=name) for name in ("Aoi", "Ann"))
    heard = [factories.received("For whom?", channel="email", from_address="h@mail.example") for _ in range(2)]

    first, second = (each.conversation for each in heard)
    assert first is not None
    assert first == second
    assert first.tenant == ""
    assert not permissions.conversations(aoi).exists()
    assert not permissions.conversations(ann).exists()


@pytest.mark.usefixtures("two")
def test_the_check_reads_each_tenant_and_reports_an_empty_one() -> None:
    with with_adapter(Rows):
        whole = list(people_items())
    with with_adapter(Blind):
        blind = list(people_items())

    assert any("reads customers: 2 checked" in item.says for item in whole)
    assert any("reads employees: 2 employee, 2 supervisor" in item.says for item in whole)
    # The two customers share one address; the hint says how a message from it is handled.
    assert [item.says for item in whole if "tenant" in item.says] == [
        "1 addresses belong to customers of several tenants"
    ]
    assert any("no customers of tenant 'Europe/London'" in item.says for item in blind)


@pytest.mark.usefixtures("two")
def test_the_check_reports_an_adapter_that_mixes_tenants() -> None:
    with with_adapter(Careless):
        found = list(people_items())

    assert [item.level for item in found][-1] == "error"
    assert "in the context of 'Asia/Tokyo'" in found[-1].says


@pytest.mark.usefixtures("two")
def test_users_of_a_shared_table_are_mirrored_into_their_tenant() -> None:
    Employee.objects.update(user=None, active=False)

    with with_adapter(Shared):
        sync_all()

    found = Employee.objects.filter(active=True).values_list("name", "tenant")
    assert set(found) == {
        ("Aoi", "Asia/Tokyo"),
        ("Sora", "Asia/Tokyo"),
        ("Ann", "Europe/London"),
        ("Bob", "Europe/London"),
    }


@pytest.mark.usefixtures("two")
def test_an_empty_tenant_without_contexts_deactivates_no_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Open, "hidden", "Europe/London")

    with with_adapter(Open):
        sync_all()

    assert Customer.objects.filter(active=True, tenant="Europe/London").exists()


@pytest.mark.usefixtures("two")
def test_an_employee_who_moves_to_another_tenant_is_deactivated_in_the_old_one() -> None:
    User.objects.filter(display_name__in=["Aoi", "Sora"]).update(zone="Europe/London")
    before = Employee.objects.get(name="Aoi")

    with with_adapter(Open):
        sync_all()

    before.refresh_from_db()
    assert not before.active
    assert employee_for(before.user).tenant == "Europe/London"


@pytest.mark.usefixtures("two")
def test_a_user_of_two_tenants_is_the_employee_of_the_current_one() -> None:
    aoi = User.objects.get(display_name="Aoi")
    with with_adapter(Here):
        sync_all()
        tenants = []
        for tenant in ("Europe/London", "Asia/Tokyo"):
            before = context.set(tenant)
            tenants.append(employee_for(aoi).tenant)
            context.reset(before)
        nowhere = employee_for(aoi)

    assert tenants == ["Europe/London", "Asia/Tokyo"]
    assert nowhere is None


@pytest.mark.usefixtures("two")
def test_work_without_a_tenant_enters_none() -> None:
    entered.clear()

    with with_adapter(Rows), crm.tenant(""):
        assert crm.current_tenant() == ""

    assert entered == []


@pytest.mark.usefixtures("two")
def test_company_contacts_are_read_per_tenant() -> None:
    with with_adapter(Shared):
        found = []
        for tenant in ("Asia/Tokyo", "Europe/London"):
            with crm.tenant(tenant):
                found.append(company().handles)

    assert found == [{"desk_Asia/Tokyo"}, {"desk_Europe/London"}]


@pytest.mark.usefixtures("two")
def test_old_messages_are_recorded_in_their_tenant() -> None:
    hanako = str(Client.objects.get(zone="Asia/Tokyo").pk)
    aoi, ann = (User.objects.get(display_name=name).pk for name in ("Aoi", "Ann"))

    def old(key: str, employee: object) -> OldMessage:
        return OldMessage(
            key=key, customer_key=hanako, employee_key=str(employee), direction="outbound",
            channel="fax", text="See you at ten.", sent_at=factories.office_time(), tenant="Asia/Tokyo",
        )  # fmt: skip

    with with_adapter(Here):
        assert record_old(old("1", aoi)) == "recorded"
    with with_adapter(Rows), pytest.raises(InvalidMessage):
        record_old(old("2", ann))

    assert Conversation.objects.get().tenant == Conversation.objects.get().employee.tenant == "Asia/Tokyo"


def test_an_adapter_without_a_current_tenant_is_reported() -> None:
    with with_adapter(Rows):
        found = check_tenants(None)
    with with_adapter(Here):
        assert check_tenants(None) == []

    assert [message.id for message in found] == ["crm_contact_guard.W007"]
    assert "CUSTOMER" in found[0].msg
    assert "EMPLOYEE" not in found[0].msg


class Declared(DeclarativeAdapter):
    """Lists the tenants and leaves the rest to the settings: records contain their tenant, and all are readable."""

    def tenants(self) -> tuple[str, ...]:
        return ("Asia/Tokyo", "Europe/London")


ZONES = {"CUSTOMER": "zone", "EMPLOYEE": "zone", "TEAM": "head.zone"}


@pytest.mark.usefixtures("two")
def test_rows_visible_in_all_contexts_are_assigned_to_their_tenant() -> None:
    with_tenant = {name: {**settings.CONTACT_GUARD[name], "TENANT": path} for name, path in ZONES.items()}
    Client.objects.create(full_name="Jiro Sato", zone="")
    declared = f"{__name__}.{Declared.__qualname__}"

    with override_settings(CONTACT_GUARD={**settings.CONTACT_GUARD, **with_tenant, "CRM_ADAPTER": declared}):
        adapter = crm.adapter()
        with crm.tenant("Europe/London"):
            names = sorted(f"{record.name} {record.tenant}".strip() for record in adapter.customers())
            searched = [record.tenant for record in adapter.search("hanako", limit=1)]
            teams = [record.tenant for record in adapter.teams()]
        everything = len(list(adapter.customers()))
        sync_all()

    assert names == ["Hanako Sato Europe/London", "Jiro Sato"]
    assert searched == teams == ["Europe/London"]
    assert everything == 3
    assert {row.tenant for row in Customer.objects.filter(active=True)} == {"Asia/Tokyo", "Europe/London"}
