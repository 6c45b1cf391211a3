"""Named manipulations of a sealed record by somebody who is master of the database, past the triggers.

Each takes a :class:`Scene`, alters the database, and gives the words by which the report must locate it. The scene: 12
messages with an event each in three seals; ``scene.victim`` is the sixth message, ``scene.other`` the ninth.
"""

from tests.verification.tampering import of_rows, of_seals, of_shown, of_tables  # noqa: F401  # they fill MANIPULATIONS
from tests.verification.tampering.scene import MANIPULATIONS, Scene, delete, needs_database, update

__all__ = ["MANIPULATIONS", "Scene", "delete", "needs_database", "update"]
