"""The declarative adapter for various hosts: filtered rows, names of several fields, profiles, no teams."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import override_settings

from crm_contact_guard import crm
from crm_contact_guard.crm import CustomerRecord, DeclarativeAdapter, paths
from crm_contact_guard.directory.mirror import customer_for, employee_for
from crm_contact_guard.directory.models import Customer, Employee, Team
from crm_contact_guard.directory_sync import sync_all
from crm_contact_guard.exceptions import ConfigurationError
from tests import factories
from tests.host.models import Branch, Client, User

pytestmark = pytest.mark.django_db


def guard(**changes: object) -> Any:
    return override_settings(CONTACT_GUARD={**settings.CONTACT_GUARD, **changes})


# --- customers who are users

USERS = {
    "CUSTOMER": {"MODEL": "host.User", "FILTER": {"job": "guest"}, "NAME": "display_name", "EMAIL": "email"},
    "EMPLOYEE": {"EXCLUDE": {"job": "guest"}, "ROLE": "job", "ROLES": {"clerk": "employee", "chief": "supervisor"}},
    "TEAM": {"EVERYBODY": "The salon"},
}


@guard(**USERS)
def test_customers_and_employees_can_be_users_selected_by_a_filter() -> None:
    guest, clerk = factories.user("hanako", job="guest"), factories.user("aoi")

    assert sync_all() == {"teams": 0, "employees": 1, "customers": 1} | {"teams": 1}
    assert Customer.objects.get().key == str(guest.pk)
    assert employee_for(clerk) is not None
    assert employee_for(guest) is None
    with pytest.raises(LookupError):
        customer_for(str(clerk.pk))


@guard(**USERS)
def test_a_customer_who_becomes_staff_is_deactivated() -> None:
    guest = factories.user("hanako", job="guest")
    factories.user("aoi")
    factories.user("jiro", job="guest")
    sync_all()
    User.objects.filter(pk=guest.pk).update(job="clerk")
    sync_all()

    assert not Customer.objects.get(key=str(guest.pk)).active
    assert Employee.objects.filter(key=str(guest.pk), active=True).exists()


@guard(**USERS)
def test_a_host_without_teams_has_one_team_for_everybody() -> None:
    chief = factories.user("ken", job="chief")
    for name in ("aoi", "emi"):
        factories.user(name)
    factories.user("hanako", job="guest")
    sync_all()

    team = Team.objects.get()
    assert (team.name, team.members.count()) == ("The salon", 3)
    assert team.supervisor is not None
    assert team.supervisor.user == chief
    assert Customer.objects.get().team == team


def test_an_unmapped_role_gives_no_access() -> None:
    stranger = factories.user("eve", job="subcontractor")

    assert crm.adapter().employee(stranger) is None
    with guard(EMPLOYEE={"ROLE": "job", "ROLES": {"chief": "supervisor"}, "DEFAULT_ROLE": "employee"}):
        record = crm.adapter().employee(stranger)
    assert record is not None
    assert record.role == "employee"


def test_booleans_can_be_roles() -> None:
    spec = {"ROLE": "is_active", "ROLES": {True: "supervisor", False: ""}}
    with guard(EMPLOYEE=spec):
        assert crm.adapter().role(factories.user("ken")) == "supervisor"  # type: ignore[attr-defined]
        assert crm.adapter().role(factories.user("eve", is_active=False)) == ""  # type: ignore[attr-defined]


# --- people in a separate model

PROFILES = {
    "EMPLOYEE": {
        "MODEL": "host.Branch",
        "USER": "head",
        "ROLE": "head.job",
        "ROLES": {"chief": "supervisor"},
        "TEAMS": "pk",
        "TENANT": "title",
    },
    "TEAM": {"MODEL": "host.Branch", "NAME": "title", "TENANT": "title"},
}


@guard(**PROFILES)
def test_rows_of_one_user_in_one_tenant_are_one_employee_and_in_two_tenants_two() -> None:
    ken = factories.user("ken", job="chief")
    first, second, other = (Branch.objects.create(title=title, head=ken) for title in ("Tokyo", "Tokyo", "London"))
    Branch.objects.create(title="Nobody's")

    records = {record.tenant: record for record in crm.adapter().employees()}

    assert set(records) == {"Tokyo", "London"}
    assert {record.key for record in records.values()} == {str(ken.pk)}
    assert records["Tokyo"].team_keys == (str(first.pk), str(second.pk))
    assert records["London"].team_keys == (str(other.pk),)
    assert records["London"].email == ken.email
    sync_all()
    assert Employee.objects.filter(user=ken).count() == 2
    assert all(
        team.supervisor and team.supervisor.tenant == team.tenant for team in Team.objects.exclude(supervisor=None)
    )


class InLondon(DeclarativeAdapter):
    """The host's middleware has set the current organisation."""

    def current_tenant(self) -> str:
        return "London"


@guard(**PROFILES, CRM_ADAPTER=f"{__name__}.InLondon")
def test_a_user_of_two_tenants_is_first_mirrored_in_the_current_one() -> None:
    ken = factories.user("ken", job="chief")
    for title in ("Tokyo", "London", "Osaka"):
        Branch.objects.create(title=title, head=ken)

    found = employee_for(ken)
    with crm.tenant("Osaka"):
        entered = employee_for(ken)

    assert found is not None
    assert entered is not None
    assert (found.tenant, entered.tenant) == ("London", "Osaka")


@guard(**PROFILES)
def test_a_user_without_a_row_is_not_an_employee() -> None:
    assert crm.adapter().employee(factories.user("ken", job="chief")) is None


def test_an_owner_can_be_a_row_of_the_employee_model() -> None:
    ken = factories.user("ken", job="chief")
    branch = Branch.objects.create(title="Tokyo", head=ken)
    manager = factories.user("aoi", branch=branch)
    client = Client.objects.create(full_name="Hanako", manager=manager)
    owner = {"MODEL": "host.Client", "NAME": "full_name", "OWNER": "manager.branch"}

    with guard(**PROFILES, CUSTOMER=owner):
        record = crm.adapter().customer(str(client.pk))

    assert record is not None
    assert record.owner_key == str(ken.pk)


# --- names, addresses, pages


def test_a_name_of_several_fields_is_searched_in_each() -> None:
    Client.objects.create(full_name="Hanako", mobile="Sato")
    Client.objects.create(full_name="Jiro", mobile="Sato")
    empty = Client.objects.create(full_name="", mobile="")
    spec = {"MODEL": "host.Client", "NAME": ["{mobile}  {full_name}", "pk"], "URL": "https://crm.example/{pk}"}

    with guard(CUSTOMER=spec):
        [found] = crm.adapter().search("SATO hana")
        nameless = crm.adapter().customer(str(empty.pk))

    assert found.name == "Sato Hanako"
    assert found.url == f"https://crm.example/{found.key}"
    assert nameless is not None
    assert nameless.name == str(empty.pk)


def test_paths_traverse_relations_lists_and_dicts() -> None:
    branch = Branch.objects.create(title="Tokyo")
    for name in ("aoi", "emi"):
        user = factories.user(name, branch=branch, hours={"spans": [{"from": f"{name} 9"}, {"from": f"{name} 13"}]})
        Client.objects.create(full_name=f"{name}'s", emails=f"{name}@mail.example", manager=user)

    assert sorted(paths.texts(branch, "members.clients.emails")) == ["aoi@mail.example", "emi@mail.example"]
    assert sorted(paths.keys(branch, "members")) == sorted(str(pk) for pk in User.objects.values_list("pk", flat=True))
    assert sorted(paths.texts(branch, "members.hours.spans.from")) == ["aoi 13", "aoi 9", "emi 13", "emi 9"]


def test_a_row_of_another_model_is_not_a_customer() -> None:
    """The same primary key identifies someone else in another table."""
    with pytest.raises(ConfigurationError, match=r"Expected a customer \(host\.Client\), got a host\.Branch"):
        customer_for(Branch.objects.create(title="Tokyo"))


# --- errors


@pytest.mark.parametrize(
    ("setting", "change", "says"),
    [
        ("CUSTOMER", {"EMAIL": "emial"}, "Client has no 'emial'"),
        ("CUSTOMER", {"NAME": "{full_name} {surname}"}, "Client has no 'surname'"),
        ("CUSTOMER", {"EMIAL": "emails"}, "unknown option 'EMIAL'"),
        ("CUSTOMER", {"MODEL": "host.Guest"}, "doesn't have a 'Guest' model"),
        ("CUSTOMER", {"KEY": "get_absolute_url"}, "not a column of Client"),
        ("CUSTOMER", {"FILTER": {"is_customer": True}}, "Cannot resolve keyword 'is_customer'"),
        ("CUSTOMER", {"OWNER": 3}, "is not a path"),
        ("EMPLOYEE", {"MODEL": "host.Nobody"}, "doesn't have a 'Nobody' model"),
        ("EMPLOYEE", {"ROLES": {"clerk": "boss"}}, "'boss' is not a role"),
        ("TEAM", {"EVERYBODY": "All"}, "both MODEL and EVERYBODY"),
    ],
)
def test_a_sync_with_wrong_settings_reports_them_and_changes_nothing(
    setting: str, change: dict[str, Any], says: str
) -> None:
    Client.objects.create(full_name="Hanako", emails="hanako@mail.example")
    factories.user("aoi")
    sync_all()

    with guard(**{setting: {**settings.CONTACT_GUARD[setting], **change}}):
        with pytest.raises(ConfigurationError, match=says):
            sync_all()
        with pytest.raises(CommandError, match=says):
            call_command("contact_guard_sync", skip_checks=False)

    assert Customer.objects.get().addresses.filter(kind="email").exists()


class Failing(DeclarativeAdapter):
    def customers(self) -> Iterator[CustomerRecord]:
        for number, record in enumerate(super().customers()):
            if number:
                raise RuntimeError("the CRM's own service is away")
            yield record


def test_a_failing_adapter_is_reported_and_no_one_is_deactivated() -> None:
    for name in ("Hanako", "Jiro", "Saburo"):
        Client.objects.create(full_name=name)
    factories.user("aoi")
    sync_all()
    Client.objects.filter(full_name="Hanako").update(full_name="Hanako S.")

    with (
        guard(CRM_ADAPTER=f"{__name__}.Failing"),
        pytest.raises(CommandError, match=r"Failing raised RuntimeError: the CRM"),
    ):
        call_command("contact_guard_sync")

    assert Customer.objects.filter(active=True).count() == 3


def test_an_unreadable_row_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Client, "whole_name", lambda self: self.full_name.missing, raising=False)
    client = Client.objects.create(full_name="Hanako")

    with guard(CUSTOMER={"MODEL": "host.Client", "NAME": "whole_name"}):
        with pytest.raises(ConfigurationError, match=f"Client {client.pk} can't be read with .*AttributeError"):
            sync_all()


def test_a_failing_get_absolute_url_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(self: Client) -> str:
        raise LookupError("no such address")

    monkeypatch.setattr(Client, "get_absolute_url", fails)
    Client.objects.create(full_name="Hanako")
    sync_all()

    assert Customer.objects.get().url == ""
