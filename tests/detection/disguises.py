"""Generates disguised numbers, addresses and accounts from Unicode and usage, independently of the engine's tables."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Callable, Iterator

from crm_contact_guard.detection.types import Kind, Scan

Random = random.Random
CARRIERS_JA = (
    "会社を通さず、私の携帯 {} に直接お電話ください。",
    "個人の番号です、{} 夜にかけてもらえますか。内緒で。",
    "店には内緒で {} まで連絡ください。僕の携帯です。",
)
CARRIERS_EN = (
    "Don't go through the office, call me on my own phone: {} tonight.",
    "My personal number is {} and nobody at work needs to know.",
    "Text me privately at {} instead of this app.",
)
MAIL_JA = (
    "個人メールにください、会社には内緒で。{} です。",
    "私のアドレスは {} です。会社のメールは監視されているので。",
)
MAIL_EN = (
    "Write to my private address, not the company's: {} please.",
    "Use my personal e-mail {} so the boss doesn't read it.",
)
LINE_JA = ("私の個人の{}を追加してください、IDは {} です。", "{}交換しませんか、会社には内緒で。{} で検索して。")


def mobile(rng: Random) -> str:
    return f"0{rng.choice('789')}0" + "".join(rng.choice("0123456789") for _ in range(8))


def grouped(number: str, sign: str) -> str:
    return sign.join((number[:3], number[3:7], number[7:]))


def mapped(number: str, digits: str) -> str:
    return "".join(digits[int(c)] for c in number)


def block(start: int) -> str:
    return "".join(chr(start + n) for n in range(10))


def account(rng: Random) -> str:
    return (
        rng.choice(("tori", "haru", "mika", "kenji", "yuki", "rio"))
        + rng.choice("._")
        + rng.choice(("neko", "trip", "sora", "cafe"))
        + str(rng.randrange(10, 99))
    )


def mailbox(rng: Random) -> tuple[str, str]:
    return account(rng).replace("_", "."), rng.choice(("gmail", "icloud", "outlook"))


KANJI = "〇一二三四五六七八九"
KANA = ("ゼロ", "いち", "に", "さん", "よん", "ご", "ろく", "なな", "はち", "きゅう")
ENGLISH = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
RADIO = ("oh", "won", "too", "tree", "fore", "fife", "six", "seven", "ate", "niner")
ROMAJI = ("zero", "ichi", "ni", "san", "yon", "go", "roku", "nana", "hachi", "kyuu")
CIRCLED = "⓪①②③④⑤⑥⑦⑧⑨"

PHONES: dict[str, Callable[[str, Random], str]] = {
    "plain": lambda n, r: grouped(n, "-"),
    "full width": lambda n, r: mapped(grouped(n, "").strip(), block(0xFF10)),
    "full width with marks": lambda n, r: "－".join(mapped(part, block(0xFF10)) for part in (n[:3], n[3:7], n[7:])),
    "kanji": lambda n, r: mapped(n, KANJI),
    "kanji with の": lambda n, r: "の".join(mapped(part, KANJI) for part in (n[:3], n[3:7], n[7:])),
    "kanji zero 零": lambda n, r: mapped(n, "零" + KANJI[1:]),
    "spelled kana": lambda n, r: "".join(KANA[int(c)] for c in n),
    "spelled English": lambda n, r: " ".join(ENGLISH[int(c)] for c in n),
    "radio English": lambda n, r: "-".join(RADIO[int(c)] for c in n),
    "romaji": lambda n, r: " ".join(ROMAJI[int(c)] for c in n),
    "mixed scripts": lambda n, r: "".join(r.choice((c, KANJI[int(c)], KANA[int(c)])) for c in n),
    "spaced": lambda n, r: " ".join(n),
    "underscored": lambda n, r: "_".join(n),
    "dotted": lambda n, r: ".".join(n),
    "zero width": lambda n, r: "\u200b".join(n),
    "soft hyphen": lambda n, r: "\u00ad".join(n),
    "circled": lambda n, r: mapped(n, CIRCLED),
    "bold": lambda n, r: mapped(n, block(0x1D7CE)),
    "keycap": lambda n, r: "".join(f"{c}\ufe0f\u20e3" for c in n),
    "leet": lambda n, r: grouped(n, "-").replace("0", "O", 2),
    "noise": lambda n, r: "あ".join(n),
    "reversed": lambda n, r: grouped(n, "-")[::-1] + "（逆から読んで）",
    "Arabic digits": lambda n, r: mapped(n, block(0x660)),
    "Devanagari digits": lambda n, r: mapped(n, block(0x966)),
    "combining marks": lambda n, r: "\u0301".join(n),
    "bidi marks": lambda n, r: "\u202d" + "\u2060".join(n) + "\u202c",
    "international": lambda n, r: f"+81 {n[1:3]}-{n[3:7]}-{n[7:]}",
    "goroawase": lambda n, r: f"{n[:3]}のあと「{r.choice(('ヨロシク', 'イイフロ', 'ナナハチ'))}」「{r.choice(('ニクニク', 'イイハナ'))}」",
}  # fmt: skip

MAILS: dict[str, Callable[[str, str, Random], str]] = {
    "mail plain": lambda u, d, r: f"{u}@{d}.com",
    "mail [@]": lambda u, d, r: f"{u}[@]{d} . com",
    "mail (at)(dot)": lambda u, d, r: f"{u}(at){d}(dot)com",
    "mail at dot": lambda u, d, r: f"{u} at {d} dot com",
    "mail slash": lambda u, d, r: f"{u}/{d}/com",
    "mail kana": lambda u, d, r: f"{u}アットマーク{d}ドットcom",
    "mail hiragana": lambda u, d, r: f"{u}あっと{d}どっとcom",
    "mail full width": lambda u, d, r: "".join(chr(ord(c) + 0xFEE0) for c in f"{u}@{d}.com"),
    "mail spaced": lambda u, d, r: " ".join(f"{u}@{d}.com"),
    "mail Cyrillic": lambda u, d, r: f"{u}@{d}.com".replace("a", "а").replace("o", "о").replace("e", "е"),
    "mail hint": lambda u, d, r: f"{d}で、@の前は{u}",
}  # fmt: skip

MESSENGERS = (
    "LINE",
    "L1NE",
    "らいん",
    "ﾗｲﾝ",
    "ＬＩＮＥ",
    "L I N E",
    "緑のアプリ",
    "カカオ",
    "WeChat",
    "薇信",
    "wsp",
    "ТеIegram".replace("I", "l"),
    "インスタ",
    "𝐋𝐈𝐍𝐄",
    "Ⓛ\u200bINE",
)
LINKS: dict[str, Callable[[str, Random], str]] = {
    "link plain": lambda a, r: f"https://line.me/ti/p/~{a}",
    "link scheme": lambda a, r: f"line://ti/p/~{a}",
    "link defanged": lambda a, r: f"hxxps://wa[.]me/8190{r.randrange(10**7, 10**8)}",
    "link telegram": lambda a, r: f"t . me / {a}",
    "link profile": lambda a, r: f"instagram dot com/{a}",
    "link full width": lambda a, r: "".join(chr(ord(c) + 0xFEE0) for c in f"t.me/{a}"),
}  # fmt: skip


def samples(seed: int, each: int) -> Iterator[tuple[str, str, str]]:
    """Yield ``each`` samples of every technique, as (technique, text, disguised part)."""
    rng = Random(seed)
    for name, phone in PHONES.items():
        carriers = CARRIERS_EN if "English" in name or name == "dotted" else CARRIERS_JA
        for _ in range(each):
            hidden = phone(mobile(rng), rng)
            yield name, rng.choice(carriers).format(hidden), hidden
    for name, mail in MAILS.items():
        japanese = "kana" in name or "hiragana" in name or "hint" in name
        for _ in range(each):
            hidden = mail(*mailbox(rng), rng)
            yield name, rng.choice(MAIL_JA if japanese or rng.random() < 0.5 else MAIL_EN).format(hidden), hidden
    for messenger in MESSENGERS:
        for _ in range(each):
            hidden = account(rng)
            yield (
                f"messenger {unicodedata.normalize('NFKC', messenger)} ({messenger!a})",
                rng.choice(LINE_JA).format(messenger, hidden),
                hidden,
            )
    for name, link in LINKS.items():
        for _ in range(each):
            hidden = link(account(rng), rng)
            yield (
                name,
                rng.choice(
                    ("私の個人アカウントです、会社には内緒で {} へどうぞ", "Find me privately here, not at work: {}")
                ).format(hidden),
                hidden,
            )


def covered(text: str, hidden: str, verdict: Scan) -> bool:
    """Whether the verdict is an attempt and its identifier findings cover at least half of the hidden text."""
    start = text.index(hidden)
    end = start + len(hidden)
    seen: set[int] = set()
    for finding in verdict.findings:
        if finding.kind is Kind.CONTACT_IDENTIFIER:
            seen.update(range(max(start, finding.start), min(end, finding.end)))
    return verdict.attempt and len(seen) * 2 >= len(hidden)
