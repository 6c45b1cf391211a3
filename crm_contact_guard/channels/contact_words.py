"""Opt-out and opt-in words such as STOP, for carriers that do not report them as events."""

from __future__ import annotations

import unicodedata

from crm_contact_guard.channels.base import ContactKind

#: Unambiguous if they are the whole message.
_STOP = frozenset({"stop", "stopall", "unsubscribe", "optout", "opt out", "配信停止", "受信拒否", "登録解除"})
_START = frozenset({"start", "unstop", "optin", "opt in", "配信再開"})
#: Further defaults of Twilio and the networks for SMS (https://help.twilio.com/articles/223134027), which block the
#: sender there. On other channels "cancel" is an ordinary answer. Twilio also accepts YES for START; it is not included
#: since it is an ordinary answer.
_STOP_ON_SMS = frozenset({"cancel", "end", "quit", "revoke", "arret", "arrêt"})


def meant(text: str, *, sms: bool = False) -> ContactKind | None:
    """STOP or START if the word is the whole message, unlike "please stop the elevator noise". Otherwise None."""
    word = unicodedata.normalize("NFKC", text[:40]).strip().strip(".!。").casefold()
    if word in _STOP or (sms and word in _STOP_ON_SMS):
        return ContactKind.STOP
    return ContactKind.START if word in _START else None
