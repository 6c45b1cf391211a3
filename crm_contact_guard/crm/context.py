"""The tenant whose context this app entered. The adapter reports the tenant entered by the host."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

#: A tenant's key; empty if none was entered.
ENTERED: Final[ContextVar[str]] = ContextVar("contact_guard_tenant", default="")
