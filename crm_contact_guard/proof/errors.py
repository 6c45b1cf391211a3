"""Exceptions that this package raises for invalid input: rows, trees, notes, keys and bundles."""

__all__ = [
    "ArchiveBroken",
    "ConsistencyBroken",
    "FormatBroken",
    "InclusionBroken",
    "KeyMalformed",
    "NotCanonical",
    "NoteBroken",
    "NoteMalformed",
    "ProofBroken",
    "ProofError",
    "SignatureBroken",
    "SignerUnknown",
    "TileBroken",
]


class ProofError(ValueError):
    """Base class. The message describes the fault."""


# --- rows


class NotCanonical(ProofError):
    """A value without a canonical form: a float, a naive time, a line break in an open value, a wrong salt size."""


# --- tree


class ProofBroken(ProofError):
    """A proof does not lead to the expected root."""


class InclusionBroken(ProofBroken):
    """The leaf is not at this index in the tree with this root, or the path was altered."""


class ConsistencyBroken(ProofBroken):
    """The smaller tree is not the beginning of the larger one, or the proof was altered."""


class TileBroken(ProofError):
    """The stored tile ``(level, index)`` is missing, too short, or does not match the tiles below it.

    ``path`` is the tile's path (``tiles.tile_path``), for the message.
    """

    def __init__(self, path: str, why: str, *, level: int, index: int) -> None:
        super().__init__(f"tile {path} {why}")
        self.level = level
        self.index = index


# --- notes and keys


class NoteBroken(ProofError):
    """The note is not valid."""


class NoteMalformed(NoteBroken):
    """The text is not a signed note, or not a checkpoint."""


class SignerUnknown(NoteBroken):
    """No signature of the note is from a known key."""


class SignatureBroken(NoteBroken):
    """The signature of a known key does not match the text: one of them was altered."""


class KeyMalformed(ProofError):
    """The text is not a key of the expected kind."""


# --- bundles


class ArchiveBroken(ProofError):
    """The zip is damaged, ambiguous, or a decompression bomb."""


class FormatBroken(ProofError):
    """A line or a manifest does not have the expected format."""
