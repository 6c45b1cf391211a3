"""A team under Sora (deputy Yui), in which Aoi and Ken answer customers; Mio is the compliance officer."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from crm_contact_guard.directory.models import Employee
from crm_contact_guard.record.models import Conversation
from tests import factories


@dataclass
class Desk:
    people: dict[str, Employee]
    talk: Conversation

    def __getitem__(self, name: str) -> Employee:
        return self.people[name]


@pytest.fixture
def desk(db: None) -> Desk:
    branch = factories.team(head="sora", deputy="yui")
    aoi = factories.employee("aoi", branch=branch)
    factories.employee("ken", branch=branch)
    factories.employee("ren", branch=factories.team("Hall", head="boss"))
    for name in ("compliance", "auditor"):
        factories.employee(name, job=name)
    return Desk({row.name.lower(): row for row in Employee.objects.all()}, factories.conversation(aoi))
