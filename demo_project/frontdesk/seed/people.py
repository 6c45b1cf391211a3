"""Loads hotels, teams, staff, guests and stays from ``staff.toml`` and ``guests.toml``.

Loading them again only updates the dates of the stays, which are relative to today, so that guests arrive every day.
"""

from __future__ import annotations

import tomllib
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone

from demo_project.frontdesk.models import Guest, Hotel, Reservation, Team, User

FOLDER = Path(__file__).parent
PASSWORD = "demo"
DOMAIN = "kaede-hotels.example"


def read(name: str) -> dict[str, Any]:
    """Parse one of the data files."""
    return tomllib.loads((FOLDER / name).read_text(encoding="utf-8"))


@transaction.atomic
def load_staff() -> int:
    """Load hotels, teams and staff. Returns the number of people."""
    data = read("staff.toml")
    for hotel in data["hotels"]:
        Hotel.objects.update_or_create(code=hotel["code"], defaults=hotel)
    for team in data["teams"]:
        hotel = Hotel.objects.get(code=team["hotel"])
        Team.objects.update_or_create(code=team["code"], defaults={"name": team["name"], "hotel": hotel})
    for person in data["people"]:
        _load_person(person)
    for team in data["teams"]:
        Team.objects.filter(code=team["code"]).update(
            supervisor=User.objects.get(username=team["supervisor"]), deputy=User.objects.get(username=team["deputy"])
        )
    return len(data["people"])


def _load_person(person: dict[str, Any]) -> None:
    user, created = User.objects.update_or_create(
        username=person["login"],
        defaults={
            "display_name": person["name"],
            "email": f"{person['login']}@{DOMAIN}",
            "title": person["title"],
            "title_ja": person["title_ja"],
            "role": person.get("role", person["login"] if person["login"] in User.Role.values else User.Role.STAFF),
            "team": Team.objects.filter(code=person.get("team", "")).first(),
            "language": person["language"],
            "hours": person.get("hours", {}),
        },
    )
    if created:
        user.set_password(PASSWORD)
        user.save(update_fields=["password"])


@transaction.atomic
def load_guests() -> int:
    """Load guests and their stays. Returns the number of guests."""
    data = read("guests.toml")
    today = timezone.localdate()
    for guest in data["guests"]:
        values = {key: guest[key] for key in guest if key not in ("code", "owner", "stays")}
        row, _created = Guest.objects.update_or_create(
            code=guest["code"], defaults={**values, "owner": User.objects.get(username=guest["owner"])}
        )
        for number, stay in enumerate(guest["stays"], 1):
            _load_stay(row, f"{guest['code'][2:]}-{number}", stay, data["plans"], today)
    return len(data["guests"])


def _load_stay(guest: Guest, code: str, stay: list[Any], plans: dict[str, list[str]], today: date) -> None:
    hotel, room, offset, nights, people, plan, yen = stay
    arrives = today + timedelta(days=offset)
    leaves = arrives + timedelta(days=nights)
    status = Reservation.Status.BOOKED if arrives >= today else Reservation.Status.IN_HOUSE
    Reservation.objects.update_or_create(
        code=code,
        defaults={
            "guest": guest,
            "hotel": Hotel.objects.get(code=hotel),
            "room": room,
            "plan": plans[plan][0],
            "plan_ja": plans[plan][1],
            "arrives": arrives,
            "leaves": leaves,
            "people": people,
            "yen": yen,
            "status": Reservation.Status.LEFT if leaves < today else status,
        },
    )
