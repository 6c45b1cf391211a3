"""The key that signs tree heads, and the keys that are believed: from settings, never from the database.

``SIGNING_KEY`` is the key's text (``PRIVATE+KEY+…``), the path of a file that holds it, or ``"demo"``.
``VERIFICATION_KEYS`` lists verifier keys or paths of files with one key a line: those of earlier signing keys.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Final

from crm_contact_guard.conf import settings
from crm_contact_guard.exceptions import ConfigurationError
from crm_contact_guard.proof.errors import KeyMalformed
from crm_contact_guard.proof.notes import SigningKey, VerifierKey, parse_keys

#: Known to everybody who has this source: what it signs proves nothing, and its name says so in every checkpoint.
DEMO_KEY: Final = SigningKey(
    "demo.invalid/worthless-demo-key", sha256(b"crm_contact_guard demo key, not secret").digest()
)

_DEMO: Final = "demo"
_SIGNING_PREFIX: Final = "PRIVATE+KEY+"


def signing_key() -> SigningKey | None:
    """The key that signs from now on; None when none is configured. Raises ConfigurationError for an unusable one."""
    given = str(settings.SIGNING_KEY).strip()
    if not given:
        return None
    if given == _DEMO:
        return DEMO_KEY
    text = given if given.startswith(_SIGNING_PREFIX) else _read("SIGNING_KEY", given)
    try:
        return SigningKey.from_text(text)
    except KeyMalformed as error:
        raise ConfigurationError(f'CONTACT_GUARD["SIGNING_KEY"]: {error}') from error


def signing_key_or_refuse() -> SigningKey:
    """The signing key. Raises ConfigurationError when there is none."""
    key = signing_key()
    if key is None:
        raise ConfigurationError(
            'CONTACT_GUARD["SIGNING_KEY"] is not set, so the record is not sealed (make one: contact_guard_keygen)'
        )
    return key


def verification_keys() -> list[VerifierKey]:
    """All keys whose signature is believed, the present one first, each once. Raises ConfigurationError."""
    present = signing_key()
    keys = [present.verifier] if present is not None else []
    for given in settings.VERIFICATION_KEYS:
        text = str(given).strip()
        try:
            keys.extend(parse_keys(text if _is_key(text) else _read("VERIFICATION_KEYS", text)))
        except KeyMalformed as error:
            raise ConfigurationError(f'CONTACT_GUARD["VERIFICATION_KEYS"]: {error}') from error
    return list(dict.fromkeys(keys))


def is_demo(key: SigningKey) -> bool:
    """Whether this is the key that everybody knows."""
    return key.seed == DEMO_KEY.seed


def _is_key(text: str) -> bool:
    # A path has no two plus signs with eight hex digits between them.
    parts = text.split("+", 2)
    return len(parts) == 3 and len(parts[1]) == 8 and all(digit in "0123456789abcdef" for digit in parts[1])


def _read(name: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else "it is no text"
        # The value itself may be a mistyped secret: whole keys have a "+", and their last parts no ".".
        where = f"{Path(path).absolute()}: {why}" if "." in path and "+" not in path else why
        raise ConfigurationError(
            f'CONTACT_GUARD["{name}"] is neither a key nor a file that can be read ({where})'
        ) from error
