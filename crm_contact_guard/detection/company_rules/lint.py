"""Checks a company's file of contacts, words and rules, and reports problems by line.

No content causes an exception: every fault is reported as a ``Problem``. A file without problems can be loaded.
"""

from __future__ import annotations

import difflib
import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import re2

from crm_contact_guard.detection.company_rules.lines import Path as Place
from crm_contact_guard.detection.company_rules.lines import find_lines, line_of
from crm_contact_guard.detection.text.normalise import normalise
from crm_contact_guard.detection.types import Company, CompanyRule, Direction, Kind

MAX_BYTES = 1_000_000
MAX_RULES, MAX_WORDS = 500, 5_000
MAX_PATTERN = 500
#: Maximum number of instructions in a compiled pattern, to limit its memory (``x{1000}`` compiles to 1,000 of them).
MAX_PROGRAM = 4_000
_PATTERN_MEMORY = 8 << 20
#: Kinds that come from text; the others come from the policy.
KINDS = tuple(kind.value for kind in Kind if kind not in (Kind.AFTER_HOURS, Kind.REPEATED_CONTACT))
_RULE_KEYS = tuple(field.name for field in fields(CompanyRule))
_KEYS = tuple(field.name for field in fields(Company))
_TOML_PLACE = re2.compile(r"\(at (?:line (\d+), column \d+|end of document)\)")
#: Syntax of backtracking engines that a linear-time engine does not support, and its name.
_REFUSED = (
    ("(?=", "lookahead"),
    ("(?!", "negative lookahead"),
    ("(?<=", "lookbehind"),
    ("(?<!", "negative lookbehind"),
    ("(?>", "an atomic group"),
    ("(?P=", "a backreference"),
    ("(?(", "a conditional"),
)
_BACKREFERENCE = re2.compile(r"(?:^|[^\\])(?:\\\\)*\\[1-9]")


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault and its line, counted from one."""

    line: int
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}"


def lint(path: str | Path) -> list[Problem]:
    """Return all problems in a file, sorted by line. The list is empty if the file is valid."""
    try:
        raw = Path(path).read_bytes()
        if len(raw) > MAX_BYTES:
            return [Problem(1, f"the file has {len(raw)} bytes; {MAX_BYTES} are allowed")]
        text = raw.decode("utf-8-sig")
    except OSError as error:
        return [Problem(1, f"can't be read: {error.strerror or error}")]
    except UnicodeDecodeError as error:
        return [Problem(raw[: error.start].count(b"\n") + 1, "not UTF-8")]
    is_json = str(path).endswith(".json") or text.lstrip().startswith("{")
    try:
        data = json.loads(text) if is_json else tomllib.loads(text)
    except json.JSONDecodeError as error:
        return [Problem(error.lineno, f"not JSON: {error.msg}")]
    except tomllib.TOMLDecodeError as error:
        match = _TOML_PLACE.search(str(error))
        last = text.rstrip().count("\n") + 1
        return [Problem(int(match.group(1)) if match and match.group(1) else last, f"not TOML: {error}")]
    except RecursionError:
        return [Problem(1, "nested too deeply")]
    if not isinstance(data, dict):
        return [Problem(1, "not a table of keys")]
    lines = find_lines(text, json=is_json)
    return sorted(
        (Problem(line_of(lines, place), message) for place, message in _faults(data)), key=lambda problem: problem.line
    )


def refusal(pattern: str) -> str | None:
    """Return why a pattern is rejected, or ``None`` if it isn't.

    A pattern must run in linear time, have a bounded size and not match an empty text.
    """
    if len(pattern) > MAX_PATTERN:
        return f"the pattern has {len(pattern)} characters; {MAX_PATTERN} are allowed"
    for sign, name in _REFUSED:
        if sign in pattern:
            return f"the pattern uses {name} ({sign}…), which can't run in linear time"
    if _BACKREFERENCE.search(pattern):
        return "the pattern uses a backreference, which can't run in linear time"
    try:
        compiled = compile_rule(pattern)
    except re2.error as error:
        reason = error.args[0] if error.args else ""
        return f"the pattern is invalid: {reason.decode('utf-8', 'replace') if isinstance(reason, bytes) else reason}"
    if compiled.programsize > MAX_PROGRAM:
        return f"the pattern is too large when its repetitions are expanded ({compiled.programsize} steps; {MAX_PROGRAM} are allowed)"
    if compiled.search("") is not None:
        return "the pattern matches the empty text, so it would match every message"
    return None


def compile_rule(pattern: str) -> Any:
    """Compile a company's pattern, case-insensitively. Raises ``re2.error``."""
    options = re2.Options()
    options.max_mem = _PATTERN_MEMORY
    options.log_errors = False
    options.case_sensitive = False
    return re2.compile(pattern, options)


def _faults(data: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    for key, value in data.items():
        if key not in _KEYS:
            yield (key,), f"unknown key {key!r}{_nearest(key, _KEYS)}"
        elif key == "threshold":
            if not _number(value) or not 0 < value < 1:
                yield (key,), "threshold must be a number between 0 and 1"
        elif key == "version":
            if not isinstance(value, str):
                yield (key,), "version must be a string"
        elif key == "own_words":
            yield from _word_faults(value)
        elif key == "rules":
            yield from _rules_faults(value)
        else:
            yield from _list_faults(key, value)


def _list_faults(key: str, value: object) -> Iterator[tuple[Place, str]]:
    if not isinstance(value, list):
        yield (key,), f"{key} must be a list of strings"
        return
    for number, item in enumerate(value):
        if not isinstance(item, str) or not item.strip():
            yield (key, number), f"{key}: expected a string, not {item!r}"
        elif key == "regions" and not (len(item) == 2 and item.isascii() and item.isupper()):
            yield (key, number), f"regions: {item!r} is not an ISO 3166 code of two capital letters"


def _word_faults(value: object) -> Iterator[tuple[Place, str]]:
    if not isinstance(value, dict):
        yield ("own_words",), "own_words must be a table: kind = [words]"
        return
    for kind, words in value.items():
        place: Place = ("own_words", kind)
        if kind not in KINDS:
            yield place, f"unknown kind {kind!r}{_nearest(kind, KINDS)}"
        if not isinstance(words, list):
            yield place, f"own_words.{kind} must be a list of words"
            continue
        if len(words) > MAX_WORDS:
            yield place, f"{len(words)} words; {MAX_WORDS} are allowed"
        for number, word in enumerate(words):
            if not isinstance(word, str) or len(normalise(word).text.strip()) < 2:
                yield (*place, number), f"a word needs at least two characters, {word!r} is too short"


def _rules_faults(value: object) -> Iterator[tuple[Place, str]]:
    if not isinstance(value, list) or not all(isinstance(rule, dict) for rule in value):
        yield ("rules",), "rules must be tables: [[rules]]"
        return
    if len(value) > MAX_RULES:
        yield ("rules",), f"{len(value)} rules; {MAX_RULES} are allowed"
    seen: set[str] = set()
    for number, rule in enumerate(value[:MAX_RULES]):
        place: Place = ("rules", number)
        for key in rule:
            if key not in _RULE_KEYS:
                yield (*place, key), f"unknown key {key!r}{_nearest(key, _RULE_KEYS)}"
        identity = rule.get("id")
        if not isinstance(identity, str) or not identity.strip():
            yield (*place, "id"), "a rule needs an id"
        elif identity in seen:
            yield (*place, "id"), f"the id {identity!r} is used twice"
        else:
            seen.add(identity)
        yield from _rule_faults(place, rule)


def _rule_faults(place: Place, rule: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    kind = rule.get("kind")
    if kind not in KINDS:
        yield (*place, "kind"), f"unknown kind {kind!r}{_nearest(str(kind), KINDS)}; known kinds are {', '.join(KINDS)}"
    if "direction" in rule and rule["direction"] not in [side.value for side in Direction]:
        yield (*place, "direction"), "direction must be inbound, outbound or note"
    if "score" in rule and (not _number(rule["score"]) or not 0 < rule["score"] <= 1):
        yield (*place, "score"), "score must be a number above 0 and at most 1"
    usable = {}
    for key in ("pattern", "unless"):
        if key not in rule:
            if key == "pattern":
                yield place, "a rule needs a pattern"
            continue
        fault = _pattern_fault(rule[key])
        if fault is None:
            usable[key] = compile_rule(rule[key])
        else:
            yield (*place, key), fault
    if "pattern" in usable:
        yield from _example_faults(place, rule, usable)


def _example_faults(place: Place, rule: Mapping[str, Any], usable: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    for key, expected in (("hits", True), ("misses", False)):
        examples = rule.get(key, [])
        if not isinstance(examples, list) or not all(isinstance(example, str) for example in examples):
            yield (*place, key), f"{key} must be a list of strings"
        else:
            for number, example in enumerate(examples):
                folded = normalise(example).text
                matched = usable["pattern"].search(folded) is not None
                matched = matched and not ("unless" in usable and usable["unless"].search(folded))
                if matched is not expected:
                    yield (
                        (*place, key, number),
                        f"{example!r} {'is not matched' if expected else 'is matched'} by the pattern",
                    )


def _pattern_fault(pattern: object) -> str | None:
    if not isinstance(pattern, str) or not pattern:
        return "a pattern must be a non-empty string"
    fault = refusal(pattern)
    if fault is not None:
        return fault
    for character in pattern:
        folded = normalise(character).text
        if folded not in (character, character.lower()):
            return f"messages are folded before matching: replace {character!r} by {folded!r} in the pattern"
    return None


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _nearest(name: str, names: tuple[str, ...]) -> str:
    near = difflib.get_close_matches(name, names, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
