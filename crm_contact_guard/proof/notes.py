"""Signed notes and checkpoints: C2SP ``signed-note`` (Ed25519, signature type 1) and ``tlog-checkpoint``.

A note consists of a text that ends in a line feed, an empty line, and signature lines
``— name base64(key id ‖ signature)``. A checkpoint is a note whose text is the origin, size and root of a tree, one per
line. Keys have the same format as in the note tools:

- verifier key (``public_key.txt``, may be published): ``name+8 hex digits of the key id+base64(01 ‖ public key)``,
- signing key (secret): ``PRIVATE+KEY+name+key id+base64(01 ‖ seed)``.
"""

import base64
import binascii
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from .errors import KeyMalformed, NoteMalformed, SignatureBroken, SignerUnknown
from .merkle import HASH_BYTES

__all__ = [
    "Checkpoint",
    "OpenNote",
    "SigningKey",
    "VerifierKey",
    "open_checkpoint",
    "open_note",
    "parse_keys",
]

_ED25519: Final = b"\x01"
_ED25519_BYTES: Final = 32
_KEY_ID_BYTES: Final = 4
_NOTE_LIMIT: Final = 1 << 20
_SIGNATURE_LIMIT: Final = 64
_NAME: Final = re.compile(r"[^\s+\x00-\x1f]{1,255}\Z")
_SIZE: Final = re.compile(r"(?:0|[1-9][0-9]{0,18})\Z")
_DASH: Final = "\u2014 "


@dataclass(frozen=True)
class VerifierKey:
    """A public key and the name it signs under."""

    name: str
    public_key: bytes

    @property
    def key_id(self) -> bytes:
        """The four bytes that, with the name, identify the key in a signature."""
        return _key_id(self.name, self.public_key)

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the raw public key in sixteen groups of four hex digits, for comparison by phone."""
        digits = sha256(self.public_key).hexdigest()
        return " ".join(digits[at : at + 4] for at in range(0, 64, 4))

    def to_text(self) -> str:
        """Return the key as one line, without a line feed."""
        return f"{self.name}+{self.key_id.hex()}+{_encode(_ED25519 + self.public_key)}"

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Parse the result of :meth:`to_text`. Raises KeyMalformed."""
        name, public = _parse_key(text)
        try:
            Ed25519PublicKey.from_public_bytes(public)
        except ValueError:
            raise KeyMalformed("not an Ed25519 public key") from None
        return cls(name, public)

    def verify(self, signature: bytes, data: bytes) -> bool:
        """Whether ``signature`` is a signature of ``data`` by this key."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, data)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True)
class SigningKey:
    """A private key and the name it signs under. ``repr`` does not contain the key."""

    name: str
    seed: bytes = field(repr=False)

    @classmethod
    def generate(cls, name: str) -> Self:
        """Generate a key. Raises KeyMalformed for a name with spaces, ``+`` or control characters."""
        _check_name(name)
        return cls(name, Ed25519PrivateKey.generate().private_bytes_raw())

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Parse the result of :meth:`to_text`. Raises KeyMalformed, whose message never contains the key."""
        prefix = "PRIVATE+KEY+"
        if not text.strip().startswith(prefix):
            raise KeyMalformed("a signing key begins with PRIVATE+KEY+")
        name, seed = _parse_key(text.strip()[len(prefix) :], secret=True)
        return cls(name, seed)

    def to_text(self) -> str:
        """Return the private key as one line, without a line feed."""
        return f"PRIVATE+KEY+{self.name}+{self.verifier.key_id.hex()}+{_encode(_ED25519 + self.seed)}"

    @property
    def verifier(self) -> VerifierKey:
        """The public key."""
        return VerifierKey(self.name, self._private.public_key().public_bytes_raw())

    def sign(self, text: str) -> str:
        """Return the signed note of ``text``, which must be non-empty and end in a line feed. Raises NoteMalformed."""
        _check_text(text)
        signature = self._private.sign(text.encode())
        return f"{text}\n{_DASH}{self.name} {_encode(self.verifier.key_id + signature)}\n"

    @property
    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)


@dataclass(frozen=True)
class OpenNote:
    """A note's text and the known keys that signed it (at least one)."""

    text: str
    signers: tuple[VerifierKey, ...]


@dataclass(frozen=True)
class Checkpoint:
    """A tree head: origin, number of leaves, and root."""

    origin: str
    size: int
    root: bytes

    def to_text(self) -> str:
        """Return the note text of ``tlog-checkpoint``, without extension lines."""
        return f"{self.origin}\n{self.size}\n{_encode(self.root)}\n"

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Parse a checkpoint's note text; extension lines are ignored. Raises NoteMalformed."""
        lines = text.split("\n")
        if len(lines) < 4 or lines[-1] or not all(lines[:-1]):
            raise NoteMalformed("a checkpoint has an origin, a size and a root, one per line")
        if not _SIZE.match(lines[1]):
            raise NoteMalformed("the checkpoint's size is not a number")
        root = _decode(lines[2])
        if root is None or len(root) != HASH_BYTES:
            raise NoteMalformed("the checkpoint's root is not a hash")
        return cls(lines[0], int(lines[1]), root)

    def sign(self, key: SigningKey) -> str:
        """Return the signed checkpoint."""
        return key.sign(self.to_text())


def open_note(note: str, keys: Sequence[VerifierKey]) -> OpenNote:
    """Verify a signed note with the known ``keys``.

    Signatures of unknown keys are ignored, as C2SP requires (witnesses may have added theirs). Raises NoteMalformed,
    SignatureBroken if the signature of any known key is invalid, SignerUnknown if no known key signed.
    """
    if len(note) > _NOTE_LIMIT:
        raise NoteMalformed("the note is too long")
    text, found, rest = note.rpartition("\n\n")
    text += "\n"
    if not found or not rest.endswith("\n"):
        raise NoteMalformed("the note has no signatures")
    _check_text(text)
    lines = rest[:-1].split("\n")
    if len(lines) > _SIGNATURE_LIMIT:
        raise NoteMalformed("the note has too many signatures")
    known = {(key.name, key.key_id): key for key in keys}
    signers: list[VerifierKey] = []
    for line in lines:
        name, key_id, signature = _parse_signature(line)
        key = known.get((name, key_id))
        if key is None:
            continue
        if not key.verify(signature, text.encode()):
            raise SignatureBroken(f"the signature of {name} does not fit the text")
        if key not in signers:
            signers.append(key)
    if not signers:
        raise SignerUnknown("no signature is from a known key")
    return OpenNote(text, tuple(signers))


def open_checkpoint(note: str, keys: Sequence[VerifierKey], origin: str | None = None) -> Checkpoint:
    """Verify and parse a signed checkpoint; if ``origin`` is given, it must match.

    Raises what :func:`open_note` raises, and NoteMalformed if the origin differs.
    """
    checkpoint = Checkpoint.from_text(open_note(note, keys).text)
    if origin is not None and checkpoint.origin != origin:
        raise NoteMalformed(f"the checkpoint is of {checkpoint.origin}, not of {origin}")
    return checkpoint


def parse_keys(text: str) -> list[VerifierKey]:
    """Return the verifier keys of a key file, one per line. Empty lines and lines that begin with ``#`` are ignored.

    Raises KeyMalformed if a line is not a key, or if there are no keys.
    """
    lines: Iterable[str] = (line.strip() for line in text.splitlines())
    keys = [VerifierKey.from_text(line) for line in lines if line and not line.startswith("#")]
    if not keys:
        raise KeyMalformed("the file contains no key")
    return keys


def _key_id(name: str, public_key: bytes) -> bytes:
    return sha256(name.encode() + b"\n" + _ED25519 + public_key).digest()[:_KEY_ID_BYTES]


def _check_name(name: str) -> None:
    if not _NAME.match(name):
        raise KeyMalformed("a key name has no spaces, no +, no control characters, and 1 to 255 characters")


def _check_text(text: str) -> None:
    if not text.endswith("\n") or len(text) < 2:
        raise NoteMalformed("a note's text ends in a line feed")
    if any(char < " " and char != "\n" for char in text):
        raise NoteMalformed("a note must not contain control characters")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise NoteMalformed("a note is UTF-8") from None


def _parse_key(text: str, *, secret: bool = False) -> tuple[str, bytes]:
    """Return the name and key bytes of ``name+id+base64``, after checking the ID."""
    name, _, rest = text.strip().partition("+")
    key_id, _, encoded = rest.partition("+")
    data = _decode(encoded)
    if data is None or len(data) != 1 + _ED25519_BYTES or data[:1] != _ED25519:
        raise KeyMalformed("a key is written as name+id+base64 and is an Ed25519 key")
    _check_name(name)
    key = data[1:]
    public = Ed25519PrivateKey.from_private_bytes(key).public_key().public_bytes_raw() if secret else key
    if key_id.lower() != _key_id(name, public).hex():
        raise KeyMalformed(f"the id of key {name} does not fit the key: a character was lost or changed")
    return name, key


def _parse_signature(line: str) -> tuple[str, bytes, bytes]:
    if not line.startswith(_DASH):
        raise NoteMalformed("a signature line begins with a dash")
    name, _, encoded = line[len(_DASH) :].partition(" ")
    data = _decode(encoded)
    if not _NAME.match(name) or data is None or len(data) <= _KEY_ID_BYTES:
        raise NoteMalformed("a signature line is a name and base64")
    return name, data[:_KEY_ID_BYTES], data[_KEY_ID_BYTES:]


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decode(text: str) -> bytes | None:
    """Decode canonical base64 only, so that any changed byte of a note is detected."""
    try:
        data = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return None
    return data if _encode(data) == text else None
