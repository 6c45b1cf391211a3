"""Rules for comparing versions of the policy with the record."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from crm_contact_guard.policy.versions.models import PolicyVersion
from crm_contact_guard.record.following import BySubject, Elsewhere, Follows, Recorded, follows, same

_KEY: Final = same(
    "settings_key",
    lambda row, _life: f"{row['tenant']}:{row['digest']}" if row["origin"] == PolicyVersion.Origin.SETTINGS else None,
    "tenant and digest of a version from the settings",
)

follows(
    Follows(
        model=PolicyVersion,
        events=BySubject(
            subject="policy",
            born=("policy.used", "policy.proposed", "policy.published", "policy.shadow_started"),
            more=("policy.approved", "policy.withdrawn"),
            is_new=True,
        ),
        columns={
            "id": Elsewhere("the events that made the row name it"),
            "tenant": Recorded(),
            "digest": same("digest", lambda row, _life: sha256(row["text"].encode()).hexdigest(), "SHA-256 of `text`"),
            "text": Recorded(),
            "origin": Recorded(),
            "state": Recorded(),
            "valid_from": Recorded(),
            "author_id": Recorded(),
            "approved_by_id": Recorded(),
            "created_at": Recorded(),
            "settings_key": _KEY,
        },
    )
)
