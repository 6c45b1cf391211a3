"""What can be wrong with a proof: every error that this package raises for what it was given to read or to check."""

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
    """Base of all of them. The text says in words what is wrong."""


# --- rows


class NotCanonical(ProofError):
    """No canonical form: a float, a naive time, a line break in an open value, a salt of the wrong size."""


# --- tree


class ProofBroken(ProofError):
    """A proof does not lead to the root it is held against."""


class InclusionBroken(ProofBroken):
    """The leaf is not at this index of the tree with this root, or the path was altered."""


class ConsistencyBroken(ProofBroken):
    """The smaller tree is not the beginning of the larger one, or the proof was altered."""


class TileBroken(ProofError):
    """A stored tile is missing, too short, or is not what the tile below it says. ``level`` and ``index`` name it.

    ``path`` names it for people (``tiles.tile_path``).
    """

    def __init__(self, path: str, why: str, *, level: int, index: int) -> None:
        super().__init__(f"tile {path} {why}")
        self.level = level
        self.index = index


# --- notes and keys


class NoteBroken(ProofError):
    """A note that must not be believed."""


class NoteMalformed(NoteBroken):
    """Not a signed note, or not a checkpoint."""


class SignerUnknown(NoteBroken):
    """No signature of the note comes from a known key."""


class SignatureBroken(NoteBroken):
    """A known key's signature does not fit the text: the text or the signature was altered."""


class KeyMalformed(ProofError):
    """Text that is not a key of the expected kind."""


# --- bundles


class ArchiveBroken(ProofError):
    """The zip is damaged, or built to show different programs different things, or to make reading endless."""


class FormatBroken(ProofError):
    """A line or a manifest is not what this package writes."""
