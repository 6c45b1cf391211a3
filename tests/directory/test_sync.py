"""Synchronisation of the whole directory."""

from __future__ import annotations

import io

import pytest
from django.core.management import call_command

from crm_contact_guard.crm import CustomerRecord
from crm_contact_guard.directory.mirror_customers import mirror_customer
from crm_contact_guard.directory.models import Customer, Employee, Team
from tests import factories
from tests.host.models import Client, User

pytestmark = pytest.mark.django_db


def sync() -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command("contact_guard_sync", stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_all_are_mirrored_and_a_repeat_changes_nothing() -> None:
    branch = factories.team(head="sora", deputy="yui")
    clerk = factories.user("aoi", branch=branch)
    Client.objects.create(
        full_name="Hanako Sato", emails="a@x.example, b@x.example", mobile="090-1234-5678", manager=clerk
    )

    said, complaint = sync()

    assert said == "1 teams, 3 employees, 1 customers\n"
    assert complaint == ""
    customer = Customer.objects.get()
    assert customer.owner is not None
    assert (customer.owner.name, customer.team) == ("Aoi", Team.objects.get())
    assert [address.value for address in customer.addresses.all()] == ["a@x.example", "b@x.example", "090-1234-5678"]
    assert sync()[0] == said
    assert (Employee.objects.count(), Customer.objects.count()) == (3, 1)


def test_an_employee_who_left_is_deactivated_and_kept() -> None:
    factories.user("sora")
    leaver = factories.user("aoi")
    sync()
    leaver.delete()

    sync()

    gone = Employee.objects.get(name="Aoi")
    assert (gone.active, gone.user) == (False, None)


def test_an_empty_host_deactivates_no_one() -> None:
    factories.employee("aoi")
    User.objects.all().delete()

    assert "No one was deactivated" in sync()[1]
    assert Employee.objects.get().active


def test_values_that_are_too_long_are_omitted() -> None:
    """A host may store "English (United Kingdom), as spoken in …" instead of a code; PostgreSQL does not truncate."""
    record = CustomerRecord(
        key="1",
        name="N" * 400,
        language="English (United Kingdom)",
        timezone="(UTC+09:00) Osaka, Sapporo, Tokyo and whatever else the host says of it",
        url="https://crm.example/" + "x" * 600,
    )

    customer = mirror_customer(record)

    assert len(customer.name) == 255
    assert (customer.language, customer.timezone, customer.url) == ("", "", "")
