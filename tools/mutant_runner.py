"""A pytest plugin that runs tests against mutants in forks, instead of starting Python for each mutant.

The parent process imports everything, creates the test database and runs the tests once, with coverage, so that it
knows which tests run which statements. For each mutant, it forks a process, which replaces the code of the module's
functions with the mutated code, and runs the tests that could detect the change until one fails. No file is changed on
disk.

Values that a module computes when it is imported (constants, default arguments) are computed again from the mutated
source, and replaced in every module that imported them. Classes aren't created again, so their bodies aren't mutated.
"""

from __future__ import annotations

import functools
import gc
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, is_dataclass
from enum import StrEnum
from types import CodeType, FunctionType, ModuleType
from typing import Any

import coverage
import pytest
from _pytest.runner import runtestprotocol
from django.db import connections
from mutant_operators import Mutant

PACKAGE = "crm_contact_guard"
#: Seconds that a mutant's tests may take in addition to ten times their duration on the unchanged code.
GRACE = 30.0


class Outcome(StrEnum):
    KILLED = "killed"
    SURVIVED = "survived"
    #: The tests exceeded the time limit. People would notice such a fault, so it counts as killed.
    ENDLESS = "endless"
    #: No test runs the changed statement.
    NOT_RUN = "not run"


@dataclass
class Result:
    mutant: Mutant
    outcome: Outcome
    #: The test that failed.
    by: str = ""


@dataclass
class Runner:
    """The plugin. It replaces pytest's loop: it runs every test once, and then the tests for each mutant."""

    mutants: Sequence[Mutant]
    #: Called with the number and the result of each mutant as soon as it is known.
    tell: Callable[[int, Result], None]
    results: list[Result] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    functions: list[FunctionType] = field(default_factory=list)
    caches: list[Any] = field(default_factory=list)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            raise session.Interrupted("errors during collection")
        capture = session.config.pluginmanager.getplugin("capturemanager")
        touched = self._baseline(session)
        if self.failed:
            return True
        self._find_live()
        items = {item.nodeid: item for item in session.items}
        # Run the tests in reverse. A mutant's tests run in a different order, so tests mustn't depend on each other.
        backwards = session.items[::-1]
        control = self._fork(session, sorted(backwards, key=_commits), None)
        if control.outcome is not Outcome.SURVIVED:
            self.failed.append(f"{control.by} (in another order, unchanged)")
            return True
        deadly: list[str] = []
        for number, mutant in enumerate(self.mutants, start=1):
            tests = _noticing(mutant, touched)
            result = Result(mutant, Outcome.NOT_RUN)
            if tests:
                # First the tests that detected recent mutants, then the fastest. Tests with real commits run last.
                order = sorted(
                    tests,
                    key=lambda name: (_commits(items[name]), -_last(deadly, name), self.seconds[name]),
                )
                result = self._fork(session, [items[name] for name in order], mutant)
                deadly.append(result.by)
            self.results.append(result)
            with capture.global_and_fixture_disabled():
                self.tell(number, result)
        return True

    def _baseline(self, session: pytest.Session) -> dict[str, dict[int, set[str]]]:
        """Run every test. Return, by file and line, the names of the tests that ran the line."""
        files = sorted({str(mutant.module.resolve()) for mutant in self.mutants})
        measured = coverage.Coverage(data_file=None, include=files, config_file=False)
        measured.start()
        for item in session.items:
            measured.switch_context(item.nodeid)
            began = time.monotonic()
            reports = runtestprotocol(item, log=False, nextitem=session)  # type: ignore[arg-type]
            self.seconds[item.nodeid] = time.monotonic() - began
            if any(report.failed for report in reports):
                self.failed.append(item.nodeid)
        measured.stop()
        data = measured.get_data()
        return {
            file: {line: {name for name in names if name} for line, names in data.contexts_by_lineno(file).items()}
            for file in files
        }

    def _find_live(self) -> None:
        """Find the functions whose code forks may replace, and result caches. This is done once, since it is slow."""
        files = {str(mutant.module.resolve()) for mutant in self.mutants}
        gc.collect()
        for one in gc.get_objects():
            kind = type(one)  # isinstance() would evaluate Django's lazy objects
            if kind is FunctionType and one.__code__.co_filename in files:
                self.functions.append(one)
            elif kind is functools._lru_cache_wrapper and (one.__module__ or "").startswith(PACKAGE):
                self.caches.append(one)
        gc.freeze()  # a garbage collection in a fork would otherwise copy all objects

    def _fork(self, session: pytest.Session, items: Sequence[pytest.Item], mutant: Mutant | None) -> Result:
        limit = GRACE + 10 * sum(self.seconds[item.nodeid] for item in items)
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(reading)
            code = 2
            try:
                code = self._in_child(session, items, mutant, writing, limit)
            finally:
                os._exit(code)
        os.close(writing)
        by, ended = b"", False
        until = time.monotonic() + limit
        while not ended and (left := until - time.monotonic()) > 0:
            if select.select([reading], [], [], left)[0]:
                part = os.read(reading, 4096)
                by, ended = by + part, not part
        if not ended:
            os.kill(child, signal.SIGKILL)
        os.close(reading)
        _pid, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        outcome = {0: Outcome.SURVIVED, 1: Outcome.KILLED}.get(code, Outcome.ENDLESS)
        return Result(mutant, outcome, by.decode()) if mutant else Result(self.mutants[0], outcome, by.decode())

    def _in_child(
        self, session: pytest.Session, items: Sequence[pytest.Item], mutant: Mutant | None, writing: int, limit: float
    ) -> int:
        silence = os.open(os.devnull, os.O_RDWR)
        for stream in (1, 2):
            os.dup2(silence, stream)
        servers = [one for one in connections.all() if one.vendor != "sqlite"]
        left_open = [
            (one, one.connection) for one in servers
        ]  # keep the parent's connections, since freeing one would close it there too
        for one, _connection in left_open:
            one.connection = None
        seconds = int(limit) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        if mutant is not None:
            try:
                self._apply(mutant)
            except Exception as error:  # noqa: BLE001 - everybody notices a module that can't be imported
                os.write(writing, f"import: {type(error).__name__}".encode())
                return 1
        for item in items:
            reports = runtestprotocol(item, log=False, nextitem=session)  # type: ignore[arg-type]
            if any(report.failed for report in reports):
                os.write(writing, item.nodeid.encode())
                return 1
        return 0

    def _apply(self, mutant: Mutant) -> None:
        """Apply the mutant's change to this process."""
        file = str(mutant.module.resolve())
        before = compile(mutant.original, file, "exec", dont_inherit=True)
        after = compile(mutant.source, file, "exec", dont_inherit=True)
        changed = {_key(old): new for old, new in _functions(before, after) if old != new}
        for one in self.functions:
            if one.__code__.co_filename == file and _key(one.__code__) in changed:
                one.__code__ = changed[_key(one.__code__)]
        if mutant.at_import:
            [module] = [one for one in list(sys.modules.values()) if getattr(one, "__file__", None) == file]
            _import_anew(module, after)
        for cache in self.caches:
            cache.cache_clear()


def _last(deadly: Sequence[str], name: str) -> int:
    return max((place for place, other in enumerate(deadly) if other == name), default=-1)


def _commits(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("django_db")
    return marker is not None and bool(marker.kwargs.get("transaction"))


def _noticing(mutant: Mutant, touched: dict[str, dict[int, set[str]]]) -> set[str]:
    """Return the tests that run the changed statement. If it runs on import, return all tests that use the module."""
    lines = touched[str(mutant.module.resolve())]
    if mutant.at_import:
        return set().union(*lines.values()) if lines else set()
    return {name for line in range(mutant.first, mutant.last + 1) for name in lines.get(line, ())}


# --- in the fork


def _key(code: CodeType) -> tuple[str, int]:
    return code.co_qualname, code.co_firstlineno


def _functions(before: CodeType, after: CodeType) -> Iterator[tuple[CodeType, CodeType]]:
    """Yield pairs of corresponding functions in the two modules, without functions defined inside other functions.

    An inner function is created again by each call of the outer function.
    """
    olds = [one for one in before.co_consts if isinstance(one, CodeType)]
    news = [one for one in after.co_consts if isinstance(one, CodeType)]
    for old, new in zip(olds, news, strict=True):
        if old.co_flags & 0x1:  # CO_OPTIMIZED is set for functions, but not for the bodies of classes
            yield old, new
        else:
            yield from _functions(old, new)


def _import_anew(module: ModuleType, code: CodeType) -> None:
    """Replace constants and default arguments with those of the mutated source, wherever they were imported."""
    made: dict[str, Any] = {name: value for name, value in vars(module).items() if name.startswith("__")}
    exec(code, made)  # noqa: S102 - this is our own source
    ours = [one for name, one in list(sys.modules.items()) if name.startswith((PACKAGE, "tests"))]
    for name, value in made.items():
        known = vars(module).get(name)
        if isinstance(value, FunctionType) and isinstance(known, FunctionType):
            inner = known.__wrapped__ if hasattr(known, "__wrapped__") else known
            new = value.__wrapped__ if hasattr(value, "__wrapped__") else value
            if inner.__module__ == module.__name__:
                inner.__defaults__, inner.__kwdefaults__ = new.__defaults__, new.__kwdefaults__
        elif _is_plain(value) and _is_plain(known) and repr(value) != repr(known):
            for one in ours:
                if vars(one).get(name) is known:
                    setattr(one, name, value)


def _is_plain(value: object) -> bool:
    plain = type(value).__module__ in ("builtins", "datetime", "re") or is_dataclass(value)
    return plain and not isinstance(value, type | FunctionType)
