"""Why a mail server refused an email: because the address no longer exists, or for another reason.

Other reasons are temporary or concern only one email. Servers use the codes of RFC 3463 loosely, so the words of the
reply are considered as well. If in doubt, the address is treated as existing: no longer being able to write to a
customer is worse than a second email that bounces.
"""

from __future__ import annotations

import re

from crm_contact_guard.channels.email.patterns import listed

#: Enhanced status codes (RFC 3463, RFC 7505) for a mailbox or domain that does not exist, not just one refused email.
_GONE = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.4.310"})
_CODE = re.compile(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?!\.?\d)")
_REPLY = re.compile(r"(?<![\d.\-])([245]\d\d)(?=[ \-#:])(?![ \-]\d)")


def status_code(text: str) -> str:
    """Return the first enhanced status code (RFC 3463) in a mail server's reply; "" if there is none."""
    match = _CODE.search(text)
    return match.group() if match else ""


def is_gone(code: str, words: str = "") -> bool:
    """Whether a refusal means that the address no longer exists.

    ``words``: the server's reply, of which the first 4,000 characters are read.
    """
    said = " ".join(words[:4_000].replace("_", " ").split())
    reply = _REPLY.search(said)
    if code.startswith(("2", "4")) or (reply and reply[1][0] != "5"):
        return False
    named = listed("nobody").search(said) is not None
    rest = listed("nobody").sub(" ", said) if named else said
    if listed("sender").search(said) or listed("passing").search(rest):
        return False
    if listed("perhaps").search(rest) and not (named and code in _GONE):
        return False
    return code in _GONE or (named and code not in ("5.2.2", "5.2.3", "5.3.4"))
