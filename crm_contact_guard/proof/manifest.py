"""The manifest of a bundle and the note that signs it. The other files are documented in :mod:`.bundle_format`."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from .bundle_format import load_object
from .canonical import FORMAT, canonical_json
from .errors import FormatBroken, NotCanonical

__all__ = ["ATTACHMENTS", "KEYS", "MANIFEST", "SIGNATURE", "VERIFY", "Listed", "Manifest", "manifest_note"]

MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.sig"
KEYS: Final = "public_key.txt"
VERIFY: Final = "VERIFY.md"
ATTACHMENTS: Final = "attachments/"
_MEMBERS: Final = {"format", "origin", "created_at", "what", "filters", "files", "checkpoint"}


@dataclass(frozen=True, slots=True)
class Listed:
    """A file in the manifest. ``rows``: number of lines of a line file."""

    sha256: str
    bytes: int
    rows: int | None = None


@dataclass(frozen=True, slots=True)
class Manifest:
    """Description of a bundle. ``what`` and ``filters`` are informative and may be any canonical JSON."""

    origin: str
    created_at: str
    checkpoint: str
    files: Mapping[str, Listed]
    what: Mapping[str, Any]
    filters: Mapping[str, Any]

    def to_bytes(self) -> bytes:
        """The manifest as canonical JSON with a line feed."""
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
        members = load_object(data)
        if set(members) != _MEMBERS or members["format"] != FORMAT:
            raise FormatBroken("is not a manifest of format 1")
        try:
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
            is_canonical = manifest.to_bytes() == data
        except (AttributeError, KeyError, TypeError, NotCanonical, RecursionError):
            raise FormatBroken("is not a manifest of format 1") from None
        if not is_canonical:
            raise FormatBroken("is not written canonically")
        texts = (manifest.origin, manifest.created_at, manifest.checkpoint, *(file.sha256 for file in files.values()))
        counts = [count for file in files.values() for count in (file.bytes, file.rows) if count is not None]
        if not all(isinstance(text, str) for text in texts) or not all(type(count) is int for count in counts):
            raise FormatBroken("is not a manifest of format 1")
        return manifest


def manifest_note(origin: str, manifest: bytes) -> str:
    """The text that ``manifest.sig`` signs."""
    return f"crm_contact_guard/manifest/{FORMAT}\n{origin}\n{sha256(manifest).hexdigest()}\n"
