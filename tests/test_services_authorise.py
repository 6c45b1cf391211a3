"""Call each service that acts for an employee with every role: forbidden calls are refused and change nothing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import transaction
from django.utils import timezone

import crm_contact_guard
from crm_contact_guard.directory.models import Employee
from crm_contact_guard.exceptions import AlreadyClaimed, InvalidMessage, NotPermitted, NotPossible
from crm_contact_guard.policy.versions import current
from crm_contact_guard.privacy.erasing import erase_messages
from crm_contact_guard.record.models import Message
from crm_contact_guard.record.recording import record_message
from crm_contact_guard.supervision.models import Alert
from tests import factories
from tests.authorising.scene import PEOPLE, Scene, staged
from tests.authorising.services import SERVICES, WITHIN, Act

pytestmark = pytest.mark.django_db

PACKAGE = Path(crm_contact_guard.__file__).parent


@pytest.fixture
def scene() -> Scene:
    return staged()


def everything() -> dict[str, list[dict[str, Any]]]:
    """All rows of all our tables."""
    models = apps.get_app_config("crm_contact_guard").get_models()
    return {model.__name__: list(model._base_manager.order_by("pk").values()) for model in models}


@contextmanager
def undone(scene: Scene) -> Iterator[Scene]:
    """A copy of the scene; whatever is done to it or to its rows is forgotten."""
    with transaction.atomic():
        yield deepcopy(scene)
        transaction.set_rollback(True)
    current.forget()


def refuses(act: Act, scene: Scene, person: Employee) -> bool:
    try:
        act(scene, person)
    except NotPermitted:
        return True
    return False


@pytest.mark.parametrize("who", PEOPLE)
def test_services_refuse_forbidden_calls(scene: Scene, who: str) -> None:
    before = everything()
    for name, (act, allowed) in SERVICES.items():
        with undone(scene) as now:
            if who in allowed:
                with suppress(InvalidMessage, AlreadyClaimed, NotPossible):
                    act(now, now.people[who])
                continue
            assert refuses(act, now, now.people[who]), name
            assert everything() == before, name
            assert not now.out.getvalue(), name


def test_permitted_calls_are_recorded(scene: Scene) -> None:
    before = everything()
    # Both need what isn't here, a carrier and a bundle; their own tests ask what they record.
    for name in SERVICES.keys() - {"calling.call", "exports.jobs.handing_out.export_download"}:
        act, allowed = SERVICES[name]
        with undone(scene) as now:
            act(now, now.people[min(allowed & {"aoi", "chief", "compliance"})])

            assert everything() != before, name


def test_supervisors_can_not_process_alerts_about_themselves(scene: Scene) -> None:
    chief = scene.people["chief"]
    Alert.objects.update(concerned=chief)

    for act, _allowed in (SERVICES[name] for name in SERVICES if ".alert_" in name):
        with pytest.raises(NotPermitted):
            act(scene, chief)


def test_supervisors_erase_only_in_their_teams(scene: Scene) -> None:
    theirs = factories.conversation(scene.people["ren"], name="Robert King")
    record_message(conversation=theirs, direction="inbound", channel="chat", occurred_at=timezone.now(), text="Hello")

    with pytest.raises(NotPermitted):
        erase_messages(Message.objects.all(), basis="request", actor=scene.people["chief"])
    assert not Message.objects.filter(text=None).exists()


def test_all_services_that_take_an_employee_are_tested() -> None:
    acting = re.compile(r"actor|reviewer|[a-z]+_by")
    found = set()
    for path in PACKAGE.rglob("*.py"):
        room = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                given = [*node.args.args, *node.args.kwonlyargs]
                people = [one for one in given if one.annotation and "Employee" in ast.unparse(one.annotation)]
                if any(acting.fullmatch(one.arg) for one in people):
                    found.add(f"{room}.{node.name}")

    assert found - SERVICES.keys() == WITHIN
