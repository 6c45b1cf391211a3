"""Look up the customers with an address and their open conversations, in one cached SQL statement.

Every inbound message needs this lookup. The ORM would need three queries, which take longer to compile than to run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Generic, TypeVar

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from crm_contact_guard.directory.models import Address, Customer, Employee
from crm_contact_guard.hosting import database
from crm_contact_guard.record.models import Conversation


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """A customer who has or had an address."""

    customer: Customer
    #: The open conversation with the latest message, with its customer and employee loaded.
    conversation: Conversation | None
    #: Time of the latest message in any conversation, in the database's own format, so usable only for comparisons.
    talked_at: Any
    #: Reason for the opt-out; empty if the customer has not opted out.
    opted_out_by: str
    #: Whether the host removed the address.
    dropped: bool


def holders(kind: str, normalised: str) -> list[Holder]:
    """Return all customers with this address, in no particular order. Run one query, or none for an empty address."""
    if not normalised:
        return []
    # Don't read from a replica, which may not have the latest rows yet.
    connection = database.connection()
    with connection.cursor() as cursor:
        cursor.execute(_statement(connection.vendor), [kind, normalised])
        rows = cursor.fetchall()
    return [_holder(row, connection) for row in rows]


Row = TypeVar("Row", bound=models.Model)
#: Fields whose values need no conversion on any database.
_PLAIN: Final = (models.CharField, models.TextField, models.PositiveSmallIntegerField, models.PositiveIntegerField)


class _Part(Generic[Row]):
    """The columns of one model in the statement; builds its instances from a result row."""

    def __init__(self, model: type[Row], alias: str) -> None:
        fields = model._meta.concrete_fields
        self.model, self.alias, self.width = model, alias, len(fields)
        self.key = fields.index(model._meta.pk)
        self.names = [field.attname for field in fields]
        self.converted = [
            (place, field.get_col(alias)) for place, field in enumerate(fields) if type(field) not in _PLAIN
        ]

    def columns(self, connection: BaseDatabaseWrapper) -> str:
        quote = connection.ops.quote_name
        return ", ".join(f"{self.alias}.{quote(str(field.column))}" for field in self.model._meta.concrete_fields)

    def is_present(self, row: Sequence[Any], start: int) -> bool:
        """Whether the outer join matched: the primary key among the columns from ``start`` is not null."""
        return row[start + self.key] is not None

    def read(self, row: Sequence[Any], start: int, connection: BaseDatabaseWrapper) -> Row:
        """Return the instance whose columns begin at ``start``."""
        values = list(row[start : start + self.width])
        for place, column in self.converted:
            for convert in (*connection.ops.get_db_converters(column), *column.get_db_converters(connection)):
                values[place] = convert(values[place], column, connection)
        return self.model.from_db(connection.alias, self.names, values)


_CUSTOMER: Final = _Part(Customer, "c")
_CONVERSATION: Final = _Part(Conversation, "v")
_EMPLOYEE: Final = _Part(Employee, "e")
#: Index of each model's first column; three other columns precede them.
_AT_CUSTOMER: Final = 3
_AT_CONVERSATION: Final = _AT_CUSTOMER + _CUSTOMER.width
_AT_EMPLOYEE: Final = _AT_CONVERSATION + _CONVERSATION.width


@cache
def _statement(vendor: str) -> str:
    connection = database.connection()
    quote = connection.ops.quote_name
    address, customer, conversation, employee = (
        quote(model._meta.db_table) for model in (Address, Customer, Conversation, Employee)
    )
    parts = ", ".join(part.columns(connection) for part in (_CUSTOMER, _CONVERSATION, _EMPLOYEE))
    return (
        f"SELECT a.opted_out_by, a.dropped,"
        f" (SELECT MAX(t.last_message_at) FROM {conversation} t WHERE t.customer_id = c.id), {parts}"
        f" FROM {address} a JOIN {customer} c ON c.id = a.customer_id"
        f" LEFT JOIN {conversation} v ON v.id = (SELECT o.id FROM {conversation} o"
        f" WHERE o.customer_id = c.id AND o.state = '{Conversation.State.OPEN.value}'"
        " ORDER BY (o.last_message_at IS NULL), o.last_message_at DESC LIMIT 1)"
        f" LEFT JOIN {employee} e ON e.id = v.employee_id"
        " WHERE a.kind = %s AND a.normalised = %s"
    )


def _holder(row: Sequence[Any], connection: BaseDatabaseWrapper) -> Holder:
    opted_out_by, dropped, talked_at = row[:_AT_CUSTOMER]
    customer = _CUSTOMER.read(row, _AT_CUSTOMER, connection)
    conversation = None
    if _CONVERSATION.is_present(row, _AT_CONVERSATION):
        conversation = _CONVERSATION.read(row, _AT_CONVERSATION, connection)
        conversation.customer = customer
        if _EMPLOYEE.is_present(row, _AT_EMPLOYEE):
            conversation.employee = _EMPLOYEE.read(row, _AT_EMPLOYEE, connection)
    return Holder(
        customer=customer,
        conversation=conversation,
        talked_at=talked_at,
        opted_out_by=opted_out_by,
        dropped=bool(dropped),
    )
