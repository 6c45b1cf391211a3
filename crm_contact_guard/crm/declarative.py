"""An adapter that is configured by settings only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import reduce
from itertools import groupby, islice
from operator import or_
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import FieldError, ValidationError
from django.db.models import Model, Q, QuerySet, TextField
from django.db.models.functions import Cast, Lower
from django.db.models.lookups import Contains, Exact

from crm_contact_guard.conf import settings
from crm_contact_guard.crm import options, paths
from crm_contact_guard.crm import roles as roles_
from crm_contact_guard.crm import rows as host
from crm_contact_guard.crm.context import ENTERED
from crm_contact_guard.crm.contract import AddressRecord, CRMAdapter, CustomerRecord, EmployeeRecord, TeamRecord
from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.hosting import host_rows


class DeclarativeAdapter(CRMAdapter):
    """An adapter configured by the settings ``CUSTOMER``, ``EMPLOYEE`` and ``TEAM``.

    A value is a path (``crm.paths``): attribute or field names joined by ``.``. Callables are called and related
    managers iterated. A list of paths yields the values of all of them. Text with commas or semicolons is split into
    several addresses. Text with paths in braces combines their values into one string. ``FILTER`` and ``EXCLUDE``
    select rows of a model.

    For a host without a customer table (such as a helpdesk with tickets), ``CUSTOMER["KEY"]`` names the field that
    identifies the customer. Rows with the same value are one customer, described by the newest row.

    For a host where each user has a profile, or one profile per tenant, ``EMPLOYEE["MODEL"]`` names the profile model.
    Paths then start at the profile, and ``EMPLOYEE["USER"]`` leads to the user. A user's rows in one tenant are one
    employee.
    """

    # --- customers
    def customer_model(self) -> type[Model]:
        """Return the host's customer model. Raises ConfigurationError if the setting is invalid."""
        return options.model_named("CUSTOMER")

    def customer_key(self, customer: object) -> str:
        if not isinstance(customer, Model):
            return str(customer)
        expected, actual = self.customer_model(), type(customer)
        if not (isinstance(customer, expected) or issubclass(expected, actual)):
            # The same primary key identifies someone else in another table.
            raise ConfigurationError(f"Expected a customer ({expected._meta.label}), got a {actual._meta.label}")
        path = settings.CUSTOMER.get("KEY")
        return host.shared_key(customer, path) if path else str(customer.pk)

    def customer(self, key: str) -> CustomerRecord | None:
        found, path = self._rows("CUSTOMER"), settings.CUSTOMER.get("KEY")
        if not path:
            row = host.get(found, key)
            return None if row is None else self._customer_record([row])
        try:
            same = Exact(Lower(paths.lookup(path)), key.lower())  # iexact is case-sensitive with a binary collation
            rows = list(found.filter(same).order_by("-pk")[:_ROWS_OF_ONE])
        except (FieldError, ValueError, TypeError, ValidationError):
            return None
        return self._customer_record(rows) if rows and key else None

    def customers(self) -> Iterator[CustomerRecord]:
        found, path = self._rows("CUSTOMER"), settings.CUSTOMER.get("KEY")
        if not path:
            merged = settings.CUSTOMER.get("MERGED_INTO")
            for row in found.iterator(chunk_size=500):
                if not (merged and paths.key(row, merged)):
                    yield self._customer_record([row])
            return
        # Yield each customer once, built from its newest rows. The key is case-insensitive.
        rows = found.order_by(Lower(Cast(paths.lookup(path), TextField())), "-pk").iterator(chunk_size=500)
        for key, group in groupby(rows, key=lambda row: host.shared_key(row, path)):
            if key:
                yield self._customer_record(list(islice(group, _ROWS_OF_ONE)))

    def search(self, words: str, limit: int = 20) -> Iterable[CustomerRecord]:
        """Search in the database if ``CUSTOMER["NAME"]`` consists of text columns, otherwise read all customers.

        In the database, each word must occur in one of the columns.
        """
        model = self.customer_model()
        parts = [place for path in paths.each_path(settings.CUSTOMER.get("NAME")) for place in paths.places(path)]
        if not words.strip():
            return []
        if not parts or not all(paths.is_text(model, part) for part in parts):
            return super().search(words, limit)
        found = self._rows("CUSTOMER")
        for word in words.lower().split():
            somewhere = [Q(Contains(Lower(paths.lookup(part)), word)) for part in parts]
            found = found.filter(reduce(or_, somewhere))
        return [self._customer_record([row]) for row in found[:limit]]

    def merged_into(self, key: str) -> str:
        """Follow the path ``CUSTOMER["MERGED_INTO"]``, for hosts that link a merged row to its successor."""
        path = settings.CUSTOMER.get("MERGED_INTO")
        row = host.get(host_rows.manager(self.customer_model()), key) if path else None
        return paths.key(row, path) if row is not None else ""

    def _customer_record(self, rows: Sequence[Model]) -> CustomerRecord:
        """Build a customer record from its rows, newest first. There is only one row unless ``KEY`` is set."""
        spec: Mapping[str, Any] = settings.CUSTOMER
        row = rows[0]
        with host.reading("CUSTOMER", row):
            quiet = paths.values(row, spec.get("QUIET_HOURS"))
            # The newest row's addresses come first, in order, followed by additional ones from older rows.
            addresses = dict.fromkeys(
                AddressRecord(kind=kind, value=value)
                for each in rows
                for name, kind in options.addresses().items()
                for value in paths.texts(each, spec.get(name))
            )
            return CustomerRecord(
                key=self.customer_key(row),
                name=paths.first(row, spec.get("NAME")) or host.person_name(row),
                addresses=tuple(addresses),
                owner_key=next(iter(self._people(row, spec.get("OWNER"))), ""),
                team_key=_EVERYBODY if settings.TEAM.get("EVERYBODY") else paths.key(row, spec.get("TEAM")),
                language=paths.first(row, spec.get("LANGUAGE")),
                timezone=paths.first(row, spec.get("TIMEZONE")),
                url=paths.first(row, spec["URL"]) if "URL" in spec else host.own_url(row),
                tenant=paths.key(row, spec.get("TENANT")),
                quiet_hours=quiet[0] if quiet and isinstance(quiet[0], Mapping) else None,
            )

    # --- employees
    def employee_model(self) -> type[Model]:
        """Return the model of employees: the host's user model, or ``EMPLOYEE["MODEL"]``, whose rows lead to a user.

        Raises ConfigurationError if the setting is invalid.
        """
        return options.model_named("EMPLOYEE") if settings.EMPLOYEE.get("MODEL") else get_user_model()

    def employee(self, user: Any) -> EmployeeRecord | None:
        if user is None or not getattr(user, "is_authenticated", True) or getattr(user, "pk", None) is None:
            return None
        found = self._rows("EMPLOYEE")
        if settings.EMPLOYEE.get("MODEL"):
            records = self._employee_records(user, found.filter(**{paths.lookup(host.user_path()): user.pk}))
            here = ENTERED.get() or self.current_tenant()
            elsewhere = {id(record): bool(here) and record.tenant not in ("", here) for record in records}
            return min(records, key=lambda record: (elsewhere[id(record)], not record.active), default=None)
        if host.is_narrowed("EMPLOYEE") and not found.filter(pk=user.pk).exists():
            return None
        return next(iter(self._employee_records(user, [user])), None)

    def employees(self) -> Iterator[EmployeeRecord]:
        found = self._rows("EMPLOYEE")
        if not settings.EMPLOYEE.get("MODEL"):
            for user in found.iterator(chunk_size=500):
                yield from self._employee_records(user, [user])
            return
        path = host.user_path()
        rows = found.filter(**{f"{paths.lookup(path)}__isnull": False}).order_by(f"{paths.lookup(path)}__pk", "pk")
        for _key, group in groupby(rows.iterator(chunk_size=500), key=lambda row: paths.key(row, path)):
            own = list(group)
            yield from self._employee_records(paths.values(own[0], path)[0], own)

    def _employee_records(self, user: Any, rows: Iterable[Any]) -> list[EmployeeRecord]:
        """Return one employee record per tenant, built from the user's rows."""
        by_tenant: dict[str, list[Any]] = {}
        for row in rows:
            by_tenant.setdefault(paths.key(row, settings.EMPLOYEE.get("TENANT")), []).append(row)
        records = (self._employee_record(user, tenant, own) for tenant, own in by_tenant.items())
        return [record for record in records if record is not None]

    def _employee_record(self, user: Any, tenant: str, rows: Sequence[Any]) -> EmployeeRecord | None:
        spec: Mapping[str, Any] = settings.EMPLOYEE
        with host.reading("EMPLOYEE", rows[0]):
            roles = {id(row): self.role(row) for row in rows}
            active = [row for row in rows if roles[id(row)] and host.is_active(row)]
            own = active or [row for row in rows if roles[id(row)]]
            if not own:
                return None
            teams = dict.fromkeys(key for row in own for key in paths.keys(row, spec.get("TEAMS")))
            hours, calendar = (paths.values(own[0], spec.get(name)) for name in ("HOURS", "CALENDAR"))
            return EmployeeRecord(
                key=str(user.pk),
                name=paths.first(own[0], spec.get("NAME")) or host.person_name(user),
                email=paths.first(own[0], spec["EMAIL"]) if spec.get("EMAIL") else host.person_email(user),
                role=roles_.highest(roles[id(row)] for row in own),
                team_keys=(_EVERYBODY,) if settings.TEAM.get("EVERYBODY") else tuple(teams),
                timezone=paths.first(own[0], spec.get("TIMEZONE")),
                language=paths.first(own[0], spec.get("LANGUAGE")),
                working_hours=hours[0] if hours and isinstance(hours[0], Mapping) else None,
                calendar=calendar[0] if calendar and isinstance(calendar[0], Mapping) else None,
                icalendar=paths.first(own[0], spec.get("ICALENDAR")),
                active=bool(active) and bool(getattr(user, "is_active", True)),
                tenant=tenant,
            )

    def role(self, user: Any) -> str:
        """Return the role of a user or of a row of ``EMPLOYEE["MODEL"]``; "" means no access (``crm.roles``)."""
        return roles_.role(user, settings.EMPLOYEE)

    def user(self, key: str) -> Any:
        return host.get(host_rows.manager(get_user_model()), key)

    # --- teams
    def team_model(self) -> type[Model]:
        """Return the host's team model. Raises ConfigurationError if the setting is invalid."""
        return options.model_named("TEAM")

    def teams(self) -> Iterable[TeamRecord]:
        spec: Mapping[str, Any] = settings.TEAM
        chiefs = {} if spec.get("SUPERVISOR") else self._chiefs()
        if spec.get("EVERYBODY"):
            for tenant in dict.fromkeys(record.tenant for record in self.employees()):
                heads = [*chiefs.get((tenant, _EVERYBODY), ()), "", ""]
                yield TeamRecord(
                    key=_EVERYBODY,
                    name=str(spec["EVERYBODY"]),
                    supervisor_key=heads[0],
                    deputy_key=heads[1],
                    tenant=tenant,
                )
        if not spec.get("MODEL"):
            return
        for row in self._rows("TEAM"):
            with host.reading("TEAM", row):
                tenant = paths.key(row, spec.get("TENANT"))
                heads = [*chiefs.get((tenant, str(row.pk)), ()), "", ""]
                record = TeamRecord(
                    key=str(row.pk),
                    name=paths.first(row, spec.get("NAME", "name")) or str(row),
                    supervisor_key=next(iter(self._people(row, spec.get("SUPERVISOR"))), heads[0]),
                    deputy_key=next(iter(self._people(row, spec.get("DEPUTY"))), heads[1]),
                    tenant=tenant,
                )
            yield record

    def _chiefs(self) -> dict[tuple[str, str], list[str]]:
        """Return the keys of active supervisors by tenant and team, for hosts whose teams have no supervisor field."""
        supervisors: dict[tuple[str, str], list[str]] = {}
        for record in self.employees():
            if record.role == "supervisor" and record.active:
                for key in record.team_keys:
                    supervisors.setdefault((record.tenant, key), []).append(record.key)
        return supervisors

    def unnamed_roles(self) -> Iterator[str]:
        """Yield the host's role names that ``EMPLOYEE["ROLES"]`` doesn't contain, once for each row that has one.

        With ``ROLE_GROUPS``, yield "" for each active user who is in none of these groups.
        """
        spec: Mapping[str, Any] = settings.EMPLOYEE
        if "DEFAULT_ROLE" in spec or not (spec.get("ROLE") or spec.get("ROLE_GROUPS")):
            return
        for row in self._rows("EMPLOYEE").iterator(chunk_size=500):
            if not spec.get("ROLE_GROUPS"):
                yield from roles_.unnamed(row, spec)
            elif host.is_active(row) and not self.role(row):
                yield ""

    # --- the settings
    def problems(self) -> Iterable[tuple[str, str]]:
        return options.problems()

    def _people(self, row: Any, people: paths.Paths) -> list[str]:
        """Return the keys of the users to whom the paths lead, directly or through rows of ``EMPLOYEE["MODEL"]``."""
        user, model = get_user_model(), self.employee_model()
        return [
            paths.key(value, host.user_path())
            if isinstance(value, model) and not isinstance(value, user)
            else str(getattr(value, "pk", value))
            for value in paths.values(row, people)
        ]

    def _rows(self, setting: str) -> QuerySet[Any]:
        """Return the selected rows of a setting's model. Customers and teams are limited to the entered tenant."""
        spec = getattr(settings, setting)
        model = self.employee_model() if setting == "EMPLOYEE" else options.model_named(setting)
        found = options.narrowed(host_rows.manager(model), spec)
        found = found.prefetch_related(*paths.prefetches(model, options.places(setting)))
        # An employee may belong to several tenants.
        return found if setting == "EMPLOYEE" else options.of_tenant(found, spec.get("TENANT"), ENTERED.get())


#: Key of the single team that all employees belong to if ``TEAM["EVERYBODY"]`` is set.
_EVERYBODY = "everybody"
#: Maximum number of rows read per customer if ``KEY`` is set.
_ROWS_OF_ONE = 20
