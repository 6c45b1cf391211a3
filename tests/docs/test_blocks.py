"""Every code block of every page is checked: here by its language, or by the test that is named for it.

Python and API calls are run in their own modules (``test_python``, ``test_api_calls``).
"""

from __future__ import annotations

import configparser
import importlib
import json
import re
import shlex
import tomllib
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
import yaml
from django.urls import resolve

from crm_contact_guard.detection.company_rules.lint import lint
from crm_contact_guard.policy.known_rules import quiz
from tests.docs import shell
from tests.docs.pages import ALL, ROOT, Block, of
from tests.docs.project import PYPROJECT

CRON = re.compile(r"(?:(?:\*|[\d,/*-]+)\s+){5}(?P<command>.+)")


def check_shell(block: Block) -> None:
    assert not list(shell.faults(block.text))


def check_console(block: Block) -> None:
    assert "$ " in block.text
    assert not list(shell.faults(block.text, prompt=True))


def check_ini(block: Block) -> None:
    """Units of systemd: programs that exist, with options that they know."""
    started = re.findall(r"^ExecStart=(.+)$", block.text, re.MULTILINE)
    assert started
    for line in started:
        assert not list(shell.fault(shlex.split(line)))
    if "[Unit]" in block.text:
        unit = configparser.ConfigParser(interpolation=None)
        unit.read_string(block.text)
        assert unit.sections() == ["Unit", "Service", "Install"]


def check_nginx(block: Block) -> None:
    """It balances, each line is a directive, and it leads to the port that gunicorn listens on."""
    depth = 0
    for line in block.text.splitlines():
        bare = line.strip()
        depth += bare.endswith("{") - bare.startswith("}")
        assert depth >= 0
        assert not bare or bare.startswith("#") or bare.endswith((";", "{", "}")), line
    assert depth == 0
    ports = set(re.findall(r"proxy_pass http://([\d.:]+);", block.text))
    assert ports == {port for unit in of("ini") for port in re.findall(r"--bind (\S+)", unit.text)}


def check_yaml(block: Block) -> None:
    """Prometheus: the names of metrics are held by ``tests/monitoring/test_health.py``."""
    given = yaml.safe_load(block.text)
    for job in given.get("scrape_configs", []):
        assert resolve(job["metrics_path"]).url_name == "metrics"
    for group in given.get("groups", []):
        assert all(rule.keys() <= {"alert", "expr", "for"} for rule in group["rules"])
    assert given.keys() <= {"scrape_configs", "groups"}


def check_toml(block: Block) -> None:
    """A company's own words and rules, as ``COMPANY_RULES`` takes them."""
    tomllib.loads(block.text)


def check_json(block: Block) -> None:
    assert isinstance(json.loads(block.text), dict)


def check_sql(block: Block) -> None:
    """A sketch of what the program asks: with its functions and columns."""
    real = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "crm_contact_guard").glob("*/*.py"))
    assert not [name for name in re.findall(r"\b([a-z_0-9]+)\(", block.text) if name not in real]


def check_crontab(block: Block) -> None:
    for line in block.text.splitlines():
        matched = CRON.fullmatch(line)
        assert matched is not None, line
        assert not list(shell.faults(matched["command"]))


def check_flow(block: Block) -> None:
    """The README's picture: what it names exists."""
    for module, attribute in re.findall(r"\b(gateway|tasks)\.(\w+)", block.text):
        assert hasattr(importlib.import_module(f"crm_contact_guard.{module}"), attribute)
    for word in ("console", "api", "policy", "record", "channels", "intake", "detection", "supervision", "exports"):
        assert re.search(rf"\b{word}\b", block.text)
        importlib.import_module(f"crm_contact_guard.{word}")


def check_layers(block: Block) -> None:
    """CONTRIBUTING's layers stand in the order of the contract."""
    [contract] = [each for each in PYPROJECT["tool"]["importlinter"]["contracts"] if each["id"] == "layers"]
    order = [set(re.findall(r"\w+", layer)) for layer in contract["layers"]]

    def rank(name: str) -> int:
        return next(at for at, layer in enumerate(order) if name in layer)

    told = [
        [name for name in re.split(r"[^a-z_]+", line[:80].split("  ")[0]) if name] for line in block.text.splitlines()
    ]
    ranks = [[rank(name) for name in line] for line in told]
    assert len(ranks) >= 6
    assert all(max(above) <= min(below) for above, below in pairwise(ranks))


def check_quiz(block: Block) -> None:
    """A quiz as its author writes it."""
    assert len(quiz.parse(block.text)) == 1


def elsewhere(block: Block) -> None:
    """Checked by the test named beside it, or by Sphinx."""


#: Language → its check.
CHECKS: dict[str, Callable[[Block], None]] = {
    "sh": check_shell,
    "console": check_console,
    "ini": check_ini,
    "nginx": check_nginx,
    "yaml": check_yaml,
    "toml": check_toml,
    "json": check_json,
    "sql": check_sql,
    "python": elsewhere,  # test_python.py
    "http": elsewhere,  # test_api_calls.py
    "{toctree}": elsewhere,  # make docs
}
#: Text is whatever its page makes of it: page, a part of the block, its check.
TEXTS: tuple[tuple[str, str, Callable[[Block], None]], ...] = (
    ("README.md", "gateway.send", check_flow),
    ("CONTRIBUTING.md", "detection · proof", check_layers),
    ("docs/installation.md", "contact_guard_tick", check_crontab),
    ("docs/operations.md", "contact_guard_tick", check_crontab),
    ("docs/rules.md", "May I give", check_quiz),
    ("docs/tutorial.md", "0 errors", elsewhere),  # tests/hosts/test_crm_admin.py
    ("docs/record.md", "DOES NOT HOLD", elsewhere),  # test_shown.py
    ("training/WRITING.md", "# attempt|clean", elsewhere),  # tests/detection/test_evaluation.py
)


@pytest.mark.parametrize("block", ALL, ids=str)
def test_every_block_is_checked(block: Block) -> None:
    if block.language == "text":
        checks = [check for page, part, check in TEXTS if page == block.page and part in block.text]
    else:
        checks = [CHECKS[block.language]] if block.language in CHECKS else []

    assert checks, f"{block.page}, line {block.line}: nothing checks a block of {block.language or 'no language'} here"
    for check in checks:
        check(block)


@pytest.mark.parametrize("block", of("toml"), ids=str)
def test_company_rules_on_the_pages_are_good(block: Block, tmp_path: Path) -> None:
    file = tmp_path / "company.toml"
    file.write_text(block.text, encoding="utf-8")

    assert lint(file) == []
