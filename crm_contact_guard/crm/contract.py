"""The methods that an adapter for a host CRM provides, and the records they return."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import islice
from typing import Any


@dataclass(frozen=True, kw_only=True)
class AddressRecord:
    """A customer's address. ``kind`` names a channel's ``address_kind``, such as "email", "phone" or "line"."""

    kind: str
    value: str


@dataclass(frozen=True, kw_only=True)
class CustomerRecord:
    """A customer in the host CRM. ``owner_key`` is the key of the host user in charge of the customer.

    ``quiet_hours`` replaces the setting ``QUIET_HOURS`` for this customer and has the same keys; an empty dict means
    that there are none.
    """

    key: str
    name: str
    addresses: tuple[AddressRecord, ...] = ()
    owner_key: str = ""
    team_key: str = ""
    language: str = ""
    timezone: str = ""
    url: str = ""
    tenant: str = ""
    quiet_hours: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class EmployeeRecord:
    """A host user. ``role`` is employee, supervisor, compliance or auditor; "" means no access.

    ``calendar`` contains the breaks, roster, leave and on-call duty of this person and the holidays at their place of
    work, in the format described in docs/working_time.md. ``icalendar`` is the https URL of a roster, or a file's name.
    """

    key: str
    name: str
    email: str = ""
    role: str = "employee"
    team_keys: tuple[str, ...] = ()
    timezone: str = ""
    language: str = ""
    working_hours: Mapping[str, str] | None = None
    calendar: Mapping[str, Any] | None = None
    icalendar: str = ""
    active: bool = True
    tenant: str = ""


@dataclass(frozen=True, kw_only=True)
class TeamRecord:
    """A team with the user keys of its supervisor and deputy."""

    key: str
    name: str
    supervisor_key: str = ""
    deputy_key: str = ""
    tenant: str = ""


class CRMAdapter:
    """The interface to a host CRM. Subclass it, or use ``DeclarativeAdapter`` and settings.

    Any method may be overridden. Keys are opaque text.
    """

    def tenant(self, key: str) -> AbstractContextManager[None]:
        """Enter the host's context for a tenant (row-level security, time zone) and restore the previous one on exit.

        Tasks run inside this context. The key is never "": messages from unknown senders have no tenant until they are
        linked to a customer, and no context is entered for them.
        """
        return nullcontext()

    def tenants(self) -> Iterable[str]:
        """Return the keys of all tenants whose context the directory sync must enter, one after the other.

        Don't override this method if the host's rows can be read without a context. In that case, each record contains
        its tenant.
        """
        return ("",)

    def current_tenant(self) -> str:
        """Return the tenant of this request or process, as set by the host's middleware; empty if there is none.

        It is used for a new row whose record contains no tenant, and to choose a tenant for a person who belongs to
        several.
        """
        return ""

    def customer_key(self, customer: object) -> str:
        """Return the key of a host's customer object."""
        raise NotImplementedError("CRMAdapter.customer_key")

    def customer(self, key: str) -> CustomerRecord | None:
        """Return the customer with this key, or None if there is none."""
        raise NotImplementedError("CRMAdapter.customer")

    def customers(self) -> Iterator[CustomerRecord]:
        """Yield all customers, for the directory sync. Implementations must stream the rows."""
        raise NotImplementedError("CRMAdapter.customers")

    def search(self, words: str, limit: int = 20) -> Iterable[CustomerRecord]:
        """Return at most ``limit`` customers whose name contains ``words``, so that an unknown sender can be linked.

        The default implementation reads all customers.
        """
        matches = (record for record in self.customers() if words.lower() in record.name.lower())
        return list(islice(matches, limit))

    def merged_into(self, key: str) -> str:
        """Return the key of the customer into which the host merged this one; empty if it was deleted."""
        return ""

    def employee(self, user: Any) -> EmployeeRecord | None:
        """Return the employee record of a host user, or None if the user has no access."""
        raise NotImplementedError("CRMAdapter.employee")

    def employees(self) -> Iterator[EmployeeRecord]:
        """Yield all employees, for the directory sync."""
        raise NotImplementedError("CRMAdapter.employees")

    def user(self, key: str) -> Any:
        """Return the host's user object with this key, or None if there is none."""
        raise NotImplementedError("CRMAdapter.user")

    def teams(self) -> Iterable[TeamRecord]:
        """Return all teams."""
        return ()

    def problems(self) -> Iterable[tuple[str, str]]:
        """Return configuration problems as ``(problem, fix)`` pairs. Implementations must not read rows.

        The system checks report these problems, and the directory sync doesn't run until they are fixed.
        """
        return ()

    def company_contacts(self) -> Mapping[str, Sequence[str]]:
        """Return company contacts in addition to ``COMPANY_CONTACTS``: phones, emails, domains, handles, urls."""
        return {}
