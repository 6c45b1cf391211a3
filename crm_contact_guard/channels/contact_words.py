"""Words by which a customer ends or allows messages, where the carrier does not say so itself."""

from __future__ import annotations

import unicodedata

from crm_contact_guard.channels.base import ContactKind

#: Nobody means anything else by these alone.
_STOP = frozenset({"stop", "stopall", "unsubscribe", "optout", "opt out", "配信停止", "受信拒否", "登録解除"})
_START = frozenset({"start", "unstop", "optin", "opt in", "配信再開"})
#: Twilio's and the networks' further defaults on SMS (https://help.twilio.com/articles/223134027): whoever writes them
#: is blocked there, so we had better know. On other channels "cancel" is an answer like any other. Twilio also takes
#: YES for START; between people it is an answer too, and START remains.
_STOP_ON_SMS = frozenset({"cancel", "end", "quit", "revoke", "arret", "arrêt"})


def meant(text: str, *, sms: bool = False) -> ContactKind | None:
    """STOP or START when the message is that word alone: "please stop the elevator noise" is not."""
    word = unicodedata.normalize("NFKC", text[:40]).strip().strip(".!。").casefold()
    if word in _STOP or (sms and word in _STOP_ON_SMS):
        return ContactKind.STOP
    return ContactKind.START if word in _START else None
