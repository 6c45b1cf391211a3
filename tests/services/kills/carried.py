"""Whether what the record says of a message is what its carrier took."""

from __future__ import annotations

from typing import Any

from tests.services.kills.carriers import Taken
from tests.services.kills.world import World

_RANK = {"sent": 0, "delivered": 1, "read": 2}


def was_carried(row: dict[str, Any], copies: list[Taken], world: World) -> None:
    what = f"{row}: {copies}"
    assert row["state"] in ("sent", "delivered", "read", "uncertain"), what
    assert row["events"].count("attempted") == row["attempts"], what
    assert len(copies) <= row["attempts"], what
    if row["idempotent"]:
        assert len(copies) == 1, what
        assert row["state"] != "uncertain", what
    else:
        assert len(copies) <= 1 + row["marked"], f"it may have come twice, and nothing says so: {what}"
        assert len(copies) <= 2, what
    if row["state"] == "uncertain":
        assert row["attempts"] >= 2, what
    else:
        assert copies, f"it says that it was sent, and nobody took it: {what}"
    told = [
        kind
        for _alias, taken, kind in world.book.words
        if taken.message_id == row["id"] or (taken.carrier_id and taken.carrier_id == row["carrier_id"])
        if _alias == row["channel"]
    ]
    if told:
        assert row["state"] in _RANK, what
        assert _RANK[row["state"]] == max(_RANK[kind] for kind in told), f"{what} {told}"
