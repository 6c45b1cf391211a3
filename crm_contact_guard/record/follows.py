"""How the recorded tables, pending rows and erasure permits are verified."""

from __future__ import annotations

from typing import Final

from crm_contact_guard.proof.canonical import OPEN, PERSONAL
from crm_contact_guard.record.canonical_sql import MODELS
from crm_contact_guard.record.following import Elsewhere, Follows, Unproven, follows
from crm_contact_guard.record.models import ErasurePermit, Pending

_LEAF: Final = Elsewhere("the row's leaf in the signed tree")
_QUEUE: Final = Elsewhere("the rows without a leaf: each has one entry, with its leaf hash")

_HASHES: Final = ("salt", "digests", "format", "leaf_hash")

for _kind, _model in MODELS.items():
    _fields = {field.name: field.attname for field in _model._meta.concrete_fields}
    _names = [_fields[name] for name in (*OPEN[_kind], *PERSONAL[_kind], *_HASHES)]
    follows(Follows(model=_model, columns=dict.fromkeys(_names, _LEAF)))
follows(
    Follows(
        model=Pending,
        columns={
            "id": Unproven("a number that nothing refers to"),
            "row_kind": _QUEUE,
            "row_id": _QUEUE,
            "leaf_hash": _QUEUE,
        },
    )
)
follows(Follows(model=ErasurePermit, columns={"row_id": Elsewhere("no permit outlives its transaction")}))

from crm_contact_guard.record import directory_follows  # noqa: E402, F401 - registers the directory
