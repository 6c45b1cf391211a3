"""Expressions that find contact identifiers in the folded text, by sort.

The expressions only yield candidates. Whether a candidate is a private contact offered outside the company's channels
is decided later, from its context.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import re2

from crm_contact_guard.detection import packs
from crm_contact_guard.detection.text import numerals
from crm_contact_guard.detection.text.sets import set_of

#: If a message has more candidates than this, the rest is reported as a flood instead of being parsed.
MAX_CANDIDATES = 500


class Candidate(NamedTuple):
    """A possible identifier from ``start`` to ``end`` of the folded text.

    ``sort`` is ``phone``, ``email``, ``handle``, ``link``, ``address``, ``payment`` or ``hint``. ``shape`` is more
    specific ("jp_mobile", "free", "line"). ``value`` is the plain form (digits, address), and ``technique`` says how
    the identifier is disguised. This is a named tuple because a dataclass takes three times as long.
    """

    sort: str
    shape: str
    start: int
    end: int
    value: str
    technique: str = "plain"


#: The entry of each shape in the pack.
_SHAPES = {entry["id"]: entry for entry in packs.read("identifiers")["shape"]}
_STREET = "|".join(_SHAPES["address:en"]["streets"])

_DOT = r"(?:\s?\.\s?|\s?[\[({<]\s?(?:\.|dot|点)\s?[\])}>]\s?|\s(?:dot|d0t|punto|chấm|dotto|テン)\s|-dot-|\s?(?:、?ドット、?|、?どっと、?|テン)\s?|点|點|쩜|\s?(?:점|จุด)\s?)"
_AT = r"(?:\s?[@ⓐ]\s?(?:マーク)?\s?|\s?[\[({<]\s?(?:@|at|a|アット(?:マーク)?)\s?[\])}>]\s?|\s(?:at|@t|arroba|a còng|atto ?maaku)\s|-at-|\s?(?:、?アット(?:マーク)?、?|、?あっと(?:まーく)?、?|★|골뱅이|艾特|แอท)\s?)"
_TLD = r"(?:com|コム|net|org|jp|ジェーピー|co(?:\.jp)?|me|example|kr|cn|uk|vn|ph|sg|tw|th|io|mail|fr|es|de|au|ne)"
_PROVIDER = (
    r"(?:g\s?mail|hot\s?mail|outlook|i\s?cloud|yahoo|ymail|proton(?:mail)?|qq|163|126|naver|daum|hanmail|docomo|ezweb|softbank|gmx|aol|me|live|msn|mac|yandex|tutanota|fastmail|googlemail|"
    r"hushmail|foxmail|sina|nifty|biglobe|excite|au|ymobile|kakao)"
)
#: Providers whose names are not common words: "at me" and "live with me" don't refer to a provider.
_NAMED_PROVIDER = _PROVIDER.replace("|me|live|msn|mac|", "|msn|").replace("|excite|au|", "|")
FREE = re2.compile(r"\b" + _PROVIDER.replace(r"\s?", "") + r"\.")

EMAIL = re2.compile(
    r"[a-z0-9][a-z0-9_+\-]*(?:" + r"(?:\.|-dot-|\s?[\[(]\.[\])]\s?|\s(?:dot|underscore|dash)\s|\s?(?:ドット|どっと|アンダーバー|ハイフン)\s?)" + r"[a-z0-9_+\-]+)*" + _AT
    + r"[a-z0-9\-]+(?:\s?mail)?(?:" + _DOT + r"[a-z0-9\-]+){0,3}" + _DOT + _TLD + r"\b"
)  # fmt: skip
#: A plain address in any possible domain; the other expressions cover disguised addresses in common domains.
EMAIL_ANY = re2.compile(
    r"[a-z0-9][a-z0-9._+\-]{0,63}@(?:[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?\.){1,8}(?:xn--[a-z0-9\-]{2,59}|[a-z]{2,24})\b"
)
#: Each family of expressions runs only if its gate opened.
EMAIL_GATE = r"@|\b(?:at|dot|arroba|d0t|atto|dotto|t)\b[\s\]\)]|\(a\)|アット|あっと|ドット|どっと|골뱅이|艾特|点com|點com|-at-|แอท"
EMAIL_SPACED_GATE = r"[a-z0-9._\-] [a-z0-9._\-] [a-z0-9._\-] [a-z0-9._@\-] |[a-z0-9] ?@ [a-z0-9]|[a-z0-9] @ ?[a-z0-9]"
EMAIL_SLASH_GATE = r"[a-z0-9][/|\\, ]{1,3}" + _PROVIDER + r"[/|\\, ]{1,3}(?:com|co|net|jp)\b"
EMAIL_HINT_GATE = _NAMED_PROVIDER + r"\b|(?:ジーメール|gメール|アイクラウド|ヤフー)|before the|front of the"
EMAIL_PROVIDER = re2.compile(
    r"[a-z0-9][a-z0-9._+\-]{2,}(?:" + _AT + _NAMED_PROVIDER + r"\b(?:" + _DOT + r"?com)?|@" + _PROVIDER + r"\b(?:" + _DOT + r"?com)?)"
)  # fmt: skip
EMAIL_SPACED = re2.compile(
    r"(?:[a-z0-9._\-] ?){3,}[@] ?(?:[a-z0-9.\-] ){3,}[a-z]\b|(?:\b[a-z0-9._\-] ){4,}@ ?[a-z0-9.\- ]{5,}\b|[a-z0-9._\-]+ ?@ ?[a-z0-9\-]+ ?\. ?(?:com|net|jp|org|me)\b"
)
EMAIL_SLASH = re2.compile(r"[a-z0-9][a-z0-9._\-]*[/|\\, ]{1,3}" + _PROVIDER + r"[/|\\, ]{1,3}(?:com|co|net|jp)\b")
EMAIL_HINT = re2.compile(
    r"(?:(?:" + _NAMED_PROVIDER + r"|ジーメール|gメール|アイクラウド|ヤフー)[^。\n]{0,12}(?:@|アット(?:マーク)?)?の?前(?:は|が)?\s?[「\"']?[a-z0-9._\-]{3,}"
    r"|[a-z0-9._\-]{4,}[」\"']?\s?(?:のあとに|の後に|のあとは|に続けて|\+|プラス|に、?|,? (?:at|then|and then|plus) (?:the usual )?(?:google'?s? )?)\s?(?:いつもの)?(?:" + _NAMED_PROVIDER + r"|ジーメール)"
    r"|(?:before|in front of) the (?:@|at)(?: sign)?[^.\n]{0,12}[a-z0-9._\-]{4,}"
    r"|[a-z0-9._\-]{4,},? (?:on|it'?s|with|over at) " + _NAMED_PROVIDER + r"\b"
    r"|" + _NAMED_PROVIDER + r"(?: address)? (?:is|called|under|user|as|:|name)\s?[a-z0-9._\-]{4,})"
)  # fmt: skip
#: All notations of an email address, in this order. The Set finds out in one pass which of them match, but not where.
MAILS = set_of(pattern.pattern for pattern in (EMAIL, EMAIL_PROVIDER, EMAIL_SPACED, EMAIL_SLASH, EMAIL_ANY, EMAIL_HINT))

_SLASH = r"\s?/\s?"
_SCHEME = r"(?:h(?:tt|xx|\*\*)ps?\s?:?\s?/{0,2}\s?)?(?:www" + _DOT + ")?"


def _domain(name: str) -> str:
    return name.replace(".", _DOT)


LINKS = {
    "line": r"(?:line\s?:\s?//\s?(?:ti/p|r|nv|msg|home|g|oaMessage)?\S*|" + _SCHEME + "(?:" + _domain("line.me") + "|" + _domain("lin.ee") + "|" + _domain("page.line.me") + ")" + _SLASH + r"[^\s、。]*)",
    "whatsapp": _SCHEME + "(?:" + _domain("wa.me") + "|" + _domain("chat.whatsapp.com") + "|" + _domain("api.whatsapp.com") + "|" + _domain("whatsapp.com") + ")" + _SLASH + r"[^\s、。]+",
    "telegram": _SCHEME + "(?:" + _domain("t.me") + "|" + _domain("telegram.me") + r")" + _SLASH + r"[^\s、。]+|tg://\S+",
    "profile": _SCHEME + "(?:[a-z]{2}" + _DOT + ")?(?:" + "|".join(_domain(d) for d in ("instagram.com", "facebook.com", "fb.com", "fb.me", "m.me", "twitter.com", "x.com", "linkedin.com", "snapchat.com", "tiktok.com", "threads.net", "ig.me", "instagr.am", "weibo.com", "bsky.app", "vk.com", "couchsurfing.com", "twitch.tv", "youtube.com", "github.com", "linktr.ee", "lit.link", "mixi.jp")) + ")" + _SLASH + r"[^\s、。]+",
    "invite": _SCHEME + "(?:" + "|".join(_domain(d) for d in ("discord.gg", "discord.com/invite", "open.kakao.com", "zalo.me", "signal.me", "signal.group", "u.wechat.com", "invite.viber.com", "vb.me", "join.skype.com", "steamcommunity.com", "kakao.com")) + ")" + _SLASH + r"[^\s、。]+|(?:viber|weixin|skype|kakaotalk|whatsapp|sgnl|zalo|facetime)://?\S+|facetime:\S+",
    "payment": _SCHEME + "(?:" + "|".join(_domain(d) for d in ("paypal.me", "venmo.com", "cash.app", "revolut.me", "qr.paypay.ne.jp", "pay.paypay.ne.jp", "wise.com/pay")) + ")" + _SLASH + r"[^\s、。]+",
}  # fmt: skip
#: All families in one expression, with a named group for each family. The gate omits what follows the host.
_LINK = re2.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in LINKS.items()))
LINK_GATE = (
    r"(?:" + _DOT + r"(?:me|ee|gg|com|be|net|am|app|jp)" + _SLASH + r"[a-z0-9~@%+])|[a-z]{4,}\s?:\s?//|facetime:|tg://"
)
_FAMILIES = tuple(LINKS)

# The standard library's engine is faster on short text, and safe if no match can fail after its first characters.
AT_HANDLE = re.compile(r"(?:^|[^a-z0-9._\-@])([@]\s?[a-z0-9_][a-z0-9._]{2,30})")
#: Matches tokens. The group is empty for a plain word, which nearly all tokens are.
TOKEN = re.compile(r"[a-z]++(?![a-z0-9_.\-#])|([a-z0-9_~][a-z0-9_]*(?:[._\-]+[a-z0-9_]+)*_*(?:#[0-9]{3,5})?)")
#: Text right before a handle or number that marks it as the company's own, or as belonging to a network or meeting.
OFFICIAL = re.compile(
    r"(?:公式|(?<![a-z])official|(?<![a-z])oa)[\s:：]?(?:(?:line|ライン|アカウント|account|instagram|インスタ(?:グラム)?|twitter|x|tiktok|whatsapp|viber|telegram|sns|oa|id|page|shop)[\s:：(（]{0,3}){0,3}[\s:：(（は]{0,3}$"
)
NETWORK = re.compile(
    r"(?:wi-?fi(?:名|のid)?|ssid|network(?: name)?|meeting id|webinar id|zoom id|会議id|会議番号|ミーティングid|ウェビナーid|access code|passcode|パスコード|アクセスコード)(?: is|は|が|名)?[\s:：=「(（\"“']{0,4}$"
)
#: How many characters before a handle or number are read.
BEFORE = 40
PAYMENT = re2.compile(
    r"(?:venmo|cash ?app|paypal|paypay|zelle|revolut|wise|gcash|bizum|kyash|promptpay|prompt ?pay|momo|alipay)(?:\s?(?:id|tag|me|to|is|at|is at|の|は|:|で|ならid))*[\s:は]{0,3}(?:[@$]?[a-z0-9][a-z0-9._\-]{3,})|\$[a-z][a-z0-9_]{3,}"
)
PAYMENT_GATE = r"venmo|cash ?app|paypal|paypay|zelle|revolut|wise|gcash|bizum|kyash|prompt ?pay|momo|alipay|\$[a-z]|\b[a-z]{2}[0-9x]{2} ?[a-z0-9]{4} ?[a-z0-9]{4}|[a-z0-9]{24}"
ADDRESS_JA = re2.compile(
    r"(?:〒?\s?[0-9]{3}-[0-9]{4}\s?)?[一-龥ぁ-んァ-ヶ]{1,7}(?:[都道府県市区町村郡])[一-龥ぁ-んァ-ヶー]{0,12}[0-9一二三四五六七八九十]{1,4}(?:丁目|-|番地?|ー|の)\s?[0-9一二三四五六七八九]{1,4}(?:(?:番地?|号|-|ー|の)[0-9]{1,4}){0,2}(?:号室|番地|号)?"
    r"(?:の?[ 、]*[ァ-ヶー一-龥a-z・]{2,14}[ ]*(?:[0-9]{2,4})(?:号室?)?)?"
)
ADDRESS_EN = re2.compile(
    r"\b(?:(?:flat|apt|unit|apartment) ?[0-9]+[a-z]?,? )?[0-9]{1,5}[a-z]?,? (?:[a-z'.]+ ){1,3}(?:" + _STREET + r")\b\.?"
    r"(?:,? (?:(?:apt|flat|unit|suite|no|floor|buzzer|top|ground)\.? ?'?[0-9a-z]+'?(?: floor)?|[a-z]+)){0,2}"
)
ADDRESS_JA_GATE = r"[都道府県市区町村郡][^\n、。]{0,14}[0-9一二三四五六七八九](?:丁目|-|番|ー)"
ADDRESS_EN_GATE = r"\b[0-9]{1,5}[a-z]?,? (?:[a-z'.]+ ){1,3}(?:" + _STREET + r")\b"
HINT = re2.compile("|".join(_SHAPES["hint:computed"]["expressions"]))
WALLET = re2.compile(
    r"\b(?:gb|de|fr|es|nl|it|ie|pt)[0-9x]{2}(?: ?[a-z0-9]{4}){3,7}\b|\b(?:t[a-z0-9]{24,40}|0x[a-f0-9]{30,42}|bc1[a-z0-9]{20,60})\b"
)
GOROAWASE = re2.compile(
    r"(?:ゼロ|ぜろ|0)(?:キュー?|きゅう?|ハチ|はち|ナナ|なな|[789])(?:ゼロ|ぜろ|0)[^。\n]{0,10}[「『][ぁ-んァ-ヶー一-龥]{3,5}[」』](?:[、とにのへ ]{0,2}[「『][ぁ-んァ-ヶー一-龥]{3,5}[」』])?"
)


def phones(
    text: str, *, spelled: bool = True, noise: bool = True, leet: bool = True
) -> Iterator[tuple[int, int, str, str]]:
    """Yield runs that may be a phone number, as (start, end, digits, technique)."""
    last_end = -1
    if spelled:
        for start, end in numerals.runs(text):
            group = text[start:end]
            digits = numerals.decode(group)
            if len(digits) >= 7 and any(
                character.isalpha() and character not in _KANJI
                for character in group.replace("の", "").replace("ー", "")
            ):
                last_end = max(last_end, end)
                yield start, end, digits, "spelled"
    for start, end in _numbers(text):
        if start < last_end:
            continue
        written = text[start:end]
        digits = numerals.decode(written)
        if len(digits) >= 9 or (len(digits) == 7 and "-" in written) or (len(digits) == 8 and written[0] in "89"):
            last_end = max(last_end, end)
            ascii_digits = sum(character in "0123456789" for character in written)
            yield start, end, digits, "plain" if ascii_digits == len(digits) else "kanji"
    if noise:
        for match in numerals.NOISE.finditer(text):
            start, end = match.span()
            digits = "".join(c for c in match.group() if c.isdigit())
            if start >= last_end and 9 <= len(digits) <= 15:
                last_end = max(last_end, end)
                yield start, end, digits, "noise"
    if leet:
        for match in numerals.LEET.finditer(text):
            start, end = match.span()
            group = match.group()
            digits = numerals.decode_leet(group)
            digit_count = sum(c.isdigit() for c in group)
            if start >= last_end and 9 <= len(digits) <= 13 and 5 <= digit_count < len(digits):
                yield start, end, digits, "leet"


def _numbers(text: str) -> Iterator[tuple[int, int]]:
    """Yield the spans of runs of digits and separators. A list of numbers is split."""
    for match in numerals.PLAIN.finditer(text):
        start, end = match.span()
        if end - start < 7:
            continue
        if end - start <= MOST_WRITTEN or (end - start <= 4 * MOST_DIGITS and _count(text[start:end]) <= MOST_DIGITS):
            yield start, end
            continue
        for piece in _PIECE.finditer(text, start, end):
            if 9 <= piece.end() - piece.start() <= MOST_WRITTEN:
                yield piece.span()


def _count(written: str) -> int:
    return sum(character in _FIGURES for character in written)


#: Maximum number of digits in any numbering plan (ITU-T E.164).
MOST_DIGITS = 15
#: Maximum length of a single number including separators. A longer run is a list of numbers, which is split.
MOST_WRITTEN = 23
_PIECE = re.compile(r"[^\s、,/・~|:→]+")
_KANJI = frozenset("〇零一二三四五六七八九")
_FIGURES = _KANJI | frozenset("0123456789")


#: In Japan, 0800 numbers are toll-free and 080 numbers are mobile; only the grouping distinguishes 080-0… from 0800-….
_FREE_GROUPING = re.compile("0800[^0-9]")


def phone_shape(digits: str, written: str) -> str:
    """Return the shape of a run of digits without consulting numbering plans."""
    count = len(digits)
    if written.startswith(("+", "00", "plus")) and 8 <= count <= 17:
        return "international"
    if digits[:3] in ("090", "080", "070") and count == 11 and not _FREE_GROUPING.search(written):
        return "jp_mobile"
    if digits.startswith(("0120", "0800", "0570", "1800", "1888", "1877", "1866", "0990")) or (
        digits.startswith(("800", "888", "877")) and count == 10
    ):
        return "freephone"
    if digits[:3] == "050" and count == 11:
        return "jp_ip"
    if digits.startswith("07") and count == 11:
        return "uk_mobile"
    if digits.startswith("01") and digits[2] in "016789" and count in (10, 11):
        return "kr_mobile"
    if digits.startswith("09") and count in (10, 11):
        return "asia_mobile"
    if digits.startswith("0") and count in (9, 10, 11):
        return "landline"
    if count == 10 and digits[0] in "23456789" and digits[3] in "23456789":
        return "nanp"
    if count == 11 and digits[0] == "1":
        return "cn_or_nanp"
    if count in (7, 8):
        return "local"
    return "other"


def links(text: str) -> Iterator[tuple[int, int, str, str]]:
    """Yield links to a messenger, profile or payment page, as (start, end, family, link)."""
    for match in _LINK.finditer(text):
        start = match.start()
        link = match.group().rstrip(".,;:!?)]}>'\"」』")
        family = next(name for name, part in zip(_FAMILIES, match.groups(), strict=True) if part is not None)
        yield start, start + len(link), family, link
