"""Redaction profiles: which values a bundle withholds. Their digests stay, so every row still proves.

No profile changes a value, since a changed value would no longer match its leaf. What people wrote, the subject and the
text, is never withheld: it is what the bundle is made for.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from typing import Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from crm_contact_guard.directory.addresses import data_of, name_of
from crm_contact_guard.proof.canonical import RowKind

Values = Mapping[str, str | None]
#: Returns the names of the personal fields to withhold from a row of this kind, with its open and personal values.
Redact = Callable[[RowKind, Values, Values], Collection[str]]


class Profile(TextChoices):
    """What a bundle withholds."""

    FULL = "full", _("Everything, with addresses")
    MASKED = "masked", _("Without addresses")
    PSEUDONYMS = "pseudonyms", _("Without addresses and names")


#: The fields that a profile may withhold, as the event of the export and the manifest name them.
REDACTED: Final[Mapping[str, tuple[str, ...]]] = {
    Profile.FULL: (),
    Profile.MASKED: ("details", "files", "from_address", "from_name", "reason", "to_address", "to_name"),
    Profile.PSEUDONYMS: ("details", "files", "from_address", "from_name", "reason", "to_address", "to_name"),
}
_ADDRESSES: Final = ("from_address", "to_address")
_NAMES: Final = ("from_name", "to_name")


def nothing(kind: RowKind, open_values: Values, values: Values) -> Collection[str]:
    """Withhold nothing."""
    return ()


def only(names: Collection[str]) -> Redact:
    """Withhold these fields from every row."""
    return lambda _kind, _open, _values: names


def of(profile: str) -> Redact:
    """Return what the profile withholds. Raise ValueError for an unknown profile."""
    if Profile(profile) is Profile.FULL:
        return nothing
    return _masked if profile == Profile.MASKED else _pseudonyms


def _masked(kind: RowKind, open_values: Values, values: Values) -> Collection[str]:
    """Withhold addresses, carriers' data, and names and reasons that contain an address.

    A pseudonym is the ID of the customer or employee, which every row has.
    """
    if kind == "event":
        reason = values["reason"]
        return ("details",) if reason is None or data_of(reason) == reason else ("details", "reason")
    own = [address for name in _ADDRESSES if (address := values[name])]
    shown = {name: [values[name] or ""] for name in _NAMES}
    shown["files"] = [str(file["name"]) for file in json.loads(values["files"] or "[]")]
    told = [name for name, texts in shown.items() if any(_tells(text, own) for text in texts)]
    return (*_ADDRESSES, "details", *told)


def _tells(text: str, addresses: Collection[str]) -> bool:
    return name_of(text) != text or any(address in text for address in addresses)


def _pseudonyms(kind: RowKind, open_values: Values, values: Values) -> Collection[str]:
    withheld = _masked(kind, open_values, values)
    return (*withheld, "reason") if kind == "event" else (*withheld, *_NAMES)
