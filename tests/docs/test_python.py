"""Python on the pages is run: page by page, block after block, in a host that has what a host has.

Settings that come of it pass the system checks of the app; names that stand for the reader's own are told as such. The
tutorial is carried out by ``tests/hosts``; here it only compiles.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from celery import Celery
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings as django_settings
from django.core.checks import run_checks
from django.db.backends.sqlite3.base import DatabaseWrapper
from django.test import override_settings
from django.urls import include, path

from crm_contact_guard.conf import CONTACT_GUARD_SCHEDULE, DEFAULTS
from crm_contact_guard.privacy.models import LegalHold
from crm_contact_guard.proof.notes import SigningKey
from crm_contact_guard.signals import scanned
from tests.docs.pages import ROOT, Block, of, prose

BY_PAGE: dict[str, list[Block]] = defaultdict(list)
for each in of("python"):
    BY_PAGE[each.page].append(each)
TUTORIAL = "docs/tutorial.md"
#: A library that only the tests with services have: ``tests/services/schemas`` runs such a block, to the letter.
ELSEWHERE = "from django_tenants"
#: Entries of a dict that stands elsewhere on the page.
ENTRIES = re.compile(r'(?:#.*\n|\s)*"\w[\w-]*": ')
#: Of the host's own models: what they are called is not ours to check, what is asked of them is.
HOSTS = ("CUSTOMER", "EMPLOYEE", "TEAM", "CRM_ADAPTER")
DJANGOS = ("DATA_UPLOAD_MAX_MEMORY_SIZE",)
FORMATS = {"TWILIO_ACCOUNT_SID": "AC" + "0" * 32}


def given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page: str) -> dict[str, Any]:
    """What stands in a host's modules already, a function of its own, and secrets in its environment."""
    import os

    monkeypatch.setattr(scanned, "receivers", [])
    (tmp_path / "crm").mkdir()
    (tmp_path / "crm" / "phones.py").write_text("def desk_phone(key): return '+81355550100'")
    monkeypatch.syspath_prepend(tmp_path)
    for block in BY_PAGE[page]:
        for name in re.findall(r'os\.environ\["(\w+)"\]', block.text):
            monkeypatch.setenv(name, FORMATS.get(name, "s3cret-" * 6))
    return {
        "os": os,
        "CONTACT_GUARD": {"CHANNELS": {}},
        "CONTACT_GUARD_SCHEDULE": CONTACT_GUARD_SCHEDULE,
        "INSTALLED_APPS": [],
        "app": Celery("host", set_as_current=False),
        "urlpatterns": [],
        "include": include,
        "path": path,
        "pytest": pytest,
    }


def with_keys(text: str, tmp_path: Path) -> str:
    """Paths of key files lead to keys."""
    for number, found in enumerate(re.findall(r'"(/etc/[\w/.-]+\.key)"', text)):
        file = tmp_path / f"{number}.key"
        if "works" in found:
            key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
            pem = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            file.write_bytes(key.private_bytes(*pem))
        else:
            file.write_text(SigningKey.generate("crm.example.com/contact-guard").to_text())
        text = text.replace(found, str(file))
    return text


def entries(block: Block) -> bool:
    return ENTRIES.match(block.text) is not None


@pytest.mark.parametrize("block", BY_PAGE[TUTORIAL], ids=str)
def test_the_tutorial_compiles(block: Block) -> None:
    compile(block.text, str(block), "exec")


@pytest.mark.django_db
@pytest.mark.parametrize("page", sorted(BY_PAGE.keys() - {TUTORIAL}))
def test_python_of_a_page_runs_and_its_settings_pass_the_checks(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = given(tmp_path, monkeypatch, page)
    own = set(names)
    for block in BY_PAGE[page]:
        text = with_keys(block.text, tmp_path)
        if ELSEWHERE in text:
            compile(text, str(block), "exec")
            continue
        if entries(block):
            check_entries(eval(f"{{{text}}}", names), names)
            continue
        exec(compile(text, str(block), "exec"), names)
        check_settings(names, block)
    assert not unknown(page, own | set(names)), "names that nothing on the page defines or says are the reader's"


def check_settings(names: dict[str, Any], block: Block) -> None:
    guard = names["CONTACT_GUARD"]
    assert guard.keys() <= DEFAULTS.keys()
    for setting in HOSTS[:3]:
        check_host(setting, guard.get(setting, {}))
    chosen = {key: value for key, value in guard.items() if key not in HOSTS}
    tests = {**django_settings.CONTACT_GUARD, "PUBLIC_URL": "https://crm.example.com", "CHANNELS": {}}
    others = {name: names[name] for name in DJANGOS if name in names}
    # Storages that the page speaks of are the host's.
    whole = "".join(each.text for each in BY_PAGE[block.page])
    stores = dict.fromkeys(re.findall(r'"storage": "(\w+)"', whole), django_settings.STORAGES["default"])
    others["STORAGES"] = {**django_settings.STORAGES, **stores}
    with override_settings(CONTACT_GUARD={**tests, **chosen}, **others):
        found = [each for each in run_checks(tags=["crm_contact_guard"]) if each.id != "crm_contact_guard.W001"]
    assert not found, f"{block}: {found}"


def check_host(setting: str, spec: dict[str, Any]) -> None:
    [row] = re.findall(rf"^\| `{setting}` \| .*$", (ROOT / "docs/settings.md").read_text("utf-8"), re.MULTILINE)
    assert {f"`{key}`" for key in spec} <= set(re.findall(r"`\w+`", row))


def check_entries(found: dict[str, Any], names: dict[str, Any]) -> None:
    """A part of a setting, put where it belongs."""
    if "IMAP" in found:
        names["CONTACT_GUARD"]["CHANNELS"]["email"]["OPTIONS"] |= found
        return
    assert found.keys() == {"OPTIONS"}, "nobody knows what these entries belong to"
    database = {**DatabaseWrapper({"NAME": ":memory:"}, "example").settings_dict, **found}
    defaults = {"CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": False, "AUTOCOMMIT": True, "TIME_ZONE": None}
    connection = DatabaseWrapper({**defaults, **database, "NAME": ":memory:"}, "example")
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    connection._close()


def unknown(page: str, known: set[str]) -> set[str]:
    """Names that are read somewhere, within functions too, and come from nowhere."""
    read: set[str] = set()
    bound = {*known, *dir(builtins)}
    for block in BY_PAGE[page]:
        if entries(block):
            continue
        for node in ast.walk(ast.parse(block.text)):
            if isinstance(node, ast.Name):
                (read if isinstance(node.ctx, ast.Load) else bound).add(node.id)
            elif isinstance(node, ast.arg):
                bound.add(node.arg)
            elif isinstance(node, ast.alias):
                bound.add((node.asname or node.name).partition(".")[0])
            elif isinstance(node, ast.FunctionDef | ast.ClassDef):
                bound.add(node.name)
    told = re.findall(r"((?:`\w+`[, and]*)+) (?:is|are) yours", prose(ROOT / page))
    return read - bound - set(re.findall(r"`(\w+)`", "".join(told)))


@pytest.mark.django_db
def test_the_hold_of_the_operations_page_stands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = "docs/operations.md"
    names = given(tmp_path, monkeypatch, page)
    [block] = [block for block in BY_PAGE[page] if "hold_place(" in block.text]

    exec(block.text, names)

    assert LegalHold.objects.get().name == "Case 12"


def test_the_histogram_of_the_operations_page_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    from opentelemetry import metrics
    from opentelemetry.sdk.metrics import MeterProvider
    from opentelemetry.sdk.metrics.export import InMemoryMetricReader

    reader = InMemoryMetricReader()
    metrics.set_meter_provider(MeterProvider(metric_readers=[reader]))
    [block] = [block for block in BY_PAGE["docs/operations.md"] if "opentelemetry" in block.text]
    monkeypatch.setattr(scanned, "receivers", [])
    names: dict[str, Any] = {}
    exec(block.text, names)

    scanned.send_robust(sender=None, stage="preview", seconds=0.25)

    data = reader.get_metrics_data()
    assert data is not None
    [metric] = data.resource_metrics[0].scope_metrics[0].metrics
    [point] = metric.data.data_points
    assert (metric.name, point.sum, dict(point.attributes)) == ("contact_guard.scan", 0.25, {"stage": "preview"})
