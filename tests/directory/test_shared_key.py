"""``CUSTOMER["KEY"]``: a host without a customer table, where several rows describe one customer."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.test import override_settings

from crm_contact_guard import crm
from crm_contact_guard.directory.mirror import customer_for
from crm_contact_guard.directory.models import Customer
from crm_contact_guard.directory_sync import sync_all
from tests import factories
from tests.host.models import Client

pytestmark = pytest.mark.django_db

#: The test host's clients used like tickets, identified by their e-mail address.
TICKETS = {
    **settings.CONTACT_GUARD,
    "CUSTOMER": {"MODEL": "host.Client", "KEY": "emails", "NAME": "full_name", "EMAIL": "emails", "PHONE": "mobile"},
}


@pytest.fixture(autouse=True)
def tickets() -> None:
    for name, address, phone in (
        ("Lamp", "Hanako@mail.example", "090-1111-1111"),
        ("Door", "hanako@mail.example", "090-2222-2222"),
        ("Anonymous", "", "090-3333-3333"),
        ("Window", "bob@mail.example", ""),
    ):
        Client.objects.create(full_name=name, emails=address, mobile=phone)


@override_settings(CONTACT_GUARD=TICKETS)
def test_rows_with_the_same_value_are_one_customer_with_all_their_addresses() -> None:
    factories.user("aoi")

    assert sync_all()["customers"] == 2
    assert sync_all()["customers"] == 2

    hanako = Customer.objects.get(key="hanako@mail.example")
    assert sorted(hanako.addresses.filter(kind="phone").values_list("value", flat=True)) == [
        "090-1111-1111",
        "090-2222-2222",
    ]
    assert hanako.addresses.filter(kind="email").count() == 1
    assert sorted(Customer.objects.values_list("key", flat=True)) == ["bob@mail.example", "hanako@mail.example"]


@override_settings(CONTACT_GUARD=TICKETS)
def test_each_of_the_rows_leads_to_the_customer() -> None:
    found = {customer_for(row).pk for row in Client.objects.filter(emails__iexact="hanako@mail.example")}

    assert len(found) == 1
    assert customer_for("HANAKO@mail.example").pk in found


@override_settings(CONTACT_GUARD=TICKETS)
@pytest.mark.parametrize("key", ["", "nobody@mail.example"])
def test_an_unknown_key_has_no_customer(key: str) -> None:
    assert crm.adapter().customer(key) is None
    with pytest.raises(LookupError):
        customer_for(key)
