"""Run a program of ``children/`` as a process of its own: its memory is free afterwards, and a crash ends only it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final, cast

_FOLDER: Final = Path(__file__).parent / "children"


class NotWritten(OSError):
    """A file of a format can't be written. ``str`` says why."""


class Child:
    """A running program that reads lines."""

    def __init__(self, process: subprocess.Popen[bytes], errors: IO[bytes]) -> None:
        self._process = process
        self._errors = errors

    def send(self, line: bytes) -> None:
        """Send a line. Raise NotWritten."""
        try:
            cast("IO[bytes]", self._process.stdin).write(line)
        except BrokenPipeError:
            raise self._broken() from None

    def answer(self) -> bytes:
        """Return the next line of the program's output. Raise NotWritten."""
        try:
            cast("IO[bytes]", self._process.stdin).flush()
        except BrokenPipeError:
            raise self._broken() from None
        line = cast("IO[bytes]", self._process.stdout).readline()
        if not line:
            raise self._broken()
        return line

    def end(self) -> None:
        """Close the input, and wait until the program has done its work. Raise NotWritten."""
        try:
            cast("IO[bytes]", self._process.stdin).close()
        except BrokenPipeError:
            raise self._broken() from None
        if self._process.wait():
            raise self._broken()

    def _broken(self) -> NotWritten:
        code = self._process.wait()
        self._errors.seek(0)
        said = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        return NotWritten(f"The program that writes the file ended with {code}: {said[-1] if said else 'no message'}")


@contextmanager
def child(program: str, *arguments: str) -> Iterator[Child]:
    """Run ``children/{program}.py``. It is killed if it still runs at the end."""
    with TemporaryFile() as errors:
        process = subprocess.Popen(  # noqa: S603 - a program of ours, and paths
            [sys.executable, str(_FOLDER / f"{program}.py"), *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        try:
            yield Child(process, errors)
        finally:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                try:
                    cast("IO[bytes]", pipe).close()
                except BrokenPipeError:
                    continue
