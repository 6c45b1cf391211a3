"""``contact_guard_init``: the proposed settings for an unusual host work unchanged."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import models
from django.test import override_settings
from django.test.utils import isolate_apps

from crm_contact_guard import crm
from crm_contact_guard.conf import DEFAULTS
from crm_contact_guard.installation.proposing import host_addresses, host_models, host_roles, host_selection
from crm_contact_guard.installation.proposing import host_fields as fields
from tests import factories
from tests.host.models import Client, User


def proposed(*arguments: str) -> tuple[str, dict[str, Any]]:
    out = io.StringIO()
    call_command("contact_guard_init", *arguments, stdout=out)
    read: dict[str, Any] = {}
    exec(out.getvalue(), read)
    return out.getvalue(), read["CONTACT_GUARD"]


@pytest.mark.django_db
def test_the_proposed_settings_read_the_hosts_people() -> None:
    words, guard = proposed()
    branch = factories.team(head="sora")
    manager = User.objects.create_user("aoi@kaede.example", branch=branch, display_name="Aoi")
    client = Client.objects.create(
        full_name="Hanako", emails="a@mail.example, b@mail.example", mobile="090-1234-5678", manager=manager
    )

    with override_settings(CONTACT_GUARD=guard):
        record = crm.adapter().customer(str(client.pk))
        person = crm.adapter().employee(manager)
        [found] = crm.adapter().teams()

    assert set(guard) <= set(DEFAULTS)
    assert record is not None
    assert (record.name, record.owner_key) == ("Hanako", str(manager.pk))
    assert [address.value for address in record.addresses] == ["a@mail.example", "b@mail.example", "090-1234-5678"]
    assert person is not None
    assert (person.name, person.team_keys) == ("Aoi", (str(branch.pk),))
    assert found.supervisor_key == str(branch.head_id)
    assert guard["TASKS"] == "inline"
    assert "TO DECIDE: set in EMPLOYEE['ROLES']" in words
    assert len(guard) <= 15


@pytest.mark.django_db
def test_another_customer_model_can_be_chosen() -> None:
    assert proposed("--customer", "host.Branch")[1]["CUSTOMER"]["MODEL"] == "host.Branch"
    with pytest.raises(CommandError, match="nowhere"):
        call_command("contact_guard_init", "--customer", "nowhere.Thing")


@pytest.mark.django_db
def test_customers_who_are_users_are_distinguished_from_staff_by_role() -> None:
    for name, job in (("hanako", "guest"), ("aoi", "clerk"), ("ken", "manager")):
        factories.user(name, job=job)
    guard = proposed("--customer", "host.User")[1]

    with override_settings(CONTACT_GUARD=guard):
        assert list(crm.adapter().problems()) == []
        customers = [record.name for record in crm.adapter().customers()]
        staff = {record.name: record.role for record in crm.adapter().employees()}

    assert customers == ["Hanako"]
    assert staff == {"Aoi": "employee", "Ken": "supervisor"}


@pytest.mark.django_db
def test_customers_who_are_users_are_distinguished_from_staff_by_team(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a host whose users have no role and none is marked as staff."""
    monkeypatch.setattr(host_roles, "role", lambda _model: "")
    factories.user("hanako")
    factories.user("aoi", branch=factories.team())
    words, guard = proposed("--customer", "host.User")

    with override_settings(CONTACT_GUARD=guard):
        assert [record.name for record in crm.adapter().customers()] == ["Hanako"]
        assert [record.name for record in crm.adapter().employees()] == ["Aoi"]
    assert "distinguished by membership in a team (branch)" in words


def test_a_model_can_be_given_without_its_app() -> None:
    with pytest.raises(CommandError, match="there is no such model"):
        call_command("contact_guard_init", "--customer", "Thing")


def test_model_names_are_split_into_words() -> None:
    """ "Opportunity" does not contain the word "unit", and "teams" becomes "team"."""
    named = [fields.words_of(type(name, (), {})) for name in ("Opportunity", "SalesTeams", "HRUnit", "Address")]

    assert named == [["opportunity"], ["sale", "team"], ["hr", "unit"], ["addres"]]


@pytest.mark.parametrize(
    ("given", "proposal"), [("entrance", None), ("/entrance/", None), ("/entrance", None), ("gone", "login")]
)
@pytest.mark.django_db
def test_a_login_page_is_proposed_only_if_the_hosts_is_invalid(given: str, proposal: str | None) -> None:
    with override_settings(ROOT_URLCONF="tests.strange_urls.entrances", LOGIN_URL=given):
        assert proposed()[1].get("LOGIN_URL") == proposal


@pytest.mark.parametrize(("given", "proposal"), [("/accounts/login/", "backend_login"), ("/team/entrance/", None)])
@pytest.mark.django_db
def test_a_catch_all_pattern_is_not_a_login_page(given: str, proposal: str | None) -> None:
    """Of several login pages, the staff's precedes the admin's, and one for people precedes one for APIs."""
    with override_settings(ROOT_URLCONF="tests.strange_urls.editors", LOGIN_URL=given):
        words, guard = proposed()

    assert guard.get("LOGIN_URL") == proposal
    assert ("LOGIN_URL leads nowhere, so backend_login" in words) == (proposal is not None)


@isolate_apps("tests.host")
def test_non_personal_users_and_staff_among_customers_are_detected_by_columns() -> None:
    class Operator(models.Model):
        is_team = models.BooleanField(default=False)
        is_deleted = models.BooleanField(default=False)

        class Meta:
            app_label = "host"

    class Person(models.Model):
        is_user = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")

        class Meta:
            app_label = "host"

    class Guest(models.Model):
        class Meta:
            app_label = "host"

    class Therapist(models.Model):
        person = models.OneToOneField(Guest, on_delete=models.CASCADE, related_name="worker")

        class Meta:
            app_label = "host"

    assert host_selection.no_persons(Operator) == {"is_team": True, "is_deleted": True}
    assert host_selection.colleagues(Person, None) == "is_user"
    assert host_selection.colleagues(Guest, Therapist) == "worker"
    assert host_selection.colleagues(Guest, None) == ""


@isolate_apps("tests.host")
def test_address_models_that_refer_to_each_other_do_not_loop() -> None:
    class Address(models.Model):
        street = models.CharField(max_length=100)
        billing = models.ForeignKey("self", null=True, on_delete=models.SET_NULL)

        class Meta:
            app_label = "host"

    class WorkAddress(models.Model):
        home = models.ForeignKey(Address, null=True, on_delete=models.SET_NULL, related_name="work")

        class Meta:
            app_label = "host"

    models.ForeignKey(WorkAddress, null=True, on_delete=models.SET_NULL, related_name="homes").contribute_to_class(
        Address, "work_place"
    )

    assert host_addresses.phones(Address) == host_addresses.phones(WorkAddress) == []


@isolate_apps("tests.host")
def test_addresses_in_a_customers_profile_are_found() -> None:
    class Member(models.Model):
        email = models.EmailField()

        class Meta:
            app_label = "host"

    class MemberProfile(models.Model):
        member = models.OneToOneField(Member, on_delete=models.CASCADE, related_name="more")
        phone_number = models.CharField(max_length=32)
        email = models.EmailField()

        class Meta:
            app_label = "host"

    class Booking(models.Model):
        """Also has a number, but not the customer's."""

        member = models.OneToOneField(Member, on_delete=models.CASCADE)
        phone = models.CharField(max_length=32)

        class Meta:
            app_label = "host"

    assert host_addresses.phones(Member) == ["more.phone_number"]
    assert host_addresses.emails(Member) == ["email"]


@isolate_apps("tests.host")
def test_membership_models_are_not_teams(monkeypatch: pytest.MonkeyPatch) -> None:
    class GroupMembership(models.Model):
        user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")

        class Meta:
            app_label = "host"

    class Ward(models.Model):
        head = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")

        class Meta:
            app_label = "host"

    every = apps.get_models
    monkeypatch.setattr(apps, "get_models", lambda **asked: every(**asked) if asked else [GroupMembership, Ward])

    assert host_models.look(Client).team is Ward


def test_staff_with_their_own_model_are_distinguished_from_customers_who_are_users(
    request: pytest.FixtureRequest,
) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.installation.salon.proposed"],
        check=False,
        cwd=request.config.rootpath,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "tests.installation.salon.settings"},
        capture_output=True,
        text=True,
    )

    assert done.stdout.splitlines() == ["", "hanako", "aoi:employee ken:supervisor mio:employee"], done.stderr[-3000:]


@isolate_apps("tests.host")
@pytest.mark.parametrize("name", ["gsm", "gsm_number", "handy", "mobile"])
def test_mobile_numbers_go_by_other_names_in_other_countries(name: str) -> None:
    model = type("Lodger", (models.Model,), {name: models.CharField(), "Meta": Labelled, "__module__": __name__})

    assert host_addresses.phones(model) == [name]


class Labelled:
    app_label = "host"


@pytest.mark.parametrize(
    ("word", "role"),
    [("anonymous", ""), ("AnonymousUser", ""), ("public", ""), ("seller", "employee"), ("Sales manager", "supervisor")],
)
def test_nobody_works_under_the_name_of_an_anonymous_type(word: str, role: str) -> None:
    assert host_roles.ours(word) == role
