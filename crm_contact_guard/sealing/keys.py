"""The key that signs tree heads, and the keys trusted for verification. Both come from settings, never the database.

``SIGNING_KEY`` is the key's text (``PRIVATE+KEY+…``), the path of a file that contains it, or ``"demo"``.
``VERIFICATION_KEYS`` lists the verifier keys of earlier signing keys, or paths of files with one key per line.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Final

from crm_contact_guard.conf import settings
from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.proof.errors import KeyMalformed
from crm_contact_guard.proof.notes import SigningKey, VerifierKey, parse_keys

#: Public, so its signatures prove nothing. Its name says so in every checkpoint.
DEMO_KEY: Final = SigningKey(
    "demo.invalid/worthless-demo-key", sha256(b"crm_contact_guard demo key, not secret").digest()
)

_DEMO: Final = "demo"
_SIGNING_PREFIX: Final = "PRIVATE+KEY+"


def signing_key() -> SigningKey | None:
    """Return the current signing key; None if none is configured. Raises ConfigurationError if it is unusable."""
    value = str(settings.SIGNING_KEY).strip()
    if not value:
        return None
    if value == _DEMO:
        return DEMO_KEY
    text = value if value.startswith(_SIGNING_PREFIX) else _read("SIGNING_KEY", value)
    try:
        return SigningKey.from_text(text)
    except KeyMalformed as error:
        raise ConfigurationError(f'CONTACT_GUARD["SIGNING_KEY"]: {error}') from error


def signing_key_or_refuse() -> SigningKey:
    """Return the signing key. Raises ConfigurationError if there is none."""
    key = signing_key()
    if key is None:
        raise ConfigurationError(
            'CONTACT_GUARD["SIGNING_KEY"] is not set, so the record is not sealed (create one: contact_guard_keygen)'
        )
    return key


def verification_keys() -> list[VerifierKey]:
    """Return all trusted verifier keys without duplicates, the current one first. Raises ConfigurationError."""
    current = signing_key()
    keys = [current.verifier] if current is not None else []
    for value in settings.VERIFICATION_KEYS:
        text = str(value).strip()
        try:
            keys.extend(parse_keys(text if _is_key(text) else _read("VERIFICATION_KEYS", text)))
        except KeyMalformed as error:
            raise ConfigurationError(f'CONTACT_GUARD["VERIFICATION_KEYS"]: {error}') from error
    return list(dict.fromkeys(keys))


def is_demo(key: SigningKey) -> bool:
    """Whether this is the public demo key."""
    return key.seed == DEMO_KEY.seed


def _is_key(text: str) -> bool:
    # name+8 hex digits+data; a path is unlikely to look like this.
    parts = text.split("+", 2)
    return len(parts) == 3 and len(parts[1]) == 8 and all(digit in "0123456789abcdef" for digit in parts[1])


def _read(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "it is not a text file"
        # The path may be a mistyped key, which must not be shown. A key contains "+"; a part of one contains no ".".
        where = f"{Path(path).absolute()}: {why}" if "." in path and "+" not in path else why
        raise ConfigurationError(f'CONTACT_GUARD["{name}"] is neither a key nor a readable file ({where})') from error
