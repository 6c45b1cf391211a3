"""The manifest of a bundle and the note that signs it. The other files are documented in :mod:`.bundle_format`."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from . import strict
from .canonical import EVENT_PERSONAL, FORMAT, MESSAGE_PERSONAL, canonical_json
from .errors import FormatBroken, NotCanonical

__all__ = ["ATTACHMENTS", "HASH", "KEYS", "MANIFEST", "SIGNATURE", "VERIFY", "Listed", "Manifest", "manifest_note"]

MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
KEYS: Final = "public_key.txt"
VERIFY: Final = "VERIFY.md"
ATTACHMENTS: Final = "attachments/"
#: SHA-256 in lower-case hex.
HASH: Final = strict.pattern("[0-9a-f]{64}")
_FILTERS: Final = "tenant|customer|employee|conversation|channel|direction|kind|case|occurred_from|occurred_before"
_WHAT: Final = strict.object_of(
    {
        "messages": strict.count,
        "events": strict.count,
        "redacted": strict.list_of(strict.pattern("|".join({*MESSAGE_PERSONAL, *EVENT_PERSONAL}))),
        "attachments": strict.flag,
        "whole": strict.flag,
        "export": strict.nullable(strict.text),
    },
    {"profile": strict.text, "cut": strict.map_of(strict.text, strict.count)},
)
_SHAPE: Final = strict.object_of(
    {
        "format": strict.exactly(FORMAT),
        "origin": strict.text,
        "created_at": strict.pattern(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z"),
        "what": _WHAT,
        "filters": strict.map_of(strict.pattern(_FILTERS), strict.text),
        "files": strict.map_of(
            strict.text, strict.object_of({"sha256": HASH, "bytes": strict.count}, {"rows": strict.count})
        ),
        "checkpoint": strict.text,
    }
)


@dataclass(frozen=True, slots=True)
class Listed:
    """A file in the manifest. ``rows``: number of lines of a line file."""

    sha256: str
    bytes: int
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """Description of a bundle. ``what`` and ``filters``: see :mod:`.bundle_format`."""

    origin: str
    created_at: str
    checkpoint: str
    files: Mapping[str, Listed]
    what: Mapping[str, Any]
    filters: Mapping[str, Any]

    def to_bytes(self) -> bytes:
        """Return the manifest as canonical JSON with a line feed."""
        files = {
            name: {"sha256": file.sha256, "bytes": file.bytes, **({} if file.rows is None else {"rows": file.rows})}
            for name, file in self.files.items()
        }
        members = {
            "format": FORMAT,
            "origin": self.origin,
            "created_at": self.created_at,
            "what": self.what,
            "filters": self.filters,
            "files": files,
            "checkpoint": self.checkpoint,
        }
        return canonical_json(members).encode() + b"\n"

    @classmethod
    def from_bytes(cls, data: bytes) -> "Manifest":
        """Parse the result of :meth:`to_bytes`. Raises FormatBroken."""
        members = strict.load(data)
        misfit = _SHAPE(members, "")
        if misfit is not None:
            raise FormatBroken(f"is not a manifest of format 1{': ' if misfit else ''}{misfit[1:100]}")
        files = {
            name: Listed(file["sha256"], file["bytes"], file.get("rows")) for name, file in members["files"].items()
        }
        manifest = cls(
            origin=members["origin"],
            created_at=members["created_at"],
            checkpoint=members["checkpoint"],
            files=files,
            what=members["what"],
            filters=members["filters"],
        )
        try:
            is_canonical = manifest.to_bytes() == data
        except NotCanonical:
            is_canonical = False
        if not is_canonical:
            raise FormatBroken("is not written canonically")
        return manifest


def manifest_note(origin: str, manifest: bytes) -> str:
    """Return the text that ``manifest.sig`` signs."""
    return f"crm_contact_guard/manifest/{FORMAT}\n{origin}\n{sha256(manifest).hexdigest()}\n"
