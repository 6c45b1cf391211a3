"""``contact_guard_check`` asks what staff and programs ask, and names the middleware that shuts them out."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings as django_settings
from django.contrib.sessions.models import Session
from django.test import override_settings

from crm_contact_guard.crm import DeclarativeAdapter, EmployeeRecord
from crm_contact_guard.record.models import Event
from tests import factories
from tests.host.models import Branch, Client, User
from tests.installation.test_check import Report, errors, found, guard, look

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def complete() -> Any:
    with override_settings(ROOT_URLCONF="tests.services.browser.urls", DEBUG=True):
        yield


@pytest.fixture
def staffed() -> Branch:
    branch = factories.team(head="sora")
    factories.employee("aoi", branch=branch)
    return branch


def behind(layer: str) -> Report:
    path = f"tests.installation.layers.{layer}"
    with override_settings(MIDDLEWARE=[*django_settings.MIDDLEWARE, path]):
        return [{**item, "says": item["says"].replace(path, layer)} for item in look()]


@pytest.mark.usefixtures("staffed")
def test_employees_and_programs_come_in_and_nothing_of_asking_stays() -> None:
    rows = Session.objects.count(), Event.objects.count(), list(User.objects.values_list("last_login", flat=True))

    report = look()

    assert errors(report) == []
    for words in ("staff pages ask for a login", "programs reach the API", "an employee (", "a supervisor ("):
        assert found(report, words)["level"] == "ok", words
    assert rows == (
        Session.objects.count(),
        Event.objects.count(),
        list(User.objects.values_list("last_login", flat=True)),
    )


@pytest.mark.usefixtures("staffed")
def test_middleware_that_knows_bare_names_shuts_the_api() -> None:
    report = behind("known_names_alone")

    says = (
        "known_names_alone blocks the API for programs with a token (302 to /login/?next=/guard/api/v1/conversations/)"
    )
    assert says in errors(report)
    assert "/guard/api/v1/" in found(report, says)["fix"]
    assert found(report, "customers reach the web chat")["level"] == "ok"
    assert found(report, "staff pages ask for a login")["level"] == "ok"


@pytest.mark.usefixtures("staffed")
def test_middleware_that_wants_a_tenant_shuts_staff_pages_and_api() -> None:
    said = errors(behind("tenants_by_token"))

    assert "tenants_by_token blocks the staff pages for visitors without a login (403)" in said
    assert "tenants_by_token blocks the API for programs with a token (403)" in said
    assert any(says.startswith("tenants_by_token blocks the inbox for a supervisor (") for says in said)


@pytest.mark.usefixtures("staffed")
def test_middleware_that_shuts_out_some_of_the_staff_is_named() -> None:
    said = errors(behind("heads_alone"))

    assert [says.split(" (")[0] for says in said] == ["heads_alone blocks the inbox for an employee"]


@pytest.mark.usefixtures("staffed")
def test_a_second_factor_is_no_error() -> None:
    report = behind("second_factor")

    assert errors(report) == []
    assert found(report, "second_factor blocks the inbox for an employee")["level"] == "warning"


@pytest.mark.usefixtures("staffed")
def test_an_employee_whom_our_pages_refuse_is_reported() -> None:
    """Mirrored, but in a page the adapter finds another tenant, and nobody in it."""
    with override_settings(CONTACT_GUARD=guard(CRM_ADAPTER=f"{__name__}.Elsewhere")):
        said = errors(look())

    assert any(says.startswith("the inbox refuses an employee (") for says in said)


class Elsewhere(DeclarativeAdapter):
    def current_tenant(self) -> str:
        return "another"

    def employee(self, user: Any) -> EmployeeRecord | None:
        return None


@pytest.mark.usefixtures("staffed")
def test_a_host_with_a_sign_in_of_its_own_is_asked_behind_it() -> None:
    own = [path for path in django_settings.MIDDLEWARE if "contrib.auth" not in path and "messages" not in path]

    with override_settings(MIDDLEWARE=own):
        assert found(look(), "once the host's sign-in has set request.user")["level"] == "ok"


def test_a_login_page_that_refuses_the_employees_is_counted_and_another_one_proposed(staffed: Branch) -> None:
    with override_settings(ROOT_URLCONF="tests.strange_urls.admins", CONTACT_GUARD=guard(LOGIN_URL="admin:login")):
        report = look()

    item = found(report, "would refuse")
    assert (
        item["says"] == "the login page /admin/login/ would refuse 2 of 2 employees, as the admin's does with non-staff"
    )
    assert item["level"] == "error"
    assert item["fix"] == "CONTACT_GUARD[\"LOGIN_URL\"] = 'everybody:login'"
    assert staffed is not None


# --- is the mirror as old as the CRM?


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda: User.objects.filter(email="aoi@kaede.example").update(job="chief"), "1 employees (Aoi)"),
        (lambda: User.objects.filter(email="aoi@kaede.example").update(branch=None), "1 employees (Aoi)"),
        (lambda: User.objects.filter(email="aoi@kaede.example").delete(), "1 employees (Aoi)"),
        (lambda: Branch.objects.update(title="Lobby"), "1 teams (Lobby)"),
        (lambda: Branch.objects.update(head=None), "1 teams (Front desk)"),
        (lambda: Client.objects.update(emails="other@mail.example"), "1 customers (Hanako Sato)"),
        (lambda: Client.objects.update(full_name="Hanako Ito"), "1 customers (Hanako Ito)"),
    ],
    ids=["role", "team", "gone", "team's name", "head", "address", "name"],
)
def test_a_mirror_older_than_the_crm_is_told_by_contents(change: Any, says: str, staffed: Branch) -> None:
    factories.customer(email="hanako@mail.example")
    assert not [item for item in look() if "older than the CRM" in item["says"]]

    change()

    assert found(look(), "older than the CRM")["says"].endswith(f"a sync would change {says}")
    assert found(look(), "older than the CRM")["mendable"]
    assert not [item for item in look("--fix") if "older than the CRM" in item["says"]]
    assert staffed is not None


def test_users_in_no_group_that_has_a_role_are_counted(staffed: Branch) -> None:
    groups = {"NAME": "display_name", "ROLE_GROUPS": {"supervisor": ["chief"]}, "GROUPS": "job", "TEAMS": "branch"}

    with override_settings(CONTACT_GUARD=guard(EMPLOYEE=groups)):
        item = found(look(), "ROLE_GROUPS")

    assert item["level"] == "warning"
    assert item["says"] == "1 users are in no group of EMPLOYEE['ROLE_GROUPS'] and have no access"
    assert staffed is not None
