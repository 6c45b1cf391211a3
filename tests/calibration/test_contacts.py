"""Contacts proposed as the company's own, and those never proposed."""

from __future__ import annotations

import pytest

from crm_contact_guard.calibration.calibrating import calibrate
from crm_contact_guard.directory.models import Employee
from tests import factories
from tests.calibration.record import closed, judge, message, talk

pytestmark = pytest.mark.django_db

DESK = "お電話は 03-5550-1234 までお願いいたします。"


@pytest.fixture
def staff() -> list[Employee]:
    branch = factories.team(head="sora")
    return [factories.employee(name, branch=branch) for name in ("aoi", "ken", "mei")]


def given(text: str, employees: list[Employee], customers: int) -> None:
    """Send the text to so many customers, by the employees in turn."""
    for number in range(customers):
        message(talk(employees[number % len(employees)], f"Guest {number}"), text, minutes=number, direction="outbound")


def proposed() -> list[tuple[str, str]]:
    return [(one.list, one.value) for one in calibrate(judge=judge).contacts]


def test_contacts_given_by_several_employees_to_several_customers_are_proposed(staff: list[Employee]) -> None:
    given(DESK, staff, 3)
    given("お写真は @minato_hotel にございます。", staff[:2], 10)
    given("Write to desk@minato-hotel.jp, please.", staff, 4)
    given("Photos: https://www.instagram.com/Minato_Hotel", staff, 3)

    assert proposed() == [
        ("emails", "desk@minato-hotel.jp"),
        ("handles", "minato_hotel"),
        ("phones", "03-5550-1234"),
        ("urls", "https://www.instagram.com/Minato_Hotel"),
    ]


def test_different_notations_are_one_contact(staff: list[Employee]) -> None:
    for employee, text in zip(staff, ("03-5550-1234", "０３（５５５０）１２３４", "03 5550 1234"), strict=True):
        message(talk(employee, f"Guest of {employee.name}"), f"お電話は {text} へ", direction="outbound")

    assert [name for name, _ in proposed()] == ["phones"]


def test_one_employees_number_is_never_the_companys(staff: list[Employee]) -> None:
    """A private number sent to many customers is what this app alerts on."""
    given("Call me at 090-2844-7166, any time.", staff[:1], 30)

    assert proposed() == []


def test_two_employees_and_few_customers_are_not_enough(staff: list[Employee]) -> None:
    given(DESK, staff[:2], 9)

    assert proposed() == []


def test_one_customer_is_not_enough(staff: list[Employee]) -> None:
    """A number that all colleagues write to one guest is the guest's own, repeated."""
    one = talk(staff[0])
    for minutes, employee in enumerate(staff):
        one.employee = employee
        message(one, "We will call you on 090-2844-7166.", minutes=minutes, direction="outbound")

    assert proposed() == []


def test_messages_from_customers_are_ignored(staff: list[Employee]) -> None:
    for number in range(12):
        message(talk(staff[number % 3], f"Guest {number}"), DESK, direction="inbound")

    assert proposed() == []


def test_contacts_in_true_alerts_are_never_proposed(staff: list[Employee]) -> None:
    given(DESK, staff, 12)
    given("Add me: @aoi_private77", staff, 12)
    chief = Employee.objects.get(name="Sora")
    closed(message(talk(staff[0], "Last"), "Add me: @aoi_private77", direction="outbound"), "coaching", chief)
    closed(message(talk(staff[1], "Other"), DESK, direction="outbound"), "false_positive", chief)

    assert proposed() == [("phones", "03-5550-1234")]


def test_known_contacts_are_not_proposed_again(staff: list[Employee], settings: object) -> None:
    given(DESK, staff, 12)
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "COMPANY_CONTACTS": {"phones": ["+81 3-5550-1234"]}}  # type: ignore[attr-defined]

    assert proposed() == []


def test_contacts_are_masked(staff: list[Employee]) -> None:
    given(f"{DESK} desk@minato-hotel.jp @minato_hotel https://www.instagram.com/minato_hotel", staff, 3)

    masked = {one.list: one.masked for one in calibrate(judge=judge).contacts}

    assert masked["phones"] == "03-5•••-1234".replace("•••", masked["phones"][4:-5])
    assert "5550" not in masked["phones"]
    assert masked["emails"] == "d•••@minato-hotel.jp"
    assert "minato_hotel" not in masked["handles"] + masked["urls"]
