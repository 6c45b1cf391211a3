"""Generate the reference pages of the documentation from the code: settings, checks, commands, API, Python.

``python tools/reference.py write`` updates the pages. ``python tools/reference.py check`` fails if a page is out of
date; ``make docs`` and a test check this as well.
"""

from __future__ import annotations

import argparse
import ast
import dataclasses
import inspect
import os
import re
import sys
from collections.abc import Iterator
from enum import StrEnum
from importlib import import_module
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PACKAGE = ROOT / "crm_contact_guard"
APP = "crm_contact_guard"
NOTE = "<!-- Written by tools/reference.py from the code; change it there, then run make reference. -->\n"
_CHECK = re.compile(rf"{APP}\.[EW]\d{{3}}")


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def _code(text: str) -> str:
    return f"`{' '.join(text.split())}`".replace("|", "\\|")


# --- settings


def settings_page() -> str:
    """Return the page with the names, groups and defaults in ``conf.DEFAULTS``."""
    source = (PACKAGE / "conf.py").read_text(encoding="utf-8")
    tree = ast.parse(source)
    [table] = [
        node.value
        for node in tree.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.target.id == "DEFAULTS"
    ]
    if not isinstance(table, ast.Dict):
        raise TypeError("conf.DEFAULTS is not a dict display")
    lines = source.splitlines()
    out = ["# Reference: settings", "", NOTE]
    out += ["Keys of `CONTACT_GUARD` with their defaults. Their meaning: [settings](settings.md).", ""]
    for key, value in zip(table.keys, table.values, strict=True):
        if key is None:
            raise TypeError("conf.DEFAULTS unpacks another dict")
        above = lines[key.lineno - 2].strip()
        if above.startswith("# "):
            out += ["", f"## {above.removeprefix('# ')}", "", "| Name | Default |", "|---|---|"]
        out.append(f"| `{ast.literal_eval(key)}` | {_code(ast.unparse(value))} |")
    return "\n".join(out) + "\n"


# --- checks


def checks_page() -> str:
    """Return the page with every message of the system checks, and its fix."""
    messages = sorted(set(_messages()))
    out = ["# Reference: checks", "", NOTE]
    out += [
        "All messages of `manage.py check`, with their fixes. `…` stands for a value known only at run time.",
        "`SILENCED_SYSTEM_CHECKS` can silence a message, which is rarely wise.",
        "",
        "| Id | Message | Fix |",
        "|---|---|---|",
    ]
    out += [f"| `{identity}` | {_cell(message)} | {_cell(hint)} |" for identity, message, hint in messages]
    return "\n".join(out) + "\n"


def _messages() -> Iterator[tuple[str, str, str]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        for scope in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(scope, ast.FunctionDef):
                continue
            for call in ast.walk(scope):
                parts = _message_and_hint(call)
                if parts is None or not isinstance(call, ast.Call):
                    continue
                words, hint = parts
                identity = next(ast.literal_eval(named.value) for named in call.keywords if named.arg == "id")
                message = _text(words, scope, call.lineno)
                if not re.search(r"\w{3}", message):
                    message = _from_docstring(scope, str(identity))
                yield str(identity), message, _text(hint, scope, call.lineno)


def _from_docstring(scope: ast.FunctionDef, identity: str) -> str:
    """Return the description of an ID in the check's docstring, for messages that aren't literals."""
    short = identity.rpartition(".")[2]
    match = re.search(rf"{short}: (.*?)(?:\.\s|\.$|\Z)", ast.get_docstring(scope) or "", re.DOTALL)
    return match[1] if match else "…"


def _line(node: ast.expr) -> int:
    return node.lineno


def _message_and_hint(call: ast.AST) -> tuple[ast.expr | None, ast.expr | None] | None:
    """Return the message and hint of a call that creates a check message, or None for any other node."""
    if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ("Error", "Warning")):
        return None
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    identity = named.get("id")
    if not (isinstance(identity, ast.Constant) and _CHECK.fullmatch(str(identity.value))):
        return None
    return (call.args[0] if call.args else None), named.get("hint") or (call.args[1] if len(call.args) > 1 else None)


def _text(node: ast.expr | None, scope: ast.FunctionDef, line: int) -> str:
    """Return the text of an expression, with ``…`` for parts known only at run time."""
    if node is None:
        return ""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part, scope, line) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        inner = _text(node.value, scope, line)
        return inner if isinstance(node.value, ast.Name) and re.search(r"\w{3}", inner) else "…"
    if isinstance(node, ast.BinOp):
        return _text(node.left, scope, line) + _text(node.right, scope, line)
    if isinstance(node, ast.Name):
        before = [
            each.value
            for each in ast.walk(scope)
            if isinstance(each, ast.Assign) and each.lineno <= line and getattr(each.targets[0], "id", "") == node.id
        ]
        return _text(max(before, key=_line), scope, line) if before else "…"
    if isinstance(node, ast.IfExp):
        return f"{_text(node.body, scope, line)} / {_text(node.orelse, scope, line)}"
    return "…"


# --- commands


def commands_page() -> str:
    """Return the page with the help of every command."""
    from django.core.management import get_commands, load_command_class  # noqa: PLC0415

    os.environ["COLUMNS"] = "110"
    out = [
        "# Reference: commands",
        "",
        NOTE,
        "The output of `manage.py COMMAND --help`, without Django's own options.",
        "",
    ]
    for name in sorted(name for name, app in get_commands().items() if app == APP):
        parser = load_command_class(APP, name).create_parser("manage.py", name)
        out += [f"## {name}", "", " ".join((parser.description or "").split()), ""]
        out += [*_options(parser), ""]
    return "\n".join(out)


_DJANGOS = {
    "help", "version", "verbosity", "settings", "pythonpath", "traceback", "no_color", "force_color", "skip_checks",
}  # fmt: skip


def _options(parser: argparse.ArgumentParser, before: str = "") -> list[str]:
    rows = []
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, inner in action.choices.items():
                rows += _options(inner, f"{before}{name} ")
            continue
        if action.dest in _DJANGOS:
            continue
        named = ", ".join(action.option_strings) or str(action.metavar or action.dest)
        takes = f" {action.metavar or action.dest.upper()}" if action.option_strings and action.nargs != 0 else ""
        help_text = (action.help or "") % {**vars(action), "prog": parser.prog}
        rows.append(f"| `{before}{named}{takes}` | {_cell(help_text)} |")
    head = ["| Argument | Meaning |", "|---|---|"] if rows and not before else []
    return head + rows


# --- API


def api_page() -> str:
    """Return the page with every operation in the OpenAPI schema."""
    from drf_spectacular.generators import SchemaGenerator  # noqa: PLC0415
    from drf_spectacular.settings import patched_settings  # noqa: PLC0415

    from crm_contact_guard.api.schema import SETTINGS  # noqa: PLC0415

    with patched_settings(SETTINGS):
        schema: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    out = ["# Reference: API", "", NOTE]
    out += ["From the OpenAPI schema at `api/v1/schema/`; for its use see [API](api.md).", ""]
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            if not isinstance(operation, dict) or "responses" not in operation:
                continue
            out += [f"## {method.upper()} {path.partition('/api/')[1] or ''}{path.partition('/api/')[2] or path}", ""]
            description = operation.get("description") or operation.get("summary") or ""
            out += [" ".join(description.replace("<", "&lt;").split()), ""] if description else []
            out += _parameters(operation)
            body = operation.get("requestBody", {}).get("content", {})
            out += [f"Takes {', '.join(f'`{kind}` ({_name(one)})' for kind, one in body.items())}.", ""] if body else []
            out += [f"Answers {', '.join(_answers(operation))}.", ""]
    return "\n".join(out)


def _parameters(operation: dict[str, Any]) -> list[str]:
    rows = [
        f"| `{each['name']}` | {each['in']} | {_cell(each.get('description', ''))} |"
        for each in operation.get("parameters", ())
        if each["in"] != "path"
    ]
    return ["| Parameter | In | Meaning |", "|---|---|---|", *rows, ""] if rows else []


def _answers(operation: dict[str, Any]) -> Iterator[str]:
    for code, answer in operation["responses"].items():
        names = {_name(one) for one in answer.get("content", {}).values()} - {""}
        yield f"{code}" + (f" ({', '.join(sorted(names))})" if names else "")


def _name(content: dict[str, Any]) -> str:
    schema = content.get("schema", {})
    reference = schema.get("$ref") or schema.get("items", {}).get("$ref") or ""
    return str(reference.rpartition("/")[2] or schema.get("type", ""))


# --- Python

#: The public Python API: module → public names, in the order in which the page lists them.
CONTRACTS = {
    "crm": ("CRMAdapter", "DeclarativeAdapter", "CustomerRecord", "AddressRecord", "EmployeeRecord", "TeamRecord"),
    "channels.base": (
        "Channel", "OutboundMessage", "OutboundFile", "OutboundTemplate", "PhoneCall", "Receipt", "DeliveryStatus",
        "InboundMessage", "FileIn", "MediaRef", "StatusEvent", "ContactEvent", "ContactKind", "CallEvent",
        "CallOutcome", "TakenBack", "UnknownEvent", "Carried",
    ),
    "channels.address_kinds": ("AddressKind", "e164"),
    "sealing.witnesses": ("Witness", "EmailWitness", "StorageWitness"),
    "intake.backfill": ("OldMessage",),
    "gateway": ("send", "Sent", "note", "receive", "Received"),
    "detection": ("scan", "scan_many", "read_thread", "explain"),
    "signals": (),
    "exceptions": (
        "ContactGuardError", "ConfigurationError", "NotPermitted", "InvalidMessage", "ChannelError", "InvalidPayload",
        "AlreadyClosed", "RecordedRowsAreFinal",
    ),
}  # fmt: skip


def python_page() -> str:
    """Return the page about the public Python API, taken from docstrings."""
    out = ["# Reference: Python", "", NOTE]
    out += [
        "What a host or a third party implements (an adapter, a channel, a witness) or calls, from the docstrings.",
        "Anything that is not on this or another reference page may change in any version.",
        "",
    ]
    for name, members in CONTRACTS.items():
        module = import_module(f"{APP}.{name}")
        out += [f"## {APP}.{name}", "", *_docstring(module), ""]
        for member in members:
            out += _member(member, getattr(module, member))
    return "\n".join(out).rstrip("\n") + "\n"


def _member(name: str, member: Any) -> Iterator[str]:
    yield from (f"### {name}", "")
    if not inspect.isclass(member):
        yield from (f"`{_signature(name, member)}`", "", *_docstring(member), "")
        return
    yield from (*_docstring(member), "")
    if dataclasses.is_dataclass(member):
        yield from ("Fields: " + ", ".join(f"`{field.name}`" for field in dataclasses.fields(member)) + ".", "")
    elif issubclass(member, StrEnum):
        yield from ("Values: " + ", ".join(f"`{one.value}`" for one in member) + ".", "")
    rows = [
        f"| {_code(_signature(method, function))} | {' '.join(_cell(line) for line in _docstring(function))} |"
        for method, function in vars(member).items()
        if inspect.isfunction(function) and not method.startswith("_") and function.__doc__
    ]
    if rows and not dataclasses.is_dataclass(member) and not issubclass(member, Exception):
        yield from ("| Method | What it does |", "|---|---|", *rows, "")


def _signature(name: str, function: Any) -> str:
    """Return the signature with default values, without ``self``."""
    parts = []
    starred = False
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name == "self":
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            starred = True
            parts.append("*")
        default = parameter.default.value if isinstance(parameter.default, StrEnum) else parameter.default
        parts.append(str(parameter.replace(annotation=parameter.empty, default=default)))
    return f"{name}({', '.join(parts)})"


def _docstring(thing: Any) -> list[str]:
    """Return the lines of a docstring as Markdown."""
    text = inspect.cleandoc(inspect.getdoc(thing) or "")
    return [re.sub(r"``(.+?)``", r"`\1`", line) for line in text.splitlines()]


PAGES = {
    "reference_settings.md": settings_page,
    "reference_checks.md": checks_page,
    "reference_commands.md": commands_page,
    "reference_api.md": api_page,
    "reference_python.md": python_page,
}


def stale() -> list[str]:
    """Return the names of pages that are out of date. Django must be set up."""
    return [
        name
        for name, page in PAGES.items()
        if not (DOCS / name).exists() or (DOCS / name).read_text(encoding="utf-8") != page()
    ]


def main() -> None:
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django  # noqa: PLC0415

    django.setup()
    if sys.argv[1:] == ["write"]:
        for name, page in PAGES.items():
            (DOCS / name).write_text(page(), encoding="utf-8")
    elif sys.argv[1:] == ["check"]:
        if stale():
            sys.exit(f"Not in step with the code: {', '.join(stale())}. Run make reference.")
    else:
        sys.exit("python tools/reference.py write|check")


if __name__ == "__main__":
    main()
