"""Opt-out and opt-in words such as STOP, for carriers that do not report them as events."""

from __future__ import annotations

import unicodedata

from crm_contact_guard.channels.base import ContactKind

#: Words that are unambiguous if they are the whole message.
_STOP = frozenset({"stop", "stopall", "unsubscribe", "optout", "opt out", "配信停止", "受信拒否", "登録解除"})
_START = frozenset({"start", "unstop", "optin", "opt in", "配信再開"})
#: More default words of Twilio and the SMS networks (https://help.twilio.com/articles/223134027), which block the
#: sender if they receive one. On other channels, "cancel" is an ordinary answer. Twilio also accepts YES for START. It
#: isn't included here because it is an ordinary answer, too.
_STOP_ON_SMS = frozenset({"cancel", "end", "quit", "revoke", "arret", "arrêt"})


def meant(text: str, *, sms: bool = False) -> ContactKind | None:
    """Return STOP or START if such a word is the whole message, otherwise None.

    "please stop the elevator noise" is not an opt-out.
    """
    word = unicodedata.normalize("NFKC", text[:40]).strip().strip(".!。").casefold()
    if word in _STOP or (sms and word in _STOP_ON_SMS):
        return ContactKind.STOP
    return ContactKind.START if word in _START else None
