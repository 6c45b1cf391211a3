"""The setting READER: mistakes are reported with their key, the API key is never shown."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.checks import run_checks

from crm_contact_guard.reading.options import options, problems
from tests.reading.reader_server import reader

GOOD: dict[str, Any] = {"URL": "http://127.0.0.1:11434/v1", "MODEL": "small"}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"URI": "x"}, "unknown key 'URI'; did you mean 'URL'?"),
        ({"URL": ""}, '["URL"]'),
        ({"URL": "ftp://127.0.0.1/"}, '["URL"]'),
        ({"URL": "http://127.0.0.1:x/"}, '["URL"]'),
        ({"URL": "http://name:pass@127.0.0.1/v1"}, '["URL"]'),
        ({"URL": "https://8.8.8.8/v1"}, '["URL"] leads to a public address'),
        (
            {"URL": "http://8.8.8.8/v1", "ALLOW_EXTERNAL": True},
            '["URL"] leads to a public address, which requires https',
        ),
        ({"URL": "http://169.254.169.254/v1", "ALLOW_EXTERNAL": True}, '["URL"]'),
        ({"MODEL": ""}, '["MODEL"]'),
        ({"API_KEY": "a b"}, '["API_KEY"]'),
        ({"API_KEY": "a\r\nX: y"}, '["API_KEY"]'),
        ({"TIMEOUT": 0}, '["TIMEOUT"]'),
        ({"TIMEOUT": True}, '["TIMEOUT"]'),
        ({"TIMEOUT": 51}, '["TIMEOUT"]'),
        ({"MAX_DELAY": 10}, '["MAX_DELAY"]'),
        ({"ALLOW_EXTERNAL": "yes"}, '["ALLOW_EXTERNAL"]'),
        ({"LANGUAGE": "de"}, '["LANGUAGE"]'),
        ({"MAY_PROMOTE": 1.5}, '["MAY_PROMOTE"]'),
        ({"MAY_DEMOTE": "no"}, '["MAY_DEMOTE"]'),
    ],
)
def test_a_mistake_is_reported_with_its_key(changes: dict[str, Any], named: str) -> None:
    [told] = problems({**GOOD, **changes})

    assert named in told
    assert "a b" not in told


def test_a_value_that_is_not_a_dict_is_reported() -> None:
    assert list(problems("http://x")) == ['CONTACT_GUARD["READER"] must be a dict']
    assert not list(problems(GOOD))


@pytest.mark.django_db
def test_the_checks_report_it_and_inspection_works_without_a_reader() -> None:
    with reader("http://127.0.0.1:1/v1", MAX_DELY=3):
        told = [message for message in run_checks() if message.id == "crm_contact_guard.E015"]
        assert options() is None
    assert "'MAX_DELAY'" in told[0].msg

    with reader("http://127.0.0.1:1/v1"):
        told = [
            message for message in run_checks(include_deployment_checks=True) if message.id == "crm_contact_guard.W008"
        ]
        assert len(told) == 1


def test_the_preset_gives_the_bounds_and_the_setting_overrides_them() -> None:
    with reader("http://127.0.0.1:1/v1", INDUSTRY="finance"):
        chosen = options()
        assert chosen is not None
        assert not chosen.bounds.may_demote(0.1)
        assert "sk-secret-key" not in repr(chosen)
        assert chosen.url == "http://127.0.0.1:1/v1/chat/completions"
    with reader("http://127.0.0.1:1/v1/chat/completions", INDUSTRY="finance", MAY_DEMOTE=True, MAY_PROMOTE=False):
        chosen = options()
        assert chosen is not None
        assert chosen.bounds.may_demote(1.0)
        assert not chosen.bounds.may_promote(1.0)
        assert chosen.url == "http://127.0.0.1:1/v1/chat/completions"
    with reader("http://127.0.0.1:1/v1", MAY_DEMOTE=0.6):
        chosen = options()
        assert chosen is not None
        assert (chosen.bounds.may_demote(0.59), chosen.bounds.may_demote(0.6)) == (True, False)
