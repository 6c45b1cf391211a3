"""Reads the file given as ``--company``, in TOML or JSON. Its keys are the fields of ``types.Company``."""

from __future__ import annotations

import json
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

from crm_contact_guard.detection.company_rules.lint import lint
from crm_contact_guard.detection.types import Company, CompanyRule, Direction


class CompanyFileError(ValueError):
    """The file can't be read, or has an unknown key or a wrong value. The message names the file and the key."""


def read_company(path: str) -> Company:
    """Read a company file. Raises ``CompanyFileError``."""
    try:
        raw = Path(path).read_text("utf-8")
        data = json.loads(raw) if path.endswith(".json") or raw.lstrip().startswith("{") else tomllib.loads(raw)
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, tomllib.TOMLDecodeError) as error:
        raise CompanyFileError(f"{path}: {error}") from error
    if isinstance(data, dict) and ("rules" in data or "own_words" in data):
        problems = lint(path)
        if problems:
            raise CompanyFileError(f"{path}: " + "; ".join(str(problem) for problem in problems))
    return company_from(data, path)


def company_from(data: object, source: str = "company") -> Company:
    """Return a ``Company`` made from a plain mapping. Raises ``CompanyFileError`` for unknown keys and wrong types."""
    if not isinstance(data, dict):
        raise CompanyFileError(f"{source}: not a table")
    keys = {field.name for field in fields(Company)}
    values: dict[str, Any] = {}
    for key, value in data.items():
        if key not in keys:
            raise CompanyFileError(f"{source}: unknown key {key!r}; known keys are {', '.join(sorted(keys))}")
        if key in ("threshold", "noticed"):
            values[key] = None if value is None else _score(value, key, source)
        elif key in ("threshold_by_direction", "noticed_by_direction"):
            values[key] = _by_direction(value, key, source)
        elif key == "own_words":
            if not isinstance(value, dict):
                raise CompanyFileError(f"{source}: own_words is not a table")
            values[key] = {str(name): tuple(str(word) for word in words) for name, words in value.items()}
        elif key == "version":
            values[key] = str(value)
        elif key == "rules":
            values[key] = tuple(_rule(entry, source) for entry in (value if isinstance(value, list) else [value]))
        elif not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise CompanyFileError(f"{source}: {key} is not a list of strings")
        else:
            values[key] = tuple(value) if key == "regions" else frozenset(value)
    return Company(**values)


def _score(value: object, key: str, source: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1:
        raise CompanyFileError(f"{source}: {key} = {value!r} is not a number between 0 and 1")
    return float(value)


def _by_direction(value: object, key: str, source: str) -> dict[Direction, float]:
    if not isinstance(value, dict) or not set(value) <= {*Direction}:
        raise CompanyFileError(f"{source}: {key} is not a table of {', '.join(Direction)}")
    return {Direction(name): _score(score, f"{key}.{name}", source) for name, score in value.items()}


def _rule(entry: object, source: str) -> CompanyRule:
    """Return the rule in one ``[[rules]]`` table. ``lint`` checks its content."""
    if not isinstance(entry, dict):
        raise CompanyFileError(f"{source}: rules must be tables")
    values: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in entry.items()}
    try:
        return CompanyRule(**values)
    except TypeError as error:
        raise CompanyFileError(f"{source}: rule {entry.get('id')!r}: {error}") from error
