"""Manipulations of a sealed record by an attacker with control of the database, who bypasses the triggers.

Each takes a :class:`Scene`, alters the database, and returns the words that the report must contain. The scene has 12
messages with one event each in three seals; ``scene.victim`` is the sixth message, ``scene.other`` the ninth.
"""

from tests.verification.tampering import (  # noqa: F401  # they fill MANIPULATIONS
    of_definitions,
    of_rows,
    of_seals,
    of_shadows,
    of_shown,
    of_tables,
    of_values,
)
from tests.verification.tampering.scene import MANIPULATIONS, Scene, delete, needs_database, update

__all__ = ["MANIPULATIONS", "Scene", "delete", "needs_database", "update"]
