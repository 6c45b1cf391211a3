"""The directory's sync by batches: few queries, no needless write, and each batch whole or not at all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import override_settings
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm_contact_guard.crm import AddressRecord, CustomerRecord, DeclarativeAdapter, paths
from crm_contact_guard.directory.mirror_customers import mirror_customers
from crm_contact_guard.directory.models import Address, Customer, Employee
from crm_contact_guard.directory.writing import BATCH
from crm_contact_guard.directory_sync import sync_all
from crm_contact_guard.record.models import Event
from tests import factories
from tests.host.models import Branch, Client, User

pytestmark = pytest.mark.django_db

#: Queries of a batch: the host's rows, owners, teams, customers and addresses, and what is written.
MOST = 12


def clients(number: int, **fields: object) -> list[Client]:
    manager = User.objects.filter(job="clerk").first() or factories.user("aoi", branch=factories.team(head="sora"))
    first = Client.objects.count()
    return Client.objects.bulk_create(
        Client(
            full_name=f"Customer {place}",
            emails=f"c{place}@mail.example",
            mobile=f"090-1234-{place:04}",
            manager=manager,
            **fields,
        )
        for place in range(first, first + number)
    )


def asked(work: Callable[[], object]) -> list[str]:
    with CaptureQueriesContext(connection) as queries:
        work()
    return [query["sql"] for query in queries]


def written(queries: list[str], *tables: str) -> list[str]:
    """Those that write to our tables of customers and addresses, or to some of them."""
    names = "|".join(f"crm_contact_guard_{table}" for table in tables or ("customer", "address"))
    return [sql for sql in queries if re.match(rf"(INSERT[A-Z ]*|UPDATE|DELETE FROM)\W+({names})\W", sql)]


def test_the_queries_do_not_grow_with_the_customers_of_a_batch() -> None:
    clients(10)
    sync_all()
    few = asked(sync_all)
    clients(190)
    sync_all()

    many = asked(sync_all)

    assert len(many) == len(few)
    assert not written(many)


def test_a_further_batch_asks_a_dozen_times() -> None:
    clients(BATCH)
    sync_all()
    one = len(asked(sync_all))
    clients(1)
    sync_all()

    assert len(asked(sync_all)) - one <= MOST


def test_new_customers_are_written_together() -> None:
    record = CustomerRecord(key="", name="Hanako", addresses=(AddressRecord(kind="email", value="h@mail.example"),))
    told = [CustomerRecord(key=str(key), name="Hanako", addresses=record.addresses) for key in range(50)]

    queries = asked(lambda: mirror_customers(told))

    assert len(queries) <= MOST
    assert (Customer.objects.count(), Address.objects.count()) == (50, 50)


def test_only_what_changed_is_written() -> None:
    rows = clients(30)
    sync_all()
    Client.objects.filter(pk=rows[3].pk).update(full_name="Hanako S.")
    Client.objects.filter(pk=rows[4].pk).update(emails="", mobile="090-9999-0000")

    queries = asked(sync_all)

    [renamed] = written(queries, "customer")
    assert "Hanako S." in renamed
    assert len(written(queries, "address")) == 3, "one taken away (be it as dropped), one added"
    assert Customer.objects.get(key=str(rows[3].pk)).name == "Hanako S."
    [address] = Address.objects.filter(customer__key=str(rows[4].pk))
    assert (address.value, address.position) == ("090-9999-0000", 0)
    assert Address.objects.count() == 59


class Halting(DeclarativeAdapter):
    """The CRM goes away after some customers of the second batch."""

    def customers(self) -> Iterator[CustomerRecord]:
        for number, record in enumerate(super().customers()):
            if number == BATCH + 5:
                raise ConnectionResetError("the CRM went away")
            yield record


def test_a_sync_that_is_cut_off_leaves_whole_batches_and_takes_nobody_for_gone() -> None:
    rows = clients(BATCH + 10)
    gone = factories.customer("Gone")
    Client.objects.exclude(pk__in=[row.pk for row in rows]).delete()

    with (
        override_settings(CONTACT_GUARD={**settings.CONTACT_GUARD, "CRM_ADAPTER": f"{__name__}.Halting"}),
        pytest.raises(ConnectionResetError),
    ):
        sync_all()

    mirrored = Customer.objects.exclude(pk=gone.pk)
    assert (mirrored.count(), Address.objects.filter(customer__in=mirrored).count()) == (BATCH, 2 * BATCH)
    assert Customer.objects.get(pk=gone.pk).active
    sync_all()
    assert Address.objects.count() == 2 * (BATCH + 10)
    assert not Customer.objects.get(pk=gone.pk).active


def test_a_batch_whose_writing_fails_is_not_there_at_all() -> None:
    clients(20)

    def full(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith("INSERT") and "crm_contact_guard_address" in sql:
            raise OSError("no space left on device")
        return execute(sql, *rest)

    with connection.execute_wrapper(full), pytest.raises(OSError, match="no space"):
        sync_all()

    assert not Customer.objects.exists()


def test_another_process_may_have_mirrored_one_of_them_meanwhile() -> None:
    rows = clients(3)
    raced: list[str] = []

    def race(execute: Any, sql: str, *rest: Any) -> Any:
        if sql.startswith("INSERT") and "crm_contact_guard_customer" in sql and not raced:
            raced.append(sql)
            Customer.objects.create(key=str(rows[1].pk), name="Seen by a page")
        return execute(sql, *rest)

    with connection.execute_wrapper(race):
        assert sync_all()["customers"] == 3

    assert raced
    assert sorted(Customer.objects.values_list("name", flat=True)) == ["Customer 0", "Customer 1", "Customer 2"]
    assert Address.objects.count() == 6


def test_a_customer_that_is_told_twice_is_one_as_told_last() -> None:
    def told(name: str, *addresses: str) -> CustomerRecord:
        return CustomerRecord(
            key="7", name=name, addresses=tuple(AddressRecord(kind="email", value=value) for value in addresses)
        )

    first, second = mirror_customers([told("Hana", "a@mail.example"), told("Hanako", "b@mail.example")])

    assert first == second
    assert (first.name, [row.value for row in first.addresses.all()]) == ("Hanako", ["b@mail.example"])


def test_equal_keys_of_two_tenants_are_two_customers_with_their_own_owners() -> None:
    for tenant in ("tokyo", "london"):
        Employee.objects.create(tenant=tenant, key="1", name=f"Aoi of {tenant}")

    found = mirror_customers(
        [CustomerRecord(key="7", name=tenant, owner_key="1", tenant=tenant) for tenant in ("tokyo", "london")]
    )

    assert [(row.tenant, row.owner and row.owner.name) for row in found] == [
        ("tokyo", "Aoi of tokyo"),
        ("london", "Aoi of london"),
    ]
    assert Customer.objects.count() == 2


def test_a_word_such_as_stop_stays_with_an_address_whoever_has_it() -> None:
    rows = clients(2)
    sync_all()
    stopped = Address.objects.filter(customer__key=str(rows[0].pk), kind="email")
    stopped.update(opted_out_at=timezone.now(), opted_out_by="stop")
    address = rows[0].emails
    Client.objects.filter(pk=rows[0].pk).update(emails="")
    Client.objects.filter(pk=rows[1].pk).update(emails=address)

    sync_all()
    repeat = asked(sync_all)

    old, new = Address.objects.filter(normalised=address).order_by("customer__name")
    assert (old.dropped, old.opted_out_by) == (True, "stop")
    assert (new.dropped, new.opted_out_by, new.opted_out_at) == (False, "stop", old.opted_out_at)
    assert not written(repeat)


def test_an_address_learnt_here_stays_and_is_the_hosts_once_it_tells_of_it() -> None:
    [row] = clients(1)
    sync_all()
    customer = Customer.objects.get()
    Address.objects.create(
        customer=customer, kind="email", value="w@mail.example", normalised="w@mail.example", learnt=True
    )
    sync_all()
    assert customer.addresses.filter(learnt=True).exists()

    Client.objects.filter(pk=row.pk).update(emails="W@mail.example")
    sync_all()

    [mail] = customer.addresses.filter(kind="email")
    assert (mail.value, mail.learnt, mail.position) == ("W@mail.example", False, 0)


def test_customers_that_are_lost_together_are_each_on_record() -> None:
    rows = clients(40)
    sync_all()
    Client.objects.exclude(pk=rows[0].pk).delete()

    queries = asked(sync_all)

    assert Customer.objects.get(active=True).key == str(rows[0].pk)
    assert Event.objects.filter(kind="customer.gone").count() == 39
    assert len(written(queries)) == 1


# --- the host's side


def test_relations_that_paths_lead_over_are_read_together() -> None:
    clients(3)
    model_paths = ["manager.branch.title", "manager.branch.members.email", "full_name", "whole_name"]
    plain = list(Client.objects.order_by("pk"))

    told = asked(
        lambda: [
            paths.texts(row, model_paths)
            for row in Client.objects.order_by("pk").prefetch_related(*paths.prefetches(Client, model_paths))
        ]
    )

    assert len(told) == 4, "clients, managers, branches, members"
    together = Client.objects.order_by("pk").prefetch_related(*paths.prefetches(Client, model_paths))
    assert [paths.texts(row, model_paths) for row in together] == [paths.texts(row, model_paths) for row in plain]


def test_what_is_no_relation_of_djangos_is_walked_as_before() -> None:
    assert paths.prefetches(Client, ["get_absolute_url", "id", "nothing.there"]) == []
    assert [prefetch.prefetch_to for prefetch in paths.prefetches(Branch, ["members.clients.emails", "head"])] == [
        "members",
        "members__clients",
        "head",
    ]
