"""Why a mail server refused a mail: does the address exist no more, or was it only this mail, or only now?

Servers use the codes of RFC 3463 loosely, so their words decide with them. In doubt an address is not gone: a customer
who can't be written to any more is worse than a second mail that comes back.
"""

from __future__ import annotations

import re

import re2

#: Enhanced status codes (RFC 3463, RFC 7505) for a mailbox or domain that does not exist, not just one refused mail.
_GONE = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.4.310"})
_CODE = re.compile(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?!\.?\d)")
_REPLY = re.compile(r"(?<![\d.\-])([245]\d\d)(?=[ \-#:])(?![ \-]\d)")
#: Words of refusals that pass, or that concern the mail, its sender or the server and not the mailbox.
_PASSING = (
    r"quota|mailbox (?:is |size |space )?(?:full|limit|exceed)|(?:inbox|mailbox|account|storage|disk|user|folder)[^.\n]{0,30} (?:is |has )?"
    r"(?:full|over|exceed|insufficient)|over ?(?:limit|size)|insufficient (?:system )?(?:storage|resources|disk)"
    r"|out of (?:storage|space|memory)|spam|junk|unsolicited|\bbulk\b|black ?list|block ?list|\bblocked\b|dnsbl|\brbl\b"
    r"|barracuda|reputation|gr[ae]y ?list|temporar|transient|deferred|delayed|rate[ -]limit|throttl"
    r"|too (?:many|fast|large|big|long)|size (?:limit|exceed)|exceeds? (?:the |our |maximum )?(?:\w+ )?(?:size|limit)|message size"
    r"|larger than|virus|malware|infected|\bspf\b|\bdkim\b|\bdmarc\b|reverse dns|\brdns\b|\bptr\b|\b[he]{2}lo\b"
    r"|sender(?:'s)? (?:address|domain|e-?mail|rejected|denied|verif)|client host|rcpthosts|time[ -]?(?:d )?out|expired|hop count"
    r"|connection (?:refused|reset|lost|closed|dropped|timed)|not responding|no route to host|unreachable|\bloop"
    r"|disabled|suspended|inactive|deactivated|locked|frozen|on hold|only accept|not accepting (?:mail|messages)"
    r"|容量|迷惑メール|一時的|再試行|サイズ|拒否|一杯|いっぱい|voll\b|überschritten|vorübergehend|pleine|dépassé|temporaire"
    r"|llen[oa]\b|excedid|piena|superat|\bvol\b|cheia|przekroczon|переполнен|временн|满|超过"
)
#: As well, unless code and words both say that nobody is there.
_PERHAPS = (
    r"polic(?:y|ies)|try (?:again|later)|again later|retry|authenticat|authori[sz]|not allowed|not permitted|prohibited|denied"
    r"|relay|your (?:domain|ip|host|server|mail server|(?:message|e?-?mail) (?:was|has been) (?:rejected|refused))|restricted|not active"
    r"|content (?:reject|filter|block|polic)|message content|too old"
)
_NOBODY = (
    r"(?:user|recipient|mailbox|account|address|alias|addressee|local[ -]?part|name|person|subscriber|customer|login|e-?mail)[^.\n;]{0,60}"
    r"(?:unknown|not? (?:be )?(?:found|exist|known|valid|listed|recogni[sz]ed)|does ?n[o']?t exist|doesn.t exist|isn.t (?:known|valid)|invalid|no longer|not a valid|undeliverable|unroutable|unavailable|terminated|closed|discontinued|has moved)"
    r"|(?:unknown|invalid|no such|no known|illegal|non-?exist[ea]nt|bad|unrecogni[sz]ed|unrout(?:e)?able|undeliverable|not a (?:known|valid|local)|no valid|no (?:such )?(?:local )?)[ -](?:e?-?mail ?)?"
    r"(?:local )?(?:or illegal )?(?:or undefined )?(?:user|users|recipient|recipients|mailbox|mail ?box|account|address|addressee|alias|local[ -]?part|person|name|subscriber|host|domain|destination|login|e-?mail|here)"
    r"|no mail ?box (?:found|available|for)|no (?:mailbox|account|user|one) (?:here |there |exists )?(?:by|with|under) (?:that|this)|no mailbox here|isn.t (?:in|on) (?:our|my|the)|not (?:in|on|listed in) (?:our|my|the|domino|public|this) (?:server|system|host|directory|address|database|domino|name|user|virtual|recipient|local|list|\w+ table)"
    r"|could ?n[o']t (?:be )?(?:find|found|locate)|couldn.t find|cannot find|can.t find|cannot be found|did not reach the following recipient|does ?n[o']?t (?:exist|have (?:a|an) \w+ account|like recipient)|doesn.t have a \w+(?:\.com)? account|not exist|not our customer|no longer (?:with|work|employ|valid|active|available|exist|in use|on (?:this )?server|a )"
    r"|(?:host|domain)(?: or domain)?(?: name)?[^.\n;]{0,40}(?:unknown|not found|does not exist|doesn.t exist|non-?exist[ea]nt|no such|not known|invalid)|name or service not known|nxdomain|unable to (?:resolve|look ?up|find)|"
    r"cannot resolve|can.t resolve|no mx|null ?mx|does not (?:accept|receive) (?:e?-?mail|any mail)|doesn.t (?:accept|receive) (?:e?-?mail|any mail)|name server: [^\n]{0,60}host not found|access denied[^\n]{0,10} as\(201806281\)|recipient address rejected: access denied"
    r"|存在しません|存在しない|見つかりません|見つからな|不明な(?:宛先|ユーザ)|(?:宛先|ユーザー?|あて先)(?:が|は)?不明|該当.{0,12}(?:ありません|いません)|unbekannt|existiert nicht|nicht gefunden|nicht bekannt|n.existe pas|inconnue?\b|introuvable|no existe|desconocid|no se encontr|"
    r"non esiste|inesistente|sconosciut|não existe|nao existe|inexistente|desconhecid|bestaat niet|onbekend|nie istnieje|nieznany|brak (?:takiego )?użytkownika|не существует|не найден|неизвестн|недоступен адрес|不存在|未知用户|查無|找不到|无此|無此|존재하지 않|찾을 수 없|findes ikke|finns inte|okänd|ukendt|ei löydy|neexistuje"
)


_PASSES = re2.compile(f"(?i){_PASSING}")
_PERHAPS_PASSES = re2.compile(f"(?i){_PERHAPS}")
_NAMES_NOBODY = re2.compile(f"(?i){_NOBODY}")


def status_code(text: str) -> str:
    """The first enhanced status code (RFC 3463) in a mail server's reply; "" if there is none."""
    match = _CODE.search(text)
    return match.group() if match else ""


def is_gone(code: str, words: str = "") -> bool:
    """Whether a refusal means that the address exists no more. ``words``: the server's reply, of which 4,000 characters
    are read."""
    said = " ".join(words[:4_000].replace("_", " ").split())
    reply = _REPLY.search(said)
    if code.startswith(("2", "4")) or (reply and reply[1][0] != "5"):
        return False
    named = _NAMES_NOBODY.search(said) is not None
    rest = _NAMES_NOBODY.sub(" ", said) if named else said
    if _PASSES.search(rest) or (_PERHAPS_PASSES.search(rest) and not (named and code in _GONE)):
        return False
    return code in _GONE or (named and code not in ("5.2.2", "5.2.3", "5.3.4"))
