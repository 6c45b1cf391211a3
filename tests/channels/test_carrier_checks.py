"""One numbered check for each mistake in the settings of the Twilio and WhatsApp channels."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from crm_contact_guard.channels import registry
from tests.channels import twilio_setup, whatsapp_setup


def ids(alias: str) -> list[str]:
    return [str(message.id).removeprefix("crm_contact_guard.") for message in registry.channel(alias).check()]


@pytest.mark.parametrize("alias", ["sms", "whatsapp", "phone"])
def test_the_documented_twilio_configuration_passes_the_checks(alias: str, settings: Any) -> None:
    twilio_setup.configure(settings, EMPLOYEE_PHONES={"7": "+818011112222"})

    assert ids(alias) == []


@pytest.mark.parametrize(
    ("alias", "options", "expected"),
    [
        ("sms", {"ACCOUNT_SID": "AC123"}, ["E122"]),
        ("sms", {"AUTH_TOKEN": ""}, ["E122"]),
        ("sms", {"AUTH_TOKEN": []}, ["E122"]),
        ("sms", {"API_KEY": "SK" + "0" * 32}, ["E122"]),
        ("sms", {"API_KEY": "key", "API_SECRET": "secret"}, ["E122"]),
        ("sms", {"WEBHOOK_URL": "http://crm.kaede.example/hook"}, ["E123"]),
        ("sms", {"FROM": ""}, ["E124"]),
        ("whatsapp", {"FROM": "", "MESSAGING_SERVICE_SID": "MG1"}, []),
        ("phone", {"FROM": "reception"}, ["E124"]),
        ("phone", {"EMPLOYEE_PHONES": {}}, ["E125"]),
        ("phone", {"EMPLOYEE_PHONES": {}, "FORWARD_TO": "+81312345678"}, []),
        ("phone", {"EMPLOYEE_PHONES": "no.such.function"}, ["E125"]),
    ],
)
def test_each_mistake_with_twilio_has_its_check(
    alias: str, options: dict[str, Any], expected: list[str], settings: Any
) -> None:
    twilio_setup.configure(settings, **{"EMPLOYEE_PHONES": {"7": "+818011112222"}, **options})

    assert ids(alias) == expected


def test_twilio_requires_a_public_url(settings: Any) -> None:
    twilio_setup.configure(settings, EMPLOYEE_PHONES={"7": "+818011112222"})
    settings.CONTACT_GUARD = {**settings.CONTACT_GUARD, "PUBLIC_URL": ""}

    assert ids("sms") == ["E123"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, []),
        ({"PHONE_NUMBER_ID": "+81 50"}, ["E132"]),
        ({"ACCESS_TOKEN": ""}, ["E132"]),
        ({"APP_SECRET": ""}, ["E133"]),
        ({"APP_SECRET": ["new", "old"]}, []),
        ({"VERIFY_TOKEN": None}, ["E134"]),
    ],
)
def test_each_mistake_with_whatsapp_has_its_check(options: dict[str, Any], expected: list[str], settings: Any) -> None:
    whatsapp_setup.configure(settings, **options)

    assert ids("whatsapp") == expected


@pytest.mark.parametrize(("library", "alias", "expected"), [("twilio", "sms", "E121"), ("pywa", "whatsapp", "E131")])
def test_a_missing_extra_is_reported_with_the_command_to_install_it(
    library: str, alias: str, expected: str, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    twilio_setup.configure(settings)
    if alias == "whatsapp":
        whatsapp_setup.configure(settings)
    monkeypatch.setitem(sys.modules, library, None)

    found = {message.id: message.hint for message in registry.channel(alias).check()}
    assert "pip install" in (found[f"crm_contact_guard.{expected}"] or "")
