"""The tenant that we entered ourselves; the adapter knows of those that the host entered."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Final

#: A tenant's key; empty: none.
ENTERED: Final[ContextVar[str]] = ContextVar("contact_guard_tenant", default="")
