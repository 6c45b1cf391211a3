"""Which tests run on PostgreSQL and MariaDB: those that use a database, but for what comes out alike on each.

CI has no time for all of them. Its slices (``make test-postgresql-slice``, ``make test-mariadb-slice``) also leave out
what is listed here: files and folders in which Python decides, and which only store rows in the usual way. What is not
listed runs, a new file as well. ``make test-postgresql`` and ``make test-mariadb`` leave out ``ALIKE`` alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

#: What needs no database, brings its own, or asks for people's rights.
ALIKE = frozenset(
    {
        "databases",
        "demo",
        "detection",
        "docs",
        "supervision/handling/test_matrix.py",
        "test_architecture.py",
        "test_services_authorise.py",
        "test_strange_hosts.py",
        "test_vendor.py",
    }
)

#: Formats of carriers, texts and forms of pages and API, rights, arithmetic, words, and services that store rows in the
#: usual way and have shown no fault on another database for long.
_BEYOND_SLICES = frozenset(
    {
        "api",
        "calibration",
        "channels",
        "console",
        "conversations/restrictions",
        "delivery/test_addresses.py",
        "delivery/test_pace.py",
        "delivery/test_retries.py",
        "directory/test_declarative.py",
        "directory/test_tenants.py",
        "exports/test_masking.py",
        "files/test_attachments.py",
        "files/test_serving.py",
        "flows/test_nothing_hides.py",
        "flows/test_stories.py",
        "hosting/test_languages.py",
        "hosting/test_retrying.py",
        "installation",
        "intake/test_hostile_webhooks.py",
        "notices/test_preferences.py",
        "notices/test_targets.py",
        "notices/test_telling.py",
        "permissions",
        "policy/closing",
        "policy/known_rules",
        "policy/test_calendars.py",
        "policy/test_channel_limits.py",
        "policy/test_company.py",
        "policy/test_entering.py",
        "policy/test_moments.py",
        "policy/test_templates.py",
        "policy/versions/test_replaying.py",
        "reading",
        "sending/test_schedules.py",
        "supervision/cases/test_deciding.py",
        "supervision/cases/test_transitions.py",
        "supervision/consulting",
        "supervision/pressing",
        "supervision/rehearsing",
        "supervision/test_alert_windows.py",
        "supervision/test_contents.py",
        "supervision/test_notes.py",
        "supervision/test_noticed.py",
        "supervision/test_review.py",
        "supervision/test_routing.py",
        "supervision/test_second_reader.py",
        "supervision/test_second_reader_order.py",
        "supervision/test_talks.py",
        "supervision/test_titles.py",
        "supervision/test_verdicts.py",
        "supervision/urgent",
        "test_host_traps.py",
        "test_roster_sync.py",
    }
)
#: Of that, what runs in the slices all the same: each page and address once, searches, counts, and streams.
_IN_SLICES = frozenset(
    {
        "api/test_matrix.py::test_each_role_on_each_address[sora]",
        "api/test_reading.py",
        "api/test_sending.py",
        "api/test_streaming.py",
        "channels/test_contract.py",
        "channels/test_sequences.py",
        "console/supervisor/test_queue.py",
        "console/test_hostile.py",
        "console/test_matrix.py::test_each_role_on_each_page[chief]",
        "console/test_matrix.py::test_each_role_on_each_page[compliance]",
        "console/test_queries.py",
        "console/test_size.py",
    }
)
#: On MariaDB also without these.
_BEYOND_SLICE_OF_MARIADB = frozenset(
    {
        "channels/test_sequences.py",
        # tests/verification/test_altered_columns.py alters each of these columns too.
        "verification/test_every_column.py",
    }
)
_IN_SLICE_OF_MARIADB = frozenset(
    {
        "api/test_matrix.py::test_each_role_on_each_address[kai]",
        "api/test_streaming.py",
        "channels/test_contract.py",
        "console/supervisor/test_queue.py",
        "console/test_matrix.py::test_each_role_on_each_page[compliance]",
        "console/test_size.py",
    }
)

#: Vendor → what its slice leaves out, and what of that runs.
SLICES: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "postgresql": (_BEYOND_SLICES, _IN_SLICES),
    "mysql": (_BEYOND_SLICES | _BEYOND_SLICE_OF_MARIADB, _IN_SLICE_OF_MARIADB),
}


@cache
def leaves_out(path: str, vendor: str, *, in_slice: bool) -> bool:
    """Whether nothing of this file or folder (below tests/) runs on a database of the vendor."""
    beyond, within = SLICES[vendor] if in_slice else (frozenset(), frozenset())
    if any(_holds(path, one) or _holds(one.partition("::")[0], path) for one in within):
        return False
    return any(_holds(one, path) for one in ALIKE | beyond)


def chosen(node_ids: Iterable[str], vendor: str) -> set[str]:
    """Those tests (``tests/…::name``) that run in the vendor's slice: of some files, only a few do."""
    _beyond, within = SLICES[vendor]
    few = {one.partition("::")[0] for one in within if "::" in one}
    names = {node: node.removeprefix("tests/") for node in node_ids}
    return {node for node, name in names.items() if name in within or name.partition("::")[0] not in few}


def _holds(folder: str, path: str) -> bool:
    return path == folder or path.startswith(f"{folder}/")
