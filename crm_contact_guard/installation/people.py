"""Check the adapter against the host's real rows: customers, addresses, employees, teams and recipients of alerts."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from zoneinfo import available_timezones

from crm_contact_guard import crm
from crm_contact_guard.channels import registry
from crm_contact_guard.conf import settings
from crm_contact_guard.crm import CustomerRecord, EmployeeRecord, TeamRecord
from crm_contact_guard.directory.addresses import normalise
from crm_contact_guard.directory.models import Employee, Role
from crm_contact_guard.directory.placing import staff_within, within
from crm_contact_guard.directory.problems import adapter_problems
from crm_contact_guard.directory.writing import batches
from crm_contact_guard.directory_sync import sync_all
from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.installation.mirrored import changed_customers, staff_changed
from crm_contact_guard.installation.report import Item, error, fine, warning

#: Default number of customers that are read.
ROWS = 10_000
#: Number of keys shown for each kind of problem.
_SHOWN = 3


def people_items(rows: int = ROWS) -> Iterator[Item]:
    """Check customers (at most ``rows``), employees and teams as returned by the adapter."""
    try:
        if list(adapter_problems()):
            return  # reported by the system checks; reading rows would only report the same problems again
        yield from _customers(rows)
        yield from _employees()
    except ConfigurationError as problem:
        fix = "see docs/settings.md, The host CRM. For rows that need a tenant, see docs/installation.md, Tenants."
        yield error("people", str(problem), fix)


# --- customers


def _customers(rows: int) -> Iterator[Item]:
    problems: dict[str, list[str]] = defaultdict(list)
    empty: list[str] = []
    channels = [registry.channel(alias) for alias in _channels()]
    kinds = {channel.address_kind for channel in channels}
    needs_address = all(channel.needs_address for channel in channels)
    holders: Counter[tuple[str, str, str]] = Counter()
    count = unreachable = 0
    changed: list[str] = []
    for tenant, record in _comparing(_customers_of_all(rows, empty), changed):
        count += 1
        if not record.name.strip():
            problems["without a name"].append(record.key)
        for address in record.addresses:
            if not registry.address_kind(address.kind).is_valid(address.value):
                problems[f"with an invalid address of kind {address.kind!r}"].append(record.key)
            holders[record.tenant or tenant, address.kind, normalise(address.kind, address.value)] += 1
        unreachable += needs_address and not any(address.kind in kinds for address in record.addresses)
    if not count:
        yield warning(
            "people",
            "the adapter returns no customers",
            "fine for an empty CRM; otherwise check CUSTOMER, and row-level security if the host has tenants",
        )
        return
    yield from (
        warning("people", f"the adapter returns no customers of tenant {tenant!r}", "check the adapter's tenant()")
        for tenant in empty
    )
    yield fine("people", f"the adapter reads customers: {count} checked" + (" (not all)" if count == rows else ""))
    if changed:
        yield _older("customers", changed)
    for what, keys in problems.items():
        yield warning(
            "people",
            f"{len(keys)} customer{'s'[: len(keys) != 1]} {what} (key {', '.join(keys[:_SHOWN])})",
            "correct them in the CRM; messages to the others are not affected",
        )
    if unreachable:
        yield warning(
            "people",
            f"{unreachable} of {count} customers have no address on any configured channel",
            "add the web chat, which needs none, or another channel",
        )
    shared = sum(number > 1 for number in holders.values())
    if shared:
        yield warning(
            "people",
            f"{shared} addresses belong to several customers",
            "an inbound message is assigned to the one with the latest message; an employee can move it",
        )
    across = sum(number > 1 for number in Counter((kind, value) for _tenant, kind, value in holders).values())
    if across:
        yield warning(
            "people",
            f"{across} addresses belong to customers of several tenants",
            "a message from such an address is assigned to an unknown sender without a tenant, unless it is a reply",
        )


def _customers_of_all(rows: int, empty: list[str]) -> Iterator[tuple[str, CustomerRecord]]:
    """Yield the tenant and record of at most ``rows`` customers, reading them in their tenant's context.

    Tenants without customers are added to ``empty``.
    """
    adapter = crm.adapter()
    left = rows
    for tenant in adapter.tenants():
        before = left
        with crm.tenant(tenant):
            for record in adapter.customers() if left else ():
                left -= 1
                yield tenant, within(tenant, record)
                if not left:
                    break
        if before and left == before:
            empty.append(tenant)


def _comparing(read: Iterator[tuple[str, CustomerRecord]], changed: list[str]) -> Iterator[tuple[str, CustomerRecord]]:
    """Yield the items of ``read`` unchanged. Add the names of customers whose mirrored rows differ to ``changed``."""
    for tenant, together in groupby(read, key=itemgetter(0)):
        for batch in batches(record for _tenant, record in together):
            with crm.tenant(tenant):
                changed += changed_customers(batch)
            yield from ((tenant, record) for record in batch)


def _older(what: str, names: Sequence[str]) -> Item:
    return warning(
        "people",
        f"the mirror is older than the CRM: a sync would change {len(names)} {what} ({', '.join(names[:_SHOWN])})",
        "manage.py contact_guard_sync, and let beat or cron run it every ten minutes",
        sync_all,
    )


def _channels() -> list[str]:
    valid = []
    for alias in registry.aliases():
        try:
            registry.channel(alias)
        except ConfigurationError:
            continue  # reported by the system checks
        valid.append(alias)
    return valid


# --- employees and teams


def _employees() -> Iterator[Item]:
    adapter = crm.adapter()
    staff: dict[str, tuple[list[EmployeeRecord], list[TeamRecord]]] = {}
    for tenant in adapter.tenants():
        with crm.tenant(tenant):
            active = [record for record in staff_within(tenant) if record.active]
            staff[tenant] = active, [within(tenant, record) for record in adapter.teams()]
    everybody = [record for active, _teams in staff.values() for record in active]
    yield from _unnamed_roles()
    roles = Counter(record.role for record in everybody)
    if not everybody:
        yield error(
            "people",
            "the adapter returns no active employees, so nobody can use the pages",
            "check ROLE, ROLES, ROLE_GROUPS and FILTER of EMPLOYEE",
        )
        return
    counts = ", ".join(f"{number} {role}" for role, number in sorted(roles.items()))
    yield fine("people", f"the adapter reads employees: {counts}")
    unknown = sorted(set(roles) - set(Role.values))
    if unknown:
        yield error(
            "people",
            f"unknown roles: {', '.join(unknown)}",
            f'map them in CONTACT_GUARD["EMPLOYEE"]["ROLES"] to {", ".join(Role.values)} or ""',
        )
    yield from _details(everybody)
    for tenant, (active, teams) in staff.items():
        yield from _routes(active, teams, f" of tenant {tenant!r}" if tenant else "")
    mirrored = set(Employee.objects.values_list("tenant", "key"))
    missing = [record.key for record in everybody if (record.tenant, record.key) not in mirrored]
    if missing:
        yield warning(
            "people", f"{len(missing)} of them are not mirrored yet", "manage.py contact_guard_sync", sync_all
        )
    teams_changed, people_changed = staff_changed()
    if teams_changed:
        yield _older("teams", teams_changed)
    if people_changed and len(people_changed) > len(missing):
        yield _older("employees", people_changed)


def _unnamed_roles() -> Iterator[Item]:
    adapter = crm.adapter()
    if not isinstance(adapter, crm.DeclarativeAdapter):
        return
    counts: Counter[str] = Counter()
    for tenant in adapter.tenants():
        with adapter.tenant(tenant):
            counts.update(adapter.unnamed_roles())
    by_groups = bool(settings.EMPLOYEE.get("ROLE_GROUPS"))
    if by_groups and counts:
        yield warning(
            "people",
            f"{counts.total()} users are in no group of EMPLOYEE['ROLE_GROUPS'] and have no access",
            "name their groups there, set EMPLOYEE['DEFAULT_ROLE'], or exclude them on purpose by EMPLOYEE['FILTER']",
        )
        return
    for word, number in counts.most_common(_SHOWN):
        yield warning(
            "people",
            f"{number} with the role {word!r}, which EMPLOYEE['ROLES'] does not contain, have no access",
            f'CONTACT_GUARD["EMPLOYEE"]["ROLES"][{word!r}] = "employee", or "" to exclude them on purpose',
        )


def _details(everybody: list[EmployeeRecord]) -> Iterator[Item]:
    zones = available_timezones()
    wrong_zone = [record.key for record in everybody if record.timezone and record.timezone not in zones]
    if wrong_zone:
        yield warning(
            "people",
            f"{len(wrong_zone)} employees have a time zone that does not exist ({', '.join(wrong_zone[:_SHOWN])})",
            "use IANA names such as Asia/Tokyo; until then the project's time zone is used",
        )


def _routes(everybody: list[EmployeeRecord], teams: list[TeamRecord], of_tenant: str) -> Iterator[Item]:
    """Check whether alerts in one tenant reach anyone."""
    by_key = {record.key: record for record in everybody}
    has_officer = any(record.role == Role.COMPLIANCE for record in everybody)
    staffed = {key for record in everybody for key in record.team_keys}
    # Teams without members have no alerts. If the adapter returns no memberships, any team may have alerts.
    headless = [
        team.name for team in teams if team.supervisor_key not in by_key and (team.key in staffed or not staffed)
    ]
    if not teams and not has_officer:
        yield error(
            "people",
            f"alerts{of_tenant} would reach nobody: there is no team with a supervisor and no compliance officer",
            'set TEAM["MODEL"], or TEAM["EVERYBODY"] to the name of a single team, or give someone the role compliance',
        )
    elif headless:
        level = error if not has_officer else warning
        yield level(
            "people",
            f"{len(headless)} teams{of_tenant} without a supervisor ({', '.join(headless[:_SHOWN])})",
            "set one in the CRM, or give one of the members the role supervisor"
            + (": their alerts go to the compliance officer" if has_officer else ": their alerts would reach nobody"),
        )
    without_email = [
        record.key for record in everybody if record.role in (Role.SUPERVISOR, Role.COMPLIANCE) and not record.email
    ]
    if without_email:
        yield warning(
            "people",
            f"{len(without_email)} supervisors{of_tenant} have no e-mail address ({', '.join(without_email[:_SHOWN])})",
            "they see alerts only on the dashboard",
        )
