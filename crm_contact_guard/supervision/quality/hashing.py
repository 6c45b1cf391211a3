"""Draws rows by a keyed hash, so that an auditor can repeat the draw and nobody can steer it. Pure.

A row is drawn if the first 16 hexadecimal digits of HMAC-SHA256(key, ID) are a number below a bound. The ID is the
UUID's usual text. Each row is drawn independently of all others (Poisson sampling: C.-E. Särndal, B. Swensson and
J. Wretman, Model Assisted Survey Sampling, 1992, section 3.5), so the chance of each is the bound / 2^64.
"""

from __future__ import annotations

import hmac
from typing import Final
from uuid import UUID

_ALL: Final = 1 << 64


def derived(secret: bytes, tenant: str, period: str) -> bytes:
    """Return the key of one tenant's draw: HMAC-SHA256 of the secret. It tells nothing about the secret."""
    return hmac.digest(secret, f"contact guard sample\n{tenant}\n{period}".encode(), "sha256")


def bound_of(chance: float) -> str:
    """Return the bound for a chance from 0 to 1."""
    return f"{round(chance * _ALL):016x}"


def chance_of(below: str) -> float:
    """Return the chance of being below the bound."""
    return int(below, 16) / _ALL


def place_of(key: bytes, row_id: UUID) -> str:
    """Return a row's number, which also gives the order in which drawn rows are shown."""
    return hmac.digest(key, str(row_id).encode(), "sha256").hex()[:16]


def is_drawn(key: bytes, row_id: UUID, below: str) -> bool:
    return int(place_of(key, row_id), 16) < int(below, 16)
