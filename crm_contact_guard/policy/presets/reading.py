"""Reads presets from TOML. A file is refused, naming the file and the path in it, if anything in it is unknown.

Texts, outcomes and wordings that an industry's file doesn't contain are those of ``general.toml``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final, TypeVar

from crm_contact_guard.detection.types import Direction
from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.policy.presets.rule_names import ATTEMPT, TIMES, BadRule, action_named, split
from crm_contact_guard.policy.presets.shapes import (
    CONDUCT_OUTCOMES,
    LANGUAGES,
    NOTICE_FIELDS,
    PROTECTION_OUTCOMES,
    WORDINGS,
    Hours,
    Outcome,
    Preset,
    Text,
)

Value = TypeVar("Value")
#: Keys of a file, and whether every file has to contain them.
_KEYS: Final = {
    "label": True,
    "rules": True,
    "sensitivity": True,
    "hours": True,
    "retention": True,
    "review_share": True,
    "pseudonyms": False,
    "outcomes": False,
    "clause": False,
    "notice": False,
    "customer_notice": False,
    "wordings": False,
}
SENSITIVITIES: Final = ("quiet", "balanced", "strict")
#: Wordings of each kind that a file with wordings has to offer in each language.
LEAST_WORDINGS: Final = 4


class BadPreset(ConfigurationError):
    """A preset's file can't be used. The message names the file and the path in it."""


def read(path: Path, base: Preset | None = None) -> Preset:
    """Return the preset in a file. ``base`` supplies the texts that the file lacks. Raise BadPreset."""
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadPreset(f"{path.name}: {error}") from error
    return from_data(path.name, data, base)


def from_data(file: str, data: Mapping[str, Any], base: Preset | None = None) -> Preset:
    """Return the preset that TOML data describes. Raise BadPreset."""
    fail = partial(_fail, file)
    needed = [key for key, always in _KEYS.items() if always or base is None]
    _keys(fail, "", data, _KEYS, needed)

    def part(key: str, read_part: Callable[[Any], Value], default: Value | None) -> Value:
        if key in data or default is None:
            return read_part(data[key])
        return default

    return Preset(
        name=file.removesuffix(".toml"),
        label=_text(fail, "label", data["label"]),
        rules=_rules(fail, data["rules"]),
        sensitivity=_sensitivity(fail, data["sensitivity"]),
        hours=_hours(fail, data["hours"]),
        retention=_string(fail, "retention", data["retention"]),
        review_share=_share(fail, data["review_share"]),
        pseudonyms=_flag(fail, "pseudonyms", data.get("pseudonyms", False)),
        outcomes=part("outcomes", partial(_outcomes, fail), base.outcomes if base else None),
        clause=part("clause", partial(_text, fail, "clause"), base.clause if base else None),
        notice={**(base.notice if base else {}), **_notice(fail, data.get("notice", {}), whole=base is None)},
        customer_notice=part(
            "customer_notice", partial(_text, fail, "customer_notice"), base.customer_notice if base else None
        ),
        wordings=part("wordings", partial(_wordings, fail), base.wordings if base else None),
    )


Fail = Callable[[str, str], BadPreset]


def _fail(file: str, path: str, problem: str) -> BadPreset:
    return BadPreset(f"{file}: {path}: {problem}" if path else f"{file}: {problem}")


def _keys(fail: Fail, path: str, table: Any, known: Iterable[str], needed: Iterable[str] | None = None) -> None:
    if not isinstance(table, Mapping):
        raise fail(path, "is not a table")
    words = list(known)
    for key in table:
        if key not in words:
            raise fail(f"{path}.{key}".lstrip("."), f"unknown key; known: {', '.join(words)}")
    for key in words if needed is None else needed:
        if key not in table:
            raise fail(f"{path}.{key}".lstrip("."), "is missing")


def _string(fail: Fail, path: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise fail(path, "is not a text")
    return value.strip()


def _flag(fail: Fail, path: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise fail(path, "is neither true nor false")
    return value


def _text(fail: Fail, path: str, value: Any) -> Text:
    _keys(fail, path, value, LANGUAGES)
    return {language: _string(fail, f"{path}.{language}", value[language]) for language in LANGUAGES}


def _rules(fail: Fail, table: Any) -> dict[str, Any]:
    if not isinstance(table, Mapping):
        raise fail("rules", "is not a table")
    rules = {}
    for name, word in table.items():
        try:
            split(name)
            rules[name] = action_named(word)
        except BadRule as error:
            raise fail(f'rules."{name}"', str(error)) from None
    for name in (ATTEMPT, *TIMES):
        if name not in rules:
            raise fail(f"rules.{name}", "is missing")
    return rules


def _sensitivity(fail: Fail, table: Any) -> dict[Direction, str]:
    _keys(fail, "sensitivity", table, list(Direction))
    for direction, word in table.items():
        if word not in SENSITIVITIES:
            raise fail(f"sensitivity.{direction}", f"unknown word {word!r}; known: {', '.join(SENSITIVITIES)}")
    return {Direction(direction): word for direction, word in table.items()}


def _hours(fail: Fail, table: Any) -> Hours:
    _keys(fail, "hours", table, ("working", "quiet"))
    if not isinstance(table["working"], Mapping):
        raise fail("hours.working", "is not a table")
    working = {day: _string(fail, f"hours.working.{day}", spans) for day, spans in table["working"].items()}
    if not isinstance(table["quiet"], str):
        raise fail("hours.quiet", "is not a text")
    return Hours(working=working, quiet=table["quiet"])


def _share(fail: Fail, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise fail("review_share", f"{value!r} is not a number from 0 to 1")
    return float(value)


def _outcomes(fail: Fail, rows: Any) -> tuple[Outcome, ...]:
    if not isinstance(rows, list):
        raise fail("outcomes", "is not a list")
    known = (*CONDUCT_OUTCOMES, *PROTECTION_OUTCOMES)
    found: dict[str, Outcome] = {}
    for number, row in enumerate(rows, 1):
        path = f"outcomes[{number}]"
        _keys(fail, path, row, ("kind", *LANGUAGES))
        kind = row["kind"]
        if kind not in known:
            raise fail(f"{path}.kind", f"unknown kind {kind!r}; known: {', '.join(known)}")
        if kind in found:
            raise fail(f"{path}.kind", f"{kind!r} is listed twice")
        label = {language: _string(fail, f"{path}.{language}", row[language]) for language in LANGUAGES}
        found[kind] = Outcome(kind=kind, label=label)
    return tuple(found.values())


def _notice(fail: Fail, table: Any, *, whole: bool) -> dict[str, Text]:
    _keys(fail, "notice", table, NOTICE_FIELDS, NOTICE_FIELDS if whole else ())
    return {field: _text(fail, f"notice.{field}", table[field]) for field in table}


def _wordings(fail: Fail, table: Any) -> dict[str, dict[str, tuple[str, ...]]]:
    _keys(fail, "wordings", table, WORDINGS)
    return {kind: _sentences(fail, f"wordings.{kind}", table[kind]) for kind in WORDINGS}


def _sentences(fail: Fail, path: str, table: Any) -> dict[str, tuple[str, ...]]:
    _keys(fail, path, table, LANGUAGES)
    for language in LANGUAGES:
        rows = table[language]
        if not isinstance(rows, list) or not all(isinstance(row, str) and row.strip() for row in rows):
            raise fail(f"{path}.{language}", "is not a list of texts")
        if len(set(rows)) < LEAST_WORDINGS:
            raise fail(f"{path}.{language}", f"has fewer than {LEAST_WORDINGS} different texts")
    return {language: tuple(table[language]) for language in LANGUAGES}
