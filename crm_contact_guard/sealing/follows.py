"""How the tables of sealing are verified. The tree is proven, but the state of the witnesses is not."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from crm_contact_guard.record.following import Elsewhere, Follows, Unproven, follows, not_after
from crm_contact_guard.sealing.models import Seal, Tile, TreeHead, Witnessing

_TREE: Final = Elsewhere("the tree, recomputed from the leaves and compared with the signed checkpoints")
#: Checkpoints don't contain the time of sealing, but other times bound it.
_TIME: Final = Elsewhere("the seals before and after, and the times of its rows, within an hour")

follows(
    Follows(
        model=TreeHead,
        columns={"id": _TREE, "origin": _TREE, "size": _TREE, "frontier": _TREE, "sealed_at": _TIME},
    )
)
follows(
    Follows(
        model=Seal,
        columns={
            "size": _TREE, "rows": _TREE, "first_ms": _TREE, "last_ms": _TREE, "checkpoint": _TREE, "sealed_at": _TIME,
        },
    )
)  # fmt: skip
follows(Follows(model=Tile, columns={"id": _TREE, "hashes": _TREE}))

_WITNESS: Final = Unproven("what a witness keeps counts, and is asked for anew; a wrong value only delays a hand-over")

follows(
    Follows(
        model=Witnessing,
        columns={
            "alias": _WITNESS,
            "size": _WITNESS,
            "kept_at": not_after("kept_at", timedelta(0), "not in the future"),
            "tried_at": not_after("tried_at", timedelta(0), "not in the future"),
            "error": _WITNESS,
        },
        deleted="what a witness keeps counts, and is asked for anew",
        added="the settings' witnesses count; a row of another name is not used",
    )
)
