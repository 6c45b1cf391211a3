"""``contact_guard_check``: two distributions that install one module."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests import factories
from tests.installation.test_check import look


@pytest.mark.parametrize(("lite", "warned"), [("9.0.30", True), ("", False)])
@pytest.mark.django_db
def test_two_distributions_of_one_module_are_reported(lite: str, warned: bool, tmp_path: Path) -> None:
    """Installed as pip leaves them: one folder of metadata each."""
    factories.team(head="sora")
    for name, version in (("phonenumbers", "9.0.43"), ("phonenumberslite", lite)):
        if version:
            (tmp_path / f"{name}-{version}.dist-info").mkdir()
            (tmp_path / f"{name}-{version}.dist-info" / "METADATA").write_text(f"Name: {name}\nVersion: {version}\n")
    sys.path.insert(0, str(tmp_path))
    try:
        report = look()
    finally:
        sys.path.remove(str(tmp_path))

    told = [item for item in report if "phonenumberslite" in item["says"]]
    assert len(told) == warned
    assert all("pip install phonenumbers==9.0.43" in item["fix"] for item in told)
