"""What the other tests with services leave out: faults around the processes take half an hour (``make chaos``)."""

from __future__ import annotations

import os
from fnmatch import fnmatch

import pytest

collect_ignore = [] if os.environ.get("CONTACT_GUARD_CHAOS") else ["chaos"]
#: What CI leaves out, since its time is dear: further databases, brokers and layouts, and a real language model.
BEYOND_SLICE = (
    "test_brokers.py::*redis*",
    "test_reader_model.py::*",
    "test_row_security.py::*inline*",
    "test_schemas.py::*tenant*",
    "test_storm.py::*mariadb*",
    "test_storm.py::*sqlite*",
    "test_strange_people.py::*",
    "test_waiting.py::*",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if any(fnmatch(f"{item.path.name}::{item.name}", pattern) for pattern in BEYOND_SLICE):
            item.add_marker(pytest.mark.beyond_slice)
