"""What a line of shell on a page would run: each command looked up, and its words read by its own parser."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

from celery.bin.celery import celery
from django.core.management import CommandError, get_commands, load_command_class
from gunicorn.config import Config

from tests.docs.pages import ROOT
from tests.docs.project import EXTRAS

#: Programs of the system, whose own options are not ours to know.
SYSTEM = {"cat", "cd", "curl", "docker", "git", "openssl", "kill"}
_ASSIGNED = re.compile(r"[A-Z_]+=.*")
_PYTHON = re.compile(r"(?:\S*/)?python3?")


def faults(text: str, *, prompt: bool = False) -> Iterator[str]:
    """Words of a block that nothing would understand. With ``prompt`` only lines that begin with "$ " are commands."""
    joined = text.replace("\\\n", " ")
    for line in joined.splitlines():
        if prompt and not line.startswith("$ "):
            continue
        for command in _commands(line.removeprefix("$ ")):
            yield from fault(command)


def _commands(line: str) -> Iterator[list[str]]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    words: list[str] = []
    tokens = iter(lexer)
    for token in tokens:
        if token in ("&&", "||", "|", ";"):
            yield words
            words = []
        elif token in (">", ">>", "<"):
            next(tokens)
        else:
            words.append(token)
    yield words


def fault(words: list[str]) -> Iterator[str]:
    while words and _ASSIGNED.fullmatch(words[0]):
        words = words[1:]
    if not words:
        return
    program, rest = words[0], words[1:]
    told = _reader(program, rest)
    if told is None:
        yield f"{program}: nobody knows how to check this command"
    else:
        yield from (f"{shlex.join(words)}: {each}" for each in told)


def _reader(program: str, words: list[str]) -> Iterator[str] | None:
    last = program.rsplit("/", 1)[-1]
    if _PYTHON.fullmatch(program):
        return _python(words)
    readers: dict[str, Callable[[list[str]], Iterator[str]]] = {
        "make": _make, "manage.py": _manage, "pip": _pip, "celery": _celery, "gunicorn": _gunicorn,
        "pytest": _pytest,
    }  # fmt: skip
    if last in readers:
        return readers[last](words)
    if last in SYSTEM:
        return iter(())
    if program.startswith(".venv/bin/"):
        there = (Path(sys.executable).parent / last).exists()
        return iter([] if there else [f"{last} is not in the developers' environment"])
    return None


def _make(words: list[str]) -> Iterator[str]:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    for word in words:
        variable = word.partition("=")[0] if "=" in word else ""
        if variable:
            known = makefile + (ROOT / "tools/make_venv.sh").read_text(encoding="utf-8")
            if not re.search(rf"\b{variable}\b", known):
                yield f"no variable {variable}"
        elif word not in targets:
            yield f"no target {word}"


def _python(words: list[str]) -> Iterator[str]:
    if words[:1] == ["-m"]:
        yield from _module(words[1], words[2:])
    elif words[0].rsplit("/", 1)[-1] == "manage.py":
        yield from _manage(words[1:])
    elif not (ROOT / words[0]).exists():
        yield f"no file {words[0]}"
    else:
        source = (ROOT / words[0]).read_text(encoding="utf-8")
        yield from (f"no {word}" for word in words[1:] if word.startswith("--") and f'"{word}"' not in source)


def _module(module: str, words: list[str]) -> Iterator[str]:
    if module == "pytest":
        yield from _pytest(words)
        return
    options = [word.partition("=")[0] for word in words if word.startswith("--")]
    if not module.startswith("crm_contact_guard."):
        file = ROOT / f"{module.replace('.', '/')}.py"
        source = file.read_text(encoding="utf-8") if file.exists() else ""
        yield from (f"no {option}" for option in ["--", *options] if f'"{option}' not in source)
        return
    # A subcommand stands first.
    told = (
        _help(module, *words[:1]) if words and not words[0].startswith("-") and "{" in _help(module) else _help(module)
    )
    yield from (f"no {option}" for option in options if not re.search(rf"{option}\b", told))


@lru_cache
def _help(*module: str) -> str:
    environment = {**os.environ, "COLUMNS": "200"}
    asked = [sys.executable, "-m", *module, "--help"]
    done = subprocess.run(asked, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    return done.stdout


def _manage(words: list[str]) -> Iterator[str]:
    name, rest = words[0], words[1:]
    commands = get_commands()
    if name in _demo():
        return
    if name not in commands:
        yield f"no command {name}"
        return
    app = commands[name]
    command = load_command_class(app, name) if isinstance(app, str) else app
    try:
        command.create_parser("manage.py", name).parse_args(rest)
    except CommandError as error:
        yield str(error)


def _demo() -> set[str]:
    return {path.stem for path in (ROOT / "demo_project").glob("*/management/commands/*.py")}


def _pip(words: list[str]) -> Iterator[str]:
    if words[0] not in ("install", "uninstall"):
        yield f"no pip {words[0]}"
    for word in words[1:]:
        named = re.fullmatch(r"crm-contact-guard(?:\[([\w,-]+)\])?", word)
        if named and named[1] and not set(named[1].split(",")) <= EXTRAS:
            yield f"no extra {named[1]}"


def _pytest(words: list[str]) -> Iterator[str]:
    for word in words:
        if not word.startswith("-") and not (ROOT / word.partition("::")[0]).exists():
            yield f"no {word}"


def _celery(words: list[str]) -> Iterator[str]:
    given = {option for parameter in celery.params for option in parameter.opts}
    if words[0] in given:
        words = words[2:]
    if words[0] not in celery.commands:
        yield f"no celery {words[0]}"
        return
    known = {option for parameter in celery.commands[words[0]].params for option in parameter.opts}
    yield from (f"no {word}" for word in words[1:] if word.startswith("-") and word not in known)


def _gunicorn(words: list[str]) -> Iterator[str]:
    try:
        Config().parser().parse_args(words)
    except SystemExit:
        yield "gunicorn refuses its options"
